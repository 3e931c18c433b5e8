//! OpenAPI 3.1.
//!
//! Each row type has one schema, which is made as `restful.schema_of` makes it. Bodies that change some columns refer to its
//! properties. Names of components consist of letters, digits and hyphens, with a full stop between joined names, so that no two
//! are the same.

mod batch;
mod functions;
mod hooks;
mod json_schemas;
mod nested;
mod relations;
mod routes;

use super::{Api, summary};
use crate::http::Method;
use crate::json::pointer;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

pub fn document(api: &Api) -> Value {
    let (title, description) = summary(api.schema.comment.as_deref());
    let mut info = Map::new();
    info.insert("title".to_owned(), title.unwrap_or(&api.schema.schema).into());
    if let Some(description) = description {
        info.insert("description".to_owned(), description.into());
    }
    info.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());

    let mut document = Parts::default();
    document.paths.insert("/".to_owned(), root());
    for relation in &api.relations {
        relations::add(&mut document, relation, api);
    }
    for overloads in api.functions() {
        functions::add(&mut document, api, overloads);
    }
    for route in api.routes {
        routes::add(&mut document, api, route);
    }
    if let Some(most) = api.settings.batch_requests {
        document.paths.insert(format!("/{}", crate::route::BATCH), batch::path(most));
        document.schemas.extend(batch::schemas());
    }
    let Parts { mut paths, mut schemas, mut parameters, groups } = document;
    hooks::tell(&mut paths, &groups, api.hooks);
    schemas.extend(shared_schemas());
    parameters.extend(shared_parameters());
    let token = json!({ "bearer": [] });
    let mut schemes = json!({ "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT" } });
    if let (Some(issuer), Some(schemes)) = (&api.settings.oauth_issuer, schemes.as_object_mut()) {
        let url = format!("{}/oauth/token", issuer.trim_end_matches('/'));
        let flows = json!({ "clientCredentials": { "tokenUrl": url, "scopes": {} } });
        schemes.insert("oauth2".to_owned(), json!({ "type": "oauth2", "flows": flows }));
    }
    json!({
        "openapi": "3.1.1",
        "info": info,
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{ "url": api.settings.server.as_deref().unwrap_or("/") }],
        "security": if api.settings.security_active { json!([token]) } else { json!([{}, token]) },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "parameters": parameters,
            "requestBodies": shared_bodies(),
            "responses": shared_responses(),
            "headers": {
                "Content-Range": {
                    "description": "The returned rows, counted from 0, and after the slash the total, if it was counted.",
                    "schema": { "type": "string" },
                    "example": "0-24/3573"
                },
                "Link": {
                    "description": "The first, previous, next and last page, as far as they are known (RFC 8288).",
                    "schema": { "type": "string" },
                    "example": "<?limit=25>; rel=\"first\", <?limit=25&offset=25>; rel=\"next\""
                },
                "ETag": {
                    "description": "The version of the row, for If-Match and If-None-Match.",
                    "schema": { "type": "string" },
                    "example": "\"h5aYpdHpt2TPpbZg\""
                },
                "Location": {
                    "description": "The created row, as a filter on its primary key.",
                    "schema": { "type": "string", "format": "uri-reference" }
                }
            },
            "securitySchemes": schemes
        }
    })
}

/// The parts of the document that grow with the API.
#[derive(Default)]
struct Parts {
    paths: Map<String, Value>,
    schemas: Map<String, Value>,
    parameters: Map<String, Value>,
    /// The groups of operations that are routes, by path and method.
    groups: HashMap<(String, Method), String>,
}

/// A name as part of a component's name: characters other than letters, digits and underscores become a hyphen and two hexadecimal
/// digits per byte.
fn component(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for b in name.bytes() {
        match b {
            b if b.is_ascii_alphanumeric() || b == b'_' => out.push(char::from(b)),
            b => out.push_str(&format!("-{b:02X}")),
        }
    }
    out
}

/// A reference into the document: a JSON Pointer (RFC 6901) as a fragment of a URI.
fn reference(path: &[&str]) -> Value {
    let mut text = "#".to_owned();
    for step in path {
        text.push('/');
        crate::http::target::encode_into(&mut text, &pointer::escape(step), b"");
    }
    json!({ "$ref": text })
}

fn parameter(name: &str) -> Value {
    reference(&["components", "parameters", name])
}

fn schema(name: &str) -> Value {
    reference(&["components", "schemas", name])
}

fn response(name: &str) -> Value {
    reference(&["components", "responses", name])
}

fn json_content(schema: &Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

/// The first members of an operation: its tag, the comment on its object, and its name.
fn operation(id: String, tag: &str, comment: Option<&str>) -> Map<String, Value> {
    let (summary, description) = summary(comment);
    let mut operation = Map::new();
    operation.insert("operationId".to_owned(), id.into());
    operation.insert("tags".to_owned(), json!([tag]));
    for (member, text) in [("summary", summary), ("description", description)] {
        if let Some(text) = text {
            operation.insert(member.to_owned(), text.into());
        }
    }
    operation
}

fn root() -> Value {
    let object = json!({ "schema": { "type": "object" } });
    json!({ "get": {
        "operationId": "describe",
        "tags": ["/"],
        "summary": "This document",
        "responses": {
            "200": {
                "description": "The part of the API that the role of the request may use.",
                "content": {
                    "application/openapi+json; version=3.1": object,
                    "application/openapi+json; version=2.0": object,
                    "application/json": object
                }
            },
            "default": response("Problem")
        }
    } })
}

fn shared_responses() -> Value {
    json!({
        "Problem": {
            "description": "The request was refused or failed.",
            "content": { "application/problem+json": { "schema": schema("rest.problem") } }
        },
        "Not-Modified": {
            "description": "The row still has the version that If-None-Match names.",
            "headers": { "ETag": header("ETag") }
        },
        "Precondition-Failed": {
            "description": "The row does not have the version that If-Match names; nothing was changed.",
            "content": { "application/problem+json": { "schema": schema("rest.problem") } }
        },
        "Precondition-Required": {
            "description": "The relation requires If-Match.",
            "content": { "application/problem+json": { "schema": schema("rest.problem") } }
        },
        "Changed": { "description": "Done.", "headers": { "Content-Range": header("Content-Range") } }
    })
}

/// The parameters of a read as the body of a QUERY (RFC 10008), which OpenAPI 3.1 has no place for: path items refer to it as `x-query`.
fn shared_bodies() -> Value {
    json!({
        "rest.query": {
            "description": "The parameters of the GET that means the same.",
            "required": true,
            "content": {
                "application/x-www-form-urlencoded": { "schema": { "type": "object" } },
                "application/json": {
                    "schema": { "type": "object" },
                    "example": { "select": "id", "id": { "in": [1, 2, 3] }, "limit": 10 }
                }
            }
        }
    })
}

/// Tells that a path takes QUERY.
fn by_query() -> Value {
    json!({ "requestBody": reference(&["components", "requestBodies", "rest.query"]) })
}

fn header(name: &str) -> Value {
    reference(&["components", "headers", name])
}

fn shared_schemas() -> Map<String, Value> {
    let text = json!({ "type": ["string", "null"] });
    let mut schemas = Map::new();
    schemas.insert(
        "rest.problem".to_owned(),
        json!({
            "description": "A problem document (RFC 9457), with the code and the texts of PostgreSQL, or of the stage that refused the request.",
            "type": "object",
            "properties": {
                "type": { "type": "string", "format": "uri-reference" },
                "title": { "type": "string" },
                "status": { "type": "integer" },
                "instance": { "type": "string" },
                "code": { "description": "PGRSTnnn, RESTnnn or an SQLSTATE.", "type": "string" },
                "message": { "type": "string" },
                "details": text,
                "hint": text,
                "index": { "description": "The request of a batch that failed, counted from 0.", "type": "integer" },
                "pointer": { "description": "Where, in the body of a batch or a body with rows in its rows (RFC 6901).", "type": "string" },
                "errors": {
                    "description": "Where the body violates the JSON Schema that is bound to its target.",
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "pointer": { "type": "string" },
                            "keyword": { "type": "string" },
                            "message": { "type": "string" }
                        }
                    }
                }
            },
            "required": ["status", "code", "message"]
        }),
    );
    schemas.insert(
        "rest.merge-patch".to_owned(),
        json!({
            "description": "A JSON Merge Patch (RFC 7396) of a row: objects are merged, and null removes a member or sets a column to NULL.",
            "type": "object"
        }),
    );
    let at = json!({ "type": "string", "format": "json-pointer", "examples": ["/column/member"] });
    schemas.insert(
        "rest.json-patch".to_owned(),
        json!({
            "description": "A JSON Patch (RFC 6902) of a row. The first token of each pointer is a column.",
            "type": "array",
            "maxItems": crate::limits::PATCH_OPERATIONS,
            "items": {
                "type": "object",
                "properties": {
                    "op": { "enum": ["add", "remove", "replace", "move", "copy", "test"] },
                    "path": at,
                    "from": at,
                    "value": {}
                },
                "required": ["op", "path"]
            }
        }),
    );
    schemas.insert(
        "rest.filter".to_owned(),
        json!({
            "description": "An operator and a value: eq, neq, lt, lte, gt, gte, like, ilike, match, imatch, in, is, isdistinct, \
                            cs, cd, ov, sl, sr, nxr, nxl, adj, fts, plfts, phfts or wfts, with not. before it to negate it.",
            "type": "string",
            "examples": ["eq.1", "not.is.null", "in.(1,2,3)"]
        }),
    );
    schemas
}

fn shared_parameters() -> Map<String, Value> {
    let query = |name: &str, description: &str, schema: Value| {
        json!({
            "name": name, "in": "query", "description": description, "schema": schema
        })
    };
    let text = |example: &str| json!({ "type": "string", "examples": [example] });
    let count = json!({ "type": "integer", "minimum": 0 });
    let prefer = |description: &str, examples: &[&str]| {
        json!({
            "name": "Prefer", "in": "header", "description": description, "schema": { "type": "string", "examples": examples }
        })
    };
    [
        (
            "rest.query.select",
            query(
                "select",
                "The columns of the answer, which then has these alone: renamed by new:column, cast by ::type, into JSON by ->, \
                 and the rows of related tables by table(columns).",
                text("*"),
            ),
        ),
        ("rest.query.order", query("order", "Columns to sort by.", text("name.desc.nullslast,id"))),
        ("rest.query.limit", query("limit", "The maximum number of rows.", count.clone())),
        ("rest.query.offset", query("offset", "The number of rows to skip.", count)),
        (
            "rest.query.cursor",
            query(
                "cursor",
                "Where the page begins, in place of offset: first, last, or a cursor from the Link field of an answer to the same request.",
                text("first"),
            ),
        ),
        ("rest.query.and", query("and", "Filters that must all hold.", text("(id.gt.1,id.lt.9)"))),
        ("rest.query.or", query("or", "Filters of which at least one must hold.", text("(id.eq.1,id.eq.9)"))),
        (
            "rest.query.columns",
            query("columns", "The columns to take from the body; all if omitted.", text("id,name")),
        ),
        (
            "rest.query.on_conflict",
            query("on_conflict", "The unique columns that decide whether a row already exists.", text("name")),
        ),
        (
            "rest.header.range",
            json!({
                "name": "Range", "in": "header", "description": "The rows to return, counted from 0, in place of limit and offset.",
                "schema": { "type": "string", "examples": ["0-24"] }
            }),
        ),
        (
            "rest.header.if-match",
            json!({
                "name": "If-Match", "in": "header", "description": "The ETag of the row as it was read: the request is refused with 412 if it was changed since.",
                "schema": { "type": "string", "examples": ["\"h5aYpdHpt2TPpbZg\"", "*"] }
            }),
        ),
        (
            "rest.header.if-none-match",
            json!({
                "name": "If-None-Match", "in": "header", "description": "ETags of what the client has already: the answer is 304 if it still has one of them.",
                "schema": { "type": "string", "examples": ["\"h5aYpdHpt2TPpbZg\""] }
            }),
        ),
        (
            "rest.header.idempotency-key",
            json!({
                "name": "Idempotency-Key", "in": "header",
                "description": "A new value for each write, and the same when it is retried: the write has one effect, and its retries get the same answer.",
                "schema": { "type": "string", "examples": ["\"8e03978e-40d5-43e8-bc93-6894a57f9324\""] }
            }),
        ),
        (
            "rest.header.prefer-read",
            prefer("How rows are counted (RFC 7240).", &["count=exact", "count=planned", "count=estimated"]),
        ),
        (
            "rest.header.prefer-write",
            prefer(
                "What to return, and what to do with rows that already exist (RFC 7240).",
                &["return=representation", "return=minimal", "resolution=merge-duplicates", "missing=default"],
            ),
        ),
    ]
    .into_iter()
    .map(|(name, parameter)| (name.to_owned(), parameter))
    .collect()
}
