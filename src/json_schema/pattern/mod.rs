//! Patterns of ECMA 262 with the flag `u` (JSON Schema 2020-12 Core, section 6.4): strings are sequences of characters.
//!
//! The validator's engine has another dialect. Most patterns mean the same in both, or the validator translates them. The others
//! are rewritten here so that they mean the same. A pattern that no automaton can match has no translation.

mod class;
pub mod cost;
mod rewrite;
#[cfg(test)]
mod tests;

pub use rewrite::Patterns;

use std::collections::HashSet;

/// A pattern that the engine accepts.
#[derive(Debug)]
pub struct Translation {
    /// The pattern, in a syntax that is also valid in ECMA 262, except with [`Boundary::Exact`].
    pub text: String,
    /// The engine reads the original differently, or not at all.
    pub changed: bool,
    /// It has `\b` or `\B`.
    pub has_boundary: bool,
}

/// A construct that cannot be matched, or that ECMA 262 does not have.
#[derive(Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// The construct.
    pub what: String,
    /// Its first character, counted from 1.
    pub position: usize,
    /// What to do.
    pub hint: &'static str,
}

/// How `\b` and `\B` are written. By themselves they are those of Unicode in the engine's dialect. The engine's syntax for ASCII is
/// not valid in ECMA 262.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Boundary {
    /// With the meaning that ECMA 262 gives them: `\w` is ASCII.
    Exact,
    /// With the syntax of ECMA 262.
    Portable,
}

/// Rewrites a pattern so that the engine reads it as ECMA 262 does.
///
/// # Errors
/// The first construct that has no translation.
pub fn translate(pattern: &str, boundary: Boundary) -> Result<Translation> {
    let mut translator = Translator {
        pattern: pattern.chars().collect(),
        at: 0,
        boundary,
        text: String::with_capacity(pattern.len()),
        changed: false,
        has_boundary: false,
        groups: Vec::new(),
        dot_all: false,
        names: HashSet::new(),
    };
    translator.run()?;
    let Translator { text, changed, has_boundary, .. } = translator;
    Ok(Translation { text, changed, has_boundary })
}

type Result<T, E = Unsupported> = std::result::Result<T, E>;

const LINEAR: &str = "Patterns are matched in linear time, without look-around and backreferences. Of two patterns that have to \
                      match, each is a schema in \"allOf\"; one that must not match goes into \"not\".";
const SYNTAX: &str = "Patterns are regular expressions of ECMA 262 with the flag u.";
const SURROGATE: &str = "Strings are matched character by character. Write the whole pair, or the character itself.";

/// All characters, and no character.
const ALL: &str = r"[\u{0}-\u{10FFFF}]";
const NONE: &str = r"[^\u{0}-\u{10FFFF}]";

/// What was read last. It decides whether a quantifier may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Assertion,
    Atom,
    Quantifier,
}

struct Translator {
    pattern: Vec<char>,
    /// The number of characters read.
    at: usize,
    boundary: Boundary,
    text: String,
    changed: bool,
    has_boundary: bool,
    /// Open groups: where each begins, and the value of `dot_all` outside it.
    groups: Vec<(usize, bool)>,
    /// Whether `.` matches line ends too.
    dot_all: bool,
    /// Names of groups.
    names: HashSet<String>,
}

impl Translator {
    fn run(&mut self) -> Result<()> {
        let mut before = Before::Nothing;
        while let Some(c) = self.next() {
            before = match c {
                '|' => self.keep(c, Before::Nothing),
                '(' => self.open_group()?,
                ')' => {
                    let Some((_, dot_all)) = self.groups.pop() else {
                        return self.refuse("a \")\" without its \"(\"", SYNTAX);
                    };
                    self.dot_all = dot_all;
                    self.keep(c, Before::Atom)
                }
                '*' | '+' | '?' | '{' => self.quantifier(c, before)?,
                '^' | '$' => self.keep(c, Before::Assertion),
                '.' if self.dot_all => self.put(ALL),
                // By themselves they are literal, as without the flag.
                ']' => self.put(r"\]"),
                '}' => self.put(r"\}"),
                '[' => self.class()?,
                '\\' => self.escape()?,
                _ => self.keep(c, Before::Atom),
            };
        }
        match self.groups.first() {
            Some((start, _)) => Err(unsupported("a \"(\" without its \")\"", *start, SYNTAX)),
            None => Ok(()),
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek();
        self.at += usize::from(next.is_some());
        next
    }

    fn peek(&self) -> Option<char> {
        self.pattern.get(self.at).copied()
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        self.at += usize::from(found);
        found
    }

    /// Takes `expected` if it is next.
    fn eat_all(&mut self, expected: &str) -> bool {
        let length = expected.chars().count();
        let found =
            self.pattern.get(self.at..self.at + length).is_some_and(|ahead| expected.chars().eq(ahead.iter().copied()));
        self.at += if found { length } else { 0 };
        found
    }

    /// The characters up to `end`, which is taken as well.
    fn until(&mut self, end: char) -> Option<String> {
        let length = self.pattern.get(self.at..)?.iter().position(|c| *c == end)?;
        let found = self.pattern.get(self.at..self.at + length)?.iter().collect();
        self.at += length + 1;
        Some(found)
    }

    /// The pattern from character `start`, counted from 1, to the current position.
    fn since(&self, start: usize) -> String {
        self.pattern.get(start.saturating_sub(1)..self.at).unwrap_or_default().iter().collect()
    }

    /// Writes a character unchanged.
    fn keep(&mut self, c: char, what: Before) -> Before {
        self.text.push(c);
        what
    }

    /// Writes an atom in place of one that the engine reads differently.
    fn put(&mut self, atom: &str) -> Before {
        self.text.push_str(atom);
        self.changed = true;
        Before::Atom
    }

    /// Refuses the character that was read last.
    fn refuse<T>(&self, what: impl Into<String>, hint: &'static str) -> Result<T> {
        Err(unsupported(what, self.at, hint))
    }

    /// Reads on from behind `(`.
    fn open_group(&mut self) -> Result<Before> {
        let start = self.at;
        let outside = self.dot_all;
        if !self.eat('?') {
            self.text.push('(');
        } else if self.eat(':') {
            self.text.push_str("(?:");
        } else if self.peek() == Some('<') && !matches!(self.pattern.get(self.at + 1), Some('=' | '!')) {
            self.next();
            self.named_group(start)?;
        } else {
            let look = ["=", "!", "<=", "<!"].into_iter().zip([
                "lookahead",
                "negative lookahead",
                "lookbehind",
                "negative lookbehind",
            ]);
            for (sign, what) in look {
                if self.eat_all(sign) {
                    return Err(unsupported(format!("a {what}, \"(?{sign}\",",), start, LINEAR));
                }
            }
            self.modifiers(start)?;
        }
        self.groups.push((start, outside));
        Ok(Before::Nothing)
    }

    /// Reads on from behind `(?<`. Nothing refers to groups, so a name that the engine does not accept is left out.
    fn named_group(&mut self, start: usize) -> Result<()> {
        let name = self.until('>').filter(|name| !name.is_empty());
        let Some(name) = name else { return Err(unsupported("a group without a name, \"(?<\",", start, SYNTAX)) };
        let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if plain && !self.names.contains(&name) {
            self.text.push_str(&format!("(?<{name}>"));
            self.names.insert(name);
        } else {
            self.put("(?:");
        }
        Ok(())
    }

    /// Reads on from behind `(?`, where flags for a group may stand.
    fn modifiers(&mut self, start: usize) -> Result<()> {
        let mut kept = String::new();
        let mut removes = false;
        let mut flags = 0;
        loop {
            match self.next() {
                Some(':') if flags > 0 => break,
                Some('-') if !removes => {
                    removes = true;
                    kept.push('-');
                }
                Some('i') => kept.push('i'),
                Some('s') => self.dot_all = !removes,
                Some('m') => {
                    return Err(unsupported(
                        "the flag m, \"(?m\",",
                        start,
                        "^ and $ match only at the ends of the string.",
                    ));
                }
                Some(')') if flags > 0 => {
                    let what = format!("flags for the rest of the pattern, \"{}\",", self.since(start));
                    return Err(unsupported(what, start, "ECMA 262 has flags for a group, (?i:...)."));
                }
                Some('P') if self.peek() == Some('<') => {
                    return Err(unsupported(
                        "the syntax \"(?P<\"",
                        start,
                        "ECMA 262 writes named groups (?<name>...).",
                    ));
                }
                _ => return Err(unsupported(format!("the syntax \"{}\"", self.since(start)), start, SYNTAX)),
            }
            flags += 1;
        }
        let kept = kept.trim_end_matches('-');
        let group = format!("(?{kept}:");
        self.changed |= group != self.since(start);
        self.text.push_str(&group);
        Ok(())
    }

    /// Reads on from behind `*`, `+`, `?` or `{`.
    fn quantifier(&mut self, c: char, before: Before) -> Result<Before> {
        let start = self.at;
        if c == '{' {
            let mut bounds = [None, None];
            let number = |this: &mut Self| {
                let start = this.at + 1;
                while this.peek().is_some_and(|c| c.is_ascii_digit()) {
                    this.at += 1;
                }
                Some(this.since(start)).filter(|digits| !digits.is_empty())
            };
            bounds[0] = number(self);
            let comma = self.eat(',');
            bounds[1] = if comma { number(self) } else { bounds[0].clone() };
            if bounds[0].is_none() || !self.eat('}') {
                return Err(unsupported(
                    "a \"{\" that does not begin a count",
                    start,
                    "Write \\{ for the character, {0,3} for at most 3.",
                ));
            }
            let [least, most] = bounds.map(|digits| digits.map(|digits| digits.parse::<u32>().unwrap_or(u32::MAX)));
            if most.is_some_and(|most| least.is_some_and(|least| most < least)) {
                return Err(unsupported(
                    format!("the count {}, whose end is below its start,", self.since(start)),
                    start,
                    SYNTAX,
                ));
            }
        }
        let what = self.since(start);
        let refused = match before {
            Before::Atom => None,
            Before::Nothing => Some(format!("\"{what}\" with nothing to repeat")),
            Before::Assertion => Some(format!("\"{what}\" behind an assertion")),
            Before::Quantifier => Some(format!("\"{what}\" behind another quantifier")),
        };
        if let Some(refused) = refused {
            return Err(unsupported(refused, start, SYNTAX));
        }
        self.text.push_str(&what);
        if self.eat('?') {
            self.text.push('?');
        }
        Ok(Before::Quantifier)
    }

    /// Reads on from behind `\`, outside a class.
    fn escape(&mut self) -> Result<Before> {
        let start = self.at;
        match self.peek() {
            Some(c @ ('b' | 'B')) => {
                self.next();
                self.has_boundary = true;
                match self.boundary {
                    Boundary::Exact => self.put(&format!("(?-u:\\{c})")),
                    Boundary::Portable => self.put(&format!("\\{c}")),
                };
                Ok(Before::Assertion)
            }
            Some('k') => {
                self.next();
                let name = if self.eat('<') { self.until('>') } else { None };
                let what = name.map_or_else(|| "\\k".to_owned(), |name| format!("\\k<{name}>"));
                Err(unsupported(format!("a backreference, \"{what}\","), start, LINEAR))
            }
            Some('1'..='9') => {
                while self.peek().is_some_and(|c| c.is_ascii_digit()) {
                    self.next();
                }
                Err(unsupported(format!("a backreference, \"{}\",", self.since(start)), start, LINEAR))
            }
            _ => {
                match self.escaped(start)? {
                    class::Item::Class(class) => self.text.push_str(&class),
                    class::Item::Range(code, _) => {
                        let Some(c) = char::from_u32(code) else {
                            return Err(unsupported(
                                format!("half of a surrogate pair, \"{}\",", self.since(start)),
                                start,
                                SURROGATE,
                            ));
                        };
                        let original = self.since(start);
                        if self.engine_reads(&original) {
                            self.text.push_str(&original);
                        } else {
                            self.put(&character(c));
                        }
                    }
                }
                Ok(Before::Atom)
            }
        }
    }

    /// Whether the engine reads the escape of a single character as ECMA 262 does.
    fn engine_reads(&self, escape: &str) -> bool {
        let mut characters = escape.chars().skip(1);
        match characters.next() {
            Some('x' | 'f' | 'n' | 'r' | 't' | 'v') => true,
            // The engine does not read two escapes as a surrogate pair.
            Some('u') => escape.len() == 6 || escape.len() <= 12 && escape.contains('{'),
            Some('<' | '>') => false,
            Some(c) => c.is_ascii_punctuation() || c == ' ',
            None => false,
        }
    }

    /// Reads on from behind `\` at `start`, for escapes that are also allowed in a class.
    fn escaped(&mut self, start: usize) -> Result<class::Item> {
        let code = match self.next() {
            Some('f') => 0x0C,
            Some('n') => 0x0A,
            Some('r') => 0x0D,
            Some('t') => 0x09,
            Some('v') => 0x0B,
            Some('d' | 'D' | 's' | 'S' | 'w' | 'W') => return Ok(class::Item::Class(self.since(start))),
            Some('p' | 'P') => return self.property(start).map(class::Item::Class),
            Some('c') => match self.next() {
                Some(letter) if letter.is_ascii_alphabetic() => u32::from(letter) % 32,
                _ => return Err(unsupported("\"\\c\" without a letter", start, SYNTAX)),
            },
            Some('0') if !self.peek().is_some_and(|c| c.is_ascii_digit()) => 0,
            Some('0') => {
                self.next();
                return Err(unsupported(format!("an octal escape, \"{}\",", self.since(start)), start, "Write \\xHH."));
            }
            Some('x') => match self.hex(2) {
                Some(code) => code,
                None => return Err(unsupported("\"\\x\" without two hexadecimal digits", start, SYNTAX)),
            },
            Some('u') => self.unicode(start)?,
            Some(c) if !c.is_alphanumeric() => u32::from(c),
            Some(c) => {
                let hint = match c {
                    'A' => "Write ^.",
                    'z' | 'Z' => "Write $.",
                    'h' => "Write [ \\t].",
                    'a' | 'e' => "Write \\xHH.",
                    _ => SYNTAX,
                };
                return Err(unsupported(format!("the escape \"\\{c}\", which ECMA 262 does not have,"), start, hint));
            }
            None => return Err(unsupported("a \"\\\" at its end", start, SYNTAX)),
        };
        Ok(class::Item::Range(code, code))
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text: String = self.pattern.get(self.at..self.at + digits)?.iter().collect();
        let all = text.chars().all(|c| c.is_ascii_hexdigit());
        let code = u32::from_str_radix(&text, 16).ok().filter(|_| all)?;
        self.at += digits;
        Some(code)
    }

    /// Reads on from behind `\u`. Two halves of a surrogate pair are one character.
    fn unicode(&mut self, start: usize) -> Result<u32> {
        let wrong = Err(unsupported("\"\\u\" without four hexadecimal digits, or a number in braces,", start, SYNTAX));
        if self.eat('{') {
            let Some(digits) = self.until('}') else { return wrong };
            let all = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
            let digits = digits.trim_start_matches('0');
            let code = if digits.is_empty() { Ok(0) } else { u32::from_str_radix(digits, 16) };
            return match code {
                Ok(code) if all && code <= u32::from(char::MAX) => Ok(code),
                _ => wrong,
            };
        }
        let Some(first) = self.hex(4) else { return wrong };
        let behind = self.at;
        if (0xD800..0xDC00).contains(&first) && self.eat_all("\\u") {
            if let Some(second) = self.hex(4).filter(|second| (0xDC00..0xE000).contains(second)) {
                return Ok(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            }
            self.at = behind;
        }
        Ok(first)
    }

    /// Reads on from behind `\p` or `\P`.
    fn property(&mut self, start: usize) -> Result<String> {
        let name = if self.eat('{') { self.until('}') } else { None };
        let Some(name) = name else { return Err(unsupported("\"\\p\" without a property in braces", start, SYNTAX)) };
        let word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let written = self.since(start);
        let is_property = name.splitn(2, '=').all(word) && regex_syntax::parse(&written).is_ok();
        if !is_property {
            return Err(unsupported(format!("the property \"{name}\", which Unicode does not define,"), start, SYNTAX));
        }
        Ok(written)
    }
}

/// A single character as an atom.
fn character(c: char) -> String {
    if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\u{{{:X}}}", u32::from(c)) }
}

fn unsupported(what: impl Into<String>, position: usize, hint: &'static str) -> Unsupported {
    Unsupported { what: what.into(), position, hint }
}
