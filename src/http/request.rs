//! A request as it came in, read but not yet understood.

use crate::error::Result;
use crate::http::range::Page;
use crate::http::target::Target;
use crate::http::{Headers, Method, Preferences};

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub target: Target<'a>,
    pub headers: &'a Headers,
    pub preferences: Preferences,
    /// The page asked for by the Range field; GET alone has one (RFC 9110, section 14.2).
    pub range: Option<Page>,
    /// The body's bytes; `None` when there is no body.
    pub body: Option<&'a [u8]>,
}

impl<'a> Request<'a> {
    /// Reads the parts of a request.
    pub fn parse(method: &str, target: &'a str, headers: &'a Headers, body: Option<&'a [u8]>) -> Result<Self> {
        let method = Method::parse(method)?;
        let range = match headers.get("range") {
            Some(field) if method == Method::Get => Page::from_range(field)?,
            _ => None,
        };
        Ok(Request {
            method,
            target: Target::parse(target)?,
            preferences: Preferences::parse(headers.get("prefer"))?,
            headers,
            range,
            body,
        })
    }
}
