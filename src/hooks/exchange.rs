//! What hooks are given, and what they return: values of `restful.http_request` and `restful.http_response`.

use crate::error::{Code, Error, Result};
use crate::http::field::{is_field_value, is_token};
use crate::http::response::{Body, Response, fields_as_json};
use crate::http::{Headers, Method, Request, target};
use crate::routing::arguments;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::fmt::Write as _;

/// A value of `restful.http_request` or `restful.http_response`. The body is apart, because it may be larger than a jsonb can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Message<'a> {
    /// A JSON object with the attributes except the body.
    pub attributes: Value,
    pub body: Option<Cow<'a, [u8]>>,
}

/// A request that a hook has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub method: String,
    pub target: String,
    pub headers: Headers,
    pub body: Option<Vec<u8>>,
}

/// The error for a hook that has returned what it may not: REST510 (500). `why`: a sentence.
pub fn refused(why: impl Into<String>) -> Error {
    Error::new(Code::Hook, "A hook has returned what it may not").details(why.into())
}

/// A request as a hook is given it.
pub fn request_value<'r>(request: &'r Request) -> Message<'r> {
    let sent = request.sent();
    let attributes = arguments::request_attributes(sent, request.captured());
    Message { attributes: serde_json::from_slice(&attributes).unwrap_or_default(), body: sent.body.map(Cow::Borrowed) }
}

/// What a hook has made of a request. `None` if it has changed nothing.
///
/// `given`: the value of the request. `returned`: what the hook has returned.
///
/// # Errors
/// REST510 for what cannot be changed, and for what is not a request.
pub fn changed(request: &Request, given: &Message, returned: &Message) -> Result<Option<Changed>> {
    let (before, after) = (&given.attributes, &returned.attributes);
    let differs = |name: &str| before.get(name).unwrap_or(&Value::Null) != after.get(name).unwrap_or(&Value::Null);
    for fixed in ["path_parameters", "cookies"] {
        if differs(fixed) {
            return Err(refused(format!("It has changed {fixed}, which follow from the path and from the headers.")));
        }
    }
    if given.body == returned.body && !["method", "path", "query", "headers"].iter().any(|name| differs(name)) {
        return Ok(None);
    }
    let text = |name: &str| {
        let text = after.get(name).and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| refused(format!("The request has no {name}.")))
    };
    let target = if differs("path") || differs("query") {
        let mut target = text("path")?;
        write_query(&mut target, after.get("query"))?;
        target
    } else {
        as_sent(request.sent())
    };
    let mut headers =
        Headers::from_json(after.get("headers").unwrap_or(&Value::Null)).map_err(|why| refused(why.to_string()))?;
    if let Some(cookie) = request.headers.get("cookie") {
        headers = headers.or("cookie", cookie);
    }
    let body = returned.body.as_deref().map(<[u8]>::to_vec);
    let mut method = text("method")?;
    if method == Method::Query.as_str() && body.is_none() {
        // The parameters in the body of a QUERY have become those of its target.
        method = Method::Get.as_str().to_owned();
    }
    Ok(Some(Changed { method, target, headers, body }))
}

/// The target of a request, with the parameters in their order.
fn as_sent(request: &Request) -> String {
    let mut target = request.target.path.to_owned();
    let mut separator = '?';
    for (name, value) in &request.target.parameters {
        target.push(separator);
        separator = '&';
        target::encode_into(&mut target, name, b"");
        if let Some(value) = value {
            target.push('=');
            target::encode_into(&mut target, value, b"");
        }
    }
    target
}

/// Appends the parameters of an object of lists of texts.
fn write_query(target: &mut String, query: Option<&Value>) -> Result<()> {
    let mut separator = '?';
    for (name, values) in query.and_then(Value::as_object).into_iter().flatten() {
        let values = match values {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        for value in values {
            let Some(value) = value.as_str() else {
                return Err(refused(format!("A value of the query parameter {name} is not a text.")));
            };
            target.push(separator);
            separator = '&';
            // Writing to a text does not fail.
            let _ = write!(target, "{}={}", target::encode(name, b""), target::encode(value, b""));
        }
    }
    Ok(())
}

/// A response as a hook is given it. A field that is sent several times is a list.
pub fn response_value<'a>(response: &Response, body: Option<&'a [u8]>) -> Message<'a> {
    let attributes = json!({ "status": response.status, "headers": fields_as_json(&response.headers) });
    Message { attributes, body: body.map(Cow::Borrowed) }
}

/// Whether a field tells how a message is sent on one connection (RFC 9110, section 7.6.1; RFC 9112, section 6).
fn is_framing(name: &str) -> bool {
    const FRAMING: [&str; 5] = ["connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"];
    FRAMING.iter().any(|field| name.eq_ignore_ascii_case(field))
}

/// The response that a hook has returned.
///
/// # Errors
/// REST510 for what is not a response.
pub fn response(returned: Message) -> Result<Response> {
    let Message { attributes, body } = returned;
    let status = attributes.get("status").unwrap_or(&Value::Null);
    let status =
        if status.is_null() { Some(200) } else { status.as_u64().and_then(|status| u16::try_from(status).ok()) };
    let Some(status) = status.filter(|status| (200..=599).contains(status)) else {
        return Err(refused("The status of its response is not between 200 and 599."));
    };
    let mut response = Response::new(status, body.map_or(Body::Empty, |body| Body::Bytes(body.into_owned())));
    let fields = match attributes.get("headers") {
        Some(Value::Object(fields)) => fields.clone(),
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(refused("The headers of its response are not an object.")),
    };
    for (name, values) in fields {
        let values = match values {
            Value::Array(values) => values,
            one => vec![one],
        };
        if is_framing(&name) {
            return Err(refused(format!("The header {name:?} of its response is for the HTTP server to set.")));
        }
        for value in values {
            match value.as_str() {
                Some(value) if is_token(&name) && is_field_value(value) => {
                    response.headers.push((Cow::Owned(name.to_ascii_lowercase()), Cow::Owned(value.to_owned())));
                }
                _ => {
                    return Err(refused(format!(
                        "The header {name:?} of its response has a name or value that no header can have."
                    )));
                }
            }
        }
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(method: &str, target: &str, body: Option<&[u8]>, run: impl FnOnce(&Request) -> T) -> T {
        let headers: Headers = [("x-a", "1"), ("cookie", "sid=7")].into_iter().collect();
        run(&Request::parse(method, target, &headers, body).unwrap())
    }

    #[test]
    fn a_request_that_is_returned_as_it_was_is_unchanged() {
        with("GET", "/orders?select=id&id=eq.1&a", None, |request| {
            let given = request_value(request);
            assert_eq!(given.attributes["query"], json!({"select": ["id"], "id": ["eq.1"], "a": [""]}));
            assert_eq!(changed(request, &given, &given).unwrap(), None);
        });
    }

    #[test]
    fn what_a_hook_changes_is_the_new_request() {
        with("POST", "/orders?select=id", Some(b"{}"), |request| {
            let given = request_value(request);
            let mut value = given.clone();
            value.attributes["headers"]["x-b"] = json!("2");
            let same_target = changed(request, &given, &value).unwrap().unwrap();
            assert_eq!(same_target.target, "/orders?select=id");
            assert_eq!(
                same_target.headers.iter().collect::<Vec<_>>(),
                [("x-a", "1"), ("x-b", "2"), ("cookie", "sid=7")]
            );
            assert_eq!(same_target.body.as_deref(), Some(&b"{}"[..]));
            value.attributes["path"] = json!("/archive");
            value.attributes["query"] = json!({"a b": ["c&d"], "select": "id"});
            value.body = Some(Cow::Borrowed(&[0, 255]));
            let other = changed(request, &given, &value).unwrap().unwrap();
            assert_eq!(other.target, "/archive?a%20b=c%26d&select=id");
            assert_eq!(other.body, Some(vec![0, 255]));
            let without_body = Message { body: None, ..given.clone() };
            assert_eq!(changed(request, &given, &without_body).unwrap().map(|changed| changed.body), Some(None));
        });
    }

    #[test]
    fn what_is_no_request_is_refused() {
        with("GET", "/orders", None, |request| {
            let given = request_value(request);
            for (name, wrong) in [
                ("cookies", json!({"sid": "8"})),
                ("path_parameters", json!({"id": "8"})),
                ("path", json!(null)),
                ("query", json!({"a": [1]})),
                ("headers", json!({"a b": "c"})),
                ("headers", json!({"a": "b\r\nc: d"})),
            ] {
                let mut value = given.clone();
                value.attributes[name] = wrong;
                let error = changed(request, &given, &value).unwrap_err();
                assert_eq!((error.code.as_str(), error.status), ("REST510", 500), "{name}");
            }
        });
    }

    #[test]
    fn a_response_comes_back_as_it_was() {
        let mut sent = Response::new(201, Body::Bytes(vec![0, 1, 255]));
        for (name, value) in [("etag", "\"1\""), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("set-cookie", "c=3")] {
            sent.headers.push((name.into(), value.into()));
        }
        let value = response_value(&sent, Some(&[0, 1, 255]));
        assert_eq!(value.attributes["headers"]["set-cookie"], json!(["a=1", "b=2", "c=3"]));
        assert_eq!(response(value).unwrap(), sent);
        let of = |attributes: Value| response(Message { attributes, body: None });
        assert_eq!(of(json!({})).unwrap(), Response::new(200, Body::Empty));
        for wrong in [
            json!({"status": 199}),
            json!({"status": "x"}),
            json!({"headers": []}),
            json!({"headers": {"a": 1}}),
            json!({"headers": {"a": "b\nc"}}),
            json!({"headers": {"Content-Length": "5"}}),
        ] {
            assert_eq!(of(wrong.clone()).unwrap_err().code, "REST510", "{wrong}");
        }
    }
}
