//! Registers the settings with PostgreSQL.

use super::{VALUES, Value};
use crate::oauth;
use crate::settings::{Context, SETTINGS, Setting, SettingType, Unit};
use pgrx::pg_sys;
use pgrx::pg_sys::GucContext;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

/// Defines the settings and reserves their prefix. Called once, when the library is loaded.
pub fn define() {
    for (setting, value) in SETTINGS.iter().zip(&VALUES) {
        define_one(setting, value);
    }
    // PostgreSQL drops unknown settings of the prefix with a warning, and refuses new ones. PostgreSQL 14 only warns.
    // SAFETY: a constant text.
    unsafe {
        #[cfg(feature = "pg14")]
        pg_sys::EmitWarningsOnPlaceholders(c"restful".as_ptr());
        #[cfg(not(feature = "pg14"))]
        pg_sys::MarkGUCPrefixReserved(c"restful".as_ptr());
    }
}

fn define_one(setting: &Setting, value: &'static Value) {
    let Setting { name, kind, context, doc } = setting;
    let (name, doc, long) = (name.as_ptr(), doc.as_ptr(), ptr::null());
    let (context, flags) = match context {
        Context::Anyone => (GucContext::PGC_USERSET, 0),
        Context::Superuser => (GucContext::PGC_SUSET, 0),
        Context::Server => (GucContext::PGC_SIGHUP, 0),
        Context::Extension => (
            GucContext::PGC_SUSET,
            pg_sys::GUC_NO_SHOW_ALL
                | pg_sys::GUC_NOT_IN_SAMPLE
                | pg_sys::GUC_DISALLOW_IN_FILE
                | pg_sys::GUC_NO_RESET_ALL,
        ),
    };
    let flags = |more: u32| c_int::try_from(flags | more).unwrap_or(0);
    // SAFETY: the texts are constants, the variables are statics, and the options are never freed.
    unsafe {
        match kind {
            SettingType::Text(boot) => {
                let (variable, boot, check) = (value.text.as_ptr(), boot.as_ptr(), check_hook(setting));
                pg_sys::DefineCustomStringVariable(
                    name,
                    doc,
                    long,
                    variable,
                    boot,
                    context,
                    flags(0),
                    check,
                    None,
                    None,
                );
            }
            SettingType::Number(boot, range, unit) => {
                let unit = match unit {
                    Unit::None => 0,
                    Unit::Bytes => pg_sys::GUC_UNIT_BYTE,
                    Unit::Kilobytes => pg_sys::GUC_UNIT_KB,
                    Unit::Milliseconds => pg_sys::GUC_UNIT_MS,
                    Unit::Seconds => pg_sys::GUC_UNIT_S,
                };
                let (variable, min, max) = (value.number.as_ptr(), *range.start(), *range.end());
                pg_sys::DefineCustomIntVariable(
                    name,
                    doc,
                    long,
                    variable,
                    *boot,
                    min,
                    max,
                    context,
                    flags(unit),
                    None,
                    None,
                    None,
                );
            }
            SettingType::Switch(boot) => {
                let variable = value.switch.as_ptr();
                pg_sys::DefineCustomBoolVariable(name, doc, long, variable, *boot, context, flags(0), None, None, None);
            }
            SettingType::Choice(options) => {
                let (variable, options) = (value.number.as_ptr(), entries(options));
                pg_sys::DefineCustomEnumVariable(
                    name,
                    doc,
                    long,
                    variable,
                    0,
                    options,
                    context,
                    flags(0),
                    None,
                    None,
                    None,
                );
            }
        }
    }
}

/// The options of a choice, in PostgreSQL's form: each has its position as value, and an entry without a name ends the list.
fn entries(options: &'static [&'static CStr]) -> *const pg_sys::config_enum_entry {
    let entry = |name, val| pg_sys::config_enum_entry { name, val, hidden: false };
    let mut entries: Vec<_> = (0..).zip(options).map(|(val, option)| entry(option.as_ptr(), val)).collect();
    entries.push(entry(ptr::null(), 0));
    entries.leak().as_ptr()
}

/// The hook that checks a text before the setting takes it.
fn check_hook(setting: &Setting) -> pg_sys::GucStringCheckHook {
    match setting.name {
        name if name == c"restful.oauth_issuer" => Some(check_issuer),
        name if name == c"restful.oauth_authorization_endpoint" => Some(check_authorization_endpoint),
        _ => None,
    }
}

unsafe extern "C-unwind" fn check_issuer(
    new: *mut *mut c_char,
    _: *mut *mut c_void,
    _: pg_sys::GucSource::Type,
) -> bool {
    let detail = c"It must be an https URL without user, query and fragment. http is allowed only for localhost.";
    // SAFETY: PostgreSQL calls this with a text.
    unsafe { check(*new, oauth::is_issuer, detail) }
}

unsafe extern "C-unwind" fn check_authorization_endpoint(
    new: *mut *mut c_char,
    _: *mut *mut c_void,
    _: pg_sys::GucSource::Type,
) -> bool {
    let detail = c"It must be an https URL without user and fragment. http is allowed only for localhost.";
    // SAFETY: PostgreSQL calls this with a text.
    unsafe { check(*new, oauth::is_endpoint, detail) }
}

/// Whether a setting may have this value. If not, `detail` becomes the DETAIL of PostgreSQL's error.
///
/// # Safety
/// Only for check hooks, with the text that PostgreSQL gives them.
unsafe fn check(value: *const c_char, is_good: fn(&str) -> bool, detail: &'static CStr) -> bool {
    // SAFETY: PostgreSQL gives a NUL-terminated text.
    let value = unsafe { CStr::from_ptr(value) }.to_bytes();
    let is_good = value.is_empty() || str::from_utf8(value).is_ok_and(is_good);
    if !is_good {
        // SAFETY: PostgreSQL copies the text into its error.
        unsafe { pg_sys::GUC_check_errdetail_string = detail.as_ptr().cast_mut() };
    }
    is_good
}
