//! The request body: its keys, and its bytes as the statement takes them. Pure.

mod converted;
pub mod csv;
pub mod form;
mod list;
pub mod multipart;
mod shape;

pub use list::row_keys;
pub use shape::{BodyKeys, BodyShape, CallArguments, JSON_TYPES, Length, List, PatchOf};

use crate::error::{Code, Error, Result};
use crate::http::accepts::{self, Accepts};
use crate::http::prefer::Missing;
use crate::http::{MediaType, Method, Request};
use crate::json::{self, Framing};
use crate::limits;
use crate::patch;
use crate::query::{Literal, Query};
use crate::route::Verb;
use converted::Converted;
use std::borrow::Cow;

/// The body in the form that the statement takes.
#[derive(Debug, Default)]
pub struct Payload<'a> {
    /// The body, or the JSON that it was converted to; `None` without a body.
    pub bytes: Option<Cow<'a, [u8]>>,
    /// Set if the action takes exactly one object or line and the body has another number of them. The error is returned only once
    /// the action is known to exist.
    pub refusal: Option<Error>,
    /// The bytes are one object, or an array of one.
    pub is_one: bool,
    /// How many rows the body names, if it is a [`List`].
    pub rows: usize,
}

impl<'a> Payload<'a> {
    /// Reads as much of a body as planning needs: JSON up to the end of its first object. If a function is called, the fields of a
    /// form become arguments of `query`.
    ///
    /// `is_item`: the path names the row. `max_bytes`: the limit on the body, `restful.max_body_bytes`. JSON that a CSV or form body is
    /// converted to may be [`limits::CONVERTED_BODY`] times as large.
    ///
    /// # Errors
    /// PGRST102 (400) if the body does not match its Content-Type; REST415 (415) if the action does not take this media type.
    pub fn read(
        request: &Request<'a>,
        verb: Verb,
        is_item: bool,
        query: &mut Query,
        max_bytes: usize,
    ) -> Result<(BodyShape, Payload<'a>)> {
        let limit = max_bytes.saturating_mul(limits::CONVERTED_BODY).min(limits::JSON_TEXT_BYTES / 2);
        if let (Some(arguments), Verb::Call | Verb::CallSafe) = (&request.arguments, verb) {
            let arguments = arguments.object;
            let keys = json::first_keys(arguments, Framing::Array).map_err(Error::invalid_json)?.keys;
            let payload = Payload { bytes: Some(Cow::Borrowed(arguments)), is_one: true, ..Payload::default() };
            return Ok((BodyShape::Arguments(CallArguments::Object(keys)), payload));
        }
        match verb {
            Verb::Create => rows(request, verb, limit).map(|(keys, body)| with_absent(keys, body, request, query)),
            Verb::Update if !is_item && may_be_list(request) => {
                listed(request, false, limit).map(|(keys, body)| with_absent(keys, body, request, query))
            }
            Verb::Delete if has_keys(request) => {
                if is_item {
                    return Err(Error::new(Code::Body, "A DELETE of one row takes no body")
                        .hint("Leave the body out, or send the list of keys to the table or view."));
                }
                listed(request, true, limit).map(|(keys, body)| (BodyShape::Rows(keys), body))
            }
            Verb::Replace | Verb::Update => {
                rows(request, verb, limit).map(|(keys, body)| with_absent(keys, body, request, query))
            }
            Verb::Call => arguments(request, query, limit).map(|(given, body)| (BodyShape::Arguments(given), body)),
            Verb::CallSafe => Ok((BodyShape::Arguments(CallArguments::Query), Payload::of(request))),
            Verb::Read | Verb::Delete | Verb::Describe | Verb::ReadRoot => Ok((BodyShape::None, Payload::of(request))),
        }
    }

    /// A body that is passed on unchanged.
    fn of(request: &Request<'a>) -> Self {
        Payload { bytes: request.body.map(Cow::Borrowed), ..Payload::default() }
    }

    /// A body that was converted.
    fn converted(json: Vec<u8>, rows: usize, refusal: Option<Error>) -> Self {
        Payload { bytes: Some(Cow::Owned(json)), refusal, is_one: rows == 1, rows }
    }
}

/// Notes which columns are missing from all objects, or from some, if missing values are to become defaults.
fn with_absent<'a>(
    mut keys: BodyKeys,
    payload: Payload<'a>,
    request: &Request,
    query: &Query,
) -> (BodyShape, Payload<'a>) {
    if let (Some(Missing::Default), Some(columns)) = (request.preferences.missing, &query.columns) {
        // An unreadable body is refused later, where it is read completely.
        let (objects, counts) =
            json::count_keys(payload.bytes.as_deref().unwrap_or_default(), keys.framing, columns).unwrap_or_default();
        for (name, count) in columns.iter().zip(counts) {
            match count {
                0 => keys.absent.push(name.clone()),
                _ if count < objects => keys.partial.push(name.clone()),
                _ => {}
            }
        }
    }
    (BodyShape::Rows(keys), payload)
}

/// The rows of a write. Of other than a POST, the body must be one object, and a second one must not be lost.
fn rows<'a>(request: &Request<'a>, verb: Verb, limit: usize) -> Result<(BodyKeys, Payload<'a>)> {
    let body = request.body.unwrap_or_default();
    let accepts = match request.method {
        Method::Put => accepts::PUT,
        Method::Patch => accepts::PATCH,
        _ => accepts::POST,
    };
    let refusal = |has_several: bool| {
        (verb != Verb::Create && has_several).then(|| {
            Error::new(Code::Body, format!("The body of a {} must be one object", request.method.as_str()))
                .details("The body has several rows.")
                .hint(match verb {
                    Verb::Update => "Send the list to the table or view, each object with its primary key.",
                    _ => "Send one request for each row, or POST the rows with Prefer: resolution=merge-duplicates.",
                })
        })
    };
    let converted = |Converted { json, keys, rows }: Converted| {
        (BodyKeys { keys, texts: true, ..BodyKeys::default() }, Payload::converted(json, rows, refusal(rows > 1)))
    };
    let framing = match content_type(request) {
        media @ (MediaType::MergePatch | MediaType::JsonPatch) if verb == Verb::Update => {
            let is_merge = media == MediaType::MergePatch;
            return Ok((patch_of(body, is_merge)?, Payload { is_one: is_merge, ..Payload::of(request) }));
        }
        MediaType::Csv => return csv::to_json(body, limit).map(converted),
        MediaType::Form => return form::to_json(body, limit).map(converted),
        media @ MediaType::NdJson(_) => list::framing(&media),
        media => {
            require_json(&media, request, accepts)?;
            Framing::Array
        }
    };
    if is_blank(body) && framing == Framing::Array {
        return Err(Error::new(Code::Body, "Empty or invalid json")
            .details("The request has no body.")
            .hint("Send a JSON object, or an array of objects."));
    }
    let first = json::first_keys(body, framing).map_err(Error::invalid_json)?;
    if !matches!(first.kind, json::ValueKind::Object | json::ValueKind::Array) {
        return Err(Error::new(Code::Body, "The body must be a JSON object or an array of objects")
            .hint("Send a JSON object, or an array of objects."));
    }
    let keys = BodyKeys { keys: first.keys, framing, ..BodyKeys::default() };
    Ok((keys, Payload { refusal: refusal(first.has_more), is_one: first.is_one, ..Payload::of(request) }))
}

/// What a patch sets, and what it looks at.
fn patch_of(body: &[u8], is_merge: bool) -> Result<BodyKeys> {
    let (keys, reads) = if is_merge {
        patch::merging_members(body)?
    } else {
        let patch::Columns { written, read } = patch::Operations::parse(body)?.columns();
        // A patch that only tests changes nothing, but it must be run.
        (if written.is_empty() { read.clone() } else { written }, read)
    };
    // Members of a merge patch that are no objects are set as by an ordinary PATCH.
    let patch = (!is_merge || !reads.is_empty()).then_some(PatchOf { is_merge, reads });
    Ok(BodyKeys { keys, patch, ..BodyKeys::default() })
}

/// Whether a DELETE has a list of keys, or a body of a type that it does not take. No line at all is an empty list, and must not delete
/// every row. An empty object names nothing: postgrest-py sends it with every DELETE.
fn has_keys(request: &Request) -> bool {
    let body = request.body.unwrap_or_default();
    match content_type(request) {
        MediaType::NdJson(_) => true,
        MediaType::Json | MediaType::Any | MediaType::Object { .. } => !is_blank(body) && body.trim_ascii() != b"{}",
        _ => !is_blank(body),
    }
}

/// Whether the body of a PATCH is a list, and not one object.
fn may_be_list(request: &Request) -> bool {
    let is_array = request.body.is_some_and(|body| body.trim_ascii_start().starts_with(b"["));
    match request.headers.get("content-type") {
        None | Some("application/json") => is_array,
        Some(media) => match MediaType::parse(media) {
            MediaType::Csv | MediaType::NdJson(_) => true,
            MediaType::Form | MediaType::MergePatch | MediaType::JsonPatch => false,
            _ => is_array,
        },
    }
}

/// A list that may name rows one by one. `is_keys`: it only names them.
fn listed<'a>(request: &Request<'a>, is_keys: bool, limit: usize) -> Result<(BodyKeys, Payload<'a>)> {
    let body = request.body.unwrap_or_default();
    let media = content_type(request);
    if media == MediaType::Csv {
        let Converted { json, rows, .. } = csv::to_json(body, limit)?;
        let (keys, _) = list::keys(&json, Framing::Array, false, true)?;
        return Ok((keys, Payload::converted(json, rows, None)));
    }
    if !matches!(media, MediaType::NdJson(_)) {
        let accepts = if is_keys { accepts::DELETE } else { accepts::PATCH };
        require_json(&media, request, accepts)?;
    }
    let (keys, rows) = list::keys(body, list::framing(&media), is_keys, false)?;
    let is_one = rows == 1 && keys.framing == Framing::Array && keys.list.is_some_and(|list| !list.bare);
    Ok((keys, Payload { is_one, rows, ..Payload::of(request) }))
}

/// The arguments of a call.
fn arguments<'a>(request: &Request<'a>, query: &mut Query, limit: usize) -> Result<(CallArguments, Payload<'a>)> {
    let body = request.body.unwrap_or_default();
    let mut is_one = false;
    let given = match content_type(request) {
        MediaType::Text => CallArguments::Whole(&["text"]),
        MediaType::Xml => CallArguments::Whole(&["xml"]),
        MediaType::OctetStream => CallArguments::Whole(&["bytea"]),
        MediaType::Csv => {
            let Converted { json, keys, rows } = csv::to_json(body, limit)?;
            let refusal = (rows != 1).then(|| {
                Error::new(Code::Body, "The CSV has several lines, but a function call takes one")
                    .hint("Call it once for each line, or send JSON to a function that takes it as a whole.")
            });
            return Ok((CallArguments::Fields(keys), Payload::converted(json, rows, refusal)));
        }
        MediaType::Form => {
            for (name, value) in form::parse(body)? {
                let value = query.add_value(Literal::Text(value));
                query.arguments.push((name, value));
            }
            CallArguments::Query
        }
        MediaType::NdJson(_) => {
            let json = list::as_array(body)?;
            return Ok((CallArguments::Whole(JSON_TYPES), Payload::converted(json, 0, None)));
        }
        media => {
            require_json(&media, request, accepts::CALL)?;
            if is_blank(body) {
                CallArguments::Object(Vec::new())
            } else if body.trim_ascii_start().starts_with(b"{") {
                let first = json::first_keys(body, Framing::Array).map_err(Error::invalid_json)?;
                is_one = first.is_one;
                CallArguments::Object(first.keys)
            } else {
                json::check(body).map_err(Error::invalid_json)?;
                CallArguments::Whole(JSON_TYPES)
            }
        }
    };
    Ok((given, Payload { is_one, ..Payload::of(request) }))
}

/// The media type of a request's body: JSON, if the request does not say it.
pub fn content_type(request: &Request) -> MediaType {
    request.headers.get("content-type").map_or(MediaType::Json, MediaType::parse)
}

fn is_blank(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

/// Refuses a body that is not JSON.
///
/// `accepts`: the media types that the error names.
///
/// # Errors
/// REST415 (415).
pub fn require_json(media: &MediaType, request: &Request, accepts: Accepts) -> Result<()> {
    match media {
        MediaType::Json | MediaType::Any | MediaType::Object { .. } => Ok(()),
        _ => Err(accepts.refuse(request.headers.get("content-type").unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    /// Reads a body, and returns its shape, its bytes, and whether it is refused.
    fn read(
        verb: Verb,
        content_type: &str,
        prefer: &str,
        target: &str,
        body: &str,
    ) -> Result<(BodyShape, String, bool)> {
        let headers: Headers = [("content-type", content_type), ("prefer", prefer)].into_iter().collect();
        let request = Request::parse("POST", target, &headers, Some(body.as_bytes()))?;
        let mut query = crate::query::parse(&request.target.parameters, false)?;
        // Of a table, a PATCH may be a list; see below.
        let (shape, payload) = Payload::read(&request, verb, verb == Verb::Update, &mut query, 1000)?;
        let bytes = String::from_utf8_lossy(&payload.bytes.unwrap_or_default()).into_owned();
        Ok((shape, bytes, payload.refusal.is_some()))
    }

    fn rows(verb: Verb, content_type: &str, body: &str) -> (Vec<String>, bool, bool) {
        match read(verb, content_type, "", "/t", body) {
            Ok((BodyShape::Rows(keys), _, is_refused)) => (keys.keys, keys.texts, is_refused),
            other => panic!("{body}: {other:?}"),
        }
    }

    fn given(content_type: &str, body: &str) -> CallArguments {
        match read(Verb::Call, content_type, "", "/rpc/f", body) {
            Ok((BodyShape::Arguments(given), ..)) => given,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn rows_have_the_keys_of_the_first_object() {
        let ab = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(rows(Verb::Create, "", r#"{"a":1,"b":{"c":2}}"#), (ab(), false, false));
        assert_eq!(rows(Verb::Create, "application/json", r#"[{"a":1,"b":2},{"c":3}]"#), (ab(), false, false));
        assert_eq!(rows(Verb::Create, "text/csv", "a,b\n1,2\n3,4"), (ab(), true, false));
        assert_eq!(rows(Verb::Create, "application/x-www-form-urlencoded", "a=1&b=2"), (ab(), true, false));
        assert_eq!(rows(Verb::Create, "", "[]"), (Vec::new(), false, false));
    }

    #[test]
    fn one_row_is_not_two() {
        for verb in [Verb::Replace, Verb::Update] {
            assert!(!rows(verb, "", r#"[{"a":1}]"#).2);
            assert!(rows(verb, "", r#"[{"a":1},{"a":2}]"#).2);
            assert!(rows(verb, "text/csv", "a\n1\n2").2);
            assert!(rows(verb, "application/x-ndjson", "{\"a\":1}\n{\"a\":2}").2);
        }
    }

    #[test]
    fn one_object_is_told_from_other_bodies() {
        let is_one = |content_type, body: &str| {
            let headers: Headers = [("content-type", content_type)].into_iter().collect();
            let request = Request::parse("POST", "/t?columns=a", &headers, Some(body.as_bytes())).unwrap();
            let mut query = crate::query::parse(&request.target.parameters, false).unwrap();
            Payload::read(&request, Verb::Create, false, &mut query, 1000).unwrap().1.is_one
        };
        for (content_type, body, expected) in [
            ("", r#"{"a":1}"#, true),
            ("", r#"[{"a":1}]"#, true),
            ("", "[]", false),
            ("", r#"[{"a":1},{"a":2}]"#, false),
            ("text/csv", "a\n1", true),
            ("text/csv", "a", false),
            ("text/csv", "a\n1\n2", false),
            ("application/x-www-form-urlencoded", "a=1", true),
        ] {
            assert_eq!(is_one(content_type, body), expected, "{body}");
        }
    }

    #[test]
    fn another_form_becomes_json_and_json_stays() {
        let bytes = |content_type, body| read(Verb::Create, content_type, "", "/t", body).unwrap().1;
        assert_eq!(bytes("text/csv", "a\n1"), r#"[{"a":"1"}]"#);
        assert_eq!(bytes("application/json", r#" {"a":1}"#), r#" {"a":1}"#);
    }

    /// The keys, those that some objects lack, how many elements there are, and whether they are bare.
    fn list(verb: Verb, content_type: &str, body: &str) -> Result<Option<(String, String, usize, bool)>> {
        let headers: Headers = [("content-type", content_type)].into_iter().collect();
        let request = Request::parse("PATCH", "/t", &headers, Some(body.as_bytes()))?;
        let mut query = crate::query::parse(&request.target.parameters, false)?;
        let (shape, payload) = Payload::read(&request, verb, false, &mut query, 1000)?;
        Ok(match shape {
            BodyShape::Rows(BodyKeys { keys, partial, list: Some(list), .. }) => {
                assert_eq!(list.length, Length::of(payload.rows));
                Some((keys.join(","), partial.join(","), payload.rows, list.bare))
            }
            _ => None,
        })
    }

    #[test]
    fn a_list_has_the_keys_of_all_objects() {
        let of = |keys: &str, partial: &str, rows| Some((keys.to_owned(), partial.to_owned(), rows, false));
        let patch = |media, body| list(Verb::Update, media, body).unwrap();
        assert_eq!(patch("", r#" [{"a":1,"b":2},{"c":3,"a":4}]"#), of("a,b,c", "b,c", 2));
        assert_eq!(patch("application/x-ndjson", "{\"a\":1}\n\n{\"a\":2}\n"), of("a", "", 2));
        assert_eq!(patch("text/csv", "a,b\n1,2"), of("a,b", "", 1));
        assert_eq!(patch("", "[]"), of("", "", 0));
        assert_eq!(patch("", r#"{"a":1}"#), None);
        assert_eq!(patch("application/x-www-form-urlencoded", "a=1"), None);
        assert!(list(Verb::Update, "", "[1]").is_err());
    }

    #[test]
    fn keys_to_delete_are_objects_or_values() {
        let delete = |media, body| list(Verb::Delete, media, body);
        assert_eq!(delete("", r#"[1,"a",null]"#).unwrap(), Some((String::new(), String::new(), 3, true)));
        assert_eq!(delete("", r#"[{"a":1}]"#).unwrap(), Some(("a".to_owned(), String::new(), 1, false)));
        assert_eq!(delete("", " ").unwrap(), None);
        // no lines are an empty list, and not no list
        assert_eq!(delete("application/x-ndjson", "").unwrap(), Some((String::new(), String::new(), 0, false)));
        for body in [r#"{"a":1}"#, "1", r#"[1,{"a":1}]"#, "[1", "[]]"] {
            assert_eq!(delete("", body).unwrap_err().status, 400, "{body}");
        }
        assert_eq!(delete("", "{}").unwrap(), None);
        for media in ["text/plain", "application/merge-patch+json", "application/xml"] {
            assert_eq!(delete(media, "{}").unwrap_err().status, 415, "{media}");
        }
        let many =
            format!("[{}]", (0..=limits::LISTED_KEYS).map(|n| format!("{{\"{n}\":1}}")).collect::<Vec<_>>().join(","));
        assert_eq!(list::keys(many.as_bytes(), Framing::Array, true, false).unwrap_err().code, "REST431");
    }

    #[test]
    fn the_key_of_each_row_is_found_again() {
        let columns = ["a".to_owned(), "b".to_owned()];
        let keys = |body: &'static str, framing, bare: bool| {
            let payload = Payload { bytes: Some(body.as_bytes().into()), ..Payload::default() };
            let shape = BodyKeys { framing, list: Some(List { length: Length::Several, bare }), ..BodyKeys::default() };
            let columns = if bare { &columns[..1] } else { &columns[..] };
            row_keys(&payload, &shape, columns, 2, |index| index != 1)
                .into_iter()
                .map(|(index, key)| format!("{index}{}", String::from_utf8(key).unwrap()))
                .collect::<Vec<_>>()
        };
        let array = r#"[{"b":2, "x":{}, "a": "1"}, 5, {"a":1e2}, {}]"#;
        assert_eq!(keys(array, Framing::Array, false), [r#"0{"a":"1","b":2}"#, r#"2{"a":1e2,"b":null}"#]);
        assert_eq!(keys("\"x\"\n2\n3\n4", Framing::Lines, true), [r#"0{"a":"x"}"#, r#"2{"a":3}"#]);
    }

    #[test]
    fn what_is_not_rows_is_refused() {
        for (content_type, body) in
            [("", ""), ("", " \n"), ("", "1"), ("", r#"[1]"#), ("", r#"{"a":1,"a":2}"#), ("text/csv", "")]
        {
            let refused = read(Verb::Create, content_type, "", "/t", body).unwrap_err();
            assert_eq!((refused.status, refused.code.as_str()), (400, "PGRST102"), "{body}");
        }
    }

    #[test]
    fn other_media_types_are_415_and_say_which_are_taken() {
        for (method, target, verb, field) in [
            ("POST", "/t", Verb::Create, "accept-post"),
            ("PATCH", "/t", Verb::Update, "accept-patch"),
            ("PUT", "/t", Verb::Replace, "accept"),
            ("POST", "/rpc/f", Verb::Call, "accept-post"),
        ] {
            let headers: Headers = [("content-type", "image/png")].into_iter().collect();
            let request = Request::parse(method, target, &headers, Some(b"x")).unwrap();
            let e = Payload::read(&request, verb, false, &mut Query::default(), 1000).unwrap_err();
            assert_eq!(
                (e.status, e.code.as_str(), e.headers[0].0.as_str()),
                (415, "REST415", field),
                "{method} {target}"
            );
            assert!(e.headers[0].1.contains("text/csv"));
        }
    }

    #[test]
    fn arguments_come_as_members_fields_or_a_whole() {
        assert_eq!(given("", ""), CallArguments::Object(Vec::new()));
        assert_eq!(given("", r#"{"a":1}"#), CallArguments::Object(vec!["a".to_owned()]));
        assert_eq!(given("", "[1,2]"), CallArguments::Whole(JSON_TYPES));
        assert_eq!(given("text/plain", "a"), CallArguments::Whole(&["text"]));
        assert_eq!(given("application/octet-stream", "a"), CallArguments::Whole(&["bytea"]));
        assert_eq!(given("text/csv", "a\n1"), CallArguments::Fields(vec!["a".to_owned()]));
        assert_eq!(given("application/x-www-form-urlencoded", "a=1"), CallArguments::Query);
        assert!(read(Verb::Call, "text/csv", "", "/rpc/f", "a\n1\n2").unwrap().2);
    }

    #[test]
    fn columns_that_objects_leave_out_are_noted_where_they_get_defaults() {
        let noted = |prefer| match read(Verb::Create, "", prefer, "/t?columns=a,b,c", r#"[{"a":1,"b":2},{"a":3}]"#) {
            Ok((BodyShape::Rows(keys), ..)) => (keys.absent.join(","), keys.partial.join(",")),
            other => panic!("{other:?}"),
        };
        assert_eq!(noted("missing=default"), ("c".to_owned(), "b".to_owned()));
        assert_eq!(noted(""), (String::new(), String::new()));
    }
}
