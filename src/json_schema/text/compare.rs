//! Equality and distinctness of values on the tape, without recursion.

use super::number::{Decimal, TextNumber};
use super::tape::{Children, Document, EntryKind};
use crate::json_schema::equals_constant;
use crate::limits::{ELEMENTS_COMPARED, VALUE_DEPTH};
use jsonschema::json::JsonNumber;
use serde_json::{Map, Value};
use std::hash::{BuildHasher, RandomState};

/// Whether the value at `at` equals `expected`. Numbers are compared by value.
pub(super) fn equals_value(document: &Document<'_>, at: u32, expected: &Value, step: fn()) -> bool {
    let mut pending = Vec::new();
    if !equals_shallow(document, at, expected, &mut pending) {
        return false;
    }
    while let Some((at, expected)) = pending.pop() {
        step();
        if !equals_shallow(document, at, expected, &mut pending) {
            return false;
        }
    }
    true
}

/// Compares scalars; of arrays and objects, only the lengths and the keys. Their contents are left `pending`.
#[inline]
fn equals_shallow<'e>(
    document: &Document<'_>,
    at: u32,
    expected: &'e Value,
    pending: &mut Vec<(u32, &'e Value)>,
) -> bool {
    let entry = document.entry(at);
    match (expected, entry.kind) {
        (Value::Null, EntryKind::Null)
        | (Value::Bool(false), EntryKind::False)
        | (Value::Bool(true), EntryKind::True) => true,
        (Value::String(string), EntryKind::String) => document.characters(entry) == string,
        (Value::Number(expected), EntryKind::Integer | EntryKind::Decimal) => {
            TextNumber::of(document, entry).is_some_and(|number| equals_constant(&number, expected))
        }
        (Value::Array(items), EntryKind::Array) => {
            let same = items.len() == entry.length as usize;
            if same {
                pending.extend(document.children(at).map(|(_, value)| value).zip(items));
            }
            same
        }
        (Value::Object(members), EntryKind::Object) => {
            members.len() == entry.length as usize
                && document.children(at).all(|(key, value)| {
                    let expected = members.get(document.characters(document.entry(key)));
                    pending.extend(expected.map(|expected| (value, expected)));
                    expected.is_some()
                })
        }
        _ => false,
    }
}

/// Whether two values are equal. Numbers are compared by value, with any number of digits.
fn equal(document: &Document<'_>, left: u32, right: u32, pending: &mut Vec<(u32, u32)>) -> bool {
    pending.clear();
    pending.push((left, right));
    while let Some((left, right)) = pending.pop() {
        let (one, other) = (document.entry(left), document.entry(right));
        let same = match (one.kind, other.kind) {
            (EntryKind::Integer | EntryKind::Decimal, EntryKind::Integer | EntryKind::Decimal) => {
                let (one, other) = (document.characters(one), document.characters(other));
                one == other || Decimal::new(one) == Decimal::new(other)
            }
            (one, other) if one != other => false,
            (EntryKind::String, _) => document.characters(one) == document.characters(other),
            (EntryKind::Array, _) => {
                let same = one.length == other.length;
                if same {
                    let values = |at| document.children(at).map(|(_, value)| value);
                    pending.extend(values(left).zip(values(right)));
                }
                same
            }
            (EntryKind::Object, _) => {
                one.length == other.length
                    && document.children(left).all(|(key, value)| {
                        let key = document.entry(key);
                        let found = document.find(right, document.characters(key), key.tag);
                        pending.extend(found.map(|found| (value, found)));
                        found.is_some()
                    })
            }
            _ => true,
        };
        if !same {
            return false;
        }
    }
    true
}

/// Whether no two elements of the array at `array` are equal.
pub(super) fn is_unique(document: &Document<'_>, array: u32, step: fn()) -> bool {
    let mut pending = Vec::new();
    if document.entry(array).length as usize <= ELEMENTS_COMPARED {
        let mut elements = document.children(array);
        while let Some((_, one)) = elements.next() {
            for (_, other) in elements.clone() {
                step();
                if equal(document, one, other, &mut pending) {
                    return false;
                }
            }
        }
        return true;
    }
    let seed = RandomState::new();
    let mut hashes: Vec<(u64, u32)> =
        document.children(array).map(|(_, at)| (hash(document, at, &seed, step), at)).collect();
    hashes.sort_unstable();
    // The hashes are keyed and have 64 bits, so only equal values form runs of more than one.
    hashes.chunk_by(|(one, _), (other, _)| one == other).all(|run| {
        run.iter().enumerate().all(|(at, &(_, one))| {
            run.iter().skip(at + 1).all(|&(_, other)| !equal(document, one, other, &mut pending))
        })
    })
}

/// An array or object whose contents are being hashed.
struct Hashing<'a> {
    children: Children<'a>,
    /// The key of the member being hashed; 0 in an array.
    key: u32,
    sum: u64,
}

/// A hash that is the same for equal values.
fn hash(document: &Document<'_>, mut at: u32, seed: &RandomState, step: fn()) -> u64 {
    let mut around: Vec<Hashing<'_>> = Vec::new();
    loop {
        let entry = document.entry(at);
        step();
        let mut hash = match entry.kind {
            EntryKind::String => seed.hash_one((1, document.characters(entry))),
            EntryKind::Integer | EntryKind::Decimal => seed.hash_one((2, Decimal::new(document.characters(entry)))),
            EntryKind::Array | EntryKind::Object => {
                let mut children = document.children(at);
                match children.next() {
                    Some((key, value)) => {
                        around.push(Hashing { children, key, sum: 0 });
                        at = value;
                        continue;
                    }
                    None => seed.hash_one((3, entry.kind as u8)),
                }
            }
            kind => seed.hash_one((4, kind as u8)),
        };
        loop {
            let Some(container) = around.last_mut() else { return hash };
            container.sum = if container.key == 0 {
                seed.hash_one((container.sum, hash))
            } else {
                // Independent of the order of the members.
                let key = document.characters(document.entry(container.key));
                container.sum.wrapping_add(seed.hash_one((key, hash)))
            };
            if let Some((key, value)) = container.children.next() {
                container.key = key;
                at = value;
                break;
            }
            hash = seed.hash_one((5, container.key == 0, container.sum));
            around.pop();
        }
    }
}

/// An array or object that is being built.
struct Building<'a> {
    children: Children<'a>,
    /// The key of the member being built; 0 in an array.
    key: u32,
    value: Value,
}

/// The value at `at` as a `serde_json` value. Arrays and objects deeper than [`VALUE_DEPTH`] become null.
pub(super) fn to_value(document: &Document<'_>, mut at: u32) -> Value {
    let mut around: Vec<Building<'_>> = Vec::new();
    loop {
        let entry = document.entry(at);
        let mut value = match entry.kind {
            EntryKind::False => Value::Bool(false),
            EntryKind::True => Value::Bool(true),
            EntryKind::Integer | EntryKind::Decimal => TextNumber::of(document, entry)
                .map_or(Value::Null, |number| Value::Number(number.to_number().into_owned())),
            EntryKind::String => Value::String(document.characters(entry).to_owned()),
            EntryKind::Array | EntryKind::Object if around.len() < VALUE_DEPTH => {
                let value = if entry.kind == EntryKind::Array {
                    Value::Array(Vec::with_capacity(entry.length as usize))
                } else {
                    Value::Object(Map::with_capacity(entry.length as usize))
                };
                let mut children = document.children(at);
                match children.next() {
                    Some((key, first)) => {
                        around.push(Building { children, key, value });
                        at = first;
                        continue;
                    }
                    None => value,
                }
            }
            _ => Value::Null,
        };
        loop {
            let Some(container) = around.last_mut() else { return value };
            match &mut container.value {
                Value::Array(elements) => elements.push(value),
                Value::Object(members) => {
                    let key = document.characters(document.entry(container.key));
                    members.insert(key.to_owned(), value);
                }
                _ => {}
            }
            if let Some((key, next)) = container.children.next() {
                container.key = key;
                at = next;
                break;
            }
            match around.pop() {
                Some(finished) => value = finished.value,
                None => return Value::Null,
            }
        }
    }
}
