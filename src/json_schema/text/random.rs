//! Random JSON texts, and schemas for them.

use crate::query::random::Random;
use serde_json::{Value, json};

/// Only a few keys, so that they match those of the schemas and repeat; some are written with an escape.
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
    // sometimes more than small arrays and objects hold
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

/// Random JSON texts. Each run makes the same ones.
pub fn texts(seed: u64, count: usize) -> impl Iterator<Item = String> {
    let mut random = Random::new(seed);
    (0..count).map(move |_| {
        let mut text = String::new();
        write(&mut random, 4, &mut text);
        text
    })
}

/// Schemas that some of these texts match.
pub fn schemas() -> Vec<Value> {
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
