//! Converts stored values to `serde_json` values, for schemas and for the values that errors show.

use super::container::Children;
use super::node::{BinaryNode, Content};
use crate::json_schema::Watch;
use crate::limits::VALUE_DEPTH;
use jsonschema::json::JsonNumber;
use serde_json::{Map, Value};

/// What a [`Value`] cannot represent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// An array or object that is nested deeper than 128 levels. Null stands for it.
    Depth,
    /// A number beyond the range of a double. The largest double stands for it.
    Number,
}

/// An array or object that is being built.
enum Building<'a> {
    Array(Children<'a>, Vec<Value>),
    Object { keys: Children<'a>, values: Children<'a>, name: String, members: Map<String, Value> },
}

/// The value as a tree.
///
/// # Errors
/// A part of the value cannot be represented.
pub fn tree<W: Watch>(node: BinaryNode<'_, W>) -> Result<Value, Loss> {
    match build(node) {
        (value, None) => Ok(value),
        (_, Some(lost)) => Err(lost),
    }
}

/// The value, and the first loss.
pub(super) fn build<W: Watch>(mut node: BinaryNode<'_, W>) -> (Value, Option<Loss>) {
    let mut lost = None;
    let mut around: Vec<Building<'_>> = Vec::new();
    loop {
        let mut value = match node.content() {
            Content::Null => Some(Value::Null),
            Content::Bool(value) => Some(Value::Bool(value)),
            Content::String(_) => Some(Value::String(node.characters().into_owned())),
            Content::Number(number) => {
                if !number.is_representable() {
                    lost.get_or_insert(Loss::Number);
                }
                Some(Value::Number(number.to_number().into_owned()))
            }
            Content::Array(_) | Content::Object(_) if around.len() == VALUE_DEPTH => {
                lost.get_or_insert(Loss::Depth);
                Some(Value::Null)
            }
            Content::Array(elements) => {
                around.push(Building::Array(elements, Vec::new()));
                None
            }
            Content::Object(object) => {
                let (keys, values) = (object.keys(), object.values());
                around.push(Building::Object { keys, values, name: String::new(), members: Map::new() });
                None
            }
        };
        loop {
            let Some(container) = around.last_mut() else { return (value.unwrap_or_default(), lost) };
            let next = match container {
                Building::Array(elements, built) => {
                    built.extend(value.take());
                    elements.next::<W>()
                }
                Building::Object { keys, values, name, members } => {
                    if let Some(value) = value.take() {
                        members.insert(std::mem::take(name), value);
                    }
                    let key = keys.next::<W>();
                    *name = key.map(|key| BinaryNode::<W>::new(key).characters().into_owned()).unwrap_or_default();
                    values.next::<W>()
                }
            };
            if let Some(next) = next {
                node = BinaryNode::new(next);
                break;
            }
            value = around.pop().map(|finished| match finished {
                Building::Array(_, elements) => Value::Array(elements),
                Building::Object { members, .. } => Value::Object(members),
            });
        }
    }
}
