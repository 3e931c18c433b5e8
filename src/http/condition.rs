//! Preconditions of a request (RFC 9110, section 13) and entity tags (section 8.8.3).

use crate::error::{Code, Error, Result};
use crate::http::Headers;
use crate::limits;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use highway::{HighwayHash, HighwayHasher, Key};
use std::time::UNIX_EPOCH;

/// An entity tag that a request names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag {
    pub is_weak: bool,
    /// What stands between the quotes.
    pub opaque: String,
}

impl EntityTag {
    /// The part that names the version of a row: what stands before the first full stop.
    pub fn version(&self) -> &str {
        version_of(&self.opaque)
    }
}

fn version_of(opaque: &str) -> &str {
    opaque.split_once('.').map_or(opaque, |(version, _)| version)
}

/// The value of If-Match or If-None-Match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tags {
    /// `*`
    Any,
    Of(Vec<EntityTag>),
}

/// The preconditions of a request. Dates are seconds since 1970; one that cannot be read counts as absent, as RFC 9110 wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    pub if_match: Option<Tags>,
    pub if_none_match: Option<Tags>,
    pub if_modified_since: Option<u64>,
    pub if_unmodified_since: Option<u64>,
}

impl Conditions {
    /// Reads the four fields.
    ///
    /// # Errors
    /// REST400 (400) for a list of tags outside the grammar, or a long one.
    pub fn parse(headers: &Headers) -> Result<Self> {
        let tags = |name| headers.get(name).map(|value| tags(name, value)).transpose();
        let date = |name| headers.get(name).and_then(date);
        Ok(Conditions {
            if_match: tags("if-match")?,
            if_none_match: tags("if-none-match")?,
            if_modified_since: date("if-modified-since"),
            if_unmodified_since: date("if-unmodified-since"),
        })
    }

    /// Whether there are tags, or `*`.
    pub fn has_tags(&self) -> bool {
        self.if_match.is_some() || self.if_none_match.is_some()
    }
}

/// A list of tags (RFC 9110, sections 8.8.3 and 13.1.1).
fn tags(name: &str, value: &str) -> Result<Tags> {
    let malformed = || {
        let name = if name == "if-match" { "If-Match" } else { "If-None-Match" };
        Error::new(Code::MalformedRequest, format!("{name} is neither * nor a list of entity tags"))
            .hint("Put each tag in double quotes, as the field ETag gives it: \"abc\".")
    };
    if value.trim() == "*" {
        return Ok(Tags::Any);
    }
    let (mut found, mut rest) = (Vec::new(), value);
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            break;
        }
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let (opaque, after) = quoted.strip_prefix('"').and_then(|text| text.split_once('"')).ok_or_else(malformed)?;
        // A tag has no blanks, and a comma has to follow it.
        let is_apart = after.trim_start().is_empty() || after.trim_start().starts_with(',');
        if opaque.contains([' ', '\t']) || !is_apart {
            return Err(malformed());
        }
        found.push(EntityTag { is_weak, opaque: opaque.to_owned() });
        if found.len() > limits::ENTITY_TAGS {
            return Err(Error::new(
                Code::Limit,
                format!("A request names at most {} entity tags", limits::ENTITY_TAGS),
            ));
        }
        rest = after;
    }
    if found.is_empty() { Err(malformed()) } else { Ok(Tags::Of(found)) }
}

/// A date in one of the three formats (RFC 9110, section 5.6.7), as seconds since 1970.
fn date(value: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(value.trim()).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// A date as fields hold it, of seconds since 1970. `None` beyond the year 9999.
pub fn date_text(seconds: u64) -> Option<String> {
    const YEAR_10000: u64 = 253_402_300_800;
    (seconds < YEAR_10000).then(|| httpdate::fmt_http_date(UNIX_EPOCH + std::time::Duration::from_secs(seconds)))
}

/// The bytes of a row's version in a tag; `None` if it cannot be one.
pub fn version_bytes(version: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(version).ok().filter(|bytes| bytes.len() == VERSION_BYTES)
}

/// Bytes of a row's version: enough that two never meet.
pub const VERSION_BYTES: usize = 12;

/// Bytes in the form that tags have them.
pub fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A hash of 128 bits (HighwayHash), the same on every machine.
pub fn digest<'a>(key: [u64; 4], parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 16] {
    let mut hasher = HighwayHasher::new(Key(key));
    for part in parts {
        hasher.append(part);
    }
    let mut bytes = [0; 16];
    for (half, word) in bytes.chunks_exact_mut(8).zip(hasher.finalize128()) {
        half.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// What a response says of its version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The opaque part of a strong tag.
    pub tag: Option<String>,
    /// Seconds since 1970.
    pub last_modified: Option<u64>,
    /// The part of the tag before the first full stop is the version of a row.
    pub names_row: bool,
}

/// What preconditions make of a read (RFC 9110, section 13.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Proceed,
    /// 304
    NotModified,
    /// 412
    Failed,
}

impl Validators {
    /// Evaluates the preconditions of a read whose result exists, in their order.
    pub fn verdict(&self, conditions: &Conditions) -> Verdict {
        let fails = match &conditions.if_match {
            Some(Tags::Any) => false,
            Some(Tags::Of(tags)) => !tags.iter().any(|tag| !tag.is_weak && self.is_of(tag)),
            None => match (conditions.if_unmodified_since, self.last_modified) {
                (Some(since), Some(modified)) => modified > since,
                _ => false,
            },
        };
        if fails {
            return Verdict::Failed;
        }
        let is_known = match &conditions.if_none_match {
            Some(Tags::Any) => true,
            Some(Tags::Of(tags)) => tags.iter().any(|tag| self.tag.as_ref() == Some(&tag.opaque)),
            None => match (conditions.if_modified_since, self.last_modified) {
                (Some(since), Some(modified)) => modified <= since,
                _ => false,
            },
        };
        if is_known { Verdict::NotModified } else { Verdict::Proceed }
    }

    /// Whether a tag names this version: of a row whatever representation it is in.
    fn is_of(&self, tag: &EntityTag) -> bool {
        self.tag
            .as_ref()
            .is_some_and(|own| if self.names_row { version_of(own) == tag.version() } else { *own == tag.opaque })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, value: &str) -> Result<Conditions> {
        Conditions::parse(&[(name, value)].into_iter().collect())
    }

    fn opaques(value: &str) -> Vec<(bool, String)> {
        match parsed("if-match", value).unwrap().if_match {
            Some(Tags::Of(tags)) => tags.into_iter().map(|tag| (tag.is_weak, tag.opaque)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lists_of_tags_are_read() {
        assert_eq!(opaques(r#""a""#), [(false, "a".into())]);
        assert_eq!(opaques(r#"W/"a", ,"b,c"	,"""#), [(true, "a".into()), (false, "b,c".into()), (false, "".into())]);
        assert_eq!(parsed("if-none-match", " * ").unwrap().if_none_match, Some(Tags::Any));
        assert_eq!(parsed("x", "y").unwrap(), Conditions::default());
        for bad in ["", "abc", "\"a", "w/\"a\"", "\"a\" \"b\"", "*, \"a\"", "\"a b\"", ","] {
            assert_eq!(parsed("if-match", bad).unwrap_err().code, "REST400", "{bad}");
        }
        let many = vec!["\"a\""; limits::ENTITY_TAGS + 1].join(",");
        assert_eq!(parsed("if-match", &many).unwrap_err().code, "REST431");
    }

    #[test]
    fn dates_have_three_formats_and_others_are_absent() {
        let since = |value| parsed("if-modified-since", value).unwrap().if_modified_since;
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(since(text), Some(784_111_777), "{text}");
        }
        assert_eq!(since("yesterday"), None);
        assert_eq!(date_text(784_111_777).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date_text(u64::MAX), None);
    }

    #[test]
    fn preconditions_have_their_order() {
        let of = |tag: &str, modified| Validators { tag: Some(tag.into()), last_modified: modified, names_row: true };
        let conditions = |fields: &[(&str, &str)]| Conditions::parse(&fields.iter().copied().collect()).unwrap();
        let (before, after) = ("Thu, 01 Jan 1970 00:00:09 GMT", "Thu, 01 Jan 1970 00:00:10 GMT");
        for (fields, expected) in [
            (&[("if-match", "\"v\"")][..], Verdict::Proceed),
            (&[("if-match", "\"v.other\"")], Verdict::Proceed),
            (&[("if-match", "W/\"v\"")], Verdict::Failed),
            (&[("if-match", "\"w\""), ("if-none-match", "\"v\"")], Verdict::Failed),
            (&[("if-match", "*"), ("if-none-match", "\"v\"")], Verdict::NotModified),
            (&[("if-none-match", "W/\"v\"")], Verdict::NotModified),
            (&[("if-none-match", "\"v.other\"")], Verdict::Proceed),
            (&[("if-none-match", "*")], Verdict::NotModified),
            (&[("if-modified-since", after)], Verdict::NotModified),
            (&[("if-modified-since", before)], Verdict::Proceed),
            (&[("if-none-match", "\"w\""), ("if-modified-since", after)], Verdict::Proceed),
            (&[("if-unmodified-since", before)], Verdict::Failed),
            (&[("if-unmodified-since", after)], Verdict::Proceed),
            (&[("if-match", "\"v\""), ("if-unmodified-since", before)], Verdict::Proceed),
        ] {
            assert_eq!(of("v", Some(10)).verdict(&conditions(fields)), expected, "{fields:?}");
        }
        let undated =
            of("v", None).verdict(&conditions(&[("if-unmodified-since", before), ("if-modified-since", after)]));
        assert_eq!(undated, Verdict::Proceed);
    }

    #[test]
    fn the_hash_depends_on_key_and_content() {
        let of = |key: u64, text: &'static str| digest([key, 0, 0, 0], [text.as_bytes()]);
        assert_eq!(of(1, "ab"), digest([1, 0, 0, 0], [&b"a"[..], b"b"]));
        assert!(of(1, "a") != of(2, "a") && of(1, "a") != of(1, "b"));
        assert_eq!(version_bytes(&encoded(&[7; 12])), Some(vec![7; 12]));
        assert_eq!((version_bytes("AAAA"), version_bytes("?")), (None, None));
    }
}
