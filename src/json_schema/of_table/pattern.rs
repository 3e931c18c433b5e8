//! Regular expressions that mean the same to PostgreSQL and to JSON Schema.
//!
//! PostgreSQL has "advanced regular expressions" (docs, 9.7.3), JSON Schema those of ECMA-262 with the `u` flag (JSON Schema
//! 2020-12 core, 6.4), and validators run them on engines of their own. Only what means the same to all of them is taken over, in a
//! spelling that all of them understand.

use crate::limits::{CHECK_PATTERN_DEPTH, CHECK_PATTERN_LENGTH, CHECK_PATTERN_WEIGHT};
use std::iter::Peekable;
use std::str::Chars;

/// The pattern for JSON Schema, or `None` if it may mean something else there.
///
/// `ascii_digits`: `\d` is `[0-9]` under the collation of the text. ICU also matches the digits of other scripts.
pub fn translate(pattern: &str, ascii_digits: bool) -> Option<String> {
    if pattern.len() > CHECK_PATTERN_LENGTH {
        return None;
    }
    let mut translator = Translator { rest: pattern.chars().peekable(), out: String::new(), ascii_digits, depth: 0 };
    let weight = translator.alternatives()?;
    (translator.rest.next().is_none() && weight <= CHECK_PATTERN_WEIGHT).then_some(translator.out)
}

/// The pattern of a `LIKE` with the default escape character.
pub fn of_like(like: &str) -> Option<String> {
    if like.len() > CHECK_PATTERN_LENGTH {
        return None;
    }
    let mut out = String::from("^");
    let mut characters = like.chars();
    while let Some(c) = characters.next() {
        match c {
            '%' => out.push_str("[\\s\\S]*"),
            '_' => out.push_str("[\\s\\S]"),
            '\\' => literal(characters.next()?, &mut out),
            c => literal(c, &mut out),
        }
    }
    out.push('$');
    // an end where anything may stand is left out
    let start = out.strip_prefix("^[\\s\\S]*").unwrap_or(&out);
    let both = start.strip_suffix("[\\s\\S]*$").unwrap_or(start);
    (both != "$" && !both.is_empty()).then(|| both.to_owned())
}

/// The pattern of one character.
fn literal(c: char, out: &mut String) {
    if "^$\\.*+?()[]{}|/".contains(c) {
        out.push('\\');
    }
    out.push(c);
}

struct Translator<'a> {
    rest: Peekable<Chars<'a>>,
    out: String,
    ascii_digits: bool,
    depth: usize,
}

impl Translator<'_> {
    /// Reads branches up to the end or a closing parenthesis. Returns their weight.
    fn alternatives(&mut self) -> Option<usize> {
        if self.depth == CHECK_PATTERN_DEPTH {
            return None;
        }
        self.depth += 1;
        let mut weight = self.branch()?;
        while self.rest.next_if_eq(&'|').is_some() {
            self.out.push('|');
            weight += self.branch()?;
        }
        self.depth -= 1;
        Some(weight)
    }

    fn branch(&mut self) -> Option<usize> {
        let mut weight = 0usize;
        while let Some(c) = self.rest.next_if(|c| !matches!(c, '|' | ')')) {
            let atom = match c {
                '^' | '$' => {
                    self.out.push(c);
                    // some engines refuse a repeated anchor
                    if matches!(self.rest.peek(), Some('*' | '+' | '?' | '{')) {
                        return None;
                    }
                    continue;
                }
                '(' => self.group()?,
                '[' => self.bracket()?,
                '.' => {
                    // PostgreSQL's dot also matches a newline
                    self.out.push_str("[\\s\\S]");
                    1
                }
                '\\' => self.escape()?,
                '*' | '+' | '?' | '{' => return None,
                c if c.is_control() => return None,
                c => {
                    literal(c, &mut self.out);
                    1
                }
            };
            weight = weight.checked_add(atom.checked_mul(self.quantifier()?)?)?;
        }
        Some(weight)
    }

    fn group(&mut self) -> Option<usize> {
        self.out.push('(');
        if self.rest.next_if_eq(&'?').is_some() {
            // (?i) and the like are not groups
            self.rest.next_if_eq(&':')?;
            self.out.push_str("?:");
        }
        let weight = self.alternatives()?;
        self.rest.next_if_eq(&')')?;
        self.out.push(')');
        Some(weight + 1)
    }

    /// `\` outside of a bracket expression.
    fn escape(&mut self) -> Option<usize> {
        match self.rest.next()? {
            'd' if self.ascii_digits => self.out.push_str("[0-9]"),
            c @ ('n' | 'r' | 't') => self.out.extend(['\\', c]),
            c if c.is_ascii_punctuation() || c == ' ' => literal(c, &mut self.out),
            _ => return None,
        }
        Some(1)
    }

    /// `*`, `+`, `?` or a bound. Returns how often the atom is repeated at most, or at least if there is no limit.
    fn quantifier(&mut self) -> Option<usize> {
        let repeated = match self.rest.peek() {
            Some(c @ ('*' | '+' | '?')) => {
                self.out.push(*c);
                self.rest.next();
                1
            }
            Some('{') => {
                self.rest.next();
                self.out.push('{');
                let least = self.count()?;
                let most = if self.rest.next_if_eq(&',').is_some() {
                    self.out.push(',');
                    if self.rest.peek() == Some(&'}') { least } else { self.count()? }
                } else {
                    least
                };
                self.rest.next_if_eq(&'}')?;
                self.out.push('}');
                if most < least {
                    return None;
                }
                most.max(1)
            }
            _ => return Some(1),
        };
        // some engines read a second one as "non-greedy", and others refuse it
        if matches!(self.rest.peek(), Some('*' | '+' | '?' | '{')) { None } else { Some(repeated) }
    }

    fn count(&mut self) -> Option<usize> {
        let mut digits = String::new();
        while let Some(digit) = self.rest.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        self.out.push_str(&digits);
        // PostgreSQL's own limit
        digits.parse().ok().filter(|n| *n <= 255)
    }

    fn bracket(&mut self) -> Option<usize> {
        self.out.push('[');
        if self.rest.next_if_eq(&'^').is_some() {
            self.out.push('^');
        }
        let mut is_empty = true;
        loop {
            match self.rest.next()? {
                ']' if !is_empty => break,
                // to PostgreSQL, a first ] is one of the characters; to ECMA-262 it is the end
                ']' => return None,
                '\\' if self.rest.peek() == Some(&'d') && self.ascii_digits => {
                    self.rest.next();
                    self.out.push_str("0-9");
                    if self.starts_range() {
                        return None;
                    }
                }
                c => {
                    let start = self.member(c)?;
                    if self.starts_range() {
                        self.rest.next();
                        self.out.push('-');
                        let end = self.rest.next()?;
                        if start > self.member(end)? {
                            return None;
                        }
                    }
                }
            }
            is_empty = false;
        }
        self.out.push(']');
        Some(1)
    }

    /// Whether a dash follows that is not the last character of the bracket expression.
    fn starts_range(&self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next() == Some('-') && ahead.next() != Some(']')
    }

    /// One character of a bracket expression; `c` is taken already.
    fn member(&mut self, c: char) -> Option<char> {
        let c = match c {
            '\\' => self.rest.next().filter(char::is_ascii_punctuation)?,
            // [:alpha:], [.x.] and [=x=]
            '[' if matches!(self.rest.peek(), Some(':' | '.' | '=')) => return None,
            c if c.is_control() => return None,
            c => c,
        };
        // some engines read a doubled one as an operator on sets
        if matches!(c, '&' | '~' | '|') && self.out.ends_with(c) {
            return None;
        }
        if "^\\[]-".contains(c) {
            self.out.push('\\');
        }
        self.out.push(c);
        Some(c)
    }
}
