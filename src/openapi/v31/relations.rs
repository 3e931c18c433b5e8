//! Paths of tables and views: `/table`, and `/table/{key}` where there is a primary key.

use super::{
    Parts, by_query, component, header, json_content, nested, operation, parameter, reference, response, schema,
};
use crate::http::target;
use crate::json_schema::of_table::{self, Identity};
use crate::openapi::{Api, Relation, can_be_filtered};
use serde_json::{Map, Value, json};

/// Adds the paths of a relation, and the schemas and parameters that they refer to.
pub fn add(document: &mut Parts, relation: &Relation, api: &Api) {
    let table = relation.table;
    let name = component(&table.name);
    let mut row = of_table::schema_of(table, api.types);
    if let Value::Object(members) = &mut row {
        // the document states it once for all schemas
        members.remove("$schema");
    }
    document.schemas.insert(name.clone(), row);
    if relation.access.updatable {
        document.schemas.insert(format!("{name}.patch"), patch(relation, &name));
    }
    let nested = nested::row_with_rows(relation, &api.relations);
    let with_rows = nested.as_ref().map(|(name, _)| schema(name));
    document.schemas.extend(nested);
    let mut filters = Vec::new();
    for column in table.columns.iter().filter(|c| c.readable && can_be_filtered(&c.name)) {
        let filter = format!("{name}.{}", component(&column.name));
        let mut parameter = json!({ "name": column.name, "in": "query", "schema": schema("rest.filter") });
        if let (Some(comment), Value::Object(members)) = (&column.comment, &mut parameter) {
            members.insert("description".to_owned(), comment.as_str().into());
        }
        filters.push(super::parameter(&filter));
        document.parameters.insert(filter, parameter);
    }
    let path = format!("/{}", target::encode(&table.name, b""));
    let writer = Operations { relation, name: &name, filters, with_rows };
    let collection = writer.collection();
    if !collection.is_empty() {
        document.paths.insert(path.clone(), collection.into());
    }
    if let Some(item) = writer.item() {
        document.paths.insert(format!("{path}/{{key}}"), item);
    }
}

/// The body of a change: some columns of a row.
fn patch(relation: &Relation, name: &str) -> Value {
    let columns = relation.table.columns.iter();
    let properties: Map<String, Value> = columns
        .filter(|c| c.updatable && !c.generated && c.identity != Some(Identity::Always))
        .map(|c| (c.name.clone(), reference(&["components", "schemas", name, "properties", &c.name])))
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

struct Operations<'a> {
    relation: &'a Relation<'a>,
    /// The name of its components.
    name: &'a str,
    filters: Vec<Value>,
    /// Its rows with rows of related tables in them.
    with_rows: Option<Value>,
}

impl Operations<'_> {
    fn collection(&self) -> Map<String, Value> {
        let access = self.relation.access;
        let mut item = Map::new();
        if access.readable {
            let headers = json!({ "Content-Range": header("Content-Range"), "Link": header("Link") });
            let rows = |description| json!({ "description": description, "headers": headers, "content": self.rows() });
            let responses = json!({
                "200": rows("All rows, or rows that were not counted."),
                "206": rows("A part of the rows."),
                "default": response("Problem")
            });
            let mut parameters = self.filtered(&[
                "rest.query.and",
                "rest.query.or",
                "rest.query.select",
                "rest.query.order",
                "rest.query.limit",
                "rest.query.offset",
                "rest.header.range",
                "rest.header.prefer-read",
            ]);
            // A filter on a column of this name is the same parameter.
            if self.relation.table.columns.iter().all(|column| column.name != "cursor") {
                parameters.push(parameter("rest.query.cursor"));
            }
            item.insert("get".to_owned(), self.operation("read", parameters, None, responses));
            item.insert("x-query".to_owned(), by_query());
        }
        if access.insertable {
            let row = schema(self.name);
            let mut bodies = vec![row.clone(), json!({ "type": "array", "items": row })];
            bodies.extend(self.with_rows.clone());
            let body = required(json!({
                "application/json": { "schema": { "anyOf": bodies } },
                "application/x-ndjson": { "schema": row },
                "text/csv": { "schema": { "type": "string" } }
            }));
            let mut created = json!({ "description": "Created.", "headers": { "Location": header("Location") } });
            self.represent(&mut created, self.rows());
            let mut responses = json!({ "201": created, "default": response("Problem") });
            if let (true, Value::Object(members)) = (access.updatable, &mut responses) {
                members
                    .insert("200".to_owned(), json!({ "description": "All rows already existed and were updated." }));
            }
            let parameters = [
                "rest.query.select",
                "rest.query.columns",
                "rest.query.on_conflict",
                "rest.header.prefer-write",
                "rest.header.idempotency-key",
            ];
            let parameters = parameters.map(parameter).to_vec();
            item.insert("post".to_owned(), self.operation("create", parameters, Some(body), responses));
        }
        let written = || {
            let mut responses = json!({ "204": response("Changed"), "default": response("Problem") });
            if let (true, Value::Object(members)) = (access.readable, &mut responses) {
                members.insert(
                    "200".to_owned(),
                    json!({ "description": "The rows, with Prefer: return=representation.", "content": self.rows() }),
                );
            }
            responses
        };
        let parameters = [
            "rest.query.and",
            "rest.query.or",
            "rest.query.select",
            "rest.header.prefer-write",
            "rest.header.idempotency-key",
        ];
        if access.updatable {
            let change = schema(&format!("{}.patch", self.name));
            let body = patches(match self.relation.table.primary_key.as_slice() {
                [] => change,
                key => json!({
                    "description": "The change of all rows that the filters choose, or a list that names the rows by their primary keys.",
                    "anyOf": [change, { "type": "array", "items": { "allOf": [change, { "required": key }] } }]
                }),
            });
            item.insert(
                "patch".to_owned(),
                self.operation("update", self.filtered(&parameters), Some(body), written()),
            );
        }
        if access.deletable {
            let keys = self.keys().map(|keys| json!({ "content": json_content(&keys) }));
            item.insert("delete".to_owned(), self.operation("delete", self.filtered(&parameters), keys, written()));
        }
        item
    }

    /// The path of a single row by its key. A role that may not read the key's columns cannot use it.
    fn item(&self) -> Option<Value> {
        let (table, access) = (self.relation.table, self.relation.access);
        let is_readable = |name: &String| table.columns.iter().any(|c| c.name == *name && c.readable);
        // `/rpc/...` is a function
        if table.name == "rpc" || table.primary_key.is_empty() || !table.primary_key.iter().all(is_readable) {
            return None;
        }
        let row = json_content(&schema(self.name));
        let one = |description| json!({ "description": description, "content": row });
        let represented = |status: &str, others: Value| {
            let mut responses = json!({
                "412": response("Precondition-Failed"),
                "428": response("Precondition-Required"),
                "default": response("Problem")
            });
            if let (Value::Object(members), Value::Object(others)) = (&mut responses, others) {
                members.extend(others);
                if access.readable {
                    members.insert(status.to_owned(), one("The row, with Prefer: return=representation."));
                }
            }
            responses
        };
        let select = || vec![parameter("rest.query.select"), parameter("rest.header.if-none-match")];
        let write = || {
            ["rest.query.select", "rest.header.prefer-write", "rest.header.if-match", "rest.header.idempotency-key"]
                .map(parameter)
                .to_vec()
        };
        let mut item = Map::new();
        if access.readable {
            let mut read = one("The row.");
            if let Value::Object(members) = &mut read {
                members.insert("headers".to_owned(), json!({ "ETag": header("ETag") }));
            }
            let responses = json!({ "200": read, "304": response("Not-Modified"), "default": response("Problem") });
            item.insert("get".to_owned(), self.operation("read_item", select(), None, responses));
            item.insert("x-query".to_owned(), by_query());
        }
        // a key that is always generated cannot be given
        let is_given = |name: &String| {
            table.columns.iter().any(|c| c.name == *name && !c.generated && c.identity != Some(Identity::Always))
        };
        if access.insertable && access.updatable && table.primary_key.iter().all(is_given) {
            let done = json!({
                "201": { "description": "Created." }, "204": { "description": "Created or replaced." }
            });
            let responses = represented("200", done);
            let body = Some(required(json_content(&schema(self.name))));
            item.insert("put".to_owned(), self.operation("replace_item", write(), body, responses));
        }
        if access.updatable {
            let responses = represented("200", json!({ "204": response("Changed") }));
            let change = schema(&format!("{}.patch", self.name));
            let body = Some(patches(match &self.with_rows {
                Some(with_rows) => json!({ "anyOf": [change, with_rows] }),
                None => change,
            }));
            item.insert("patch".to_owned(), self.operation("update_item", write(), body, responses));
        }
        if access.deletable {
            let responses = represented("200", json!({ "204": response("Changed") }));
            item.insert("delete".to_owned(), self.operation("delete_item", write(), None, responses));
        }
        if item.is_empty() {
            return None;
        }
        let key = match table.primary_key.as_slice() {
            [column] => json!({
                "name": "key", "in": "path", "required": true,
                "description": format!("The value of {column}."),
                "schema": reference(&["components", "schemas", self.name, "properties", column])
            }),
            columns => json!({
                "name": "key", "in": "path", "required": true,
                "description": format!("The values of {}, in this order, separated by commas.", columns.join(", ")),
                "schema": { "type": "string" }
            }),
        };
        item.insert("parameters".to_owned(), json!([key]));
        Some(item.into())
    }

    fn operation(&self, verb: &str, parameters: Vec<Value>, body: Option<Value>, responses: Value) -> Value {
        let table = self.relation.table;
        let mut operation = operation(format!("{verb}.{}", self.name), &table.name, table.comment.as_deref());
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = body {
            operation.insert("requestBody".to_owned(), body);
        }
        operation.insert("responses".to_owned(), responses);
        operation.into()
    }

    /// A list of primary keys: objects, or values if the key has one column. `None` without a key.
    fn keys(&self) -> Option<Value> {
        let property = |column: &String| reference(&["components", "schemas", self.name, "properties", column]);
        let key = self.relation.table.primary_key.as_slice();
        let properties: Map<String, Value> = key.iter().map(|column| (column.clone(), property(column))).collect();
        let object =
            json!({ "type": "object", "properties": properties, "required": key, "additionalProperties": false });
        let item = match key {
            [] => return None,
            [column] => json!({ "anyOf": [property(column), object] }),
            _ => object,
        };
        Some(json!({
            "description": "The primary keys of the rows. Without a body, the filters choose the rows.",
            "type": "array",
            "items": item
        }))
    }

    fn filtered(&self, others: &[&str]) -> Vec<Value> {
        self.filters.iter().cloned().chain(others.iter().map(|name| parameter(name))).collect()
    }

    /// Rows in a response: several, or a single one.
    fn rows(&self) -> Value {
        let row = schema(self.name);
        json!({
            "application/json": { "schema": { "type": "array", "items": row } },
            "application/vnd.pgrst.object+json": { "schema": row },
            "application/x-ndjson": { "schema": row },
            "text/csv": { "schema": { "type": "string" } }
        })
    }

    fn represent(&self, response: &mut Value, content: Value) {
        if let (true, Value::Object(members)) = (self.relation.access.readable, response) {
            members.insert("content".to_owned(), content);
        }
    }
}

/// A body that there must be.
fn required(content: Value) -> Value {
    json!({ "required": true, "content": content })
}

/// The body of a PATCH. `change`: its schema as `application/json`.
fn patches(change: Value) -> Value {
    required(json!({
        "application/json": { "schema": change },
        "application/merge-patch+json": { "schema": schema("rest.merge-patch") },
        "application/json-patch+json": { "schema": schema("rest.json-patch") }
    }))
}
