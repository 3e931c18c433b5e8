//! Refuses bodies.

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
