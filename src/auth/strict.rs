//! Strict JSON for tokens and keys. A repeated member is refused, because parsers differ in which one they take. So is U+0000,
//! because it would end the text wherever PostgreSQL treats it as a C string.

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is not JSON.
    Json,
    /// It is JSON, but not an object.
    Kind,
    /// An object in it repeats the name of a member.
    Duplicate,
    /// A string in it contains U+0000.
    Nul,
}

impl Flaw {
    /// Completes a sentence that begins with "the text".
    pub fn words(self) -> &'static str {
        match self {
            Flaw::Json => "is not valid JSON",
            Flaw::Kind => "is not a JSON object",
            Flaw::Duplicate => "contains an object that repeats the name of a member",
            Flaw::Nul => "contains U+0000",
        }
    }
}

/// Parses an object.
///
/// # Errors
/// The text is not a JSON object, or breaks one of the rules above.
pub fn object(text: &[u8]) -> Result<Map<String, Value>, Flaw> {
    match serde_json::from_slice(text) {
        Ok(Strict(Value::Object(object))) => Ok(object),
        Ok(Strict(_)) => Err(Flaw::Kind),
        // serde_json can carry our error only as text.
        Err(why) => {
            let why = why.to_string();
            Err([Flaw::Duplicate, Flaw::Nul]
                .into_iter()
                .find(|flaw| why.starts_with(flaw.words()))
                .unwrap_or(Flaw::Json))
        }
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not finite"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        without_nul(value)?;
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            without_nul(&name)?;
            if object.insert(name, value).is_some() {
                return Err(de::Error::custom(Flaw::Duplicate.words()));
            }
        }
        Ok(Value::Object(object))
    }
}

fn without_nul<E: de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') { Err(E::custom(Flaw::Nul.words())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ambiguous_is_refused() {
        assert!(object(br#"{"a": {"b": [1, -2, 1.5, "x", null, true]}}"#).is_ok());
        for (text, flaw) in [
            (r#"{"a": 1, "a": 1}"#, Flaw::Duplicate),
            (r#"{"a": [{"b": 1, "\u0062": 2}]}"#, Flaw::Duplicate),
            ("[]", Flaw::Kind),
            ("1", Flaw::Kind),
            ("", Flaw::Json),
            ("{} {}", Flaw::Json),
            (r#"{"a": 1e400}"#, Flaw::Json),
            (r#"{"a": NaN}"#, Flaw::Json),
            (r#"{"email": "alice@example.com\u0000.example.org"}"#, Flaw::Nul),
            (r#"{"a": [{"b\u0000": 1}]}"#, Flaw::Nul),
            ("\u{feff}{}", Flaw::Json),
        ] {
            assert_eq!(object(text.as_bytes()), Err(flaw), "{text}");
        }
        let deep = [b"{\"a\":".repeat(5000), b"1".to_vec(), b"}".repeat(5000)].concat();
        assert_eq!(object(&deep), Err(Flaw::Json));
        assert_eq!(object(b"{\"a\": \"\xff\"}"), Err(Flaw::Json));
    }
}
