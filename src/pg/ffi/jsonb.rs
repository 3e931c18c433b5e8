//! Makes and reads jsonb values without building a tree (PostgreSQL's jsonb.h).

use crate::http::response::fields_as_json;
use crate::values::jsonb_layout::OBJECT;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pgrx::{direct_function_call_as_datum, pg_sys};
use std::borrow::Cow;
use std::ffi::CString;

/// The text of a jsonb, as a varlena.
///
/// # Safety
/// `jsonb` is a detoasted jsonb.
pub unsafe fn to_text(jsonb: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: promised by the caller.
    unsafe {
        let container = jsonb.cast_mut_ptr::<u8>().add(4).cast::<pg_sys::JsonbContainer>();
        let size = (jsonb.cast_mut_ptr::<u32>().read() >> 2) as i32;
        let text = pg_sys::JsonbToCString(std::ptr::null_mut(), container, size);
        pg_sys::Datum::from(pg_sys::cstring_to_text(text))
    }
}

/// A response's body as jsonb: JSON as it is, other text as a JSON string, and bytes that are not text in base64.
///
/// # Safety
/// Runs PostgreSQL's input function, so it must be called within a transaction.
pub unsafe fn of_body(bytes: &[u8], is_json: bool) -> pg_sys::Datum {
    // SAFETY: promised by the caller.
    unsafe {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if is_json => text.to_owned(),
            Ok(text) => serde_json::Value::from(text).to_string(),
            Err(_) => serde_json::Value::from(STANDARD.encode(bytes)).to_string(),
        };
        of_text(&text)
    }
}

/// A JSON text as jsonb.
///
/// # Safety
/// Runs PostgreSQL's input function, so it must be called within a transaction.
pub unsafe fn of_text(text: &str) -> pg_sys::Datum {
    // SAFETY: promised by the caller. The text is NUL-terminated.
    unsafe {
        let text = CString::new(text).unwrap_or_default();
        direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(pg_sys::Datum::from(text.as_ptr()))])
            .unwrap_or(pg_sys::Datum::null())
    }
}

/// Header fields as a jsonb object: name → text, or array of texts for a repeated one.
///
/// # Safety
/// Allocates in the current memory context.
pub unsafe fn of_headers(headers: &[(Cow<'static, str>, Cow<'static, str>)]) -> pg_sys::Datum {
    // SAFETY: promised by the caller. Writes exactly the allocated bytes: two headers, two entries for each field, and the texts.
    unsafe {
        let mut fields: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (n.as_ref(), v.as_ref())).collect();
        // jsonb orders keys by length, then by bytes.
        fields.sort_by(|(a, _), (b, _)| (a.len(), a).cmp(&(b.len(), b)));
        if fields.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return of_text(&fields_as_json(headers).to_string());
        }
        let count = fields.len();
        let payload: usize = fields.iter().map(|(n, v)| n.len() + v.len()).sum();
        let size = 8 + 8 * count + payload;
        let start = pg_sys::palloc(size).cast::<u8>();
        // The varlena header, the container header, one entry per key and per value, then the bytes of the keys and of the values.
        start.cast::<u32>().write((size as u32) << 2);
        start.add(4).cast::<u32>().write(OBJECT | count as u32);
        let mut entry = start.add(8).cast::<u32>();
        let mut bytes = start.add(8 + 8 * count);
        let keys = fields.iter().map(|(n, _)| n.as_bytes());
        let values = fields.iter().map(|(_, v)| v.as_bytes());
        for text in keys.chain(values) {
            entry.write(text.len() as u32);
            entry = entry.add(1);
            std::ptr::copy_nonoverlapping(text.as_ptr(), bytes, text.len());
            bytes = bytes.add(text.len());
        }
        pg_sys::Datum::from(start)
    }
}
