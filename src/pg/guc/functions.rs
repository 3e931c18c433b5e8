//! The SQL functions that read lists of names in settings: `exposed_schemas` and `setting_names`.

use super::{exposed, names};
use crate::pg::ffi::fmgr::{sql_function, text};
use crate::settings;
use pgrx::{IntoDatum, pg_sys};

sql_function!(restful_exposed_schemas, "exposed_schemas(setting text)", |call| {
    let setting = text(call, 0).or_else(|| settings::SCHEMAS.get()).unwrap_or_default();
    exposed(setting).into_datum().unwrap_or(pg_sys::Datum::null())
});

sql_function!(restful_setting_names, "setting_names(list text)", |call| names(text(call, 0).unwrap_or_default())
    .into_datum()
    .unwrap_or(pg_sys::Datum::null()));
