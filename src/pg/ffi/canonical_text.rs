//! Texts of values that do not depend on the settings of a session.

use pgrx::pg_sys;
use std::ffi::c_int;

// A setting that pgrx does not bind (utils/bytea.h): 0 is `escape`, 1 is `hex`.
unsafe extern "C" {
    static mut bytea_output: c_int;
}
const HEX: c_int = 1;
/// The shortest text that a floating-point number is read back from exactly (PostgreSQL docs, `extra_float_digits`).
const EXACT: c_int = 1;

/// While it lives, output functions write every value so that any session reads it back as the same value. Dropping it restores the
/// settings, also after an error.
///
/// Output functions read these settings from variables, so no function of users sees the change.
pub struct CanonicalText {
    date_style: c_int,
    date_order: c_int,
    interval_style: c_int,
    float_digits: c_int,
    bytea: c_int,
}

impl CanonicalText {
    /// Sets the settings.
    pub fn set() -> Self {
        // SAFETY: variables of this process, which has one thread.
        unsafe {
            let before = CanonicalText {
                date_style: pg_sys::DateStyle,
                date_order: pg_sys::DateOrder,
                interval_style: pg_sys::IntervalStyle,
                float_digits: pg_sys::extra_float_digits,
                bytea: bytea_output,
            };
            pg_sys::DateStyle = pg_sys::USE_ISO_DATES as c_int;
            pg_sys::DateOrder = pg_sys::DATEORDER_YMD as c_int;
            // ISO 8601 gives each field its sign.
            pg_sys::IntervalStyle = pg_sys::INTSTYLE_ISO_8601 as c_int;
            pg_sys::extra_float_digits = EXACT;
            bytea_output = HEX;
            before
        }
    }
}

impl Drop for CanonicalText {
    fn drop(&mut self) {
        // SAFETY: as in `set`.
        unsafe {
            pg_sys::DateStyle = self.date_style;
            pg_sys::DateOrder = self.date_order;
            pg_sys::IntervalStyle = self.interval_style;
            pg_sys::extra_float_digits = self.float_digits;
            bytea_output = self.bytea;
        }
    }
}
