//! Patterns of schemas.

use crate::json_schema::text::{Document, TextJson};
use crate::json_schema::{Compiled, Formats, Unwatched, compile};
use serde_json::{Value, json};

type Plain = Compiled<TextJson<Unwatched>>;

/// The first line is a pattern, and the others are texts.
///
/// A pattern that is accepted by drafts that require ECMA 262 is also accepted by the other drafts and as a name in
/// `patternProperties`, and matches the same texts. An error says what is wrong, and at which character.
pub fn pattern(data: &[u8]) -> bool {
    let Ok(data) = std::str::from_utf8(data) else { return false };
    let mut lines = data.split('\n');
    let pattern = lines.next().unwrap_or_default();
    let compiled = |schema: Value| -> Option<Plain> {
        match compile(&schema, Formats::Draft, &mut |_| None) {
            Ok(compiled) => Some(compiled),
            Err(refusal) => {
                let at = refusal.message.rsplit_once(" at character ").map(|(_, at)| at.parse::<usize>());
                let is_there = match at {
                    Some(at) => at.is_ok_and(|at| (1..=pattern.chars().count()).contains(&at)),
                    None => refusal.message.contains("too"),
                };
                assert!(is_there && refusal.hint.is_some(), "{refusal}");
                None
            }
        }
    };
    let draft_4 = "http://json-schema.org/draft-04/schema#";
    let Some(old) = compiled(json!({"$schema": draft_4, "pattern": pattern})) else { return false };
    let new = compiled(json!({"pattern": pattern})).unwrap_or_else(|| panic!("{pattern:?} is of draft 4 alone"));
    let named = json!({"patternProperties": {pattern: false}});
    let named = if pattern.len() < 1000 { compiled(named) } else { None };
    let accepts = |compiled: &Plain, value: Value| {
        let text = value.to_string();
        let document = Document::parse(text.as_bytes()).unwrap_or_else(|why| panic!("{text}: {why}"));
        compiled.validator.is_valid(document.root())
    };
    for text in lines {
        let matches = accepts(&old, json!(text));
        assert_eq!(matches, accepts(&new, json!(text)), "{pattern:?} {text:?}");
        if let Some(named) = &named {
            assert_eq!(matches, !accepts(named, json!({text: 1})), "{pattern:?} {text:?}, as a name");
        }
    }
    true
}
