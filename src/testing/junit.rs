//! JUnit XML, as CI servers read it: a suite for each schema, a case for each test.

use super::Test;
use std::fmt::Write;

/// The document.
pub fn document(tests: &[Test]) -> String {
    let mut suites: Vec<(&str, Vec<(&str, &Test)>)> = Vec::new();
    for test in tests {
        let (suite, name) = match test.name.split_once('.') {
            Some(names) if test.is_function => names,
            _ => ("expectations", test.name.as_str()),
        };
        match suites.iter_mut().find(|(known, _)| *known == suite) {
            Some((_, cases)) => cases.push((name, test)),
            None => suites.push((suite, vec![(name, test)])),
        }
    }
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    let _ = writeln!(xml, "<testsuites{}>", totals(&mut tests.iter()));
    for (suite, cases) in suites {
        let totals = totals(&mut cases.iter().map(|(_, test)| *test));
        let _ = writeln!(xml, "  <testsuite name=\"{}\"{totals}>", escaped(suite));
        for (name, test) in cases {
            let (suite, name) = (escaped(suite), escaped(name));
            let _ = write!(xml, "    <testcase classname=\"{suite}\" name=\"{name}\" time=\"{:.3}\"", test.seconds);
            let found = found(test);
            if found.is_empty() {
                xml.push_str("/>\n");
            } else {
                let _ = write!(xml, ">\n{found}    </testcase>\n");
            }
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>");
    xml
}

/// Failures are what did not hold, errors what was raised.
fn totals(tests: &mut dyn Iterator<Item = &Test>) -> String {
    let (mut count, mut failures, mut errors, mut seconds) = (0, 0, 0, 0.0);
    for test in tests {
        count += 1;
        seconds += test.seconds;
        if test.error.is_some() {
            errors += 1;
        } else if !test.passes() {
            failures += 1;
        }
    }
    format!(" tests=\"{count}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\"")
}

/// What a test found: one failure for all expectations that do not hold, and one error.
fn found(test: &Test) -> String {
    let mut xml = String::new();
    let failing: Vec<_> = test.checks.iter().filter(|check| !check.holds()).collect();
    if let Some(first) = failing.first() {
        let mut text = String::new();
        for check in &failing {
            let _ = writeln!(text, "{}", check.description);
            for line in check.faults.iter().chain(&check.context) {
                let _ = writeln!(text, "  {line}");
            }
        }
        let message = format!("{}: {}", first.description, first.faults.first().map_or("", String::as_str));
        let _ =
            writeln!(xml, "      <failure message=\"{}\">{}</failure>", escaped(&message), text_of(text.trim_end()));
    }
    if let Some(error) = &test.error {
        let message = error.lines().next().unwrap_or_default();
        let _ = writeln!(xml, "      <error message=\"{}\">{}</error>", escaped(message), text_of(error));
    }
    xml
}

/// The content of an element, where lines stay lines.
fn text_of(text: &str) -> String {
    escaped(text).replace("&#10;", "\n")
}

/// Text for an attribute (XML 1.0, sections 2.2, 2.4 and 3.3.3): characters that XML does not have are replaced, and white space is kept.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", u32::from(c));
            }
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}
