//! Writes the answers of a batch.

use crate::http::Response;
use crate::http::response::{Body, fields_as_json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;
use serde_json::Value;

/// Writes an answer as a JSON object: `status`, `headers`, and the body if there is one. A JSON body is the member `body` as it is,
/// another text is `body` as a string, and bytes that are not text are the member `base64` (RFC 4648, section 4).
///
/// `rows`: the body, if it consists of rows.
pub fn write_answer(response: &Response, rows: Option<&[u8]>, write: &mut dyn FnMut(&[u8])) {
    write(b"{\"status\":");
    write(response.status.to_string().as_bytes());
    write(b",\"headers\":");
    write(fields_as_json(&response.headers).to_string().as_bytes());
    let body = match (&response.body, rows) {
        (Body::Empty, _) => None,
        (Body::Bytes(bytes), _) => Some(bytes.as_slice()),
        (Body::Rows, rows) => Some(rows.unwrap_or_default()),
    };
    if let Some(body) = body {
        let content_type = response.headers.iter().find(|(name, _)| name == "content-type").map(|(_, v)| v.as_ref());
        match std::str::from_utf8(body) {
            // A function or a media type of a user may say JSON and answer with something else.
            Ok(text) if is_json(content_type) && serde_json::from_str::<IgnoredAny>(text).is_ok() => {
                write(b",\"body\":");
                write(body);
            }
            Ok(text) => {
                write(b",\"body\":");
                write(Value::from(text).to_string().as_bytes());
            }
            Err(_) => {
                write(b",\"base64\":\"");
                write(STANDARD.encode(body).as_bytes());
                write(b"\"");
            }
        }
    }
    write(b"}");
}

/// Whether a body with this Content-Type is one JSON text: `application/json`, `*+json` (RFC 6839, section 3.1) and the types of the
/// dialect. Without the field, it is.
pub(super) fn is_json(content_type: Option<&str>) -> bool {
    let Some(field) = content_type else { return true };
    let essence = field.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        essence.as_str(),
        "" | "*/*" | "application/json" | "application/vnd.pgrst.object" | "application/vnd.pgrst.array"
    ) || essence.ends_with("+json")
}
