//! For random texts, the validator's verdict is the same as on `serde_json`'s reading of them.

use super::random::{schemas, texts};
use super::*;
use crate::json_schema::Unwatched;
use crate::query::random::Random;
use jsonschema::json::{Array, Node};
use jsonschema::{PatternOptions, json::SerdeJson};
use serde_json::Value;

type Text = TextJson<Unwatched>;

#[test]
fn a_text_is_read_as_serde_json_reads_it() {
    for text in texts(0x9e37_79b9_7f4a_7c15, 4000) {
        let expected: Value = serde_json::from_str(&text).unwrap();
        let document = Document::parse(text.as_bytes()).unwrap();
        let root: TextNode<'_, Unwatched> = document.root();
        // the texts too, to compare the order of the members
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
            // draft 4 needs to know how a number was written, which `serde_json` does not keep
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

/// Arbitrary bytes lead to the same verdict as with `serde_json`, and to no panic.
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
        // the only difference: a number beyond the range of a double
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
