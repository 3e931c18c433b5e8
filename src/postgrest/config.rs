//! The text of PostgREST's configuration: its file format, that of the library configurator-pg, and lines of environment variables.

use crate::limits;
use std::fmt;

/// One setting as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The line of its name, from 1.
    pub line: usize,
    /// Its name as a file writes it: `db-schemas`.
    pub name: String,
    pub value: Value,
    /// Whether it is an environment variable, which overrides the file.
    pub is_variable: bool,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text; a number is kept as it is written.
    Text(String),
    Switch(bool),
    /// Part of it comes from the environment variable of this name.
    Environment(String),
    /// Another file, which `import` names.
    File(String),
}

/// Where the text is not a configuration, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
    pub message: String,
    pub hint: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the configuration: {}", self.line, self.message)
    }
}

/// What stands before the name of a setting in the name of its environment variable.
const VARIABLE: &str = "PGRST_";
const WRITE: &str = "Write name = value: texts in double quotes, numbers and true or false without. For environment variables, write \
                     PGRST_NAME=value in a line of its own.";
const NAMES: &str =
    "A name begins with a letter, and has letters, digits, hyphens, underscores, and dots between its parts.";
/// The deepest group within groups.
const DEPTH: usize = 16;

/// Reads all settings, in their order.
///
/// # Errors
/// The first place at which the text is malformed; a text of more than [`limits::CONFIGURATION_BYTES`].
pub fn parse(text: &str) -> Result<Vec<Binding>, Malformed> {
    if text.len() > limits::CONFIGURATION_BYTES {
        let message = format!("it has more than {} bytes", limits::CONFIGURATION_BYTES);
        return Err(Malformed { line: 1, message, hint: "Pass the settings of PostgREST alone." });
    }
    let mut reader = Reader { text, at: 0, inserted: 0, found: Vec::new() };
    reader.directives("", 0)?;
    match reader.peek() {
        None => Ok(reader.found),
        Some(_) => Err(reader.malformed("there is no group to close here", WRITE)),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// How many bytes `$(name)` has added so far.
    inserted: usize,
    found: Vec<Binding>,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn takes(&mut self, text: &str) -> bool {
        let is_there = self.rest().starts_with(text);
        self.at += if is_there { text.len() } else { 0 };
        is_there
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn line(&self) -> usize {
        1 + self.text.get(..self.at).unwrap_or_default().matches('\n').count()
    }

    fn malformed(&self, message: impl Into<String>, hint: &'static str) -> Malformed {
        Malformed { line: self.line(), message: message.into(), hint }
    }

    /// What stands here, for a message.
    fn here(&self) -> String {
        match self.peek() {
            None => "the end".to_owned(),
            Some('\n' | '\r') => "the end of the line".to_owned(),
            Some(c) => format!("{c:?}"),
        }
    }

    /// White space, comments and, with `lines`, line breaks. `#;` before a setting is not a comment.
    fn skip(&mut self, lines: bool) {
        loop {
            let before = self.at;
            self.take_while(|c| if lines { c.is_whitespace() } else { c == ' ' || c == '\t' });
            if self.rest().starts_with('#') && !(lines && self.rest().starts_with("#;")) {
                self.take_while(|c| c != '\n' && c != '\r');
            }
            if self.at == before {
                return;
            }
        }
    }

    /// The settings of a group, up to its end.
    fn directives(&mut self, prefix: &str, depth: usize) -> Result<(), Malformed> {
        self.skip(true);
        while self.peek().is_some_and(|c| c != '}') {
            self.directive(prefix, depth)?;
            self.skip(false);
            match self.peek() {
                None | Some('\n' | '\r' | '}') => self.skip(true),
                Some(_) => return Err(self.malformed(format!("{} stands behind a value", self.here()), WRITE)),
            }
        }
        Ok(())
    }

    fn directive(&mut self, prefix: &str, depth: usize) -> Result<(), Malformed> {
        if self.takes("#;") {
            // The setting behind it is left out, but it has to be well-formed.
            self.skip(false);
            let known = self.found.len();
            self.directive(prefix, depth)?;
            self.found.truncate(known);
            return Ok(());
        }
        let line = self.line();
        if self.rest().strip_prefix("export ").is_some_and(|rest| rest.trim_start().starts_with(VARIABLE)) {
            self.at += "export ".len();
            self.skip(false);
        }
        if self.takes(VARIABLE) {
            return self.variable(line);
        }
        let name = self.name()?;
        self.skip(true);
        if name == "import" && self.peek() == Some('"') {
            let value = Value::File(self.quoted()?);
            self.found.push(Binding { line, name: name.to_owned(), value, is_variable: false });
            return Ok(());
        }
        let name = format!("{prefix}{name}");
        if self.takes("{") {
            if depth == DEPTH {
                return Err(self.malformed(format!("groups are nested more than {DEPTH} deep"), WRITE));
            }
            self.directives(&format!("{name}."), depth + 1)?;
            return if self.takes("}") {
                Ok(())
            } else {
                Err(self.malformed(format!("the group {name} has no }}"), WRITE))
            };
        }
        if !self.takes("=") {
            return Err(Malformed {
                line,
                message: format!("{name} is followed by {}, not by =", self.here()),
                hint: WRITE,
            });
        }
        self.skip(true);
        let value = self.value(&name)?;
        self.found.push(Binding { line, name, value, is_variable: false });
        Ok(())
    }

    /// `NAME=value` behind the prefix: the value goes to the end of the line, and quotes around it do not belong to it.
    fn variable(&mut self, line: usize) -> Result<(), Malformed> {
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
        if name.is_empty() || !self.takes("=") {
            return Err(self.malformed(format!("{VARIABLE}{name} is followed by {}, not by =", self.here()), WRITE));
        }
        let name = name.to_ascii_lowercase();
        let name = match name.strip_prefix("app_settings_") {
            Some(own) => format!("app.settings.{own}"),
            None => name.replace('_', "-"),
        };
        let value = self.take_while(|c| c != '\n' && c != '\r').trim();
        let unquoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        let value = Value::Text(unquoted.unwrap_or(value).to_owned());
        self.found.push(Binding { line, name, value, is_variable: true });
        Ok(())
    }

    fn name(&mut self) -> Result<&'a str, Malformed> {
        let start = self.at;
        loop {
            if !self.peek().is_some_and(char::is_alphabetic) {
                return Err(self.malformed(format!("a name is expected, not {}", self.here()), NAMES));
            }
            self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '-');
            if !self.takes(".") {
                return Ok(self.text.get(start..self.at).unwrap_or_default());
            }
        }
    }

    fn value(&mut self, name: &str) -> Result<Value, Malformed> {
        if self.peek() == Some('"') {
            let line = self.line();
            let text = self.quoted()?;
            return self.interpolated(&text).map_err(|message| Malformed {
                line,
                message: format!("the value of {name} {message}"),
                hint: "Write $$ for a dollar sign. $(NAME) is the environment variable NAME.",
            });
        }
        let word = self.take_while(|c| c.is_alphanumeric() || "+-.".contains(c));
        match word {
            "on" | "true" => Ok(Value::Switch(true)),
            "off" | "false" => Ok(Value::Switch(false)),
            "" if self.peek() == Some('[') => {
                Err(self.malformed(format!("{name} is a list, which no setting of PostgREST is"), WRITE))
            }
            "" => Err(self.malformed(format!("{name} has no value, but {}", self.here()), WRITE)),
            _ if word.starts_with(|c: char| c.is_ascii_digit()) && word.parse::<f64>().is_ok() => {
                Ok(Value::Text(word.to_owned()))
            }
            _ => {
                Err(self.malformed(format!("the value of {name} is neither quoted nor a number, true or false"), WRITE))
            }
        }
    }

    /// A text in double quotes, which may contain line breaks.
    fn quoted(&mut self) -> Result<String, Malformed> {
        const ESCAPES: &str = "Write \\n, \\t, \\r, \\\", \\\\ or \\u and four hexadecimal digits.";
        let line = self.line();
        self.takes("\"");
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(Malformed { line, message: "a text has no closing quote".to_owned(), hint: WRITE }),
                Some('"') => return Ok(text),
                Some('\\') => text.push(match self.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some(c @ ('"' | '\\')) => c,
                    Some('u') => {
                        self.code_point().ok_or_else(|| self.malformed("an escape is no character", ESCAPES))?
                    }
                    _ => return Err(self.malformed("an escape is unknown", ESCAPES)),
                }),
                Some(c) => text.push(c),
            }
        }
    }

    /// The character behind `\u`, of two such escapes if it is a surrogate pair.
    fn code_point(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        let second = self.takes("\\u").then(|| self.four_digits())??;
        let is_pair = (0xdc00..0xe000).contains(&second);
        is_pair.then(|| char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)))?
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += digits.len();
        u32::from_str_radix(digits, 16).ok()
    }

    /// Replaces `$$` by `$`, and `$(name)` by the value of a setting above. What is not above is an environment variable.
    fn interpolated(&mut self, text: &str) -> Result<Value, String> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            result.push_str(before);
            if let Some(after) = after.strip_prefix('$') {
                result.push('$');
                rest = after;
            } else {
                let named = after
                    .strip_prefix('(')
                    .and_then(|after| after.split_once(')'))
                    .filter(|(name, _)| !name.is_empty());
                let (name, after) = named.ok_or("contains a single $")?;
                match self.found.iter().rev().find(|binding| binding.name == name && !binding.is_variable) {
                    Some(Binding { value: Value::Text(value), .. }) => {
                        self.inserted += value.len();
                        if self.inserted > limits::CONFIGURATION_BYTES {
                            return Err("grows too large".to_owned());
                        }
                        result.push_str(value);
                    }
                    _ => return Ok(Value::Environment(name.to_owned())),
                }
                rest = after;
            }
        }
        result.push_str(rest);
        Ok(Value::Text(result))
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
