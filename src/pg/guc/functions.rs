//! The SQL functions that read lists of names in settings: `exposed_schemas` and `setting_names`.

use super::{exposed, names};
use crate::pg::ffi::fmgr::{text, v1_function};
use crate::pg::ffi::preserving_error_data::preserving_error_data;
use crate::settings;
use pgrx::{IntoDatum, pg_sys};

v1_function!(pg_finfo_restful_exposed_schemas);
/// `restful.exposed_schemas(setting text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_exposed_schemas(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let setting = text(call, 0).or_else(|| settings::SCHEMAS.get()).unwrap_or_default();
            exposed(setting).into_datum().unwrap_or(pg_sys::Datum::null())
        })
    }
}

v1_function!(pg_finfo_restful_setting_names);
/// `restful.setting_names(list text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_setting_names(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| names(text(call, 0).unwrap_or_default()).into_datum().unwrap_or(pg_sys::Datum::null()))
    }
}
