//! The functions by which lints check the expressions of policies: `lint_is_always_true`, `lint_holds_for_nobody`.

use crate::lint;
use crate::pg::ffi::fmgr::{argument, sql_function, text};
use pgrx::{FromDatum, pg_sys};

/// The elements of a text array, without nulls.
unsafe fn texts(call: pg_sys::FunctionCallInfo, i: usize) -> Vec<String> {
    // SAFETY: the call frame of a running function; the argument is a text[].
    unsafe {
        let array = argument(call, i).and_then(|datum| Vec::<Option<String>>::from_datum(datum, false));
        array.into_iter().flatten().flatten().collect()
    }
}

sql_function!(restful_lint_is_always_true, "lint_is_always_true(expression text, not_null text[])", |call| {
    lint::is_always_true(text(call, 0).unwrap_or_default(), &texts(call, 1)).into()
});

sql_function!(restful_lint_holds_for_nobody, "lint_holds_for_nobody(expression text, subjects text[])", |call| {
    lint::holds_for_nobody(text(call, 0).unwrap_or_default(), &texts(call, 1)).into()
});
