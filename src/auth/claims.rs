//! Claims (RFC 7519, section 4): checks of the registered ones, and what is read from them.

use crate::auth::path::Path;
use crate::limits::SUBJECT_BYTES;
use crate::values::parse_uuid;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// How an identity was established.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// By a verified token.
    Jwt,
    /// By an API key.
    ApiKey,
    /// By PostgREST, whose session is trusted.
    Postgrest,
    /// By logging in to the database: no credential came with the request.
    Sql,
    /// Not at all: the request is anonymous.
    Anonymous,
}

impl AuthMethod {
    /// All of them.
    pub const ALL: [AuthMethod; 5] =
        [AuthMethod::Jwt, AuthMethod::ApiKey, AuthMethod::Postgrest, AuthMethod::Sql, AuthMethod::Anonymous];

    /// Its name in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthMethod::Jwt => "jwt",
            AuthMethod::ApiKey => "api_key",
            AuthMethod::Postgrest => "postgrest",
            AuthMethod::Sql => "sql",
            AuthMethod::Anonymous => "anonymous",
        }
    }

    /// Whether the caller presented a credential that was verified, here or by PostgREST.
    pub fn is_authenticated(self) -> bool {
        matches!(self, AuthMethod::Jwt | AuthMethod::ApiKey | AuthMethod::Postgrest)
    }
}

/// Why a registered claim (RFC 7519, section 4.1) is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Its type is not the one that the RFC gives it.
    Type {
        claim: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The subject is empty or too long.
    SubjectLength,
}

impl Flaw {
    /// Completes a sentence that begins with "the claim".
    pub fn words(self) -> String {
        match self {
            Flaw::Type { claim, expected } => format!("'{claim}' claim must be {expected}"),
            Flaw::SubjectLength => format!("'sub' claim must have 1 to {SUBJECT_BYTES} bytes"),
        }
    }
}

/// Checks the types of the registered claims: a subject that is not a string would identify nobody.
///
/// An `aud` of null counts as absent, as in PostgREST.
///
/// # Errors
/// The first claim that has the wrong type, or a subject that is empty or too long.
pub fn check_registered(claims: &Map<String, Value>) -> Result<(), Flaw> {
    for claim in ["exp", "nbf", "iat"] {
        if claims.get(claim).is_some_and(|value| !value.as_f64().is_some_and(f64::is_finite)) {
            return Err(Flaw::Type { claim, expected: "a number" });
        }
    }
    for claim in ["sub", "iss", "jti"] {
        if claims.get(claim).is_some_and(|value| !value.is_string()) {
            return Err(Flaw::Type { claim, expected: "a string" });
        }
    }
    let is_audience = match claims.get("aud") {
        Some(Value::Array(audiences)) => audiences.iter().all(Value::is_string),
        aud => aud.is_none_or(|aud| aud.is_null() || aud.is_string()),
    };
    if !is_audience {
        return Err(Flaw::Type { claim: "aud", expected: "a string or an array of strings" });
    }
    match claims.get("sub").and_then(Value::as_str) {
        Some(sub) if sub.is_empty() || sub.len() > SUBJECT_BYTES => Err(Flaw::SubjectLength),
        _ => Ok(()),
    }
}

/// The subject: `sub`, if it is a string that is not empty.
pub fn user_id(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("sub")?.as_str().filter(|s| !s.is_empty())
}

/// The subject, if it is a UUID in any notation that PostgreSQL accepts.
pub fn uid(claims: &Map<String, Value>) -> Option<[u8; 16]> {
    parse_uuid(user_id(claims)?.as_bytes())
}

/// The value at a path, as `->>` shows it; `None` for null and for a malformed path.
pub fn text_at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<Cow<'a, str>> {
    // Most paths are a single name and need no parsing.
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
    fn registered_claims_have_the_types_of_the_rfc() {
        let found = |claims: Value| check_registered(&map(claims));
        assert_eq!(found(json!({})), Ok(()));
        let whole = json!({"iss": "i", "sub": "s", "aud": ["a", "b"], "exp": 1.5, "nbf": 0, "iat": 1, "jti": "j"});
        assert_eq!(found(whole), Ok(()));
        for wrong in [json!(1), Value::Null, json!({}), json!([]), json!(true), json!(["s"])] {
            for claim in ["sub", "iss", "jti"] {
                let flaw = Flaw::Type { claim, expected: "a string" };
                assert_eq!(found(json!({ claim: wrong })), Err(flaw), "{claim} {wrong}");
            }
        }
        for wrong in [json!("1"), Value::Null, json!({}), json!([1]), json!(true)] {
            for claim in ["exp", "nbf", "iat"] {
                let flaw = Flaw::Type { claim, expected: "a number" };
                assert_eq!(found(json!({ claim: wrong })), Err(flaw), "{claim} {wrong}");
            }
        }
        for right in [json!("a"), json!([]), Value::Null] {
            assert_eq!(found(json!({"aud": right})), Ok(()), "{right}");
        }
        for wrong in [json!(1), json!({"a": 1}), json!(["a", 1]), json!([null]), json!(true)] {
            assert!(found(json!({"aud": wrong})).is_err(), "{wrong}");
        }
        for (sub, result) in [
            (String::new(), Err(Flaw::SubjectLength)),
            ("x".repeat(255), Ok(())),
            ("x".repeat(256), Err(Flaw::SubjectLength)),
        ] {
            assert_eq!(found(json!({"sub": sub})), result);
        }
    }

    #[test]
    fn a_subject_is_a_uuid_or_not() {
        for uuid in [
            "00112233-4455-6677-8899-aabbccddeeff",
            "{00112233-4455-6677-8899-AABBCCDDEEFF}",
            "00112233445566778899aabbccddeeff",
        ] {
            assert!(uid(&map(json!({"sub": uuid}))).is_some());
        }
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
