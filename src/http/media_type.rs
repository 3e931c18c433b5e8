//! Media types and their negotiation (RFC 9110, sections 8.3 and 12.5.1).

use crate::error::{Code, Error, Result};
use std::borrow::Cow;

/// A representation that a response can have, or a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `application/json`: an array of rows.
    Json,
    /// `application/vnd.pgrst.array+json`, `nulls=stripped`: an array of rows without their null members.
    ArrayStripped,
    /// `application/vnd.pgrst.object+json`: exactly one row, as an object.
    Object { nulls_stripped: bool },
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
    /// `*/*`, `application/*`.
    Any,
    /// Any other, as it was written.
    Other(String),
}

impl MediaType {
    /// Reads one media type with its parameters.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
        let nulls_stripped = parts.any(|p| p.eq_ignore_ascii_case("nulls=stripped"));
        match essence.as_str() {
            "" | "*/*" | "application/*" => MediaType::Any,
            "application/json" => MediaType::Json,
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" if nulls_stripped => {
                MediaType::ArrayStripped
            }
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => MediaType::Json,
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => {
                MediaType::Object { nulls_stripped }
            }
            "text/csv" => MediaType::Csv,
            "application/x-www-form-urlencoded" => MediaType::Form,
            "text/plain" => MediaType::Text,
            "text/xml" => MediaType::Xml,
            "application/octet-stream" => MediaType::OctetStream,
            "application/openapi+json" => MediaType::OpenApi,
            _ => MediaType::Other(text.trim().to_owned()),
        }
    }

    /// The value of Content-Type.
    pub fn content_type(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            MediaType::Json | MediaType::Any => "application/json; charset=utf-8",
            MediaType::ArrayStripped => "application/vnd.pgrst.array+json; nulls=stripped; charset=utf-8",
            MediaType::Object { nulls_stripped: false } => "application/vnd.pgrst.object+json; charset=utf-8",
            MediaType::Object { nulls_stripped: true } => {
                "application/vnd.pgrst.object+json; nulls=stripped; charset=utf-8"
            }
            MediaType::Csv => "text/csv; charset=utf-8",
            MediaType::Form => "application/x-www-form-urlencoded",
            MediaType::Text => "text/plain; charset=utf-8",
            MediaType::Xml => "text/xml; charset=utf-8",
            MediaType::OctetStream => "application/octet-stream",
            MediaType::OpenApi => "application/openapi+json; charset=utf-8",
            MediaType::Other(text) => return Cow::Owned(text.clone()),
        })
    }
}

/// The media ranges of an Accept field as they are written, the most wanted first; of equal weight the first. Those that are
/// not wanted are left out.
pub fn ranges(field: Option<&str>) -> Vec<&str> {
    let Some(field) = field.filter(|f| !f.trim().is_empty()) else { return vec!["*/*"] };
    let mut ranges: Vec<(f32, &str)> = field
        .split(',')
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .map(|range| {
            let weight = range.split(';').skip(1).find_map(|p| p.trim().strip_prefix("q=")?.parse::<f32>().ok());
            (weight.unwrap_or(1.0), range)
        })
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    ranges.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    ranges.into_iter().map(|(_, range)| range).collect()
}

/// The media types of these ranges.
pub fn accepted(field: Option<&str>) -> Vec<MediaType> {
    ranges(field).into_iter().map(MediaType::parse).collect()
}

/// Chooses the representation of rows.
///
/// Errors: PGRST107 (406) when none of the accepted ones can be made.
pub fn negotiate(accept: Option<&str>) -> Result<MediaType> {
    if accept.is_none() {
        return Ok(MediaType::Json);
    }
    let accepted = accepted(accept);
    for media in &accepted {
        match media {
            MediaType::Any => return Ok(MediaType::Json),
            MediaType::Json | MediaType::ArrayStripped | MediaType::Object { .. } => return Ok(media.clone()),
            _ => {}
        }
    }
    let names: Vec<String> =
        accepted.iter().map(|m| m.content_type().split("; charset").next().unwrap_or_default().to_owned()).collect();
    Err(Error::new(Code::MediaType, format!("None of these media types are available: {}", names.join(", ")))
        .hint("Accept application/json, application/vnd.pgrst.object+json or application/vnd.pgrst.array+json."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_available_type_is_chosen() {
        assert_eq!(negotiate(None), Ok(MediaType::Json));
        assert_eq!(negotiate(Some("text/html, */*;q=0.1")), Ok(MediaType::Json));
        assert_eq!(
            negotiate(Some("application/json;q=0.5, application/vnd.pgrst.object+json; nulls=stripped")),
            Ok(MediaType::Object { nulls_stripped: true })
        );
    }

    #[test]
    fn an_unavailable_type_is_406_and_named() {
        let e = negotiate(Some("text/unknowntype")).unwrap_err();
        assert_eq!((e.status, e.message.as_str()), (406, "None of these media types are available: text/unknowntype"));
        assert_eq!(negotiate(Some("application/json;q=0")).unwrap_err().status, 406);
    }
}
