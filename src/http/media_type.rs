//! Media types and their negotiation (RFC 9110, sections 8.3 and 12.5.1).

use crate::error::{Code, Error, Result};
use std::borrow::Cow;

/// A representation of a response or a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `application/json`: an array of rows.
    #[default]
    Json,
    /// `application/vnd.pgrst.array+json`, `nulls=stripped`: an array of rows without their null members.
    ArrayStripped,
    /// `application/vnd.pgrst.object+json`: exactly one row, as an object.
    Object { nulls_stripped: bool },
    /// `application/vnd.pgrst.plan`: PostgreSQL's plan for a representation of another type.
    Plan(Box<PlanMedia>),
    /// Lines of JSON, under one of their names: [`NDJSON`].
    NdJson(&'static str),
    /// `application/merge-patch+json` (RFC 7396).
    MergePatch,
    /// `application/json-patch+json` (RFC 6902).
    JsonPatch,
    /// `text/csv`.
    Csv,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `text/plain`.
    Text,
    /// `text/xml`.
    Xml,
    /// `application/octet-stream`.
    OctetStream,
    /// `application/openapi+json`.
    OpenApi,
    /// `application/geo+json` (RFC 7946).
    GeoJson,
    /// `*/*`.
    Any,
    /// Any other, as it was written, without its weight.
    Other(String),
}

/// The names of the media type whose lines are JSON texts (<https://github.com/ndjson/ndjson-spec>, <https://jsonlines.org>).
pub const NDJSON: [&str; 4] =
    ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// The parameters of `application/vnd.pgrst.plan`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PlanMedia {
    /// The type whose plan it is.
    pub of: MediaType,
    /// The plan as JSON, otherwise as text.
    pub json: bool,
    /// Options of EXPLAIN.
    pub options: Vec<PlanOption>,
}

/// An option of EXPLAIN (PostgreSQL docs, EXPLAIN).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanOption {
    /// The statement is run.
    Analyze,
    Verbose,
    Settings,
    Buffers,
    Wal,
}

impl PlanOption {
    const ALL: [PlanOption; 5] =
        [PlanOption::Analyze, PlanOption::Verbose, PlanOption::Settings, PlanOption::Buffers, PlanOption::Wal];

    /// Its name, which is also the keyword of EXPLAIN.
    pub fn name(self) -> &'static str {
        match self {
            PlanOption::Analyze => "analyze",
            PlanOption::Verbose => "verbose",
            PlanOption::Settings => "settings",
            PlanOption::Buffers => "buffers",
            PlanOption::Wal => "wal",
        }
    }
}

impl MediaType {
    /// Reads one media type with its parameters.
    pub fn parse(text: &str) -> Self {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim().to_ascii_lowercase();
        let nulls_stripped = || parameter(parameters, "nulls").is_some_and(|value| value == "stripped");
        match essence.as_str() {
            "" | "*/*" => MediaType::Any,
            "application/json" => MediaType::Json,
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => {
                if nulls_stripped() {
                    MediaType::ArrayStripped
                } else {
                    MediaType::Json
                }
            }
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => {
                MediaType::Object { nulls_stripped: nulls_stripped() }
            }
            "application/vnd.pgrst.plan+json" => MediaType::plan(parameters, true),
            "application/vnd.pgrst.plan+text" | "application/vnd.pgrst.plan" => MediaType::plan(parameters, false),
            "application/merge-patch+json" => MediaType::MergePatch,
            "application/json-patch+json" => MediaType::JsonPatch,
            "text/csv" => MediaType::Csv,
            "application/x-www-form-urlencoded" => MediaType::Form,
            "text/plain" => MediaType::Text,
            "text/xml" => MediaType::Xml,
            "application/octet-stream" => MediaType::OctetStream,
            "application/openapi+json" => MediaType::OpenApi,
            "application/geo+json" => MediaType::GeoJson,
            _ => match NDJSON.iter().find(|name| **name == essence) {
                Some(name) => MediaType::NdJson(name),
                None => MediaType::Other(essence),
            },
        }
    }

    fn plan(parameters: &str, json: bool) -> Self {
        let of = match parameter(parameters, "for").map(MediaType::parse) {
            // a plan cannot have a plan
            None | Some(MediaType::Plan(_) | MediaType::Any) => MediaType::Json,
            Some(media) => media,
        };
        let asked = parameter(parameters, "options").unwrap_or_default();
        let options = PlanOption::ALL.into_iter().filter(|option| asked.split('|').any(|name| name == option.name()));
        MediaType::Plan(Box::new(PlanMedia { of, json, options: options.collect() }))
    }

    /// The type without a charset.
    pub fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            MediaType::Json => "application/json",
            MediaType::ArrayStripped => "application/vnd.pgrst.array+json;nulls=stripped",
            MediaType::Object { nulls_stripped: false } => "application/vnd.pgrst.object+json",
            MediaType::Object { nulls_stripped: true } => "application/vnd.pgrst.object+json;nulls=stripped",
            MediaType::NdJson(name) => name,
            MediaType::MergePatch => "application/merge-patch+json",
            MediaType::JsonPatch => "application/json-patch+json",
            MediaType::Csv => "text/csv",
            MediaType::Form => "application/x-www-form-urlencoded",
            MediaType::Text => "text/plain",
            MediaType::Xml => "text/xml",
            MediaType::OctetStream => "application/octet-stream",
            MediaType::OpenApi => "application/openapi+json",
            MediaType::GeoJson => "application/geo+json",
            MediaType::Any => "*/*",
            MediaType::Other(text) => text,
            MediaType::Plan(plan) => return Cow::Owned(plan.name()),
        })
    }

    /// The value of Content-Type.
    pub fn content_type(&self) -> Cow<'static, str> {
        match self {
            MediaType::Json | MediaType::Any => Cow::Borrowed("application/json; charset=utf-8"),
            MediaType::OctetStream => Cow::Borrowed("application/octet-stream"),
            MediaType::NdJson(name) => Cow::Borrowed(name),
            MediaType::Other(text) => Cow::Owned(text.clone()),
            media => Cow::Owned(format!("{}; charset=utf-8", media.name())),
        }
    }

    /// Whether a media range includes this type: the type itself, `type/*` or `*/*` (RFC 9110, section 12.5.1).
    pub fn is_in(&self, range: &MediaType) -> bool {
        match range {
            MediaType::Any => true,
            MediaType::Other(range) if range.ends_with("/*") => {
                range.get(..range.len() - 1).is_some_and(|start| self.name().starts_with(start))
            }
            range => self == range,
        }
    }
}

impl PlanMedia {
    fn name(&self) -> String {
        let mut name = format!(
            "application/vnd.pgrst.plan+{}; for=\"{}\"",
            if self.json { "json" } else { "text" },
            // it is quoted in a header of the response
            self.of.name().replace(|c: char| c == '"' || c == '\\' || c.is_control(), "")
        );
        for (i, option) in self.options.iter().enumerate() {
            name.push_str(if i == 0 { "; options=" } else { "|" });
            name.push_str(option.name());
        }
        name
    }
}

/// The value of a parameter, without its quotes.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    split_unquoted(parameters, ';').find_map(|part| {
        let (key, value) = part.split_once('=')?;
        let value = value.trim();
        let plain = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        key.trim().eq_ignore_ascii_case(name).then_some(plain)
    })
}

/// The parts of a text between separators outside of double quotes.
fn split_unquoted(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

/// The media ranges of an Accept field as they are written, the preferred ones first; ranges of equal weight keep their order.
/// Unacceptable ones are left out.
pub fn ranges(field: &str) -> Vec<&str> {
    let mut ranges: Vec<(f32, &str)> = split_unquoted(field, ',')
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .map(|range| {
            let parameters = range.split_once(';').map_or("", |(_, parameters)| parameters);
            let weight = parameter(parameters, "q").and_then(|q| q.parse::<f32>().ok());
            (weight.unwrap_or(1.0), range)
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    ranges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranges.into_iter().map(|(_, range)| range).collect()
}

/// The media types of an Accept field, the preferred ones first. Empty if the field is absent or empty: any type is acceptable.
///
/// # Errors
/// PGRST107 (406) if the field accepts nothing.
pub fn accepted(field: Option<&str>) -> Result<Vec<MediaType>> {
    let Some(field) = field.filter(|f| !f.trim().is_empty()) else { return Ok(Vec::new()) };
    let ranges = ranges(field);
    if ranges.is_empty() {
        return Err(not_available(&[MediaType::Other(field.to_owned())]));
    }
    Ok(ranges.into_iter().map(MediaType::parse).collect())
}

/// The error if no accepted representation can be made: PGRST107 (406).
pub fn not_available(accepted: &[MediaType]) -> Error {
    let names: Vec<Cow<str>> = accepted.iter().map(MediaType::name).collect();
    Error::new(Code::MediaType, format!("None of these media types are available: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_ordered_by_weight() {
        let names = |field| accepted(Some(field)).unwrap().iter().map(|m| m.name().into_owned()).collect::<Vec<_>>();
        assert_eq!(
            names("text/html;q=0.2, */*;q=0.1, text/csv;Q=\"0.9\", image/png"),
            ["image/png", "text/csv", "text/html", "*/*"]
        );
        assert_eq!(names("application/json;q=0,text/csv"), ["text/csv"]);
        assert_eq!(accepted(None), Ok(Vec::new()));
        assert_eq!(accepted(Some(" ")), Ok(Vec::new()));
        let e = accepted(Some("application/json;q=0")).unwrap_err();
        assert_eq!((e.status, e.code.as_str()), (406, "PGRST107"));
    }

    #[test]
    fn types_are_read_in_any_spelling() {
        for (text, name) in [
            ("ApplicatIon/vnd.PgRsT.object+json", "application/vnd.pgrst.object+json"),
            ("application/vnd.pgrst.object; nulls=stripped", "application/vnd.pgrst.object+json;nulls=stripped"),
            (
                "application/vnd.pgrst.array+json;nulls = \"stripped\"",
                "application/vnd.pgrst.array+json;nulls=stripped",
            ),
            ("application/vnd.pgrst.array", "application/json"),
            ("text/csv; version=1", "text/csv"),
            ("Image/PNG;level=3", "image/png"),
        ] {
            assert_eq!(MediaType::parse(text).name(), name, "{text}");
        }
    }

    #[test]
    fn plans_name_what_they_are_of() {
        for (text, name) in [
            ("application/vnd.pgrst.plan", "application/vnd.pgrst.plan+text; for=\"application/json\""),
            (
                "application/vnd.pgrst.plan+json; options=wal|analyze|nonsense; for=\"text/csv\";",
                "application/vnd.pgrst.plan+json; for=\"text/csv\"; options=analyze|wal",
            ),
            (
                "application/vnd.pgrst.plan+text; for=\"application/vnd.pgrst.object; nulls=stripped\"",
                "application/vnd.pgrst.plan+text; for=\"application/vnd.pgrst.object+json;nulls=stripped\"",
            ),
            (
                "application/vnd.pgrst.plan; for=application/vnd.pgrst.plan",
                "application/vnd.pgrst.plan+text; for=\"application/json\"",
            ),
        ] {
            let media = accepted(Some(text)).unwrap().remove(0);
            assert_eq!(media.name(), name, "{text}");
            assert_eq!(MediaType::parse(name), media);
        }
    }

    #[test]
    fn ranges_take_types_in() {
        let png = MediaType::parse("image/png");
        for (range, taken) in
            [("image/*", true), ("*/*", true), ("image/png", true), ("imag/*", false), ("text/*", false)]
        {
            assert_eq!(png.is_in(&MediaType::parse(range)), taken, "{range}");
        }
    }
}
