//! A proof about two schemas has to hold for every value. Random pairs of related schemas are compared, and values made of the same
//! few words are tried on both.

use super::evolve::{Direction, Options, Verdict, changes};
use super::inclusion::included;
use super::text::{Document, TextJson};
use super::{Formats, Source, Unwatched};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// A small generator of pseudo-random numbers (xorshift64*). Equal seeds give equal pairs everywhere.
struct Random {
    state: u64,
    /// The keywords of these schemas, by number. Only a few, so that they interact.
    keywords: Vec<usize>,
}

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = Random { state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1, keywords: Vec::new() };
        if !random.one_in(4) {
            random.keywords = (0..2 + random.below(5)).map(|_| random.below(KEYWORDS)).collect();
        }
        random
    }

    fn below(&mut self, limit: usize) -> usize {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        (self.state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
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

/// The number of keywords, and of those that contain no schema, which have the lowest numbers.
const KEYWORDS: usize = 47;
const SCALAR_KEYWORDS: usize = 22;

const NAMES: [&str; 4] = ["a", "b", "ab", "x1"];
const PATTERNS: [&str; 8] = ["^a", "b$", "^[a-z]+$", "1", "^.{2}$", "", "^\\ud83d\\ude00", "\\b[^]"];
const FORMATS: [&str; 5] = ["ipv4", "date", "regex", "uri", "email"];
const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// A number for a schema.
fn number(random: &mut Random) -> Value {
    const NUMBERS: [&str; 19] = [
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
        "9007199254740992.0",
        "18446744073709551615",
        "18446744073709551616",
        "0.1",
        "1e0",
    ];
    if random.one_in(2) { json!(random.below(4)) } else { serde_json::from_str(random.pick(&NUMBERS)).unwrap() }
}

/// A constant for a schema.
fn constant(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 8 } else { 14 }) {
        0 => Value::Null,
        1 => Value::Bool(random.one_in(2)),
        2..=4 => number(random),
        5..=7 => string(random),
        8..=10 => (0..random.below(4)).map(|_| constant(random, depth - 1)).collect(),
        _ => {
            let mut members = Map::new();
            for _ in 0..random.below(4) {
                members.insert(random.pick(&NAMES).to_owned(), constant(random, depth - 1));
            }
            Value::Object(members)
        }
    }
}

fn string(random: &mut Random) -> Value {
    const STRINGS: [&str; 13] =
        ["", "a", "b", "ab", "abc", "1", "x1", "127.0.0.1", "2024-02-29", "{}", "😀", "\u{1F600}a", "\0"];
    random.pick(&STRINGS).into()
}

/// The text of a number for an instance: as schemas write them, or differently.
fn number_text(random: &mut Random) -> String {
    const NUMBERS: [&str; 31] = [
        "9007199254740993.5",
        "1.00000000000000000000001",
        "0.99999999999999999999999",
        "1e-400",
        "2.0000000000000000000000000001",
        "0",
        "-0",
        "-0.0",
        "0e1",
        "1",
        "1.0",
        "1.00",
        "1e0",
        "10e-1",
        "1E2",
        "100.0",
        "2",
        "2.0",
        "0.5",
        "5e-1",
        "-1",
        "-1.0",
        "0.10",
        "1e300",
        "1e400",
        "-1e400",
        "9007199254740993.0",
        "9007199254740992",
        "18446744073709551616",
        "18446744073709551615.0",
        "123456789012345678901234567890",
    ];
    match random.below(3) {
        0 => number(random).to_string(),
        _ => random.pick(&NUMBERS).to_owned(),
    }
}

/// The text of an instance.
fn instance(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 8 } else { 14 }) {
        0 => "null".to_owned(),
        1 => random.one_in(2).to_string(),
        2..=4 => number_text(random),
        5..=7 => string(random).to_string(),
        8..=10 => {
            let mut items: Vec<String> = (0..random.below(4)).map(|_| instance(random, depth - 1)).collect();
            if random.one_in(4) {
                items.extend(items.first().cloned());
            }
            format!("[{}]", items.join(","))
        }
        _ => {
            let mut members = std::collections::BTreeMap::new();
            for _ in 0..random.below(4) {
                members.insert(random.pick(&NAMES), instance(random, depth - 1));
            }
            let members: Vec<String> = members.iter().map(|(name, member)| format!("\"{name}\":{member}")).collect();
            format!("{{{}}}", members.join(","))
        }
    }
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

/// A keyword and its value, usually of `draft`. Keywords of other drafts are ignored, and the answer has to take that into account.
fn keyword(random: &mut Random, depth: usize, draft: usize) -> (&'static str, Value) {
    let deep = if depth == 0 { SCALAR_KEYWORDS } else { KEYWORDS };
    let inner = depth.saturating_sub(1);
    let known: Vec<usize> = random.keywords.iter().copied().filter(|keyword| *keyword < deep).collect();
    match if known.is_empty() { random.below(deep) } else { known[random.below(known.len())] } {
        0 => ("type", random.pick(&TYPES).into()),
        1 => ("type", random.pick(&["integer", "number"]).into()),
        2 => {
            let (one, other) = (random.below(7), random.below(6));
            ("type", json!([TYPES[one], TYPES[(one + 1 + other) % 7]]))
        }
        3 => ("minimum", number(random)),
        4 => ("maximum", number(random)),
        5 => ("exclusiveMinimum", if draft == 0 { random.one_in(2).into() } else { number(random) }),
        6 => ("exclusiveMaximum", if draft == 0 { random.one_in(2).into() } else { number(random) }),
        7 => {
            const STEPS: [&str; 10] =
                ["1", "2", "4", "0.5", "0.1", "1.0", "0.3", "1e-300", "9007199254740993", "18446744073709551615"];
            ("multipleOf", serde_json::from_str(random.pick(&STEPS)).unwrap())
        }
        8 => ("minLength", count(random)),
        9 => ("maxLength", count(random)),
        10 => ("pattern", random.pick(&PATTERNS).into()),
        11 => ("minItems", count(random)),
        12 => ("maxItems", count(random)),
        13 => ("uniqueItems", random.one_in(2).into()),
        14 => ("minProperties", count(random)),
        15 => ("maxProperties", count(random)),
        16 => ("required", names(random)),
        17 => ("const", constant(random, 1)),
        18 | 19 => {
            let mut values: Vec<Value> = Vec::new();
            let numbers = random.one_in(2);
            for _ in 0..1 + random.below(3) {
                let value = if numbers { number(random) } else { constant(random, 1) };
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
            const REFERENCES: [&str; 8] = [
                "#/definitions/a",
                "#/$defs/b",
                "#",
                "#/properties/a",
                "#/definitions/%61",
                "restful:other",
                "restful:other#",
                "http://json-schema.org/draft-07/schema#/definitions/nonNegativeInteger",
            ];
            ("$ref", random.pick(&REFERENCES).into())
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

/// Adds the keywords that a keyword needs in order to have an effect.
fn complete(random: &mut Random, members: &mut Map<String, Value>) {
    for (flag, bound) in [("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")] {
        if members.get(flag).is_some_and(Value::is_boolean) && !members.contains_key(bound) {
            members.insert(bound.to_owned(), number(random));
        }
    }
}

fn document(random: &mut Random, draft: usize) -> Value {
    // Half of them are so small that a change of one keyword matters.
    let small = random.one_in(2);
    let depth = if small { random.below(2) } else { 3 };
    let mut document = schema(random, depth, draft);
    let definitions = json!({"a": schema(random, 2, draft), "b": schema(random, 2, draft)});
    if let Value::Object(members) = &mut document {
        members.insert("$schema".to_owned(), DRAFTS[draft].into());
        if !small {
            members.insert("definitions".to_owned(), definitions.clone());
            members.insert("$defs".to_owned(), definitions);
        }
    }
    document
}

/// Visits a value and the schemas within it, numbered in order.
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
    visit(document, &mut at, &mut |members| match random.below(8) {
        // A consequence of the constants, or nearly one.
        4 => {
            let list = members.get("enum").and_then(Value::as_array).and_then(|values| values.first());
            let Some(value) = members.get("const").or(list) else { return };
            let kind = match value {
                Value::Null => "null",
                Value::Bool(_) => "boolean",
                Value::Number(number) if number.is_f64() && random.one_in(2) => "number",
                Value::Number(_) => "integer",
                Value::String(_) => "string",
                Value::Array(_) => "array",
                Value::Object(_) => "object",
            };
            members.insert("type".to_owned(), kind.into());
        }
        // Replaces a number: by another spelling of it, or by the next number.
        5 | 6 => {
            let respell = random.one_in(2);
            let change = |value: &mut Value| {
                let Some(number) = value.as_f64() else { return };
                *value = match value.as_i64() {
                    Some(whole) if respell => json!(whole as f64),
                    Some(whole) => json!(whole.saturating_add(1)),
                    None if respell && number.fract() == 0.0 && number.abs() < 1e15 => json!(number as i64),
                    None => json!(number / 2.0),
                };
            };
            for (keyword, value) in members.iter_mut() {
                match value {
                    Value::Array(values) if keyword == "enum" => values.iter_mut().for_each(change),
                    value if value.is_number() => change(value),
                    _ => {}
                }
            }
        }
        // Keeps only one of the values.
        7 => {
            let Some(value) = members.get("enum").and_then(Value::as_array).and_then(|values| values.first()) else {
                return;
            };
            let value = value.clone();
            members.shift_remove("enum");
            let name = if draft == 0 || random.one_in(2) { "enum" } else { "const" };
            members.insert(name.to_owned(), if name == "enum" { json!([value]) } else { value });
        }
        0 if !members.is_empty() => {
            let name = members.keys().nth(random.below(members.len())).cloned().unwrap_or_default();
            members.shift_remove(&name);
        }
        1..=3 if random.one_in(2) => {
            let (keyword, value) = keyword(random, 1, draft);
            members.insert(keyword.to_owned(), value);
            complete(random, members);
        }
        _ => {
            // The same schema, written differently.
            let (schema, whole) = (members.shift_remove("$schema"), Value::Object(std::mem::take(members)));
            members.extend(schema.map(|schema| ("$schema".to_owned(), schema)));
            members.insert(random.pick(&["allOf", "anyOf", "oneOf"]).to_owned(), json!([whole]));
        }
    });
}

/// One version.
struct Version {
    document: Value,
    source: Source,
    validator: Validator<TextJson<Unwatched>>,
}

impl Version {
    fn new(document: Value) -> Option<Self> {
        // It takes the draft of the schema that refers to it.
        let other = json!({"type": ["integer", "array"], "contains": {"const": 1}, "items": {"type": "integer"}});
        let source = Source::read(&document, &mut |uri| (uri == "restful:other").then(|| other.clone())).ok()?;
        let validator = source.validator(Formats::Draft).ok()?;
        Some(Version { document, source, validator })
    }

    fn accepts(&self, instance: &Document<'_>) -> bool {
        self.validator.is_valid(instance.root())
    }
}

/// Two related schemas, if the random keywords are valid.
fn pair(seed: u64) -> Option<[Version; 2]> {
    let mut random = Random::new(seed);
    let draft = random.below(5);
    let old = document(&mut random, draft);
    let mut new = old.clone();
    let mut target = draft;
    if random.one_in(3) {
        target = random.below(5);
        if let Some(members) = new.as_object_mut() {
            members.insert("$schema".to_owned(), DRAFTS[target].into());
        }
    }
    for _ in 0..random.below(4) {
        mutate(&mut random, &mut new, target);
    }
    Some([Version::new(old)?, Version::new(new)?])
}

/// Texts of values that the schemas mention, and others.
fn instances(seed: u64, versions: [&Version; 2]) -> Vec<String> {
    let mut random = Random::new(!seed);
    let mut found: Vec<String> = (0..60).map(|_| instance(&mut random, 3)).collect();
    fn constants(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                let list = members.get("enum").and_then(Value::as_array).into_iter().flatten();
                for constant in members.get("const").into_iter().chain(list) {
                    let text = constant.to_string();
                    // The same numbers in other notations.
                    if let Some(number) = constant.as_i64() {
                        found.extend([format!("{number}.0"), format!("{number}e0"), format!("{number}0e-1")]);
                    }
                    found.push(text);
                }
                members.values().for_each(|member| constants(member, found));
            }
            Value::Array(items) => items.iter().for_each(|item| constants(item, found)),
            _ => {}
        }
    }
    versions.iter().for_each(|version| constants(&version.document, &mut found));
    let wrapped: Vec<String> = found
        .iter()
        .skip(40)
        .flat_map(|value| {
            let name = random.pick(&NAMES);
            [
                format!("[{value}]"),
                format!("{{\"{name}\":{value}}}"),
                format!("[0,{value}]"),
                format!("[{value},{value}]"),
            ]
        })
        .collect();
    found.extend(wrapped);
    found
}

fn range(default: u64) -> std::ops::Range<u64> {
    let number = |name: &str, default: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default);
    let start = number("SOUNDNESS_SEED", 0);
    start..start + number("SOUNDNESS_PAIRS", default)
}

/// A value that refutes a proof. `lost`: the proof says that `new` accepts all that `old` accepts; `gained`: the reverse.
fn counterexample(seed: u64, [old, new]: [&Version; 2], lost: bool, gained: bool) -> Option<String> {
    if !lost && !gained {
        return None;
    }
    instances(seed, [old, new]).into_iter().find_map(|value| {
        let instance = Document::parse(value.as_bytes()).ok()?;
        let (was, is) = (old.accepts(&instance), new.accepts(&instance));
        let wrong = (lost && was && !is) || (gained && is && !was);
        let (old, new) = (&old.document, &new.document);
        wrong.then(|| format!("seed {seed}: {value}\n  old ({was}) {old}\n  new ({is}) {new}"))
    })
}

fn assert_none(mut wrong: Vec<String>) {
    let count = wrong.len();
    wrong.sort_by_key(String::len);
    wrong.truncate(12);
    assert!(wrong.is_empty(), "{count}\n{}", wrong.join("\n"));
}

#[test]
fn what_is_proven_to_be_included_is() {
    let (mut proven, mut wrong) = (0, Vec::new());
    for seed in range(6000) {
        let Some([old, new]) = pair(seed) else { continue };
        let (lost, gained) =
            (included(old.source.schema(), new.source.schema()), included(new.source.schema(), old.source.schema()));
        proven += usize::from(lost) + usize::from(gained);
        wrong.extend(counterexample(seed, [&old, &new], lost, gained));
    }
    assert!(proven > 100, "{proven} proofs");
    assert_none(wrong);
}

#[test]
fn what_is_said_not_to_change_does_not() {
    let (mut nothing, mut wrong) = (0, Vec::new());
    for seed in range(150) {
        let Some([old, new]) = pair(seed) else { continue };
        let found = changes(&old.source, &new.source, &Options::default()).unwrap();
        let unchanged =
            |direction| found.iter().any(|row| row.direction == direction && row.verdict == Verdict::Nothing);
        let (lost, gained) = (unchanged(Direction::NoLongerAccepted), unchanged(Direction::NewlyAccepted));
        nothing += usize::from(lost) + usize::from(gained);
        wrong.extend(counterexample(seed, [&old, &new], lost, gained));
    }
    assert!(nothing > 0, "{nothing} answers");
    assert_none(wrong);
}

/// Pairs for which inclusion was once wrongly proven, each with a value that refutes it.
#[test]
fn what_is_not_included_is_not_proven() {
    let four = |schema: Value| {
        let mut document = json!({"$schema": DRAFTS[0]});
        document.as_object_mut().unwrap().extend(schema.as_object().unwrap().clone());
        document
    };
    for (narrow, wide, value) in [
        // 1.0 equals 1, and is not an integer in draft 4.
        (four(json!({"enum": [1]})), four(json!({"enum": [1], "type": "integer"})), "1.0"),
        (four(json!({"enum": [1, 2]})), four(json!({"type": ["integer", "null"]})), "2.0"),
        (four(json!({"enum": [[1]]})), four(json!({"enum": [[1]], "items": {"type": "integer"}})), "[1.0]"),
        (four(json!({"not": {"type": "integer"}})), four(json!({"not": {"enum": [1]}})), "1.0"),
        (json!({"type": "integer"}), four(json!({"type": "integer"})), "1.0"),
        (
            json!({"properties": {"a": {"type": "integer"}}}),
            json!({"properties": {"a": four(json!({"type": "integer"}))}}),
            r#"{"a":1.0}"#,
        ),
        // A document without a draft takes the draft of the schema that refers to it.
        (four(json!({"$ref": "restful:other"})), json!({"$ref": "restful:other"}), "[2]"),
        // Numbers that the validator treats as equal, or as multiples, because it has doubles.
        (json!({"enum": [9007199254740993.0]}), json!({"const": 9007199254740993.0}), "9007199254740993.0"),
        (json!({"enum": [4503599627370498_u64]}), json!({"type": "integer"}), "4503599627370497.5"),
        (json!({"multipleOf": u64::MAX}), json!({"multipleOf": 3}), "18446744073709551616"),
    ] {
        let document = Document::parse(value.as_bytes()).unwrap();
        let [narrow, wide] = [narrow, wide].map(|schema| Version::new(schema).unwrap());
        assert!(narrow.accepts(&document) && !wide.accepts(&document), "{} {} {value}", narrow.document, wide.document);
        assert!(!included(&narrow.document, &wide.document), "{} {}", narrow.document, wide.document);
        let found = changes(&narrow.source, &wide.source, &Options::default()).unwrap();
        let lost = found.iter().find(|row| row.direction == Direction::NoLongerAccepted).unwrap();
        assert_ne!(lost.verdict, Verdict::Nothing, "{} {}", narrow.document, wide.document);
    }
}
