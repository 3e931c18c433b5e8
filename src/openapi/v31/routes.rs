//! Paths of routes, as they were declared.

use super::json_schemas::{self, Embedded};
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
    let id = format!("route.{}.{}", method.as_str().to_ascii_lowercase(), component(&path));
    describe_query(document, route, &id, &mut parameters);
    if functions::returns_rows(function) {
        parameters.extend(["select", "order", "limit", "offset"].map(|name| parameter(&format!("rest.query.{name}"))));
    }
    if !is_safe && function.volatile {
        parameters.push(parameter("rest.header.idempotency-key"));
    }
    let mut described = operation(id.clone(), route.group.as_deref().unwrap_or("routes"), function.comment.as_deref());
    if !parameters.is_empty() {
        described.insert("parameters".to_owned(), parameters.into());
    }
    if let Some(body) = (!is_safe).then(|| body(document, api, route, &id, &members, whole)).flatten() {
        described.insert("requestBody".to_owned(), with_example(body, route));
    }
    described.insert("responses".to_owned(), responses(document, api, route, &id, function));
    if let Some(host) = &route.host {
        described.insert("servers".to_owned(), json!([{ "url": format!("//{host}") }]));
    }
    if let Some(group) = &route.group {
        document.groups.entry((path.clone(), method)).or_insert_with(|| group.clone());
    }
    let item = document.paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(item) = item {
        // The description has one operation for a method and a path, whatever the host is.
        item.entry(method.as_str().to_ascii_lowercase()).or_insert(described.into());
        if method == Method::Get {
            item.insert("x-query".to_owned(), by_query());
        }
    }
}

/// Describes query parameters by the JSON Schema of the query, which may require them, and by the example. `id`: of the operation.
fn describe_query(document: &mut Parts, route: &Route, id: &str, parameters: &mut Vec<Value>) {
    let (properties, required) = match &route.query_schema {
        Some(schema) => Embedded::new(schema, format!("{id}.query")).members(document),
        None => Default::default(),
    };
    for (name, schema) in properties {
        let is_it = |known: &Value| known["in"] == "query" && known["name"] == name;
        let is_required = required.contains(&name);
        match parameters.iter_mut().find(|known| is_it(known)).and_then(Value::as_object_mut) {
            Some(known) => {
                known.insert("schema".to_owned(), schema);
                if is_required {
                    known.insert("required".to_owned(), true.into());
                }
            }
            None => parameters.push(json!({ "name": name, "in": "query", "required": is_required, "schema": schema })),
        }
    }
    let example = route.example.as_ref().and_then(|example| example.get("query")).and_then(Value::as_object);
    for (name, value) in example.into_iter().flatten() {
        let known = parameters.iter_mut().find(|known| known["in"] == "query" && known["name"] == **name);
        if let Some(known) = known.and_then(Value::as_object_mut) {
            known.insert("example".to_owned(), value.clone());
        }
    }
}

/// Adds the example of a body to what a request may have as its body: to JSON, or to a form if it has to be one.
fn with_example(mut body: Value, route: &Route) -> Value {
    let example = route.example.as_ref().and_then(|example| example.get("body"));
    if let (Some(example), Some(content)) = (example, body.get_mut("content").and_then(Value::as_object_mut)) {
        let media = ["application/json", "multipart/form-data"].into_iter().find(|media| content.contains_key(*media));
        if let Some(content) = media.and_then(|media| content.get_mut(media)).and_then(Value::as_object_mut) {
            content.insert("example".to_owned(), example.clone());
        }
    }
    body
}

/// The body of a request: an object or form of members, or a value as it is.
fn body(
    document: &mut Parts,
    api: &Api,
    route: &Route,
    id: &str,
    members: &[&Parameter],
    whole: Option<&Parameter>,
) -> Option<Value> {
    if let Some(schema) = &route.body_schema {
        let schema = Embedded::new(schema, format!("{id}.body")).whole(document);
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
    let bound = |member: &Parameter| route.parameters.iter().find(|bound| bound.name == member.name);
    let kind = |member: &Parameter| bound(member).map_or(Kind::Scalar, |bound| bound.kind);
    let is_file = |member: &Parameter| matches!(kind(member), Kind::File | Kind::Files);
    let takes_bytes = |member: &Parameter| is_file(member) || kind(member) == Kind::Bytea;
    // A file is no member of a JSON object.
    let texts: Vec<&Parameter> = members.iter().copied().filter(|member| !is_file(member)).collect();
    let mut content = Map::new();
    if !members.iter().any(|member| is_file(member) && member.required) {
        let object = json!({ "schema": named(functions::arguments(api, &texts), route) });
        content.insert("application/json".to_owned(), object.clone());
        content.insert("application/x-www-form-urlencoded".to_owned(), object);
    }
    if members.iter().any(|member| takes_bytes(member)) {
        let mut form = functions::arguments(api, members);
        if let Some(properties) = form.get_mut("properties").and_then(Value::as_object_mut) {
            for member in members.iter().filter(|member| takes_bytes(member)) {
                properties.insert(member.name.clone(), json_schemas::file(kind(member) == Kind::Files));
            }
        }
        content.insert("multipart/form-data".to_owned(), json!({ "schema": named(form, route) }));
    }
    Some(json!({ "required": members.iter().any(|p| p.required), "content": content }))
}

/// The schema of an object whose members are parameters. A member may have another name than its parameter.
fn named(mut schema: Value, route: &Route) -> Value {
    let name = |parameter: &str| {
        let bound = route.parameters.iter().find(|bound| bound.name == parameter);
        match bound.and_then(|bound| bound.source.as_ref()) {
            Some(Source::Member(member)) => member.clone(),
            _ => parameter.to_owned(),
        }
    };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        *properties =
            std::mem::take(properties).into_iter().map(|(parameter, value)| (name(&parameter), value)).collect();
    }
    for required in schema.get_mut("required").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(parameter) = required.as_str() {
            *required = name(parameter).into();
        }
    }
    schema
}

/// The responses of a function. One that returns `restful.http_response` says itself what they are.
fn responses(document: &mut Parts, api: &Api, route: &Route, id: &str, function: &Function) -> Value {
    let returned = api.types.by_oid.get(&function.result);
    if returned.is_some_and(|t| t.schema == "restful" && t.name == "http_response") {
        return json!({ "default": { "description": "What the function answers, or an error." } });
    }
    let mut responses = functions::responses(api, std::slice::from_ref(function));
    if let Some(members) = responses.as_object_mut() {
        if let Some(ok) = members.get_mut("200").and_then(Value::as_object_mut) {
            if let Some(schema) = &route.result_schema {
                let schema = Embedded::new(schema, format!("{id}.result")).whole(document);
                ok.insert("content".to_owned(), json_content(&schema));
            }
            let example = route.example.as_ref().and_then(|example| example.get("result"));
            let content = ok.get_mut("content").and_then(|content| content.get_mut("application/json"));
            if let (Some(example), Some(content)) = (example, content.and_then(Value::as_object_mut)) {
                content.insert("example".to_owned(), example.clone());
            }
        }
        let problem = json!({
            "description": "The request does not fit the parameters of the route.",
            "content": { "application/problem+json": { "schema": schema("rest.problem") } }
        });
        members.insert("400".to_owned(), problem);
    }
    responses
}
