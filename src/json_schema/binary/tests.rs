use super::*;
use crate::json::Reader;
use crate::json_schema::{Unwatched, Watch};
use crate::values::JsonbBuilder;
use crate::values::jsonb_layout::*;
use jsonschema::json::{Array, Json, JsonNumber, Node, Object, conformance};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

type Binary = BinaryJson<Unwatched>;
type BinaryValue<'a> = BinaryNode<'a, Unwatched>;

/// The bytes of a text as `jsonb`, without the varlena header.
pub(super) fn stored(text: &str) -> Vec<u8> {
    JsonbBuilder::default().build(&mut Reader::new(text.as_bytes()).unwrap()).unwrap()[4..].to_vec()
}

fn root(stored: &[u8]) -> BinaryValue<'_> {
    BinaryNode::root(stored)
}

fn words(words: &[u32], data: &[u8]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).chain(data.iter().copied()).collect()
}

#[test]
fn the_validators_contract_is_kept() {
    conformance::assert_conformance::<Binary>(&root(&stored(&conformance::document().to_string())));
}

#[test]
fn every_kind_of_value_can_be_the_root() {
    for text in ["null", "true", "false", "0", "-12.50", "1e100", r#""""#, r#""é""#, "[]", "{}", "[[]]", r#"{"":{}}"#]
    {
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(tree(root(&stored(text))), Ok(expected.clone()), "{text}");
        assert!(root(&stored(text)).equals_value(&expected), "{text}");
    }
}

#[test]
fn members_are_found_in_objects_of_any_size() {
    for count in [0, 1, 2, 31, 32, 33, 63, 64, 65, 200] {
        // Keys of different lengths, so that their order differs from that of the numbers.
        let key = |n: usize| format!("{}{n}", "k".repeat(n % 7));
        let members: Vec<String> = (0..count).map(|n| format!("\"{}\":[{n},\"{n}\"]", key(n))).collect();
        let stored = stored(&format!("{{{}}}", members.join(",")));
        let object = root(&stored).as_object().unwrap();
        assert_eq!(object.len(), count);
        for n in 0..count {
            let value = object.get(&Binary::prepare_key(&key(n))).unwrap();
            assert_eq!(value.to_value().as_ref(), &json!([n, n.to_string()]));
        }
        for missing in ["", "k", "kk", "zzzzzzzz", "0k", "a key that is longer than any"] {
            assert!(object.get(&Binary::prepare_key(missing)).is_none(), "{missing}");
        }
        let order: Vec<String> = object.members().map(|(name, _)| name.into_owned()).collect();
        assert!(order.is_sorted_by_key(|name| (name.len(), name.clone())));
        let mut names = Vec::new();
        let all = object.try_for_each_name_node(&mut (), |name| {
            names.push(name.as_string().unwrap().into_owned());
            std::ops::ControlFlow::<()>::Continue(())
        });
        assert!(all.is_continue());
        assert_eq!(names, order);
    }
}

#[test]
fn elements_are_found_in_arrays_of_any_size() {
    for count in [0, 1, 31, 32, 33, 64, 100] {
        let elements: Vec<Value> =
            (0..count).map(|n| if n % 3 == 0 { json!("é".repeat(n)) } else { json!(n) }).collect();
        let stored = stored(&json!(elements).to_string());
        let array = root(&stored).as_array().unwrap();
        assert_eq!(array.len(), count);
        assert_eq!(array.elements().map(|element| element.to_value().into_owned()).collect::<Vec<_>>(), elements);
        assert!(array.is_unique());
    }
}

#[test]
fn numbers_keep_their_value() {
    let max = u64::MAX.to_string();
    let over = "18446744073709551616";
    let min = i64::MIN.to_string();
    let below = "-9223372036854775809";
    let integer = |text: &str| {
        let stored = stored(text);
        let number = root(&stored).as_number().unwrap();
        (number.as_u64(), number.as_i64(), number.is_integer())
    };
    assert_eq!(integer("0"), (Some(0), Some(0), true));
    assert_eq!(integer("-7"), (None, Some(-7), true));
    assert_eq!(integer("10000"), (Some(10000), Some(10000), true));
    assert_eq!(integer("1.000"), (Some(1), Some(1), true));
    assert_eq!(integer("1e12"), (Some(1_000_000_000_000), Some(1_000_000_000_000), true));
    assert_eq!(integer(&max), (Some(u64::MAX), None, true));
    assert_eq!(integer(over), (None, None, true));
    assert_eq!(integer(&min), (None, Some(i64::MIN), true));
    assert_eq!(integer(below), (None, None, true));
    assert_eq!(integer("1e300"), (None, None, true));
    assert_eq!(integer("0.5"), (None, None, false));
    assert_eq!(integer("12345.0001"), (None, None, false));
    for text in ["0.1", "1e-300", "123456789.123456789", "2.5e-308", "1e22", "9007199254740993.5", "-2.5", "1e308"] {
        let stored = stored(text);
        assert_eq!(root(&stored).as_number().unwrap().as_f64(), text.parse().ok(), "{text}");
    }
    let written = |text: &str| {
        let stored = stored(text);
        let number = root(&stored).as_number().unwrap();
        (number.as_str().into_owned(), number.is_written_as_integer())
    };
    assert_eq!(written("1.0"), ("1.0".into(), false));
    assert_eq!(written("1e2"), ("100".into(), true));
    assert_eq!(written("-0.00050"), ("-0.00050".into(), false));
    assert_eq!(written("123456789012345678901234567890"), ("123456789012345678901234567890".into(), true));
}

#[test]
fn numbers_are_compared_by_all_their_digits() {
    let unique = |text: &str| root(&stored(text)).as_array().unwrap().is_unique();
    assert!(!unique("[1, 1.0]"));
    assert!(!unique("[0, 0.00]"));
    assert!(!unique("[10000, 1e4]"));
    assert!(unique("[1, -1]"));
    assert!(unique("[1, 10000]"));
    assert!(unique("[123456789012345678901234567890, 123456789012345678901234567891]"));
    let many: Vec<String> = (0..40).map(|n| format!("{n}.0")).collect();
    assert!(unique(&format!("[{}]", many.join(","))));
    assert!(!unique(&format!("[{},7]", many.join(","))));
    assert!(!unique(&format!("[{0},[{{\"b\":1,\"a\":[2]}}],[{{\"a\":[2.0],\"b\":1}}]]", many.join(","))));
}

#[test]
fn what_a_tree_cannot_hold_is_told() {
    let nested = |levels: usize| {
        let wrap = |inner: Vec<u8>, _| words(&[ARRAY | 1, CONTAINER | HAS_OFFSET | inner.len() as u32], &inner);
        (1..levels).fold(words(&[ARRAY], b""), wrap)
    };
    assert!(tree(root(&nested(128))).is_ok());
    assert_eq!(tree(root(&nested(129))), Err(Loss::Depth));
    assert_eq!(tree(root(&stored(&format!("[1{}]", "0".repeat(309))))), Err(Loss::Number));
    assert_eq!(root(&stored(&format!("-1{}", "0".repeat(309)))).to_value().as_ref(), &json!(f64::MIN));
}

#[test]
fn strings_that_are_not_utf8_are_read_with_replacements() {
    let stored = words(&[ARRAY | SCALAR | 1, STRING | HAS_OFFSET | 3], b"\xe9t\xe9");
    assert_eq!(root(&stored).as_string().as_deref(), Some("\u{fffd}t\u{fffd}"));
    assert_eq!(root(&stored).string_length(), Some(3));
    assert_eq!(root(&stored).string_length_within(3, 3), Some(true));
    let object = words(&[OBJECT | 1, STRING | HAS_OFFSET | 1, TRUE], b"\xe9");
    let names: Vec<String> = root(&object).as_object().unwrap().members().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["\u{fffd}"]);
    assert!(!root(&object).equals_value(&json!({"\u{fffd}": true})));
}

#[test]
fn what_breaks_the_format_is_reported_and_reads_as_not_there() {
    static REPORTS: AtomicUsize = AtomicUsize::new(0);
    struct Listening;
    impl Watch for Listening {
        fn enter() {}
        fn step() {}
        fn malformed() {
            REPORTS.fetch_add(1, Ordering::Relaxed);
        }
    }
    let digits = |header: u16| [&(14u32 << 2).to_ne_bytes()[..], &header.to_ne_bytes(), &[0; 8]].concat();
    for (stored, expected) in [
        (vec![], json!([])),
        (vec![1, 2], json!([])),
        (words(&[ARRAY | SCALAR | 1], b""), json!(null)),
        (words(&[ARRAY | 2, STRING | 1], b"a"), json!([])),
        (words(&[ARRAY | 2, STRING | 1, STRING | 1], b"a"), json!(["a"])),
        (words(&[ARRAY | 2, STRING | 2, STRING | HAS_OFFSET | 1], b"ab"), json!(["ab"])),
        (words(&[ARRAY | 1, 0x6000_0000], b""), json!([])),
        (words(&[ARRAY | 1, CONTAINER | 2], b"ab"), json!([[]])),
        (words(&[OBJECT | 1, STRING | 1], b"a"), json!({})),
        (words(&[OBJECT | 1, STRING | 1, STRING | 9], b"a"), json!({})),
        (words(&[OBJECT | COUNT, STRING | 1, STRING | 9], b"a"), json!({})),
        (words(&[ARRAY | 1, NUMERIC], b""), json!([0])),
        (words(&[ARRAY | 1, NUMERIC | 5], &[20, 0, 0, 0, 0]), json!([0])),
        // NaN.
        (words(&[ARRAY | 1, NUMERIC | 14], &digits(0xC000)), json!([0])),
    ] {
        REPORTS.store(0, Ordering::Relaxed);
        let node: BinaryNode<'_, Listening> = BinaryNode::root(&stored);
        assert_eq!(node.to_value().as_ref(), &expected, "{stored:?}");
        assert!(REPORTS.load(Ordering::Relaxed) > 0, "{stored:?}");
    }
}
