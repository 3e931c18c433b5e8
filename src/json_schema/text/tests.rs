use super::*;
use crate::json::{Problem, ValueKind};
use crate::json_schema::Unwatched;
use jsonschema::json::{Array, Json, JsonNumber, Node, Object, conformance};
use serde_json::{Value, json};

type Text = TextJson<Unwatched>;
type TextValue<'a> = TextNode<'a, Unwatched>;

fn parse(text: &str) -> Document<'_> {
    Document::parse(text.as_bytes()).unwrap()
}

fn problem(text: &[u8]) -> (usize, Problem) {
    let error = Document::parse(text).unwrap_err();
    (error.offset, error.problem)
}

/// The number that the text is.
fn number(text: &str) -> TextNumber<'_> {
    TextNumber::new(text, !text.contains(['.', 'e', 'E']))
}

fn value(text: &str) -> Value {
    parse(text).root::<Unwatched>().to_value().into_owned()
}

fn is_unique(text: &str) -> bool {
    parse(text).root::<Unwatched>().as_array().unwrap().is_unique()
}

fn is_valid(schema: Value, text: &str) -> bool {
    let validator = jsonschema::options_for::<Text>().build(&schema).unwrap();
    validator.is_valid(parse(text).root())
}

#[test]
fn the_validators_contract_is_kept() {
    let text = conformance::document().to_string();
    conformance::assert_conformance::<Text>(&parse(&text).root());
    let text = serde_json::to_string_pretty(&conformance::document()).unwrap();
    conformance::assert_conformance::<Text>(&parse(&text).root());
}

#[test]
fn white_space_stands_between_all_tokens() {
    let text = " \t\r\n{ \"a\" : [ 1 , true , null , { } , [ ] ] , \"b\" : \"\" } \n";
    assert_eq!(value(text), json!({"a": [1, true, null, {}, []], "b": ""}));
}

#[test]
fn what_is_no_json_is_refused_where_it_stops_being_it() {
    use Problem::*;
    for (text, at, expected) in [
        ("", 0, Expected("a value")),
        (" ", 1, Expected("a value")),
        ("[", 1, Expected("a value")),
        ("[1", 2, Expected("',' or ']'")),
        ("[1,", 3, Expected("a value")),
        ("[1,]", 3, Expected("a value")),
        ("[1}", 2, Expected("',' or ']'")),
        ("{", 1, Expected("'\"' to begin a key")),
        ("{1:2}", 1, Expected("'\"' to begin a key")),
        ("{\"a\"}", 4, Expected("':'")),
        ("{\"a\":", 5, Expected("a value")),
        ("{\"a\":1", 6, Expected("',' or '}'")),
        ("{\"a\":1]", 6, Expected("',' or '}'")),
        ("{\"a\":1,}", 7, Expected("'\"' to begin a key")),
        ("{\"a\":[{}", 8, Expected("',' or ']'")),
        ("[[]", 3, Expected("',' or ']'")),
        ("]", 0, Expected("a value")),
        ("[] []", 3, Trailing),
        ("{}}", 2, Trailing),
        ("1 x", 2, Trailing),
        ("nul", 0, Expected("null")),
        ("truE", 0, Expected("true")),
        ("01", 1, Expected("no digit after a leading zero")),
        ("-", 1, Expected("a digit")),
        ("1.", 2, Expected("a digit")),
        (".5", 0, Expected("a value")),
        ("+1", 0, Expected("a value")),
        ("1e+", 3, Expected("a digit")),
        ("NaN", 0, Expected("a value")),
        ("\"a", 2, OpenString),
        ("\"a\n\"", 2, ControlCharacter(b'\n')),
        (r#""\x""#, 1, Escape),
        (r#"["\u12g4"]"#, 2, Escape),
        ("\u{feff}1", 0, ByteOrderMark),
        ("[1]\0", 3, Trailing),
    ] {
        assert_eq!(problem(text.as_bytes()), (at, expected), "{text:?}");
    }
    assert_eq!(problem(b"[\"a\xff\"]"), (3, InvalidUtf8));
    assert_eq!(problem(b"[\"a\xc3"), (3, InvalidUtf8));
}

#[test]
fn every_beginning_of_a_text_is_refused() {
    let text = r#"{"a":[1,-2.5e3,{"b":"c\n","d":[]}],"é":{"f":null,"g":true}}"#;
    for end in 0..text.len() {
        assert!(
            Document::parse(&text.as_bytes()[..end]).is_err(),
            "{}",
            String::from_utf8_lossy(&text.as_bytes()[..end])
        );
    }
    assert!(Document::parse(text.as_bytes()).is_ok());
}

#[test]
fn escapes_become_characters_in_keys_and_values() {
    let text = r#"{"\u0061\"":"\\\/\b\f\n\r\t","é":"\u00e9\uD83D\uDE00z","nul":"\u0000"}"#;
    let expected = json!({"a\"": "\\/\u{8}\u{c}\n\r\t", "é": "é😀z", "nul": "\0"});
    assert_eq!(value(text), expected);
    let document = parse(text);
    let root: TextValue<'_> = document.root();
    let get = |name: &str| root.as_object().unwrap().get(&Text::prepare_key(name));
    assert_eq!(get("a\"").unwrap().as_string().unwrap(), "\\/\u{8}\u{c}\n\r\t");
    assert_eq!(get("é").unwrap().string_length(), Some(3));
    assert_eq!(get("nul").unwrap().string_length(), Some(1));
    assert!(get("\\u0061\"").is_none());
}

#[test]
fn half_of_a_surrogate_pair_is_refused_at_its_place() {
    for text in [r#"["a","\ud800"]"#, r#"["a","\udc00"]"#, r#"["a","\ud800\u0041"]"#, r#"{"a":"\ud83d\ud83d"}"#] {
        assert_eq!(problem(text.as_bytes()), (6, Problem::LoneSurrogate), "{text}");
    }
    let error = Document::parse(br#"{"\ud800":1}"#).unwrap_err().to_string();
    assert_eq!(error, "expected a pair of surrogates, a high one and then a low one at byte 2 (line 1, column 3)");
}

#[test]
fn of_members_with_the_same_key_the_last_counts_in_the_place_of_the_first() {
    let few = r#"{"a":1,"b":[2,{"x":0}],"a":{"c":3,"d":[4]},"\u0062":5,"e":6,"a":[7,8]}"#;
    let mut many = String::from("{");
    for i in 0..200 {
        many.push_str(&format!(r#""k{}":[{i}],"#, i % 120));
    }
    many.push_str(r#""k\u0030":"last"}"#);
    for text in [few, &many, r#"{"a":1,"a":2}"#, r#"{"":1,"b":{"a":1,"a":2},"":{"a":1,"a":3}}"#] {
        let expected: Value = serde_json::from_str(text).unwrap();
        let document = parse(text);
        let root: TextValue<'_> = document.root();
        let object = root.as_object().unwrap();
        assert_eq!(object.len(), expected.as_object().unwrap().len());
        assert_eq!(root.to_value().to_string(), expected.to_string());
        assert!(root.equals_value(&expected));
        for (name, expected) in expected.as_object().unwrap() {
            assert_eq!(root.member(name).unwrap().to_value().as_ref(), expected);
            assert_eq!(object.get(&Text::prepare_key(name)).unwrap().to_value().as_ref(), expected);
        }
    }
}

#[test]
fn keys_are_found_in_objects_of_every_size() {
    for count in [0, 1, 2, 15, 16, 17, 18, 100, 5000] {
        let members: Vec<String> = (0..count).map(|i| format!(r#""key{i}":{i}"#)).collect();
        let text = format!(r#"[{{{}}},"after"]"#, members.join(","));
        let document = parse(&text);
        let object: TextValue<'_> = document.root().element(0).unwrap();
        for i in 0..count {
            assert_eq!(object.member(&format!("key{i}")).unwrap().to_value().as_ref(), &json!(i));
        }
        for missing in [format!("key{count}"), "key".into(), String::new(), "kez0".into()] {
            assert!(object.member(&missing).is_none(), "{missing}");
        }
        assert_eq!(object.members().count(), count);
        assert_eq!(document.root::<Unwatched>().element(1).unwrap().as_string().unwrap(), "after");
    }
}

#[test]
fn keys_that_differ_only_in_the_middle_or_the_length_are_told_apart() {
    let names = [
        "",
        "a",
        "b",
        "ab",
        "ba",
        "abc",
        "acb",
        "abcd",
        "abcdxefgh",
        "abcdyefgh",
        "abcdefgh",
        "abcdabcd",
        "\0",
        "\0\0",
    ];
    let object: serde_json::Map<String, Value> = names.iter().map(|&name| (name.to_owned(), json!(name))).collect();
    let text = Value::Object(object).to_string();
    let document = parse(&text);
    let root: TextValue<'_> = document.root();
    for name in names {
        assert_eq!(root.member(name).unwrap().as_string().unwrap(), name);
    }
    assert_eq!(root.members().count(), names.len());
}

#[test]
fn numbers_keep_what_they_are() {
    assert_eq!(number("18446744073709551615").as_u64(), Some(u64::MAX));
    assert_eq!(number("18446744073709551616").as_u64(), None);
    assert_eq!(number("99999999999999999999").as_f64(), Some(1e20));
    assert_eq!(number("-9223372036854775808").as_i64(), Some(i64::MIN));
    assert_eq!(number("-9223372036854775809").as_i64(), None);
    assert_eq!(number("-1").as_u64(), None);
    assert_eq!((number("-0").as_u64(), number("-0.0e5").as_i64()), (Some(0), Some(0)));
    assert_eq!(number("9007199254740993.0").as_u64(), Some(9_007_199_254_740_993));
    assert_eq!(number("1.5e1").as_u64(), Some(15));
    assert_eq!(number("1500e-2").as_u64(), Some(15));
    assert_eq!(number("-12e3").as_i64(), Some(-12000));
    assert_eq!(number("1e19").as_u64(), Some(10_000_000_000_000_000_000));
    assert_eq!(number("1e20").as_u64(), None);
    assert_eq!(number("1.25").as_f64(), Some(1.25));
    assert_eq!(number("1e400").as_f64(), None);
    assert_eq!(number("1e400").to_number().as_f64(), Some(f64::MAX));
    assert_eq!(number("-1e400").to_number().as_f64(), Some(f64::MIN));
    assert_eq!(number("0.1000").as_str(), "0.1000");
}

#[test]
fn integers_are_told_by_value_and_in_draft_4_by_their_text() {
    for (text, integer, written) in [
        ("1", true, true),
        ("-0", true, true),
        ("123456789012345678901234567890", true, true),
        ("1.0", true, false),
        ("1e2", true, false),
        ("1e400", true, false),
        ("12.30e1", true, false),
        ("0.0", true, false),
        ("0e-99999999999999999999", true, false),
        ("1e99999999999999999999", true, false),
        ("1.5", false, false),
        ("12.34e1", false, false),
        ("1e-400", false, false),
        ("1e-99999999999999999999", false, false),
        ("100000000000000000000.1", false, false),
    ] {
        assert_eq!(number(text).is_integer(), integer, "{text}");
        assert_eq!(number(text).is_written_as_integer(), written, "{text}");
        assert_eq!(is_valid(json!({"type": "integer"}), text), integer, "{text}");
        let draft_4 = json!({"$schema": "http://json-schema.org/draft-04/schema#", "type": "integer"});
        assert_eq!(is_valid(draft_4, text), written, "{text}");
    }
}

#[test]
fn bounds_hold_beyond_doubles() {
    assert!(is_valid(json!({"minimum": 5}), "1e400"));
    assert!(!is_valid(json!({"maximum": 5}), "1e400"));
    assert!(!is_valid(json!({"minimum": -5}), "-1e400"));
    assert!(is_valid(json!({"multipleOf": 3}), "300000000000000000000003"));
    assert!(!is_valid(json!({"multipleOf": 3}), "300000000000000000000004"));
    assert!(!is_valid(json!({"maximum": 9_007_199_254_740_992_u64}), "9007199254740993.0"));
    assert!(is_valid(json!({"const": 0.1}), "0.10"));
    assert!(is_valid(json!({"const": 1}), "1.0"));
    assert!(is_valid(json!({"enum": [100]}), "1e2"));
    assert!(!is_valid(json!({"enum": [100]}), "1e400"));
}

#[test]
fn elements_are_compared_as_numbers_and_without_the_order_of_members() {
    let filler: Vec<String> = (1000..1020).map(|i| i.to_string()).collect();
    let filler = filler.join(",");
    for (left, right, equal) in [
        ("1", "1.0", true),
        ("0", "-0.0", true),
        ("100", "1e2", true),
        ("0.1", "0.10000000000000000001", false),
        ("123456789012345678901", "123456789012345678902", false),
        ("1e400", "10e399", true),
        ("1e99999999999999999999", "1e99999999999999999999", true),
        ("1e99999999999999999999", "1e-99999999999999999999", false),
        ("1", "-1", false),
        ("1", "true", false),
        ("0", "false", false),
        ("\"1\"", "1", false),
        (r#""a""#, r#""\u0061""#, true),
        (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
        (r#"{"a":1,"b":2}"#, r#"{"a":2,"b":1}"#, false),
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, true),
        ("[]", "{}", false),
        ("[[]]", "[]", false),
        ("[[],[]]", "[[[]]]", false),
        ("[1,2]", "[2,1]", false),
        ("null", "[]", false),
    ] {
        assert_eq!(is_unique(&format!("[{left},{right}]")), !equal, "{left} {right}");
        assert_eq!(is_unique(&format!("[{left},{filler},{right}]")), !equal, "{left} {right} among many");
    }
    assert!(is_unique("[]"));
    assert!(is_unique("[1]"));
}

#[test]
fn a_length_is_counted_in_characters() {
    for (text, min, max, expected) in [
        ("", 0, 0, true),
        ("", 1, 5, false),
        ("ab", 0, 2, true),
        ("abc", 0, 2, false),
        ("🦀🦀", 2, 2, true),
        ("🦀🦀🦀", 0, 2, false),
        ("🦀🦀", 3, 9, false),
        ("héllo", 5, 5, true),
        ("héllo", 6, 9, false),
        ("abc", 0, u64::MAX, true),
    ] {
        let text = json!(text).to_string();
        assert_eq!(parse(&text).root::<Unwatched>().string_length_within(min, max), Some(expected), "{text}");
    }
    assert_eq!(parse("5").root::<Unwatched>().string_length_within(0, 1), None);
}

#[test]
fn names_are_validated_as_strings() {
    let schema = json!({"propertyNames": {"maxLength": 3, "not": {"const": "x"}}});
    assert!(is_valid(schema.clone(), r#"{"abc":1,"é\u00e9é":2}"#));
    assert!(!is_valid(schema.clone(), r#"{"abcd":1}"#));
    assert!(!is_valid(schema, r#"{"\u0078":1}"#));
}

#[test]
fn depth_costs_no_stack() {
    let run = || {
        let depth = 1_000_000;
        assert_eq!(problem("[".repeat(depth).as_bytes()), (depth, Problem::Expected("a value")));
        assert_eq!(problem("{\"\":".repeat(depth).as_bytes()).0, 4 * depth);
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_unique(&format!("[1,{deep}]")));
        assert!(!is_unique(&format!("[{deep},{deep}]")));
        let many: Vec<String> =
            (0..20).map(|i| format!("{}{i}{}", "[".repeat(depth / 10), "]".repeat(depth / 10))).collect();
        assert!(is_unique(&format!("[{}]", many.join(","))));
        assert_eq!(value(&deep).to_string().len(), 128 * 2 + "null".len());
        let objects = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(!is_unique(&format!("[{objects},{objects}]")));
        assert!(!parse(&deep).root::<Unwatched>().equals_value(&json!([[1]])));
    };
    // a thread's stack of 256 KiB
    std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

#[test]
fn a_tape_takes_sixteen_bytes_per_byte_at_most() {
    for (open, close) in
        [("[", "]"), ("1,", ""), ("[],", ""), ("{\"\":1},", ""), ("{\"\":[", "]}"), ("{\"a\":1,\"a\":1},", "")]
    {
        let text = format!("[{}1{}]", open.repeat(50_000), close.repeat(50_000));
        let capacity = parse(&text).tape.capacity();
        assert!(capacity <= text.len() + 1, "{open}: {capacity} entries, {} bytes", text.len());
    }
}

#[test]
fn an_error_shows_the_value_that_failed() {
    let text = r#"{"a":{"b":"x\ny","n":[1,{"c":2,"c":3}]},"z":"after"}"#;
    let schema = json!({"properties": {"a": {"properties": {"b": {"type": "null"}, "n": {"type": "string"}}, "maxProperties": 1}}, "required": ["q"]});
    let validator = jsonschema::options_for::<Text>().build(&schema).unwrap();
    let document = parse(text);
    let mut found: Vec<Value> =
        validator.iter_errors(document.root()).map(|error| error.instance().clone().into_owned()).collect();
    found.sort_by_key(|value| value.to_string().len());
    let whole: Value = serde_json::from_str(text).unwrap();
    assert_eq!(found, [json!("x\ny"), json!([1, {"c": 3}]), whole["a"].clone(), whole.clone()]);
}

#[test]
fn an_error_does_not_copy_what_is_large() {
    let document = parse(r#"[{"a":1},"text"]"#);
    let root: TextValue<'_> = document.root();
    for node in [root, root.element(0).unwrap(), root.element(1).unwrap()] {
        assert!(matches!(node.lazy_value(), jsonschema_value::LazyInstance::Deferred { .. }));
    }
}

#[test]
fn rows_of_a_bulk_insert_are_walked() {
    let text = r#"[{"id":1,"data":{"n":1}},{"id":2,"data":{"n":"x"}},{"id":3}]"#;
    let document = parse(text);
    let root: TextValue<'_> = document.root();
    let validator = jsonschema::options_for::<Text>().build(&json!({"properties": {"n": {"type": "number"}}})).unwrap();
    let verdicts: Vec<Option<bool>> =
        root.elements().map(|row| row.member("data").map(|data| validator.is_valid(data))).collect();
    assert_eq!(verdicts, [Some(true), Some(false), None]);
    assert_eq!((root.kind(), root.element(2).unwrap().kind()), (ValueKind::Array, ValueKind::Object));
    assert!(root.element(3).is_none());
    assert!(root.member("id").is_none());
    assert_eq!(root.element(0).unwrap().elements().count(), 0);
    assert_eq!(root.members().count(), 0);
    let names: Vec<&str> = root.element(0).unwrap().members().map(|(name, _)| name).collect();
    assert_eq!(names, ["id", "data"]);
}

#[test]
fn a_watch_is_told_of_arrays_and_objects() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static ENTERED: AtomicUsize = AtomicUsize::new(0);
    struct Counting;
    impl crate::json_schema::Watch for Counting {
        fn step() {}

        fn enter() {
            ENTERED.fetch_add(1, Ordering::Relaxed);
        }
    }
    let schema = json!({"$defs": {"tree": {"items": {"$ref": "#/$defs/tree"}}}, "$ref": "#/$defs/tree"});
    let validator = jsonschema::options_for::<TextJson<Counting>>().build(&schema).unwrap();
    assert!(validator.is_valid(parse("[[[1,2]],[],{}]").root()));
    assert!(ENTERED.load(Ordering::Relaxed) >= 4);
    let scalars = ENTERED.load(Ordering::Relaxed);
    assert!(validator.is_valid(parse("\"[]\"").root()));
    assert_eq!(ENTERED.load(Ordering::Relaxed), scalars);
}
