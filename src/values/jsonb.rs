//! Converts JSON to the bytes of a `jsonb` value (on-disk format: src/include/utils/jsonb.h; written by `convertToJsonb` in
//! src/backend/utils/adt/jsonb_util.c). The result is identical, byte for byte, to what `jsonb_in` makes of the same text.

use super::jsonb_layout::*;
use super::numeric::parse_decimal;
use crate::json::{Error, Reader, Text, Value, ValueKind, unescape};
use std::cmp::Reverse;

/// Every entry in this many holds an offset instead of a length, so that a reader can find a value without adding up all lengths.
const OFFSET_STRIDE: usize = 32;

/// A value, in the order of the text. The keys and values of an object alternate.
#[derive(Clone, Copy)]
enum Node<'a> {
    Null,
    Bool(bool),
    Number(&'a [u8]),
    String(Text<'a>),
    /// Index of the node after the last one inside.
    Array(usize),
    Object(usize),
}

/// The place of an object's key, and the node of its value.
#[derive(Clone, Copy)]
struct Member {
    /// Index into `keys`.
    start: usize,
    length: usize,
    value: usize,
}

/// Builds `jsonb` values, and reuses its buffers.
#[derive(Default)]
pub struct Builder<'a> {
    nodes: Vec<Node<'a>>,
    members: Vec<Member>,
    keys: Vec<u8>,
    digits: Vec<u16>,
    out: Vec<u8>,
}

impl<'a> Builder<'a> {
    /// Reads the next value of `reader` and returns it as a `jsonb` varlena with a four-byte header.
    ///
    /// The text must not be longer than [`crate::limits::JSONB_BUILD_BYTES`], so that no length overflows. Recursion is as deep as
    /// the value, which the reader limits.
    ///
    /// # Errors
    /// The value is not valid JSON, or exceeds a limit of the reader.
    pub fn build(&mut self, reader: &mut Reader<'a>) -> Result<&[u8], Error> {
        self.nodes.clear();
        self.keys.clear();
        self.members.clear();
        self.out.clear();
        self.out.extend_from_slice(&[0; 4]);
        self.read(reader)?;
        match self.nodes.first() {
            Some(Node::Array(_) | Node::Object(_)) => {
                self.write(0);
            }
            // A scalar is an array of one element with a flag.
            _ => {
                self.put(ARRAY | SCALAR | 1);
                let mut entries = Entries::new(self.reserve(1));
                let entry = self.write(0);
                entries.add(self, entry);
            }
        }
        let size = self.out.len() as u32;
        self.set(0, if cfg!(target_endian = "little") { size << 2 } else { size });
        Ok(&self.out)
    }

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Error> {
        let at = self.nodes.len();
        match reader.kind()? {
            ValueKind::Array => {
                self.nodes.push(Node::Null);
                reader.open_array()?;
                while reader.next_element()? {
                    self.read(reader)?;
                }
                let end = self.nodes.len();
                self.replace(at, Node::Array(end));
            }
            ValueKind::Object => {
                self.nodes.push(Node::Null);
                reader.open_object()?;
                while let Some(key) = reader.next_key()? {
                    self.nodes.push(Node::String(key));
                    self.read(reader)?;
                }
                let end = self.nodes.len();
                self.replace(at, Node::Object(end));
            }
            _ => {
                let node = match reader.value()? {
                    Value::Bool(value) => Node::Bool(value),
                    Value::Number(number) => Node::Number(number.text),
                    Value::String(text) => Node::String(text),
                    _ => Node::Null,
                };
                self.nodes.push(node);
            }
        }
        Ok(())
    }

    fn replace(&mut self, at: usize, node: Node<'a>) {
        if let Some(place) = self.nodes.get_mut(at) {
            *place = node;
        }
    }

    fn put(&mut self, word: u32) {
        self.out.extend_from_slice(&word.to_ne_bytes());
    }

    fn set(&mut self, at: usize, word: u32) {
        if let Some(place) = self.out.get_mut(at..at + 4) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
    }

    fn reserve(&mut self, entries: usize) -> usize {
        let at = self.out.len();
        self.out.resize(at + 4 * entries, 0);
        at
    }

    fn pad(&mut self) {
        self.out.resize(self.out.len().next_multiple_of(4), 0);
    }

    /// The node after this value and everything in it.
    fn after(&self, at: usize) -> usize {
        match self.nodes.get(at) {
            Some(&(Node::Array(end) | Node::Object(end))) => end,
            _ => at + 1,
        }
    }

    /// Writes a value and returns its entry, whose length includes the padding before it.
    fn write(&mut self, at: usize) -> u32 {
        let start = self.out.len();
        let kind = match self.nodes.get(at).copied() {
            None | Some(Node::Null) => NULL,
            Some(Node::Bool(value)) => {
                if value {
                    TRUE
                } else {
                    FALSE
                }
            }
            Some(Node::String(text)) => {
                append_text(text, &mut self.out);
                STRING
            }
            Some(Node::Number(text)) => {
                self.pad();
                if let Some(decimal) = parse_decimal(text, &mut self.digits) {
                    decimal.write(&self.digits, &mut self.out);
                }
                NUMERIC
            }
            Some(Node::Array(end)) => {
                self.pad();
                self.write_array(at + 1, end);
                CONTAINER
            }
            Some(Node::Object(end)) => {
                self.pad();
                self.write_object(at + 1, end);
                CONTAINER
            }
        };
        kind | (self.out.len() - start) as u32
    }

    fn write_array(&mut self, first: usize, end: usize) {
        let mut count = 0;
        let mut at = first;
        while at < end {
            at = self.after(at);
            count += 1;
        }
        self.put(ARRAY | count as u32);
        let mut entries = Entries::new(self.reserve(count));
        let mut at = first;
        while at < end {
            let entry = self.write(at);
            entries.add(self, entry);
            at = self.after(at);
        }
    }

    fn write_object(&mut self, first: usize, end: usize) {
        // The members of this object follow those of the enclosing objects, and so do its keys.
        let (base, keys_base) = (self.members.len(), self.keys.len());
        let mut at = first;
        while at < end {
            if let Some(&Node::String(key)) = self.nodes.get(at) {
                let start = self.keys.len();
                append_text(key, &mut self.keys);
                self.members.push(Member { start, length: self.keys.len() - start, value: at + 1 });
            }
            at = self.after(at + 1);
        }
        // Keys are ordered by length, then by bytes. Of equal keys, the last one in the text is kept.
        let keys = &self.keys;
        let key = |member: &Member| keys.get(member.start..member.start + member.length).unwrap_or_default();
        if let Some(members) = self.members.get_mut(base..) {
            members.sort_unstable_by(|a, b| {
                let by_key = a.length.cmp(&b.length).then_with(|| key(a).cmp(key(b)));
                by_key.then(Reverse(a.value).cmp(&Reverse(b.value)))
            });
        }
        let mut kept = base;
        for index in base..self.members.len() {
            let Some(&member) = self.members.get(index) else { break };
            let repeated = kept > base && self.members.get(kept - 1).is_some_and(|last| key(last) == key(&member));
            if !repeated && let Some(place) = self.members.get_mut(kept) {
                *place = member;
                kept += 1;
            }
        }
        self.members.truncate(kept);

        let count = kept - base;
        self.put(OBJECT | count as u32);
        let mut entries = Entries::new(self.reserve(2 * count));
        for index in base..kept {
            let Some(&Member { start, length, .. }) = self.members.get(index) else { break };
            self.out.extend_from_slice(self.keys.get(start..start + length).unwrap_or_default());
            entries.add(self, STRING | length as u32);
        }
        for index in base..kept {
            let Some(&Member { value, .. }) = self.members.get(index) else { break };
            let entry = self.write(value);
            entries.add(self, entry);
        }
        self.members.truncate(base);
        self.keys.truncate(keys_base);
    }
}

/// The entries of one container. They are reserved first, and filled as the values are written.
struct Entries {
    next: usize,
    count: usize,
    total: u32,
}

impl Entries {
    fn new(at: usize) -> Self {
        Entries { next: at, count: 0, total: 0 }
    }

    fn add(&mut self, builder: &mut Builder<'_>, entry: u32) {
        self.total += entry & LENGTH;
        let entry =
            if self.count.is_multiple_of(OFFSET_STRIDE) { entry & TYPE | self.total | HAS_OFFSET } else { entry };
        builder.set(self.next, entry);
        self.next += 4;
        self.count += 1;
    }
}

fn append_text(text: Text<'_>, out: &mut Vec<u8>) {
    if !text.escaped {
        return out.extend_from_slice(text.raw);
    }
    let start = out.len();
    out.resize(start + text.raw.len(), 0);
    let length = unescape(text.raw, out.get_mut(start..).unwrap_or_default());
    out.truncate(start + length);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(text: &str) -> Vec<u8> {
        Builder::default().build(&mut Reader::new(text.as_bytes()).unwrap()).unwrap().to_vec()
    }

    fn words(text: &str) -> Vec<u32> {
        build(text).chunks(4).skip(1).map(|word| u32::from_ne_bytes(word.try_into().unwrap())).collect()
    }

    // The property test against a server compares the bytes of random documents; these tests show the format.
    #[test]
    fn scalars_and_empty_containers() {
        assert_eq!(words("true"), [ARRAY | SCALAR | 1, TRUE | HAS_OFFSET]);
        assert_eq!(words("null"), [ARRAY | SCALAR | 1, NULL | HAS_OFFSET]);
        assert_eq!(words("[]"), [ARRAY]);
        assert_eq!(words("{}"), [OBJECT]);
        assert_eq!(words(r#""abcd""#)[..2], [ARRAY | SCALAR | 1, STRING | HAS_OFFSET | 4]);
    }

    #[test]
    fn keys_are_sorted_and_the_last_of_equal_ones_stays() {
        assert_eq!(build(r#"{"bb":1,"a":2,"\u0061":3,"b":true}"#), build(r#"{"b":true,"bb":1,"a":3}"#));
        assert_ne!(build(r#"{"a":1,"a":2}"#), build(r#"{"a":1}"#));
    }

    #[test]
    fn a_value_is_padded_and_the_padding_counts() {
        // 1 byte of text, 3 of padding, 8 of numeric.
        assert_eq!(words(r#"["a",1]"#)[..3], [ARRAY | 2, STRING | HAS_OFFSET | 1, NUMERIC | 11]);
    }
}
