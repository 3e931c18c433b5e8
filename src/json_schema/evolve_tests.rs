use serde_json::{Value, json};

use super::*;

use Verdict::{Nothing, Something, Unknown};

fn changes(old: &Value, new: &Value, options: &Options) -> Result<Vec<Change>, Error> {
    let source = |schema: &Value| Source::read(schema, &mut |_| None).map_err(|why| why.to_string());
    super::changes(&source(old).map_err(Error::Old)?, &source(new).map_err(Error::New)?, options)
}

/// The verdict of one direction. It checks that its rows are consistent and that every example is valid.
fn verdict(direction: Direction, old: &Value, new: &Value, changes: &[Change]) -> Verdict {
    let accepts = |schema: &Value, instance: &Value| {
        let source = Source::read(schema, &mut |_| None).expect("a schema");
        let validator: Validator = source.validator(Formats::Draft).expect("a schema");
        validator.is_valid(instance)
    };
    let rows: Vec<&Change> = changes.iter().filter(|change| change.direction == direction).collect();
    assert!(!rows.is_empty() && rows.len() <= CHANGES, "{} rows", rows.len());
    for row in &rows {
        if std::env::var_os("SHOW").is_some() {
            eprintln!("{row:?}");
        }
        match row.verdict {
            Nothing => assert!(rows.len() == 1 && row.example.is_none()),
            Unknown => assert!(row.example.is_none() && row.detail.is_some()),
            Something => {
                let example = row.example.as_ref().expect("an example");
                let was = direction == Direction::NoLongerAccepted;
                assert_eq!(accepts(old, example), was, "{example} against the old {old}");
                assert_eq!(accepts(new, example), !was, "{example} against the new {new}");
                if let Some(schema) = &row.schema {
                    assert!(accepts(schema, example), "{example} against the difference {schema}");
                }
            }
        }
    }
    rows.iter().find(|row| row.verdict == Something).unwrap_or(&rows[0]).verdict
}

#[track_caller]
fn check(old: Value, new: Value, lost: Verdict, gained: Verdict) -> Vec<Change> {
    let changes = changes(&old, &new, &Options::default()).expect("two schemas");
    let seen = (
        verdict(Direction::NoLongerAccepted, &old, &new, &changes),
        verdict(Direction::NewlyAccepted, &old, &new, &changes),
    );
    assert_eq!(seen, (lost, gained), "{old} to {new}: {changes:#?}");
    changes
}

/// A closed record with one changed member.
fn record(member: Value) -> Value {
    json!({"type": "object", "properties": {"id": {"type": "integer"}, "a": member}, "required": ["id"]})
}

fn details(changes: &[Change]) -> Vec<&str> {
    changes.iter().filter_map(|change| change.detail.as_deref()).collect()
}

#[test]
fn equal_schemas_written_differently_change_nothing() {
    check(json!({"type": "string"}), json!({"type": ["string"]}), Nothing, Nothing);
    check(json!({"enum": ["a", "b"]}), json!({"enum": ["b", "a"], "title": "letters"}), Nothing, Nothing);
    check(
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"minimum": 1}}}),
        json!({"properties": {"a": {"allOf": [{"minimum": 0}, {"minimum": 1}]}}, "type": "object"}),
        Nothing,
        Nothing,
    );
}

#[test]
fn bounds_and_lengths() {
    let changes = check(
        record(json!({"type": "number", "minimum": 0})),
        record(json!({"type": "number", "minimum": 1})),
        Something,
        Nothing,
    );
    assert_eq!(details(&changes), ["/properties/a: minimum 0 became 1"]);
    check(record(json!({"type": "string"})), record(json!({"type": "string", "minLength": 1})), Something, Nothing);
    check(
        record(json!({"type": "string", "maxLength": 9})),
        record(json!({"type": "string", "maxLength": 10})),
        Nothing,
        Something,
    );
    check(
        json!({"minimum": 0, "maximum": 5, "type": "integer"}),
        json!({"minimum": 1, "maximum": 6, "type": "integer"}),
        Something,
        Something,
    );
    check(json!({"type": "integer", "multipleOf": 2}), json!({"type": "integer", "multipleOf": 6}), Something, Nothing);
    check(
        json!({"type": "array", "items": {"type": "integer"}, "maxItems": 3}),
        json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true, "maxItems": 3}),
        Something,
        Nothing,
    );
}

#[test]
fn types_and_enums() {
    check(record(json!({"type": "integer"})), record(json!({"type": "number"})), Nothing, Something);
    check(record(json!({"type": "string"})), record(json!({"type": ["string", "null"]})), Nothing, Something);
    let changes =
        check(record(json!({"enum": ["a", "b"]})), record(json!({"enum": ["a", "b", "c"]})), Nothing, Something);
    assert_eq!(details(&changes), [r#"/properties/a: enum now has "c""#]);
    check(record(json!({"enum": ["a", "b"]})), record(json!({"enum": ["a"]})), Something, Nothing);
    check(record(json!({"enum": ["a", "b"]})), record(json!({"enum": ["a", "c"]})), Something, Something);
}

#[test]
fn properties() {
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let mut required = open.clone();
    required["required"] = json!(["a"]);
    let changes = check(open.clone(), required.clone(), Something, Nothing);
    assert_eq!(changes[0].example, Some(json!({})));
    check(required, open.clone(), Nothing, Something);
    let mut closed = open.clone();
    closed["additionalProperties"] = json!(false);
    check(open, closed.clone(), Something, Nothing);
    let mut wider = closed.clone();
    wider["properties"]["b"] = json!({"type": "integer"});
    check(closed, wider, Nothing, Something);
    check(
        json!({"type": "object", "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": false}),
        json!({"type": "object", "patternProperties": {"^x-": {"type": ["string", "null"]}}, "additionalProperties": false}),
        Nothing,
        Something,
    );
    check(
        json!({"type": "object", "dependentRequired": {"a": ["b"]}}),
        json!({"type": "object", "dependentRequired": {"a": ["b", "c"]}}),
        Something,
        Nothing,
    );
}

#[test]
fn several_changes_are_several_rows() {
    let changes = check(
        json!({"type": "object", "properties": {"price": {"type": "number", "minimum": 0}, "name": {"type": "string"}}}),
        json!({"type": "object", "properties": {"price": {"type": "number", "minimum": 1}, "name": {"type": "string", "maxLength": 10}},
            "required": ["name"]}),
        Something,
        Nothing,
    );
    assert_eq!(
        details(&changes),
        [
            "/properties/name: maxLength 10 was added",
            "/properties/price: minimum 0 became 1",
            "the root: required [\"name\"] was added"
        ]
    );
}

#[test]
fn versions_of_two_drafts_are_compared() {
    const DRAFTS: [&str; 5] = [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ];
    let of = |draft: &str, schema: &Value| {
        let mut schema = schema.clone();
        schema["$schema"] = draft.into();
        schema
    };
    for old in DRAFTS {
        for new in DRAFTS {
            let same = |schema: Value| check(of(old, &schema), of(new, &schema), Nothing, Nothing);
            same(json!({}));
            same(json!({"properties": {"a": {"type": ["string", "null"], "maxLength": 3}}, "required": ["a"]}));
            // Only the algebra knows this.
            let (one, other) = (json!({"enum": ["a", "b"]}), json!({"anyOf": [{"enum": ["a"]}, {"enum": ["b"]}]}));
            check(of(old, &one), of(new, &other), Nothing, Nothing);
            let (one, other) = (json!({"type": "string", "maxLength": 3}), json!({"type": "string", "maxLength": 4}));
            check(of(old, &one), of(new, &other), Nothing, Something);
            // 1.0 is an integer from draft 6 on.
            let lost = if new == DRAFTS[0] && old != new { Something } else { Nothing };
            let gained = if old == DRAFTS[0] && old != new { Something } else { Nothing };
            let found = check(of(old, &json!({"type": "integer"})), of(new, &json!({"type": "integer"})), lost, gained);
            for example in found.iter().filter_map(|change| change.example.as_ref()) {
                assert!(example.to_string().ends_with(".0"), "{example}");
            }
        }
        if old != DRAFTS[4] {
            assert!(check(json!({}), of(old, &json!({})), Nothing, Nothing).len() == 2);
        }
    }
    let tuple = |draft: &str| of(draft, &json!({"items": [{"pattern": "^(a|b)*$"}]}));
    for change in check(tuple(DRAFTS[2]), json!({"prefixItems": [{"pattern": "^(a|b)*$"}]}), Unknown, Unknown) {
        assert!(change.detail.unwrap().ends_with("which define some of their keywords differently"));
    }
}

#[test]
fn a_number_of_draft_4_that_is_written_with_a_fraction_is_found() {
    let four = |schema: Value| {
        let mut document = json!({"$schema": "http://json-schema.org/draft-04/schema#"});
        document.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
        document
    };
    for (old, new, example) in [
        (json!({"enum": [7]}), json!({"enum": [7], "type": "integer"}), "7.0"),
        (
            json!({"enum": [["a", 7]]}),
            json!({"enum": [["a", 7]], "items": {"type": ["integer", "string"]}}),
            r#"["a",7.0]"#,
        ),
        (
            json!({"minimum": 3, "maximum": 3}),
            json!({"minimum": 3, "maximum": 3, "not": {"not": {"type": ["integer", "null"]}}}),
            "3.0",
        ),
    ] {
        let found = changes(&four(old), &four(new), &Options::default()).unwrap();
        let examples: Vec<String> =
            found.iter().filter_map(|change| change.example.as_ref()).map(Value::to_string).collect();
        assert!(examples.iter().any(|found| found == example), "{example}: {found:?}");
    }
}

#[test]
fn what_is_not_known_is_told_in_terms_of_schemas() {
    let recursive = |text: &str| json!({"properties": {"next": {"$ref": "#"}, "text": {"pattern": text}}});
    let counted = |item: &str| json!({"contains": {"pattern": item}, "minContains": 2});
    let foreign = |text: &str| {
        let other = json!({"$ref": "http://json-schema.org/draft-07/schema#"});
        json!({"properties": {"a/b": other, "text": {"pattern": text}}})
    };
    let (one, other) = ("^(a|b)*$", "^[ab]*$");
    for (old, new, why) in [
        (recursive(one), recursive(other), "both versions refer to themselves by \"#\", and not to a definition"),
        (counted(one), counted(other), "the difference between the versions cannot be written as a schema"),
        (foreign(one), foreign(other), "the old schema has keywords that cannot be taken apart, at /properties/a~1b"),
    ] {
        let found = changes(&old, &new, &Options::default()).unwrap();
        let unknown: Vec<&Change> = found.iter().filter(|change| change.verdict == Unknown).collect();
        assert!(!unknown.is_empty(), "{found:?}");
        for change in unknown {
            let detail = change.detail.as_deref().unwrap();
            assert!(detail.contains(why), "{detail}");
            assert!(!detail.contains("canonical") && !detail.contains("operand"), "{detail}");
        }
    }
}

#[test]
fn patterns_are_shown_as_they_are_written() {
    let of = |pattern: &str| json!({"patternProperties": {"^[^]$": {"type": "string", "pattern": pattern}}});
    let changes = check(of(r"^[\b]"), of(r"^[\b]\ud83d\ude00$"), Something, Unknown);
    assert_eq!(details(&changes)[0], r#"/patternProperties/^[^]$: pattern "^[\\b]" became "^[\\b]\\ud83d\\ude00$""#);
    for change in changes {
        let schema = change.schema.map(|schema| schema.to_string()).unwrap_or_default();
        assert!(!schema.contains("(?:)"), "{schema}");
    }
}

#[test]
fn patterns() {
    let string = |pattern: &str| record(json!({"type": "string", "pattern": pattern}));
    let changes = changes(&string("^[a-z]{3}$"), &string("^[a-z]{2,3}$"), &Options::default()).expect("two schemas");
    assert_eq!(verdict(Direction::NewlyAccepted, &string("^[a-z]{3}$"), &string("^[a-z]{2,3}$"), &changes), Something);
    // Inclusion of patterns is not decided: no example, no proof.
    assert_eq!(verdict(Direction::NoLongerAccepted, &string("^[a-z]{3}$"), &string("^[a-z]{2,3}$"), &changes), Unknown);
    check(string("^[a-z]+$"), string("^[a-z]+$"), Nothing, Nothing);
    check(record(json!({"type": "string"})), string("^[A-Z]{2}[0-9]{4}$"), Something, Nothing);
    check(string("^a|b$"), record(json!({"type": "string"})), Nothing, Something);
}

#[test]
fn formats_assert_as_the_draft_says() {
    let of = |draft: &str, member: Value| {
        let mut schema = record(member);
        schema["$schema"] = json!(draft);
        schema
    };
    let (plain, dated) = (json!({"type": "string"}), json!({"type": "string", "format": "date"}));
    let seven = "http://json-schema.org/draft-07/schema#";
    check(of(seven, plain.clone()), of(seven, dated.clone()), Something, Nothing);
    let latest = "https://json-schema.org/draft/2020-12/schema";
    check(of(latest, plain.clone()), of(latest, dated.clone()), Nothing, Nothing);
    let asserted = Options { formats: Formats::On, ..Options::default() };
    let changes = changes(&of(latest, plain), &of(latest, dated), &asserted).expect("two schemas");
    assert_eq!(changes[0].verdict, Something);
}

#[test]
fn definitions() {
    let list = |item: Value| json!({"$defs": {"item": item}, "type": "array", "items": {"$ref": "#/$defs/item"}});
    let changes =
        check(list(json!({"type": "string"})), list(json!({"type": "string", "minLength": 1})), Something, Nothing);
    assert_eq!(details(&changes), ["/$defs/item: minLength 1 was added"]);
    assert_eq!(changes[0].example, Some(json!([""])));
}

#[test]
fn branches() {
    let kind = |name: &str, more: Value| json!({"type": "object", "properties": {"kind": {"const": name}, "x": more}, "required": ["kind"]});
    check(
        json!({"oneOf": [kind("a", json!({"type": "string"})), kind("b", json!({}))]}),
        json!({"oneOf": [kind("a", json!({"type": "string", "minLength": 1})), kind("b", json!({})), kind("c", json!({}))]}),
        Something,
        Something,
    );
    check(
        json!({"type": "object", "properties": {"k": {"enum": ["a", "b"]}}}),
        json!({"type": "object", "properties": {"k": {"enum": ["a", "b"]}}, "if": {"properties": {"k": {"const": "a"}}, "required": ["k"]}, "then": {"required": ["v"]}}),
        Something,
        Nothing,
    );
}

#[test]
fn draft_4_exclusive_bounds() {
    let four = |minimum: Value| json!({"$schema": "http://json-schema.org/draft-04/schema#", "type": "number", "minimum": 0, "exclusiveMinimum": minimum});
    check(four(json!(false)), four(json!(true)), Something, Nothing);
}

#[test]
fn recursive_schemas() {
    let list = |value: &str| json!({"type": "object", "properties": {"next": {"$ref": "#"}, "value": {"type": value}}});
    let changes = changes(&list("integer"), &list("number"), &Options::default()).expect("two schemas");
    assert_eq!(verdict(Direction::NewlyAccepted, &list("integer"), &list("number"), &changes), Something);
    check(list("integer"), list("integer"), Nothing, Nothing);
    check(list("integer"), list("number"), Nothing, Something);
    let tree = |least: i64| {
        json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "minLength": least}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            "parent": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/node"}]}}, "additionalProperties": false}}})
    };
    check(tree(2), tree(1), Nothing, Something);
}

#[test]
fn inclusion_is_not_proven_where_it_does_not_hold() {
    // Each narrowing of a schema that has all the keywords that the proof knows.
    let base = json!({
        "type": "object", "required": ["a"], "minProperties": 1, "maxProperties": 9, "propertyNames": {"maxLength": 9},
        "properties": {
            "a": {"type": ["integer", "string"], "minimum": 1, "maximum": 9, "multipleOf": 2, "minLength": 1, "maxLength": 9},
            "b": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 9},
            "c": {"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "object", "properties": {"n": {"enum": [1, 2]}}}]},
            "d": {"oneOf": [{"const": 1}, {"const": 2}]},
            "e": {"not": {"enum": [1]}},
            "f": {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": ["integer", "null"]}},
            "g": {"$ref": "#/$defs/g"},
            "h": {"exclusiveMinimum": 1, "exclusiveMaximum": 9, "type": "number"},
            "i": {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}, "contains": {"minimum": 1}}
        },
        "patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": {"type": "boolean"},
        "dependentRequired": {"b": ["c"]}, "$defs": {"g": {"type": "object", "properties": {"g": {"$ref": "#/$defs/g"}}}}
    });
    let narrowed = [
        ("/required", json!(["a", "b"])),
        ("/minProperties", json!(2)),
        ("/maxProperties", json!(8)),
        ("/propertyNames", json!({"maxLength": 8})),
        ("/properties/a/type", json!("integer")),
        ("/properties/a/minimum", json!(2.5)),
        ("/properties/a/maximum", json!(7)),
        ("/properties/a/multipleOf", json!(4)),
        ("/properties/a/minLength", json!(2)),
        ("/properties/a/maxLength", json!(8)),
        ("/properties/b/items", json!({"type": "string", "minLength": 1})),
        ("/properties/b/minItems", json!(2)),
        ("/properties/b/maxItems", json!(8)),
        (
            "/properties/b",
            json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 9, "uniqueItems": true}),
        ),
        ("/properties/c/anyOf/0", json!({"type": "string", "maxLength": 3})),
        ("/properties/c/anyOf/2/properties/n/enum", json!([1])),
        ("/properties/d/oneOf/1", json!({"const": 3})),
        ("/properties/e/not/enum", json!([1, 2])),
        ("/properties/f/then/minLength", json!(3)),
        ("/properties/f/else/type", json!("integer")),
        ("/properties/f/if/type", json!(["string", "null"])),
        ("/properties/g", json!({"$ref": "#/$defs/g", "minProperties": 1})),
        ("/properties/h/exclusiveMinimum", json!(2)),
        ("/properties/h/exclusiveMaximum", json!(8)),
        ("/properties/i/prefixItems/0", json!({"type": "string", "minLength": 1})),
        ("/properties/i/items/type", json!("string")),
        ("/properties/i/contains/minimum", json!(2)),
        ("/patternProperties/^x-", json!({"type": "string", "minLength": 1})),
        ("/additionalProperties", json!(false)),
        ("/dependentRequired/b", json!(["c", "d"])),
        ("/$defs/g/properties/g", json!({"type": "object", "properties": {"g": {"type": "null"}}})),
    ];
    assert!(included(&base, &base));
    for (pointer, value) in narrowed {
        let mut narrow = base.clone();
        *narrow.pointer_mut(pointer).expect("a place") = value;
        assert!(!included(&base, &narrow), "{pointer}");
    }
}

#[test]
fn hostile_schemas_come_back_on_a_small_stack() {
    let all = |count: usize, least: usize| {
        let each = |number: usize| json!({"anyOf": [{"required": [format!("a{number}")]}, {"required": [format!("b{number}{least}")]}]});
        json!({"allOf": (0..count).map(each).collect::<Vec<_>>()})
    };
    let any = |count: usize, least: usize| {
        let each = |number: usize| json!({"type": "object", "properties": {format!("p{number}"): {"type": "integer", "minimum": least}}, "required": [format!("q{number}")]});
        json!({"anyOf": (0..count).map(each).collect::<Vec<_>>()})
    };
    let deep = |count: usize, least: usize| {
        (0..count).fold(
            json!({"type": "integer", "minimum": least}),
            |inner, _| json!({"type": "object", "properties": {"a": inner}}),
        )
    };
    let doubling = |count: usize, least: usize| {
        let mut definitions = json!({"d0": {"type": "integer", "minimum": least}});
        for number in 1..=count {
            let below = format!("#/$defs/d{}", number - 1);
            definitions[format!("d{number}")] = json!({"type": "object", "properties": {"a": {"$ref": below}, "b": {"$ref": below}}, "required": ["a", "b"]});
        }
        json!({"$defs": definitions, "$ref": format!("#/$defs/d{count}")})
    };
    let wide = |count: usize, least: usize| {
        let member = |number: usize| {
            (
                format!("p{number}"),
                json!({"type": "object", "properties": {"a": {"type": "integer", "minimum": least}, "b": {"type": ["string", "null"], "maxLength": 50}}, "required": ["a"]}),
            )
        };
        json!({"type": "object", "properties": (0..count).map(member).collect::<serde_json::Map<_, _>>()})
    };
    let pairs: Vec<(&str, Value, Value)> = vec![
        ("all", all(12, 0), all(12, 1)),
        ("any", any(2000, 0), any(2000, 1)),
        ("any32", any(32, 0), any(32, 1)),
        ("deep", deep(25, 0), deep(25, 1)),
        ("deeper", deep(60, 0), deep(60, 1)),
        ("doubling", doubling(30, 0), doubling(30, 1)),
        ("wide", wide(60, 0), wide(60, 1)),
        ("wider", wide(1000, 0), wide(1000, 1)),
    ];
    let run = move || {
        for (name, old, new) in pairs {
            let start = std::time::Instant::now();
            let changes = changes(&old, &new, &Options::default()).expect("two schemas");
            let _ = verdict(Direction::NoLongerAccepted, &old, &new, &changes);
            if std::env::var_os("SHOW").is_some() {
                eprintln!("{name}: {:?}", start.elapsed());
            }
        }
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).expect("a thread").join().expect("an answer");
}

#[test]
fn keywords_beyond_the_algebra_are_shown_by_example() {
    let of = |names: Value| {
        json!({"$dynamicAnchor": "node", "type": "object", "properties": {"a": {"type": "string"}, "b": {"$dynamicRef": "#node"}},
            "dependentSchemas": {"a": {"properties": names}}, "unevaluatedProperties": false})
    };
    let (old, new) = (of(json!({"c": {}, "d": {}})), of(json!({"c": {}})));
    let changes = changes(&old, &new, &Options::default()).expect("two schemas");
    assert_eq!(verdict(Direction::NoLongerAccepted, &old, &new, &changes), Something);
}

#[test]
fn a_changed_draft_is_shown_by_example() {
    let of = |draft: &str, minimum: i64| json!({"$schema": draft, "type": "number", "minimum": minimum});
    let (old, new) =
        (of("http://json-schema.org/draft-07/schema#", 0), of("https://json-schema.org/draft/2020-12/schema", 1));
    let changes = changes(&old, &new, &Options::default()).expect("two schemas");
    assert_eq!(verdict(Direction::NoLongerAccepted, &old, &new, &changes), Something);
}

fn languages(alpha_2: &str, required: Value) -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-04/schema#", "title": "ISO 639-3", "type": "object",
        "properties": {"639-3": {"type": "array", "items": {
            "type": "object",
            "properties": {
                "alpha_3": {"description": "Three letter terminology code of the language", "type": "string", "pattern": "^[a-z]{3}$"},
                "name": {"type": "string", "minLength": 1},
                "scope": {"type": "string", "pattern": "^[IMS]$"},
                "type": {"type": "string", "pattern": "^[ACEHLS]$"},
                "alpha_2": {"type": "string", "pattern": alpha_2},
                "common_name": {"type": "string", "minLength": 1}
            },
            "required": required, "additionalProperties": false
        }}},
        "additionalProperties": false
    })
}

#[test]
fn iso_639_3() {
    let (two, four) = ("^[a-z]{2}$", json!(["alpha_3", "name", "scope", "type"]));
    let changes = check(
        languages(two, four.clone()),
        languages(two, json!(["alpha_3", "name", "scope", "type", "common_name"])),
        Something,
        Nothing,
    );
    assert_eq!(details(&changes), [r#"/properties/639-3/items: required now has "common_name""#]);
    assert_eq!(
        changes[0].example,
        Some(json!({"639-3": [{"alpha_3": "aaa", "name": "a", "scope": "I", "type": "A"}]}))
    );
    let (old, new) = (languages(two, four.clone()), languages("^[a-z]{2,3}$", four));
    let changes = self::changes(&old, &new, &Options::default()).expect("two schemas");
    assert_eq!(verdict(Direction::NewlyAccepted, &old, &new, &changes), Something);
}

#[test]
fn unusable_schemas_say_which() {
    let fine = json!({});
    assert!(matches!(changes(&json!({"type": 1}), &fine, &Options::default()), Err(Error::Old(_))));
    assert!(matches!(
        changes(&fine, &json!({"$ref": "https://example.com/a"}), &Options::default()),
        Err(Error::New(_))
    ));
    assert!(matches!(changes(&fine, &json!({"pattern": "(?=a)"}), &Options::default()), Err(Error::New(_))));
}

#[test]
fn making_examples_is_bounded_and_can_be_stopped() {
    // Each level of items reads the whole schema again.
    let old = json!({
        "dependentSchemas": {"a": {"else": {"dependentSchemas": {"b": {}, "ab": {"pattern": "1"}}}}},
        "if": {"then": {"maximum": 100}},
        "items": [{"exclusiveMinimum": 0.5, "format": "date", "$ref": "#"}, {}, {}],
        "$schema": "https://json-schema.org/draft/2019-09/schema",
    });
    let mut new = old.clone();
    new["items"][0]["enum"] = json!([{"a": 1.5}, null, -0.0]);
    thread_local!(static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });
    let counting = || ASKED.set(ASKED.get() + 1);
    changes(&old, &new, &Options { interrupt: Some(counting), ..Options::default() }).unwrap();
    assert!((1..50_000).contains(&ASKED.get()), "{}", ASKED.get());

    let stopping = || match ASKED.get() {
        0 => panic!("stopped"),
        left => ASKED.set(left - 1),
    };
    ASKED.set(20);
    let stopped =
        std::panic::catch_unwind(|| changes(&old, &new, &Options { interrupt: Some(stopping), ..Options::default() }));
    assert!(stopped.is_err());
}
