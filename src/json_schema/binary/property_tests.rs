//! Random stored values read the same here, in the validator's own reader of `jsonb`, and in `serde_json`.

use super::tests::stored;
use super::*;
use crate::json_schema::Unwatched;
use crate::json_schema::text::Document;
use crate::json_schema::text::random::{self, schemas};
use crate::query::random::Random;
use jsonschema::json::{Array, Json, JsonNumber, Jsonb, Node, Object, SerdeJson};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

type Binary = BinaryJson<Unwatched>;

fn root(stored: &[u8]) -> BinaryNode<'_, Unwatched> {
    BinaryNode::root(stored)
}

/// Random texts that `jsonb` can store: without NUL, and with exponents within limits.
fn texts(seed: u64, count: usize) -> impl Iterator<Item = String> {
    random::texts(seed, count).map(|text| text.replace(r"\u0000", r"\u0001").replace("5e-324", "5e-300"))
}

fn validator<F: Json>(schema: &Value) -> Validator<F> {
    let options = jsonschema::options_for::<F>().with_pattern_options(PatternOptions::regex());
    options.should_validate_formats(true).build(schema).unwrap()
}

#[test]
fn a_stored_value_is_read_as_the_text_that_it_was_made_of() {
    for text in texts(0x9e37_79b9_7f4a_7c15, 4000) {
        let expected: Value = serde_json::from_str(&text).unwrap();
        let stored = stored(&text);
        let node = root(&stored);
        let peer = Jsonb::root(&stored).to_value().into_owned();
        // The texts too, to compare the order of the members.
        assert_eq!(node.to_value().to_string(), peer.to_string(), "{text}");
        assert!(node.equals_value(&expected), "{text}");
        assert!(Jsonb::root(&stored).equals_value(&node.to_value()), "{text}");
    }
}

#[test]
fn a_stored_value_is_valid_when_the_parsed_one_is() {
    for (number, schema) in schemas().iter().enumerate() {
        let ours = validator::<Binary>(schema);
        let peers = validator::<Jsonb>(schema);
        let by_value = validator::<SerdeJson>(schema);
        let mut verdicts = [0, 0];
        for text in texts(0xdead_beef_0000_0001 + number as u64, 600) {
            let stored = stored(&text);
            let expected = peers.is_valid(Jsonb::root(&stored));
            verdicts[usize::from(expected)] += 1;
            assert_eq!(ours.is_valid(root(&stored)), expected, "{schema} {text}");
            let shown = |error: ValidationError<'_>| {
                let places = (error.instance_path().to_string(), error.evaluation_path().to_string());
                (places, error.to_string(), error.masked().to_string())
            };
            let found: Vec<_> = ours.iter_errors(root(&stored)).map(shown).collect();
            let wanted: Vec<_> = peers.iter_errors(Jsonb::root(&stored)).map(shown).collect();
            assert_eq!(found, wanted, "{schema} {text}");
            // `serde_json` keeps the notation of a number differently, which matters to draft 4.
            if schema.get("$schema").is_none() {
                let value: Value = serde_json::from_str(&text).unwrap();
                assert_eq!(by_value.is_valid(&value), expected, "{schema} {text}");
            }
        }
        assert!(verdicts[0] > 20 && verdicts[1] > 20, "{schema}: {verdicts:?}");
    }
}

#[test]
fn two_values_are_equal_as_the_peer_has_them() {
    let texts: Vec<String> = texts(0x1234_5678_9abc_def1, 120).collect();
    for one in &texts {
        for other in &texts {
            let stored = stored(&format!("[{one},{other}]"));
            let expected = Jsonb::root(&stored).as_array().unwrap().is_unique();
            assert_eq!(root(&stored).as_array().unwrap().is_unique(), expected, "{one} {other}");
        }
    }
}

/// A random number of up to sixty digits with any allowed exponent.
fn decimal(random: &mut Random) -> String {
    let mut digits = |most: usize| -> String {
        let zeros = random.one_in(3);
        (0..1 + random.below(most)).map(|_| if zeros { '0' } else { (b'0' + random.below(10) as u8) as char }).collect()
    };
    let (first, rest, fraction) = (digits(1), digits(30), digits(30));
    let whole = if first == "0" { first } else { first + &rest };
    let fraction = if random.one_in(2) { format!(".{fraction}") } else { String::new() };
    let exponent = if random.one_in(3) { format!("e{}", random.below(500) as i32 - 250) } else { String::new() };
    format!("{}{whole}{fraction}{exponent}", if random.one_in(3) { "-" } else { "" })
}

#[test]
fn numbers_are_those_of_the_peer() {
    let mut random = Random::new(0x0f0f_1234_8765_4321);
    for _ in 0..20_000 {
        let text = decimal(&mut random);
        let stored = stored(&text);
        let ours = root(&stored).as_number().unwrap();
        let peers = Jsonb::root(&stored).as_number().unwrap();
        assert_eq!(ours.as_i64(), peers.as_i64(), "{text}");
        assert_eq!(ours.as_u64(), peers.as_u64(), "{text}");
        // The peer's double for a fraction may be a whole number.
        let kept =
            |double: &f64| ours.is_integer() || double.fract() != 0.0 || double.abs() >= crate::json_schema::WHOLE;
        let peers_double = peers.as_f64().filter(kept);
        assert!(peers_double.is_none_or(|double| ours.as_f64().unwrap().to_bits() == double.to_bits()), "{text}");
        let document = Document::parse(text.as_bytes()).unwrap();
        let same = document.root::<Unwatched>().as_number().unwrap();
        assert_eq!(ours.as_f64(), same.as_f64(), "{text}");
        assert_eq!(ours.as_str(), peers.as_str(), "{text}");
        assert_eq!(ours.to_number(), peers.to_number(), "{text}");
        assert_eq!(ours.is_integer(), peers.is_integer(), "{text}");
        assert_eq!(ours.is_written_as_integer(), peers.is_written_as_integer(), "{text}");
    }
}

/// Reads everything that can be read of a value, for at most some thousands of steps.
fn read_all(node: BinaryNode<'_, Unwatched>, left: &mut usize) {
    *left = left.saturating_sub(1);
    if *left == 0 {
        return;
    }
    let _ = (node.as_string(), node.as_boolean(), node.json_type(), node.identity(), node.string_length_within(2, 3));
    if let Some(number) = node.as_number() {
        let _ = (number.as_u64(), number.as_i64(), number.as_f64(), number.as_str(), number.is_integer());
    }
    if let Some(object) = node.as_object() {
        for (name, value) in object.members() {
            let _ = object.get(&Binary::prepare_key(&name));
            read_all(value, left);
        }
    }
    if let Some(array) = node.as_array() {
        let _ = array.is_unique();
        array.elements().for_each(|element| read_all(element, left));
    }
}

/// Arbitrary bytes cause no panic and no endless loop.
#[test]
fn broken_values_are_read_without_harm() {
    let validators: Vec<Validator<Binary>> = schemas().iter().map(validator).collect();
    let mut random = Random::new(0x0123_4567_89ab_cdef);
    let mut changed = 0;
    for text in texts(0x5555_aaaa_5555_aaab, 1500).filter(|text| text.len() < 2000) {
        let mut bytes = stored(&text);
        let before = root(&bytes).to_value().into_owned();
        for _ in 0..1 + random.below(4) {
            let at = random.below(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match random.below(5) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, random.below(256) as u8),
                2 => drop((!bytes.is_empty()).then(|| bytes.remove(at))),
                // Flips single bits of types and flags of entries.
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
            }
        }
        read_all(root(&bytes), &mut 5_000);
        let after = root(&bytes).to_value().into_owned();
        changed += usize::from(before != after);
        for validator in &validators {
            let valid = validator.is_valid(root(&bytes));
            let errors = validator.iter_errors(root(&bytes)).count();
            let _ = (valid, errors);
        }
        let _ = root(&bytes).equals_value(&before);
    }
    assert!(changed > 500, "{changed}");
}
