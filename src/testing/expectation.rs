//! Compares what came with what was expected.

use crate::limits::{SHOWN_FAULTS, SHOWN_TEST_CHARACTERS};
use serde_json::{Map, Value};

/// What an answer is expected to be. What is `None` is not compared.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// The status. Without one, any below 400 is right.
    pub status: Option<i32>,
    /// Header fields by name in any case: the value, `true` for any value, null for a field that must be absent.
    pub headers: Map<String, Value>,
    /// The whole body, compared as jsonb compares: `null` for none.
    pub body: Option<Value>,
    /// A part of the body, in the sense of jsonb's operator `@>`.
    pub contains: Option<Value>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(&'a str, &'a str)>,
    /// Null if there is none, a string if it is not JSON.
    pub body: Value,
}

impl Expectation {
    /// What is wrong with an answer, one line each.
    pub fn faults(&self, received: &Received) -> Vec<String> {
        let mut faults = Faults::default();
        match self.status {
            Some(status) if status != i32::from(received.status) => {
                faults.add(format!("status: expected {status}, got {}", received.status));
            }
            None if received.status >= 400 => {
                faults.add(format!("status: expected one below 400, got {}", received.status));
            }
            _ => {}
        }
        for (name, expected) in &self.headers {
            let found = received.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            let found = found.map(|(_, value)| *value);
            let expected = match (expected, found) {
                (Value::Null, None) | (Value::Bool(true), Some(_)) => continue,
                (Value::Null, Some(_)) => "no such field".to_owned(),
                (Value::Bool(true), None) => "any value".to_owned(),
                (Value::String(text), Some(found)) if text == found => continue,
                (Value::Number(number), Some(found)) if number.to_string() == found => continue,
                (expected, _) => excerpt(expected),
            };
            let found = found.map_or("no such field".to_owned(), |found| excerpt(&Value::from(found)));
            faults.add(format!("header {name}: expected {expected}, got {found}"));
        }
        if let Some(expected) = &self.body {
            differences(expected, &received.body, "body", &mut faults);
        }
        if let Some(expected) = &self.contains {
            missing(expected, &received.body, "body", &mut faults);
        }
        faults.finish()
    }
}

/// The differences between rows of a table and those that were expected, one line each.
pub fn rows_faults(expected: &Value, rows: &Value) -> Vec<String> {
    let mut faults = Faults::default();
    differences(expected, rows, "rows", &mut faults);
    faults.finish()
}

#[derive(Default)]
struct Faults {
    lines: Vec<String>,
    left_out: usize,
}

impl Faults {
    fn add(&mut self, line: String) {
        if self.lines.len() < SHOWN_FAULTS {
            self.lines.push(line);
        } else {
            self.left_out += 1;
        }
    }

    fn finish(mut self) -> Vec<String> {
        if self.left_out > 0 {
            self.lines.push(format!("and {} more differences", self.left_out));
        }
        self.lines
    }
}

/// A value as text, shortened.
pub fn excerpt(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_TEST_CHARACTERS) {
        Some((end, _)) => format!("{} …", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn step(path: &str, member: &str) -> String {
    // As in a JSON Pointer (RFC 6901, section 3).
    format!("{path}/{}", member.replace('~', "~0").replace('/', "~1"))
}

/// Whether two scalars are equal. Numbers are equal if their values are, however they are written.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn differences(expected: &Value, got: &Value, path: &str, faults: &mut Faults) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (name, value) in expected {
                let path = step(path, name);
                match got.get(name) {
                    Some(found) => differences(value, found, &path, faults),
                    None => faults.add(format!("{path}: expected {}, but there is no such member", excerpt(value))),
                }
            }
            for (name, found) in got.iter().filter(|(name, _)| !expected.contains_key(*name)) {
                faults.add(format!("{}: not expected, got {}", step(path, name), excerpt(found)));
            }
        }
        (Value::Array(expected), Value::Array(got)) => {
            if expected.len() != got.len() {
                let plural = if expected.len() == 1 { "" } else { "s" };
                faults.add(format!("{path}: expected {} element{plural}, got {}", expected.len(), got.len()));
            }
            for i in 0..expected.len().max(got.len()) {
                let path = step(path, &i.to_string());
                match (expected.get(i), got.get(i)) {
                    (Some(value), Some(found)) => differences(value, found, &path, faults),
                    (Some(value), None) => {
                        faults.add(format!("{path}: expected {}, but it is missing", excerpt(value)))
                    }
                    (None, Some(found)) => faults.add(format!("{path}: not expected, got {}", excerpt(found))),
                    (None, None) => {}
                }
            }
        }
        _ if same(expected, got) => {}
        _ => faults.add(format!("{path}: expected {}, got {}", excerpt(expected), excerpt(got))),
    }
}

/// Whether `got @> expected`.
fn holds(expected: &Value, got: &Value) -> bool {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            expected.iter().all(|(name, value)| got.get(name).is_some_and(|found| holds(value, found)))
        }
        (Value::Array(expected), Value::Array(got)) => {
            expected.iter().all(|value| got.iter().any(|found| holds(value, found)))
        }
        _ => same(expected, got),
    }
}

fn missing(expected: &Value, got: &Value, path: &str, faults: &mut Faults) {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => {
            for (name, value) in expected {
                let path = step(path, name);
                match got.get(name) {
                    Some(found) => missing(value, found, &path, faults),
                    None => faults.add(format!("{path}: expected {}, but there is no such member", excerpt(value))),
                }
            }
        }
        (Value::Array(expected), Value::Array(got)) => {
            for value in expected.iter().filter(|value| !got.iter().any(|found| holds(value, found))) {
                match (expected.as_slice(), got.as_slice()) {
                    ([_], [found]) => missing(value, found, &step(path, "0"), faults),
                    _ => faults.add(format!("{path}: none of {} elements contains {}", got.len(), excerpt(value))),
                }
            }
        }
        // An array contains a scalar that is one of its elements.
        (value, Value::Array(got)) if path == "body" && got.iter().any(|found| same(value, found)) => {}
        _ if same(expected, got) => {}
        _ => faults.add(format!("{path}: expected {}, got {}", excerpt(expected), excerpt(got))),
    }
}
