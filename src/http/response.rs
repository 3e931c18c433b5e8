//! A response: status, header fields and body.

use crate::error::Error;
use crate::http::Method;
use crate::http::field::is_token;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The body of a response.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// The rows that the statement wrote.
    Rows,
    /// These bytes.
    Bytes(Vec<u8>),
}

/// A response. Header names are in lower case.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub body: Body,
}

impl Response {
    /// A response without header fields.
    pub fn new(status: u16, body: Body) -> Self {
        // A read has five or six.
        Response { status, headers: Vec::with_capacity(8), body }
    }

    /// The answer to OPTIONS. `allow`: the methods of the resource.
    pub fn methods(allow: String) -> Self {
        Response::new(200, Body::Empty).header("allow", allow)
    }

    /// Adds a header field; `name` in lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// Adds a header field unless the response has one of this name; `name` in lower case.
    pub fn set_if_absent(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        if self.headers.iter().all(|(known, _)| known != name) {
            self.headers.push((Cow::Borrowed(name), value.into()));
        }
    }

    /// The answer to an error: a problem document (RFC 9457) for the target `instance`, or plain JSON if the error is not a problem.
    pub fn problem(error: &Error, instance: &str, verbose: bool) -> Self {
        let body = Body::Bytes(error.body(instance, verbose).to_string().into_bytes());
        let media_type = if error.is_problem() {
            "application/problem+json; charset=utf-8"
        } else {
            "application/json; charset=utf-8"
        };
        let mut response = Response::new(error.status, body)
            .header("content-type", media_type)
            .header("proxy-status", proxy_status(&error.code));
        response.headers.extend(error.headers.iter().map(|(n, v)| (n.clone().into(), v.clone().into())));
        response
    }

    /// Removes the body from a response that cannot have one: a response to HEAD, or one with a status such as 204 or 304 (RFC
    /// 9110, section 6.4.1).
    #[must_use]
    pub fn without_forbidden_body(mut self, method: &str) -> Self {
        if method == Method::Head.as_str() || matches!(self.status, 100..=199 | 204 | 304) {
            self.body = Body::Empty;
        }
        self
    }
}

/// Header fields as a JSON object: a text for each name, or an array of texts for a repeated one.
pub fn fields_as_json(fields: &[(Cow<str>, Cow<str>)]) -> Value {
    let mut object: Map<String, Value> = Map::new();
    for (name, value) in fields {
        let value = Value::from(value.as_ref());
        match object.get_mut(name.as_ref()) {
            None => {
                object.insert(name.to_string(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    Value::Object(object)
}

/// The value of Proxy-Status (RFC 9209). It contains the code, unless a function chose a code that is not a token.
fn proxy_status(code: &str) -> String {
    if is_token(code) { format!("pg_restful; error={code}") } else { "pg_restful".to_owned() }
}
