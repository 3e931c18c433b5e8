//! The validator's verdict on random texts is the one it has on `serde_json`'s reading of them.

use super::*;
use crate::query::random::Random;
use crate::schema::Unwatched;
use jsonschema::json::{Array, Node};
use jsonschema::{PatternOptions, json::SerdeJson};
use serde_json::{Value, json};

type Text = TextJson<Unwatched>;

/// Few keys, so that they meet the ones of the schemas and each other; some are written with an escape.
const KEYS: &[&str] =
    &["a", "b", "c", "id", "name", "tags", "é", "", "long key with words", r"\u0061", r"na\u006de", "k1", "k2"];
const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-0.0",
    "1",
    "1.0",
    "1e0",
    "2",
    "2.5",
    "-3",
    "10",
    "1e1",
    "100",
    "1E+2",
    "0.1",
    "0.30",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "123456789012345678901",
    "1e300",
    "5e-324",
    r#""""#,
    r#""a""#,
    r#""\u0061""#,
    r#""abc""#,
    r#""x\ny""#,
    r#""é""#,
    r#""😀😀""#,
    r#""\ud83d\ude00""#,
    r#""2024-02-29""#,
    r#""2023-02-29""#,
    r#""1""#,
    r#""a-b-c""#,
    r#""\u0000""#,
];
const SPACES: &[&str] = &["", "", "", " ", "\n\t", "\r\n  "];

fn space(random: &mut Random, out: &mut String) {
    out.push_str(random.pick::<&str>(SPACES));
}

fn write(random: &mut Random, depth: usize, out: &mut String) {
    space(random, out);
    // now and then more than fits the way of small arrays and objects
    let count = if random.one_in(12) { random.below(40) } else { random.below(5) };
    match random.below(if depth == 0 { 1 } else { 3 }) {
        0 => out.push_str(random.pick::<&str>(SCALARS)),
        1 => {
            out.push('[');
            for at in 0..count {
                out.push_str(if at == 0 { "" } else { "," });
                write(random, depth - 1, out);
            }
            space(random, out);
            out.push(']');
        }
        _ => {
            out.push('{');
            for at in 0..count {
                out.push_str(if at == 0 { "" } else { "," });
                space(random, out);
                out.push('"');
                out.push_str(random.pick::<&str>(KEYS));
                if random.one_in(4) {
                    out.push_str(&random.below(60).to_string());
                }
                out.push('"');
                space(random, out);
                out.push(':');
                write(random, depth - 1, out);
            }
            space(random, out);
            out.push('}');
        }
    }
    space(random, out);
}

fn texts(seed: u64, count: usize) -> impl Iterator<Item = String> {
    let mut random = Random::new(seed);
    (0..count).map(move |_| {
        let mut text = String::new();
        write(&mut random, 4, &mut text);
        text
    })
}

fn schemas() -> Vec<Value> {
    let draft = |number: &str| format!("http://json-schema.org/draft-{number}/schema#");
    vec![
        json!({"type": ["object", "integer", "string"]}),
        json!({"$schema": draft("04"), "type": ["object", "array", "integer"], "items": {"type": "integer"}}),
        json!({"properties": {"a": {"type": "integer"}, "name": {"type": "string"}}, "required": ["a"]}),
        json!({"required": ["a", "b", "c"], "minProperties": 2, "maxProperties": 12}),
        json!({"additionalProperties": false, "properties": {"a": true, "b": true}, "patternProperties": {"^[cikt]": {"not": {"type": "null"}}}}),
        json!({"uniqueItems": true, "items": {"uniqueItems": true}, "additionalProperties": {"uniqueItems": true}}),
        json!({"propertyNames": {"maxLength": 4, "pattern": "^[^0]*$"}}),
        json!({"$defs": {"t": {"anyOf": [{"type": ["number", "null", "boolean"]}, {"type": "string", "maxLength": 2}, {"type": "array", "items": {"$ref": "#/$defs/t"}},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/t"}}]}}, "$ref": "#/$defs/t"}),
        json!({"enum": [1, "a", [], {}, null, [1], {"a": 1}, 10]}),
        json!({"items": {"enum": [0, 1, 2.5, "a", true, {"a": [1]}, [1, 1.0]]}, "additionalProperties": {"const": 1}}),
        json!({"contains": {"type": "number", "minimum": 1, "exclusiveMaximum": 1e19, "multipleOf": 0.1}, "minContains": 1, "maxContains": 3}),
        json!({"additionalProperties": {"minimum": 0, "maximum": 18_446_744_073_709_551_615_u64, "multipleOf": 1}}),
        json!({"unevaluatedProperties": {"type": "number"}, "anyOf": [{"properties": {"a": true}}, {"properties": {"b": true}}], "unevaluatedItems": {"type": "string"}}),
        json!({"oneOf": [{"required": ["a"]}, {"required": ["b"]}, {"minItems": 2}], "dependentRequired": {"id": ["name"]}, "if": {"required": ["c"]}, "then": {"maxProperties": 3}}),
        json!({"items": {"format": "date", "minLength": 1, "maxLength": 10}, "prefixItems": [{"type": "string"}, {"pattern": "^a"}]}),
    ]
}

#[test]
fn a_text_is_read_as_serde_json_reads_it() {
    for text in texts(0x9e37_79b9_7f4a_7c15, 4000) {
        let expected: Value = serde_json::from_str(&text).unwrap();
        let document = Document::parse(text.as_bytes()).unwrap();
        let root: TextNode<'_, Unwatched> = document.root();
        // the texts too, for the order of the members
        assert_eq!(root.to_value().to_string(), expected.to_string(), "{text}");
        assert!(root.equals_value(&expected), "{text}");
    }
}

#[test]
fn two_values_are_equal_as_serde_json_has_them() {
    let texts: Vec<String> = texts(0x1234_5678_9abc_def1, 120).collect();
    for one in &texts {
        for other in &texts {
            let pair = format!("[{one},{other}]");
            let document = Document::parse(pair.as_bytes()).unwrap();
            let root: TextNode<'_, Unwatched> = document.root();
            let expected: Value = serde_json::from_str(other).unwrap();
            let equal = root.element(0).unwrap().equals_value(&expected);
            let value: Value = serde_json::from_str(one).unwrap();
            assert_eq!(equal, jsonschema::json::cmp::equal(&value, &expected), "{pair}");
            assert_eq!(!root.as_array().unwrap().is_unique(), equal, "{pair}");
        }
    }
}

#[test]
fn a_text_is_valid_when_serde_jsons_value_is() {
    for (number, schema) in schemas().iter().enumerate() {
        let by_text = jsonschema::options_for::<Text>()
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(schema)
            .unwrap();
        let by_value = jsonschema::options_for::<SerdeJson>()
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .build(schema)
            .unwrap();
        let mut verdicts = [0, 0];
        for text in texts(0xdead_beef_0000_0001 + number as u64, 1500) {
            // `serde_json` does not keep how a number was written, which draft 4 asks for
            if schema.get("$schema").is_some() && (text.contains("1e300") || text.contains("-0")) {
                continue;
            }
            let value: Value = serde_json::from_str(&text).unwrap();
            let document = Document::parse(text.as_bytes()).unwrap();
            let expected = by_value.is_valid(&value);
            verdicts[usize::from(expected)] += 1;
            assert_eq!(by_text.is_valid(document.root()), expected, "{schema} {text}");
            let shown = |error: jsonschema::ValidationError<'_>| (error.instance_path().to_string(), error.to_string());
            let found: Vec<_> = by_text.iter_errors(document.root()).map(shown).collect();
            let wanted: Vec<_> = by_value.iter_errors(&value).map(shown).collect();
            assert_eq!(found, wanted, "{schema} {text}");
        }
        assert!(verdicts[0] > 20 && verdicts[1] > 20, "{schema}: {verdicts:?}");
    }
}

/// Whatever bytes come: the same verdict as `serde_json`'s, and no panic.
#[test]
fn broken_texts_are_refused_when_serde_json_refuses_them() {
    let mut random = Random::new(0x0123_4567_89ab_cdef);
    let noise = b"\"\\{}[]:,0-.eEtfnu \n\x00\xff\xc3d8";
    let mut refused = 0;
    for text in texts(0x5555_aaaa_5555_aaab, 6000) {
        let mut bytes = text.into_bytes();
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            match random.below(4) {
                0 => bytes.truncate(at + 1),
                1 => bytes[at] = *random.pick(noise),
                2 => bytes.insert(at, *random.pick(noise)),
                _ => drop(bytes.remove(at)),
            }
            if bytes.is_empty() {
                bytes.push(b'1');
            }
        }
        let expected = serde_json::from_slice::<Value>(&bytes);
        let found = Document::parse(&bytes);
        // the one difference: a number that no double holds
        if expected.as_ref().is_err_and(|error| error.to_string().contains("out of range")) {
            continue;
        }
        refused += usize::from(found.is_err());
        assert_eq!(found.is_err(), expected.is_err(), "{}", String::from_utf8_lossy(&bytes));
        if let (Ok(document), Ok(expected)) = (found, expected) {
            assert_eq!(document.root::<Unwatched>().to_value().as_ref(), &expected);
        }
    }
    assert!(refused > 1000);
}
