//! Equality and distinctness of stored values, without recursion.

use super::container::Children;
use super::node::{BinaryNode, Content, Elements};
use crate::json_schema::{Watch, equals_constant};
use crate::limits::ELEMENTS_COMPARED;
use serde_json::Value;
use std::hash::{BuildHasher, RandomState};

/// Whether a value equals `expected`. Numbers are compared by value.
#[inline]
pub(super) fn equals_value<W: Watch>(node: BinaryNode<'_, W>, expected: &Value) -> bool {
    let mut pending = Vec::new();
    if !equals_shallow(node, expected, &mut pending) {
        return false;
    }
    while let Some((node, expected)) = pending.pop() {
        W::step();
        if !equals_shallow(node, expected, &mut pending) {
            return false;
        }
    }
    true
}

/// Compares scalars; of arrays and objects, only the lengths and the keys. Their contents are left `pending`.
fn equals_shallow<'a, 'e, W: Watch>(
    node: BinaryNode<'a, W>,
    expected: &'e Value,
    pending: &mut Vec<(BinaryNode<'a, W>, &'e Value)>,
) -> bool {
    match (expected, node.content()) {
        (Value::Null, Content::Null) => true,
        (Value::Bool(expected), Content::Bool(value)) => *expected == value,
        (Value::String(expected), Content::String(_)) => node.characters() == expected.as_str(),
        (Value::Number(expected), Content::Number(number)) => equals_constant(&number, expected),
        (Value::Array(expected), Content::Array(mut elements)) => {
            if expected.len() != elements.left() {
                return false;
            }
            for expected in expected {
                let Some(element) = elements.next::<W>() else { return false };
                pending.push((BinaryNode::new(element), expected));
            }
            true
        }
        (Value::Object(expected), Content::Object(object)) => {
            if expected.len() != object.len() {
                return false;
            }
            let (mut keys, mut values) = (object.keys(), object.values());
            while let (Some(key), Some(value)) = (keys.next::<W>(), values.next::<W>()) {
                let name = std::str::from_utf8(key.data).ok();
                let Some(expected) = name.and_then(|name| expected.get(name)) else { return false };
                pending.push((BinaryNode::new(value), expected));
            }
            true
        }
        _ => false,
    }
}

/// Whether two values are equal. Numbers are compared by value, with any number of digits.
fn equal<'a, W: Watch>(
    left: BinaryNode<'a, W>,
    right: BinaryNode<'a, W>,
    pending: &mut Vec<(BinaryNode<'a, W>, BinaryNode<'a, W>)>,
) -> bool {
    pending.clear();
    pending.push((left, right));
    while let Some((left, right)) = pending.pop() {
        let same = match (left.content(), right.content()) {
            (Content::Null, Content::Null) => true,
            (Content::Bool(left), Content::Bool(right)) => left == right,
            (Content::String(left), Content::String(right)) => left == right,
            (Content::Number(left), Content::Number(right)) => left == right,
            (Content::Array(mut left), Content::Array(mut right)) => {
                let same = left.left() == right.left();
                while let (true, Some(left), Some(right)) = (same, left.next::<W>(), right.next::<W>()) {
                    pending.push((BinaryNode::new(left), BinaryNode::new(right)));
                }
                same
            }
            (Content::Object(left), Content::Object(right)) => {
                // Keys are ordered, so equal ones are at the same positions.
                let mut same = left.len() == right.len();
                let (mut left_keys, mut right_keys) = (left.keys(), right.keys());
                while let (true, Some(left), Some(right)) = (same, left_keys.next::<W>(), right_keys.next::<W>()) {
                    same = left.data == right.data;
                }
                let (mut left, mut right) = (left.values(), right.values());
                while let (true, Some(left), Some(right)) = (same, left.next::<W>(), right.next::<W>()) {
                    pending.push((BinaryNode::new(left), BinaryNode::new(right)));
                }
                same
            }
            _ => false,
        };
        if !same {
            return false;
        }
    }
    true
}

/// Whether no two of the elements are equal.
pub(super) fn is_unique<W: Watch>(mut elements: Elements<'_, W>) -> bool {
    let mut pending = Vec::new();
    if elements.size_hint().0 <= ELEMENTS_COMPARED {
        while let Some(one) = elements.next() {
            for other in elements.clone() {
                if equal(one, other, &mut pending) {
                    return false;
                }
            }
        }
        return true;
    }
    let seed = RandomState::new();
    let mut hashes: Vec<(u64, BinaryNode<'_, W>)> = elements.map(|element| (hash(element, &seed), element)).collect();
    hashes.sort_unstable_by_key(|(hash, _)| *hash);
    // The hashes are keyed and have 64 bits, so only equal values form runs of more than one.
    hashes.chunk_by(|(one, _), (other, _)| one == other).all(|run| {
        run.iter()
            .enumerate()
            .all(|(at, (_, one))| run.iter().skip(at + 1).all(|(_, other)| !equal(*one, *other, &mut pending)))
    })
}

/// An array or object whose contents are being hashed.
struct Hashing<'a> {
    /// The keys of an object that are still to be hashed. They precede its values.
    keys: Option<Children<'a>>,
    values: Children<'a>,
    sum: u64,
}

/// A hash that is the same for equal values.
fn hash<'a, W: Watch>(mut node: BinaryNode<'a, W>, seed: &RandomState) -> u64 {
    let mut around: Vec<Hashing<'a>> = Vec::new();
    loop {
        W::step();
        let mut hash = match node.content() {
            Content::Null => Some(seed.hash_one(0)),
            Content::Bool(value) => Some(seed.hash_one((1, value))),
            Content::String(bytes) => Some(seed.hash_one((2, bytes))),
            Content::Number(number) => Some(seed.hash_one((3, number))),
            Content::Array(elements) => {
                around.push(Hashing { keys: None, sum: seed.hash_one((4, elements.left())), values: elements });
                None
            }
            Content::Object(object) => {
                around.push(Hashing { keys: Some(object.keys()), sum: seed.hash_one(5), values: object.values() });
                None
            }
        };
        loop {
            let Some(container) = around.last_mut() else { return hash.unwrap_or_default() };
            if let Some(hash) = hash.take() {
                container.sum = seed.hash_one((container.sum, hash));
            }
            // Members are stored in the order of their keys.
            if let Some(key) = container.keys.as_mut().and_then(|keys| keys.next::<W>()) {
                container.sum = seed.hash_one((container.sum, key.data));
            }
            if let Some(next) = container.values.next::<W>() {
                node = BinaryNode::new(next);
                break;
            }
            hash = around.pop().map(|finished| finished.sum);
        }
    }
}
