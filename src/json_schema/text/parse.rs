//! Parses a text into the tape.

use super::tape::{Document, Entry, EntryKind, tag};
use crate::json::{Error, Problem, scan_number, scan_string, unescape};
use crate::limits::JSON_TEXT_BYTES;
use std::hash::{BuildHasher, RandomState};

/// The number of members from which an object gets an index: comparing a few tags is cheaper than hashing a key.
const INDEXED_MEMBERS: u32 = 17;

/// Stands for the array or object around the outermost value.
const OUTSIDE: u32 = u32::MAX;

/// The state of an object that is not closed yet.
#[derive(Clone, Copy, Default)]
struct Open {
    /// The entry of the last key; 0 before the first.
    last_key: u32,
    /// A key occurred twice.
    repeated: bool,
    /// One bit per key, chosen by its tag. A key whose bit is not set is new.
    seen: u64,
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    tape: Vec<Entry>,
    unescaped: Vec<u8>,
    slots: Vec<u32>,
    hasher: Option<RandomState>,
    /// The objects around the innermost array or object.
    objects: Vec<Open>,
}

impl<'t> Document<'t> {
    /// Reads a JSON text (RFC 8259). White space may surround it, but nothing else.
    ///
    /// Depth, digits and exponents are unlimited: nothing here recurses, and numbers stay text. `\u0000` is allowed.
    ///
    /// # Errors
    /// The text is not JSON, not UTF-8, longer than [`JSON_TEXT_BYTES`], or holds half of a surrogate pair, which no string of
    /// Unicode characters has. The error says where.
    pub fn parse(text: &'t [u8]) -> Result<Document<'t>, Error> {
        if text.len() > JSON_TEXT_BYTES {
            return Err(Error::at(text, JSON_TEXT_BYTES, Problem::Length));
        }
        let checked = match std::str::from_utf8(text) {
            Ok(checked) => checked,
            Err(bad) => return Err(Error::at(text, bad.valid_up_to(), Problem::InvalidUtf8)),
        };
        let mut parser = Parser::new(text);
        match parser.document() {
            Ok(()) => parser.read(checked).map_err(|problem| Error::at(text, 0, problem)),
            Err((0, _)) if text.starts_with(b"\xEF\xBB\xBF") => Err(Error::at(text, 0, Problem::ByteOrderMark)),
            Err((at, problem)) => Err(Error::at(text, at, problem)),
        }
    }

    /// Reads the value that a text begins with, and ignores the rest.
    ///
    /// `text`: the rest of a text that was parsed before, starting at one of its values.
    pub(super) fn reread(text: &'t [u8]) -> Option<Document<'t>> {
        let mut parser = Parser::new(text);
        parser.value().ok()?;
        let checked = std::str::from_utf8(text.get(..parser.at)?).ok()?;
        parser.read(checked).ok()
    }
}

type Found<T> = Result<T, (usize, Problem)>;

impl<'t> Parser<'t> {
    fn new(text: &'t [u8]) -> Self {
        Parser {
            text,
            at: 0,
            tape: Vec::new(),
            unescaped: Vec::new(),
            slots: Vec::new(),
            hasher: None,
            objects: Vec::new(),
        }
    }

    /// The finished document. `text`: the checked text.
    fn read(self, text: &'t str) -> Result<Document<'t>, Problem> {
        let unescaped = String::from_utf8(self.unescaped).map_err(|_| Problem::InvalidUtf8)?;
        Ok(Document { text, unescaped, tape: self.tape, slots: self.slots, hasher: self.hasher })
    }

    /// Reads a whole text.
    fn document(&mut self) -> Found<()> {
        // A key or value every six bytes is dense for an object. For arrays of digits the tape grows.
        self.tape.reserve_exact(self.text.len() / 6 + 4);
        self.value()?;
        self.peek();
        if self.at < self.text.len() {
            return Err((self.at, Problem::Trailing));
        }
        Ok(())
    }

    /// The next byte after white space; at the end 0, which is not valid anywhere.
    #[inline(always)]
    fn peek(&mut self) -> u8 {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn expected<T>(&self, what: &'static str) -> Found<T> {
        Err((self.at, Problem::Expected(what)))
    }

    #[inline(always)]
    fn push(&mut self, entry: Entry) {
        if self.tape.len() == self.tape.capacity() {
            self.grow();
        }
        self.tape.push(entry);
    }

    /// Doubles the room for entries, up to one per remaining byte, which is the most there can be.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let left = self.text.len().saturating_sub(self.at) + 1;
        self.tape.reserve_exact(left.min(self.tape.len().max(64)));
    }

    #[inline(always)]
    fn here(&self) -> u32 {
        self.tape.len() as u32
    }

    #[inline(always)]
    fn scalar(&mut self, kind: EntryKind, start: usize, length: usize, flag: bool) {
        let next = self.here() + 1;
        self.push(Entry { start: start as u32, length: length as u32, next, tag: 0, kind, flag });
    }

    fn literal(&mut self, literal: &'static str, kind: EntryKind) -> Found<()> {
        if !self.text.get(self.at..).is_some_and(|rest| rest.starts_with(literal.as_bytes())) {
            return self.expected(literal);
        }
        self.scalar(kind, self.at, literal.len(), false);
        self.at += literal.len();
        Ok(())
    }

    /// Reads a string. Returns where its characters are: start, length, and whether they were unescaped.
    #[inline(always)]
    fn string(&mut self) -> Found<(usize, usize, bool)> {
        let start = self.at + 1;
        let (string, end) = scan_string::<true>(self.text, start)?;
        self.at = end;
        if string.escaped { Ok(self.unescape(string.raw)) } else { Ok((start, string.raw.len(), false)) }
    }

    #[inline(never)]
    fn unescape(&mut self, raw: &[u8]) -> (usize, usize, bool) {
        let start = self.unescaped.len();
        self.unescaped.resize(start + raw.len(), 0);
        let length = unescape(raw, self.unescaped.get_mut(start..).unwrap_or_default());
        self.unescaped.truncate(start + length);
        (start, length, true)
    }

    /// Reads a value with everything in it.
    fn value(&mut self) -> Found<()> {
        // The array or object being read, and its state if it is an object.
        let mut around = OUTSIDE;
        let mut in_object = false;
        let mut open = Open::default();
        loop {
            match self.peek() {
                b'"' => {
                    let (start, length, flag) = self.string()?;
                    self.scalar(EntryKind::String, start, length, flag);
                }
                b'-' | b'0'..=b'9' => {
                    let (number, end) = scan_number(self.text, self.at)?;
                    let kind = if number.integer { EntryKind::Integer } else { EntryKind::Decimal };
                    self.scalar(kind, self.at, number.text.len(), false);
                    self.at = end;
                }
                b't' => self.literal("true", EntryKind::True)?,
                b'f' => self.literal("false", EntryKind::False)?,
                b'n' => self.literal("null", EntryKind::Null)?,
                bracket @ (b'[' | b'{') => {
                    if in_object {
                        self.objects.push(open);
                    }
                    in_object = bracket == b'{';
                    let kind = if in_object { EntryKind::Object } else { EntryKind::Array };
                    let here = self.here();
                    // Until it is closed, `next` is the enclosing array or object.
                    self.push(Entry { start: self.at as u32, length: 0, next: around, tag: 0, kind, flag: false });
                    around = here;
                    self.at += 1;
                    let first = self.peek();
                    if in_object && first != b'}' {
                        open = Open::default();
                        self.key(around, &mut open)?;
                        continue;
                    }
                    if !in_object && first != b']' {
                        self.count(around);
                        continue;
                    }
                    open = Open::default();
                }
                _ => return self.expected("a value"),
            }
            // After a value: read the next one, or close the enclosing array or object, and those around that.
            loop {
                if around == OUTSIDE {
                    return Ok(());
                }
                match (self.peek(), in_object) {
                    (b',', true) => {
                        self.at += 1;
                        self.peek();
                        self.key(around, &mut open)?;
                        break;
                    }
                    (b',', false) => {
                        self.at += 1;
                        self.count(around);
                        break;
                    }
                    (b'}', true) => self.finish_object(around, &open),
                    (b']', false) => {}
                    (_, true) => return self.expected("',' or '}'"),
                    (_, false) => return self.expected("',' or ']'"),
                }
                self.at += 1;
                let next = self.here();
                around = match self.tape.get_mut(around as usize) {
                    Some(entry) => std::mem::replace(&mut entry.next, next),
                    None => OUTSIDE,
                };
                in_object = self.tape.get(around as usize).is_some_and(|entry| entry.kind == EntryKind::Object);
                if in_object {
                    open = self.objects.pop().unwrap_or_default();
                }
            }
        }
    }

    /// Counts an element or member.
    #[inline(always)]
    fn count(&mut self, around: u32) {
        if let Some(entry) = self.tape.get_mut(around as usize) {
            entry.length += 1;
        }
    }

    /// Reads a key and the colon after it.
    #[inline(always)]
    fn key(&mut self, object: u32, open: &mut Open) -> Found<()> {
        if self.text.get(self.at) != Some(&b'"') {
            return self.expected("'\"' to begin a key");
        }
        let (start, length, flag) = self.string()?;
        let here = self.here();
        let key = Entry { start: start as u32, length: length as u32, next: 0, tag: 0, kind: EntryKind::String, flag };
        let tag = tag(self.characters(&key));
        let key = Entry { tag, ..key };
        let bit = 1 << (tag & 63);
        if open.seen & bit != 0 && !open.repeated {
            open.repeated = self.repeats(object, &key);
        }
        open.seen |= bit;
        if let Some(last) = self.tape.get_mut(open.last_key as usize)
            && open.last_key != 0
        {
            last.next = here;
        }
        open.last_key = here;
        self.push(key);
        self.count(object);
        if self.peek() != b':' {
            return self.expected("':'");
        }
        self.at += 1;
        Ok(())
    }

    #[inline(always)]
    fn characters(&self, entry: &Entry) -> &[u8] {
        let source = if entry.flag { self.unescaped.as_slice() } else { self.text };
        let start = entry.start as usize;
        source.get(start..start + entry.length as usize).unwrap_or_default()
    }

    fn same_key(&self, one: &Entry, other: &Entry) -> bool {
        one.tag == other.tag && one.length == other.length && self.characters(one) == self.characters(other)
    }

    /// Whether a small object that is being read already has the key. For a large one the index tells.
    #[inline(never)]
    fn repeats(&self, object: u32, key: &Entry) -> bool {
        let count = self.tape.get(object as usize).map_or(0, |entry| entry.length);
        if count >= INDEXED_MEMBERS {
            return false;
        }
        let mut at = object + 1;
        for _ in 0..count {
            let Some(earlier) = self.tape.get(at as usize) else { return false };
            if self.same_key(earlier, key) {
                return true;
            }
            at = earlier.next;
        }
        false
    }

    /// Indexes the members of a large object, and merges members with the same key.
    #[inline(always)]
    fn finish_object(&mut self, object: u32, open: &Open) {
        let count = self.tape.get(object as usize).map_or(0, |entry| entry.length);
        if count >= INDEXED_MEMBERS || open.repeated {
            self.index(object, count);
        }
    }

    #[inline(never)]
    fn index(&mut self, object: u32, count: u32) {
        let hasher = self.hasher.get_or_insert_default().clone();
        let start = self.slots.len();
        // At most half of the slots are taken.
        let size = (count as usize * 2).next_power_of_two();
        self.slots.resize(start + size, 0);
        let mut kept = 0;
        let mut last_kept = object;
        let mut key = object + 1;
        for _ in 0..count {
            let Some(&entry) = self.tape.get(key as usize) else { break };
            let mut place = hasher.hash_one(self.characters(&entry)) as usize & (size - 1);
            while let Some(slot) = self.slots.get_mut(start + place) {
                let taken = *slot;
                if taken == 0 {
                    *slot = key;
                    kept += 1;
                    last_kept = key;
                    break;
                }
                if self.tape.get(taken as usize).is_some_and(|earlier| self.same_key(earlier, &entry)) {
                    // The first member keeps its place and takes this value.
                    if let Some(value) = self.tape.get_mut(taken as usize + 1) {
                        *value = Entry { start: key + 1, kind: EntryKind::Moved, ..*value };
                    }
                    if let Some(before) = self.tape.get_mut(last_kept as usize) {
                        before.next = entry.next;
                    }
                    break;
                }
                place = (place + 1) & (size - 1);
            }
            key = entry.next;
        }
        if let Some(entry) = self.tape.get_mut(object as usize) {
            entry.length = kept;
            entry.flag = true;
        }
        // One past the last member, where `Document::find` expects it.
        self.push(Entry {
            start: start as u32,
            length: size as u32,
            next: 0,
            tag: 0,
            kind: EntryKind::Index,
            flag: false,
        });
    }
}
