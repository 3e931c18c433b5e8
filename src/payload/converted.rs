//! Bodies that are not JSON, as JSON.

use crate::error::{Code, Error, Result};

/// A CSV or form body, converted to JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    pub json: Vec<u8>,
    /// The keys that every object has, in order.
    pub keys: Vec<String>,
    /// The number of objects.
    pub rows: usize,
}

/// JSON under construction. All its objects have the same keys.
pub(super) struct Json {
    out: Vec<u8>,
    most: usize,
    /// Each key with its punctuation: `"key":`
    keys: Vec<Vec<u8>>,
}

impl Json {
    /// `expected`: the size of the body in bytes; `most`: the limit on the JSON, in bytes.
    pub(super) fn new(expected: usize, most: usize, keys: &[String]) -> Self {
        let key = |key: &String| {
            let mut out = Vec::with_capacity(key.len() + 3);
            crate::json::escape(key.as_bytes(), &mut out);
            out.push(b':');
            out
        };
        Json {
            out: Vec::with_capacity(expected.saturating_mul(2).min(most)),
            most,
            keys: keys.iter().map(key).collect(),
        }
    }

    pub(super) fn open_array(&mut self) {
        self.out.push(b'[');
    }

    pub(super) fn close_array(&mut self) {
        self.out.push(b']');
    }

    pub(super) fn open_object(&mut self, further: bool) {
        self.out.extend_from_slice(if further { b",{" } else { b"{" });
    }

    pub(super) fn close_object(&mut self) {
        self.out.push(b'}');
    }

    /// Adds a key and its value: a string, or null.
    pub(super) fn member(&mut self, key: usize, value: Option<&Vec<u8>>) -> Result<()> {
        if key > 0 {
            self.out.push(b',');
        }
        self.out.extend_from_slice(self.keys.get(key).map_or(&[], Vec::as_slice));
        match value {
            Some(text) => crate::json::escape(text, &mut self.out),
            None => self.out.extend_from_slice(b"null"),
        }
        if self.out.len() > self.most {
            return Err(Error::new(
                Code::BodyTooLarge,
                format!("The body is larger than {} bytes when it is converted to JSON", self.most),
            )
            .hint("Send it in parts, or raise restful.max_body_bytes."));
        }
        Ok(())
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.out
    }
}
