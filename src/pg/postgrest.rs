//! The SQL function that reads a configuration of PostgREST.

use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{sql_function, text};
use crate::postgrest::import;
use crate::sqlstate::SqlState;
use pgrx::{IntoDatum, pg_sys};

sql_function!(restful_read_postgrest, "read_postgrest(config text)", |call| {
    match import(text(call, 0).unwrap_or_default()) {
        Ok(found) => serde_json::to_string(&found).unwrap_or_default().into_datum().unwrap_or(pg_sys::Datum::null()),
        Err(why) => raise(SqlState::INVALID_PARAMETER_VALUE, &why.to_string(), None, Some(why.hint)),
    }
});
