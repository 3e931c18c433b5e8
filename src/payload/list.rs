//! Bodies that name rows one by one: lists of objects, each with the key of its row. Pure.

use super::{BodyKeys, Length, List, Payload};
use crate::error::{Code, Error, Result};
use crate::http::MediaType;
use crate::json::{self, Framing, ValueKind};
use crate::limits;
use std::collections::HashMap;

/// Reads which keys the objects of a list have. `texts`: their values are texts.
///
/// # Errors
/// PGRST102 (400) if the body is not a list of objects or, if `allows_bare`, of values; REST431 if it has too many different keys.
pub(super) fn keys(body: &[u8], framing: Framing, allows_bare: bool, texts: bool) -> Result<(BodyKeys, usize)> {
    let mut found = Found::default();
    if framing == Framing::Array && !body.trim_ascii_start().starts_with(b"[") {
        return Err(not_a_list(allows_bare));
    }
    let mut too_many = false;
    json::each_element(body, framing, |reader| {
        found.elements += 1;
        if reader.kind()? != ValueKind::Object {
            if !allows_bare {
                return reader.open_object();
            }
            found.bare += 1;
            return reader.value().map(drop);
        }
        reader.open_object()?;
        while let Some(key) = reader.next_key()? {
            let key = key.unescaped();
            let known = found.counts.len();
            match found.counts.get_mut(key.as_ref()) {
                Some(entry) => entry.1 += 1,
                None if known >= limits::LISTED_KEYS => too_many = true,
                None => {
                    found.counts.insert(key.into_owned(), (known, 1));
                }
            }
            reader.value()?;
        }
        Ok(())
    })
    .map_err(Error::invalid_json)?;
    if too_many {
        return Err(Error::new(
            Code::Limit,
            format!("The objects have more than {} different keys", limits::LISTED_KEYS),
        )
        .hint("Their keys are columns of one table or view."));
    }
    if found.bare > 0 && found.bare < found.elements {
        return Err(Error::new(Code::Body, "The list has objects as well as other values")
            .hint("Give all keys as objects, or all as values."));
    }
    let is_bare = found.bare > 0;
    let elements = found.elements;
    let (keys, partial) = found.keys();
    let list = Some(List { length: Length::of(elements), bare: is_bare });
    Ok((BodyKeys { keys, partial, texts, framing, list, ..BodyKeys::default() }, elements))
}

fn not_a_list(allows_bare: bool) -> Error {
    let error = Error::new(Code::Body, "The body must be a list of keys");
    error.hint(if allows_bare {
        "Send an array of objects with the columns of the primary key, or of values if it has one column; or send no body."
    } else {
        "Send an array of objects."
    })
}

/// What was found in a list.
#[derive(Default)]
struct Found {
    elements: usize,
    bare: usize,
    /// For each key, its position among the keys, and how many objects have it.
    counts: HashMap<Vec<u8>, (usize, usize)>,
}

impl Found {
    /// The keys in the order in which they were found, and those that not all objects have.
    fn keys(self) -> (Vec<String>, Vec<String>) {
        let mut keys: Vec<(usize, usize, String)> = (self.counts.into_iter())
            .map(|(key, (position, count))| (position, count, String::from_utf8_lossy(&key).into_owned()))
            .collect();
        keys.sort_unstable();
        let partial =
            keys.iter().filter(|(_, count, _)| *count < self.elements).map(|(_, _, key)| key.clone()).collect();
        (keys.into_iter().map(|(_, _, key)| key).collect(), partial)
    }
}

/// The key of an element of a list, as a JSON object of these columns. Elements are numbered from 0.
///
/// `wanted`: of which elements. At most `most` keys are returned.
pub fn row_keys(
    payload: &Payload,
    shape: &BodyKeys,
    columns: &[String],
    most: usize,
    wanted: impl Fn(usize) -> bool,
) -> Vec<(usize, Vec<u8>)> {
    let body = payload.bytes.as_deref().unwrap_or_default();
    let mut rows = Vec::new();
    let mut index = 0;
    let is_bare = shape.list.is_some_and(|list| list.bare);
    let read = json::each_element(body, shape.framing, |reader| {
        let is_wanted = rows.len() < most && wanted(index);
        index += 1;
        if !is_wanted {
            return reader.value().map(drop);
        }
        let mut values: Vec<&[u8]> = vec![b"null"; columns.len()];
        if is_bare {
            let text = reader.value_text()?;
            values.fill(text);
        } else {
            reader.open_object()?;
            while let Some(key) = reader.next_key()? {
                let key = key.unescaped();
                let text = reader.value_text()?;
                let mut values = columns.iter().zip(&mut values);
                if let Some((_, value)) = values.find(|(column, _)| column.as_bytes() == key.as_ref()) {
                    *value = text;
                }
            }
        }
        let mut object = vec![b'{'];
        for (column, value) in columns.iter().zip(values) {
            if object.len() > 1 {
                object.push(b',');
            }
            json::escape(column.as_bytes(), &mut object);
            object.push(b':');
            object.extend_from_slice(value);
        }
        object.push(b'}');
        rows.push((index - 1, object));
        Ok(())
    });
    // The body was read before.
    debug_assert!(read.is_ok());
    rows
}

/// The lines of a body as the elements of an array.
///
/// # Errors
/// PGRST102 (400) if a line is not JSON.
pub(super) fn as_array(body: &[u8]) -> Result<Vec<u8>> {
    let mut array = Vec::with_capacity(body.len() + 2);
    array.push(b'[');
    json::each_element(body, Framing::Lines, |reader| {
        let text = reader.value_text()?;
        if array.len() > 1 {
            array.push(b',');
        }
        array.extend_from_slice(text);
        Ok(())
    })
    .map_err(Error::invalid_json)?;
    array.push(b']');
    Ok(array)
}

/// Whether a media type is that of lines.
pub(super) fn framing(media: &MediaType) -> Framing {
    match media {
        MediaType::NdJson(_) => Framing::Lines,
        _ => Framing::Array,
    }
}
