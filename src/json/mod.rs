//! Strict JSON (RFC 8259) for request bodies: a pull reader over bytes that allocates nothing per value.
//!
//! It is stricter than the grammar about values that cannot be stored or are ambiguous: depth, digits and exponents are limited
//! ([`crate::limits`]), and `\u0000`, lone surrogates, invalid UTF-8, a byte order mark and anything after the document are
//! refused.

mod error;
mod number;
pub mod pointer;
mod reader;
mod string;

pub use error::{Error, Problem};
pub use number::{Number, parse_integer};
pub(crate) use number::{scan as scan_limited_number, scan_any as scan_number};
pub use reader::{Reader, Value, ValueKind};
pub(crate) use string::scan as scan_string;
pub use string::{Text, UniqueKeys, escape, is_ascii, unescape};

#[cfg(test)]
mod tests;

/// The first object of a body, which is all that planning needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstObject {
    /// The kind of the document.
    pub kind: ValueKind,
    /// The unescaped keys of the first object, in order; empty if the document is an empty array or a scalar.
    pub keys: Vec<String>,
    /// The document is an array with something after the first object.
    pub has_more: bool,
    /// The document is one object, or an array of one.
    pub is_one: bool,
}

/// Reads the kind of a body, the keys of its first object, and whether another element follows.
///
/// The rest of the body stays unread, so an `Ok` does not mean that the body is valid.
///
/// # Errors
/// The part that was read is not JSON, the first element of an array is not an object, or the object repeats a key.
pub fn first_keys(body: &[u8]) -> Result<FirstObject, Error> {
    let mut reader = Reader::unchecked(body);
    let read = first_object(&mut reader);
    // Invalid UTF-8 is the more helpful error.
    let seen = body.get(..reader.offset()).unwrap_or(body);
    if let Err(bad) = std::str::from_utf8(seen)
        && bad.error_len().is_some()
    {
        return Err(Error::at(body, bad.valid_up_to(), Problem::InvalidUtf8));
    }
    read
}

fn first_object(reader: &mut Reader<'_>) -> Result<FirstObject, Error> {
    let kind = reader.kind()?;
    let (mut keys, has_more) = (Vec::new(), false);
    match kind {
        ValueKind::Array => {
            reader.open_array()?;
            if !reader.next_element()? {
                reader.finish()?;
                return Ok(FirstObject { kind, keys, has_more, is_one: false });
            }
        }
        ValueKind::Object => {}
        _ => {
            reader.value()?;
            reader.finish()?;
            return Ok(FirstObject { kind, keys, has_more, is_one: false });
        }
    }
    reader.open_object()?;
    let mut seen = UniqueKeys::default();
    while let Some(key) = reader.next_key()? {
        if !seen.insert(key) {
            return Err(reader.duplicate_key(key));
        }
        keys.push(String::from_utf8_lossy(&key.unescaped()).into_owned());
        reader.value()?;
    }
    let has_more = kind == ValueKind::Array && reader.next_element()?;
    if !has_more {
        reader.finish()?;
    }
    Ok(FirstObject { kind, keys, has_more, is_one: !has_more })
}

/// Counts the objects in a body, which is an object or an array of objects, and for each key the objects that have it.
///
/// # Errors
/// The body is not JSON, or breaks one of the limits.
pub fn count_keys(body: &[u8], keys: &[String]) -> Result<(usize, Vec<usize>), Error> {
    let mut counts = vec![0; keys.len()];
    let mut objects = 0;
    let mut reader = Reader::new(body)?;
    let is_array = reader.kind()? == ValueKind::Array;
    if is_array {
        reader.open_array()?;
    }
    while is_array && reader.next_element()? || !is_array && objects == 0 {
        objects += 1;
        reader.open_object()?;
        while let Some(key) = reader.next_key()? {
            let key = key.unescaped();
            if let Some(count) = keys.iter().zip(&mut counts).find(|(name, _)| name.as_bytes() == key.as_ref()) {
                *count.1 += 1;
            }
            reader.value()?;
        }
    }
    reader.finish()?;
    Ok((objects, counts))
}

/// Checks a whole document, and returns its kind.
///
/// # Errors
/// The body is not JSON, or breaks one of the limits.
pub fn check(body: &[u8]) -> Result<ValueKind, Error> {
    let mut reader = Reader::new(body)?;
    let kind = reader.kind()?;
    reader.value()?;
    reader.finish()?;
    Ok(kind)
}
