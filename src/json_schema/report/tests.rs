use crate::json_schema::text::random::{schemas, texts};
use crate::json_schema::text::{Document, TextJson};
use crate::json_schema::{Compiled, Formats, Unwatched, Values, compile, messages, violations};
use serde_json::{Value, json};

type Plain = TextJson<Unwatched>;

fn compiled(schema: &Value) -> Compiled<Plain> {
    let mut library = |uri: &str| match uri {
        "restful:tags" => Some(
            json!({"$defs": {"tags": {"contains": {"$ref": "#/$defs/tag"}, "maxContains": 1}, "tag": {"type": "string"}}}),
        ),
        "restful:closed" => {
            Some(json!({"unevaluatedProperties": {"$ref": "#/$defs/number"}, "$defs": {"number": {"type": "number"}}}))
        }
        _ => None,
    };
    compile(schema, Formats::Draft, &mut library).unwrap()
}

fn listed(schema: &Value, instance: &Value, values: Values) -> Vec<[String; 4]> {
    let compiled = compiled(schema);
    let text = instance.to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    let found = violations(&compiled, document.root(), values, 1000);
    found.into_iter().map(|v| [v.instance_location, v.keyword_location, v.keyword, v.message]).collect()
}

/// Compares what is reported for an instance: location, location of the keyword, keyword and message of each violation.
#[track_caller]
fn check(schema: Value, instance: Value, expected: &[[&str; 4]]) {
    assert_eq!(listed(&schema, &instance, Values::Masked), expected, "{schema} {instance}");
}

#[test]
fn contains_says_how_many_there_are() {
    let integers = |bounds: Value| {
        let mut schema = json!({"contains": {"type": "integer"}});
        schema.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
        schema
    };
    for (bounds, instance, keyword, message) in [
        (json!({}), json!([]), "contains", "value has no item that matches 'contains'"),
        (json!({"maxContains": 1}), json!(["a"]), "contains", "value has no item that matches 'contains'"),
        (
            json!({"maxContains": 1}),
            json!([1, "a", 2, 3]),
            "maxContains",
            "value has 3 items that match 'contains', more than the maximum of 1",
        ),
        (
            json!({"minContains": 2}),
            json!([1, "a"]),
            "minContains",
            "value has 1 item that matches 'contains', fewer than the minimum of 2",
        ),
        (
            json!({"minContains": 2.0, "maxContains": 3.0}),
            json!([]),
            "minContains",
            "value has no item that matches 'contains', fewer than the minimum of 2",
        ),
        (
            json!({"minContains": 1, "maxContains": 1}),
            json!([1, 2]),
            "maxContains",
            "value has 2 items that match 'contains', more than the maximum of 1",
        ),
        (
            json!({"minContains": 0, "maxContains": 0}),
            json!([1]),
            "maxContains",
            "value has 1 item that matches 'contains', more than the maximum of 0",
        ),
        (
            json!({"$schema": "https://json-schema.org/draft/2019-09/schema", "maxContains": 1}),
            json!([1, 2]),
            "maxContains",
            "value has 2 items that match 'contains', more than the maximum of 1",
        ),
        // Draft 7 does not have the bounds.
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "minContains": 2}),
            json!([]),
            "contains",
            "value has no item that matches 'contains'",
        ),
    ] {
        check(integers(bounds), instance, &[["", &format!("/{keyword}"), keyword, message]]);
    }
    for (all, message) in [
        (true, "value has 2 items that match 'contains', more than the maximum of 1"),
        (false, "value has no item that matches 'contains'"),
    ] {
        let keyword = if all { "maxContains" } else { "contains" };
        check(
            json!({"contains": all, "maxContains": 1}),
            json!([1, 2]),
            &[["", &format!("/{keyword}"), keyword, message]],
        );
    }
    // In another document, through references.
    check(
        json!({"properties": {"a/b": {"$ref": "restful:tags#/$defs/tags"}}}),
        json!({"a/b": ["x", "y"]}),
        &[[
            "/a~1b",
            "/properties/a~1b/$ref/maxContains",
            "maxContains",
            "value has 2 items that match 'contains', more than the maximum of 1",
        ]],
    );
}

#[test]
fn more_schemas_than_are_compiled_for_themselves_are_told_without_numbers() {
    let schemas: Vec<Value> =
        (0..40).map(|i| json!({"contains": {"const": i}, "minContains": 2, "maxContains": 3})).collect();
    let found = listed(&json!({"allOf": schemas}), &json!([]), Values::Masked);
    assert_eq!(found.len(), 40);
    assert_eq!(found[0][3], "value has no item that matches 'contains', fewer than the minimum of 2");
    let last = &found[39];
    assert_eq!(last[1], "/allOf/39/minContains");
    assert_eq!(last[3], "the items of value that match 'contains' are not at least 2 and at most 3");
}

#[test]
fn unevaluated_members_are_located_and_told_what_is_wrong() {
    check(
        json!({"properties": {"a": true}, "unevaluatedProperties": {"const": 12}}),
        json!({"a": 1, "type": 37, "b~c": 1, "d": 12}),
        &[
            ["/type", "/unevaluatedProperties/const", "const", "12 was expected"],
            ["/b~0c", "/unevaluatedProperties/const", "const", "12 was expected"],
        ],
    );
    check(
        json!({"unevaluatedProperties": {
            "properties": {"x": {"anyOf": [{"type": "string"}, {"minimum": 5}]}}, "required": ["y"]
        }}),
        json!({"a": {"x": 1}}),
        &[
            ["/a", "/unevaluatedProperties/required", "required", "\"y\" is a required property"],
            [
                "/a/x",
                "/unevaluatedProperties/properties/x/anyOf",
                "anyOf",
                "value is not valid under any of the schemas listed in the 'anyOf' keyword",
            ],
            ["/a/x", "/unevaluatedProperties/properties/x/anyOf/0/type", "type", "value is not of type \"string\""],
            [
                "/a/x",
                "/unevaluatedProperties/properties/x/anyOf/1/minimum",
                "minimum",
                "value is less than the minimum of 5",
            ],
        ],
    );
    check(
        json!({"prefixItems": [true], "unevaluatedItems": {"type": "string"}}),
        json!([1, 1, "a", 1]),
        &[
            ["/1", "/unevaluatedItems/type", "type", "value is not of type \"string\""],
            ["/3", "/unevaluatedItems/type", "type", "value is not of type \"string\""],
        ],
    );
    // Nested, and in another document.
    check(
        json!({"unevaluatedProperties": {"unevaluatedProperties": {"contains": {"type": "null"}}}}),
        json!({"a": {"b": [1]}}),
        &[[
            "/a/b",
            "/unevaluatedProperties/unevaluatedProperties/contains",
            "contains",
            "value has no item that matches 'contains'",
        ]],
    );
    check(
        json!({"items": {"$ref": "restful:closed"}}),
        json!([{"a": 1, "b": "c"}]),
        &[["/0/b", "/items/$ref/unevaluatedProperties/$ref/type", "type", "value is not of type \"number\""]],
    );
    let draft = "https://json-schema.org/draft/2019-09/schema";
    check(
        json!({
            "$schema": draft, "$recursiveAnchor": true, "properties": {"a": {"$recursiveRef": "#"}},
            "unevaluatedProperties": {"type": "null"}
        }),
        json!({"a": {"a": {"b": 1}}}),
        &[[
            "/a/a/b",
            "/properties/a/$recursiveRef/properties/a/$recursiveRef/unevaluatedProperties/type",
            "type",
            "value is not of type \"null\"",
        ]],
    );
    // If a schema depends on where it was referred to from, no explanation may be found.
    check(
        json!({
            "$id": "https://example.com/strict", "$ref": "open", "$defs": {
                "open": {
                    "$id": "open", "properties": {"a": {"unevaluatedProperties": {"$dynamicRef": "#x"}}},
                    "$defs": {"x": {"$dynamicAnchor": "x"}}
                },
                "own": {"$dynamicAnchor": "x", "type": "string"}
            }
        }),
        json!({"a": {"b": 1}}),
        &[[
            "/a/b",
            "/$ref/properties/a/unevaluatedProperties",
            "unevaluatedProperties",
            "property \"b\" does not match 'unevaluatedProperties'",
        ]],
    );
}

#[test]
fn what_is_not_allowed_at_all_is_named() {
    for (schema, instance, expected) in [
        (
            json!({"additionalProperties": false}),
            json!({"a": 1}),
            [
                "",
                "/additionalProperties",
                "additionalProperties",
                "Additional properties are not allowed ('a' was unexpected)",
            ],
        ),
        (
            json!({"additionalProperties": false}),
            json!({"a": 1, "b": 2}),
            [
                "",
                "/additionalProperties",
                "additionalProperties",
                "Additional properties are not allowed ('a', 'b' were unexpected)",
            ],
        ),
        (
            json!({"properties": {"b": {}}, "additionalProperties": false}),
            json!({"a": 1}),
            [
                "",
                "/additionalProperties",
                "additionalProperties",
                "Additional properties are not allowed ('a' was unexpected)",
            ],
        ),
        (
            json!({"unevaluatedProperties": false}),
            json!({"a": 1}),
            [
                "",
                "/unevaluatedProperties",
                "unevaluatedProperties",
                "Unevaluated properties are not allowed ('a' was unexpected)",
            ],
        ),
        (
            json!({"properties": {"a/b": false}}),
            json!({"a/b": 1}),
            ["/a~1b", "/properties/a~1b", "properties", "property \"a/b\" is not allowed"],
        ),
        (
            json!({"patternProperties": {"^a": false}}),
            json!({"ab": 1}),
            ["/ab", "/patternProperties/^a", "patternProperties", "property \"ab\" is not allowed"],
        ),
        (
            json!({"propertyNames": false}),
            json!({"a": 1}),
            ["", "/propertyNames", "propertyNames", "Properties are not allowed ('a' was unexpected)"],
        ),
        (
            json!({"dependentSchemas": {"a": false}}),
            json!({"a": 1}),
            ["", "/dependentSchemas/a", "dependentSchemas", "property \"a\" is not allowed"],
        ),
        (
            json!({"prefixItems": [true], "items": false}),
            json!([1, 2]),
            ["/1", "/items", "items", "item 1 is not allowed"],
        ),
        (
            json!({"prefixItems": [true, false]}),
            json!([1, 2]),
            ["/1", "/prefixItems/1", "prefixItems", "item 1 is not allowed"],
        ),
        (
            json!({"unevaluatedItems": false}),
            json!([1]),
            ["", "/unevaluatedItems", "unevaluatedItems", "Unevaluated items are not allowed (item 0 was unexpected)"],
        ),
        // Among equal elements, the first ones were evaluated.
        (
            json!({"prefixItems": [true], "contains": {"const": 2}, "unevaluatedItems": false}),
            json!([1, 2, 1, 1]),
            [
                "",
                "/unevaluatedItems",
                "unevaluatedItems",
                "Unevaluated items are not allowed (items 2 and 3 were unexpected)",
            ],
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#", "items": [true], "additionalItems": false}),
            json!([1, 2, 3]),
            [
                "",
                "/additionalItems",
                "additionalItems",
                "Additional items are not allowed (items 1 and 2 were unexpected)",
            ],
        ),
        (
            json!({"if": {"type": "string"}, "then": false}),
            json!("a"),
            ["", "/then", "then", "value is valid under 'if', but 'then' allows nothing"],
        ),
        (
            json!({"if": {"type": "string"}, "else": false}),
            json!(1),
            ["", "/else", "else", "value is not valid under 'if', but 'else' allows nothing"],
        ),
        (json!({"allOf": [true, false]}), json!(1), ["", "/allOf/1", "allOf", "value is not allowed"]),
        (json!({"$ref": "#/$defs/a", "$defs": {"a": false}}), json!(1), ["", "/$ref", "$ref", "value is not allowed"]),
        (json!(false), json!(1), ["", "", "falseSchema", "value is not allowed"]),
    ] {
        check(schema, instance, &[expected]);
    }
}

#[test]
fn other_keywords_name_what_they_are_about() {
    for (schema, instance, expected) in [
        (
            json!({"propertyNames": {"maxLength": 1}}),
            json!({"ab": 1}),
            ["", "/propertyNames/maxLength", "propertyNames", "property name \"ab\" is longer than 1 character"],
        ),
        (
            json!({"propertyNames": {"allOf": [false]}}),
            json!({"ab": 1}),
            ["", "/propertyNames/allOf/0", "propertyNames", "property name \"ab\" is not allowed"],
        ),
        (
            json!({"dependentRequired": {"a": ["b"]}}),
            json!({"a": 1}),
            ["", "/dependentRequired", "dependentRequired", "\"b\" is a required property when \"a\" is present"],
        ),
        (
            json!({"dependentRequired": {"a": ["b"], "c": ["b"], "d": ["b"]}}),
            json!({"a": 1, "c": 1}),
            [
                "",
                "/dependentRequired",
                "dependentRequired",
                "\"b\" is a required property when \"a\" and \"c\" are present",
            ],
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-04/schema#", "dependencies": {"a": ["b"]}}),
            json!({"a": 1}),
            ["", "/dependencies", "dependencies", "\"b\" is a required property when \"a\" is present"],
        ),
        (
            json!({"properties": {"dependencies": {"required": ["b"]}}}),
            json!({"dependencies": {}}),
            ["/dependencies", "/properties/dependencies/required", "required", "\"b\" is a required property"],
        ),
        (
            json!({"oneOf": [{"type": "integer"}, {"type": "string"}, {"minimum": 0}]}),
            json!(1),
            [
                "",
                "/oneOf",
                "oneOf",
                "value is valid under more than one of the schemas listed in the 'oneOf' keyword (0 and 2)",
            ],
        ),
        (
            json!({"not": {"required": ["a"]}}),
            json!({"a": 1}),
            ["", "/not", "not", "value is valid under the schema in 'not': {\"required\":[\"a\"]}"],
        ),
        (
            json!({"uniqueItems": true}),
            json!([[1], 2, [1.0]]),
            ["", "/uniqueItems", "uniqueItems", "value has non-unique elements (items 0 and 2 are equal)"],
        ),
        (
            json!({"enum": ["a", "b", "c", "d", 5]}),
            json!("x"),
            ["", "/enum", "enum", "value is not one of \"a\", \"b\", \"c\", \"d\" or 5"],
        ),
        (
            json!({"enum": (0..30).collect::<Vec<u8>>()}),
            json!("x"),
            [
                "",
                "/enum",
                "enum",
                "value is not one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 or 10 more",
            ],
        ),
    ] {
        check(schema, instance, &[expected]);
    }
}

#[test]
fn messages_show_values_where_they_are_asked_for() {
    for (schema, instance, message) in [
        (json!({"contains": {"type": "null"}}), json!([1, 2]), "[1,2] has no item that matches 'contains'"),
        (
            json!({"oneOf": [true, true]}),
            json!("a"),
            "\"a\" is valid under more than one of the schemas listed in the 'oneOf' keyword (0 and 1)",
        ),
        (json!({"not": {}}), json!(1), "1 is valid under the schema in 'not': {}"),
        (json!({"unevaluatedProperties": {"type": "string"}}), json!({"a": 17}), "17 is not of type \"string\""),
        (json!({"uniqueItems": true}), json!([1, 1]), "[1,1] has non-unique elements (items 0 and 1 are equal)"),
        (json!({"pattern": "[^]{3}"}), json!("a"), "\"a\" does not match \"[^]{3}\""),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
            json!(1),
            "1 is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
        (json!(false), json!(1), "1 is not allowed"),
    ] {
        let compiled = compiled(&schema);
        let text = instance.to_string();
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(messages(&compiled, document.root(), 10), [message]);
        assert_eq!(listed(&schema, &instance, Values::Shown)[0][3], message);
    }
    // Otherwise they are not shown anywhere.
    let schema = json!({
        "contains": {"const": 1}, "uniqueItems": true, "unevaluatedItems": {"enum": [1]}, "not": {"type": "array"},
        "oneOf": [true, true], "anyOf": [{"items": {"type": "null"}}]
    });
    for [_, _, _, message] in listed(&schema, &json!(["secret", "secret", {"secret": "secret"}]), Values::Masked) {
        assert!(!message.contains("secret"), "{message}");
    }
}

#[test]
fn a_format_is_asserted_in_parts_as_in_the_whole() {
    let schema = json!({"unevaluatedProperties": {"format": "ipv4"}});
    let compiled = compile::<Plain>(&schema, Formats::On, &mut |_| None).unwrap();
    let document = Document::parse(br#"{"a": "x"}"#).unwrap();
    let found = violations(&compiled, document.root(), Values::Masked, 10);
    assert_eq!((&*found[0].instance_location, &*found[0].message), ("/a", "value is not a \"ipv4\""));
}

/// As many as are asked for, even if one error stands for many.
#[test]
fn members_are_listed_up_to_the_limit() {
    let members: serde_json::Map<String, Value> = (0..500).map(|i| (i.to_string(), json!(1))).collect();
    let compiled = compiled(&json!({"unevaluatedProperties": {"type": "string", "minimum": 2}}));
    let text = Value::Object(members).to_string();
    let document = Document::parse(text.as_bytes()).unwrap();
    assert_eq!(violations(&compiled, document.root(), Values::Masked, 700).len(), 700);
    assert_eq!(violations(&compiled, document.root(), Values::Masked, 2000).len(), 1000);
}

/// A value is invalid if and only if something is reported. Each report names a place in the value and a keyword of the schema, and
/// does not show the value.
#[test]
fn what_is_listed_is_in_the_value_and_by_the_schema() {
    let mut kinds = std::collections::BTreeSet::new();
    let more = [
        json!({"items": {"unevaluatedProperties": {"type": "string"}, "properties": {"a": {"contains": {"type": "number"}}}}}),
        json!({"unevaluatedProperties": {"unevaluatedItems": {"type": "null"}}, "dependentSchemas": {"a": false}}),
        json!({"additionalProperties": false, "uniqueItems": true, "contains": {"type": "string"}, "maxContains": 1}),
        json!({"propertyNames": {"not": {"pattern": "^[ab]"}}, "unevaluatedItems": false, "prefixItems": [true, false]}),
    ];
    for (number, schema) in schemas().into_iter().chain(more).enumerate() {
        let compiled = compiled(&schema);
        for text in texts(0x1234_0000_0000_0001 + number as u64, 400) {
            let document = Document::parse(text.as_bytes()).unwrap();
            let value: Value = serde_json::from_str(&text).unwrap();
            let found = violations(&compiled, document.root(), Values::Masked, 100_000);
            assert_eq!(found.is_empty(), compiled.validator.is_valid(document.root()), "{schema} {text}");
            for violation in found {
                let at = value.pointer(&violation.instance_location);
                assert!(at.is_some(), "{schema} {text}: {violation:?}");
                assert!(!violation.message.is_empty() && !violation.message.contains("😀"), "{violation:?}");
                let last = violation.keyword_location.split('/').rev().find(|token| token.parse::<usize>().is_err());
                let names_what_it_holds = ["properties", "patternProperties", "dependentSchemas", "propertyNames"];
                assert!(
                    last == Some(&violation.keyword) || names_what_it_holds.contains(&violation.keyword.as_str()),
                    "{schema}: {violation:?}"
                );
                kinds.insert(violation.keyword);
            }
        }
    }
    assert!(kinds.len() > 20, "{kinds:?}");
}
