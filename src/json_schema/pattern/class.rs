//! Classes of characters.

use super::{ALL, Before, NONE, Result, SURROGATE, SYNTAX, Translator, character, unsupported};
use std::fmt::Write;

/// A part of a class.
pub enum Item {
    /// Code points, including both ends.
    Range(u32, u32),
    /// A nested class, as it is written.
    Class(String),
}

const HYPHEN: u32 = '-' as u32;
/// Code points that are not characters.
const SURROGATES: std::ops::RangeInclusive<u32> = 0xD800..=0xDFFF;

impl Translator {
    /// Reads a class, from behind `[`.
    pub(super) fn class(&mut self) -> Result<Before> {
        let start = self.at;
        let negated = self.eat('^');
        let mut items = Vec::new();
        let mut plain = true;
        loop {
            let range = self.at + 1;
            let Some(first) = self.item(start, &mut plain)? else { break };
            // A hyphen is literal at either end, and beside a class.
            if self.peek() != Some('-') || matches!(self.pattern.get(self.at + 1), Some(']') | None) {
                items.push(first);
                continue;
            }
            self.at += 1;
            let Some(last) = self.item(start, &mut plain)? else { break };
            match (first, last) {
                (Item::Range(from, _), Item::Range(to, _)) if from <= to => {
                    plain &= ![from, to].contains(&HYPHEN);
                    items.push(Item::Range(from, to));
                }
                (Item::Range(..), Item::Range(..)) => {
                    let what = format!("the range {}, whose end is below its start,", self.since(range));
                    return Err(unsupported(what, range, SYNTAX));
                }
                (first, last) => {
                    plain = false;
                    items.extend([first, Item::Range(HYPHEN, HYPHEN), last]);
                }
            }
        }
        let original = self.since(start);
        if plain && !items.is_empty() {
            self.text.push_str(&original);
            return Ok(Before::Atom);
        }
        let of_nothing = items.is_empty();
        let members = members(&items);
        Ok(match (members.is_empty(), negated) {
            (true, true) => self.put(ALL),
            (true, false) if of_nothing => self.put(NONE),
            // As in [\uD800-\uDBFF][\uDC00-\uDFFF], which is one character without the flag.
            (true, false) => {
                return Err(unsupported(format!("halves of surrogate pairs, \"{original}\","), start, SURROGATE));
            }
            (false, true) => self.put(&format!("[^{members}]")),
            (false, false) => self.put(&format!("[{members}]")),
        })
    }

    /// The next member of the class that begins at `start`, or `None` at its end. Sets `plain` to false if the engine reads the
    /// member differently.
    fn item(&mut self, start: usize, plain: &mut bool) -> Result<Option<Item>> {
        let Some(c) = self.next() else { return Err(unsupported("a \"[\" without its \"]\"", start, SYNTAX)) };
        let at = self.at;
        let item = match c {
            ']' => return Ok(None),
            '\\' => match self.peek() {
                Some('b') => {
                    self.next();
                    *plain = false;
                    Item::Range(8, 8)
                }
                Some('B' | 'k' | '1'..='9') => {
                    self.next();
                    return Err(unsupported(format!("\"{}\" in a class", self.since(at)), at, SYNTAX));
                }
                _ => {
                    let item = self.escaped(at)?;
                    let escape = self.since(at);
                    *plain &= matches!(item, Item::Class(_)) || self.engine_reads(&escape);
                    item
                }
            },
            '[' if self.is_posix_class() => {
                let name = self.until(']').unwrap_or_default();
                return Err(unsupported(
                    format!("the class [{name}]"),
                    at,
                    "ECMA 262 has [A-Za-z], [0-9], \\s, \\p{L} and the like.",
                ));
            }
            // Other dialects have operators between classes.
            '[' | '&' | '~' => {
                *plain = false;
                Item::Range(u32::from(c), u32::from(c))
            }
            '-' => {
                *plain &= at == start + 1 || self.peek() == Some(']');
                Item::Range(HYPHEN, HYPHEN)
            }
            c => Item::Range(u32::from(c), u32::from(c)),
        };
        if let Item::Range(code, _) = item {
            *plain &= !SURROGATES.contains(&code);
        }
        Ok(Some(item))
    }

    /// Whether `[:name:]` follows; its bracket has been read.
    fn is_posix_class(&self) -> bool {
        // The longest names have six letters.
        let ahead = self.pattern.get(self.at..).unwrap_or_default();
        let Some(end) = ahead.iter().take(10).position(|c| *c == ']') else { return false };
        let ahead = ahead.get(..end).unwrap_or_default();
        ahead.len() > 2 && ahead.first() == Some(&':') && ahead.last() == Some(&':')
    }
}

/// Members as they are written in brackets, without halves of surrogate pairs, which no string contains.
fn members(items: &[Item]) -> String {
    let mut text = String::new();
    for item in items {
        match item {
            Item::Class(class) => text.push_str(class),
            Item::Range(from, to) => {
                let parts = [(*from, (*to).min(SURROGATES.start() - 1)), ((*from).max(SURROGATES.end() + 1), *to)];
                for (from, to) in parts {
                    if let (Some(from), Some(to)) = (char::from_u32(from), char::from_u32(to))
                        && from <= to
                    {
                        text.push_str(&character(from));
                        if from < to {
                            let _ = write!(text, "-{}", character(to));
                        }
                    }
                }
            }
        }
    }
    text
}
