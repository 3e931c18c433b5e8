//! Paths of functions: `/rpc/function`.

use super::{Parts, by_query, component, header, json_content, operation, parameter, response, schema};
use crate::http::target;
use crate::json_schema::of_table::{TypeUse, schema_of_type};
use crate::openapi::{Api, Function, Parameter};
use serde_json::{Map, Value, json};

/// Adds the path of the functions that share a name.
pub fn add(document: &mut Parts, api: &Api, overloads: &[Function]) {
    let Some(first) = overloads.first() else { return };
    let comment = overloads.iter().find_map(|f| f.comment.as_deref());
    let name = component(&first.name);
    let tag = "rpc";
    let mut item = Map::new();
    if overloads.iter().any(|f| !f.volatile) {
        let callable: Vec<&Function> = overloads.iter().filter(|f| !f.volatile && !takes_whole_body(f)).collect();
        if !callable.is_empty() {
            let mut get = operation(format!("call_by_get.{name}"), tag, comment);
            add_parameters(&mut get, query_parameters(api, &callable), overloads);
            get.insert("responses".to_owned(), responses(api, overloads));
            item.insert("get".to_owned(), get.into());
            item.insert("x-query".to_owned(), by_query());
        }
    }
    let mut post = operation(format!("call.{name}"), tag, comment);
    let is_write = overloads.iter().any(|function| function.volatile);
    let headers = is_write.then(|| parameter("rest.header.idempotency-key")).into_iter().collect();
    add_parameters(&mut post, headers, overloads);
    let content = bodies(api, overloads);
    if !content.is_empty() {
        let is_required = overloads.iter().all(|f| f.parameters.iter().any(|p| p.required));
        post.insert("requestBody".to_owned(), json!({ "required": is_required, "content": content }));
    }
    post.insert("responses".to_owned(), responses(api, overloads));
    item.insert("post".to_owned(), post.into());
    document.paths.insert(format!("/rpc/{}", target::encode(&first.name, b"")), item.into());
}

fn takes_whole_body(function: &Function) -> bool {
    matches!(function.parameters.as_slice(), [only] if only.name.is_empty())
}

pub(super) fn returns_rows(function: &Function) -> bool {
    function.returns_set && (function.relation.is_some() || !function.columns.is_empty())
}

fn add_parameters(operation: &mut Map<String, Value>, mut parameters: Vec<Value>, overloads: &[Function]) {
    if overloads.iter().any(returns_rows) {
        let taken: Vec<&str> = parameters.iter().filter_map(|p| p["name"].as_str()).collect();
        let page = ["select", "order", "limit", "offset"].iter().filter(|name| !taken.contains(name));
        let page: Vec<Value> = page.map(|name| parameter(&format!("rest.query.{name}"))).collect();
        parameters.extend(page);
    }
    if !parameters.is_empty() {
        operation.insert("parameters".to_owned(), parameters.into());
    }
}

/// The arguments of a call by GET: those of all overloads. An argument is required if all overloads require it.
fn query_parameters(api: &Api, overloads: &[&Function]) -> Vec<Value> {
    let mut parameters: Vec<Value> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for parameter in overloads.iter().flat_map(|f| &f.parameters) {
        if names.contains(&parameter.name.as_str()) {
            continue;
        }
        names.push(&parameter.name);
        let is_required = |f: &&Function| f.parameters.iter().any(|p| p.name == parameter.name && p.required);
        parameters.push(json!({
            "name": parameter.name,
            "in": "query",
            "required": overloads.iter().all(is_required),
            "schema": query_schema(api, parameter)
        }));
    }
    parameters
}

/// A scalar has its JSON type. Anything else is a text in PostgreSQL's notation.
pub(super) fn query_schema(api: &Api, parameter: &Parameter) -> Value {
    let schema = schema_of_type(parameter.data_type, api.types, false);
    let is_scalar = |schema: &Value| {
        let is_scalar = |t: &Value| matches!(t.as_str(), Some("string" | "integer" | "number" | "boolean"));
        match &schema["type"] {
            Value::Array(types) => types.iter().all(is_scalar),
            one => is_scalar(one),
        }
    };
    if parameter.variadic {
        // the parameter is repeated for each element
        return schema;
    }
    if is_scalar(&schema) { schema } else { json!({ "type": "string" }) }
}

/// The bodies of a call by POST, by media type.
fn bodies(api: &Api, overloads: &[Function]) -> Map<String, Value> {
    let mut schemas: Map<String, Value> = Map::new();
    for function in overloads {
        let (media, schema) = match function.parameters.as_slice() {
            [] if overloads.len() == 1 => continue,
            [only] if only.name.is_empty() => whole_body(api, only),
            named => ("application/json", arguments(api, &named.iter().collect::<Vec<_>>())),
        };
        let alternatives = schemas.entry(media).or_insert_with(|| json!([]));
        if let Value::Array(alternatives) = alternatives {
            alternatives.push(schema);
        }
    }
    schemas.into_iter().map(|(media, alternatives)| (media, json!({ "schema": any_of(alternatives) }))).collect()
}

fn whole_body(api: &Api, parameter: &Parameter) -> (&'static str, Value) {
    let of_type = api.types.by_oid.get(&parameter.data_type.type_oid);
    match of_type.map(|t| t.name.as_str()) {
        Some("text") => ("text/plain", json!({ "type": "string" })),
        Some("xml") => ("text/xml", json!({ "type": "string" })),
        Some("bytea") => ("application/octet-stream", json!({})),
        _ => ("application/json", json!({})),
    }
}

pub(super) fn arguments(api: &Api, parameters: &[&Parameter]) -> Value {
    let value = |p: &&Parameter| (p.name.clone(), schema_of_type(p.data_type, api.types, true));
    let properties: Map<String, Value> = parameters.iter().map(value).collect();
    let required: Vec<&str> = parameters.iter().filter(|p| p.required).map(|p| p.name.as_str()).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (false, Value::Object(members)) = (required.is_empty(), &mut schema) {
        members.insert("required".to_owned(), json!(required));
    }
    schema
}

pub(super) fn responses(api: &Api, overloads: &[Function]) -> Value {
    let mut results: Vec<Value> = Vec::new();
    let mut is_void = false;
    for function in overloads {
        match result(api, function) {
            None => is_void = true,
            Some(result) if !results.contains(&result) => results.push(result),
            Some(_) => {}
        }
    }
    let mut responses = Map::new();
    if !results.is_empty() {
        let mut ok = json!({ "description": "The result.", "content": json_content(&any_of(results.into())) });
        if let (true, Value::Object(members)) = (overloads.iter().any(returns_rows), &mut ok) {
            members.insert(
                "headers".to_owned(),
                json!({ "Content-Range": header("Content-Range"), "Link": header("Link") }),
            );
        }
        responses.insert("200".to_owned(), ok);
    }
    if is_void {
        responses.insert("204".to_owned(), json!({ "description": "Done." }));
    }
    responses.insert("default".to_owned(), response("Problem"));
    responses.into()
}

/// The schema of a function's result; `None` if it returns nothing.
fn result(api: &Api, function: &Function) -> Option<Value> {
    let of_type = |oid| schema_of_type(TypeUse::plain(oid), api.types, true);
    let row = function.relation.and_then(|oid| api.relation(oid));
    let one = if let Some(relation) = row {
        schema(&component(&relation.table.name))
    } else if function.columns.is_empty() {
        let returned = api.types.by_oid.get(&function.result);
        if returned.is_some_and(|t| t.schema == "pg_catalog" && t.name == "void") {
            return None;
        }
        of_type(function.result)
    } else {
        let value = |c: &crate::openapi::OutColumn| (c.name.clone(), of_type(c.data_type.type_oid));
        let properties: Map<String, Value> = function.columns.iter().map(value).collect();
        json!({ "type": "object", "properties": properties, "additionalProperties": false })
    };
    Some(if function.returns_set { json!({ "type": "array", "items": one }) } else { one })
}

fn any_of(alternatives: Value) -> Value {
    match alternatives {
        Value::Array(mut only) if only.len() == 1 => only.pop().unwrap_or_default(),
        several => json!({ "anyOf": several }),
    }
}
