//! The tape: one entry per key and value, in the order of the text.

use std::hash::{BuildHasher, RandomState};

/// The kind of an [`Entry`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    Null,
    False,
    True,
    /// A number without a fraction and an exponent.
    Integer,
    /// Any other number.
    Decimal,
    /// A string or a key.
    String,
    Array,
    Object,
    /// The value of a repeated key. It stands for the value at `start`.
    Moved,
    /// The index that follows the members of a large object: `length` slots from `start` on.
    Index,
}

/// A value, or the key before it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Strings and numbers: where the characters begin. Arrays and objects: the position of the bracket in the text.
    pub start: u32,
    /// Strings and numbers: the length in bytes. Arrays and objects: the number of elements or members.
    pub length: u32,
    /// Keys: the entry of the next key. Values: the entry after the value with everything in it.
    pub next: u32,
    /// Keys: [`tag`].
    pub tag: u16,
    pub kind: EntryKind,
    /// Strings: the characters are in [`Document::unescaped`]. Objects: an index follows the members.
    pub flag: bool,
}

/// Stands for an entry that does not exist.
const NOTHING: Entry = Entry { start: 0, length: 0, next: 0, tag: 0, kind: EntryKind::Null, flag: false };

/// Sixteen bits of a key, which distinguish most keys of the same length without reading the text.
#[inline]
pub(super) fn tag(key: &[u8]) -> u16 {
    let word = match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
        (Some(first), Some(last)) => u32::from_le_bytes(*first) ^ u32::from_le_bytes(*last).rotate_left(13),
        _ => key.iter().fold(0, |word, &byte| word << 8 | u32::from(byte)),
    };
    ((word ^ key.len() as u32).wrapping_mul(0x9E37_79B1) >> 16) as u16
}

/// A JSON text that was read.
///
/// It takes at most 16 bytes for each byte of the text, and up to 32 while it is built; the worst case is `[[[[`. Ordinary texts
/// take one to two bytes per byte.
#[derive(Debug, Default)]
pub struct Document<'t> {
    pub(super) text: &'t str,
    pub(super) unescaped: String,
    pub(super) tape: Vec<Entry>,
    /// Hash tables of large objects. A slot holds the entry of a key; 0 marks a free slot.
    pub(super) slots: Vec<u32>,
    /// Hashes the keys of large objects. It is keyed, so that an attacker cannot choose keys that collide.
    pub(super) hasher: Option<RandomState>,
}

impl<'t> Document<'t> {
    #[inline(always)]
    pub(super) fn entry(&self, at: u32) -> &Entry {
        self.tape.get(at as usize).unwrap_or(&NOTHING)
    }

    /// The characters of a string, a key or a number.
    #[inline(always)]
    pub(super) fn characters(&self, entry: &Entry) -> &str {
        let source = if entry.flag { self.unescaped.as_str() } else { self.text };
        let start = entry.start as usize;
        source.get(start..start + entry.length as usize).unwrap_or_default()
    }

    /// Elements or members of the array or object at `at`.
    #[inline]
    pub(super) fn children(&self, at: u32) -> Children<'_> {
        let entry = self.entry(at);
        let left = if matches!(entry.kind, EntryKind::Array | EntryKind::Object) { entry.length } else { 0 };
        Children { document: self, next: at + 1, left, keyed: entry.kind == EntryKind::Object }
    }

    /// The value after the key at `key`.
    #[inline(always)]
    pub(super) fn value_of(&self, key: u32) -> u32 {
        let entry = self.entry(key + 1);
        if entry.kind == EntryKind::Moved { entry.start } else { key + 1 }
    }

    /// The value of a key in the object at `at`. `tag`: the tag of the key.
    #[inline]
    pub(super) fn find(&self, at: u32, key: &str, tag: u16) -> Option<u32> {
        let object = self.entry(at);
        if object.flag {
            return self.find_indexed(object, key, tag);
        }
        let mut candidate = at + 1;
        for _ in 0..object.length {
            let entry = self.entry(candidate);
            if self.is_key(entry, key, tag) {
                return Some(self.value_of(candidate));
            }
            candidate = entry.next;
        }
        None
    }

    #[inline(always)]
    fn is_key(&self, entry: &Entry, key: &str, tag: u16) -> bool {
        entry.tag == tag && entry.length as usize == key.len() && self.characters(entry) == key
    }

    #[inline(never)]
    fn find_indexed(&self, object: &Entry, key: &str, tag: u16) -> Option<u32> {
        let index = self.entry(object.next.wrapping_sub(1));
        let start = index.start as usize;
        let slots = self.slots.get(start..start + index.length as usize)?;
        let mask = slots.len().wrapping_sub(1);
        let mut place = self.hasher.as_ref()?.hash_one(key.as_bytes()) as usize & mask;
        loop {
            let candidate = *slots.get(place)?;
            if candidate == 0 {
                return None;
            }
            if self.is_key(self.entry(candidate), key, tag) {
                return Some(self.value_of(candidate));
            }
            place = (place + 1) & mask;
        }
    }
}

/// Iterates over the elements of an array or the members of an object.
#[derive(Clone)]
pub(super) struct Children<'a> {
    pub document: &'a Document<'a>,
    next: u32,
    left: u32,
    keyed: bool,
}

impl<'a> Children<'a> {
    pub fn none(document: &'a Document<'a>) -> Self {
        Children { document, next: 0, left: 0, keyed: false }
    }
}

impl Iterator for Children<'_> {
    /// The key, or 0 in an array; and the value.
    type Item = (u32, u32);

    #[inline(always)]
    fn next(&mut self) -> Option<(u32, u32)> {
        self.left = self.left.checked_sub(1)?;
        let at = self.next;
        self.next = self.document.entry(at).next;
        Some(if self.keyed { (at, self.document.value_of(at)) } else { (0, at) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}
