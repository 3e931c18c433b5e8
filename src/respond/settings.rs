//! The status and headers that functions set through `response.status` and `response.headers`. Pure.

use crate::error::{Code, Error, Result};
use crate::http::field::{is_field_value, is_token};
use crate::http::response::Response;
use serde_json::Value;
use std::borrow::Cow;

/// Status and header fields set by functions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseSettings {
    status: Option<u16>,
    /// Names in lower case.
    fields: Vec<(Cow<'static, str>, Cow<'static, str>)>,
}

impl ResponseSettings {
    /// Reads the values of the two settings. An empty value sets nothing.
    ///
    /// # Errors
    /// PGRST111 or PGRST112 (500) if they are malformed; REST500 if a value contains CR, LF or NUL.
    pub fn parse(status: Option<&str>, headers: Option<&str>) -> Result<Self> {
        let status = status.filter(|text| !text.is_empty()).map(parse_status).transpose()?;
        let fields = headers.filter(|text| !text.is_empty()).map(parse_fields).transpose()?.unwrap_or_default();
        Ok(ResponseSettings { status, fields })
    }

    /// These settings, and where they set nothing, those that were there before.
    #[must_use]
    pub fn or(self, before: &ResponseSettings) -> Self {
        let fields = if self.fields.is_empty() { before.fields.clone() } else { self.fields };
        ResponseSettings { status: self.status.or(before.status), fields }
    }

    /// The status that functions have set.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// The Content-Type that functions have set.
    pub fn content_type(&self) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_ref())
    }

    /// Sets status and header fields of a response. A field replaces existing fields of the same name.
    pub fn apply(self, response: &mut Response) {
        if let Some(status) = self.status {
            response.status = status;
        }
        response.headers.retain(|(name, _)| !self.fields.iter().any(|(n, _)| n == name));
        response.headers.extend(self.fields);
    }
}

fn parse_status(text: &str) -> Result<u16> {
    let status = text.trim().parse().ok();
    // The status must be final: those below 200 announce a response that is still to come (RFC 9110, section 15.2).
    status
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| Error::new(Code::ResponseStatus, "response.status guc must be a valid status code"))
}

fn parse_fields(text: &str) -> Result<Vec<(Cow<'static, str>, Cow<'static, str>)>> {
    let malformed = || {
        Error::new(
            Code::ResponseHeaders,
            "response.headers guc must be a JSON array composed of objects with a single key and a string value",
        )
    };
    let Ok(Value::Array(items)) = serde_json::from_str::<Value>(text) else { return Err(malformed()) };
    let mut fields: Vec<(Cow<'static, str>, Cow<'static, str>)> = Vec::with_capacity(items.len());
    for item in &items {
        let single = item.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next());
        let Some((name, Value::String(value))) = single else { return Err(malformed()) };
        if !is_token(name) || !is_field_value(value) {
            return Err(Error::new(
                Code::HeaderValue,
                "response.headers contains a name or value that no header can have",
            )
            .hint("A header name must be an HTTP token, and a value must not contain control characters such as CR or LF."));
        }
        fields.push((name.to_ascii_lowercase().into(), value.clone().into()));
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::Body;

    #[test]
    fn settings_control_the_response_but_cannot_split_it() {
        let mut r = Response::new(200, Body::Empty).header("content-type", "a");
        let headers = r#"[{"Content-Type":"b"},{"Set-Cookie":"x"},{"Set-Cookie":"y"}]"#;
        ResponseSettings::parse(Some("201"), Some(headers)).unwrap().apply(&mut r);
        let content_types: Vec<_> =
            r.headers.iter().filter(|(n, _)| n == "content-type").map(|(_, v)| v.as_ref()).collect();
        assert_eq!((r.status, content_types), (201, vec!["b"]));
        assert_eq!(r.headers.iter().filter(|(n, _)| n == "set-cookie").count(), 2);
        for (status, headers, code) in [
            ("abc", "", "PGRST112"),
            ("999", "", "PGRST112"),
            ("", "{}", "PGRST111"),
            ("", "[1]", "PGRST111"),
            ("", r#"[{"a":1}]"#, "PGRST111"),
            ("", "[{\"a\":\"x\\r\\nb: c\"}]", "REST500"),
            ("", r#"[{"a b":"c"}]"#, "REST500"),
        ] {
            let e = ResponseSettings::parse(Some(status), Some(headers)).unwrap_err();
            assert_eq!((e.status, e.code.as_str()), (500, code), "{status}{headers}");
        }
    }
}
