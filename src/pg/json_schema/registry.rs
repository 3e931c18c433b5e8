//! Looks up the registered schemas (`restful.json_schema`) that references name.

use crate::http::target::{decode, encode};
use crate::pg::catalog::invalidation::{self, TableGroup};
use crate::pg::ffi::fmgr::v1_function;
use crate::pg::ffi::own_tables;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde_json::Value;
use std::borrow::Cow;

/// A number that changes whenever the registry may have changed.
#[inline(always)]
pub fn generation() -> u64 {
    invalidation::JSON_SCHEMAS.with(|schemas| schemas.generation())
}

/// The URI of a registered schema, given as `name` or `name@version`. Characters that a URI cannot contain are percent-encoded (RFC
/// 3986).
pub fn uri(name: &str) -> String {
    format!("restful:{}", encode(name, b"@"))
}

/// The document of a URI: `restful:name`, `restful:name@version`, or a URI that is itself a registered name or `$id`.
pub fn document(uri: &str) -> Option<Value> {
    let (name, version) = match uri.strip_prefix("restful:") {
        None => (Cow::Borrowed(uri), None),
        Some(name) => match name.rsplit_once('@') {
            Some((name, version)) => (decode(name, false)?, Some(version.parse::<i32>().ok()?)),
            None => (decode(name, false)?, None),
        },
    };
    let table = invalidation::JSON_SCHEMAS.with(TableGroup::announce);
    let read = || {
        Spi::connect(|client| {
            let found = client.select(QUERY, Some(1), &[name.as_ref().into(), version.into()])?;
            found.first().get_one::<JsonB>()
        })
    };
    // SAFETY: the query is a constant.
    match unsafe { own_tables::as_owner(table, read) }? {
        Ok(schema) => schema.map(|JsonB(schema)| schema),
        Err(spi::Error::InvalidPosition) => None,
        Err(why) => error!("the registered schemas cannot be read: {why}"),
    }
}

const QUERY: &str = include_str!("../../../sql/query/json_schema/registered_schema.sql");

v1_function!(restful_json_schema_changed);
/// The trigger on the registry's table, which announces a change to all sessions.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_json_schema_changed(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call of a function.
    unsafe { invalidation::announce_by_trigger(call, "json_schema_changed") }
}
