//! Claims (RFC 7519, section 4), as those ask for them who decide by them.

use crate::auth::path::Path;
use crate::json::parse_uuid;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// How an identity was established.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By a token that was verified.
    Jwt,
    /// By an API key.
    ApiKey,
    /// By PostgREST, whose session is believed.
    Postgrest,
    /// Not at all: by logging in to the database.
    Sql,
    /// Nobody in particular is asking.
    Anonymous,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 5] = [Method::Jwt, Method::ApiKey, Method::Postgrest, Method::Sql, Method::Anonymous];

    /// Its name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Jwt => "jwt",
            Method::ApiKey => "api_key",
            Method::Postgrest => "postgrest",
            Method::Sql => "sql",
            Method::Anonymous => "anonymous",
        }
    }

    /// Whether somebody proved who they are to whoever made the request.
    pub fn is_authenticated(self) -> bool {
        matches!(self, Method::Jwt | Method::ApiKey | Method::Postgrest)
    }
}

/// The subject: `sub`, if it is a text that is not empty.
pub fn user_id(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("sub")?.as_str().filter(|s| !s.is_empty())
}

/// The subject, if it is a UUID in its standard form.
pub fn uid(claims: &Map<String, Value>) -> Option<[u8; 16]> {
    parse_uuid(user_id(claims)?.as_bytes())
}

/// The value at a path, as `->>` shows it; `None` for null and for a malformed path.
pub fn text_at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<Cow<'a, str>> {
    // Most paths are one name: nothing to read.
    match claims.get(path) {
        Some(value) => text(value),
        None => text(Path::parse(path)?.find(claims)?),
    }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.into()),
        other => Some(other.to_string().into()),
    }
}

/// The scopes: `scope`, separated by blanks (RFC 8693, section 4.2), or else the array `scopes` or `scp`.
pub fn scopes(claims: &Map<String, Value>) -> Option<Vec<&str>> {
    ["scope", "scopes", "scp"].iter().find_map(|name| match claims.get(*name)? {
        Value::String(scopes) => Some(scopes.split(' ').filter(|s| !s.is_empty()).collect()),
        Value::Array(scopes) => Some(scopes.iter().filter_map(Value::as_str).collect()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_subject_is_a_uuid_or_not() {
        let uuid = "00112233-4455-6677-8899-aabbccddeeff";
        assert!(uid(&map(json!({"sub": uuid}))).is_some());
        for claims in [json!({"sub": "alice"}), json!({"sub": 1}), json!({"sub": ""}), json!({}), json!({"sub": null})]
        {
            assert_eq!(uid(&map(claims)), None);
        }
        assert_eq!(user_id(&map(json!({"sub": "alice"}))), Some("alice"));
        assert_eq!(user_id(&map(json!({"sub": 7}))), None);
    }

    #[test]
    fn a_claim_is_shown_as_text() {
        let claims = map(json!({"a.b": "key", "a": {"b": "path", "n": 1.50, "t": true, "z": null, "l": [1]}}));
        assert_eq!(text_at(&claims, "a.b").as_deref(), Some("key"));
        assert_eq!(text_at(&claims, "$.a.b").as_deref(), Some("path"));
        assert_eq!(text_at(&claims, "a.t").as_deref(), Some("true"));
        assert_eq!(text_at(&claims, "a.l").as_deref(), Some("[1]"));
        assert_eq!(text_at(&claims, "a.z"), None);
        assert_eq!(text_at(&claims, "..."), None);
    }

    #[test]
    fn scopes_come_in_two_forms() {
        assert_eq!(scopes(&map(json!({"scope": "a  b"}))), Some(vec!["a", "b"]));
        assert_eq!(scopes(&map(json!({"scp": ["a", "b", 1]}))), Some(vec!["a", "b"]));
        assert_eq!(scopes(&map(json!({"scope": ""}))), Some(vec![]));
        assert_eq!(scopes(&map(json!({"scope": 1}))), None);
    }
}
