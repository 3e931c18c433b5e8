use super::*;
use crate::http::response::Body;
use crate::http::target::Target;
use crate::http::{Request, Response};
use crate::route::{Resource, Route, Surface, route};
use serde_json::{Value as Json, json};
use std::rc::Rc;

fn place(error: &crate::error::Error) -> Option<(usize, String)> {
    error.index.zip(error.pointer.clone())
}

fn read(batch: &Json) -> std::result::Result<usize, (String, Option<(usize, String)>)> {
    let text = batch.to_string();
    let read = Batch::read(text.as_bytes(), 10);
    read.map(|batch| batch.requests.len()).map_err(|error| (error.code.clone(), place(&error)))
}

/// The last request of a batch, given the answers to those before it.
fn resolve(batch: &Json, answers: &[Json]) -> Result<(String, Option<String>)> {
    let text = batch.to_string();
    let read = Batch::read(text.as_bytes(), 10)?;
    let (mut all, mut places) = (String::new(), Vec::new());
    for answer in answers {
        let start = all.len();
        all.push_str(&answer.to_string());
        places.push(start..all.len());
    }
    let mut followed = 0;
    let mut answers = Answers::new(all.as_bytes(), &places, &mut followed);
    let resolved = read.requests.last().unwrap().resolve(&mut answers, &Headers::default(), 1000)?;
    Ok((resolved.target, resolved.body.map(|body| String::from_utf8(body.into_owned()).unwrap())))
}

#[test]
fn a_batch_is_an_array_of_requests() {
    assert_eq!(read(&json!([])), Ok(0));
    assert_eq!(read(&json!([{"method": "GET", "target": "/t"}, {"target": "/t", "method": "GET", "id": "b"}])), Ok(2));
    let at = |index: usize, pointer: &str| Some((index, pointer.to_owned()));
    let get = json!({"method": "GET", "target": "/t"});
    for (batch, place) in [
        (json!({}), None),
        (json!(1), None),
        (json!([get, []]), at(1, "/1")),
        (json!([get, {"method": "GET"}]), at(1, "/1")),
        (json!([{"method": "GET", "target": "/t", "~/": 1}]), at(0, "/0/~0~1")),
        (json!([{"method": "GET", "target": "/t", "id": "07"}]), at(0, "/0/id")),
        (json!([get, {"method": "GET", "target": "/t", "key": [{"$ref": "1/body"}]}]), at(1, "/1/key/0")),
        (json!([get, {"method": "GET", "target": "/t", "where": {"a": {"$ref": "00/body"}}}]), at(1, "/1/where/a")),
        (
            json!([get, {"method": "GET", "target": "/t", "where": {"a": {"$ref": "0/body", "b": 1}}}]),
            at(1, "/1/where/a"),
        ),
        (
            json!([{"method": "GET", "target": "/t", "headers": {"authorization": "x"}}]),
            at(0, "/0/headers/authorization"),
        ),
    ] {
        assert_eq!(read(&batch), Err(("REST440".to_owned(), place)), "{batch}");
    }
    let many: Vec<Json> = std::iter::repeat_n(get, 11).collect();
    assert_eq!(read(&many.into()), Err(("REST431".to_owned(), None)));
}

#[test]
fn references_are_replaced_by_values() {
    let answer = json!({"status": 201, "headers": {"a/b": "x"}, "body": [{"id": 7, "t": "q\"", "n": [1, null]}]});
    let first = json!({"id": "f", "method": "GET", "target": "/t"});
    let body = |body: Json| {
        let resolved =
            resolve(&json!([first, {"method": "POST", "target": "/t", "body": body}]), std::slice::from_ref(&answer));
        resolved.map(|(_, body)| serde_json::from_str::<Json>(&body.unwrap()).unwrap())
    };
    for (given, made) in [
        (json!({"a": {"$ref": "0/body/0/id"}}), json!({"a": 7})),
        (json!([{"$ref": "f/body/0/t"}, {"$ref": "0/status"}, {"$ref": "0/headers/a~1b"}]), json!(["q\"", 201, "x"])),
        (json!({"$ref": "0/body"}), answer["body"].clone()),
        (
            json!({"a": [[{"b": {"$ref": "0/body/0/n/1"}}], {}, []], "$": 1}),
            json!({"a": [[{"b": null}], {}, []], "$": 1}),
        ),
        (json!({"$literal": {"$ref": "9/x"}}), json!({"$ref": "9/x"})),
        (json!({"a": {"$literal": {"$literal": 1}}}), json!({"a": {"$literal": 1}})),
    ] {
        assert_eq!(body(given.clone()), Ok(made), "{given}");
    }
    for (given, pointer) in [
        (json!({"a": {"$ref": "0/body/1"}}), "/1/body/a"),
        (json!([1, {"$ref": "0/body/0/x"}]), "/1/body/1"),
        (json!({"$ref": "0/body/00"}), "/1/body"),
        (json!({"$ref": "0/body/-"}), "/1/body"),
        (json!({"$ref": "0/status/0"}), "/1/body"),
    ] {
        let error = body(given.clone()).unwrap_err();
        assert_eq!((error.code.as_str(), place(&error)), ("REST440", Some((1, pointer.to_owned()))), "{given}");
    }
    // names may be written with escapes
    let text = r#"[{"method":"GET","target":"/t"},{"method":"POST","target":"/t","body":{"\u0024ref":"0/body/0/id"}}]"#;
    let batch = Batch::read(text.as_bytes(), 10).unwrap();
    assert!(matches!(batch.requests[1].body, Content::WithReferences(..)));
}

#[test]
fn a_body_that_grows_too_large_is_refused() {
    let answer = json!({"status": 200, "body": "x".repeat(400)});
    let batch = json!([{"method": "GET", "target": "/t"}, {"method": "POST", "target": "/t", "body": [{"$ref": "0/body"}, {"$ref": "0/body"}, {"$ref": "0/body"}]}]);
    let error = resolve(&batch, &[answer]).unwrap_err();
    assert_eq!((error.status, place(&error)), (413, Some((1, "/1/body/2".to_owned()))));
}

#[test]
fn numbers_keep_their_digits() {
    let text = r#"[{"method":"POST","target":"/t","body":{"n": 12345678901234567890.10, "e":1e2}}]"#;
    let batch = Batch::read(text.as_bytes(), 1).unwrap();
    let mut followed = 0;
    let resolved =
        batch.requests[0].resolve(&mut Answers::new(b"", &[], &mut followed), &Headers::default(), 1000).unwrap();
    assert_eq!(resolved.body.as_deref(), Some(br#"{"n": 12345678901234567890.10, "e":1e2}"#.as_slice()));
}

#[test]
fn values_of_targets_come_back_as_they_were() {
    let odd = [
        "", "1", "a,b", "\"", "\"a\"", "\\", "a\\,\"", "eq.1", "a&b=c", "%41+ ", "/", "?", "#", "é", "null", "*",
        "(a)", "'",
    ];
    let headers = Headers::default();
    for first in odd {
        for second in odd {
            let batch = json!([{"method": "GET", "target": "/t?select=a", "key": [first, second], "where": {first: second, "select": first}}]);
            let (text, _) = resolve(&batch, &[]).unwrap();
            let request = Request::parse("GET", &text, &headers, None).unwrap();
            let surface = Surface { schemas: Rc::new(["api".into()]), ..Surface::default() };
            let Ok(Route::Action(action)) = route(&request, &surface) else { panic!("{text}") };
            let key = vec![first.to_owned(), second.to_owned()];
            assert_eq!(action.resource, Resource::Item { relation: "t".into(), key }, "{text}");
            let filters = Target::parse(&text).unwrap().parameters;
            if first.is_empty() {
                // a column has a name
                continue;
            }
            let query = crate::query::parse(&filters, false).unwrap();
            let found: Vec<String> = query.root.conditions.iter().map(|condition| format!("{condition:?}")).collect();
            assert_eq!(found.len(), 2, "{text}");
            assert!(
                found[0].contains(&format!("name: {first:?}")) && found[1].contains("name: \"select\""),
                "{found:?}"
            );
            let texts: Vec<String> = query.values.iter().map(|value| format!("{value:?}")).collect();
            assert_eq!(texts, [format!("Text({second:?})"), format!("Text({first:?})")]);
        }
    }
    let target = |request: Json| resolve(&json!([request]), &[]).map(|(target, _)| target);
    let with = |key: Json| target(json!({"method": "GET", "target": "/t", "key": key}));
    assert_eq!(with(json!([1, true, 1.50])).as_deref(), Ok("/t/1,true,1.5"));
    assert!(with(json!([null])).is_err() && with(json!([[1]])).is_err());
    let filters = json!({"method": "GET", "target": "/t?", "where": {"a": null, "b": 1}});
    assert_eq!(target(filters).as_deref(), Ok("/t?%22a%22=is.null&%22b%22=eq.1"));
}

#[test]
fn fields_about_who_asks_are_those_of_the_batch() {
    let outer: Headers = [
        ("cookie", "a=b"),
        ("x-way", "1"),
        ("accept", "a"),
        ("prefer", "tx=rollback"),
        ("accept-profile", "p"),
        ("content-profile", "q"),
        ("content-type", "application/json"),
        ("content-length", "9"),
        ("idempotency-key", "k"),
        ("if-match", "x"),
    ]
    .into_iter()
    .collect();
    let text = r#"[{"method":"GET","target":"/t","headers":{"Accept":"b","Accept-Profile":"own"}}]"#;
    let batch = Batch::read(text.as_bytes(), 1).unwrap();
    let mut followed = 0;
    let resolved = batch.requests[0].resolve(&mut Answers::new(b"", &[], &mut followed), &outer, 1000).unwrap();
    let fields: Vec<(&str, &str)> = resolved.headers.iter().collect();
    assert_eq!(
        fields,
        [("cookie", "a=b"), ("x-way", "1"), ("content-profile", "q"), ("accept", "b"), ("accept-profile", "own")]
    );
}

#[test]
fn answers_hold_json_text_or_bytes() {
    let written = |content_type: &'static str, body: &[u8]| {
        let response = Response::new(200, Body::Bytes(body.to_vec()))
            .header("content-type", content_type)
            .header("a", "1")
            .header("a", "2");
        let mut out = Vec::new();
        write_answer(&response, None, &mut |bytes| out.extend_from_slice(bytes));
        serde_json::from_slice::<Json>(&out).unwrap()
    };
    assert_eq!(written("application/json; charset=utf-8", b"[1]")["body"], json!([1]));
    assert_eq!(written("application/geo+json", b"{}")["headers"]["a"], json!(["1", "2"]));
    assert_eq!(written("application/json", b"no json")["body"], "no json");
    assert_eq!(written("application/x-ndjson", b"1")["body"], "1");
    assert_eq!(written("text/csv", b"a\n\"b\"")["body"], "a\n\"b\"");
    assert_eq!(written("image/png", b"\xff\x00")["base64"], "/wA=");
    let mut out = Vec::new();
    write_answer(&Response::new(204, Body::Empty), None, &mut |bytes| out.extend_from_slice(bytes));
    assert_eq!(out, br#"{"status":204,"headers":{}}"#);
}
