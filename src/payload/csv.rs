//! CSV bodies (RFC 4180), converted to JSON for writes.

use crate::error::{Code, Error, Result};
use crate::limits;
use crate::payload::converted::{Converted, Json};

/// Turns a header line and lines of fields into an array of objects: one object per line, whose values are strings. An unquoted
/// field that is empty or `NULL` becomes null. Empty lines are skipped.
///
/// `most`: the limit on the JSON, in bytes.
///
/// # Errors
/// PGRST102 (400) if the body is not valid CSV in UTF-8, a line has more or fewer fields than the header, or the header repeats a
/// name; REST413 if the JSON exceeds `most`.
pub fn to_json(body: &[u8], most: usize) -> Result<Converted> {
    let text = std::str::from_utf8(body).map_err(|why| {
        refused("The body is not UTF-8").details(format!("Invalid UTF-8 after byte {}.", why.valid_up_to()))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes();
    if memchr::memchr(0, text).is_some() {
        return Err(refused("The body contains a NUL character, which PostgreSQL cannot store"));
    }
    let mut lines = Lines { text, at: 0, line: 1 };
    let mut keys: Vec<String> = Vec::new();
    let mut field = Vec::new();
    if !lines.open()? {
        return Err(refused("The body has no header line").hint("Begin with the names of the columns: a,b"));
    }
    loop {
        let last = lines.field(&mut field)?.is_last;
        let name = String::from_utf8_lossy(&field).into_owned();
        if keys.len() == limits::SELECT_ITEMS || name.len() > limits::IDENTIFIER_BYTES {
            return Err(refused("The header line names no columns").details(format!(
                "A table has at most {} columns, and a name at most {} bytes.",
                limits::SELECT_ITEMS,
                limits::IDENTIFIER_BYTES
            )));
        }
        keys.push(name);
        if last {
            break;
        }
    }
    let mut seen = std::collections::HashSet::new();
    if let Some(twice) = keys.iter().find(|key| !seen.insert(key.as_str())) {
        return Err(refused("The header line names a column twice").details(format!("The column is '{twice}'.")));
    }
    let mut json = Json::new(text.len(), most, &keys);
    json.open_array();
    let mut rows = 0;
    while lines.open()? {
        let line = lines.line;
        let mut fields = 0;
        json.open_object(rows > 0);
        loop {
            let Field { is_quoted, is_last } = lines.field(&mut field)?;
            if fields < keys.len() {
                let is_null = !is_quoted && matches!(field.as_slice(), b"" | b"NULL");
                json.member(fields, (!is_null).then_some(&field))?;
            }
            fields += 1;
            if is_last {
                break;
            }
        }
        if fields != keys.len() {
            return Err(refused("All lines must have same number of fields")
                .details(format!("Line {line} has {fields}, the header line has {}.", keys.len())));
        }
        json.close_object();
        rows += 1;
    }
    json.close_array();
    Ok(Converted { json: json.into_bytes(), keys, rows })
}

#[cold]
fn refused(message: &str) -> Error {
    Error::new(Code::Body, message)
}

/// Reads the fields of the text, line by line.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    /// The line number, from 1.
    line: usize,
}

/// How a field is written, and whether it ends its line.
struct Field {
    is_quoted: bool,
    is_last: bool,
}

impl Lines<'_> {
    /// Goes to the next line that is not empty. Returns false at the end.
    fn open(&mut self) -> Result<bool> {
        while self.end_of_line() {}
        Ok(self.at < self.text.len())
    }

    /// Reads a field into `field`.
    fn field(&mut self, field: &mut Vec<u8>) -> Result<Field> {
        field.clear();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let is_quoted = rest.first() == Some(&b'"');
        if !is_quoted {
            let length = memchr::memchr3(b',', b'\n', b'\r', rest).unwrap_or(rest.len());
            let plain = rest.get(..length).unwrap_or(rest);
            if memchr::memchr(b'"', plain).is_some() {
                return Err(self.misplaced_quote());
            }
            field.extend_from_slice(plain);
            self.at += length;
        } else {
            self.at += 1;
            self.quoted(field)?;
        }
        if self.text.get(self.at) == Some(&b',') {
            self.at += 1;
            return Ok(Field { is_quoted, is_last: false });
        }
        if self.at == self.text.len() || self.end_of_line() {
            return Ok(Field { is_quoted, is_last: true });
        }
        Err(self.misplaced_quote())
    }

    /// Reads the rest of a quoted field, from behind the opening quote to the closing one.
    fn quoted(&mut self, field: &mut Vec<u8>) -> Result<()> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(length) = memchr::memchr(b'"', rest) else {
                return Err(refused("The CSV ends within a quoted field")
                    .details(format!("The field begins at line {} or before.", self.line)));
            };
            let part = rest.get(..length).unwrap_or(rest);
            self.line += memchr::memchr_iter(b'\n', part).count();
            field.extend_from_slice(part);
            self.at += length + 1;
            if self.text.get(self.at) != Some(&b'"') {
                return Ok(());
            }
            field.push(b'"');
            self.at += 1;
        }
    }

    /// Skips the end of a line, if one is next.
    fn end_of_line(&mut self) -> bool {
        self.at += match (self.text.get(self.at), self.text.get(self.at + 1)) {
            (Some(b'\r'), Some(b'\n')) => 2,
            (Some(b'\r' | b'\n'), _) => 1,
            _ => return false,
        };
        self.line += 1;
        true
    }

    #[cold]
    fn misplaced_quote(&self) -> Error {
        refused("An unquoted field contains a quote")
            .details(format!("It is in line {}.", self.line))
            .hint("Put the field in quotes and write each quote in it twice (RFC 4180).")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn json(text: &str) -> String {
        String::from_utf8(to_json(text.as_bytes(), 1 << 20).unwrap().json).unwrap()
    }

    #[track_caller]
    fn refusal(text: &str) -> String {
        let e = to_json(text.as_bytes(), 1 << 20).unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST102", 400));
        e.message.clone()
    }

    #[test]
    fn lines_are_objects_of_texts() {
        let expected = r#"[{"a":"1","b":"x y"},{"a":null,"b":null}]"#;
        for text in [
            "a,b\n1,x y\n,NULL",
            "a,b\r\n1,x y\r\n,NULL\r\n",
            "\u{feff}a,b\r1,x y\r\r,NULL\r",
            "\na,b\n\n1,x y\n,NULL\n\n",
        ] {
            assert_eq!(json(text), expected, "{text:?}");
        }
        assert_eq!(json("a,b\n"), "[]");
        let converted = to_json("b,a\n1,2\n3,4".as_bytes(), 100).unwrap();
        assert_eq!((converted.keys.join(" "), converted.rows), ("b a".to_owned(), 2));
    }

    #[test]
    fn quotes_hold_commas_quotes_and_lines() {
        assert_eq!(json("\"a\"\"\",b\n\"1,\r\n2\",\"\"\"\"\n"), r#"[{"a\"":"1,\r\n2","b":"\""}]"#);
        // a quoted field is always a string
        assert_eq!(json("a,b\n\"NULL\",NULL\n\"\",\n"), r#"[{"a":"NULL","b":null},{"a":"","b":null}]"#);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for text in ["a,b\n1", "a,b\n1,2\n1,2,3", "a,b\n1,2\n\n3"] {
            assert_eq!(refusal(text), "All lines must have same number of fields", "{text:?}");
        }
        assert_eq!(refusal("a\nx\"y"), "An unquoted field contains a quote");
        assert_eq!(refusal("a\n\"x\"y"), "An unquoted field contains a quote");
        assert_eq!(refusal("a\n\"x"), "The CSV ends within a quoted field");
        assert_eq!(refusal("a,a\n1,2"), "The header line names a column twice");
        assert_eq!(refusal(" \0"), "The body contains a NUL character, which PostgreSQL cannot store");
        assert_eq!(refusal("\n"), "The body has no header line");
        assert_eq!(refusal(&"a".repeat(64)), "The header line names no columns");
        assert_eq!(to_json(b"a\n\xff", 100).unwrap_err().status, 400);
    }

    #[test]
    fn short_lines_under_long_names_do_not_grow_without_bound() {
        let text = format!("{}\n{}", "a".repeat(60), "x\n".repeat(1000));
        assert_eq!(to_json(text.as_bytes(), 10_000).unwrap_err().status, 413);
        assert!(to_json(text.as_bytes(), 100_000).is_ok());
    }
}
