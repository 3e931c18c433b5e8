//! The SQL function that reads lists of names in settings: `setting_names`.

use super::names;
use crate::pg::ffi::fmgr::{sql_function, text};
use pgrx::{IntoDatum, pg_sys};

sql_function!(restful_setting_names, "setting_names(list text)", |call| names(text(call, 0).unwrap_or_default())
    .into_datum()
    .unwrap_or(pg_sys::Datum::null()));
