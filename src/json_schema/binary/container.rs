//! Finds the children of a container.

use crate::json_schema::Watch;
use crate::values::jsonb_layout::*;
use std::slice::Iter;

/// A header or an entry.
type Word = [u8; 4];

/// In objects with up to this many members, keys are searched one by one. They have no offsets to jump to.
const SCANNED: usize = 32;

/// The bytes of a value without padding, and its type (one of the types of an entry).
#[derive(Clone, Copy)]
pub(super) struct Child<'a> {
    pub data: &'a [u8],
    pub kind: u32,
}

/// The header of a container.
#[inline(always)]
pub(super) fn header(container: &[u8]) -> u32 {
    container.first_chunk().map_or(ARRAY, |word| u32::from_ne_bytes(*word))
}

/// An array: its entries, and the bytes that they describe.
#[derive(Clone, Copy)]
pub(super) struct Array<'a> {
    entries: &'a [Word],
    body: &'a [u8],
}

/// An object: the entries of its keys, the entries of its values, and the bytes that they describe. All keys come first, ordered by
/// length and then by bytes, followed by all values.
#[derive(Clone, Copy)]
pub(super) struct Object<'a> {
    keys: &'a [Word],
    values: &'a [Word],
    body: &'a [u8],
}

/// The first `count` words of some bytes, and the rest.
#[inline(always)]
fn words(bytes: &[u8], count: usize) -> Option<(&[Word], &[u8])> {
    let (words, rest) = bytes.split_at_checked(count * 4)?;
    Some((words.as_chunks().0, rest))
}

impl<'a> Array<'a> {
    /// `container`: the bytes of an array, starting at its header.
    #[inline(always)]
    pub fn read<W: Watch>(container: &'a [u8]) -> Self {
        let read = || {
            let (word, rest) = container.split_first_chunk()?;
            let (entries, body) = words(rest, (u32::from_ne_bytes(*word) & COUNT) as usize)?;
            Some(Array { entries, body })
        };
        read().unwrap_or_else(|| {
            W::malformed();
            Array { entries: &[], body: &[] }
        })
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    #[inline(always)]
    pub fn children(&self) -> Children<'a> {
        Children { entries: self.entries.iter(), body: self.body, at: 0 }
    }
}

impl<'a> Object<'a> {
    /// `container`: the bytes of an object, starting at its header.
    #[inline(always)]
    pub fn read<W: Watch>(container: &'a [u8]) -> Self {
        let read = || {
            let (word, rest) = container.split_first_chunk()?;
            let count = (u32::from_ne_bytes(*word) & COUNT) as usize;
            let (keys, rest) = words(rest, count)?;
            let (values, body) = words(rest, count)?;
            Some(Object { keys, values, body })
        };
        read().unwrap_or_else(|| {
            W::malformed();
            Object { keys: &[], values: &[], body: &[] }
        })
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline(always)]
    pub fn keys(&self) -> Children<'a> {
        Children { entries: self.keys.iter(), body: self.body, at: 0 }
    }

    #[inline(always)]
    pub fn values(&self) -> Children<'a> {
        Children { entries: self.values.iter(), body: self.body, at: end_of(self.keys, 0) }
    }

    /// The value of a key.
    #[inline(always)]
    pub fn get<W: Watch>(&self, key: &[u8]) -> Option<Child<'a>> {
        if self.keys.len() > SCANNED {
            return self.search::<W>(key);
        }
        let mut at = 0;
        for (index, word) in self.keys.iter().enumerate() {
            let end = end(word, at);
            let length = end.wrapping_sub(at);
            if length >= key.len() {
                if length > key.len() {
                    return None;
                }
                let Some(candidate) = self.body.get(at..end) else {
                    W::malformed();
                    return None;
                };
                if candidate == key {
                    return self.value::<W>(index, end);
                }
            }
            at = end;
        }
        None
    }

    #[inline(never)]
    fn search<W: Watch>(&self, key: &[u8]) -> Option<Child<'a>> {
        let (mut low, mut high) = (0, self.keys.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            let (before, from) = self.keys.split_at_checked(middle)?;
            let at = end_of(before, 0);
            let end = end(from.first()?, at);
            let Some(candidate) = self.body.get(at..end) else {
                W::malformed();
                return None;
            };
            match candidate.len().cmp(&key.len()).then_with(|| candidate.cmp(key)) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.value::<W>(middle, end),
            }
        }
        None
    }

    /// The value at `index`. `end`: where its key ends.
    #[inline(always)]
    fn value<W: Watch>(&self, index: usize, end: usize) -> Option<Child<'a>> {
        let start = end_of(self.keys.get(index + 1..)?, end);
        let (before, from) = self.values.split_at_checked(index)?;
        child::<W>(from.first()?, self.body, end_of(before, start)).map(|(child, _)| child)
    }
}

/// Iterates over children in order.
#[derive(Clone)]
pub(super) struct Children<'a> {
    entries: Iter<'a, Word>,
    body: &'a [u8],
    /// Where the next child begins, before its padding.
    at: usize,
}

impl<'a> Children<'a> {
    #[inline(always)]
    pub fn next<W: Watch>(&mut self) -> Option<Child<'a>> {
        let (child, end) = child::<W>(self.entries.next()?, self.body, self.at)?;
        self.at = end;
        Some(child)
    }

    /// The next child, if the children are the keys of an object.
    #[inline(always)]
    pub fn next_key<W: Watch>(&mut self) -> Option<&'a [u8]> {
        let end = end(self.entries.next()?, self.at);
        let Some(key) = self.body.get(self.at..end) else {
            W::malformed();
            return None;
        };
        self.at = end;
        Some(key)
    }

    #[inline(always)]
    pub fn left(&self) -> usize {
        self.entries.len()
    }
}

/// Where the child of an entry ends if it begins at `at`.
#[inline(always)]
fn end(word: &Word, at: usize) -> usize {
    let entry = u32::from_ne_bytes(*word);
    let number = (entry & LENGTH) as usize;
    if entry & HAS_OFFSET != 0 { number } else { at.wrapping_add(number) }
}

/// Where the last child of these entries ends if the first begins at `at`.
#[inline(always)]
fn end_of(entries: &[Word], at: usize) -> usize {
    let mut length = 0usize;
    for word in entries.iter().rev() {
        let entry = u32::from_ne_bytes(*word);
        length = length.wrapping_add((entry & LENGTH) as usize);
        if entry & HAS_OFFSET != 0 {
            return length;
        }
    }
    at.wrapping_add(length)
}

/// The child of an entry if it begins at `at`, and where it ends.
#[inline(always)]
fn child<'a, W: Watch>(word: &'a Word, body: &'a [u8], at: usize) -> Option<(Child<'a>, usize)> {
    let kind = u32::from_ne_bytes(*word) & TYPE;
    let end = end(word, at);
    let start = if kind == NUMERIC || kind == CONTAINER { at.wrapping_add(3) & !3 } else { at };
    let (Some(mut data), ..=CONTAINER) = (body.get(start..end), kind) else {
        W::malformed();
        return None;
    };
    if data.is_empty() {
        // The place of its entry is an address that no other child has.
        data = word.get(..0).unwrap_or_default();
    }
    Some((Child { data, kind }, end))
}
