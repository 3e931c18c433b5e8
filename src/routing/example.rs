//! The example of a route, as the request that it stands for. Pure.

use super::arguments::{Kind, Parameter, Source, arguments};
use super::pattern::{Pattern, Segment};
use super::query_schema::QuerySchema;
use super::table::Captured;
use crate::error::Error;
use crate::http::{Headers, Request, target};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// What a route makes of its example.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tried {
    /// What the route refuses, in words.
    pub faults: Vec<String>,
    /// The arguments whose values the example has.
    pub arguments: Map<String, Value>,
    /// The query parameters that are not arguments.
    pub rest: Vec<String>,
    /// The query as its JSON Schema takes it.
    pub query: Option<Value>,
}

/// Tries an example, an object with `query` and `body`. `parameters`: those of the function. Values of the path, of header fields and of cookies, and
/// files, are not part of an example.
pub fn tried(
    pattern: &Pattern,
    parameters: &[Parameter],
    example: &Map<String, Value>,
    schema: Option<&QuerySchema>,
) -> Tried {
    let mut tried = Tried::default();
    let in_path =
        |name: &str| pattern.segments.iter().any(|s| matches!(s, Segment::Parameter(known, _) if known == name));
    let is_elsewhere = |p: &Parameter| {
        in_path(&p.name)
            || matches!(p.source, Some(Source::Header(_) | Source::Cookie(_)))
            || matches!(p.kind, Kind::File | Kind::Files | Kind::Request)
    };
    let asked: Vec<Parameter> =
        parameters.iter().map(|p| Parameter { required: p.required && !is_elsewhere(p), ..p.clone() }).collect();
    let captured: Vec<(&str, Captured)> =
        asked.iter().filter(|p| in_path(&p.name)).map(|p| (p.name.as_str(), Cow::Borrowed(""))).collect();

    let mut query: Vec<target::Parameter> = Vec::new();
    for (name, value) in example.get("query").and_then(Value::as_object).into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            match value {
                Value::Null => tried.faults.push(format!("query: {name} is null, which a query cannot say")),
                Value::String(text) => query.push((name.as_str().into(), Some(text.as_str().into()))),
                value => query.push((name.as_str().into(), Some(value.to_string().into()))),
            }
        }
    }
    tried.query = schema.map(|schema| schema.object(&query));

    let takes_bytes = asked.iter().any(|p| p.source == Some(Source::Body) && p.kind != Kind::Json);
    let body = example.get("body").map(|body| match body {
        Value::String(text) if takes_bytes => text.clone(),
        body => body.to_string(),
    });
    let headers: Headers = [("content-type", "application/json")].into_iter().collect();
    let bound = Request::parse(pattern.method.as_str(), "/", &headers, body.as_deref().map(str::as_bytes)).and_then(
        |mut request| {
            request.target.parameters = query;
            let arguments = arguments(&asked, &captured, &request)?;
            let rest = arguments.rest.iter().map(|(name, _)| name.to_string()).collect();
            Ok((serde_json::from_slice::<Map<String, Value>>(&arguments.object).unwrap_or_default(), rest))
        },
    );
    match bound {
        Ok((arguments, rest)) => {
            let is_given = |(name, _): &(String, Value)| !parameters.iter().any(|p| p.name == *name && is_elsewhere(p));
            tried.arguments = arguments.into_iter().filter(is_given).collect();
            tried.rest = rest;
        }
        Err(refused) => tried.faults.extend(told(&refused)),
    }
    tried
}

/// What an error says, in lines.
fn told(refused: &Error) -> Vec<String> {
    let of_body = |e: &crate::error::Invalid| {
        let member = e.pointer.strip_prefix('/').unwrap_or(&e.pointer);
        match e.violation.keyword.as_str() {
            "additionalProperties" => format!("body: no parameter takes {member}"),
            _ => format!("body: {member} is missing"),
        }
    };
    let mut told: Vec<String> = refused.errors.iter().map(of_body).collect();
    told.extend(refused.details.as_ref().and_then(Value::as_str).map(str::to_owned));
    if told.is_empty() {
        told.push(refused.message.clone());
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parameter(name: &str, kind: Kind, required: bool, source: Option<&str>) -> Parameter {
        let source = source.map(|s| Source::try_from(s.to_owned()).unwrap());
        Parameter { name: name.to_owned(), kind, required, source }
    }

    fn faults(pattern: &str, parameters: &[Parameter], example: Value) -> Vec<String> {
        let pattern = Pattern::parse(pattern, |_| Some("int4".to_owned())).unwrap();
        tried(&pattern, parameters, example.as_object().unwrap(), None).faults
    }

    #[test]
    fn an_example_is_refused_as_the_request_is() {
        let parameters = [
            parameter("id", Kind::Scalar, true, None),
            parameter("qty", Kind::Scalar, true, None),
            parameter("agent", Kind::Scalar, true, Some("header:user-agent")),
            parameter("page", Kind::Scalar, false, Some("query")),
        ];
        let found = |example| faults("POST /orders/{id}", &parameters, example);
        assert!(found(json!({ "body": { "qty": 1 }, "query": { "page": 2 } })).is_empty());
        assert_eq!(found(json!({})), ["body: qty is missing"]);
        assert_eq!(found(json!({ "body": { "qty": 1, "id": 7 } })), ["body: no parameter takes id"]);
        assert_eq!(found(json!({ "body": { "qty": 1, "agent": "x" } })), ["body: no parameter takes agent"]);
        assert_eq!(
            found(json!({ "body": { "qty": 1 }, "query": { "page": [1, 2] } })),
            ["The query parameter page is given several times."]
        );
        assert_eq!(
            found(json!({ "body": { "qty": 1 }, "query": { "page": null } })),
            ["query: page is null, which a query cannot say"]
        );
        assert_eq!(found(json!({ "body": [1] })).len(), 2);
    }

    #[test]
    fn what_the_function_is_called_with_is_told() {
        let pattern = Pattern::parse("GET /x/{id}", |_| Some("int4".to_owned())).unwrap();
        let parameters = [
            parameter("id", Kind::Scalar, true, None),
            parameter("tags", Kind::Array, false, None),
            parameter("options", Kind::Json, false, None),
        ];
        let example = json!({ "query": { "tags": ["a", "b"], "options": { "x": 1 }, "limit": 5 } });
        let schema = QuerySchema::new(json!({ "properties": { "limit": { "minimum": 1 } } }), Default::default());
        let tried = tried(&pattern, &parameters, example.as_object().unwrap(), Some(&schema));
        assert_eq!(Value::Object(tried.arguments), json!({ "tags": ["a", "b"], "options": { "x": 1 } }));
        assert_eq!(tried.rest, ["limit"]);
        assert_eq!(tried.query.unwrap()["limit"], json!(5));
    }
}
