//! Laws that hold for any input. The fuzzer (`fuzz/`) checks them, and tests check them for its seeds.
//!
//! A broken law panics.

mod grammar;
mod headers;
mod json;
mod pattern;
mod statement;
#[cfg(test)]
mod t31_injection;

use crate::error::Error;
use crate::http::Headers;
use serde_json::{Map, Value};

pub use grammar::grammar;
pub use headers::headers;
pub use json::{json_body, json_text};
pub use pattern::pattern;
pub use statement::{Rendered, statement, statements};

/// A law. It returns whether it could be applied to the input; false means that the input was refused.
pub type Law = fn(&[u8]) -> bool;

/// All laws, under the names of their fuzz targets and of the folders of their seeds.
pub const LAWS: &[(&str, Law)] = &[
    ("grammar", grammar),
    ("statement", statement),
    ("headers", headers),
    ("json_body", json_body),
    ("json_text", json_text),
    ("pattern", pattern),
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

/// A refusal blames the client, and says why.
fn refused(error: &Error) {
    let by_client = (400..500).contains(&error.status) || error.status == 300;
    assert!(by_client && !error.message.is_empty() && !error.code.is_empty(), "{error:?}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::random::Random;
    use std::fs;
    use std::path::Path;

    fn seeds(law: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(law);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| fs::read(file).unwrap()).collect()
    }

    #[test]
    fn the_laws_hold_for_the_seeds() {
        for (name, law) in LAWS {
            let applied = seeds(name).iter().filter(|seed| law(seed)).count();
            assert!(applied > 3, "{name}: {applied} seeds were read");
        }
    }

    /// `LAW_ROUNDS`: the number of rounds per law. A large one searches as long as the fuzzer.
    #[test]
    fn the_laws_hold_near_the_seeds() {
        let rounds = std::env::var("LAW_ROUNDS").map_or(2_000, |rounds| rounds.parse().unwrap());
        let mut random = Random::new(std::env::var("LAW_SEED").map_or(0x9e37_79b9, |seed| seed.parse().unwrap()));
        let words = include_str!("../../fuzz/dictionary");
        let words: Vec<&str> = words.lines().map(|line| line.trim_matches('"')).collect();
        for (name, law) in LAWS {
            let seeds = seeds(name);
            let mut applied = 0;
            for _ in 0..rounds {
                let mut data = random.pick(&seeds).clone();
                for _ in 0..=random.below(4) {
                    mutate(&mut data, &mut random, &seeds, &words);
                }
                let shown = String::from_utf8_lossy(&data).into_owned();
                let held = std::panic::catch_unwind(|| law(&data));
                applied += usize::from(held.unwrap_or_else(|_| panic!("{name} is broken by {shown:?}")));
            }
            assert!(applied > rounds / 50, "{name}: {applied} of {rounds} were read");
        }
    }

    /// Removes or duplicates a piece, or replaces it by a word, a byte, or a piece of another seed.
    fn mutate(data: &mut Vec<u8>, random: &mut Random, seeds: &[Vec<u8>], words: &[&str]) {
        let at = random.below(data.len() + 1);
        let end = (at + random.below(6)).min(data.len());
        let piece = data[at..end].to_vec();
        let new = match random.below(5) {
            0 => Vec::new(),
            1 => [&piece[..], &piece[..]].concat(),
            2 => random.pick(words).as_bytes().to_vec(),
            3 => vec![*random.pick(b"\"\\(){}[],.:;-+&=%*!'#/ \n\t\x00\xff0a_$")],
            _ => {
                let other = random.pick(seeds);
                let from = random.below(other.len() + 1);
                other[from..(from + random.below(24)).min(other.len())].to_vec()
            }
        };
        data.splice(at..end, new);
    }
}
