//! What is proven about two schemas has to hold for every value: random pairs of related schemas are compared, and
//! values made from the same few words are tried on both.

use super::evolve::{Direction, Options, Verdict, changes};
use super::inclusion::included;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// A small generator of pseudo-random numbers (xorshift64*): the same seed gives the same pairs everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

const DRAFTS: [&str; 5] = [
    "http://json-schema.org/draft-04/schema#",
    "http://json-schema.org/draft-06/schema#",
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://json-schema.org/draft/2020-12/schema",
];

const NAMES: [&str; 4] = ["a", "b", "ab", "x1"];
const PATTERNS: [&str; 6] = ["^a", "b$", "^[a-z]+$", "1", "^.{2}$", ""];
const FORMATS: [&str; 5] = ["ipv4", "date", "regex", "uri", "email"];
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

fn number(random: &mut Random) -> Value {
    const NUMBERS: [&str; 16] = [
        "0",
        "1",
        "2",
        "3",
        "-1",
        "1.0",
        "2.0",
        "0.5",
        "1.5",
        "-0.0",
        "1e2",
        "100",
        "1e300",
        "9007199254740993",
        "18446744073709551615",
        "0.1",
    ];
    serde_json::from_str(random.pick(&NUMBERS)).unwrap()
}

fn instance(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 8 } else { 14 }) {
        0 => Value::Null,
        1 => Value::Bool(random.one_in(2)),
        2..=4 => number(random),
        5..=7 => string(random),
        8..=10 => (0..random.below(4)).map(|_| instance(random, depth - 1)).collect(),
        _ => {
            let mut members = Map::new();
            for _ in 0..random.below(4) {
                members.insert(random.pick(&NAMES).to_owned(), instance(random, depth - 1));
            }
            Value::Object(members)
        }
    }
}

fn string(random: &mut Random) -> Value {
    const STRINGS: [&str; 10] = ["", "a", "b", "ab", "abc", "1", "x1", "127.0.0.1", "2024-02-29", "{}"];
    random.pick(&STRINGS).into()
}

fn count(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!(2.0),
        1 => json!(0.0),
        n => json!(n % 4),
    }
}

fn schemas(random: &mut Random, depth: usize, draft: usize) -> Value {
    (0..1 + random.below(3)).map(|_| schema(random, depth, draft)).collect()
}

fn named(random: &mut Random, mut value: impl FnMut(&mut Random) -> Value) -> Value {
    let mut members = Map::new();
    for _ in 0..1 + random.below(2) {
        members.insert(random.pick(&NAMES).to_owned(), value(random));
    }
    Value::Object(members)
}

fn names(random: &mut Random) -> Value {
    let mut names: Vec<Value> = Vec::new();
    for _ in 0..1 + random.below(2) {
        let name = random.pick(&NAMES).into();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.into()
}

/// A keyword and its value, of `draft` or mostly so: others are ignored, and an answer has to know.
fn keyword(random: &mut Random, depth: usize, draft: usize) -> (&'static str, Value) {
    let deep = if depth == 0 { 22 } else { 47 };
    let inner = depth.saturating_sub(1);
    match random.below(deep) {
        0 | 1 => ("type", random.pick(&TYPES).into()),
        2 => {
            let (one, other) = (random.below(7), random.below(6));
            ("type", json!([TYPES[one], TYPES[(one + 1 + other) % 7]]))
        }
        3 => ("minimum", number(random)),
        4 => ("maximum", number(random)),
        5 => ("exclusiveMinimum", if draft == 0 { random.one_in(2).into() } else { number(random) }),
        6 => ("exclusiveMaximum", if draft == 0 { random.one_in(2).into() } else { number(random) }),
        7 => (
            "multipleOf",
            serde_json::from_str(random.pick(&["1", "2", "4", "0.5", "0.1", "1.0", "0.3", "1e-300"])).unwrap(),
        ),
        8 => ("minLength", count(random)),
        9 => ("maxLength", count(random)),
        10 => ("pattern", random.pick(&PATTERNS).into()),
        11 => ("minItems", count(random)),
        12 => ("maxItems", count(random)),
        13 => ("uniqueItems", random.one_in(2).into()),
        14 => ("minProperties", count(random)),
        15 => ("maxProperties", count(random)),
        16 => ("required", names(random)),
        17 => ("const", instance(random, 1)),
        18 | 19 => {
            let mut values: Vec<Value> = Vec::new();
            for _ in 0..1 + random.below(3) {
                let value = instance(random, 1);
                if !values.iter().any(|known| {
                    jsonschema::canonical::json::to_string(known).ok()
                        == jsonschema::canonical::json::to_string(&value).ok()
                }) {
                    values.push(value);
                }
            }
            ("enum", values.into())
        }
        20 => ("format", random.pick(&FORMATS).into()),
        21 => {
            ("$ref", random.pick(&["#/definitions/a", "#/$defs/b", "#", "#/properties/a", "#/definitions/%61"]).into())
        }
        22..=24 => ("properties", named(random, |random| schema(random, inner, draft))),
        25 | 26 => ("additionalProperties", schema(random, inner, draft)),
        27 => {
            let mut members = Map::new();
            members.insert(random.pick(&PATTERNS).to_owned(), schema(random, inner, draft));
            ("patternProperties", Value::Object(members))
        }
        28 => ("propertyNames", schema(random, inner, draft)),
        29 => (
            "dependencies",
            named(random, |random| if random.one_in(2) { names(random) } else { schema(random, inner, draft) }),
        ),
        30 => ("dependentRequired", named(random, names)),
        31 => ("dependentSchemas", named(random, |random| schema(random, inner, draft))),
        32 => (
            "items",
            if draft < 4 && random.one_in(2) { schemas(random, inner, draft) } else { schema(random, inner, draft) },
        ),
        33 => ("prefixItems", schemas(random, inner, draft)),
        34 => ("additionalItems", schema(random, inner, draft)),
        35 => ("contains", schema(random, inner, draft)),
        36 => ("minContains", count(random)),
        37 => ("maxContains", count(random)),
        38 => ("allOf", schemas(random, inner, draft)),
        39 => ("anyOf", schemas(random, inner, draft)),
        40 => ("oneOf", schemas(random, inner, draft)),
        41 => ("not", schema(random, inner, draft)),
        42 => ("if", schema(random, inner, draft)),
        43 => ("then", schema(random, inner, draft)),
        44 => ("else", schema(random, inner, draft)),
        45 => ("unevaluatedProperties", schema(random, inner, draft)),
        _ => ("unevaluatedItems", schema(random, inner, draft)),
    }
}

fn schema(random: &mut Random, depth: usize, draft: usize) -> Value {
    if draft > 0 && random.one_in(10) {
        return Value::Bool(random.one_in(2));
    }
    let mut members = Map::new();
    for _ in 0..random.below(4) {
        let (keyword, value) = keyword(random, depth, draft);
        members.insert(keyword.to_owned(), value);
    }
    complete(random, &mut members);
    Value::Object(members)
}

/// Adds what a keyword is nothing without.
fn complete(random: &mut Random, members: &mut Map<String, Value>) {
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if members.get(flag).is_some_and(Value::is_boolean) && !members.contains_key(bound) {
            members.insert(bound.to_owned(), number(random));
        }
    }
}

fn document(random: &mut Random, draft: usize) -> Value {
    let mut document = schema(random, 3, draft);
    let definitions = json!({"a": schema(random, 2, draft), "b": schema(random, 2, draft)});
    if let Value::Object(members) = &mut document {
        members.insert("$schema".to_owned(), DRAFTS[draft].into());
        members.insert("definitions".to_owned(), definitions.clone());
        members.insert("$defs".to_owned(), definitions);
    }
    document
}

/// Schemas within a value, and itself, by the order in which they are met.
fn visit(value: &mut Value, at: &mut usize, change: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(members) => {
            if *at == 0 {
                change(members);
            }
            *at = at.wrapping_sub(1);
            members.values_mut().for_each(|member| visit(member, at, change));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| visit(item, at, change)),
        _ => {}
    }
}

fn objects(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(objects).sum::<usize>(),
        Value::Array(items) => items.iter().map(objects).sum(),
        _ => 0,
    }
}

fn mutate(random: &mut Random, document: &mut Value, draft: usize) {
    let mut at = random.below(objects(document).max(1));
    visit(document, &mut at, &mut |members| match random.below(4) {
        0 if !members.is_empty() => {
            let name = members.keys().nth(random.below(members.len())).cloned().unwrap_or_default();
            members.shift_remove(&name);
        }
        1 | 2 => {
            let (keyword, value) = keyword(random, 1, draft);
            members.insert(keyword.to_owned(), value);
            complete(random, members);
        }
        _ => {
            // The same, written otherwise.
            let (schema, whole) = (members.shift_remove("$schema"), Value::Object(std::mem::take(members)));
            members.extend(schema.map(|schema| ("$schema".to_owned(), schema)));
            members.insert(random.pick(&["allOf", "anyOf", "oneOf"]).to_owned(), json!([whole]));
        }
    });
}

/// Two related schemas and their validators, if the random keywords made two.
fn pair(seed: u64) -> Option<[(Value, Validator); 2]> {
    let mut random = Random::new(seed);
    let draft = random.below(5);
    let old = document(&mut random, draft);
    let mut new = old.clone();
    let mut target = draft;
    if random.one_in(6) {
        target = random.below(5);
        if let Some(members) = new.as_object_mut() {
            members.insert("$schema".to_owned(), DRAFTS[target].into());
        }
    }
    for _ in 0..random.below(4) {
        mutate(&mut random, &mut new, target);
    }
    let ends = |document: &Value| super::Source::read(document, &mut |_| None).is_ok();
    if !ends(&old) || !ends(&new) {
        return None;
    }
    let validator = |document: &Value| jsonschema::options().offline().build(document).ok();
    Some([(old.clone(), validator(&old)?), (new.clone(), validator(&new)?)])
}

fn source(document: &Value) -> super::Source {
    super::Source::read(document, &mut |_| None).unwrap()
}

/// Values that the schemas speak of, and others.
fn instances(seed: u64, schemas: &[&Value]) -> Vec<Value> {
    let mut random = Random::new(!seed);
    let mut found: Vec<Value> = (0..60).map(|_| instance(&mut random, 3)).collect();
    fn constants(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("const").cloned());
                found.extend(members.get("enum").and_then(Value::as_array).into_iter().flatten().cloned());
                members.values().for_each(|member| constants(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| constants(item, found)),
            _ => {}
        }
    }
    schemas.iter().for_each(|schema| constants(schema, &mut found));
    let wrapped: Vec<Value> = found
        .iter()
        .skip(40)
        .flat_map(|value| [json!([value]), json!({random.pick(&NAMES).to_owned(): value}), json!([0, value])])
        .collect();
    found.extend(wrapped);
    found
}

fn range(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let start = number("SOUNDNESS_SEED", 0);
    start..start + number("SOUNDNESS_PAIRS", default)
}

#[test]
fn what_is_proven_to_be_included_is() {
    let (mut proven, mut wrong) = (0, Vec::new());
    for seed in range(1500) {
        let Some([(old, one), (new, other)]) = pair(seed) else { continue };
        let (lost, gained) = (included(&old, &new), included(&new, &old));
        proven += usize::from(lost) + usize::from(gained);
        if !lost && !gained {
            continue;
        }
        for value in instances(seed, &[&old, &new]) {
            let (was, is) = (one.is_valid(&value), other.is_valid(&value));
            if (lost && was && !is) || (gained && is && !was) {
                wrong.push(format!("seed {seed}: {value}\n  old ({was}) {old}\n  new ({is}) {new}"));
                break;
            }
        }
    }
    assert!(proven > 100, "{proven} proofs");
    wrong.sort_by_key(String::len);
    wrong.truncate(12);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_said_not_to_change_does_not() {
    let (mut nothing, mut wrong) = (0, Vec::new());
    for seed in range(25) {
        let Some([(old, one), (new, other)]) = pair(seed) else { continue };
        let found = changes(&source(&old), &source(&new), &Options::default()).unwrap();
        let unchanged =
            |direction| found.iter().any(|row| row.direction == direction && row.verdict == Verdict::Nothing);
        let (lost, gained) = (unchanged(Direction::NoLongerAccepted), unchanged(Direction::NewlyAccepted));
        nothing += usize::from(lost) + usize::from(gained);
        for value in instances(seed, &[&old, &new]) {
            let (was, is) = (one.is_valid(&value), other.is_valid(&value));
            if (lost && was && !is) || (gained && is && !was) {
                let by_keywords = included(&old, &new) || included(&new, &old);
                wrong.push(format!(
                    "seed {seed} (keywords {by_keywords}): {value}\n  old ({was}) {old}\n  new ({is}) {new}"
                ));
                break;
            }
        }
    }
    assert!(nothing > 0, "{nothing} answers");
    wrong.sort_by_key(String::len);
    wrong.truncate(12);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
