//! Bodies that are refused.

use pgrx::pg_sys;
use std::ffi::CString;

/// SQLSTATE `PGRST`: the message and the detail are JSON that PostgREST, and this extension, turn into a response.
const PGRST: i32 = sqlstate(*b"PGRST");

/// `MAKE_SQLSTATE` of utils/elog.h: six bits per character.
const fn sqlstate(code: [u8; 5]) -> i32 {
    let [a, b, c, d, e] = code;
    six_bits(a) | six_bits(b) << 6 | six_bits(c) << 12 | six_bits(d) << 18 | six_bits(e) << 24
}

const fn six_bits(character: u8) -> i32 {
    (character.wrapping_sub(b'0') & 0x3F) as i32
}

/// Raises the error of a body that cannot be read: 400, code PGRST102.
pub fn refuse_body(message: &str, details: Option<&str>, hint: Option<&str>) -> ! {
    let error = serde_json::json!({ "code": "PGRST102", "message": message, "details": details, "hint": hint });
    let status = serde_json::json!({ "status": 400, "headers": {} });
    // JSON text has no NUL.
    let message = CString::new(error.to_string()).unwrap_or_default();
    let detail = CString::new(status.to_string()).unwrap_or_default();
    let mut data = pg_sys::ErrorData {
        elevel: pgrx::PgLogLevel::ERROR as i32,
        sqlerrcode: PGRST,
        message: message.as_ptr().cast_mut(),
        detail: detail.as_ptr().cast_mut(),
        ..Default::default()
    };
    // SAFETY: a complete ErrorData, which is copied before the error is thrown.
    unsafe { pg_sys::ThrowErrorData(&mut data) };
    // An error at level ERROR does not return.
    unreachable!()
}
