//! Header fields (RFC 9110, section 5) of a request.

use crate::error::{Code, Error, Result};
use crate::http::field::{is_field_value, is_token};
use crate::http::traceparent;
use crate::limits;
use serde_json::Value;
use std::borrow::Cow;

/// Header fields: lower-case names and values, in their original order. The values of a repeated field are joined by commas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Reads an object whose values are texts, or arrays of texts for repeated fields.
    ///
    /// # Errors
    /// 400 if it is not such an object, has too many members, a name is not a token (RFC 9110, section 5.1), or a value contains a
    /// control character.
    pub fn from_json(value: &Value) -> Result<Self> {
        let object = match value {
            Value::Null => return Ok(Headers::default()),
            Value::Object(object) => object,
            _ => return Err(malformed("They are not a JSON object.".to_owned())),
        };
        let mut fields = Vec::with_capacity(object.len());
        for (name, value) in object {
            let text = match value {
                Value::String(text) => Cow::Borrowed(text.as_str()),
                Value::Number(number) => Cow::Owned(number.to_string()),
                Value::Null => continue,
                Value::Array(items) => {
                    let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                    let texts = texts
                        .ok_or_else(|| malformed(format!("Header {name:?} contains an item that is not text.")))?;
                    Cow::Owned(texts.join(separator(name)))
                }
                _ => return Err(malformed(format!("Header {name:?} is not text."))),
            };
            fields.push((name.as_str(), text));
        }
        Headers::from_fields(fields)
    }

    /// Reads names and values. Those whose names differ only in capitals are one field.
    ///
    /// # Errors
    /// 400 if there are too many, a name is not a token (RFC 9110, section 5.1), or a value contains a control character.
    pub fn from_fields<N: AsRef<str>, V: AsRef<str>>(fields: Vec<(N, V)>) -> Result<Self> {
        if fields.len() > limits::HEADER_FIELDS {
            return Err(Error::new(
                Code::Limit,
                format!("A request has at most {} header fields", limits::HEADER_FIELDS),
            ));
        }
        let mut headers: Vec<(String, String)> = Vec::with_capacity(fields.len());
        for (name, value) in &fields {
            let (name, value) = (name.as_ref(), value.as_ref());
            if !is_token(name) {
                return Err(malformed(format!("{name:?} is not a valid header name.")));
            }
            if !is_field_value(value) {
                return Err(malformed(format!("The value of header {name:?} contains a control character.")));
            }
            let name = name.to_ascii_lowercase();
            match headers.iter_mut().find(|(other, _)| *other == name) {
                Some((name, before)) => *before = [before, value].join(separator(name)),
                None => headers.push((name, value.to_owned())),
            }
        }
        Ok(Headers(headers))
    }

    /// The same fields, with another one if there is none of its name, which is in lower case.
    #[must_use]
    pub fn or(mut self, name: &str, value: &str) -> Self {
        if self.get(name).is_none() {
            self.0.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// The value of a field; `name` in lower case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The host that the request is for, without its port, in lower case (RFC 9110, section 7.2).
    pub fn host(&self) -> Option<String> {
        let host = self.get("host")?.trim();
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        Some(name.trim_end_matches('.').to_ascii_lowercase())
    }

    /// The trace that the request belongs to, as [`traceparent::parse`] reads it.
    pub fn trace(&self) -> Option<String> {
        self.get("traceparent").and_then(traceparent::parse).map(Cow::into_owned)
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields without `cookie`, as a JSON object: the setting `request.headers`.
    pub fn to_setting(&self) -> String {
        if self.0.is_empty() {
            return "{}".to_owned();
        }
        let fields = self.iter().filter(|(n, _)| *n != "cookie").map(|(n, v)| (n.to_owned(), Value::from(v)));
        Value::Object(fields.collect()).to_string()
    }

    /// The cookies (RFC 6265, section 5.4) as a JSON object: the setting `request.cookies`.
    pub fn cookies_to_setting(&self) -> String {
        Value::Object(self.cookies().map(|(n, v)| (n.to_owned(), Value::from(v))).collect()).to_string()
    }

    /// The names and values of the cookies.
    pub fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.get("cookie").unwrap_or_default().split(';').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.trim(), value.trim()))
    }
}

fn malformed(why: String) -> Error {
    Error::new(Code::MalformedRequest, "The request's headers are malformed").details(why).hint(
        "Pass an object whose members are header names with a text each, or an array of texts for a repeated header.",
    )
}

/// What joins the values of a repeated field: cookies have their own (RFC 6265, section 4.2.1).
fn separator(name: &str) -> &'static str {
    if name.eq_ignore_ascii_case("cookie") { "; " } else { ", " }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(fields: I) -> Self {
        Headers(fields.into_iter().map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_lowered_and_repeated_fields_joined() -> Result<()> {
        let h = Headers::from_json(&json!({"Prefer": ["a", "b"], "Cookie": "a=1; b=2"}))?;
        assert_eq!(h.get("prefer"), Some("a, b"));
        assert_eq!(h.to_setting(), r#"{"prefer":"a, b"}"#);
        assert_eq!(h.cookies_to_setting(), r#"{"a":"1","b":"2"}"#);
        let h = Headers::from_json(&json!({"Authorization": "Basic YTpi", "authorization": "Bearer x"}))?;
        assert_eq!(h.get("authorization"), Some("Basic YTpi, Bearer x"));
        Ok(())
    }

    #[test]
    fn there_are_not_too_many_fields() {
        let fields = |count: usize| Value::Object((0..count).map(|i| (format!("X-{i}"), Value::from("1"))).collect());
        assert!(Headers::from_json(&fields(limits::HEADER_FIELDS)).is_ok());
        let refused = Headers::from_json(&fields(limits::HEADER_FIELDS + 1)).unwrap_err();
        assert_eq!((refused.status, refused.code.as_ref()), (400, "REST431"));
    }

    #[test]
    fn line_breaks_and_odd_shapes_are_refused() {
        for bad in [
            json!([]),
            json!("x"),
            json!({"a": {"b": 1}}),
            json!({"a": "x\r\ny"}),
            json!({"a": "\u{0}"}),
            json!({"a b": "x"}),
            json!({"": "x"}),
            json!({"a": ["x", 1]}),
            json!({"a\n": "x"}),
        ] {
            assert_eq!(Headers::from_json(&bad).err().map(|e| e.status), Some(400), "{bad}");
        }
    }
}
