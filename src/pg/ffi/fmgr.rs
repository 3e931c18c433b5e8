//! PostgreSQL's version-1 calling convention (fmgr.h): declares functions and reads their arguments.

use pgrx::pg_sys;

/// Declares a function to PostgreSQL (`PG_FUNCTION_INFO_V1` of fmgr.h).
macro_rules! v1_function {
    ($finfo:ident) => {
        #[unsafe(no_mangle)]
        #[doc(hidden)]
        pub extern "C-unwind" fn $finfo() -> &'static pg_sys::Pg_finfo_record {
            const RECORD: pg_sys::Pg_finfo_record = pg_sys::Pg_finfo_record { api_version: 1 };
            &RECORD
        }
    };
}

pub(in crate::pg) use v1_function;

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
