//! A JSON document that is read only where something looks.

use super::Problem;
use crate::json::{self, Reader, ValueKind};
use crate::limits::JSON_DEPTH;
use std::borrow::Cow;
use std::collections::HashMap;

/// A value.
#[derive(Clone, Debug)]
pub enum Node<'a> {
    /// A value that is still its text, which is valid JSON.
    Raw(&'a [u8]),
    /// An object: keys and values in order. If a key stands twice, the last one counts, as PostgreSQL takes a `json` value.
    Object(Vec<Member<'a>>),
    /// An array.
    Array(Vec<Node<'a>>),
}

/// A key, unescaped, and its value.
pub type Member<'a> = (Cow<'a, [u8]>, Node<'a>);

impl<'a> Node<'a> {
    /// The kind of the value.
    ///
    /// # Errors
    /// The text is empty.
    pub fn kind(&self) -> Result<ValueKind, Problem> {
        match self {
            Node::Raw(text) => Ok(Reader::new(text)?.kind()?),
            Node::Object(_) => Ok(ValueKind::Object),
            Node::Array(_) => Ok(ValueKind::Array),
        }
    }

    /// Reads the members of an object, or the elements of an array, if they are still text.
    ///
    /// # Errors
    /// The text breaks a limit of JSON texts.
    pub fn open(&mut self) -> Result<(), Problem> {
        let Node::Raw(text) = *self else { return Ok(()) };
        let mut reader = Reader::new(text)?;
        match reader.kind()? {
            ValueKind::Object => {
                let mut members = Vec::new();
                reader.open_object()?;
                while let Some(key) = reader.next_key()? {
                    members.push((key.unescaped(), Node::Raw(raw(text, &mut reader)?)));
                }
                *self = Node::Object(members);
            }
            ValueKind::Array => {
                let mut elements = Vec::new();
                reader.open_array()?;
                while reader.next_element()? {
                    elements.push(Node::Raw(raw(text, &mut reader)?));
                }
                *self = Node::Array(elements);
            }
            _ => {}
        }
        Ok(())
    }

    /// Writes the value as a JSON text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Node::Raw(text) => out.extend_from_slice(text),
            Node::Object(members) => {
                out.push(b'{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    json::escape(key, out);
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
            Node::Array(elements) => {
                out.push(b'[');
                for (i, element) in elements.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    element.write(out);
                }
                out.push(b']');
            }
        }
    }

    /// About how many bytes its text has, at least one for each value.
    pub fn size(&self) -> usize {
        match self {
            Node::Raw(text) => text.len(),
            Node::Object(members) => members.iter().map(|(key, value)| key.len() + 4 + value.size()).sum::<usize>() + 2,
            Node::Array(elements) => elements.iter().map(|element| element.size() + 1).sum::<usize>() + 2,
        }
    }

    /// The levels of arrays and objects in it.
    pub fn depth(&self) -> usize {
        match self {
            Node::Raw(text) => depth(text),
            Node::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            Node::Array(elements) => 1 + elements.iter().map(Node::depth).max().unwrap_or(0),
        }
    }

    /// Whether two values are equal (RFC 6902, section 4.6): numbers by their value, strings by their characters, objects by their
    /// members in any order.
    ///
    /// # Errors
    /// A text breaks a limit of JSON texts.
    pub fn equals(&mut self, other: &mut Node<'a>) -> Result<bool, Problem> {
        if let (Node::Raw(a), Node::Raw(b)) = (&*self, &*other)
            && a == b
        {
            return Ok(true);
        }
        self.open()?;
        other.open()?;
        match (self, other) {
            (Node::Array(a), Node::Array(b)) => {
                if a.len() != b.len() {
                    return Ok(false);
                }
                for (a, b) in a.iter_mut().zip(b) {
                    if !a.equals(b)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Node::Object(a), Node::Object(b)) => {
                let places: HashMap<Vec<u8>, usize> =
                    a.iter().enumerate().map(|(i, (key, _))| (key.to_vec(), i)).collect();
                let others: HashMap<Vec<u8>, usize> =
                    b.iter().enumerate().map(|(i, (key, _))| (key.to_vec(), i)).collect();
                if places.len() != others.len() {
                    return Ok(false);
                }
                for (key, place) in &others {
                    let pair = places.get(key).and_then(|i| a.get_mut(*i)).zip(b.get_mut(*place));
                    let Some(((_, a), (_, b))) = pair else { return Ok(false) };
                    if !a.equals(b)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Node::Raw(a), Node::Raw(b)) => scalars_are_equal(a, b),
            _ => Ok(false),
        }
    }
}

/// The text of the next value, which is read.
fn raw<'a>(text: &'a [u8], reader: &mut Reader<'a>) -> Result<&'a [u8], Problem> {
    reader.kind()?;
    let start = reader.offset();
    reader.value()?;
    Ok(text.get(start..reader.offset()).unwrap_or_default())
}

/// The levels of arrays and objects in a JSON text.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let (mut is_string, mut is_escaped) = (false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b'{' | b'[' if !is_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !is_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest.min(JSON_DEPTH + 1)
}

fn scalars_are_equal(a: &[u8], b: &[u8]) -> Result<bool, Problem> {
    let (mut left, mut right) = (Reader::new(a)?, Reader::new(b)?);
    Ok(match (left.value()?, right.value()?) {
        (json::Value::Null, json::Value::Null) => true,
        (json::Value::Bool(a), json::Value::Bool(b)) => a == b,
        (json::Value::String(a), json::Value::String(b)) => a.unescaped() == b.unescaped(),
        (json::Value::Number(_), json::Value::Number(_)) => decimal(a) == decimal(b),
        _ => false,
    })
}

/// A number as sign, digits without zeros around them, and the exponent of the last digit. Zero has no digits.
fn decimal(text: &[u8]) -> (bool, Vec<u8>, i64) {
    let text = text.trim_ascii();
    let (negative, text) = match text.strip_prefix(b"-") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let end = text.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(end);
    let exponent = std::str::from_utf8(exponent.get(1..).unwrap_or_default()).unwrap_or_default();
    let mut exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().unwrap_or(0);
    let mut digits: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    if let Some(point) = mantissa.iter().position(|b| *b == b'.') {
        exponent -= (mantissa.len() - point - 1) as i64;
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
        exponent += 1;
    }
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    if digits.is_empty() {
        return (false, digits, 0);
    }
    (negative, digits, exponent)
}
