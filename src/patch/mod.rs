//! Patches of JSON documents: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902). Pure.
//!
//! A document is read only where a patch goes: everything else stays the text that it was, so that numbers keep their digits and a large
//! document costs little. `tree` is such a document, `merge` and `operations` change it.

mod merge;
mod operations;
#[cfg(test)]
mod tests;
mod tree;

pub use operations::{Columns, Operations};
pub use tree::Node;

use crate::error::{Code, Error, Result};
use crate::json;

/// Why a patch does not apply to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The value at a place is not the tested one.
    Differs,
    /// There is no value at a place.
    Missing,
    /// A place is within a value that is neither object nor array.
    NoContainer,
    /// A place in an array is not an index of it.
    Index,
    /// The document would be larger than allowed.
    Size,
    /// The document is, or would be, nested deeper than [`crate::limits::JSON_DEPTH`], or breaks another limit of JSON texts.
    Json,
}

impl From<json::Error> for Problem {
    fn from(_: json::Error) -> Self {
        Problem::Json
    }
}

impl Problem {
    /// The error of the response. `operation`: the index of the operation that does not apply, and the pointers that it names.
    pub fn error(self, operation: Option<(usize, &str)>) -> Error {
        let (code, why) = match self {
            Problem::Differs => (Code::PatchConflict, "the value is not the tested one"),
            Problem::Missing => (Code::PatchConflict, "there is no value"),
            Problem::NoContainer => (Code::PatchConflict, "the value around it is neither an object nor an array"),
            Problem::Index => (Code::PatchConflict, "the array has no such index"),
            Problem::Size => (Code::BodyTooLarge, "the document would be larger than restful.max_body_bytes"),
            Problem::Json => (Code::Limit, "the document is nested too deep, or breaks another limit of JSON texts"),
        };
        let error = Error::new(code, "The patch does not apply to the row");
        match operation {
            Some((index, place)) => error
                .details(format!("Operation /{index} at {place}: {why}."))
                .hint("Read the row again, and make a new patch. Nothing was changed."),
            None => error.details(format!("In the patch, {why}.")),
        }
    }
}

/// The document after a merge patch, as a JSON text.
///
/// `most`: the limit on its size in bytes.
///
/// # Errors
/// It would be too large, or a text breaks a limit of JSON texts.
pub fn merged(document: &[u8], patch: &[u8], most: usize) -> std::result::Result<Vec<u8>, Problem> {
    let merged = merge::merge(Some(Node::Raw(document)), Node::Raw(patch))?;
    text(&merged, most)
}

/// The document after the operations of a JSON patch, as a JSON text.
///
/// `most`: the limit on its size in bytes. `tick`: called before each operation.
///
/// # Errors
/// The error of the response, which names the operation.
pub fn patched(document: &[u8], operations: &Operations, most: usize, tick: impl FnMut()) -> Result<Vec<u8>> {
    let patched = operations.apply(Node::Raw(document), most.saturating_sub(document.len()), tick)?;
    text(&patched, most).map_err(|problem| problem.error(None))
}

fn text(document: &Node, most: usize) -> std::result::Result<Vec<u8>, Problem> {
    let mut out = Vec::new();
    document.write(&mut out);
    if out.len() > most {
        return Err(Problem::Size);
    }
    Ok(out)
}

/// The members of a merge patch that are objects, and so are merged with the value that is there. The others replace it.
///
/// # Errors
/// PGRST102 (400) if it is not one JSON object, because a row cannot become another value.
pub fn merging_members(patch: &[u8]) -> Result<(Vec<String>, Vec<String>)> {
    let mut reader = json::Reader::new(patch).map_err(Error::invalid_json)?;
    if reader.kind() != Ok(json::ValueKind::Object) {
        return Err(Error::new(Code::Body, "A merge patch of a row must be a JSON object")
            .hint("Its members are columns (RFC 7396)."));
    }
    let mut read = || {
        let (mut all, mut merging) = (Vec::new(), Vec::new());
        let mut seen = json::UniqueKeys::default();
        reader.open_object()?;
        while let Some(key) = reader.next_key()? {
            if !seen.insert(key) {
                return Err(reader.duplicate_key(key));
            }
            let name = String::from_utf8_lossy(&key.unescaped()).into_owned();
            if reader.kind()? == json::ValueKind::Object {
                merging.push(name.clone());
            }
            reader.value()?;
            all.push(name);
        }
        reader.finish()?;
        Ok((all, merging))
    };
    read().map_err(Error::invalid_json)
}
