//! Paths to a claim: the part of JSON Path (RFC 9535) that names a single value, and PostgREST's notation for it.

use serde_json::{Map, Value};

/// A path to a single value of the claims: `$.a.b`, `.a.b` or `a.b`, `["x"]`, `[0]`, and as the last step a filter such as `[?(@ ==
/// "x")]` on an array of strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    /// The first string of an array that satisfies the comparison.
    Filter(Comparison, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    StartsWith,
    EndsWith,
    Contains,
}

impl Path {
    /// Parses a path; `None` if it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        if !text.starts_with('$') && !rest.starts_with(['.', '[']) {
            rest = name(rest, &mut steps)?;
        }
        while !rest.is_empty() {
            if matches!(steps.last(), Some(Step::Filter(..))) || steps.len() == crate::limits::JSON_PATH_STEPS {
                return None;
            }
            rest = match rest.strip_prefix('.') {
                Some(rest) => name(rest, &mut steps)?,
                None => bracket(rest.strip_prefix('[')?, &mut steps)?,
            };
        }
        (!steps.is_empty()).then_some(Path(steps))
    }

    /// The value at the path.
    pub fn find<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.0.split_first()?;
        let Step::Key(key) = first else { return None };
        rest.iter().try_fold(claims.get(key)?, |value, step| match step {
            Step::Key(key) => value.as_object()?.get(key),
            Step::Index(index) => value.as_array()?.get(*index),
            Step::Filter(comparison, text) => {
                value.as_array()?.iter().find(|item| item.as_str().is_some_and(|item| comparison.holds(item, text)))
            }
        })
    }
}

impl Comparison {
    fn holds(self, item: &str, text: &str) -> bool {
        match self {
            Comparison::Equal => item == text,
            Comparison::NotEqual => item != text,
            Comparison::StartsWith => item.starts_with(text),
            Comparison::EndsWith => item.ends_with(text),
            Comparison::Contains => item.contains(text),
        }
    }
}

/// A quoted key, or one of letters, digits and `_`, `-`, `@`, `$`.
fn name<'a>(text: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    if let Some((key, rest)) = quoted(text) {
        steps.push(Step::Key(key));
        return Some(rest);
    }
    let end = text.find(|c: char| !(c.is_alphanumeric() || "_-@$".contains(c))).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    (!key.is_empty()).then(|| steps.push(Step::Key(key.to_owned())))?;
    Some(rest)
}

/// Reads on from behind `[` to its `]`.
fn bracket<'a>(text: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    let text = text.trim_start();
    let rest = if let Some((key, rest)) = quoted(text) {
        steps.push(Step::Key(key));
        rest
    } else if let Some(filter) = text.strip_prefix('?') {
        let filter = filter.trim_start();
        let (filter, closes) = match filter.strip_prefix('(') {
            Some(filter) => (filter, ")"),
            None => (filter, ""),
        };
        let filter = filter.trim_start().strip_prefix('@')?.trim_start();
        let comparisons = [
            ("===", None),
            ("==^", Some(Comparison::EndsWith)),
            ("==", Some(Comparison::Equal)),
            ("!=", Some(Comparison::NotEqual)),
            ("^==", Some(Comparison::StartsWith)),
            ("*==", Some(Comparison::Contains)),
        ];
        let (comparison, operand) =
            comparisons.into_iter().find_map(|(sign, c)| filter.strip_prefix(sign).map(|rest| (c, rest)))?;
        let (operand, rest) = quoted(operand.trim_start())?;
        steps.push(Step::Filter(comparison?, operand));
        rest.trim_start().strip_prefix(closes)?
    } else {
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (index, rest) = text.split_at(end);
        steps.push(Step::Index(index.parse().ok()?));
        rest
    };
    rest.trim_start().strip_prefix(']')
}

/// A text in single or double quotes, in which a backslash escapes any character; and the rest.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut unquoted = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => unquoted.push(characters.next()?.1),
            _ if c == quote => return Some((unquoted, text.get(at + 1..)?)),
            _ => unquoted.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str) -> Option<Value> {
        let claims = serde_json::json!({
            "role": "web", "a": {"b": {"c": 1}, "x y": [10, 20]}, "https://x/y": "url", "roles": ["other", "pg_web", "web_pg"],
        });
        Path::parse(path).and_then(|path| path.find(claims.as_object()?).cloned())
    }

    #[test]
    fn paths_lead_to_values() {
        for path in ["role", "$.role", ".role", "$['role']", r#"["role"]"#, r#"."role""#] {
            assert_eq!(found(path), Some("web".into()), "{path}");
        }
        assert_eq!(found("$.a.b.c"), Some(1.into()));
        assert_eq!(found(r#"$.a["x y"][1]"#), Some(20.into()));
        assert_eq!(found(r#"$["https://x/y"]"#), Some("url".into()));
        assert_eq!(found("roles[0]"), Some("other".into()));
    }

    #[test]
    fn filters_choose_among_texts() {
        assert_eq!(found(r#".roles[?(@ == "web_pg")]"#), Some("web_pg".into()));
        assert_eq!(found(r#".roles[?(@ != "other")]"#), Some("pg_web".into()));
        assert_eq!(found(r#".roles[?(@ ^== "web")]"#), Some("web_pg".into()));
        assert_eq!(found(r#".roles[?(@ ==^ "web")]"#), Some("pg_web".into()));
        assert_eq!(found(r#".roles[?(@ *== "g_w")]"#), Some("pg_web".into()));
        assert_eq!(found(r#"$.roles[?@ == 'web_pg']"#), Some("web_pg".into()));
        assert_eq!(found(r#".roles[?(@ == "none")]"#), None);
    }

    #[test]
    fn what_is_missing_or_malformed_is_not_found() {
        for path in ["$.nobody", "$.role.deeper", "$.a[0]", "roles[7]"] {
            assert!(Path::parse(path).is_some() && found(path).is_none(), "{path}");
        }
        for path in [
            "",
            "$",
            "$.",
            "$..role",
            "[",
            "[0",
            "['a",
            "$.a b",
            "a.[0]x",
            "$[-1]",
            "[?(@ === 'a')]",
            "[?(@ == a)]",
            "$.é\\",
        ] {
            assert_eq!(Path::parse(path), None, "{path}");
        }
        assert_eq!(Path::parse(&".a".repeat(1000)), None);
    }
}
