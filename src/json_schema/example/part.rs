//! A schema within its document.

use serde_json::Value;

/// A schema and the document in which its references are looked up.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The schema.
    pub schema: &'a Value,
    /// The document that contains it.
    pub root: &'a Value,
}

impl<'a> Part<'a> {
    /// A whole document.
    pub fn document(root: &'a Value) -> Self {
        Self { schema: root, root }
    }

    pub(super) fn within(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }

    pub(super) fn get(self, keyword: &str) -> Option<&'a Value> {
        self.schema.get(keyword)
    }

    pub(super) fn object(self, keyword: &str) -> impl Iterator<Item = (&'a String, Part<'a>)> {
        self.get(keyword)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(move |(key, schema)| (key, self.within(schema)))
    }

    pub(super) fn list(self, keyword: &str) -> impl Iterator<Item = Part<'a>> {
        self.get(keyword).and_then(Value::as_array).into_iter().flatten().map(move |schema| self.within(schema))
    }

    /// The target of a reference within the document. References to other documents are not followed.
    pub(super) fn follow(self) -> Option<Part<'a>> {
        let reference =
            ["$ref", "$dynamicRef", "$recursiveRef"].iter().find_map(|keyword| self.get(keyword))?.as_str()?;
        let fragment = reference.strip_prefix('#')?;
        let pointer = percent_decoded(fragment);
        self.root.pointer(&pointer).map(|schema| self.within(schema))
    }
}

/// Decodes the percent-encoding (RFC 3986, section 2.1) of a fragment.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
