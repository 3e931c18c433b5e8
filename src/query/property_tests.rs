//! Laws of the grammar, over random queries.

use super::random::{Generator, Random, Vocabulary};
use super::*;
use std::borrow::Cow;

/// Names, keys and texts that are special in the grammar or need quotes.
const NASTY: Vocabulary = Vocabulary {
    columns: &[
        "id",
        "a b",
        "my-col",
        "-x",
        "$1",
        "ünï",
        "select",
        "columns",
        "on_conflict",
        "order",
        "limit",
        "offset",
        "and",
        "or",
        "not",
        "eq",
        "count",
        "asc",
        "q\"uote",
        "back\\slash",
        "a.b",
        "a,b",
        "(x)",
        "a:b",
        "a::b",
        "->",
        "*",
        " ",
        "...",
        "!",
        "is",
        "null",
    ],
    relations: &["books", "or", "and", "a b", "x!y", "rel.ation", "p(q)", "sel:ect", "order", "...x", "inner", "left"],
    keys: &["a", "0", "-1", "", "a.b", "x\"y", "\\", "(", "->", "a::b", "k,l", "ключ", "1.5"],
    casts: &["int", "text", "double precision", "my_type"],
    texts: &[
        "",
        "1",
        "eq.1",
        "a,b",
        "(a)",
        "{1,2}",
        "\"",
        "\"q\"",
        "\\",
        "a\"b\\c",
        "not.eq.1",
        ")",
        "((",
        "x*y%",
        " ",
        "null",
        "{\"a\":[1]}",
        "[1,2)",
        "日本",
        "\"a\",b",
        "{a},b",
        "'; drop table x; --",
    ],
};

type Parameters<'a> = Vec<(Cow<'a, str>, Option<Cow<'a, str>>)>;

fn displayed(query: &Query) -> Parameters<'static> {
    query.parameters().into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect()
}

#[test]
fn every_query_is_displayed_as_what_parses_to_it() {
    let mut generator = Generator::new(0x9e37_79b9_7f4a_7c15, NASTY);
    for i in 0..6000 {
        let is_call = i % 3 == 0;
        let query = generator.query(is_call);
        let parameters = displayed(&query);
        let mut again = parse(&parameters, is_call).unwrap_or_else(|e| panic!("{parameters:?}: {e:?}"));
        let texts = again.values.len() - again.filter_texts.len();
        again.values.truncate(texts);
        again.filter_texts.clear();
        assert_eq!(again, query, "{parameters:?}");
    }
}

#[test]
fn whatever_comes_is_read_or_refused_with_a_client_error() {
    const PIECES: &[&str] = &[
        "(",
        ")",
        ",",
        ".",
        ":",
        "::",
        "->",
        "->>",
        "\"",
        "\\",
        "!",
        "*",
        "...",
        "not.",
        "and",
        "or(",
        "in.(",
        "eq.",
        "is.",
        "{",
        "}",
        "\u{0}",
        "é",
        "99999999999",
        "-",
        " ",
        "()",
        "count()",
    ];
    let mut generator = Generator::new(0x2545_f491_4f6c_dd1d, NASTY);
    let mut random = Random::new(0xdead_beef);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..6000 {
        let query = generator.query(false);
        let mut parameters: Vec<(String, String)> = query.parameters();
        for _ in 0..1 + random.below(3) {
            if parameters.is_empty() {
                continue;
            }
            let at = random.below(parameters.len());
            let (name, value) = &mut parameters[at];
            mutate(if random.one_in(3) { name } else { value }, &mut random, PIECES);
        }
        let parameters: Parameters =
            parameters.iter().map(|(n, v)| (n.as_str().into(), Some(v.as_str().into()))).collect();
        match parse(&parameters, random.one_in(2)) {
            Ok(_) => read += 1,
            Err(e) => {
                refused += 1;
                assert!((400..500).contains(&e.status), "{parameters:?}: {e:?}");
                assert!(!e.message.is_empty());
            }
        }
    }
    assert!(read > 500 && refused > 500, "{read} read, {refused} refused");
}

/// Removes, duplicates, replaces or inserts a piece of the text.
fn mutate(text: &mut String, random: &mut Random, pieces: &[&str]) {
    let characters: Vec<char> = text.chars().collect();
    let at = random.below(characters.len() + 1);
    let to = (at + random.below(4)).min(characters.len());
    let (head, middle, tail) = (&characters[..at], &characters[at..to], &characters[to..]);
    let middle: String = match random.below(4) {
        0 => String::new(),
        1 => middle.iter().chain(middle).collect(),
        2 => (*random.pick(pieces)).to_owned(),
        _ => format!("{}{}", middle.iter().collect::<String>(), random.pick(pieces)),
    };
    *text = format!("{}{middle}{}", head.iter().collect::<String>(), tail.iter().collect::<String>());
}
