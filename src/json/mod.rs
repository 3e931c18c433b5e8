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

/// Reads the kind of a body, the keys of its first object, and whether another element follows. Lines are like an array.
///
/// The rest of the body stays unread, so an `Ok` does not mean that the body is valid.
///
/// # Errors
/// The part that was read is not JSON, the first element of an array is not an object, or the object repeats a key.
pub fn first_keys(body: &[u8], framing: Framing) -> Result<FirstObject, Error> {
    let mut reader = match framing {
        Framing::Array => Reader::unchecked(body),
        Framing::Lines => Reader::unchecked_lines(body),
    };
    let read = first_object(&mut reader, framing);
    // Invalid UTF-8 is the more helpful error.
    let seen = body.get(..reader.offset()).unwrap_or(body);
    if let Err(bad) = std::str::from_utf8(seen)
        && bad.error_len().is_some()
    {
        return Err(Error::at(body, bad.valid_up_to(), Problem::InvalidUtf8));
    }
    read
}

fn first_object(reader: &mut Reader<'_>, framing: Framing) -> Result<FirstObject, Error> {
    let kind = match framing {
        Framing::Array => reader.kind()?,
        Framing::Lines => ValueKind::Array,
    };
    let (mut keys, has_more) = (Vec::new(), false);
    match kind {
        ValueKind::Array if framing == Framing::Lines => {
            if !reader.next_line()? {
                return Ok(FirstObject { kind, keys, has_more, is_one: false });
            }
        }
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
    let has_more = match framing {
        Framing::Lines => reader.next_line()?,
        Framing::Array => kind == ValueKind::Array && reader.next_element()?,
    };
    if !has_more {
        reader.finish()?;
    }
    // What reads one object does not read lines.
    Ok(FirstObject { kind, keys, has_more, is_one: !has_more && framing == Framing::Array })
}

/// How the elements of a body that is a list are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// As an array, or as a single value.
    #[default]
    Array,
    /// As lines (NDJSON).
    Lines,
}

/// Reads each element of a body: of an array, or of its lines. A document that is not an array is its only element.
///
/// `read`: reads one element, no more and no less.
///
/// # Errors
/// The body is not JSON, breaks one of the limits, or `read` fails.
pub fn each_element<'a>(
    body: &'a [u8],
    framing: Framing,
    mut read: impl FnMut(&mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    match framing {
        Framing::Lines => {
            let mut reader = Reader::lines(body)?;
            while reader.next_line()? {
                read(&mut reader)?;
            }
            Ok(())
        }
        Framing::Array => {
            let mut reader = Reader::new(body)?;
            if reader.kind()? == ValueKind::Array {
                reader.open_array()?;
                while reader.next_element()? {
                    read(&mut reader)?;
                }
            } else {
                read(&mut reader)?;
            }
            reader.finish()
        }
    }
}

/// Counts the objects in a body, which is an object or a list of objects, and for each key the objects that have it.
///
/// # Errors
/// The body is not JSON, or breaks one of the limits.
pub fn count_keys(body: &[u8], framing: Framing, keys: &[String]) -> Result<(usize, Vec<usize>), Error> {
    let mut counts = vec![0; keys.len()];
    let mut objects = 0;
    each_element(body, framing, |reader| {
        objects += 1;
        reader.open_object()?;
        while let Some(key) = reader.next_key()? {
            let key = key.unescaped();
            if let Some(count) = keys.iter().zip(&mut counts).find(|(name, _)| name.as_bytes() == key.as_ref()) {
                *count.1 += 1;
            }
            reader.value()?;
        }
        Ok(())
    })?;
    Ok((objects, counts))
}

/// The names and the texts of the values of an object that was just opened, in order.
///
/// # Errors
/// It is malformed, or a name is repeated.
pub fn members<'a>(reader: &mut Reader<'a>) -> Result<Vec<(String, &'a [u8])>, Error> {
    let (mut members, mut seen) = (Vec::new(), UniqueKeys::default());
    while let Some(key) = reader.next_key()? {
        if !seen.insert(key) {
            return Err(reader.duplicate_key(key));
        }
        members.push((String::from_utf8_lossy(&key.unescaped()).into_owned(), reader.value_text()?));
    }
    Ok(members)
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
