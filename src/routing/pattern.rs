//! Patterns of routes: `POST /orders/{id:int}/cancel`. Pure.

use crate::error::{Code, Error, Result};
use crate::http::Method;
use crate::http::target;
use std::borrow::Cow;

/// A method and the path that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pub method: Method,
    pub segments: Vec<Segment>,
}

/// A segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// This text, decoded.
    Literal(String),
    /// A parameter: its name, and which texts it takes.
    Parameter(String, Converter),
}

/// Which texts a parameter of a path takes. The order is that of precedence: the narrower one comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Converter {
    /// An integer within 16 bits.
    SmallInt,
    /// Within 32 bits.
    Int,
    /// Within 64 bits.
    BigInt,
    Uuid,
    Bool,
    /// `2026-11-30`
    Date,
    /// A number, with fraction and exponent.
    Number,
    /// One segment, which is not empty.
    Text,
    /// The rest of the path, slashes included.
    Path,
}

impl Converter {
    /// The converter of this name.
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "smallint" => Converter::SmallInt,
            "int" | "integer" => Converter::Int,
            "bigint" => Converter::BigInt,
            "uuid" => Converter::Uuid,
            "bool" | "boolean" => Converter::Bool,
            "date" => Converter::Date,
            "number" | "numeric" => Converter::Number,
            "text" | "string" => Converter::Text,
            "path" => Converter::Path,
            _ => return None,
        })
    }

    /// The converter of a parameter that names none, by the type of the function's parameter (`pg_type.typname`).
    pub fn of_type(name: &str) -> Self {
        match name {
            "int2" => Converter::SmallInt,
            "int4" => Converter::Int,
            "int8" => Converter::BigInt,
            "uuid" => Converter::Uuid,
            "bool" => Converter::Bool,
            "date" => Converter::Date,
            "numeric" | "float4" | "float8" => Converter::Number,
            _ => Converter::Text,
        }
    }

    /// Its name in patterns.
    pub fn name(self) -> &'static str {
        match self {
            Converter::SmallInt => "smallint",
            Converter::Int => "int",
            Converter::BigInt => "bigint",
            Converter::Uuid => "uuid",
            Converter::Bool => "bool",
            Converter::Date => "date",
            Converter::Number => "number",
            Converter::Text => "text",
            Converter::Path => "path",
        }
    }

    /// Whether it takes a segment, decoded.
    pub fn takes(self, text: &str) -> bool {
        let digits = || {
            let digits = text.strip_prefix('-').unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
        };
        match self {
            Converter::SmallInt => digits() && text.parse::<i16>().is_ok(),
            Converter::Int => digits() && text.parse::<i32>().is_ok(),
            Converter::BigInt => digits() && text.parse::<i64>().is_ok(),
            Converter::Uuid => is_uuid(text),
            Converter::Bool => matches!(text, "true" | "false"),
            Converter::Date => is_date(text),
            Converter::Number => is_number(text),
            Converter::Text => !text.is_empty(),
            Converter::Path => true,
        }
    }
}

/// Eight, four, four, four and twelve hexadecimal digits with hyphens between them (RFC 9562, section 4).
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.len() == 5
        && groups
            .iter()
            .zip([8, 4, 4, 4, 12])
            .all(|(group, length)| group.len() == length && group.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// Year, month and day (RFC 3339, full-date) of a day that exists.
fn is_date(text: &str) -> bool {
    let digits = |range| {
        text.get(range).filter(|t: &&str| t.bytes().all(|b| b.is_ascii_digit())).and_then(|t| t.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(5..7), digits(8..10)) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    text.len() == 10
        && text.get(4..5) == Some("-")
        && text.get(7..8) == Some("-")
        && year > 0
        && (1..=days).contains(&day)
}

fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let exponent_fits = exponent.is_none_or(|e| {
        let digits = e.strip_prefix(['-', '+']).unwrap_or(e);
        (1..=3).contains(&digits.len()) && all_digits(digits)
    });
    !whole.is_empty() && all_digits(whole) && !fraction.is_empty() && all_digits(fraction) && exponent_fits
}

impl Pattern {
    /// Reads a pattern: a method, a blank and a path. `{name}` or `{name:converter}` is a segment, and `{name:path}`, at the end, the rest.
    /// `type_of`: the type of the function's parameter of this name (`pg_type.typname`).
    ///
    /// # Errors
    /// REST470 (400) says what is wrong with it.
    pub fn parse(text: &str, type_of: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let refused = |why: &str| {
            Error::new(Code::Route, format!("\"{text}\" is not a pattern of a route"))
                .details(why.to_owned())
                .hint("Write a method and a path, such as: POST /orders/{id}/cancel")
        };
        let (method, path) = text.split_once(' ').ok_or_else(|| refused("It has no method."))?;
        let method = match Method::parse(method) {
            Ok(method @ (Method::Get | Method::Post | Method::Put | Method::Patch | Method::Delete)) => method,
            _ => {
                return Err(refused(
                    "The method is one of GET, POST, PUT, PATCH and DELETE. GET also answers HEAD and QUERY.",
                ));
            }
        };
        let segments = Self::path(path, type_of).map_err(|why| refused(&why))?;
        if segments.is_empty() {
            return Err(refused("The path is not '/' alone."));
        }
        if matches!(segments.first(), Some(Segment::Literal(first)) if matches!(first.as_str(), "rpc" | "batch" | "oauth" | ".well-known"))
        {
            return Err(refused("Paths under /rpc, /batch, /oauth and /.well-known are the extension's."));
        }
        Ok(Pattern { method, segments })
    }

    /// Reads the path of a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn path(path: &str, type_of: impl Fn(&str) -> Option<String>) -> std::result::Result<Vec<Segment>, String> {
        let refused = str::to_owned;
        let rest = path.strip_prefix('/').ok_or_else(|| refused("The path starts with '/'."))?;
        if rest.is_empty() {
            return Ok(Vec::new());
        }
        let mut segments: Vec<Segment> = Vec::new();
        for part in rest.split('/') {
            if matches!(segments.last(), Some(Segment::Parameter(_, Converter::Path))) {
                return Err(refused("A parameter that takes the rest of the path is the last one."));
            }
            segments.push(match part.strip_prefix('{').map(|inner| inner.strip_suffix('}')) {
                Some(None) => return Err(refused("A '{' has no '}' at the end of its segment.")),
                Some(Some(inner)) => {
                    let (name, converter) = inner.split_once(':').map_or((inner, None), |(n, c)| (n, Some(c)));
                    if name.is_empty() || name.contains(['{', '}']) {
                        return Err(refused("A parameter has a name, and is a whole segment."));
                    }
                    if segments.iter().any(|other| matches!(other, Segment::Parameter(known, _) if known == name)) {
                        return Err(refused("Two parameters have the same name."));
                    }
                    let of_type = type_of(name).ok_or_else(|| format!("The function has no parameter {name}."))?;
                    let converter = match converter {
                        Some(named) => Converter::named(named).ok_or_else(|| {
                            refused(
                                "A converter is one of smallint, int, bigint, number, uuid, bool, date, text and path.",
                            )
                        })?,
                        None => Converter::of_type(&of_type),
                    };
                    Segment::Parameter(name.to_owned(), converter)
                }
                None if part.contains(['{', '}', '?', '#']) => {
                    return Err(refused("A segment is a text or one parameter, without '?' and '#'."));
                }
                None if part.is_empty() => return Err(refused("A segment is empty.")),
                None => Segment::Literal(
                    target::decode(part, false)
                        .ok_or_else(|| refused("The path contains a malformed escape."))?
                        .into_owned(),
                ),
            });
        }
        Ok(segments)
    }

    /// Whether the segments of a pattern take those of a path.
    pub fn takes(segments: &[Segment], path: &[Cow<str>]) -> bool {
        match (segments.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((Segment::Parameter(_, Converter::Path), _)), Some(_)) => true,
            (Some((first, rest)), Some((text, after))) => {
                let takes = match first {
                    Segment::Literal(literal) => *literal == **text,
                    Segment::Parameter(_, converter) => converter.takes(text),
                };
                takes && Self::takes(rest, after)
            }
            _ => false,
        }
    }

    /// What tells it from other patterns: two with the same key take the same requests.
    pub fn key(&self) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(text) => target::encode(text, b""),
            Segment::Parameter(_, converter) => format!("{{{}}}", converter.name()),
        });
        format!("{} /{}", self.method.as_str(), segments.collect::<Vec<_>>().join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Pattern> {
        Pattern::parse(text, |name| {
            (name != "none").then(|| if name == "id" { "int4".to_owned() } else { "text".to_owned() })
        })
    }

    #[test]
    fn a_pattern_has_literals_and_parameters() {
        let pattern = parse("POST /v1/orders/{id}/{rest:path}").unwrap();
        assert_eq!(pattern.method, Method::Post);
        assert_eq!(pattern.segments[2], Segment::Parameter("id".into(), Converter::Int));
        assert_eq!(pattern.key(), "POST /v1/orders/{int}/{path}");
        assert_eq!(parse("GET /a%20b").unwrap().key(), "GET /a%20b");
        for wrong in [
            "/orders",
            "TRACE /x",
            "OPTIONS /x",
            "GET x",
            "GET /",
            "GET //x",
            "GET /x/",
            "GET /{id",
            "GET /a{id}",
            "GET /{}",
            "GET /{id}/{id}",
            "GET /{id:frob}",
            "GET /{rest:path}/x",
            "GET /{none}",
            "GET /x?y",
            "GET /%zz",
            "GET /rpc/x",
            "POST /batch",
        ] {
            assert_eq!(parse(wrong).unwrap_err().code, "REST470", "{wrong}");
        }
    }

    #[test]
    fn converters_take_what_their_types_do() {
        use Converter::*;
        for (converter, takes, refuses) in [
            (SmallInt, &["0", "-32768"][..], &["32768", "", "-", "1.0", "+1", " 1"][..]),
            (Int, &["1", "2147483647"], &["2147483648", "a"]),
            (BigInt, &["9223372036854775807"], &["9223372036854775808"]),
            (Uuid, &["0190163D-8694-739b-aea5-966c26f8ad91"], &["0190163d8694739baea5966c26f8ad91", "x"]),
            (Bool, &["true", "false"], &["t", "1", ""]),
            (
                Date,
                &["2024-02-29", "2026-11-30"],
                &["2023-02-29", "2026-13-01", "2026-1-1", "0000-01-01", "2026-11-30x"],
            ),
            (Number, &["1", "-1.5", "1e10", "0.5E-3"], &["", ".", "1.", ".5", "e1", "1e", "1e1234", "NaN"]),
            (Text, &["a", "ä "], &[""]),
        ] {
            for text in takes {
                assert!(converter.takes(text), "{converter:?} {text}");
            }
            for text in refuses {
                assert!(!converter.takes(text), "{converter:?} {text}");
            }
        }
    }
}
