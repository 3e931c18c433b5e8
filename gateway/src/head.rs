//! Reads the head of a request before hyper does.
//!
//! hyper answers what it cannot parse with a bare 400, cuts a target at a raw `#`, and refuses bytes in targets that users of curl
//! type (`select=data->>name`). This file checks a head more strictly than hyper, percent-encodes such bytes, and decides where the
//! body ends. It refuses ambiguous requests, because two programs in a row that read one differently could be made to see different
//! requests in the same bytes.

use std::borrow::Cow;

use httparse::{EMPTY_HEADER, Header, Status};
use hyper::Uri;

use crate::problem::Problem;

/// The most header fields of a request. hyper accepts no more.
const FIELDS: usize = 100;
/// The most bytes of a target, after encoding. hyper accepts no more.
const TARGET_LIMIT: usize = 65_534;

/// How the body of a request is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// By its length. 0 if there is no body.
    Length(u64),
    /// By chunks.
    Chunked,
}

/// Checks a head, from its first byte to the empty line at its end. Every line of it must end with CR LF. Appends it to `out`, with a
/// target that hyper accepts.
///
/// # Errors
/// The answer to a head that is malformed or ambiguous. Nothing is appended then.
pub fn read(head: &[u8], out: &mut Vec<u8>) -> Result<Body, Problem> {
    let end = memchr::memchr(b'\n', head).map_or(head.len(), |feed| feed + 1);
    let (line, fields) = head.split_at(end);
    let line = RequestLine::parse(line.strip_suffix(b"\r\n").unwrap_or(line))?;
    let body = body(line.minor, fields)?;

    out.reserve(line.method.len() + line.target.len() + fields.len() + 16);
    out.extend_from_slice(line.method);
    out.push(b' ');
    out.extend_from_slice(&line.target);
    out.extend_from_slice(if line.minor == 1 { b" HTTP/1.1\r\n" } else { b" HTTP/1.0\r\n" });
    out.extend_from_slice(fields);
    Ok(body)
}

/// The method at the beginning of a head, if there is one.
pub fn method(head: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b' ', head)?;
    head.get(..end).filter(|method| is_token(method))
}

/// Whether the bytes are a token (RFC 9110, section 5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

struct RequestLine<'a> {
    method: &'a [u8],
    /// In the form that hyper accepts.
    target: Cow<'a, [u8]>,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    minor: u8,
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, Problem> {
        let malformed = |what: &'static str, hint: &'static str| Problem::bad_request(what).hint(hint);
        let form = "A request begins with METHOD TARGET HTTP/1.1";

        let method = method(line).ok_or_else(|| malformed("The request line does not begin with a method", form))?;
        let rest = line.get(method.len() + 1..).unwrap_or_default();
        let blank = memchr::memrchr(b' ', rest)
            .ok_or_else(|| malformed("The request line lacks a target or an HTTP version", form))?;
        let (target, version) = (&rest[..blank], &rest[blank + 1..]);
        let minor = match version {
            b"HTTP/1.1" => 1,
            b"HTTP/1.0" => 0,
            [b'H', b'T', b'T', b'P', b'/', number @ ..]
                if !number.is_empty() && number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') =>
            {
                return Err(Problem::http_version());
            }
            _ => return Err(malformed("The request line does not end with an HTTP version", form)),
        };
        if target.contains(&b' ') {
            return Err(malformed(
                "The request target contains a raw blank",
                "Send %20 for a blank, or + in the query",
            ));
        }
        if target.iter().any(u8::is_ascii_control) {
            return Err(malformed(
                "The request target contains a raw control character",
                "Percent-encode it, such as %09 for a tab",
            ));
        }
        if target.contains(&b'#') {
            return Err(malformed("The request target contains a raw #", "Send %23 for #, and no fragment"));
        }
        let target = encoded(target);
        if target.len() > TARGET_LIMIT {
            return Err(Problem::target_too_long());
        }
        // hyper accepts any encoded path. It would read a name without a slash as a host.
        if !(target.starts_with(b"/") || *target == *b"*") {
            let uri = Uri::try_from(&*target).ok();
            let taken = uri.is_some_and(|uri| uri.scheme().is_some() || method == b"CONNECT");
            if !taken {
                return Err(malformed(
                    "The request target does not begin with /",
                    "Send a path, such as /films?id=eq.1",
                ));
            }
        }
        Ok(Self { method, target, minor })
    }
}

/// The target, with the bytes that hyper refuses percent-encoded.
fn encoded(target: &[u8]) -> Cow<'_, [u8]> {
    let is_utf8 = std::str::from_utf8(target).is_ok();
    let mut in_query = false;
    let stays = |byte: u8, in_query: bool| match byte {
        b'"' | b'<' | b'>' => false,
        b'`' => in_query,
        _ => is_utf8 || byte.is_ascii(),
    };
    let first = target.iter().position(|byte| {
        in_query |= *byte == b'?';
        !stays(*byte, in_query)
    });
    let Some(first) = first else {
        return Cow::Borrowed(target);
    };

    let mut out = Vec::with_capacity(target.len() + 32);
    let (taken, rest) = target.split_at(first);
    out.extend_from_slice(taken);
    for &byte in rest {
        in_query |= byte == b'?';
        if stays(byte, in_query) {
            out.push(byte);
        } else {
            let digit = |nibble: u8| b"0123456789ABCDEF"[usize::from(nibble)];
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    Cow::Owned(out)
}

/// How the body is delimited (RFC 9112, section 6.3). Stricter than the RFC: a length may be stated only once, and not together with
/// a transfer coding.
fn body(minor: u8, fields: &[u8]) -> Result<Body, Problem> {
    let mut parsed = [EMPTY_HEADER; FIELDS];
    let parsed = match httparse::parse_headers(fields, &mut parsed) {
        Ok(Status::Complete((length, parsed))) if length == fields.len() => parsed,
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Problem::fields_too_large(format!("A request has at most {FIELDS} header fields")));
        }
        Ok(_) | Err(_) => return Err(Problem::bad_request("A header field is malformed")),
    };
    let refuse = |what: &'static str| Err(Problem::bad_request(what));

    let (mut length, mut chunked) = (None, false);
    for Header { name, value } in parsed {
        if name.eq_ignore_ascii_case("content-length") {
            if length.is_some() {
                return refuse("Content-Length is stated more than once");
            }
            length = Some(self::length(value)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if chunked {
                return refuse("Transfer-Encoding is stated more than once");
            }
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(Problem::transfer_coding());
            }
            chunked = true;
        }
    }
    match (length, chunked) {
        (Some(_), true) => refuse("Content-Length and Transfer-Encoding exclude each other"),
        (None, true) if minor == 0 => refuse("HTTP/1.0 has no Transfer-Encoding"),
        (None, true) => Ok(Body::Chunked),
        (length, false) => Ok(Body::Length(length.unwrap_or(0))),
    }
}

fn length(value: &[u8]) -> Result<u64, Problem> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::bad_request("Content-Length is not a number"));
    }
    // hyper uses the two greatest numbers for its own purposes.
    let number = text.parse().ok().filter(|number| *number < u64::MAX - 1);
    number.ok_or_else(|| Problem::bad_request("Content-Length is too large"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(head: &[u8]) -> (String, Body) {
        let mut out = b"before ".to_vec();
        let body = read(head, &mut out).unwrap_or_else(|problem| panic!("{}: {problem:?}", head.escape_ascii()));
        (String::from_utf8(out.split_off(7)).unwrap(), body)
    }

    fn refuse(head: &[u8]) -> Problem {
        let mut out = Vec::new();
        let problem = read(head, &mut out).err().unwrap_or_else(|| panic!("{}", head.escape_ascii()));
        assert!(out.is_empty(), "{}", head.escape_ascii());
        problem
    }

    fn with_target(target: &[u8]) -> Vec<u8> {
        [b"GET ", target, b" HTTP/1.1\r\n\r\n"].concat()
    }

    fn target(sent: &[u8]) -> String {
        let (head, body) = accept(&with_target(sent));
        assert_eq!(body, Body::Length(0));
        head.strip_prefix("GET ").and_then(|rest| rest.strip_suffix(" HTTP/1.1\r\n\r\n")).unwrap().to_owned()
    }

    #[test]
    fn a_head_passes_unchanged_but_for_its_target() {
        let head = b"PoSt /a?b=>c HTTP/1.0\r\nHost: x\r\nX:\r\nx-y:  \xff\"> \r\n\r\n";
        let mut out = Vec::new();
        assert_eq!(read(head, &mut out), Ok(Body::Length(0)));
        assert_eq!(out, b"PoSt /a?b=%3Ec HTTP/1.0\r\nHost: x\r\nX:\r\nx-y:  \xff\"> \r\n\r\n");
    }

    #[test]
    fn what_users_type_is_taken() {
        assert_eq!(target(b"/people?select=data->>name"), "/people?select=data-%3E%3Ename");
        assert_eq!(target(b"/a?b=in.(\"x\",\"y\")"), "/a?b=in.(%22x%22,%22y%22)");
        assert_eq!(target("/\u{e9}?\u{e9}=<\u{e9}".as_bytes()), "/\u{e9}?\u{e9}=%3C\u{e9}");
        assert_eq!(target(b"/a`b?`=\xff\xc3\xa9"), "/a%60b?`=%FF%C3%A9");
        assert_eq!(target(b"http://h:1/a?b=<"), "http://h:1/a?b=%3C");
        for same in
            ["/", "//a//../b", "/a?b=%20%2F%00&c=+", "/?{1,2}|[3]^`'()*!$;:@\\~?/", "/{}|^\\[]", "*", "http://h"]
        {
            assert_eq!(target(same.as_bytes()), same);
        }
    }

    #[test]
    fn any_byte_but_blanks_controls_and_number_signs_reaches_hyper_as_a_uri() {
        for byte in 0..=u8::MAX {
            for sent in [vec![b'/', b'a', byte, b'b'], vec![b'/', b'?', b'a', byte, b'b'], vec![b'/', byte, 0xc3, 0xa9]]
            {
                if byte <= b' ' || byte == 0x7f || byte == b'#' {
                    refuse(&with_target(&sent));
                    continue;
                }
                let uri = Uri::try_from(target(&sent)).unwrap();
                let decoded = percent_decoded(uri.path_and_query().unwrap().as_str().as_bytes());
                assert_eq!(decoded, sent, "{byte:#x}");
            }
        }
    }

    fn percent_decoded(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let [first, after @ ..] = rest {
            (rest, _) = match (first, after) {
                (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    let text = std::str::from_utf8(&rest[1..3]).unwrap();
                    (after, out.push(u8::from_str_radix(text, 16).unwrap()))
                }
                _ => (after, out.push(*first)),
            };
        }
        out
    }

    #[test]
    fn what_would_be_cut_or_guessed_is_refused() {
        for (line, word) in [
            (&b"DELETE /tasks#?id=eq.1 HTTP/1.1"[..], "#"),
            (b"GET /# HTTP/1.1", "#"),
            (b"GET http://h#/ HTTP/1.1", "#"),
            (b"GET # HTTP/1.1", "#"),
            (b"GET /a?b=eq.John Smith HTTP/1.1", "blank"),
            (b"GET  / HTTP/1.1", "blank"),
            (b"GET /  HTTP/1.1", "blank"),
            (b"GET / HTTP/1.1 HTTP/1.1", "blank"),
            (b"GET /a\tb HTTP/1.1", "control"),
            (b"GET /a\0 HTTP/1.1", "control"),
            (b"GET /a\rb HTTP/1.1", "control"),
            (b"GET /a\x7f HTTP/1.1", "control"),
            (b"GET tasks HTTP/1.1", "begin with /"),
            (b"GET tasks?id=eq.1 HTTP/1.1", "begin with /"),
            (b"GET tasks:80 HTTP/1.1", "begin with /"),
            (b"GET ?id=eq.1 HTTP/1.1", "begin with /"),
            (b"GET http:///a HTTP/1.1", "begin with /"),
            (b"GET http://h\"/a HTTP/1.1", "begin with /"),
            (b"GET ** HTTP/1.1", "begin with /"),
            (b"CONNECT a/b HTTP/1.1", "begin with /"),
            (b"GET /", "version"),
            (b"GET / ", "version"),
            (b"GET / http/1.1", "version"),
            (b"GET / HTTP/", "version"),
            (b"GET / HTTP/1.1x", "version"),
            (b"GET", "method"),
            (b"", "method"),
            (b" / HTTP/1.1", "method"),
            (b"G\0T / HTTP/1.1", "method"),
            (b"G\xc3\xa9T / HTTP/1.1", "method"),
            (b"GET\t/ HTTP/1.1", "method"),
            (b"GET: / HTTP/1.1", "method"),
        ] {
            let problem = refuse(&[line, b"\r\n\r\n"].concat());
            assert_eq!(problem.status.as_u16(), 400, "{}", line.escape_ascii());
            assert!(problem.message.contains(word), "{}: {}", line.escape_ascii(), problem.message);
            assert!(problem.hint.is_some());
        }
        for line in
            ["GET / HTTP/2.0", "PRI * HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/0.9", "GET / HTTP/11", "GET / HTTP/3"]
        {
            assert_eq!(refuse(format!("{line}\r\n\r\n").as_bytes()).status.as_u16(), 505, "{line}");
        }
    }

    #[test]
    fn the_body_is_delimited_in_one_way() {
        let body = |fields: &str| accept(format!("POST / HTTP/1.1\r\n{fields}\r\n").as_bytes()).1;
        assert_eq!(body(""), Body::Length(0));
        assert_eq!(body("Content-Length: 0\r\n"), Body::Length(0));
        assert_eq!(body("content-LENGTH:  0042 \r\n"), Body::Length(42));
        assert_eq!(body("Content-Length: 18446744073709551613\r\n"), Body::Length(u64::MAX - 2));
        assert_eq!(body("Transfer-Encoding: Chunked\r\n"), Body::Chunked);
        assert_eq!(body("X-Transfer-Encoding: chunked\r\nContent-Length2: 7\r\n"), Body::Length(0));
    }

    #[test]
    fn what_two_programs_could_delimit_differently_is_refused() {
        for (fields, status) in [
            ("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400),
            ("Content-Length: 1\r\nContent-Length: 1\r\n", 400),
            ("Content-Length: 1\r\nContent-Length: 2\r\n", 400),
            ("Content-Length: 1, 1\r\n", 400),
            ("Content-Length: +1\r\n", 400),
            ("Content-Length: -1\r\n", 400),
            ("Content-Length: 0x1\r\n", 400),
            ("Content-Length: 1 1\r\n", 400),
            ("Content-Length: 1.0\r\n", 400),
            ("Content-Length:\r\n", 400),
            ("Content-Length: \u{661}\r\n", 400),
            ("Content-Length: 18446744073709551614\r\n", 400),
            ("Content-Length: 99999999999999999999\r\n", 400),
            ("Content-Length : 1\r\n", 400),
            (" Content-Length: 1\r\n", 400),
            ("X: y\r\n Content-Length: 1\r\n", 400),
            ("X: y\r\n\tz\r\n", 400),
            ("X: y\rContent-Length: 1\r\n", 400),
            ("X: y\0\r\n", 400),
            ("X\r\n", 400),
            (": x\r\n", 400),
            ("X\u{e9}: x\r\n", 400),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400),
            ("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", 501),
            ("Transfer-Encoding: gzip, chunked\r\n", 501),
            ("Transfer-Encoding: chunked, identity\r\n", 501),
            ("Transfer-Encoding: identity\r\n", 501),
            ("Transfer-Encoding: xchunked\r\n", 501),
            ("Transfer-Encoding: \x0bchunked\r\n", 400),
            ("Transfer-Encoding: \"chunked\"\r\n", 501),
            ("Transfer-Encoding:\r\n", 501),
        ] {
            let problem = refuse(format!("POST / HTTP/1.1\r\n{fields}\r\n").as_bytes());
            assert_eq!(problem.status.as_u16(), status, "{fields:?}");
        }
        assert_eq!(refuse(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").status.as_u16(), 400);
    }

    #[test]
    fn limits() {
        let with_fields = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count));
        accept(with_fields(FIELDS).as_bytes());
        assert_eq!(refuse(with_fields(FIELDS + 1).as_bytes()).status.as_u16(), 431);
        let longest = [b"/", &b"a"[..].repeat(TARGET_LIMIT - 1)[..]].concat();
        assert_eq!(Uri::try_from(target(&longest)).unwrap().path().len(), TARGET_LIMIT);
        assert_eq!(refuse(&with_target(&[&longest[..], b"a"].concat())).status.as_u16(), 414);
        assert_eq!(refuse(&with_target(&[b"/", &b">"[..].repeat(TARGET_LIMIT / 2)[..]].concat())).status.as_u16(), 414);
    }
}
