//! Negotiates the version and the media type of the document.
//!
//! draft-ietf-httpapi-rest-api-mediatypes defines `application/openapi+json` and its parameter `version`. JSON does not have a
//! parameter `charset` (RFC 8259, section 11), so 3.1 is sent without it; 2.0 is sent as PostgREST sends it.

use super::Version;
use crate::error::{Code, Error, Result};
use crate::http::{MediaType, media_type};

/// Chooses the version and the media type. `default`: the version if the client asks for none.
///
/// # Errors
/// PGRST107 (406) if the client accepts neither OpenAPI nor JSON, or asks for a version that is not supported.
pub fn negotiate(accept: Option<&str>, default: Version) -> Result<(Version, MediaType)> {
    let ranges = media_type::ranges(accept.filter(|field| !field.trim().is_empty()).unwrap_or("*/*"));
    for range in &ranges {
        let version = match MediaType::parse(range) {
            MediaType::Json => return Ok((default, MediaType::Json)),
            MediaType::Any => default,
            MediaType::OpenApi => match version_of(range) {
                None => default,
                Some("3.1" | "3.1.0" | "3.1.1") => Version::V31,
                Some("2" | "2.0") => Version::V2,
                Some(_) => continue,
            },
            _ => continue,
        };
        return Ok((version, media(version)));
    }
    Err(Error::new(Code::MediaType, format!("None of these media types are available: {}", ranges.join(", ")))
        .hint("Accept application/openapi+json, with version=3.1 or version=2.0, or application/json."))
}

/// The media type of a function that replaces the document, if the client prefers OpenAPI. Otherwise it is negotiated as for rows.
pub fn root_spec_media(accept: Option<&str>) -> Option<MediaType> {
    let first = *media_type::ranges(accept?).first()?;
    Some(MediaType::parse(first)).filter(|media| *media == MediaType::OpenApi)
}

fn media(version: Version) -> MediaType {
    match version {
        Version::V31 => MediaType::Other("application/openapi+json; version=3.1".to_owned()),
        Version::V2 => MediaType::OpenApi,
    }
}

/// The parameter `version` of a media range.
fn version_of(range: &str) -> Option<&str> {
    range.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("version").then(|| value.trim().trim_matches('"'))
    })
}
