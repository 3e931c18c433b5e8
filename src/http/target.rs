//! The request target in origin form (RFC 9112, section 3.2.1): path segments and query parameters, decoded.

use crate::error::{Code, Error, Result};
use crate::limits;
use std::borrow::Cow;

/// A parameter, decoded: its name, and its value (`None` without `=`).
pub type Parameter<'a> = (Cow<'a, str>, Option<Cow<'a, str>>);

/// A decoded target. Segments and parameters borrow from the text unless something was escaped.
#[derive(Clone, Debug, PartialEq)]
pub struct Target<'a> {
    /// The path as it was sent.
    pub sent: &'a str,
    /// What was taken off the path because it names a version, such as `/v1`; empty if nothing was.
    pub prefix: &'a str,
    /// The rest of the path.
    pub path: &'a str,
    /// The segments of the path; `/` has none.
    pub segments: Vec<Cow<'a, str>>,
    /// The query's parameters in order. Those in the body of QUERY follow them.
    pub parameters: Vec<Parameter<'a>>,
}

impl<'a> Target<'a> {
    /// Parses a target such as `/films?id=eq.1`.
    ///
    /// # Errors
    /// REST400 (400) unless it is a target in origin form. A target with a fragment (RFC 9112, section 3.2) is also refused,
    /// because filters after an unencoded `#` would be lost. REST431 beyond a limit.
    pub fn parse(text: &'a str) -> Result<Self> {
        let malformed = |why: &str| {
            Error::new(Code::MalformedRequest, "The request target is malformed")
                .details(why.to_owned())
                .hint("A target is a path that starts with '/', and after '?' parameters in percent-encoding (UTF-8).")
        };
        if text.len() > limits::TARGET_BYTES {
            return Err(Error::new(
                Code::Limit,
                format!("The request target is longer than {} bytes", limits::TARGET_BYTES),
            )
            .hint("Send long lists in the body of a QUERY."));
        }
        if text.contains('#') {
            return Err(malformed("It contains a '#', which must be written as %23."));
        }
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let Some(rest) = path.strip_prefix('/') else {
            return Err(malformed("The path does not start with '/'."));
        };
        if text.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err(malformed("It contains a control character."));
        }
        let mut segments = Vec::with_capacity(2);
        for segment in rest.split('/').filter(|_| !rest.is_empty()) {
            segments.push(decode(segment, false).ok_or_else(|| malformed("The path contains a malformed escape."))?);
        }
        let mut parameters = Vec::with_capacity(4);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            parameters.push(parameter(pair).ok_or_else(|| malformed("The query contains a malformed escape."))?);
        }
        Ok(Target { sent: path, prefix: "", path, segments, parameters })
    }

    /// Takes the first segment off the path. It becomes the prefix.
    pub fn take_prefix(&mut self) {
        let end = self.path.get(1..).and_then(|rest| rest.find('/')).map_or(self.path.len(), |at| at + 1);
        if let Some((prefix, path)) = self.path.split_at_checked(end) {
            self.prefix = prefix;
            self.path = if path.is_empty() { "/" } else { path };
        }
        if self.path == "/" {
            self.segments.clear();
        } else if !self.segments.is_empty() {
            self.segments.remove(0);
        }
    }
}

/// Decodes a parameter, `name=value` or `name`. `None` if the result is not UTF-8, or contains NUL.
pub fn parameter(pair: &str) -> Option<Parameter<'_>> {
    let (name, value) = match pair.split_once('=') {
        Some((name, value)) => (name, Some(decode(value, true)?)),
        None => (pair, None),
    };
    Some((decode(name, true)?, value))
}

/// Percent-decodes (RFC 3986, section 2.1); in a query, `+` also becomes a blank. In a query, a percent sign that begins no escape
/// is literal, so that patterns such as `like.%plan%` need no encoding. `None` if a path has such a sign, the result is not UTF-8,
/// or it contains NUL, which the database cannot store in a text.
pub fn decode(text: &str, is_query: bool) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|b| b == b'%' || (b == b'+' && is_query)) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&b, after)) = rest.split_first() {
        rest = after;
        let digit = |i: usize| after.get(i).and_then(|d| char::from(*d).to_digit(16));
        out.push(match (b, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                rest = after.get(2..).unwrap_or_default();
                u8::try_from(high * 16 + low).ok()?
            }
            (b'%', ..) if !is_query => return None,
            (b'+', ..) if is_query => b' ',
            (b, ..) => b,
        });
    }
    if out.contains(&0) {
        return None;
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// Percent-encodes everything except unreserved characters (RFC 3986, section 2.3) and the characters in `keep`.
pub fn encode(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    encode_into(&mut out, text, keep);
    out
}

/// [`encode`], appending to a text.
pub fn encode_into(out: &mut String, text: &str, keep: &[u8]) {
    let stays = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b) || keep.contains(&b);
    if text.bytes().all(stays) {
        return out.push_str(text);
    }
    for b in text.bytes() {
        if stays(b) {
            out.push(b as char);
        } else {
            out.push('%');
            for nibble in [b >> 4, b & 15] {
                out.push(char::from(b"0123456789ABCDEF"[usize::from(nibble)]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_decoded() -> Result<()> {
        let t = Target::parse("/a%20b/c%2Fd?x=1%2B+2&flag&y=")?;
        assert_eq!(t.segments, ["a b", "c/d"]);
        assert_eq!(
            t.parameters,
            [("x".into(), Some("1+ 2".into())), ("flag".into(), None), ("y".into(), Some("".into()))]
        );
        Ok(())
    }

    #[test]
    fn malformed_targets_are_refused() {
        for bad in [
            "",
            "films",
            "?a=b",
            "/a%2",
            "/a%zz",
            "/a?b=%ff",
            "/a?b=%00",
            "/a\r\nb",
            "http://x/",
            "/\u{7f}",
            "/a#",
            "/a#?b=1",
            "/a?b=C#&c=1",
            "#",
        ] {
            assert_eq!(Target::parse(bad).err().map(|e| e.status), Some(400), "{bad:?}");
        }
    }

    #[test]
    fn a_percent_sign_that_begins_no_escape_stands_for_itself_in_a_query() {
        for (text, decoded) in [("%plan%", "%plan%"), ("%2", "%2"), ("%%20", "% "), ("%2b%g+", "+%g ")] {
            assert_eq!(decode(text, true).as_deref(), Some(decoded), "{text}");
        }
        assert_eq!(decode("100%", false), None);
    }

    #[test]
    fn encoding_is_undone_by_decoding() {
        for text in ["a b", "ü&=+%", "1,2"] {
            assert_eq!(decode(&encode(text, b""), true).as_deref(), Some(text));
        }
    }
}
