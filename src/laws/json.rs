//! JSON texts are read as `serde_json` reads them.

use crate::json::{self, Problem, Reader, Text, ValueKind};
use crate::json_schema::Unwatched;
use crate::json_schema::text::{Document, TextNode};
use jsonschema::json::{JsonNumber, Node};
use serde_json::{Map, Value};

/// A body.
pub fn json_body(data: &[u8]) -> bool {
    let expected = serde_json::from_slice::<Value>(data);
    let beyond_double = expected.as_ref().is_err_and(|e| e.to_string().contains("out of range"));
    let checked = json::check(data);
    match (&checked, &expected) {
        (Ok(kind), Ok(expected)) => {
            assert_eq!(*kind, kind_of(expected));
            let mut reader = Reader::new(data).expect("checked before");
            let found = tree(&mut reader);
            reader.finish().expect("checked before");
            assert_eq!(&found, expected);
        }
        (Ok(_), Err(e)) => assert!(beyond_double, "{e}"),
        (Err(e), _) => {
            // The reader is stricter about values that cannot be stored or are ambiguous.
            use Problem::*;
            let stricter = matches!(e.problem, NulCharacter | Digits | Exponent | Depth | DuplicateKey | LoneSurrogate);
            assert!(stricter || expected.is_err(), "{e}");
            assert!(e.offset <= data.len() && e.line > 0 && e.column > 0, "{e}");
        }
    }
    if let (Ok(payload), Ok(expected)) = (json::first_keys(data, json::Framing::Array), &expected) {
        let first = if let Value::Array(items) = expected { items.first() } else { Some(expected) };
        let keys: Vec<&String> = first.and_then(Value::as_object).into_iter().flat_map(Map::keys).collect();
        assert_eq!((payload.kind, payload.keys.iter().collect()), (kind_of(expected), keys));
    }
    checked.is_ok()
}

fn kind_of(value: &Value) -> ValueKind {
    match value {
        Value::Null => ValueKind::Null,
        Value::Bool(_) => ValueKind::Bool,
        Value::Number(_) => ValueKind::Number,
        Value::String(_) => ValueKind::String,
        Value::Array(_) => ValueKind::Array,
        Value::Object(_) => ValueKind::Object,
    }
}

/// The value of a checked text.
fn tree(reader: &mut Reader) -> Value {
    let text = |text: Text| String::from_utf8(text.unescaped().into_owned()).expect("UTF-8");
    match reader.kind().expect("checked before") {
        ValueKind::Array => {
            reader.open_array().expect("checked before");
            let mut items = Vec::new();
            while reader.next_element().expect("checked before") {
                items.push(tree(reader));
            }
            Value::Array(items)
        }
        ValueKind::Object => {
            reader.open_object().expect("checked before");
            let mut members = Map::new();
            while let Some(key) = reader.next_key().expect("checked before") {
                members.insert(text(key), tree(reader));
            }
            Value::Object(members)
        }
        _ => match reader.value().expect("checked before") {
            json::Value::Null => Value::Null,
            json::Value::Bool(value) => Value::Bool(value),
            json::Value::Number(number) => serde_json::from_slice(number.text).expect("a number"),
            json::Value::String(string) => Value::String(text(string)),
            json::Value::Array(_) | json::Value::Object(_) => panic!("a scalar was announced"),
        },
    }
}

/// A text to validate.
pub fn json_text(data: &[u8]) -> bool {
    let expected = serde_json::from_slice::<Value>(data);
    // The only difference: a number beyond the range of a double.
    if expected.as_ref().is_err_and(|e| e.to_string().contains("out of range")) {
        return false;
    }
    match (Document::parse(data), expected) {
        (Ok(document), Ok(expected)) => {
            let root: TextNode<'_, Unwatched> = document.root();
            // The texts too, to compare the order of the members.
            assert_eq!(root.to_value().to_string(), expected.to_string());
            // A fraction that serde_json rounds to a whole number remains a fraction here.
            assert!(root.equals_value(&expected) || has_rounded_fraction(root));
            true
        }
        (Err(_), Err(_)) => false,
        (found, expected) => panic!("{:?}, but {:?}", found.map(drop), expected.map(drop)),
    }
}

fn has_rounded_fraction(root: TextNode<'_, Unwatched>) -> bool {
    let mut pending = vec![root];
    while let Some(node) = pending.pop() {
        if let Some(number) = node.as_number()
            && !number.is_integer()
            && number.to_number().as_f64().is_some_and(|double| double.fract() == 0.0)
        {
            return true;
        }
        pending.extend(node.elements());
        pending.extend(node.members().map(|(_, member)| member));
    }
    false
}
