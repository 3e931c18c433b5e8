//! OpenAPI 2.0: PostgREST's document, as its clients and their generators read it. Formats are names of PostgreSQL's types. Keys
//! are listed in descriptions, as `<pk/>` and `<fk table='…' column='…'/>`.

use super::{Api, Function, Parameter, Relation, can_be_filtered, summary};
use crate::http::target;
use crate::json::pointer;
use crate::json_schema::of_table::{Column, Table, Type, TypeUse, Types};
use serde_json::{Map, Value, json};

const ROWS: [&str; 3] =
    ["application/json", "application/vnd.pgrst.object+json;nulls=stripped", "application/vnd.pgrst.object+json"];

pub fn document(api: &Api) -> Value {
    let (title, description) = summary(api.schema.comment.as_deref());
    let mut document = Map::new();
    let mut add = |member: &str, value: Value| document.insert(member.to_owned(), value);
    add("swagger", "2.0".into());
    add(
        "info",
        json!({
            "title": title.unwrap_or(&api.schema.schema),
            "description": description.unwrap_or("Tables, views and functions of a PostgreSQL database"),
            "version": env!("CARGO_PKG_VERSION")
        }),
    );
    let server = api.settings.server.as_deref().and_then(Server::of);
    if let Some(server) = &server {
        add("host", server.host.into());
        add("schemes", json!([server.scheme]));
    }
    add("basePath", server.map_or("/", |s| s.path).into());
    add("consumes", json!(ROWS));
    add("produces", json!(ROWS));
    add("paths", paths(api));
    add("definitions", definitions(api));
    add("parameters", parameters(api));
    if api.settings.security_active {
        add(
            "securityDefinitions",
            json!({ "JWT": {
                "type": "apiKey", "in": "header", "name": "Authorization", "description": "Bearer, a space, and the token"
            } }),
        );
        add("security", json!([{ "JWT": [] }]));
    }
    document.into()
}

/// The parts of an absolute http or https URI (RFC 3986, section 3).
struct Server<'a> {
    scheme: &'a str,
    host: &'a str,
    path: &'a str,
}

impl<'a> Server<'a> {
    fn of(uri: &'a str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme))?;
        let (host, path) = rest.find('/').map_or((rest, "/"), |i| rest.split_at(i));
        (!host.is_empty()).then_some(Server { scheme, host, path })
    }
}

fn paths(api: &Api) -> Value {
    let mut paths = Map::new();
    paths.insert(
        "/".to_owned(),
        json!({ "get": {
            "tags": ["Introspection"],
            "summary": "OpenAPI description (this document)",
            "produces": ["application/openapi+json", "application/json"],
            "responses": { "200": { "description": "OK" } }
        } }),
    );
    for relation in &api.relations {
        let path = format!("/{}", target::encode(&relation.table.name, b""));
        paths.insert(path, relation_path(relation));
    }
    for overloads in api.functions() {
        if let Some(function) = overloads.last() {
            let path = format!("/rpc/{}", target::encode(&function.name, b""));
            paths.insert(path, function_path(api, function));
        }
    }
    paths.into()
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/{kind}/{}", target::encode(&pointer::escape(name), b"")) })
}

fn described(tag: &str, comment: Option<&str>) -> Map<String, Value> {
    let (summary, description) = summary(comment);
    let mut operation = Map::new();
    operation.insert("tags".to_owned(), json!([tag]));
    for (member, text) in [("summary", summary), ("description", description)] {
        if let Some(text) = text {
            operation.insert(member.to_owned(), text.into());
        }
    }
    operation
}

fn relation_path(relation: &Relation) -> Value {
    let Relation { table, access } = relation;
    let filters: Vec<Value> = filtered(table).map(|c| reference("parameters", &filter_name(table, c))).collect();
    let body = format!("body.{}", table.name);
    let operation = |filters: &[Value], others: &[&str], responses: Value| {
        let mut operation = described(&table.name, table.comment.as_deref());
        let parameters: Vec<Value> =
            filters.iter().cloned().chain(others.iter().map(|name| reference("parameters", name))).collect();
        operation.insert("parameters".to_owned(), parameters.into());
        operation.insert("responses".to_owned(), responses);
        Value::Object(operation)
    };
    let changed = || json!({ "204": { "description": "No Content" } });
    let mut path = Map::new();
    if access.readable {
        let rows = json!({ "type": "array", "items": reference("definitions", &table.name) });
        let responses = json!({
            "200": { "description": "OK", "schema": rows }, "206": { "description": "Partial Content" }
        });
        let others = ["select", "order", "range", "rangeUnit", "offset", "limit", "preferCount"];
        path.insert("get".to_owned(), operation(&filters, &others, responses));
    }
    if access.insertable {
        let responses = json!({ "201": { "description": "Created" } });
        path.insert("post".to_owned(), operation(&[], &[&body, "select", "preferPost"], responses));
    }
    if access.updatable {
        path.insert("patch".to_owned(), operation(&filters, &[&body, "preferReturn"], changed()));
    }
    if access.deletable {
        path.insert("delete".to_owned(), operation(&filters, &["preferReturn"], changed()));
    }
    path.into()
}

fn filtered(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|c| c.readable && can_be_filtered(&c.name))
}

fn filter_name(table: &Table, column: &Column) -> String {
    format!("rowFilter.{}.{}", table.name, column.name)
}

fn function_path(api: &Api, function: &Function) -> Value {
    let operation = |parameters: Vec<Value>| {
        let mut operation = described(&format!("(rpc) {}", function.name), function.comment.as_deref());
        operation.insert("produces".to_owned(), json!(ROWS));
        operation.insert("parameters".to_owned(), parameters.into());
        operation.insert("responses".to_owned(), json!({ "200": { "description": "OK" } }));
        Value::Object(operation)
    };
    let mut path = Map::new();
    if !function.volatile {
        let parameters = function.parameters.iter().map(|p| query_parameter(api, p)).collect();
        path.insert("get".to_owned(), operation(parameters));
    }
    let arguments = json!({ "name": "args", "in": "body", "required": true, "schema": arguments(api, function) });
    path.insert("post".to_owned(), operation(vec![arguments, reference("parameters", "preferParams")]));
    path.into()
}

/// The name of a type, as PostgreSQL shows it if the API's schema is in the search path.
fn type_name<'a>(api: &Api<'a>, of: TypeUse) -> &'a str {
    let Some(of_type) = api.types.by_oid.get(&of.type_oid) else { return "" };
    let schema = api.schema.schema.as_str();
    of_type.sql.strip_prefix(schema).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&of_type.sql)
}

fn query_parameter(api: &Api, parameter: &Parameter) -> Value {
    let name = type_name(api, parameter.data_type);
    let mut members = Map::new();
    members.insert("name".to_owned(), parameter.name.as_str().into());
    members.insert("in".to_owned(), "query".into());
    members.insert("required".to_owned(), parameter.required.into());
    if let (true, Some(element)) = (parameter.variadic, name.strip_suffix("[]")) {
        members.insert("type".to_owned(), "array".into());
        members.insert("collectionFormat".to_owned(), "multi".into());
        let items = json!({ "type": json_type(element).unwrap_or("string"), "format": format(element) });
        members.insert("items".to_owned(), items);
    } else {
        // an array is passed as text, {1,2}, and a parameter must have a type
        let of_type = json_type(name).filter(|t| *t != "array").unwrap_or("string");
        members.insert("type".to_owned(), of_type.into());
        members.insert("format".to_owned(), format(name).into());
    }
    members.into()
}

fn arguments(api: &Api, function: &Function) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), "object".into());
    if let Some(comment) = &function.comment {
        schema.insert("description".to_owned(), comment.as_str().into());
    }
    let property = |p: &Parameter| (p.name.clone(), Value::Object(type_members(type_name(api, p.data_type))));
    schema.insert("properties".to_owned(), function.parameters.iter().map(property).collect::<Map<_, _>>().into());
    let required: Vec<&str> = function.parameters.iter().filter(|p| p.required).map(|p| p.name.as_str()).collect();
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.into()
}

/// The JSON type of a PostgreSQL type; `None` for any.
fn json_type(name: &str) -> Option<&'static str> {
    Some(match name {
        "boolean" => "boolean",
        "smallint" | "integer" | "bigint" => "integer",
        "numeric" | "real" | "double precision" => "number",
        "json" | "jsonb" => return None,
        array if array.ends_with("[]") => "array",
        _ => "string",
    })
}

fn format(name: &str) -> &str {
    match name {
        "smallint" | "integer" => "int32",
        "bigint" => "int64",
        other => other,
    }
}

fn type_members(name: &str) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("format".to_owned(), format(name).into());
    if let Some(of_type) = json_type(name) {
        members.insert("type".to_owned(), of_type.into());
    }
    if let Some(element) = name.strip_suffix("[]") {
        let items = json_type(element).map_or_else(|| json!({}), |t| json!({ "type": t }));
        members.insert("items".to_owned(), items);
    }
    members
}

fn definitions(api: &Api) -> Value {
    let definition = |relation: &Relation| {
        let table = relation.table;
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        if let Some(comment) = &table.comment {
            schema.insert("description".to_owned(), comment.as_str().into());
        }
        let property = |c: &Column| (c.name.clone(), property(api.types, relation, c));
        schema.insert("properties".to_owned(), table.columns.iter().map(property).collect::<Map<_, _>>().into());
        let is_required =
            |c: &&Column| c.not_null || api.types.by_oid.get(&c.data_type.type_oid).is_some_and(|t| t.not_null);
        let required: Vec<&str> = table.columns.iter().filter(is_required).map(|c| c.name.as_str()).collect();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        (table.name.clone(), Value::Object(schema))
    };
    api.relations.iter().map(definition).collect::<Map<_, _>>().into()
}

fn property(types: &Types, relation: &Relation, column: &Column) -> Value {
    let (domains, base) = types.domains(column.data_type);
    let Some(of_type) = types.by_oid.get(&base.type_oid) else { return json!({}) };
    let mut members = type_members(&of_type.sql);
    if let Some(default) = default(column, &domains, of_type) {
        members.insert("default".to_owned(), default);
    }
    if let Some(description) = description(relation, column) {
        members.insert("description".to_owned(), description.into());
    }
    if !of_type.labels.is_empty() {
        members.insert("enum".to_owned(), json!(of_type.labels));
    }
    if let Some(length) = length(of_type, base) {
        members.insert("maxLength".to_owned(), length.into());
    }
    members.into()
}

/// The value of a constant default, or for a text the expression: clients check whether there is one.
fn default(column: &Column, domains: &[&Type], of_type: &Type) -> Option<Value> {
    let expression = column.default.as_deref().or_else(|| domains.iter().find_map(|d| d.default.as_deref()))?;
    if json_type(&of_type.sql) != Some("string") {
        return serde_json::from_str(expression).ok();
    }
    let constant = expression.strip_suffix(&of_type.sql).and_then(|rest| rest.strip_suffix("::"));
    let quoted = |text: &str| Some(text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"));
    Some(constant.and_then(quoted).unwrap_or_else(|| expression.to_owned()).into())
}

fn description(relation: &Relation, column: &Column) -> Option<String> {
    let mut notes = String::new();
    if relation.table.primary_key.contains(&column.name) {
        notes.push_str("\nThis is a Primary Key.<pk/>");
    }
    if let Some(key) = relation.access.foreign_keys.iter().find(|key| key.column == column.name) {
        let (table, referenced) = (&key.table, &key.referenced);
        notes.push_str(&format!(
            "\nThis is a Foreign Key to `{table}.{referenced}`.<fk table='{table}' column='{referenced}'/>"
        ));
    }
    match (&column.comment, notes.is_empty()) {
        (comment, true) => comment.clone(),
        (Some(comment), false) => Some(format!("{comment}\n\nNote:{notes}")),
        (None, false) => Some(format!("Note:{notes}")),
    }
}

/// The maximum length of a text or bit string (PostgreSQL's varchar.c and varbit.c).
fn length(of_type: &Type, of: TypeUse) -> Option<i32> {
    let length = match of_type.sql.as_str() {
        "character" | "character varying" => of.modifier - 4,
        "bit" | "bit varying" => of.modifier,
        _ => return None,
    };
    (length > 0).then_some(length)
}

fn parameters(api: &Api) -> Value {
    let text = |name: &str, place: &str, description: &str| json!({ "name": name, "in": place, "description": description, "required": false, "type": "string" });
    let prefer = |values: &[&str]| {
        let mut parameter = text("Prefer", "header", "Preference");
        if let (false, Value::Object(members)) = (values.is_empty(), &mut parameter) {
            members.insert("enum".to_owned(), json!(values));
        }
        parameter
    };
    let returned = ["return=representation", "return=minimal", "return=none"];
    let created = [&returned[..], &["resolution=ignore-duplicates", "resolution=merge-duplicates"]].concat();
    let mut parameters: Map<String, Value> = [
        ("preferParams", prefer(&[])),
        ("preferReturn", prefer(&returned)),
        ("preferCount", prefer(&["count=none"])),
        ("preferPost", prefer(&created)),
        ("select", text("select", "query", "Columns to return")),
        ("on_conflict", text("on_conflict", "query", "Columns that decide whether a row already exists")),
        ("order", text("order", "query", "Columns to sort by")),
        ("range", text("Range", "header", "Rows to return, counted from 0")),
        (
            "rangeUnit",
            json!({
                "name": "Range-Unit", "in": "header", "description": "What Range counts", "required": false,
                "type": "string", "default": "items"
            }),
        ),
        ("offset", text("offset", "query", "Rows to leave out")),
        ("limit", text("limit", "query", "Maximum number of rows")),
    ]
    .into_iter()
    .map(|(name, parameter)| (name.to_owned(), parameter))
    .collect();
    for Relation { table, .. } in &api.relations {
        parameters.insert(
            format!("body.{}", table.name),
            json!({
                "name": table.name, "in": "body", "description": table.name, "required": false,
                "schema": reference("definitions", &table.name)
            }),
        );
        for column in filtered(table) {
            let mut filter = json!({ "name": column.name, "in": "query", "required": false, "type": "string" });
            if let (Some(comment), Value::Object(members)) = (&column.comment, &mut filter) {
                members.insert("description".to_owned(), comment.as_str().into());
            }
            parameters.insert(filter_name(table, column), filter);
        }
    }
    parameters.into()
}
