//! The value of Idempotency-Key.

use crate::error::{Code, Error, Result};
use crate::limits;

/// A key that a client has chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Reads the field: a String of RFC 9651, section 3.3.3, in double quotes. Many clients send the key without quotes, so it may also be
    /// bare if it has no blanks and none of the characters `"`, `\`, `,` and `;`. Both notations of a key are the same key.
    ///
    /// # Errors
    /// REST450 (400) for anything else: no key, several, parameters, or more than [`limits::IDEMPOTENCY_KEY_BYTES`] bytes.
    pub fn parse(field: &str) -> Result<Self> {
        let field = field.trim_matches([' ', '\t']);
        let key = match field.strip_prefix('"') {
            Some(rest) => quoted(rest)?,
            None if field.bytes().all(|b| b.is_ascii_graphic() && !b"\"\\,;".contains(&b)) => field.to_owned(),
            None => {
                return Err(malformed(
                    "A key without double quotes has only visible ASCII characters, and no comma or semicolon. A request has one key.",
                ));
            }
        };
        match key.len() {
            0 => Err(malformed("The key is empty.")),
            1..=limits::IDEMPOTENCY_KEY_BYTES => Ok(Key(key)),
            length => Err(malformed(format!(
                "The key has {length} bytes. A key has at most {}.",
                limits::IDEMPOTENCY_KEY_BYTES
            ))),
        }
    }

    /// The key without quotes and escapes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The rest of a String after its first quote (RFC 9651, section 4.2.5). Nothing may follow it: the draft defines no parameters.
fn quoted(rest: &str) -> Result<String> {
    let mut key = String::with_capacity(rest.len());
    let mut characters = rest.chars();
    loop {
        match characters.next() {
            None => return Err(malformed("The closing double quote is missing.")),
            Some('"') if characters.as_str().is_empty() => return Ok(key),
            Some('"') => {
                return Err(malformed("The field goes on after the key. A request has one key, without parameters."));
            }
            Some('\\') => match characters.next() {
                Some(escaped @ ('"' | '\\')) => key.push(escaped),
                _ => return Err(malformed("A backslash stands only before a double quote or a backslash.")),
            },
            Some(plain @ ' '..='~') => key.push(plain),
            Some(_) => return Err(malformed("A key has only printable ASCII characters.")),
        }
    }
}

fn malformed(why: impl Into<String>) -> Error {
    Error::new(Code::KeyMalformed, "The Idempotency-Key is malformed")
        .details(why.into())
        .hint("Send a random UUID in double quotes.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_string_or_bare() -> Result<()> {
        for (field, key) in [
            ("\"8e03978e-40d5-43e8-bc93-6894a57f9324\"", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
            ("8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"),
            (" \"a b\" ", "a b"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            ("\"a,b;c\"", "a,b;c"),
            ("a=b+c/d==", "a=b+c/d=="),
            ("1", "1"),
        ] {
            assert_eq!(Key::parse(field)?.as_str(), key, "{field}");
        }
        Ok(())
    }

    #[test]
    fn anything_else_is_refused() {
        let long = "k".repeat(limits::IDEMPOTENCY_KEY_BYTES + 1);
        let quoted = format!("\"{long}\"");
        for field in [
            "",
            " ",
            "\"\"",
            "\"",
            "\"a",
            "a\"",
            "a b",
            "a, b",
            "a,b",
            "\"a\", \"b\"",
            "\"a\";p=1",
            "\"a\" b",
            r#""\a""#,
            r#""a\"#,
            "\"é\"",
            "é",
            "\"a\tb\"",
            "\"a\u{7f}\"",
            "a;b",
            r"a\b",
            &long,
            &quoted,
        ] {
            let refused = Key::parse(field).unwrap_err();
            assert_eq!((refused.status, refused.code.as_str()), (400, "REST450"), "{field}");
        }
        assert!(Key::parse(&long[1..]).is_ok() && Key::parse(&quoted.replacen('k', "", 1)).is_ok());
    }
}
