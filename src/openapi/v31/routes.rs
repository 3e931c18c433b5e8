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
    describe_query(route, &mut parameters);
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
        described.insert("requestBody".to_owned(), with_example(body, route));
    }
    described.insert("responses".to_owned(), responses(api, route, function));
    if let Some(host) = &route.host {
        described.insert("servers".to_owned(), json!([{ "url": format!("//{host}") }]));
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

/// Describes query parameters by the JSON Schema of the query, which may require them, and by the example.
fn describe_query(route: &Route, parameters: &mut Vec<Value>) {
    let properties = route.query_schema.as_ref().and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let required = route.query_schema.as_ref().and_then(|schema| schema.get("required")).and_then(Value::as_array);
    for (name, schema) in properties.into_iter().flatten() {
        let is_it = |known: &Value| known["in"] == "query" && known["name"] == **name;
        let is_required = required.is_some_and(|names| names.iter().any(|required| required == name.as_str()));
        match parameters.iter_mut().find(|known| is_it(known)).and_then(Value::as_object_mut) {
            Some(known) => {
                known.insert("schema".to_owned(), schema.clone());
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

/// Adds the example of a body to what a request may have as its body.
fn with_example(mut body: Value, route: &Route) -> Value {
    if let (Some(example), Some(content)) = (
        route.example.as_ref().and_then(|example| example.get("body")),
        body.pointer_mut("/content/application~1json").and_then(Value::as_object_mut),
    ) {
        content.insert("example".to_owned(), example.clone());
    }
    body
}

/// The body of a request: an object or form of members, or a value as it is.
fn body(api: &Api, route: &Route, members: &[&Parameter], whole: Option<&Parameter>) -> Option<Value> {
    if let Some(schema) = &route.body_schema {
        return Some(json!({ "required": true, "content": json_content(schema) }));
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
    let form = json!({ "schema": { "type": "object" } });
    let mut content =
        json!({ "application/json": { "schema": schema }, "application/x-www-form-urlencoded": form.clone() });
    // A file cannot be a member of a JSON object.
    let is_file = |bound: &&crate::routing::arguments::Parameter| {
        matches!(bound.kind, Kind::File | Kind::Files | Kind::Bytea)
            && members.iter().any(|member| member.name == bound.name)
    };
    let files: Map<String, Value> = route
        .parameters
        .iter()
        .filter(is_file)
        .map(|bound| {
            let file = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
            let described = if bound.kind == Kind::Files { json!({ "type": "array", "items": file }) } else { file };
            let name = match &bound.source {
                Some(Source::Member(member)) => member.clone(),
                _ => bound.name.clone(),
            };
            (name, described)
        })
        .collect();
    if !files.is_empty() {
        let only_files = route.parameters.iter().any(|bound| matches!(bound.kind, Kind::File | Kind::Files));
        let multipart = json!({ "schema": { "type": "object", "properties": files } });
        if only_files {
            content = json!({ "multipart/form-data": multipart });
        } else if let Some(content) = content.as_object_mut() {
            content.insert("multipart/form-data".to_owned(), multipart);
        }
    }
    Some(json!({ "required": is_required, "content": content }))
}

/// The responses of a function. One that returns `restful.http_response` says itself what they are.
fn responses(api: &Api, route: &Route, function: &Function) -> Value {
    let returned = api.types.by_oid.get(&function.result);
    if returned.is_some_and(|t| t.schema == "restful" && t.name == "http_response") {
        return json!({ "default": { "description": "What the function answers, or an error." } });
    }
    let mut responses = functions::responses(api, std::slice::from_ref(function));
    if let Some(members) = responses.as_object_mut() {
        if let (Some(schema), Some(ok)) = (&route.result_schema, members.get_mut("200").and_then(Value::as_object_mut))
        {
            ok.insert("content".to_owned(), json_content(schema));
        }
        let problem = json!({
            "description": "The request does not fit the parameters of the route.",
            "content": { "application/problem+json": { "schema": schema("rest.problem") } }
        });
        members.insert("400".to_owned(), problem);
    }
    responses
}
