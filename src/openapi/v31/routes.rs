//! Paths of routes, as they were declared.

use super::{Parts, by_query, component, functions, json_content, operation, parameter, schema};
use crate::http::{Method, target};
use crate::openapi::{Api, Function, Parameter, Route};
use crate::routing::arguments::{Kind, Source};
use crate::routing::pattern::{Converter, Segment};
use serde_json::{Map, Value, json};

/// Adds a route, if the role may call its function.
pub fn add(document: &mut Parts, api: &Api, route: &Route) {
    let Some(function) = api.schema.functions.iter().find(|function| function.oid == route.function) else { return };
    let method = route.pattern.method;
    let is_safe = method.is_safe();
    let mut path = String::new();
    let mut parameters: Vec<Value> = Vec::new();
    for segment in &route.pattern.segments {
        path.push('/');
        match segment {
            Segment::Literal(text) => target::encode_into(&mut path, text, b""),
            Segment::Parameter(name, converter) => {
                path.push_str(&format!("{{{name}}}"));
                let known = function.parameters.iter().find(|p| p.name == *name);
                let mut described = json!({
                    "name": name, "in": "path", "required": true,
                    "schema": known.map_or_else(|| json!({ "type": "string" }), |p| functions::query_schema(api, p))
                });
                if let (Converter::Path, Value::Object(members)) = (converter, &mut described) {
                    members.insert("description".to_owned(), "The rest of the path, slashes included.".into());
                }
                parameters.push(described);
            }
        }
    }
    let is_in_path =
        |name: &str| route.pattern.segments.iter().any(|s| matches!(s, Segment::Parameter(known, _) if known == name));
    let (mut members, mut whole): (Vec<&Parameter>, Option<&Parameter>) = (Vec::new(), None);
    for bound in route.parameters.iter().filter(|bound| !is_in_path(&bound.name)) {
        let Some(known) = function.parameters.iter().find(|p| p.name == bound.name) else { continue };
        let mut add = |place: &str, name: &str| {
            let schema = match bound.kind {
                Kind::Array => json!({ "type": "array", "items": { "type": "string" } }),
                _ => functions::query_schema(api, known),
            };
            parameters.push(json!({ "name": name, "in": place, "required": bound.required, "schema": schema }));
        };
        match &bound.source {
            _ if bound.kind == Kind::Request => whole = whole.or(Some(known)),
            Some(Source::Query(named)) => add("query", named.as_deref().unwrap_or(&bound.name)),
            Some(Source::Header(field)) => add("header", field),
            Some(Source::Cookie(cookie)) => add("cookie", cookie),
            Some(Source::Body) => whole = Some(known),
            Some(Source::Member(_)) => members.push(known),
            None if is_safe => add("query", &bound.name),
            None => members.push(known),
        }
    }
    if functions::returns_rows(function) {
        parameters.extend(["select", "order", "limit", "offset"].map(|name| parameter(&format!("rest.query.{name}"))));
    }
    if !is_safe && function.volatile {
        parameters.push(parameter("rest.header.idempotency-key"));
    }
    let id = format!("route.{}.{}", method.as_str().to_ascii_lowercase(), component(&path));
    let mut described = operation(id, "routes", function.comment.as_deref());
    if !parameters.is_empty() {
        described.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = (!is_safe).then(|| body(api, route, &members, whole)).flatten() {
        described.insert("requestBody".to_owned(), body);
    }
    described.insert("responses".to_owned(), responses(api, function));
    let item = document.paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(item) = item {
        item.insert(method.as_str().to_ascii_lowercase(), described.into());
        if method == Method::Get {
            item.insert("x-query".to_owned(), by_query());
        }
    }
}

/// The body of a request: an object or form of members, or a value as it is.
fn body(api: &Api, route: &Route, members: &[&Parameter], whole: Option<&Parameter>) -> Option<Value> {
    if let Some(schema) = &route.body_schema {
        // What is registered has no address that clients could follow.
        let schema = if schema.to_string().contains("\"restful:") { json!({}) } else { schema.clone() };
        return Some(json!({ "required": true, "content": json_content(&schema) }));
    }
    if let Some(whole) = whole {
        let bound = route.parameters.iter().find(|bound| bound.name == whole.name);
        let content = match bound.map(|bound| bound.kind) {
            Some(Kind::Json) => json!({ "application/json": {} }),
            _ => json!({ "*/*": {} }),
        };
        return Some(json!({ "required": whole.required, "content": content }));
    }
    if members.is_empty() {
        return None;
    }
    // A member may have another name than the parameter.
    let mut schema = functions::arguments(api, members);
    for bound in &route.parameters {
        if let (Some(Source::Member(member)), Some(properties)) =
            (&bound.source, schema.get_mut("properties").and_then(Value::as_object_mut))
            && let Some(value) = properties.remove(&bound.name)
        {
            properties.insert(member.clone(), value);
        }
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        for name in required {
            let bound = route.parameters.iter().find(|bound| Some(bound.name.as_str()) == name.as_str());
            if let Some(Source::Member(member)) = bound.and_then(|bound| bound.source.as_ref()) {
                *name = member.as_str().into();
            }
        }
    }
    let is_required = members.iter().any(|p| p.required);
    let content = json!({
        "application/json": { "schema": schema }, "application/x-www-form-urlencoded": { "schema": { "type": "object" } }
    });
    Some(json!({ "required": is_required, "content": content }))
}

/// The responses of a function. One that returns `restful.http_response` says itself what they are.
fn responses(api: &Api, function: &Function) -> Value {
    let returned = api.types.by_oid.get(&function.result);
    if returned.is_some_and(|t| t.schema == "restful" && t.name == "http_response") {
        return json!({ "default": { "description": "What the function answers, or an error." } });
    }
    let mut responses = functions::responses(api, std::slice::from_ref(function));
    if let Some(members) = responses.as_object_mut() {
        let problem = json!({
            "description": "The request does not fit the parameters of the route.",
            "content": { "application/problem+json": { "schema": schema("rest.problem") } }
        });
        members.insert("400".to_owned(), problem);
    }
    responses
}
