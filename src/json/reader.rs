//! The pull reader.

use super::error::{Error, Problem};
use super::number::{self, Number};
use super::string::{self, Text};
use crate::limits::JSON_DEPTH;

/// The problem of a value that does not end in its line.
const IN_ONE_LINE: Problem = Problem::Expected("the value to end in this line");

// `skip_container` keeps one bit per level.
const _: () = assert!(JSON_DEPTH <= 64);

/// The kind of a value, which its first byte determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

/// A value that was read and checked. Nothing is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number<'a>),
    String(Text<'a>),
    /// The text from `[` to `]`.
    Array(&'a [u8]),
    /// The text from `{` to `}`.
    Object(&'a [u8]),
}

/// Reads a JSON text from front to back.
/// [`Reader::lines`] reads a sequence of JSON texts, one in each line (NDJSON). [`Reader::next_line`] goes to each.
///
/// A caller asks for what it expects: [`Reader::open_array`], and then [`Reader::next_element`] before each element;
/// [`Reader::open_object`], and then [`Reader::next_key`] before each member's value; [`Reader::value`] for a whole value; and
/// [`Reader::finish`] at the end.
pub struct Reader<'a> {
    body: &'a [u8],
    at: usize,
    /// The number of open arrays and objects.
    depth: usize,
    /// An array or object was just opened, so no comma comes before its next part.
    opened: bool,
    /// Each line is a JSON text, and the current one begins here.
    line: Option<usize>,
}

impl<'a> Reader<'a> {
    /// A reader of `body`, which is checked to be UTF-8 without a byte order mark.
    ///
    /// # Errors
    /// The body is not UTF-8.
    pub fn new(body: &'a [u8]) -> Result<Self, Error> {
        match std::str::from_utf8(body) {
            Ok(_) => Ok(Self::unchecked(body)),
            Err(bad) => Err(Error::at(body, bad.valid_up_to(), Problem::InvalidUtf8)),
        }
    }

    /// A reader of a body whose UTF-8 the caller checks.
    pub(super) fn unchecked(body: &'a [u8]) -> Self {
        Reader { body, at: 0, depth: 0, opened: false, line: None }
    }

    /// A reader of lines, each of which is a JSON text (<https://github.com/ndjson/ndjson-spec>). Empty lines are skipped.
    ///
    /// # Errors
    /// The body is not UTF-8.
    pub fn lines(body: &'a [u8]) -> Result<Self, Error> {
        Ok(Reader { line: Some(0), ..Self::new(body)? })
    }

    /// A reader of lines whose UTF-8 the caller checks.
    pub(super) fn unchecked_lines(body: &'a [u8]) -> Self {
        Reader { line: Some(0), ..Self::unchecked(body) }
    }

    /// Goes to the next line that is not empty. Returns false at the end.
    ///
    /// # Errors
    /// The value before is not the only one in its line, or does not end in it.
    pub fn next_line(&mut self) -> Result<bool, Error> {
        if self.at > 0 {
            if let Some(end) = self.end_of_line(self.at) {
                return Err(Error::at(self.body, end, IN_ONE_LINE));
            }
            while matches!(self.body.get(self.at), Some(b' ' | b'\r' | b'\t')) {
                self.at += 1;
            }
            if !matches!(self.body.get(self.at), Some(b'\n') | None) {
                return Err(self.unexpected("the end of the line"));
            }
        }
        self.peek();
        self.line = Some(self.at);
        Ok(self.at < self.body.len())
    }

    /// The end of the current line, if it is before `at` and lines are read.
    fn end_of_line(&self, at: usize) -> Option<usize> {
        let start = self.line?;
        memchr::memchr(b'\n', self.body.get(start..at)?).map(|length| start + length)
    }

    /// The number of the line that is being read, from 1.
    pub fn line_number(&self) -> usize {
        memchr::memchr_iter(b'\n', self.body.get(..self.at).unwrap_or_default()).count() + 1
    }

    /// Bytes read so far.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Length of the whole text in bytes.
    pub fn length(&self) -> usize {
        self.body.len()
    }

    #[cold]
    #[inline(never)]
    fn error(&self, at: usize, problem: Problem) -> Error {
        if at == 0 && self.body.starts_with(b"\xEF\xBB\xBF") {
            return Error::at(self.body, 0, Problem::ByteOrderMark);
        }
        if let Some(end) = self.end_of_line(at) {
            return Error::at(self.body, end, IN_ONE_LINE);
        }
        Error::at(self.body, at, problem)
    }

    /// The error for a `key` that occurs again in its object.
    pub fn duplicate_key(&self, key: Text<'a>) -> Error {
        let at = (key.raw.as_ptr() as usize).checked_sub(self.body.as_ptr() as usize);
        self.error(at.map_or(self.at, |at| at.saturating_sub(1)), Problem::DuplicateKey)
    }

    /// The error if a value is not what the caller needs, such as `"'{' to begin an object"`.
    pub fn unexpected(&self, expected: &'static str) -> Error {
        self.error(self.at, Problem::Expected(expected))
    }

    /// The next byte after white space; at the end 0, which is not valid anywhere.
    #[inline(always)]
    fn peek(&mut self) -> u8 {
        loop {
            match self.body.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                Some(&byte) => return byte,
                None => return 0,
            }
        }
    }

    /// The kind of the next value, which is not consumed.
    ///
    /// # Errors
    /// The next byte does not begin a value.
    #[inline]
    pub fn kind(&mut self) -> Result<ValueKind, Error> {
        match self.peek() {
            b'"' => Ok(ValueKind::String),
            b'-' | b'0'..=b'9' => Ok(ValueKind::Number),
            b't' | b'f' => Ok(ValueKind::Bool),
            b'n' => Ok(ValueKind::Null),
            b'[' => Ok(ValueKind::Array),
            b'{' => Ok(ValueKind::Object),
            _ => Err(self.unexpected("a value")),
        }
    }

    #[inline(always)]
    fn open(&mut self, bracket: u8, expected: &'static str) -> Result<(), Error> {
        if self.peek() != bracket {
            return Err(self.unexpected(expected));
        }
        if self.depth == JSON_DEPTH {
            return Err(self.error(self.at, Problem::Depth));
        }
        self.at += 1;
        self.depth += 1;
        self.opened = true;
        Ok(())
    }

    /// Reads `[`.
    ///
    /// # Errors
    /// The next value is not an array, or is nested too deep.
    #[inline]
    pub fn open_array(&mut self) -> Result<(), Error> {
        self.open(b'[', "'[' to begin an array")
    }

    /// Reads `{`.
    ///
    /// # Errors
    /// The next value is not an object, or is nested too deep.
    #[inline]
    pub fn open_object(&mut self) -> Result<(), Error> {
        self.open(b'{', "'{' to begin an object")
    }

    /// Reads the comma before the next part, or the closing bracket. Returns whether there is a next part.
    #[inline(always)]
    fn next_part(&mut self, close: u8, expected: &'static str) -> Result<bool, Error> {
        let first = std::mem::take(&mut self.opened);
        let byte = self.peek();
        if byte == close {
            self.at += 1;
            self.depth = self.depth.saturating_sub(1);
            return Ok(false);
        }
        if first {
            return Ok(true);
        }
        if byte != b',' {
            return Err(self.unexpected(expected));
        }
        self.at += 1;
        Ok(true)
    }

    /// Goes to the next element of the innermost array. After the last one, it closes the array and returns false.
    ///
    /// # Errors
    /// Neither a comma nor the closing bracket follows.
    #[inline]
    pub fn next_element(&mut self) -> Result<bool, Error> {
        self.next_part(b']', "',' or ']'")
    }

    /// Reads the next key of the innermost object. After the last one, it closes the object and returns `None`.
    ///
    /// # Errors
    /// Neither a comma nor the closing bracket follows, or a key or its colon is missing.
    #[inline]
    pub fn next_key(&mut self) -> Result<Option<Text<'a>>, Error> {
        if !self.next_part(b'}', "',' or '}'")? {
            return Ok(None);
        }
        if self.peek() != b'"' {
            return Err(self.unexpected("'\"' to begin a key"));
        }
        let key = self.string()?;
        if self.peek() != b':' {
            return Err(self.unexpected("':'"));
        }
        self.at += 1;
        Ok(Some(key))
    }

    #[inline(always)]
    fn string(&mut self) -> Result<Text<'a>, Error> {
        let (text, end) =
            string::scan::<false>(self.body, self.at + 1).map_err(|(at, problem)| self.error(at, problem))?;
        self.at = end;
        Ok(text)
    }

    #[inline(always)]
    fn literal(&mut self, literal: &'static str) -> Result<(), Error> {
        if !self.body.get(self.at..).is_some_and(|rest| rest.starts_with(literal.as_bytes())) {
            return Err(self.unexpected(literal));
        }
        self.at += literal.len();
        Ok(())
    }

    /// Like [`Reader::value`], but returns the text of any value.
    ///
    /// # Errors
    /// The text is not JSON here, or exceeds a limit.
    pub fn value_text(&mut self) -> Result<&'a [u8], Error> {
        // Goes behind the white space before the value.
        self.kind()?;
        let start = self.at;
        self.value()?;
        Ok(self.body.get(start..self.at).unwrap_or_default())
    }

    /// Reads a value. An array or object is checked, and returned as its text.
    ///
    /// # Errors
    /// The text is not JSON here, or exceeds a limit.
    #[inline]
    pub fn value(&mut self) -> Result<Value<'a>, Error> {
        Ok(match self.kind()? {
            ValueKind::String => Value::String(self.string()?),
            ValueKind::Number => {
                let (number, end) =
                    number::scan(self.body, self.at).map_err(|(at, problem)| self.error(at, problem))?;
                self.at = end;
                Value::Number(number)
            }
            ValueKind::Bool if self.body.get(self.at) == Some(&b't') => {
                self.literal("true")?;
                Value::Bool(true)
            }
            ValueKind::Bool => {
                self.literal("false")?;
                Value::Bool(false)
            }
            ValueKind::Null => {
                self.literal("null")?;
                Value::Null
            }
            ValueKind::Array => Value::Array(self.skip_container()?),
            ValueKind::Object => Value::Object(self.skip_container()?),
        })
    }

    /// Reads an array or object with all its contents, without recursion.
    fn skip_container(&mut self) -> Result<&'a [u8], Error> {
        let start = self.at;
        let outside = self.depth;
        // One bit per level, the innermost lowest: 1 for an object.
        let mut objects = 0u64;
        loop {
            if self.peek() == b'{' {
                self.open_object()?;
                objects = objects << 1 | 1;
            } else {
                self.open_array()?;
                objects <<= 1;
            }
            loop {
                let more = if objects & 1 == 1 { self.next_key()?.is_some() } else { self.next_element()? };
                if !more {
                    objects >>= 1;
                    if self.depth == outside {
                        return Ok(self.body.get(start..self.at).unwrap_or_default());
                    }
                } else if matches!(self.peek(), b'{' | b'[') {
                    break;
                } else {
                    self.value()?;
                }
            }
        }
    }

    /// Checks that only white space is left.
    ///
    /// # Errors
    /// Something follows the document.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.peek();
        if self.at < self.body.len() {
            return Err(self.error(self.at, Problem::Trailing));
        }
        Ok(())
    }
}
