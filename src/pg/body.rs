//! The body of a request: what it holds, and its bytes as the statements take them.

use crate::error::{Code, Error, Result};
use crate::http::prefer::Missing;
use crate::http::{Converted, MediaType, Request, csv, form};
use crate::json;
use crate::limits;
use crate::pg::execute::BodyShape;
use crate::pg::guc;
use crate::plan::call::{Given, JSON_TYPES};
use crate::plan::write::BodyKeys;
use crate::query::{Literal, Query};
use crate::route::{Action, Verb};
use pgrx::pg_sys;

/// A body, read as far as planning needs it.
pub struct Body {
    pub shape: BodyShape,
    /// It was none, and this is the JSON that it became.
    pub converted: Option<Vec<u8>>,
    /// The action takes one object, or one line, and the body has another number of them. To be told once there is such an action.
    pub refusal: Option<Error>,
}

impl Body {
    fn of(shape: BodyShape) -> Self {
        Body { shape, converted: None, refusal: None }
    }
}

/// Reads the body of a request. The fields of a form become arguments of `query` when a function is called.
///
/// Errors: PGRST102 (400) when it is not what Content-Type says, or the action takes no such body.
pub fn read(request: &Request, action: &Action, query: &mut Query) -> Result<Body> {
    match action.verb {
        Verb::Create => rows(request, false).map(|body| with_absent(body, request, query)),
        Verb::Replace | Verb::Update => rows(request, true).map(|body| with_absent(body, request, query)),
        Verb::Call => arguments(request, query),
        Verb::CallSafe => Ok(Body::of(BodyShape::Arguments(Given::Query))),
        Verb::Read | Verb::Delete | Verb::Describe | Verb::ReadRoot => Ok(Body::of(BodyShape::None)),
    }
}

/// Notes the columns that no object has, or not all, where what is missing stands for its default.
fn with_absent(mut body: Body, request: &Request, query: &Query) -> Body {
    if let (Some(Missing::Default), Some(columns)) = (request.preferences.missing, &query.columns)
        && let BodyShape::Keys(keys) = &mut body.shape
    {
        let bytes = body.converted.as_deref().or(request.body).unwrap_or_default();
        // What cannot be read is refused where it is read.
        let (objects, counts) = json::count_keys(bytes, columns).unwrap_or_default();
        for (name, count) in columns.iter().zip(counts) {
            match count {
                0 => keys.absent.push(name.clone()),
                _ if count < objects => keys.partial.push(name.clone()),
                _ => {}
            }
        }
    }
    body
}

/// The rows of a write; `is_single`: the body is one object, and no second one may be lost.
fn rows(request: &Request, is_single: bool) -> Result<Body> {
    let body = request.body.unwrap_or_default();
    let refusal = |has_several: bool| {
        (is_single && has_several).then(|| {
            Error::new(Code::Body, format!("The body of a {} is one object", request.method.as_str()))
                .details("The body has several rows.")
                .hint("Send one request for each row, or POST the rows with Prefer: resolution=merge-duplicates.")
        })
    };
    let converted = |converted: Converted| Body {
        refusal: refusal(converted.rows > 1),
        shape: BodyShape::Keys(BodyKeys { keys: converted.keys, texts: true, ..BodyKeys::default() }),
        converted: Some(converted.json),
    };
    match content_type(request) {
        MediaType::Csv => return csv::to_json(body, most()).map(converted),
        MediaType::Form => return form::to_json(body, most()).map(converted),
        media => require_json(&media)?,
    }
    if is_blank(body) {
        return Err(Error::new(Code::Body, "Empty or invalid json")
            .details("The request has no body.")
            .hint("Send a JSON object, or an array of objects."));
    }
    let payload = json::first_keys(body).map_err(invalid)?;
    let is_one = payload.kind == json::Kind::Object;
    if !is_one && payload.kind != json::Kind::Array {
        return Err(Error::new(Code::Body, "The body is no JSON object or array of objects")
            .hint("Send a JSON object, or an array of objects."));
    }
    let refusal = refusal(payload.has_more);
    let keys = BodyKeys { keys: payload.keys, ..BodyKeys::default() };
    Ok(Body { refusal, ..Body::of(BodyShape::Keys(keys)) })
}

fn arguments(request: &Request, query: &mut Query) -> Result<Body> {
    let body = request.body.unwrap_or_default();
    let given = match content_type(request) {
        MediaType::Text => Given::Whole(&["text"]),
        MediaType::Xml => Given::Whole(&["xml"]),
        MediaType::OctetStream => Given::Whole(&["bytea"]),
        MediaType::Csv => {
            let Converted { json, keys, rows } = csv::to_json(body, most())?;
            let shape = BodyShape::Arguments(Given::Fields(keys));
            let refusal = (rows != 1).then(|| {
                Error::new(Code::Body, "A function is called with one line of arguments")
                    .hint("Call it once for each line, or send JSON to a function that takes it as a whole.")
            });
            return Ok(Body { shape, converted: Some(json), refusal });
        }
        MediaType::Form => {
            for (name, value) in form::parse(body)? {
                let value = query.add_value(Literal::Text(value));
                query.arguments.push((name, value));
            }
            Given::Query
        }
        media => {
            require_json(&media)?;
            if is_blank(body) {
                Given::Object(Vec::new())
            } else if body.trim_ascii_start().starts_with(b"{") {
                Given::Object(json::first_keys(body).map_err(invalid)?.keys)
            } else {
                json::check(body).map_err(invalid)?;
                Given::Whole(JSON_TYPES)
            }
        }
    };
    Ok(Body::of(BodyShape::Arguments(given)))
}

/// The bytes as a bytea, in the current memory context.
pub fn datum(bytes: &[u8]) -> pg_sys::Datum {
    let size = pg_sys::VARHDRSZ + bytes.len();
    // SAFETY: fresh memory of the size that is filled; what is larger than a varlena can be, palloc refuses with an error.
    unsafe {
        let varlena: *mut u8 = pg_sys::palloc(size).cast();
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), varlena.add(pg_sys::VARHDRSZ), bytes.len());
        pgrx::varlena::set_varsize_4b(varlena.cast(), size as i32);
        pg_sys::Datum::from(varlena)
    }
}

/// The most bytes of JSON that a body in another form may become.
fn most() -> usize {
    guc::max_body_bytes().saturating_mul(limits::CONVERTED_BODY).min(limits::JSON_TEXT_BYTES / 2)
}

fn content_type(request: &Request) -> MediaType {
    request.headers.get("content-type").map_or(MediaType::Json, MediaType::parse)
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

fn invalid(why: json::Error) -> Error {
    Error::new(Code::Body, "Empty or invalid json").details(why.to_string())
}

fn require_json(media: &MediaType) -> Result<()> {
    match media {
        MediaType::Json | MediaType::Any | MediaType::Object { .. } => Ok(()),
        other => Err(Error::new(Code::Body, format!("Content-Type not acceptable: {}", other.content_type()))
            .hint("Send application/json, text/csv or application/x-www-form-urlencoded.")),
    }
}
