//! The reader against serde_json, and the sentences of its errors.

use super::*;
use crate::limits;
use crate::values::JsonbBuilder;

/// xorshift64*: the same documents in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }
}

fn random_string(random: &mut Random, out: &mut String) {
    out.push('"');
    for _ in 0..random.below(20) {
        out.push_str(random.pick(&[
            "a",
            "b",
            "é",
            "😀",
            " ",
            "\\n",
            "\\\"",
            "\\\\",
            "\\/",
            "\\u00e9",
            "\\ud83d\\ude00",
            "\\u0041",
            "0123456789",
            "\u{7f}",
        ]));
    }
    out.push('"');
}

fn random_value(random: &mut Random, depth: usize, out: &mut String) {
    let space = random.pick(&["", "", " ", "\n\t\r"]);
    out.push_str(space);
    match random.below(if depth > 5 { 5 } else { 8 }) {
        0 => out.push_str(random.pick(&["null", "true", "false"])),
        1 => out.push_str(random.pick(&[
            "0",
            "-0",
            "1",
            "12.5",
            "-1e5",
            "1E+2",
            "3.25e-7",
            "9223372036854775808",
            "0.0001",
        ])),
        2..5 => random_string(random, out),
        5 | 6 => {
            out.push('{');
            for i in 0..random.below(5) {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(space);
                random_string(random, out);
                out.push(':');
                random_value(random, depth + 1, out);
            }
            out.push('}');
        }
        _ => {
            out.push('[');
            for i in 0..random.below(5) {
                if i > 0 {
                    out.push(',');
                }
                random_value(random, depth + 1, out);
            }
            out.push(']');
        }
    }
    out.push_str(space);
}

/// The reader's values as a serde_json tree.
fn tree(reader: &mut Reader<'_>) -> Result<serde_json::Value, Error> {
    let text = |text: Text<'_>| String::from_utf8(text.unescaped().into_owned()).unwrap();
    Ok(match reader.kind()? {
        ValueKind::Array => {
            let mut elements = Vec::new();
            reader.open_array()?;
            while reader.next_element()? {
                elements.push(tree(reader)?);
            }
            serde_json::Value::Array(elements)
        }
        ValueKind::Object => {
            let mut members = serde_json::Map::new();
            reader.open_object()?;
            while let Some(key) = reader.next_key()? {
                let value = tree(reader)?;
                members.insert(text(key), value);
            }
            serde_json::Value::Object(members)
        }
        _ => match reader.value()? {
            Value::Bool(value) => value.into(),
            Value::Number(number) => serde_json::from_slice(number.text).unwrap_or_default(),
            Value::String(value) => text(value).into(),
            _ => serde_json::Value::Null,
        },
    })
}

fn read(body: &[u8]) -> Result<serde_json::Value, Error> {
    let mut reader = Reader::new(body)?;
    let value = tree(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

/// Problems that are refused here on purpose, but not by serde_json.
fn stricter(problem: Problem) -> bool {
    matches!(problem, Problem::Depth | Problem::Digits | Problem::Exponent | Problem::NulCharacter)
}

fn compare(body: &[u8]) {
    let shown = String::from_utf8_lossy(body);
    let ours = read(body);
    assert_eq!(check(body).map(drop), ours.clone().map(drop), "{shown}");
    if ours.is_ok() {
        let mut reader = Reader::new(body).unwrap();
        JsonbBuilder::default().build(&mut reader).unwrap();
        reader.finish().unwrap();
    }
    match (ours, serde_json::from_slice::<serde_json::Value>(body)) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{shown}"),
        (Err(ours), Ok(_)) => assert!(stricter(ours.problem), "{ours}: {shown}"),
        (Ok(_), Err(theirs)) => assert!(theirs.to_string().contains("out of range"), "{theirs}: {shown}"),
        (Err(_), Err(_)) => {}
    }
}

/// Bytes that a mutation puts somewhere.
const STRAY: &[u8] = b"\"\\{}[],:0123456789.eE+-truefalsn \n\x00\x1f\x80\xc3\xff";

#[test]
fn objects_with_a_key_are_counted() {
    let keys = ["a", "b", "c"].map(str::to_owned);
    for (body, expected) in [
        (r#"{"a": 1, "x": {"b": 2}}"#, (1, vec![1, 0, 0])),
        (r#"[{"a": 1}, {"\u0062": null, "a": 2}, {}]"#, (3, vec![2, 1, 0])),
        ("[]", (0, vec![0, 0, 0])),
        ("[{}]", (1, vec![0, 0, 0])),
    ] {
        assert_eq!(count_keys(body.as_bytes(), Framing::Array, &keys).unwrap(), expected, "{body}");
    }
    for body in ["[1]", "7", "", "[{\"a\": 1}", "{} {}"] {
        assert!(count_keys(body.as_bytes(), Framing::Array, &keys).is_err(), "{body}");
    }
}

#[test]
fn the_reader_accepts_what_serde_json_accepts_and_reads_the_same() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..20_000 {
        let mut body = String::new();
        random_value(&mut random, 0, &mut body);
        compare(body.as_bytes());
        let mut bytes = body.into_bytes();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len());
            let byte = STRAY[random.below(STRAY.len())];
            match random.below(4) {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => {
                    bytes.remove(at);
                }
                _ => bytes.truncate(at + 1),
            }
            if bytes.is_empty() {
                break;
            }
        }
        compare(&bytes);
    }
}

#[test]
fn errors_say_what_to_do_and_where() {
    for (body, sentence) in [
        ("", "expected a value at byte 0 (line 1, column 1)"),
        ("[1 2]", "expected ',' or ']' at byte 3 (line 1, column 4)"),
        ("{\n \"é\": 1\n \"b\": 2}", "expected ',' or '}' at byte 12 (line 3, column 2)"),
        ("{\"é\" 1}", "expected ':' at byte 6 (line 1, column 6)"),
        ("[1,]", "expected a value at byte 3 (line 1, column 4)"),
        ("{\"a\":1,}", "expected '\"' to begin a key at byte 7 (line 1, column 8)"),
        ("\u{feff}[]", "remove the byte order mark at byte 0 (line 1, column 1)"),
        ("[] []", "expected the end of the text at byte 3 (line 1, column 4)"),
        ("[nul]", "expected null at byte 1 (line 1, column 2)"),
        ("\"\t\"", "write the control character as \\u0009 at byte 1 (line 1, column 2)"),
        ("[1e400]", "keep the number's exponent between -308 and 308 at byte 1 (line 1, column 2)"),
    ] {
        assert_eq!(check(body.as_bytes()).unwrap_err().to_string(), sentence, "{body}");
    }
    assert_eq!(check(b"[\"\xff\"]").unwrap_err().to_string(), "encode the text as UTF-8 at byte 2 (line 1, column 3)");
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| "[{\"a\":".repeat(depth / 2) + "1" + &"}]".repeat(depth / 2);
    assert!(check(nested(limits::JSON_DEPTH).as_bytes()).is_ok());
    assert_eq!(check(nested(limits::JSON_DEPTH + 2).as_bytes()).unwrap_err().problem, Problem::Depth);
    assert_eq!(check("[".repeat(1_000_000).as_bytes()).unwrap_err().problem, Problem::Depth);
}

#[test]
fn each_line_is_a_text() {
    let lines = |body: &str| {
        let mut found = Vec::new();
        let mut reader = Reader::lines(body.as_bytes())?;
        while reader.next_line()? {
            let start = reader.offset();
            reader.value()?;
            found.push(format!("{}:{}", reader.line_number(), &body[start..reader.offset()]));
        }
        Ok::<_, Error>(found.join(" "))
    };
    assert_eq!(lines("").unwrap(), "");
    assert_eq!(lines(" \n\r\n").unwrap(), "");
    assert_eq!(lines("{\"a\":1}\n\n [2] \r\n3\n").unwrap(), "1:{\"a\":1} 3:[2] 4:3");
    for (body, line) in [
        ("{\"a\":\n1}", 1),
        ("1\n{\"a\":1\n{\"a\":2}", 2),
        ("1\n[1\n,2]\n3", 2),
        ("1 2", 1),
        ("1\n2,\n3", 2),
        ("1\n\n\"a\nb\"", 3),
        ("1\nx", 2),
    ] {
        assert_eq!(lines(body).unwrap_err().line, line, "{body}");
    }
    let keys =
        |body: &str| first_keys(body.as_bytes(), Framing::Lines).map(|f| (f.keys.join(","), f.has_more, f.is_one));
    assert_eq!(keys("{\"a\":1}"), Ok(("a".to_owned(), false, false)));
    assert_eq!(keys("\n{\"a\":1}\n{\"b\":1}"), Ok(("a".to_owned(), true, false)));
    assert_eq!(keys(""), Ok((String::new(), false, false)));
    assert!(keys("[1]").is_err());
    assert_eq!(count_keys(b"{\"a\":1}\n{\"b\":1}\n{\"a\":1}", Framing::Lines, &["a".to_owned()]), Ok((3, vec![2])));
}

#[test]
fn first_keys_reads_the_first_object_only() {
    let keys =
        |body: &str| first_keys(body.as_bytes(), Framing::Array).map(|payload| (payload.kind, payload.keys.join(",")));
    assert_eq!(keys(r#"[{"a":[1,{"x":2}],"\u0062":2}, not read"#), Ok((ValueKind::Array, "a,b".into())));
    assert_eq!(keys(r#" {"b":{"x":1},"a":null} "#), Ok((ValueKind::Object, "b,a".into())));
    assert_eq!(keys(" [ ] "), Ok((ValueKind::Array, String::new())));
    assert_eq!(keys("[{}]"), Ok((ValueKind::Array, String::new())));
    assert_eq!(keys("17"), Ok((ValueKind::Number, String::new())));
    let problem = |body: &[u8]| first_keys(body, Framing::Array).unwrap_err().problem;
    assert!(matches!(problem(b"[1]"), Problem::Expected(_)));
    assert!(matches!(problem(b""), Problem::Expected(_)));
    assert_eq!(problem(b"[] x"), Problem::Trailing);
    assert_eq!(problem(br#"{"a":1} x"#), Problem::Trailing);
    assert_eq!(problem(br#"[{"a":1,"\u0061":2}]"#), Problem::DuplicateKey);
    assert_eq!(problem(b"[{\"\xff\":1}]"), Problem::InvalidUtf8);
}

#[test]
fn a_byte_beyond_ascii_is_seen_wherever_it_is() {
    for length in 0..40 {
        let mut bytes = vec![0x7f; length];
        assert!(is_ascii(&bytes), "{length}");
        for at in 0..length {
            bytes[at] = 0x80;
            assert!(!is_ascii(&bytes), "{length} {at}");
            bytes[at] = 0;
        }
    }
}
