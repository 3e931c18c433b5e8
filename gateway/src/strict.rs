//! What a server has to refuse in the fields of a request that is well formed otherwise.

use hyper::header::{CONTENT_LENGTH, EXPECT, HOST, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, Version};

use crate::problem::Problem;

/// Checks the fields that RFC 9112 and RFC 9110 require, or that ask for what is impossible here.
///
/// # Errors
/// 400 for a missing, repeated or malformed Host (RFC 9112, section 3.2), 417 for an expectation that cannot be met (RFC 9110, section
/// 10.1.1), 411 for a body of HTTP/1.0 whose length is not stated (RFC 9110, section 15.5.12).
pub fn check(parts: &Parts) -> Result<(), Problem> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if parts.version == Version::HTTP_10 => {}
        (None, _) => {
            return Err(Problem::bad_request("The request has no Host field").hint("HTTP/1.1 requires one."));
        }
        (Some(_), Some(_)) => return Err(Problem::bad_request("Host is stated more than once")),
        (Some(host), None) if is_host(host) => {}
        _ => {
            return Err(Problem::bad_request("The value of Host is malformed")
                .hint("Send a name and a port, such as a.example:80."));
        }
    }
    if parts.version == Version::HTTP_10 {
        // A server ignores expectations of HTTP/1.0. Its POST always states the length of its body (RFC 1945, section 8.3); without it,
        // the body would be lost.
        let has_body =
            matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) || parts.method.as_str() == "QUERY";
        if has_body && !parts.headers.contains_key(CONTENT_LENGTH) {
            return Err(Problem::length_required());
        }
        return Ok(());
    }
    match parts.headers.get_all(EXPECT).iter().find(|value| !value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        Some(_) => Err(Problem::expectation_failed()),
        None => Ok(()),
    }
}

/// Whether the text is a host with or without a port. It is empty if the target has no authority.
fn is_host(text: &HeaderValue) -> bool {
    let text = text.as_bytes();
    text.is_empty() || !text.contains(&b'@') && Authority::try_from(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn status(version: Version, method: &str, fields: &[(&str, &str)]) -> Option<u16> {
        let mut request = Request::builder().version(version).method(method).uri("/a");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        check(&request.body(()).unwrap().into_parts().0).err().map(|problem| problem.status.as_u16())
    }

    #[test]
    fn there_is_one_host() {
        let status = |hosts: &[&str]| {
            status(Version::HTTP_11, "GET", &hosts.iter().map(|host| ("host", *host)).collect::<Vec<_>>())
        };
        for host in ["a", "", "a.example:80", "[::1]:80", "127.0.0.1"] {
            assert_eq!(status(&[host]), None, "{host}");
        }
        for hosts in [&[][..], &["a", "a"], &["a", ""], &["a b"], &["a/b"], &["u@a"], &["a, b"], &["http://a"]] {
            assert_eq!(status(hosts), Some(400), "{hosts:?}");
        }
    }

    #[test]
    fn requests_of_the_older_version_need_less_and_their_bodies_a_length() {
        let status = |method, fields| status(Version::HTTP_10, method, fields);
        assert_eq!(status("GET", &[("expect", "x")]), None);
        assert_eq!(status("GET", &[("host", "a"), ("host", "b")]), Some(400));
        for method in ["POST", "PUT", "PATCH", "QUERY"] {
            assert_eq!(status(method, &[]), Some(411), "{method}");
            assert_eq!(status(method, &[("content-length", "0")]), None, "{method}");
        }
        assert_eq!(status("DELETE", &[]), None);
    }

    #[test]
    fn one_expectation_is_known() {
        let status = |value| status(Version::HTTP_11, "POST", &[("host", "a"), ("expect", value)]);
        assert_eq!(status("100-Continue"), None);
        for other in ["", "200-ok", "100-continue, x", "100-continue;q=1"] {
            assert_eq!(status(other), Some(417), "{other}");
        }
    }
}
