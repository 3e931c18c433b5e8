//! Rows within rows: reads the objects of a body whose members are related rows, and writes the bodies of the writes that it is split
//! into. Pure.
//!
//! Values stay the texts that were sent or answered, so that numbers keep their digits.

mod related;
#[cfg(test)]
mod tests;

pub use related::{Nested, belong, blamed, check_depth, refer, take_key, take_many, take_one, unrelate, with_own};

use crate::batch::scalar;
use crate::error::{Code, Error, Result};
use crate::http::target;
use crate::json::{self, Reader, ValueKind, pointer};
use crate::query::quote_always;
use std::borrow::Cow;

/// A JSON text.
pub type Text<'a> = Cow<'a, [u8]>;

/// An object of a body.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// JSON Pointer (RFC 6901) to it in the body.
    pub pointer: String,
    /// Names and values, in order.
    pub members: Vec<(String, Text<'a>)>,
}

impl<'a> Row<'a> {
    /// Reads an object.
    ///
    /// # Errors
    /// PGRST102 (400) unless the text is an object whose names differ.
    pub fn read(text: &'a [u8], pointer: String) -> Result<Self> {
        let mut reader = open(text, ValueKind::Object, &pointer)?;
        let members = json::members(&mut reader).map_err(Error::invalid_json)?.into_iter();
        Ok(Row { pointer, members: members.map(|(name, value)| (name, Cow::Borrowed(value))).collect() })
    }

    /// The value of a member.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.members.iter().find(|(member, _)| member == name).map(|(_, value)| value.as_ref())
    }

    /// Takes a member out.
    pub fn take(&mut self, name: &str) -> Option<Text<'a>> {
        let at = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(at).1)
    }

    /// Gives a column a value that follows from a relationship.
    ///
    /// # Errors
    /// REST400 (400) if the row states another value.
    pub fn fill(&mut self, column: &str, value: Text<'a>) -> Result<()> {
        match self.get(column) {
            None => self.members.push((column.to_owned(), value)),
            Some(stated) if same(stated, &value) => {}
            Some(_) => {
                return Err(Error::new(Code::MalformedRequest, format!("The row states a value of '{column}', which follows from the row that it is nested in or from the one nested in it"))
                    .hint("Leave the column out.")
                    .pointer(format!("{}/{}", self.pointer, pointer::escape(column))));
            }
        }
        Ok(())
    }

    /// The pointer to a member.
    pub fn at(&self, member: &str) -> String {
        format!("{}/{}", self.pointer, pointer::escape(member))
    }

    /// The row as a JSON object.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (i, (name, value)) in self.members.iter().enumerate() {
            if i > 0 {
                out.push(b',');
            }
            out.extend(serde_json::Value::from(name.as_str()).to_string().as_bytes());
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
    }
}

/// The rows of a body, and whether it is an array.
///
/// # Errors
/// PGRST102 (400) unless the text is an object or an array of objects.
pub fn rows<'a>(text: &'a [u8], pointer: &str) -> Result<(Vec<Row<'a>>, bool)> {
    let kind = Reader::new(text).and_then(|mut reader| reader.kind()).map_err(Error::invalid_json)?;
    if kind != ValueKind::Array {
        return Ok((vec![Row::read(text, pointer.to_owned())?], false));
    }
    let objects = elements(text)?;
    let rows = objects.into_iter().enumerate().map(|(i, object)| Row::read(object, format!("{pointer}/{i}")));
    Ok((rows.collect::<Result<_>>()?, true))
}

/// The elements of an array.
///
/// # Errors
/// PGRST102 (400) unless the text is an array.
pub fn elements(text: &[u8]) -> Result<Vec<&[u8]>> {
    let mut reader = open(text, ValueKind::Array, "")?;
    let mut elements = Vec::new();
    while reader.next_element().map_err(Error::invalid_json)? {
        elements.push(reader.value_text().map_err(Error::invalid_json)?);
    }
    reader.finish().map_err(Error::invalid_json)?;
    Ok(elements)
}

/// The kind of a value.
pub fn kind(text: &[u8]) -> Option<ValueKind> {
    Reader::new(text).and_then(|mut reader| reader.kind()).ok()
}

/// The body of a write: an array of these rows.
pub fn body(rows: &[Row]) -> Vec<u8> {
    let mut out = vec![b'['];
    for (i, row) in rows.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        row.write(&mut out);
    }
    out.push(b']');
    out
}

/// Parameters that choose the row whose columns have these values. Values are texts of JSON scalars, and become text only encoded.
///
/// # Errors
/// REST400 (400) for a value that no filter can have.
pub fn filters<'v>(values: impl Iterator<Item = (&'v str, &'v [u8])>) -> Result<String> {
    let mut text = String::new();
    for (column, value) in values {
        let Some(Some(value)) = scalar(value) else {
            return Err(Error::new(Code::MalformedRequest, format!("The value of '{column}' cannot name a row")));
        };
        text.push(if text.is_empty() { '?' } else { '&' });
        target::encode_into(&mut text, &quote_always(column), b"");
        text.push_str("=eq.");
        target::encode_into(&mut text, &value, b"");
    }
    Ok(text)
}

/// The value of `select` for these columns.
pub fn select(columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|column| target::encode(&quote_always(column), b"")).collect();
    names.join(",")
}

/// The path of a table or view.
pub fn path(relation: &str) -> String {
    format!("/{}", target::encode(relation, b""))
}

/// Whether two texts are the same scalar.
fn same(a: &[u8], b: &[u8]) -> bool {
    a == b || matches!((scalar(a), scalar(b)), (Some(Some(a)), Some(Some(b))) if a == b)
}

fn open<'a>(text: &'a [u8], expected: ValueKind, pointer: &str) -> Result<Reader<'a>> {
    let mut reader = Reader::new(text).map_err(Error::invalid_json)?;
    let found = reader.kind().map_err(Error::invalid_json)?;
    if found != expected {
        let what = if expected == ValueKind::Array { "an array of objects" } else { "an object" };
        return Err(Error::new(Code::Body, format!("The value is not {what}")).pointer(pointer.to_owned()));
    }
    match expected {
        ValueKind::Array => reader.open_array(),
        _ => reader.open_object(),
    }
    .map_err(Error::invalid_json)?;
    Ok(reader)
}
