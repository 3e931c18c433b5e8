//! Reads and sets any PostgreSQL setting.

use pgrx::pg_sys;
use std::ffi::{CStr, c_int};

/// Sets a setting until the end of the request's nest level.
///
/// Raises PostgreSQL's error if the setting does not allow the value.
pub fn set_for_request(name: &CStr, value: &CStr, context: pg_sys::GucContext::Type) {
    set(name, value, context, pg_sys::GucAction::GUC_ACTION_SAVE, 0);
}

/// Applies a setting of the request's role until the end of the nest level. If it cannot be set, this warns, as a login of the role
/// does: a dropped text search configuration should not make all requests of the role fail.
pub fn apply_for_request(name: &CStr, value: &CStr) {
    let level = c_int::try_from(pg_sys::WARNING).unwrap_or(0);
    set(name, value, pg_sys::GucContext::PGC_SUSET, pg_sys::GucAction::GUC_ACTION_SAVE, level);
}

/// Sets a setting as SET LOCAL does.
///
/// Raises PostgreSQL's error if the setting does not allow the value.
pub fn set_for_transaction(name: &CStr, value: &CStr, context: pg_sys::GucContext::Type) {
    set(name, value, context, pg_sys::GucAction::GUC_ACTION_LOCAL, 0);
}

/// `level`: the level of the message if it cannot be set; 0 raises an error.
fn set(name: &CStr, value: &CStr, context: pg_sys::GucContext::Type, action: pg_sys::GucAction::Type, level: c_int) {
    // SAFETY: both texts are NUL-terminated and copied by PostgreSQL.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            context,
            pg_sys::GucSource::PGC_S_SESSION,
            action,
            true,
            level,
            false,
        );
    }
}

/// The value of any setting. `None` if it is unknown or empty.
pub fn get(name: &CStr) -> Option<String> {
    // SAFETY: the name is NUL-terminated; an unknown one gives NULL.
    let value = unsafe { pg_sys::GetConfigOption(name.as_ptr(), true, false) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not NULL, so a NUL-terminated text; copied here.
    let text = unsafe { CStr::from_ptr(value) }.to_str().ok()?;
    (!text.is_empty()).then(|| text.to_owned())
}
