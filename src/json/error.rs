//! What is wrong with a JSON text, and where.

use crate::limits;
use std::fmt;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Something else is required here: a phrase such as `',' or ']'`.
    Expected(&'static str),
    /// A string without its closing quote.
    OpenString,
    /// A control character that a string must escape.
    ControlCharacter(u8),
    /// A backslash before a character that cannot be escaped, or `\u` without four hexadecimal digits.
    Escape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// `\u0000`, which PostgreSQL's text types cannot store.
    NulCharacter,
    /// Not UTF-8.
    InvalidUtf8,
    /// A byte order mark (RFC 8259, section 8.1).
    ByteOrderMark,
    /// More digits than [`limits::JSON_NUMBER_DIGITS`].
    Digits,
    /// An exponent beyond [`limits::JSON_NUMBER_EXPONENT`].
    Exponent,
    /// Deeper than [`limits::JSON_DEPTH`].
    Depth,
    /// A key that the same object already has.
    DuplicateKey,
    /// Bytes after the end of the document.
    Trailing,
    /// Longer than [`limits::JSON_TEXT_BYTES`].
    Length,
}

/// Why a JSON text is refused. `Display` is an English sentence without a full stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub problem: Problem,
    /// The number of bytes before the error.
    pub offset: usize,
    /// The line of the error, from 1.
    pub line: usize,
    /// The column of the error in characters, from 1.
    pub column: usize,
}

impl std::error::Error for Error {}

impl Error {
    /// An error at byte `offset` of `body`.
    #[cold]
    #[inline(never)]
    pub(crate) fn at(body: &[u8], offset: usize, problem: Problem) -> Self {
        let before = body.get(..offset).unwrap_or(body);
        let line_start = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        let characters = before.iter().skip(line_start).filter(|&&byte| byte & 0xC0 != 0x80);
        Error {
            problem,
            offset: before.len(),
            line: memchr::memchr_iter(b'\n', before).count() + 1,
            column: characters.count() + 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::Expected(what) => write!(f, "expected {what}"),
            Problem::OpenString => f.write_str("expected '\"' to end the string"),
            Problem::ControlCharacter(byte) => write!(f, "write the control character as \\u{byte:04x}"),
            Problem::Escape => f.write_str("expected one of \"\\/bfnrt or u and four hexadecimal digits after '\\'"),
            Problem::LoneSurrogate => f.write_str("expected a pair of surrogates, a high one and then a low one"),
            Problem::NulCharacter => f.write_str("remove \\u0000, which text cannot hold"),
            Problem::InvalidUtf8 => f.write_str("encode the text as UTF-8"),
            Problem::ByteOrderMark => f.write_str("remove the byte order mark"),
            Problem::Digits => write!(f, "write the number with at most {} digits", limits::JSON_NUMBER_DIGITS),
            Problem::Exponent => {
                let most = limits::JSON_NUMBER_EXPONENT;
                write!(f, "keep the number's exponent between -{most} and {most}")
            }
            Problem::Depth => write!(f, "nest arrays and objects at most {} levels deep", limits::JSON_DEPTH),
            Problem::DuplicateKey => f.write_str("remove the key, which the object already has"),
            Problem::Trailing => f.write_str("expected the end of the text"),
            Problem::Length => write!(f, "shorten the text to {} bytes", limits::JSON_TEXT_BYTES),
        }?;
        write!(f, " at byte {} (line {}, column {})", self.offset, self.line, self.column)
    }
}
