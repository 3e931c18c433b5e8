//! A request: its parts are parsed, but not interpreted yet.

use crate::error::{Code, Error, Result};
use crate::http::condition::Conditions;
use crate::http::range::Page;
use crate::http::target::{Parameter, Target};
use crate::http::{Headers, Method, Preferences, query_body};
use std::borrow::Cow;

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub target: Target<'a>,
    pub headers: &'a Headers,
    pub preferences: Preferences,
    /// The page in the Range field. Only GET and QUERY have one (RFC 9110, section 14.2; RFC 10008, section 2).
    pub range: Option<Page>,
    pub conditions: Conditions,
    /// The body's bytes; `None` without a body. That of QUERY has become parameters of the target.
    pub body: Option<&'a [u8]>,
    /// The arguments of the function that a route leads to.
    pub arguments: Option<Arguments<'a>>,
}

/// The arguments of a function.
#[derive(Clone, Debug)]
pub struct Arguments<'a> {
    /// One JSON object with a member for each.
    pub object: &'a [u8],
    /// The query parameters that are arguments. The target does not have them any more.
    pub parameters: &'a [Parameter<'a>],
    /// The path of the route, with its parameters, such as `/orders/{id}`.
    pub route: &'a str,
    /// The group of the route.
    pub group: Option<&'a str>,
    /// The JSON Schema of results, as text.
    pub result_schema: Option<&'a str>,
    /// The request as it was sent.
    pub sent: &'a Request<'a>,
    /// The parameters of the path, with their values.
    pub captured: &'a [(&'a str, Cow<'a, str>)],
}

impl Request<'_> {
    /// The request as it was sent, before a route made a call of it.
    pub fn sent(&self) -> &Request<'_> {
        self.arguments.as_ref().map_or(self, |arguments| arguments.sent)
    }

    /// The group of the route that the request has.
    pub fn group(&self) -> Option<&str> {
        self.arguments.as_ref().and_then(|arguments| arguments.group)
    }

    /// The parameters of the path of a route, with their values.
    pub fn captured(&self) -> &[(&str, Cow<'_, str>)] {
        self.arguments.as_ref().map_or(&[], |arguments| arguments.captured)
    }
}

impl<'a> Request<'a> {
    /// Reads the parts of a request.
    ///
    /// # Errors
    /// The errors of the parts, and of [`query_body::parameters`]; REST415 (415) for a body in an encoding other than `identity`.
    pub fn parse(method: &str, target: &'a str, headers: &'a Headers, body: Option<&'a [u8]>) -> Result<Self> {
        let method = Method::parse(method)?;
        check_encoding(headers, body)?;
        let range = match headers.get("range") {
            // A page never has the validator of the whole list, so If-Range never holds, and Range is ignored (RFC 9110, section 13.1.5).
            Some(_) if headers.get("if-range").is_some() => None,
            Some(field) if matches!(method, Method::Get | Method::Query) => Page::from_range(field)?,
            _ => None,
        };
        let mut target = Target::parse(target)?;
        let mut body = body;
        if method == Method::Query {
            target.parameters.extend(query_body::parameters(headers, body.take())?);
        }
        let preferences = Preferences::parse(headers.get("prefer"))?;
        let conditions = Conditions::parse(headers)?;
        Ok(Request { method, target, preferences, headers, range, conditions, body, arguments: None })
    }
}

/// Refuses a body that is encoded (RFC 9110, sections 8.4 and 15.5.16).
fn check_encoding(headers: &Headers, body: Option<&[u8]>) -> Result<()> {
    let Some(encoding) = headers.get("content-encoding") else { return Ok(()) };
    let is_identity = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    if body.is_none_or(<[u8]>::is_empty) || encoding.split(',').map(str::trim).all(is_identity) {
        return Ok(());
    }
    let shown: String = encoding.chars().take(100).collect();
    Err(Error::new(Code::ContentType, format!("The body's Content-Encoding is not supported: {shown}"))
        .hint("Send the body without Content-Encoding.")
        .header("accept-encoding", "identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_body_is_415_and_says_what_it_is() {
        let parse = |encoding: &str, body: Option<&'static [u8]>| {
            let headers: Headers = [("content-encoding", encoding)].into_iter().collect();
            Request::parse("POST", "/t", &headers, body).map(|_| ())
        };
        let e = parse("gzip", Some(b"x")).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("REST415", 415));
        assert!(e.message.ends_with("gzip"));
        assert_eq!(parse("identity, br", Some(b"x")).unwrap_err().status, 415);
        assert!(parse("Identity", Some(b"x")).is_ok() && parse("", Some(b"x")).is_ok() && parse("gzip", None).is_ok());
    }
}
