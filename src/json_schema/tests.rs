use super::text::{Document, TextJson, TextNode};
use super::*;
use crate::limits;
use serde_json::{Map, Value, json};

type Plain = TextJson<Unwatched>;

/// The value as an instance. It is leaked.
fn node<W: Watch>(instance: &Value) -> TextNode<'static, W> {
    let text = Box::leak(instance.to_string().into_boxed_str());
    Box::leak(Box::new(Document::parse(text.as_bytes()).unwrap())).root()
}

fn compiled(schema: &Value) -> Result<Compiled<Plain>, Refusal> {
    compile(schema, Formats::Draft, &mut |_| None)
}

fn is_valid(schema: &Value, instance: &Value) -> bool {
    compiled(schema).unwrap().validator.is_valid(node(instance))
}

fn refusal(schema: &Value) -> Refusal {
    compiled(schema).err().unwrap()
}

/// Definitions `C0`, `C1`, ... each of which is made with a reference to the next.
fn chain(length: usize, definition: impl Fn(Value) -> Value) -> Value {
    let definitions: Map<String, Value> = (0..length)
        .map(|i| (format!("C{i}"), definition(json!({"$ref": format!("#/$defs/C{}", i + 1)}))))
        .chain([(format!("C{length}"), json!({"type": "string"}))])
        .collect();
    json!({"$defs": definitions, "$ref": "#/$defs/C0"})
}

/// Runs on as little stack as a server leaves to a deeply nested function call.
fn on_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(4 << 20).spawn(work).unwrap().join().unwrap()
}

#[test]
fn a_refusal_points_into_the_schema() {
    for (schema, pointer, message) in [
        (json!({"properties": {"a": {"type": "strin"}}}), "/properties/a/type", "\"strin\" is not a type"),
        (
            json!({"$schema": "http://json-schema.org/draft-04/schema#", "items": {"type": ["null", "strin"]}}),
            "/items/type/1",
            "\"strin\" is not one of \"array\"",
        ),
        (
            json!({"properties": {"a": {"pattern": "("}}}),
            "/properties/a/pattern",
            "has a \"(\" without its \")\" at character 1",
        ),
        (json!({"properties": {"a": {"$ref": "restful:b"}}}), "/properties/a/$ref", "\"restful:b\" is not registered"),
        (json!({"$schema": "https://example.com/draft"}), "/$schema", "is not registered"),
        (json!({"$ref": "#/$defs/a"}), "/$ref", "\"#/$defs/a\" does not exist"),
        (json!({"items": {"$ref": "#a"}}), "/items/$ref", "\"#a\" does not exist"),
        (json!({"items": {"$ref": "a.json"}}), "/items/$ref", "\"a.json\" is a relative reference"),
        (json!({"items": {"$dynamicRef": "restful:b#c"}}), "/items/$dynamicRef", "\"restful:b\" is not registered"),
        (
            json!({"$ref": "http://json-schema.org/draft-07/hyper-schema#"}),
            "/$ref",
            "\"http://json-schema.org/draft-07/hyper-schema\" is not registered",
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-08/schema#"}),
            "/$schema",
            "\"http://json-schema.org/draft-08/schema\" is not registered",
        ),
        (json!(3), "", "is not of types"),
    ] {
        let refused = refusal(&schema);
        assert_eq!(refused.pointer, pointer, "{schema}");
        assert!(refused.message.contains(message), "{schema}: {}", refused.message);
    }
}

#[test]
fn patterns_are_linear_and_bounded() {
    for pattern in ["(?=a)b", "(a)\\1"] {
        assert!(refusal(&json!({"pattern": pattern})).hint.unwrap().contains("linear"), "{pattern}");
    }
    assert!(refusal(&json!({"pattern": "(a{1000}){1000}"})).message.contains("too large"));
    assert!(!is_valid(&json!({"pattern": "^(a|a)*$"}), &json!("a".repeat(100_000) + "b")));
}

#[test]
fn references_are_looked_up_and_never_fetched() {
    let library = |uri: &str| match uri {
        "restful:a" => Some(json!({"properties": {"b": {"$ref": "restful:b@2#/$defs/x"}}})),
        "restful:b@2" => Some(json!({"$defs": {"x": {"type": "integer"}}})),
        _ => None,
    };
    let schema = json!({"$ref": "restful:a"});
    let compiled = compile::<Plain>(&schema, Formats::Draft, &mut { library }).unwrap();
    assert!(compiled.refers);
    assert!(compiled.validator.is_valid(node(&json!({"b": 1}))));
    assert!(!compiled.validator.is_valid(node(&json!({"b": "1"}))));
    assert!(!super::tests::compiled(&json!({"$ref": "https://json-schema.org/draft/2020-12/schema"})).unwrap().refers);
    let mut asked = 0;
    let endless = &mut |uri: &str| {
        asked += 1;
        Some(json!({"$ref": format!("{uri}x")}))
    };
    assert!(compile::<Plain>(&schema, Formats::Draft, endless).is_err());
    assert!(asked <= limits::SCHEMA_DOCUMENTS);
}

#[test]
fn a_meta_schema_of_any_draft_can_be_referred_to() {
    const DRAFTS: [&str; 5] = [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ];
    // In the forms that `$schema` accepts.
    let also = [
        "https://json-schema.org/draft-07/schema",
        "http://json-schema.org/draft/2020-12/schema#",
        "http://json-schema.org/schema#",
        "https://json-schema.org/schema",
    ];
    for draft in DRAFTS {
        for meta in DRAFTS.into_iter().chain(also) {
            let schema = json!({"$schema": draft, "properties": {"a": {"$ref": meta}}});
            assert!(
                is_valid(&schema, &json!({"a": {"type": "array", "properties": {"b": {"minLength": 1}}}})),
                "{schema}"
            );
            // In 2019-09 and 2020-12 the vocabularies and local references lead there.
            assert!(!is_valid(&schema, &json!({"a": {"type": "arr"}})), "{schema}");
            assert!(!is_valid(&schema, &json!({"a": {"properties": {"b": {"minLength": -1}}}})), "{schema}");
            // Through a registered schema without a draft of its own.
            let mut library = |uri: &str| (uri == "restful:a").then(|| json!({"items": {"$ref": meta}}));
            let schema = json!({"$schema": draft, "$ref": "restful:a"});
            let compiled = compile::<Plain>(&schema, Formats::Draft, &mut library).unwrap();
            assert!(compiled.validator.is_valid(node(&json!([{"type": "array"}]))), "{schema} {meta}");
            assert!(!compiled.validator.is_valid(node(&json!([{"type": "arr"}]))), "{schema} {meta}");
        }
    }
    let part = json!({"$ref": "http://json-schema.org/draft-07/schema#/definitions/nonNegativeInteger"});
    assert!(is_valid(&part, &json!(1)) && !is_valid(&part, &json!(-1)));
    let part = json!({"$ref": "https://json-schema.org/draft/2019-09/meta/validation#/$defs/nonNegativeInteger"});
    assert!(is_valid(&part, &json!(1)) && !is_valid(&part, &json!(-1)));
}

#[test]
fn references_are_found_wherever_they_stand() {
    for schema in [
        json!({"properties": {"a": {"$dynamicRef": "restful:a"}}}),
        json!({"$id": "urn:x:y", "properties": {"a": {"$ref": "restful:a"}}}),
        // A place where the draft does not expect schemas.
        json!({"$id": "urn:x:y", "$ref": "#/components/x", "components": {"x": {"properties": {"a": {"$ref": "restful:a"}}}}}),
        json!({"$id": "https://json-schema.org/draft/2020-12/mine", "properties": {"a": {"$ref": "restful:a"}}}),
        json!({"properties": {"a": {"$ref": "https://json-schema.org/draft/2020-12/mine"}}}),
    ] {
        let mut library = |uri: &str| (!uri.ends_with("schema")).then(|| json!({"type": "integer"}));
        let compiled = compile::<Plain>(&schema, Formats::Draft, &mut library).unwrap();
        assert!(compiled.refers, "{schema}");
        assert!(compiled.validator.is_valid(node(&json!({"a": 1}))), "{schema}");
        assert!(!compiled.validator.is_valid(node(&json!({"a": "1"}))), "{schema}");
        assert!(refusal(&schema).message.contains("is not registered"), "{schema}");
    }
    // One document within another.
    let mut library = |uri: &str| (uri == "restful:a").then(|| json!({"$ref": "restful:b"}));
    let refused = compile::<Plain>(&json!({"$ref": "restful:a"}), Formats::Draft, &mut library).err().unwrap();
    assert_eq!(refused.to_string(), "\"restful:a\" refers to \"restful:b\", which is not registered");
    // Documents that refer to each other, of which one is compiled.
    let mut library = |uri: &str| (uri == "https://example.com/b").then(|| json!({"items": {"$ref": "a"}}));
    let schema = json!({"$id": "https://example.com/a", "properties": {"b": {"$ref": "b"}}, "required": ["b"]});
    let compiled = compile::<Plain>(&schema, Formats::Draft, &mut library).unwrap();
    assert!(compiled.validator.is_valid(node(&json!({"b": [{"b": []}]}))));
    assert!(!compiled.validator.is_valid(node(&json!({"b": [{}]}))));
}

#[test]
fn the_draft_decides_whether_formats_assert() {
    let draft = |uri: &str, formats| {
        let schema = json!({"$schema": uri, "format": "ipv4"});
        let compiled = compile::<Plain>(&schema, formats, &mut |_| None).unwrap();
        !compiled.validator.is_valid(node(&json!("x")))
    };
    let (seven, latest) = ("http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema");
    assert!(draft(seven, Formats::Draft) && !draft(latest, Formats::Draft));
    assert!(draft(seven, Formats::On) && draft(latest, Formats::On));
    assert!(!draft(seven, Formats::Off) && !draft(latest, Formats::Off));
}

#[test]
fn chains_on_one_value_are_bounded() {
    let bad: [fn(Value) -> Value; 5] = [
        |next| json!({"allOf": [next]}),
        |next| next,
        |next| json!({"anyOf": [false, next]}),
        |next| json!({"not": {"not": next}}),
        |next| json!({"unevaluatedProperties": false, "allOf": [next]}),
    ];
    for definition in bad {
        let refused = on_small_stack(move || refusal(&chain(10_000, definition)));
        assert!(refused.message.contains("chains more than"), "{refused}");
        let short = limits::SCHEMA_CHAIN / 4;
        assert!(on_small_stack(
            move || is_valid(&chain(short, definition), &json!("x")) || definition(json!(true)) != json!(true)
        ));
    }
    // Each property leads to another value, so the chain is harmless.
    assert!(on_small_stack(|| is_valid(&chain(5_000, |next| json!({"properties": {"n": next}})), &json!("x"))));
}

#[test]
fn ways_that_branch_and_meet_are_bounded() {
    let refused = refusal(&chain(30, |next| json!({"allOf": [next, next]})));
    assert!(refused.message.contains("more than 50000 schemas"), "{refused}");
    let refused = refusal(&chain(30, |next| json!({"unevaluatedProperties": false, "anyOf": [next, next]})));
    assert!(refused.message.contains("more than 50000 schemas"), "{refused}");
    let branches: Vec<Value> = (0..10_000).map(|i| json!({"required": [format!("a{i}")]})).collect();
    let schema = json!({"anyOf": branches});
    assert!(is_valid(&schema, &json!({"a9999": 1})) && !is_valid(&schema, &json!({})));
}

#[test]
fn a_schema_that_never_ends_is_refused() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"allOf": [{"$ref": "#/$defs/a"}]}}, "$ref": "#/$defs/a"}),
        json!({"$dynamicAnchor": "a", "anyOf": [{"$dynamicRef": "#a"}]}),
    ] {
        assert!(refusal(&schema).message.contains("endlessly"), "{schema}");
    }
    let list = json!({"properties": {"next": {"$ref": "#"}}, "required": ["value"]});
    assert!(is_valid(&list, &json!({"value": 1, "next": {"value": 2}})));
    assert!(!is_valid(&list, &json!({"value": 1, "next": {}})));
}

#[test]
fn violations_are_listed_in_the_terms_of_json_schema() {
    let schema = json!({
        "$defs": {"name": {"type": "string", "minLength": 3}},
        "properties": {"name": {"$ref": "#/$defs/name"}, "size": {"anyOf": [{"type": "string"}, {"minimum": 10}]}},
        "required": ["id"],
        "additionalProperties": false
    });
    let compiled = compiled(&schema).unwrap();
    let instance = json!({"name": "ab", "size": 3, "a/b": 1});
    let found = violations(&compiled, node(&instance), Values::Masked, 100);
    let places: Vec<(&str, &str, &str)> =
        found.iter().map(|v| (&*v.instance_location, &*v.keyword_location, &*v.keyword)).collect();
    assert_eq!(
        places,
        [
            ("/name", "/properties/name/$ref/minLength", "minLength"),
            ("/size", "/properties/size/anyOf", "anyOf"),
            ("/size", "/properties/size/anyOf/0/type", "type"),
            ("/size", "/properties/size/anyOf/1/minimum", "minimum"),
            ("", "/additionalProperties", "additionalProperties"),
            ("", "/required", "required"),
        ]
    );
    assert!(found.iter().all(|v| !v.message.contains("\"ab\"")));
    let shown = violations(&compiled, node(&instance), Values::Shown, 100);
    assert_eq!(shown[0].message, "\"ab\" is shorter than 3 characters");
    assert_eq!(violations(&compiled, node(&instance), Values::Masked, 3).len(), 3);
}

#[test]
fn a_watch_can_stop_a_validation() {
    struct Impatient;
    impl Watch for Impatient {
        fn enter() {
            std::panic::resume_unwind(Box::new("stopped"));
        }

        fn step() {}
    }
    let compiled = compile::<TextJson<Impatient>>(&json!({"items": {"type": "array"}}), Formats::Draft, &mut |_| None);
    let validator = compiled.unwrap().validator;
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| validator.is_valid(node(&json!([[]])))));
    assert_eq!(stopped.unwrap_err().downcast_ref(), Some(&"stopped"));
    assert!(validator.is_valid(node(&json!(3))), "the validator can be used again");
}

#[test]
fn resources_that_refer_to_each_other_in_many_ways_are_refused() {
    let members = |uri: usize, all: usize| json!({"a": {"$ref": format!("restful:r{}", (uri + 1) % all)}, "b": {"$ref": format!("restful:r{}", (uri + 7) % all)}});
    let library = |all: usize| {
        move |uri: &str| Some(json!({"properties": members(uri.strip_prefix("restful:r")?.parse().ok()?, all)}))
    };
    let schema = json!({"$ref": "restful:r0"});
    let refused = compile::<Plain>(&schema, Formats::Draft, &mut library(60)).err().unwrap();
    assert!(refused.message.contains("refer to each other in more than"), "{refused}");
    let few = compile::<Plain>(&schema, Formats::Draft, &mut library(8)).unwrap();
    assert!(few.validator.is_valid(node(&json!({"a": {"b": {}}}))));
    let meta = json!({"allOf": [{"$ref": "restful:r0"}, {"$ref": "https://json-schema.org/draft/2020-12/schema"}]});
    assert!(compile::<Plain>(&meta, Formats::Draft, &mut library(4)).is_ok());
    let embedded: Map<String, Value> = (0..60)
        .map(|i| (i.to_string(), json!({"$id": format!("restful:r{i}"), "properties": members(i, 60)})))
        .collect();
    let refused = refusal(&json!({"$id": "https://example.com/", "$defs": embedded, "$ref": "restful:r0"}));
    assert!(refused.message.contains("refer to each other in more than"), "{refused}");
}

#[test]
fn patterns_of_one_schema_are_bounded_together() {
    let properties = |count: usize, pattern: &dyn Fn(usize) -> String| {
        let members: Map<String, Value> = (0..count).map(|i| (pattern(i), json!(true))).collect();
        json!({"patternProperties": members})
    };
    for schema in [properties(20_000, &|i| format!("^a{i}.*b$")), properties(300, &|i| format!("\\p{{L}}{{20}}{i}"))] {
        let refused = refusal(&schema);
        assert!(refused.message.contains("schema has too many patterns"), "{refused}");
    }
    let words = properties(200, &|i| format!("^[\\w.-]{{1,50}}@\\d{{3}}{i}$"));
    assert!(is_valid(&words, &json!({"a@1231": 1})));
}

#[test]
fn unevaluated_keywords_do_not_multiply() {
    let refused = refusal(&chain(13, |next| json!({"anyOf": [next, next], "unevaluatedProperties": false})));
    assert!(refused.message.contains("beside \"unevaluated\""), "{refused}");
    let branches: Vec<Value> = (0..500).map(|i| json!({"properties": {format!("a{i}"): true}})).collect();
    let wide = json!({"allOf": branches, "unevaluatedProperties": false});
    assert!(is_valid(&wide, &json!({"a1": 1})) && !is_valid(&wide, &json!({"b": 1})));
}

#[test]
fn names_and_uris_are_short() {
    let long = "a".repeat(2000);
    let refused = refusal(&json!({"properties": {long.as_str(): {}}}));
    assert!(refused.message.contains("a name of 2000 bytes"), "{refused}");
    let refused = refusal(&json!({"properties": {"a": {"$id": format!("https://example.com/{long}")}}}));
    assert!(refused.message.contains("an $id of"), "{refused}");
}

#[test]
fn what_is_collected_of_a_bad_value_is_bounded() {
    let compiled = compiled(&json!({"items": {"type": "string"}})).unwrap();
    let list = |instance: &Value| violations(&compiled, node(instance), Values::Masked, 1000);
    assert_eq!(list(&json!(vec![1; 50_000])).len(), 1000);
    let many = list(&json!(vec![1; 1_000_000]));
    assert_eq!(many.len(), 1);
    assert_eq!((many[0].instance_location.as_str(), many[0].keyword.as_str()), ("/0", "type"));
    // Locations of a megabyte each.
    let named = self::compiled(&json!({"additionalProperties": {"items": {"type": "string"}}})).unwrap();
    let instance = json!({"n".repeat(1 << 20): vec![1; 1000]});
    assert_eq!(violations(&named, node(&instance), Values::Masked, 1000).len(), 1);
    // The errors that an anyOf collects count too: none of them fits.
    let either =
        self::compiled(&json!({"anyOf": [{"items": {"type": "string"}}, {"items": {"type": "null"}}]})).unwrap();
    let instance = json!(vec![1; 1_000_000]);
    let many = violations(&either, node(&instance), Values::Masked, 1000);
    assert_eq!(many.len(), 1);
    assert!(many[0].message.contains("too many places"));
    // Messages quote the value.
    let message = messages(&compiled, node(&json!([vec![1; 100_000]])), 10).remove(0);
    assert!(message.len() <= limits::VIOLATION_TEXT_BYTES + 3 && message.ends_with("..."), "{}", message.len());
}

#[test]
fn a_watch_is_told_of_every_scalar() {
    thread_local!(static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });
    struct Counting;
    impl Watch for Counting {
        fn enter() {}

        fn step() {
            STEPS.set(STEPS.get() + 1);
        }
    }
    let schema = json!({"items": {"multipleOf": 1}, "propertyNames": {"maxLength": 9}});
    let compiled = compile::<TextJson<Counting>>(&schema, Formats::Draft, &mut |_| None).unwrap();
    assert!(compiled.validator.is_valid(node(&json!(vec![1; 1000]))));
    assert!(STEPS.replace(0) >= 1000);
    let members: Map<String, Value> = (0..1000).map(|i| (i.to_string(), json!(1))).collect();
    assert!(compiled.validator.is_valid(node(&Value::Object(members))));
    assert!(STEPS.get() >= 1000);
}
