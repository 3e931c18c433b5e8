//! `restful.record_source`: JSON text to rows, inside the `INSERT ... SELECT` that stores them.
//!
//! ```sql
//! INSERT INTO t(a, b)
//! SELECT r.c1, r.c2 FROM restful.record_source($1, '{a,b}', 0, '{2}') AS r(c1 int4, c2 text, p2 bool)
//! ```
//!
//! A cell becomes what `json_to_recordset` makes of it, for every type; the common types take a shorter way there.

mod call;
mod cell;
mod column;
mod memory;
mod refuse;
mod rows;

use pgrx::pg_sys;

/// Tells PostgreSQL the calling convention of [`record_source`].
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pg_finfo_record_source() -> &'static pg_sys::Pg_finfo_record {
    const V1: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
    &V1
}

/// `restful.record_source(body bytea, keys text[], mode int, presence int[], lenient int[]) RETURNS SETOF record`.
///
/// # Safety
/// PostgreSQL calls it, with the arguments that its SQL declaration promises.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn record_source(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the arguments of a function call, as this function got them; nothing else is in this frame.
    unsafe { super::ffi::preserving_error_data::preserving_error_data(|| call::run(fcinfo)) }
}
