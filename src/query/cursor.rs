//! A position in the text of a parameter, with the small steps that all parts of the grammar use.

use crate::limits;

/// A position in a text. The grammar looks ahead by copying it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

/// What was expected, and where.
pub(super) struct Expected {
    /// The position of the character, counted from 1.
    pub column: usize,
    /// A sentence that says what was found and what was expected.
    pub sentence: String,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Cursor { text, at: 0 }
    }

    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub fn is_at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// Takes one character.
    pub fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// Takes `token` if it is next.
    pub fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// Takes `token`, or reports what was found instead.
    pub fn expect(&mut self, token: &str) -> Result<(), Expected> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(&format!("'{token}'"))) }
    }

    /// Takes characters while they satisfy `keep`.
    pub fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    pub fn skip_blanks(&mut self) {
        self.take_while(|c| c == ' ' || c == '\t');
    }

    pub fn expect_end(&self, expected: &str) -> Result<(), Expected> {
        if self.is_at_end() { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// Reports what is next, in the words of PostgREST.
    pub fn unexpected(&self, expected: &str) -> Expected {
        self.refused(match self.peek() {
            Some(c) => format!("unexpected \"{c}\" expecting {expected}"),
            None => format!("unexpected end of input expecting {expected}"),
        })
    }

    /// Refuses what is next, with this sentence.
    pub fn refused(&self, sentence: String) -> Expected {
        Expected { column: self.text.get(..self.at).map_or(0, |t| t.chars().count()) + 1, sentence }
    }

    /// A name: quoted, or letters, digits, `_`, `$`, blanks and single dashes.
    pub fn name(&mut self) -> Result<String, Expected> {
        let name = if self.peek() == Some('"') {
            self.quoted()?
        } else {
            let start = self.at;
            loop {
                self.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ' '));
                // a dash belongs to the name unless it begins an arrow or ends the name
                let mut ahead = *self;
                let dash = ahead.take("-") && ahead.peek().is_some_and(|c| c.is_alphanumeric() || "_$ ".contains(c));
                if !dash || self.at == start {
                    break;
                }
                *self = ahead;
            }
            self.text.get(start..self.at).unwrap_or_default().trim().to_owned()
        };
        if name.is_empty() {
            return Err(self.unexpected("field name (* or [a..z0..9_$])"));
        }
        if name.len() > limits::IDENTIFIER_BYTES {
            return Err(self.refused(format!("the name is longer than {} bytes", limits::IDENTIFIER_BYTES)));
        }
        Ok(name)
    }

    /// Text in double quotes. A backslash escapes the next character.
    pub fn quoted(&mut self) -> Result<String, Expected> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some(c) => text.push(c),
                    None => return Err(self.unexpected("a character after '\\'")),
                },
                Some(c) => text.push(c),
                None => return Err(self.unexpected("a closing '\"'")),
            }
        }
    }
}
