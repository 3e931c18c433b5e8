//! PostgreSQL's version-1 calling convention (fmgr.h): defines functions and reads their arguments.

use pgrx::pg_sys;

/// Declares the function with this symbol to PostgreSQL (`PG_FUNCTION_INFO_V1` of fmgr.h).
macro_rules! v1_function {
    ($name:ident) => {
        const _: () = {
            #[unsafe(export_name = concat!("pg_finfo_", stringify!($name)))]
            extern "C-unwind" fn finfo() -> &'static pgrx::pg_sys::Pg_finfo_record {
                const RECORD: pgrx::pg_sys::Pg_finfo_record = pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
                &RECORD
            }
        };
    };
}

/// Defines a function that SQL calls, and declares it to PostgreSQL: its symbol, its signature in SQL and its body. The body gets the
/// call and returns a datum. Errors that are raised in it keep all of their data.
macro_rules! sql_function {
    ($name:ident, $signature:literal, |$call:ident| $body:expr) => {
        $crate::pg::ffi::fmgr::v1_function!($name);
        #[doc = concat!("`restful.", $signature, "`")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $name($call: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum {
            // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises; the body is all that it does.
            unsafe { $crate::pg::ffi::preserving_error_data::preserving_error_data(|| $body) }
        }
    };
}

pub(in crate::pg) use {sql_function, v1_function};

/// A function of version 1.
pub type Function = unsafe extern "C-unwind" fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum;

/// An argument; `None` for null.
pub unsafe fn argument(call: pg_sys::FunctionCallInfo, i: usize) -> Option<pg_sys::Datum> {
    // SAFETY: the call frame of a running function.
    unsafe {
        let argument = (*call).args.as_slice(i + 1).get(i)?;
        (!argument.isnull).then_some(argument.value)
    }
}

/// A text argument. It is UTF-8, because the extension refuses databases with another encoding.
pub unsafe fn text<'a>(call: pg_sys::FunctionCallInfo, i: usize) -> Option<&'a str> {
    // SAFETY: the call frame of a running function. The argument is a text, and its packed copy is plain or short.
    unsafe {
        let text = argument(call, i)?.cast_mut_ptr();
        let is_plain = pgrx::varatt_is_4b_u(text) || (pgrx::varatt_is_1b(text) && !pgrx::varatt_is_1b_e(text));
        let text = if is_plain { text } else { pg_sys::pg_detoast_datum_packed(text) };
        pgrx::text_to_rust_str(text).ok()
    }
}

/// A varlena argument, detoasted, with a header of four bytes.
pub unsafe fn detoasted(call: pg_sys::FunctionCallInfo, i: usize) -> Option<pg_sys::Datum> {
    // SAFETY: the call frame of a running function; the argument is a varlena.
    unsafe {
        let datum = argument(call, i)?;
        let varlena = datum.cast_mut_ptr();
        Some(if pgrx::varatt_is_4b_u(varlena) { datum } else { pg_sys::pg_detoast_datum(varlena).into() })
    }
}
