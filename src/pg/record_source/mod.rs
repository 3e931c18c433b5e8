//! `restful.record_source`: turns JSON text into rows, within the `INSERT ... SELECT` that stores them.
//!
//! ```sql
//! INSERT INTO t(a, b)
//! SELECT r.c1, r.c2 FROM restful.record_source($1, '{a,b}', 0, '{2}') AS r(c1 int4, c2 text, p2 bool)
//! ```
//!
//! For every type, a cell becomes the value that `json_to_recordset` would make of it. Common types have a fast path.

mod call;
mod cell;
mod column;
mod memory;
mod one;
mod patched;
mod refuse;
mod rows;

use crate::pg::ffi::fmgr::sql_function;
pub use one::{Member, OneObject};

sql_function!(
    record_source,
    "record_source(body bytea, keys text[], mode int, presence int[], lenient int[]) RETURNS SETOF record",
    |call| call::run(call)
);
