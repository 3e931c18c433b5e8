//! Converts header fields from HTTP to a JSON object, and back.

use std::fmt;

use hyper::HeaderMap;
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, HeaderValue, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use serde::Deserializer as _;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

use crate::record::JSONB_VERSION;

/// The name of a header field whose value is not UTF-8.
#[derive(Debug, PartialEq, Eq)]
pub struct NotUtf8(pub HeaderName);

/// The fields as a binary jsonb parameter: an object of lower-case name → text. Repeated fields are joined by `", "`
/// (RFC 9110 section 5.3), cookies by `"; "` (RFC 9113 section 8.2.3).
///
/// `authority` is the target's host, if the target names one. It then replaces `host` (RFC 9112 section 3.2.2; HTTP/2 has no other
/// host).
///
/// # Errors
/// [`NotUtf8`] for the first field whose value is not UTF-8.
pub fn to_jsonb(headers: &HeaderMap, authority: Option<&str>) -> Result<Vec<u8>, NotUtf8> {
    let mut out = Vec::with_capacity(512);
    out.push(JSONB_VERSION);
    out.push(b'{');
    if let Some(authority) = authority {
        out.extend_from_slice(b"\"host\":");
        push_string(&mut out, authority);
    }
    for name in headers.keys() {
        if authority.is_some() && name == HOST {
            continue;
        }
        if out.len() > 2 {
            out.push(b',');
        }
        // A name is a token in lower case, so it needs no escapes.
        out.push(b'"');
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b"\":");

        let mut values = headers
            .get_all(name)
            .iter()
            .map(|value| std::str::from_utf8(value.as_bytes()).map_err(|_| NotUtf8(name.clone())));
        let first = values.next().transpose()?.unwrap_or_default();
        match values.next() {
            None => push_string(&mut out, first),
            Some(second) => {
                let separator = if name == COOKIE { "; " } else { ", " };
                let mut joined = first.to_owned();
                for value in std::iter::once(second).chain(values) {
                    joined.push_str(separator);
                    joined.push_str(value?);
                }
                push_string(&mut out, &joined);
            }
        }
    }
    out.push(b'}');
    Ok(out)
}

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string to a vector cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// The fields of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct AnswerHeaders {
    /// All fields except those that belong to the connection.
    pub fields: HeaderMap,
    /// The length that the answer states. It is meant for answers to HEAD, which have no body to measure.
    pub content_length: Option<u64>,
}

/// Reads the JSON text of an answer's headers: an object of name → text, or an array of texts for repeated fields. Leaves out fields
/// that belong to the connection (`connection`, `transfer-encoding` and the like), because the gateway frames the answer.
///
/// # Errors
/// The text is not such an object, or a name or value is not allowed in HTTP.
pub fn from_json(json: &[u8]) -> Result<AnswerHeaders, serde_json::Error> {
    let mut headers = AnswerHeaders::default();
    if !json.is_empty() {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        deserializer.deserialize_map(Fields(&mut headers))?;
        deserializer.end()?;
    }
    Ok(headers)
}

struct Fields<'a>(&'a mut AnswerHeaders);

impl<'de> Visitor<'de> for Fields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of header fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            map.next_value_seed(Values { headers: self.0, name })?;
        }
        Ok(())
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = HeaderName;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<HeaderName, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = HeaderName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a header field")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HeaderName, E> {
        HeaderName::from_bytes(text.as_bytes()).map_err(|_| E::custom("a name is not allowed in HTTP"))
    }
}

struct Values<'a> {
    headers: &'a mut AnswerHeaders,
    name: HeaderName,
}

impl Values<'_> {
    fn add<E: serde::de::Error>(&mut self, text: &str) -> Result<(), E> {
        match self.name {
            CONNECTION | TE | TRAILER | TRANSFER_ENCODING | UPGRADE => {}
            CONTENT_LENGTH => self.headers.content_length = text.parse().ok(),
            _ if matches!(self.name.as_str(), "keep-alive" | "proxy-connection") => {}
            _ => {
                let value = HeaderValue::from_bytes(text.as_bytes())
                    .map_err(|_| E::custom(format_args!("the value of {} is not allowed in HTTP", self.name)))?;
                self.headers
                    .fields
                    .try_append(self.name.clone(), value)
                    .map_err(|_| E::custom("too many header fields"))?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Values<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Values<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or an array of texts")
    }

    fn visit_str<E: serde::de::Error>(mut self, text: &str) -> Result<(), E> {
        self.add(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut texts: A) -> Result<(), A::Error> {
        while let Some(text) = texts.next_element::<std::borrow::Cow<'_, str>>()? {
            self.add::<A::Error>(&text).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(fields: &[(&'static str, &[u8])]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in fields {
            map.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        map
    }

    fn object(headers: &HeaderMap, authority: Option<&str>) -> serde_json::Value {
        let jsonb = to_jsonb(headers, authority).unwrap();
        assert_eq!(jsonb[0], 1);
        serde_json::from_slice(&jsonb[1..]).unwrap()
    }

    #[test]
    fn requests_become_objects() {
        assert_eq!(object(&map(&[]), None), json!({}));
        assert_eq!(
            object(&map(&[("accept", b"a"), ("cookie", b"a=1"), ("accept", b"b"), ("cookie", b"b=2")]), None),
            json!({"accept": "a, b", "cookie": "a=1; b=2"})
        );
    }

    #[test]
    fn values_are_escaped() {
        assert_eq!(object(&map(&[("x", b"\"\\\t\xc3\xa9 </script>")]), None), json!({"x": "\"\\\t\u{e9} </script>"}));
    }

    #[test]
    fn the_authority_of_the_target_is_the_host() {
        assert_eq!(object(&map(&[]), Some("a:1")), json!({"host": "a:1"}));
        assert_eq!(object(&map(&[("host", b"b"), ("x", b"y")]), Some("a")), json!({"host": "a", "x": "y"}));
        assert_eq!(object(&map(&[("host", b"b")]), None), json!({"host": "b"}));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused_wherever_they_stand() {
        for fields in [&[("x", &b"\xff"[..])][..], &[("x", b"a"), ("x", b"\xff")]] {
            assert_eq!(to_jsonb(&map(fields), None), Err(NotUtf8(HeaderName::from_static("x"))));
        }
    }

    #[test]
    fn answers_become_fields() {
        let headers =
            from_json(br#"{"Content-Type": "text/plain", "set-cookie": ["a=\"1\"", "b=2"], "x": []}"#).unwrap();
        assert_eq!(
            headers.fields,
            map(&[("content-type", b"text/plain"), ("set-cookie", b"a=\"1\""), ("set-cookie", b"b=2")])
        );
        assert_eq!(from_json(b"").unwrap(), AnswerHeaders::default());
        assert_eq!(from_json(b"{}").unwrap(), AnswerHeaders::default());
    }

    #[test]
    fn framing_is_left_out() {
        let headers = from_json(
            br#"{"content-length": "12", "Transfer-Encoding": "chunked", "connection": "close", "keep-alive": "x", "a": "b"}"#,
        )
        .unwrap();
        assert_eq!(headers.fields, map(&[("a", b"b")]));
        assert_eq!(headers.content_length, Some(12));
    }

    #[test]
    fn what_is_not_header_fields_is_refused() {
        for json in [
            "null",
            "[]",
            "1",
            "{",
            "{}x",
            r#"{"a": 1}"#,
            r#"{"a": null}"#,
            r#"{"a": ["b", 1]}"#,
            r#"{"a": [["b"]]}"#,
            r#"{"a": {}}"#,
            r#"{"": "b"}"#,
            r#"{"a b": "c"}"#,
            r#"{"a\n": "c"}"#,
            r#"{"a": "b\r\nc: d"}"#,
            r#"{"a": "\u0000"}"#,
        ] {
            assert!(from_json(json.as_bytes()).is_err(), "{json}");
        }
    }
}
