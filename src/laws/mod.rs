//! What holds for every input, whatever bytes it is: checked by the fuzzer (`fuzz/`), and by tests for its seeds.
//!
//! A law panics when it is broken.

mod grammar;
mod headers;
mod json;
mod statement;

use crate::error::Error;
use crate::http::Headers;
use serde_json::{Map, Value};

pub use grammar::grammar;
pub use headers::headers;
pub use json::{json_body, json_text};
pub use statement::{Rendered, statement, statements};

/// A law: it says whether the input was one that it could be applied to, rather than refused.
pub type Law = fn(&[u8]) -> bool;

/// All laws, under the names of their fuzz targets and of the folders of their seeds.
pub const LAWS: &[(&str, Law)] = &[
    ("grammar", grammar),
    ("statement", statement),
    ("headers", headers),
    ("json_body", json_body),
    ("json_text", json_text),
];

/// A request as it would be sent: `METHOD target`, header fields, an empty line, the body.
struct Message<'a> {
    method: &'a str,
    target: &'a str,
    headers: Headers,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    fn parse(data: &'a [u8]) -> Option<Self> {
        let end = data.windows(2).position(|two| two == b"\n\n");
        let (head, body) = end.map_or((data, &[][..]), |at| (&data[..at], &data[at + 2..]));
        let mut lines = std::str::from_utf8(head).ok()?.split('\n');
        let (method, target) = lines.next()?.split_once(' ')?;
        let mut fields = Map::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            fields.insert(name.to_owned(), Value::from(value.trim()));
        }
        let headers = Headers::from_json(&Value::Object(fields)).map_err(|e| refused(&e)).ok()?;
        Some(Message { method, target, headers, body })
    }
}

/// A refusal is the client's to mend, and says why.
fn refused(error: &Error) {
    let by_client = (400..500).contains(&error.status) || error.status == 300;
    assert!(by_client && !error.message.is_empty() && !error.code.is_empty(), "{error:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_laws_hold_for_the_seeds() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        for (name, law) in LAWS {
            let files = fs::read_dir(seeds.join(name)).unwrap();
            let applied = files.filter(|file| law(&fs::read(file.as_ref().unwrap().path()).unwrap())).count();
            assert!(applied > 3, "{name}: {applied} seeds were read");
        }
    }
}
