//! TAP 14 (testanything.org): a line for each test, those of a test function's expectations as a subtest, and a YAML block that says why
//! a test fails.

use super::{Check, Test};
use std::fmt::Write;

/// The lines of a test.
pub fn test(number: usize, test: &Test) -> String {
    let mut lines = String::new();
    if !test.is_function {
        return test.checks.first().map(|only| check(number, only)).unwrap_or_default();
    }
    if !test.checks.is_empty() {
        let _ = writeln!(lines, "# Subtest: {}", escaped(&test.name));
        for (i, one) in test.checks.iter().enumerate() {
            for line in check(i + 1, one).lines() {
                let _ = writeln!(lines, "    {line}");
            }
        }
        let _ = writeln!(lines, "    1..{}", test.checks.len());
    }
    lines.push_str(&point(test.passes(), number, &test.name));
    if let Some(error) = &test.error {
        lines.push('\n');
        lines.push_str(&diagnostics(error.lines()));
    }
    lines
}

/// The lines of an expectation.
pub fn check(number: usize, check: &Check) -> String {
    let mut lines = point(check.holds(), number, &check.description);
    if !check.holds() {
        lines.push('\n');
        lines.push_str(&diagnostics(check.faults.iter().chain(&check.context).flat_map(|text| text.lines())));
    }
    lines
}

fn point(passes: bool, number: usize, name: &str) -> String {
    format!("{}ok {number} - {}", if passes { "" } else { "not " }, escaped(name))
}

/// A YAML block with one member, a literal text.
fn diagnostics<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut lines = "  ---\n  message: |\n".to_owned();
    for text in texts {
        // The first line of a literal text decides how far it is indented.
        let text: String = text.trim_start().chars().map(|c| if is_printable(c) { c } else { '\u{FFFD}' }).collect();
        let _ = writeln!(lines, "    {text}");
    }
    lines.push_str("  ...");
    lines
}

/// YAML 1.2, production 1: what may stand in a text as it is. A tab may, too, but not at the front.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}

/// A description on one line. `#` would begin a directive.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.trim().chars() {
        match c {
            '\\' | '#' => escaped.extend(['\\', c]),
            c if is_printable(c) => escaped.push(c),
            _ => escaped.push(' '),
        }
    }
    escaped
}
