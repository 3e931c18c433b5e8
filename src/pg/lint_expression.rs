//! The functions by which lints check the expressions of policies: `lint_is_always_true`, `lint_holds_for_nobody`.

use crate::lint;
use crate::pg::ffi::fmgr::{argument, text, v1_function};
use crate::pg::ffi::preserving_error_data::preserving_error_data;
use pgrx::{FromDatum, pg_sys};

/// The elements of a text array, without nulls.
unsafe fn texts(call: pg_sys::FunctionCallInfo, i: usize) -> Vec<String> {
    // SAFETY: the call frame of a running function; the argument is a text[].
    unsafe {
        let array = argument(call, i).and_then(|datum| Vec::<Option<String>>::from_datum(datum, false));
        array.into_iter().flatten().flatten().collect()
    }
}

v1_function!(pg_finfo_restful_lint_is_always_true);
/// `restful.lint_is_always_true(expression text, not_null text[])`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_lint_is_always_true(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe { preserving_error_data(|| lint::is_always_true(text(call, 0).unwrap_or_default(), &texts(call, 1)).into()) }
}

v1_function!(pg_finfo_restful_lint_holds_for_nobody);
/// `restful.lint_holds_for_nobody(expression text, subjects text[])`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_lint_holds_for_nobody(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| lint::holds_for_nobody(text(call, 0).unwrap_or_default(), &texts(call, 1)).into())
    }
}
