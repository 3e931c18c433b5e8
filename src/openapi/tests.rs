#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::http::MediaType;
use serde_json::json;
use std::collections::HashSet;

/// A schema with names that need quoting in every place, a read-only view, and functions of all kinds.
fn api() -> (Schema, Relations) {
    let schema = json!({
        "schema": "api", "comment": "Shop\n\nWhat is sold,\nand to whom.",
        "relations": [
            {"oid": 1, "readable": true, "insertable": true, "updatable": true, "deletable": true, "foreign_keys": [
                {"column": "a/b~c", "table": "it's {odd}", "referenced": "id"}]},
            {"oid": 2, "readable": true, "insertable": false, "updatable": false, "deletable": false, "foreign_keys": []},
            {"oid": 3, "readable": false, "insertable": true, "updatable": false, "deletable": false, "foreign_keys": [
                {"column": "hidden", "table": "it's {odd}", "referenced": "id"}]}
        ],
        "functions": [
            {"name": "add", "comment": "Adds.", "volatile": false, "returns_set": false, "result": 23, "columns": [],
                "relation": null, "parameters": [
                    {"name": "a", "type_oid": 23, "required": true, "variadic": false},
                    {"name": "b", "type_oid": 1007, "required": false, "variadic": true}]},
            {"name": "add", "comment": null, "volatile": true, "returns_set": false, "result": 2278, "columns": [],
                "relation": null, "parameters": [{"name": "", "type_oid": 25, "required": true, "variadic": false}]},
            {"name": "list all", "comment": null, "volatile": false, "returns_set": true, "result": 11, "columns": [],
                "relation": 1, "parameters": []},
            {"name": "table", "comment": null, "volatile": true, "returns_set": true, "result": 2249, "relation": null,
                "columns": [{"name": "x", "type_oid": 23}], "parameters": []}
        ]
    });
    let column = |name: &str, type_oid: u32| {
        json!({
            "name": name, "type_oid": type_oid, "not_null": true, "generated": false, "identity": null, "readable": true,
            "insertable": true, "updatable": true
        })
    };
    let table = |oid: u32, name: &str, columns: Vec<Value>, key: &[&str]| {
        json!({
            "oid": oid, "schema": "api", "name": name, "kind": "r", "comment": "First line\nThe rest", "schema_usable": true,
            "permitted": true, "checks": [], "primary_key": key, "columns": columns
        })
    };
    let base = |name: &str, sql: &str| {
        json!({
            "schema": "pg_catalog", "name": name, "sql": sql, "kind": "b", "not_null": false
        })
    };
    let mut array = base("_int4", "integer[]");
    array["element"] = 23.into();
    let mut hidden = column("hidden", 25);
    hidden["readable"] = false.into();
    let mut mood = column("mood", 24);
    mood["default"] = "'it''s'::api.mood".into();
    let relations = json!({
        "tables": [
            table(1, "it's {odd}", vec![column("id", 23), column("a/b~c", 23), column("select", 25), mood], &["id"]),
            table(2, "a.b-c", vec![column("x y", 23), column("z", 3802)], &["x y", "z"]),
            table(3, "log", vec![hidden], &["hidden"])
        ],
        "types": {"bytea_is_hex": true, "by_oid": {
            "23": base("int4", "integer"), "25": base("text", "text"), "3802": base("jsonb", "jsonb"), "1007": array,
            "24": {"schema": "api", "name": "mood", "sql": "api.mood", "kind": "e", "not_null": false,
                "labels": ["it's", "ok"]},
            "2278": {"schema": "pg_catalog", "name": "void", "sql": "void", "kind": "p", "not_null": false},
            "2249": {"schema": "pg_catalog", "name": "record", "sql": "record", "kind": "p", "not_null": false}
        }}
    });
    (serde_json::from_value(schema).unwrap(), serde_json::from_value(relations).unwrap())
}

fn described(version: Version, settings: &Settings) -> Value {
    let (schema, relations) = api();
    document(version, &schema, &relations, settings, &[], &[])
}

fn assert_valid(document: &Value, schema: &str) {
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = schema.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// Every value in a document.
fn values(document: &Value) -> Vec<&Value> {
    let mut all = vec![document];
    let mut i = 0;
    while let Some(value) = all.get(i).copied() {
        match value {
            Value::Object(members) => all.extend(members.values()),
            Value::Array(items) => all.extend(items),
            _ => {}
        }
        i += 1;
    }
    all
}

fn assert_references_lead_somewhere(document: &Value) {
    let references: Vec<&str> = values(document).iter().filter_map(|v| v.get("$ref")?.as_str()).collect();
    assert!(references.len() > 10);
    for reference in references {
        let pointer = crate::http::target::decode(reference.strip_prefix('#').unwrap(), false).unwrap();
        assert!(document.pointer(&pointer).is_some(), "{reference}");
    }
}

#[test]
fn documents_are_valid() {
    let server = Some("https://example.org/api".to_owned());
    let oauth_issuer = server.clone();
    let api_version = Some(ApiVersion { name: "v1".into(), deprecated: true });
    let full = Settings { server, security_active: true, oauth_issuer, batch_requests: Some(100), api_version };
    for settings in [Settings::default(), full] {
        let document = described(Version::V31, &settings);
        assert_valid(&document, include_str!("../../pg_test/openapi/3.1.json"));
        assert_references_lead_somewhere(&document);
        for schema in document["components"]["schemas"].as_object().unwrap().values() {
            assert!(jsonschema::draft202012::meta::is_valid(schema), "{schema}");
        }
        let document = described(Version::V2, &settings);
        assert_valid(&document, include_str!("../../pg_test/openapi/2.0.json"));
        assert_references_lead_somewhere(&document);
    }
}

#[test]
fn the_token_endpoint_is_named_where_there_is_one() {
    let url = |settings: &Settings| {
        let document = described(Version::V31, settings);
        document.pointer("/components/securitySchemes/oauth2/flows/clientCredentials/tokenUrl").cloned()
    };
    let oauth_issuer = Some("https://id.example/".to_owned());
    assert_eq!(url(&Settings { oauth_issuer, ..Settings::default() }), Some("https://id.example/oauth/token".into()));
    assert_eq!(url(&Settings::default()), None);
}

#[test]
fn operations_and_components_have_names_of_their_own() {
    let document = described(Version::V31, &Settings::default());
    let names: Vec<&str> = values(&document).iter().filter_map(|v| v.get("operationId")?.as_str()).collect();
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
    assert!(names.contains(&"read.a-2Eb-2Dc"));
    let components = document["components"]["schemas"].as_object().unwrap();
    assert!(components.contains_key("it-27s-20-7Bodd-7D"));
}

#[test]
fn only_what_can_be_done_is_told() {
    let methods = |document: &Value, path: &str| -> Vec<String> {
        let item = document["paths"].get(path).and_then(Value::as_object);
        item.map(|item| item.keys().filter(|k| *k != "parameters").cloned().collect()).unwrap_or_default()
    };
    let document = described(Version::V31, &Settings::default());
    for (path, expected) in [
        ("/", &["get"][..]),
        ("/it%27s%20%7Bodd%7D", &["get", "x-query", "post", "patch", "delete"]),
        ("/it%27s%20%7Bodd%7D/{key}", &["get", "x-query", "put", "patch", "delete"]),
        ("/a.b-c", &["get", "x-query"]),
        ("/a.b-c/{key}", &["get", "x-query"]),
        ("/log", &["post"]),
        // the key cannot be read
        ("/log/{key}", &[]),
        ("/rpc/add", &["get", "x-query", "post"]),
        ("/rpc/list%20all", &["get", "x-query", "post"]),
        ("/rpc/table", &["post"]),
    ] {
        assert_eq!(methods(&document, path), expected, "{path}");
    }
    assert_eq!(methods(&described(Version::V2, &Settings::default()), "/log"), ["post"]);
    // a column with the name of another parameter has no filter
    let parameters = document["components"]["parameters"].as_object().unwrap();
    assert!(parameters.contains_key("it-27s-20-7Bodd-7D.id") && !parameters.contains_key("it-27s-20-7Bodd-7D.select"));
}

#[test]
fn a_body_may_have_rows_in_its_rows() {
    let document = described(Version::V31, &Settings::default());
    let schemas = &document["components"]["schemas"];
    let named = |name: &str| schemas[name]["properties"].as_object().unwrap();
    let odd = named("it-27s-20-7Bodd-7D.nested");
    // others refer to the row, by a column that is filled in
    assert_eq!(odd["log"]["anyOf"][0]["items"], json!({ "type": "object", "properties": {} }));
    assert!(odd.contains_key("id") && !odd.contains_key("it's {odd}"));
    // the row refers to another
    assert_eq!(named("log.nested")["it's {odd}"]["anyOf"][1], json!({ "type": "null" }));
    assert!(named("log.nested")["it's {odd}"]["anyOf"][0]["properties"]["id"].is_object());
    assert!(schemas.get("a-2Eb-2Dc.nested").is_none());
}

#[test]
fn a_function_tells_arguments_and_result() {
    let document = described(Version::V31, &Settings::default());
    let add = &document["paths"]["/rpc/add"];
    let names = |operation: &Value| -> Vec<Value> {
        operation["parameters"].as_array().unwrap().iter().map(|p| json!([p["name"], p["required"]])).collect()
    };
    assert_eq!(names(&add["get"]), [json!(["a", true]), json!(["b", false])]);
    let content = add["post"]["requestBody"]["content"].as_object().unwrap();
    assert_eq!(content["application/json"]["schema"]["required"], json!(["a"]));
    assert_eq!(content["text/plain"]["schema"], json!({"type": "string"}));
    assert!(add["post"]["responses"].get("204").is_some());
    let rows = &document["paths"]["/rpc/list%20all"]["get"]["responses"]["200"]["content"]["application/json"];
    assert_eq!(rows["schema"]["items"]["$ref"], "#/components/schemas/it-27s-20-7Bodd-7D");
}

#[test]
fn comments_and_defaults_are_told() {
    let document = described(Version::V31, &Settings::default());
    assert_eq!(document["info"]["title"], "Shop");
    assert_eq!(document["info"]["description"], "What is sold,\nand to whom.");
    let get = &document["paths"]["/a.b-c"]["get"];
    assert_eq!((&get["summary"], &get["description"]), (&json!("First line"), &json!("The rest")));
    let document = described(Version::V2, &Settings::default());
    let properties = &document["definitions"]["it's {odd}"]["properties"];
    assert_eq!(properties["mood"]["default"], "it's");
    assert_eq!(properties["mood"]["enum"], json!(["it's", "ok"]));
    assert_eq!(properties["id"]["description"], "Note:\nThis is a Primary Key.<pk/>");
}

#[test]
fn the_version_is_negotiated() {
    let v31 = MediaType::Other("application/openapi+json; version=3.1".to_owned());
    for (accept, expected) in [
        (None, Some((Version::V31, v31.clone()))),
        (Some("text/html, */*;q=0.1"), Some((Version::V31, v31.clone()))),
        (Some("application/openapi+json"), Some((Version::V31, v31.clone()))),
        (Some("application/openapi+json;version=\"3.1\""), Some((Version::V31, v31))),
        (Some("application/openapi+json; Version=2.0"), Some((Version::V2, MediaType::OpenApi))),
        (Some("application/openapi+json;version=3.0, application/json;q=0.5"), Some((Version::V31, MediaType::Json))),
        (Some("application/openapi+json;version=3.0"), None),
        (Some("text/csv"), None),
    ] {
        assert_eq!(negotiate(accept, Version::V31).ok(), expected, "{accept:?}");
    }
    assert_eq!(negotiate(None, Version::V2), Ok((Version::V2, MediaType::OpenApi)));
}

#[test]
fn a_route_tells_where_its_arguments_go() {
    use crate::routing::arguments::{Kind, Parameter as Bound, Source};
    let (mut schema, relations) = api();
    for function in &mut schema.functions {
        function.oid = if function.name == "add" && !function.volatile { 7 } else { 0 };
    }
    let bound = |name: &str, source: Option<&str>| Bound {
        name: name.to_owned(),
        kind: Kind::Scalar,
        required: true,
        source: source.map(|text| Source::try_from(text.to_owned()).unwrap()),
    };
    let route = |pattern: &str, source: Option<&str>| Route {
        pattern: Pattern::parse(pattern, |_| Some("int4".to_owned())).unwrap(),
        parameters: vec![bound("a", None), bound("b", source)],
        function: 7,
        body_schema: None,
        query_schema: None,
        result_schema: None,
        example: None,
        host: None,
        group: None,
    };
    let unknown = Route { function: 8, ..route("GET /unknown", None) };
    let routes = [
        route("GET /sums/{a}/of/{b}", None),
        Route {
            query_schema: Some(json!({ "properties": { "deep": { "type": "boolean" } }, "required": ["deep"] })),
            result_schema: Some(json!({ "type": "integer" })),
            example: Some(json!({ "query": { "deep": true }, "body": { "other": 1 } })),
            host: Some("api.example.com".to_owned()),
            group: Some("sums".to_owned()),
            ..route("POST /sums/{a}", Some("body:other"))
        },
        route("GET /x/{a:path}", Some("header:X-B")),
        unknown,
    ];
    let document = document(Version::V31, &schema, &relations, &Settings::default(), &routes, &[]);
    assert_valid(&document, include_str!("../../pg_test/openapi/3.1.json"));
    assert_references_lead_somewhere(&document);
    let hook = json!({
        "event": "before", "scope": "* /{first}/{rest:path}", "schema": "app", "name": "check", "parameters": 1, "returns": "void", "is_callable": true
    });
    let hooks: Vec<crate::hooks::Hook> = serde_json::from_value(json!([hook])).unwrap();
    let hooked = super::document(Version::V31, &schema, &relations, &Settings::default(), &routes, &hooks);
    assert_valid(&hooked, include_str!("../../pg_test/openapi/3.1.json"));
    assert_ne!(hooked, document);
    let of_group = json!({
        "event": "before", "scope": "group sums", "schema": "app", "name": "check", "parameters": 1, "returns": "void", "is_callable": true
    });
    let hooks: Vec<crate::hooks::Hook> = serde_json::from_value(json!([of_group])).unwrap();
    let grouped = super::document(Version::V31, &schema, &relations, &Settings::default(), &routes, &hooks);
    let default = |of: &Value, path: &str, method: &str| of["paths"][path][method]["responses"]["default"].clone();
    assert_ne!(default(&grouped, "/sums/{a}", "post"), default(&document, "/sums/{a}", "post"));
    for (path, method) in [("/x/{a}", "get"), ("/sums/{a}/of/{b}", "get"), ("/", "get")] {
        assert_eq!(default(&grouped, path, method), default(&document, path, method), "{path}");
    }
    assert_eq!(grouped["paths"]["/sums/{a}"]["post"]["tags"], json!(["sums"]));
    let sum = &document["paths"]["/sums/{a}"]["post"];
    assert_eq!(sum["requestBody"]["content"]["application/json"]["example"], json!({ "other": 1 }));
    assert_eq!(sum["responses"]["200"]["content"]["application/json"]["schema"], json!({ "type": "integer" }));
    assert_eq!(sum["servers"], json!([{ "url": "//api.example.com" }]));
    let deep =
        json!({ "name": "deep", "in": "query", "required": true, "schema": { "type": "boolean" }, "example": true });
    assert!(sum["parameters"].as_array().unwrap().contains(&deep));
    let names = |path: &str, method: &str| -> Vec<String> {
        let parameters = document["paths"][path][method]["parameters"].as_array().cloned().unwrap_or_default();
        parameters.iter().filter_map(|p| Some(format!("{} {}", p["in"].as_str()?, p["name"].as_str()?))).collect()
    };
    assert_eq!(names("/sums/{a}/of/{b}", "get"), ["path a", "path b"]);
    assert_eq!(names("/x/{a}", "get"), ["path a", "header x-b"]);
    let body = &document["paths"]["/sums/{a}"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert!(body["properties"]["other"].is_object() && body["properties"].get("b").is_none());
    assert!(document["paths"].get("/unknown").is_none());
}

#[test]
fn the_schemas_of_a_route_are_parts_of_the_document() {
    use crate::routing::arguments::{Kind, Parameter as Bound, Source};
    let (mut schema, relations) = api();
    for function in &mut schema.functions {
        function.oid = if function.name == "add" && !function.volatile { 7 } else { 0 };
    }
    let refers = |member: &str| json!({ "properties": { member: { "$ref": "#/$defs/n" } }, "$defs": { "n": { "type": "integer" } } });
    let bound = |name: &str, kind: Kind, source: Option<&str>| Bound {
        name: name.to_owned(),
        kind,
        required: true,
        source: source.map(|text| Source::try_from(text.to_owned()).unwrap()),
    };
    let route = |pattern: &str, first: Kind| Route {
        pattern: Pattern::parse(pattern, |_| Some("int4".to_owned())).unwrap(),
        parameters: vec![bound("a", first, None), bound("b", Kind::Scalar, Some("body:other"))],
        function: 7,
        body_schema: None,
        query_schema: None,
        result_schema: None,
        example: None,
        host: None,
        group: None,
    };
    let routes = [
        Route {
            body_schema: Some(refers("b")),
            query_schema: Some(
                json!({ "$ref": "#/$defs/q", "$defs": { "q": refers("c")["properties"].clone(), "n": {} } }),
            ),
            result_schema: Some(json!({ "$ref": "#/$defs/r", "$defs": { "r": { "type": "integer" } } })),
            example: Some(json!({ "body": { "b": 1 }, "result": 3 })),
            ..route("POST /all", Kind::Scalar)
        },
        Route { query_schema: Some(refers("c")), ..route("PUT /query", Kind::Scalar) },
        Route { example: Some(json!({ "body": { "other": "x" } })), ..route("POST /form", Kind::File) },
        route("POST /bytes", Kind::Bytea),
    ];
    let document = document(Version::V31, &schema, &relations, &Settings::default(), &routes, &[]);
    assert_valid(&document, include_str!("../../pg_test/openapi/3.1.json"));
    assert_references_lead_somewhere(&document);
    let all = &document["paths"]["/all"]["post"];
    let reference = |part: &str| json!({ "$ref": format!("#/components/schemas/route.post.-2Fall.{part}") });
    let content = &all["requestBody"]["content"]["application/json"];
    assert_eq!((&content["schema"], &content["example"]), (&reference("body"), &json!({ "b": 1 })));
    let answer = &all["responses"]["200"]["content"]["application/json"];
    assert_eq!((&answer["schema"], &answer["example"]), (&reference("result"), &json!(3)));
    let c = &document["paths"]["/query"]["put"]["parameters"];
    let expected = json!({ "$ref": "#/components/schemas/route.put.-2Fquery.query/$defs/n" });
    assert!(c.as_array().unwrap().iter().any(|p| p["name"] == "c" && p["schema"] == expected), "{c}");
    let form = &document["paths"]["/form"]["post"]["requestBody"]["content"];
    let files = &form["multipart/form-data"]["schema"];
    assert_eq!(form.as_object().unwrap().len(), 1);
    assert_eq!(files["properties"]["a"]["contentMediaType"], "application/octet-stream");
    assert!(files["properties"]["other"].is_object() && files["required"] == json!(["a"]), "{files}");
    assert_eq!(form["multipart/form-data"]["example"], json!({ "other": "x" }));
    let bytes = document["paths"]["/bytes"]["post"]["requestBody"]["content"].as_object().unwrap();
    assert_eq!(
        bytes.keys().collect::<Vec<_>>(),
        ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
    );
}
