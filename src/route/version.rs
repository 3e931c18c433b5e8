//! Versions of the API: schemas that have a path of their own, and dates on which they go. Pure.

use crate::error::{Code, Error, Result};
use crate::http::condition::date_text;
use crate::http::target::Target;
use crate::http::{Headers, Request, Response};
use std::rc::Rc;

/// The fields in which a request names a profile.
const PROFILES: [&str; 2] = ["accept-profile", "content-profile"];

/// A declared version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// The first segment of its paths.
    pub name: Rc<str>,
    /// The schema that it is. No other version is the same schema.
    pub schema: Rc<str>,
    /// Since when it is deprecated, or from when on it will be, in seconds since 1970.
    pub deprecated: Option<u64>,
    /// From when on it is gone, in seconds since 1970.
    pub sunset: Option<u64>,
    /// The name of the version that takes its place.
    pub successor: Option<Rc<str>>,
    /// The URL of a page about its deprecation.
    pub docs: Option<Rc<str>>,
}

/// The version that is a schema.
pub fn of_schema<'v>(versions: &'v [Version], schema: &str) -> Option<&'v Version> {
    versions.iter().find(|version| *version.schema == *schema)
}

/// The version of a request that is answered from a schema: the schema's, or else that of the path, whose root may be answered by a function of
/// another schema.
pub fn of_request<'v>(versions: &'v [Version], request: &Request, schema: &str) -> Option<&'v Version> {
    let of_path = || {
        let profile = request.headers.get("accept-profile").filter(|_| !request.target.prefix.is_empty())?;
        of_schema(versions, profile)
    };
    of_schema(versions, schema).or_else(of_path)
}

/// The version that a profile names, by its own name or by that of its schema.
pub fn of_profile<'v>(versions: &'v [Version], profile: &str) -> Option<&'v Version> {
    versions.iter().find(|version| *version.name == *profile).or_else(|| of_schema(versions, profile))
}

/// Takes the name of a version off the path of a request. Returns the header fields with which the request without that segment means
/// the same: both profile fields name the schema. `None` if the path begins with no version.
///
/// `is_own`: whether the request itself has a field, and not the batch that it belongs to.
///
/// # Errors
/// PGRST106 (406) if a profile field of the request names something else.
pub fn enter(request: &mut Request, versions: &[Version], is_own: impl Fn(&str) -> bool) -> Result<Option<Headers>> {
    let Some(first) = request.target.segments.first().filter(|_| !versions.is_empty()) else { return Ok(None) };
    let Some(version) = versions.iter().find(|version| *version.name == **first) else { return Ok(None) };
    for name in PROFILES {
        let profile = request.headers.get(name).filter(|_| is_own(name)).unwrap_or(&version.name);
        if *profile != *version.name && *profile != *version.schema {
            let message = format!("The path names version {}, but {name} names {profile}", version.name);
            return Err(
                Error::new(Code::Schema, message).hint("Leave the field out, or the first segment of the path.")
            );
        }
    }
    request.target.take_prefix();
    let others = request.headers.iter().filter(|(name, _)| !PROFILES.contains(name));
    Headers::from_fields(others.chain(PROFILES.map(|name| (name, &*version.schema))).collect()).map(Some)
}

impl Version {
    /// Whether it is deprecated at a time, in seconds since 1970.
    pub fn is_deprecated(&self, now: u64) -> bool {
        self.deprecated.is_some_and(|since| since <= now)
    }

    /// Whether it is gone at a time, in seconds since 1970.
    pub fn is_gone(&self, now: u64) -> bool {
        self.sunset.is_some_and(|from| from <= now)
    }

    /// What its answers tell of its end.
    ///
    /// `successor`: a reference to what takes the place of the resource that was asked for.
    pub fn notice(&self, successor: Option<&str>) -> Notice {
        let successor = successor.map(|to| format!("<{to}>; rel=\"successor-version\""));
        let about = |date: Option<u64>, relation: &str| {
            date.and(self.docs.as_ref()).map(|docs| format!("<{docs}>; rel=\"{relation}\""))
        };
        let links = [successor, about(self.deprecated, "deprecation"), about(self.sunset, "sunset")];
        Notice {
            // RFC 9745, section 2.1: a date of RFC 9651, section 3.3.7
            deprecation: self.deprecated.map(|since| format!("@{since}")),
            sunset: self.sunset.and_then(date_text),
            link: links.into_iter().flatten().collect::<Vec<_>>().join(", "),
        }
    }

    /// The error for a request to a version that is gone: REST410 (410). `successor`: the path of what takes its place.
    pub fn gone(&self, successor: Option<&str>) -> Error {
        let since = self.sunset.and_then(date_text).unwrap_or_default();
        let error = Error::new(Code::VersionGone, format!("Version {} is gone since {since}", self.name));
        let hints = [
            successor.map(|path| format!("Use {path} instead.")),
            self.docs.as_ref().map(|docs| format!("See {docs}")),
        ];
        error.hint_if_none(|| {
            Some(hints.into_iter().flatten().collect::<Vec<_>>().join(" ")).filter(|hint| !hint.is_empty())
        })
    }
}

/// The path of a resource in the version that takes the place of its own. `has`: whether that version has it; if not, the root is meant.
pub fn path_in(successor: &Version, target: &Target, has: bool) -> String {
    format!("/{}{}", successor.name, if has && target.path != "/" { target.path } else { "/" })
}

/// A path as a reference that is relative to another, `base` (RFC 3986, section 5.2), so that it holds under whatever path a gateway shows the
/// API.
pub fn relative_to(base: &str, path: &str) -> String {
    let steps = base.matches('/').count().saturating_sub(1);
    "../".repeat(steps) + path.trim_start_matches('/')
}

/// The header fields by which answers tell that their version goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Deprecation (RFC 9745)
    deprecation: Option<String>,
    /// Sunset (RFC 8594)
    sunset: Option<String>,
    /// Link: `successor-version` (RFC 5829), `deprecation` (RFC 9745) and `sunset` (RFC 8594). May be empty.
    link: String,
}

impl Notice {
    /// Adds the fields to an answer. A date that a function has set stays, and so do the links that are there.
    pub fn add(&self, response: &mut Response) {
        for (name, value) in [("deprecation", &self.deprecation), ("sunset", &self.sunset)] {
            if let Some(value) = value {
                response.set_if_absent(name, value.clone());
            }
        }
        if self.link.is_empty() {
            return;
        }
        match response.headers.iter_mut().find(|(name, _)| name == "link") {
            Some((_, links)) => *links = format!("{links}, {}", self.link).into(),
            None => response.headers.push(("link".into(), self.link.clone().into())),
        }
    }

    /// Adds the fields to an error, unless it is of a request of a batch, which has told them.
    #[must_use]
    pub fn add_to(&self, error: Error) -> Error {
        let link = Some(&self.link).filter(|link| !link.is_empty());
        let fields = [("deprecation", self.deprecation.as_ref()), ("sunset", self.sunset.as_ref()), ("link", link)];
        fields.into_iter().fold(error, |error, (name, value)| match value {
            Some(value) if error.headers.iter().all(|(known, _)| known != name) => error.header(name, value),
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::response::Body;

    fn version(name: &str, schema: &str) -> Version {
        Version { name: name.into(), schema: schema.into(), ..Version::default() }
    }

    /// What is left of a target: its prefix, its path and its segments.
    fn entered(text: &str) -> Option<(String, String, Vec<String>)> {
        let headers: Headers = [("accept", "text/csv")].into_iter().collect();
        let mut request = Request::parse("GET", text, &headers, None).unwrap();
        let fields = enter(&mut request, &[version("v1", "old"), version("v2", "new")], |_| true).unwrap()?;
        assert_eq!(
            (fields.get("accept"), fields.get("content-profile")),
            (Some("text/csv"), fields.get("accept-profile"))
        );
        let segments = request.target.segments.iter().map(|segment| segment.clone().into_owned()).collect();
        Some((request.target.prefix.to_owned(), request.target.path.to_owned(), segments))
    }

    #[test]
    fn a_version_is_taken_off_the_path() {
        for (text, path, segments) in [
            ("/v1/t?a=eq.1", "/t", &["t"][..]),
            ("/v1/t/1", "/t/1", &["t", "1"]),
            ("/v1/v1", "/v1", &["v1"]),
            ("/v1/rpc/f", "/rpc/f", &["rpc", "f"]),
            ("/v1", "/", &[]),
            ("/v1/", "/", &[]),
            ("/v1?a", "/", &[]),
            ("/v1//", "//", &["", ""]),
            ("/v1/t/", "/t/", &["t", ""]),
            ("/v1/a%2Fb", "/a%2Fb", &["a/b"]),
        ] {
            let segments = segments.iter().map(|segment| (*segment).to_owned()).collect();
            assert_eq!(entered(text), Some(("/v1".into(), path.into(), segments)), "{text}");
        }
        assert_eq!(entered("/%761/t").map(|(prefix, path, _)| (prefix, path)), Some(("/%761".into(), "/t".into())));
        for other in ["/", "/V1/t", "/v10/t", "/t/v1", "//v1", "/old/t"] {
            assert_eq!(entered(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_and_a_profile_name_one_version() {
        let enter = |name: &str, profile: &str, is_own| {
            let headers: Headers = [(name, profile)].into_iter().collect();
            let mut request = Request::parse("GET", "/v1/t", &headers, None).unwrap();
            let fields = enter(&mut request, &[version("v1", "old"), version("v2", "new")], |_| is_own);
            fields.map(|fields| fields.unwrap().get("accept-profile").map(str::to_owned))
        };
        for name in PROFILES {
            for profile in ["v1", "old"] {
                assert_eq!(enter(name, profile, true).unwrap().as_deref(), Some("old"));
            }
            assert_eq!(enter(name, "v2", true).unwrap_err().code, "PGRST106");
            assert_eq!(enter(name, "v2", false).unwrap().as_deref(), Some("old"));
        }
    }

    #[test]
    fn a_notice_has_the_dates_in_their_forms() {
        let dated = Version {
            deprecated: Some(1_688_169_599),
            sunset: Some(1_719_792_000),
            docs: Some("https://example.com/v1".into()),
            ..version("v1", "old")
        };
        let mut response = Response::new(200, Body::Empty).header("link", "<?limit=1>; rel=\"first\"");
        dated.notice(Some("../v2/t")).add(&mut response);
        let field = |name: &str| response.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_ref());
        assert_eq!(field("deprecation"), Some("@1688169599"));
        assert_eq!(field("sunset"), Some("Mon, 01 Jul 2024 00:00:00 GMT"));
        let links = [
            "<?limit=1>; rel=\"first\"",
            "<../v2/t>; rel=\"successor-version\"",
            "<https://example.com/v1>; rel=\"deprecation\"",
            "<https://example.com/v1>; rel=\"sunset\"",
        ];
        assert_eq!(field("link"), Some(links.join(", ").as_str()));
        assert!(!dated.is_deprecated(1_688_169_598) && dated.is_deprecated(1_688_169_599));
        assert!(!dated.is_gone(1_719_791_999) && dated.is_gone(1_719_792_000));
        let error = dated.notice(None).add_to(dated.gone(Some("/v2/t")));
        assert_eq!((error.status, error.code.as_str(), error.headers.len()), (410, "REST410", 3));
        assert_eq!(version("v1", "old").notice(None), Notice::default());
    }

    #[test]
    fn references_lead_to_the_same_resource_of_the_successor() {
        let next = version("v2", "new");
        for (text, reference) in [
            ("/v1/t?a=eq.1", "../v2/t"),
            ("/v1/t/1", "../../v2/t/1"),
            ("/v1", "v2/"),
            ("/v1/", "../v2/"),
            ("/t", "v2/t"),
            ("/t/1", "../v2/t/1"),
        ] {
            let headers = Headers::default();
            let mut request = Request::parse("GET", text, &headers, None).unwrap();
            enter(&mut request, &[version("v1", "old")], |_| true).unwrap();
            assert_eq!(relative_to(request.target.sent, &path_in(&next, &request.target, true)), reference, "{text}");
        }
        let target = Target::parse("/rpc/f").unwrap();
        assert_eq!(relative_to(target.sent, &path_in(&next, &target, false)), "../v2/");
    }
}
