//! `restful.patched`: applies a patch to columns of a row, within the UPDATE that stores the result.

use super::refuse::refuse;
use crate::patch::{self, Operations};
use crate::pg::ffi::fmgr::{argument, sql_function};
use crate::pg::ffi::varlena::payload;
use crate::pg::guc;
use pgrx::{IntoDatum, pg_sys};

sql_function!(restful_patched, "patched(patch bytea, is_merge boolean, document json) RETURNS bytea", |call| run(call));

/// # Safety
/// The call frame of `patched(bytea, boolean, json)`.
unsafe fn run(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the declared arguments. PostgreSQL does not call a strict function with a null.
    let (patch, is_merge, document) = unsafe {
        let (Some(patch), Some(is_merge), Some(document)) = (argument(call, 0), argument(call, 1), argument(call, 2))
        else {
            return pg_sys::Datum::null();
        };
        // A document may nest as deep as its limit allows, and reading it recurses with it.
        pg_sys::check_stack_depth();
        (payload(patch), is_merge.value() != 0, payload(document))
    };
    // A row that is larger than bodies may be can still be patched.
    let most = guc::max_body_bytes().max(document.len());
    let done = if is_merge {
        patch::merged(document, patch, most).map_err(|problem| problem.error(None))
    } else {
        Operations::parse(patch).and_then(|operations| {
            patch::patched(document, &operations, most, || {
                pgrx::check_for_interrupts!();
            })
        })
    };
    match done {
        Ok(done) => done.into_datum().unwrap_or(pg_sys::Datum::null()),
        Err(error) => refuse(&error),
    }
}
