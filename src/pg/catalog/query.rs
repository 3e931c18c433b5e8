//! Runs queries of the catalogue. Each is a constant that returns one text column and at most one row, and keeps its plan under its
//! name.

use crate::error::{Code, Error, Result};
use crate::limits::IDENTIFIER_BYTES;
use crate::pg::ffi::guc_nest::GucNest;
use pgrx::{IntoDatum, pg_sys};
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int};

thread_local! {
    static PLANS: RefCell<HashMap<&'static str, pg_sys::SPIPlanPtr>> = RefCell::new(HashMap::new());
}

/// The type and the value of a parameter.
pub type Argument = (pg_sys::Oid, pg_sys::Datum);

fn argument(data_type: pg_sys::Oid, value: Option<pg_sys::Datum>) -> Argument {
    (data_type, value.unwrap_or(pg_sys::Datum::null()))
}

/// A text.
pub fn text(text: &str) -> Argument {
    argument(pg_sys::TEXTOID, text.into_datum())
}

/// An OID.
pub fn oid(oid: u32) -> Argument {
    argument(pg_sys::OIDOID, pg_sys::Oid::from(oid).into_datum())
}

/// An array of OIDs.
pub fn oids(oids: &[pg_sys::Oid]) -> Argument {
    argument(pg_sys::OIDARRAYOID, oids.into_datum())
}

/// A boolean.
pub fn boolean(value: bool) -> Argument {
    argument(pg_sys::BOOLOID, value.into_datum())
}

/// The schema and the name of an object. `None` if one of them is longer than a name can be, because PostgreSQL would truncate it and
/// might find another object.
pub fn names(schema: &str, name: &str) -> Option<[Argument; 2]> {
    let fits = |name: &str| name.len() <= IDENTIFIER_BYTES;
    (fits(schema) && fits(name)).then(|| [text(schema), text(name)])
}

/// Runs a query and parses the JSON that it returns. `name` identifies the kept plan. `None` if it returns no row, or null.
///
/// # Errors
/// REST506 if the query or parsing fails.
pub fn load<T: DeserializeOwned>(name: &'static str, sql: &str, arguments: &[Argument]) -> Result<Option<T>> {
    let Some(text) = query(name, sql, arguments)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|why| {
        Error::new(Code::Setting, "The database's catalogue could not be read")
            .details(format!("{name}: {why}"))
            .hint("This is a bug in the extension. The details say where.")
    })
}

/// Runs a query. `name` identifies the kept plan. `None` if it returns no row, or null.
///
/// # Errors
/// REST506 if the query cannot be prepared.
pub fn query(name: &'static str, sql: &str, arguments: &[Argument]) -> Result<Option<String>> {
    // SAFETY: SPI is connected only for this query. If an error is raised, the connection ends with the transaction.
    unsafe { pg_sys::SPI_connect() };
    let text = run(name, sql, arguments);
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    text
}

fn run(name: &'static str, sql: &str, arguments: &[Argument]) -> Result<Option<String>> {
    // While the query is prepared and run, names in it mean PostgreSQL's objects. Literals are read in one way, those in the query,
    // which is kept, and those that pg_get_expr writes.
    let nest = GucNest::with_pinned_path();
    nest.set(c"standard_conforming_strings", c"on");
    let plan = plan(name, sql, arguments)?;
    let mut values: Vec<pg_sys::Datum> = arguments.iter().map(|(_, value)| *value).collect();
    // SAFETY: SPI is connected. The plan has as many parameters as there are values, of the same types. The result is copied before
    // it is freed.
    unsafe {
        // As new as the changes that PostgreSQL has announced, or what is kept could stay older than them. A parallel worker has only
        // its leader's snapshot.
        let is_newest = !pg_sys::IsInParallelMode();
        if is_newest {
            pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
        }
        let code = pg_sys::SPI_execute_plan(plan, values.as_mut_ptr(), std::ptr::null(), true, 1);
        if is_newest {
            pg_sys::PopActiveSnapshot();
        }
        let mut text = None;
        if code == pg_sys::SPI_OK_SELECT as c_int && pg_sys::SPI_processed == 1 {
            let table = &*pg_sys::SPI_tuptable;
            let value = pg_sys::SPI_getvalue(*table.vals, table.tupdesc, 1);
            if !value.is_null() {
                text = Some(CStr::from_ptr(value).to_string_lossy().into_owned());
            }
        }
        pg_sys::SPI_freetuptable(pg_sys::SPI_tuptable);
        Ok(text)
    }
}

/// The plan of a query, which is prepared when the query first runs. SPI must be connected.
fn plan(name: &'static str, sql: &str, arguments: &[Argument]) -> Result<pg_sys::SPIPlanPtr> {
    if let Some(plan) = PLANS.with_borrow(|plans| plans.get(name).copied()) {
        return Ok(plan);
    }
    let text = CString::new(sql).unwrap_or_default();
    let mut types: Vec<pg_sys::Oid> = arguments.iter().map(|(data_type, _)| *data_type).collect();
    // SAFETY: the text is NUL-terminated, and the count of types is right.
    let plan = unsafe {
        let plan = pg_sys::SPI_prepare(text.as_ptr(), types.len() as c_int, types.as_mut_ptr());
        if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
            return Err(Error::new(Code::Setting, "The database's catalogue could not be queried"));
        }
        plan
    };
    PLANS.with_borrow_mut(|plans| plans.insert(name, plan));
    Ok(plan)
}
