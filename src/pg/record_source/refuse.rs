//! Refuses bodies.

use crate::error::Error;
use crate::pg::ffi::error::raise;
use crate::sqlstate::SqlState;

/// Raises the error for a body that cannot be read: 400, code PGRST102.
///
/// Its SQLSTATE is `PGRST`. Message and detail are JSON, which PostgREST and this extension turn into a response.
pub fn refuse_body(message: &str, details: Option<&str>, hint: Option<&str>) -> ! {
    let error = serde_json::json!({ "code": "PGRST102", "message": message, "details": details, "hint": hint });
    let status = serde_json::json!({ "status": 400, "headers": {} });
    raise(SqlState::RESPONSE, &error.to_string(), Some(&status.to_string()), None)
}

/// Raises an error of the catalogue as it is.
pub fn refuse(error: &Error) -> ! {
    let message = serde_json::json!({
        "code": error.code, "message": error.message, "details": error.details, "hint": error.hint
    });
    let status = serde_json::json!({ "status": error.status, "headers": {} });
    raise(SqlState::RESPONSE, &message.to_string(), Some(&status.to_string()), None)
}
