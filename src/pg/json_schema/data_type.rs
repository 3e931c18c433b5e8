//! The type `jsonschema`. Its input checks the schema. It is stored as canonical text.

use super::cache;
use super::{Binary, Stored, Text, formats, payload, refuse};
use crate::pg::ffi::fmgr::v1_function;
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};
use std::ffi::CStr;

macro_rules! conversions {
    ($($name:ident = $body:ident;)*) => {$(
        v1_function!($name);
        #[unsafe(no_mangle)]
        #[pg_guard]
        pub unsafe extern "C-unwind" fn $name(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
            // SAFETY: called by PostgreSQL with the one argument that sql/json_schema/validation.sql declares; strict.
            unsafe { $body((*(*call).args.as_ptr()).value) }
        }
    )*};
}

conversions! {
    restful_jsonschema_in = of_cstring;
    restful_jsonschema_out = to_cstring;
    restful_jsonschema_recv = of_message;
    restful_jsonschema_send = to_message;
    restful_jsonschema_from_json = of_json;
    restful_jsonschema_from_jsonb = of_jsonb;
}

/// Checks a schema by compiling it, and returns its canonical text: sorted keys and no spaces, much like RFC 8785.
fn checked<S: Stored>(schema: &[u8]) -> pg_sys::Datum {
    let tree = S::schema(schema).unwrap_or_else(|refusal| refuse(&refusal));
    let text = jsonschema::canonical::json::to_string(&tree).unwrap_or_default();
    cache::compiled::<Text, Binary>(text.as_bytes(), formats(None));
    text.into_datum().unwrap_or(pg_sys::Datum::null())
}

unsafe fn of_cstring(text: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: a cstring.
    checked::<Text>(unsafe { CStr::from_ptr(text.cast_mut_ptr()) }.to_bytes())
}

unsafe fn to_cstring(schema: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: a varlena of text.
    unsafe { pg_sys::Datum::from(pg_sys::text_to_cstring(schema.cast_mut_ptr())) }
}

unsafe fn of_message(message: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: a StringInfo. The text is converted to the server's encoding and NUL-terminated.
    unsafe {
        let message: pg_sys::StringInfo = message.cast_mut_ptr();
        let mut length = 0;
        let text = pg_sys::pq_getmsgtext(message, (*message).len - (*message).cursor, &mut length);
        checked::<Text>(CStr::from_ptr(text).to_bytes())
    }
}

unsafe fn to_message(schema: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: a varlena of text. pq_begintypsend made the message.
    unsafe {
        let bytes = payload(schema);
        let mut message = pg_sys::StringInfoData::default();
        pg_sys::pq_begintypsend(&mut message);
        pg_sys::pq_sendtext(&mut message, bytes.as_ptr().cast(), bytes.len() as i32);
        pg_sys::Datum::from(pg_sys::pq_endtypsend(&mut message))
    }
}

unsafe fn of_json(schema: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: a json value.
    checked::<Text>(unsafe { payload(schema) })
}

unsafe fn of_jsonb(schema: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: a jsonb value.
    checked::<Binary>(unsafe { payload(schema) })
}
