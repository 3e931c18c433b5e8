use super::*;
use crate::json_schema::text::{Document, TextJson};
use crate::json_schema::{Formats, Refusal, Unwatched, Values, compile, violations};
use serde_json::{Value, json};

/// Two drafts: the meta-schema of the first requires patterns of ECMA 262, and that of the second does not.
const DRAFTS: [&str; 2] = ["http://json-schema.org/draft-04/schema#", "https://json-schema.org/draft/2020-12/schema"];

fn with<T>(
    schema: &Value,
    text: &str,
    work: impl FnOnce(&jsonschema::Validator<TextJson<Unwatched>>, &Document<'_>) -> T,
) -> Result<T, Refusal> {
    let compiled = compile::<TextJson<Unwatched>>(schema, Formats::Draft, &mut |_| None)?;
    let text = json!(text).to_string();
    Ok(work(&compiled.validator, &Document::parse(text.as_bytes()).unwrap()))
}

/// Whether a text matches a pattern. Both drafts, and the names of `patternProperties`, must agree.
fn matches(pattern: &str, text: &str) -> bool {
    let [old, new] = DRAFTS.map(|draft| {
        let schema = json!({"$schema": draft, "pattern": pattern});
        with(&schema, text, |validator, document| validator.is_valid(document.root())).unwrap()
    });
    assert_eq!(old, new, "{pattern} {text:?}");
    let named = json!({"patternProperties": {pattern: false}});
    let compiled = compile::<TextJson<Unwatched>>(&named, Formats::Draft, &mut |_| None).unwrap();
    let instance = json!({text: 1}).to_string();
    let document = Document::parse(instance.as_bytes()).unwrap();
    assert_eq!(new, !compiled.validator.is_valid(document.root()), "{pattern} as a name, {text:?}");
    new
}

#[test]
fn patterns_mean_what_they_mean_in_ecma_262() {
    for (pattern, yes, no) in [
        // A surrogate pair is one character.
        (r"^\ud83d\ude00$", &["😀"][..], &["", "\u{fffd}"][..]),
        (r"^[\ud83d\ude00-\ud83d\ude4f]$", &["😀", "🙏"], &["😐😐", "a"]),
        ("^[😀-🙏]$", &["😀", "🙏"], &["a"]),
        (r"^\u{1F600}$", &["😀"], &["1F600"]),
        (r"^.$", &["😀", "a", "\u{85}"], &["\n", "\r", "\u{2028}", "\u{2029}", "ab"]),
        // No string contains half of a pair.
        (r"^[^\ud800-\udfff]$", &["a", "😀"], &["ab"]),
        (r"^[a\ud800]$", &["a"], &["b"]),
        (r"^[\u0000-\uffff]$", &["a", "\u{ffff}"], &["😀"]),
        (r"^[\ud800-\uffff]$", &["\u{e000}", "\u{ffff}"], &["a", "😀"]),
        // Empty classes, classes of everything, and special characters in them.
        ("a[]", &[], &["a", "a[]", ""]),
        ("^[^]$", &["\n", "a", "😀"], &["", "aa"]),
        (r"^[\b]$", &["\u{8}"], &["b", "\\"]),
        (r"^\0$", &["\0"], &["0"]),
        (r"^[\0-\x1f]$", &["\0", "\u{1f}"], &[" ", "0"]),
        (r"^\cA\cj$", &["\u{1}\n"], &["cAcj"]),
        (r"^[\cA-\cZ]$", &["\u{1}", "\u{1a}"], &["c", "A"]),
        (r"^[a\-z]$", &["a", "-", "z"], &["b"]),
        (r"^[a-]$", &["a", "-"], &["b"]),
        (r"^[-a]$", &["a", "-"], &["b"]),
        (r"^[--/]$", &["-", ".", "/"], &["0"]),
        (r"^[\w-.]$", &["a", "-", "."], &["/"]),
        (r"^[a-\d]$", &["a", "-", "1"], &["b"]),
        ("^[[a]$", &["[", "a"], &["]"]),
        ("^[a&&b]$", &["a", "&", "b"], &["c"]),
        ("^[a~~b]$", &["~"], &["c"]),
        (r"^[\]]$", &["]"], &["\\"]),
        (r"^[\^a]$", &["^", "a"], &["b"]),
        // Escapes of single characters.
        (r"^a\/b\-c\_d\.$", &["a/b-c_d."], &["a/b-c_dx"]),
        (r"^\<a\>$", &["<a>"], &["a"]),
        (r"^[\<\>]$", &["<", ">"], &["a"]),
        (r"^\§[\§]$", &["§§"], &["§"]),
        (r"^\x41\u0042\u{43}\u{0000000044}$", &["ABCD"], &["abcd"]),
        (r"^\f\n\r\t\v$", &["\u{c}\n\r\t\u{b}"], &["fnrtv"]),
        ("^a]b}$", &["a]b}"], &["ab"]),
        // Classes with a letter.
        (r"^\d$", &["0", "9"], &["٣", "a"]),
        (r"^\w$", &["a", "Z", "_", "0"], &["é", "-"]),
        (r"^\W$", &["é", "-"], &["a"]),
        (r"^\s$", &[" ", "\t", "\u{b}", "\u{a0}", "\u{feff}", "\u{2028}"], &["a", "\u{85}", "\u{200b}"]),
        (r"^[\S]$", &["a", "\u{85}"], &["\u{feff}"]),
        (r"^[^\d\s]$", &["a", "٣"], &["1", " "]),
        (r"^\p{Lu}\p{Script=Greek}\P{L}$", &["Aα1", "Éω-"], &["aα1", "AB1"]),
        (r"^[\p{L}\d]$", &["é", "1"], &["٣", "-"]),
        // Assertions.
        ("^a$", &["a"], &["a\n", "\na", "b\na"]),
        (r"\ba", &["a", "-a", "éa"], &["ba", "_a"]),
        (r"\Ba", &["ba"], &["a", "éa"]),
        (r"^é\Bé$", &["éé"], &["éaé"]),
        // Groups.
        (r"^(?<year>\d{4})-(?<month>\d\d)$", &["2024-02"], &["2024-2"]),
        (r"^((?<n>a)|(?<n>b))$", &["a", "b"], &["ab"]),
        (r"^(?<$é>a)$", &["a"], &["b"]),
        (r"^(?i:ä)b$", &["Äb", "äb"], &["ÄB"]),
        (r"^(?s:.)(?-s:.)$", &["\na"], &["\n\n"]),
        (r"^(?i-s:A.)b$", &["aab"], &["a\nb"]),
        // Quantifiers.
        (r"^a{2}b{1,}c{0,2}d??$", &["aab", "aabbccd"], &["ab", "aabccc"]),
        ("a*?$", &["", "b"], &[]),
    ] {
        for text in yes {
            assert!(matches(pattern, text), "{pattern} {text:?}");
        }
        for text in no {
            assert!(!matches(pattern, text), "{pattern} {text:?}");
        }
    }
}

#[test]
fn what_has_no_translation_is_refused_with_its_place() {
    for (pattern, what, position) in [
        ("^(?=a)", "a lookahead, \"(?=\",", 2),
        ("^(?!XX)[A-Z]{3}$", "a negative lookahead, \"(?!\",", 2),
        ("a(?<=b)", "a lookbehind, \"(?<=\",", 2),
        ("äö(?<!b)", "a negative lookbehind, \"(?<!\",", 3),
        (r"(a)\1", "a backreference, \"\\1\",", 4),
        (r"(?<n>a)\k<n>", "a backreference, \"\\k<n>\",", 8),
        (r"(a)\12", "a backreference, \"\\12\",", 4),
        (r"a\ud83d", "half of a surrogate pair, \"\\ud83d\",", 2),
        (r"^[\ud800-\udbff][\udc00-\udfff]$", "halves of surrogate pairs, \"[\\ud800-\\udbff]\",", 2),
        (r"\01", "an octal escape, \"\\01\",", 1),
        (r"\Aa", "the escape \"\\A\", which ECMA 262 does not have,", 1),
        (r"a\Z", "the escape \"\\Z\", which ECMA 262 does not have,", 2),
        (r"[\a]", "the escape \"\\a\", which ECMA 262 does not have,", 2),
        (r"\c1", "\"\\c\" without a letter", 1),
        (r"\x4", "\"\\x\" without two hexadecimal digits", 1),
        (r"\u12", "\"\\u\" without four hexadecimal digits, or a number in braces,", 1),
        (r"\u{110000}", "\"\\u\" without four hexadecimal digits, or a number in braces,", 1),
        (r"\pL", "\"\\p\" without a property in braces", 1),
        (r"a\p{Foo}", "the property \"Foo\", which Unicode does not define,", 2),
        (r"[\B]", "\"\\B\" in a class", 2),
        (r"[\1]", "\"\\1\" in a class", 2),
        ("[[:alpha:]]", "the class [:alpha:]", 2),
        ("[xb-a]", "the range b-a, whose end is below its start,", 3),
        ("a[b", "a \"[\" without its \"]\"", 2),
        ("(a", "a \"(\" without its \")\"", 1),
        ("a)", "a \")\" without its \"(\"", 2),
        ("a\\", "a \"\\\" at its end", 2),
        ("a{", "a \"{\" that does not begin a count", 2),
        ("a{,3}", "a \"{\" that does not begin a count", 2),
        ("a{3,2}", "the count {3,2}, whose end is below its start,", 2),
        ("*a", "\"*\" with nothing to repeat", 1),
        ("a|+", "\"+\" with nothing to repeat", 3),
        ("a**", "\"*\" behind another quantifier", 3),
        ("a{2}{3}", "\"{3}\" behind another quantifier", 5),
        ("^*", "\"*\" behind an assertion", 2),
        (r"\b+", "\"+\" behind an assertion", 3),
        ("(?i)a", "flags for the rest of the pattern, \"(?i)\",", 1),
        ("(?m:^a)", "the flag m, \"(?m\",", 1),
        ("(?P<n>a)", "the syntax \"(?P<\"", 1),
        ("(?>a)", "the syntax \"(?>\"", 1),
        ("(?#a)", "the syntax \"(?#\"", 1),
    ] {
        let found = translate(pattern, Boundary::Exact).unwrap_err();
        assert_eq!((found.what.as_str(), found.position), (what, position), "{pattern}");
    }
}

#[test]
fn a_refusal_names_the_pattern_its_construct_and_both_places() {
    for draft in DRAFTS {
        let refusal =
            |schema: Value| compile::<TextJson<Unwatched>>(&schema, Formats::Draft, &mut |_| None).err().unwrap();
        let refused = refusal(json!({"$schema": draft, "properties": {"a": {"pattern": "a(?!b)[^]"}}}));
        assert_eq!(refused.pointer, "/properties/a/pattern");
        assert_eq!(refused.message, r#"the pattern "a(?!b)[^]" has a negative lookahead, "(?!", at character 2"#);
        assert!(refused.hint.unwrap().contains("\"not\""));
        let refused = refusal(json!({"$schema": draft, "patternProperties": {"[^]": {}, "^\\ud83d": {}}}));
        assert_eq!(refused.pointer, "/patternProperties/^\\ud83d");
        assert_eq!(refused.message, r#"the pattern "^\\ud83d" has half of a surrogate pair, "\ud83d", at character 2"#);
        // For a translated pattern, the error points to the original, whatever is wrong there.
        let refused = refusal(json!({"$schema": draft, "patternProperties": {"[^]/\\b": {"type": "strin"}}}));
        assert_eq!(
            (&*refused.pointer, &*refused.message),
            ("/patternProperties/[^]~1\\b/type", "\"strin\" is not a type")
        );
        let refused = refusal(json!({"$schema": draft, "pattern": "(a{1000}){1000}"}));
        assert_eq!(refused.message, r#"the pattern "(a{1000}){1000}" is too large when it is compiled"#);
        let refused = refusal(json!({"$schema": draft, "pattern": "([^]{1000}){1000}"}));
        assert_eq!(refused.message, r#"the pattern "([^]{1000}){1000}" is too large when it is compiled"#);
    }
}

#[test]
fn violations_show_patterns_as_they_are_written() {
    for (draft, patterns) in DRAFTS.into_iter().zip([["[]", r"[^]\b"], ["[]", r"\cA"]]) {
        let schema = json!({"$schema": draft, "properties": {"a": {"pattern": patterns[0]}},
            "patternProperties": {patterns[1]: {"type": "string"}}, "additionalProperties": {"type": "null"}});
        let compiled = compile::<TextJson<Unwatched>>(&schema, Formats::Draft, &mut |_| None).unwrap();
        let instance = json!({"a": "x", "\u{1}b": 1, "-": 2}).to_string();
        let document = Document::parse(instance.as_bytes()).unwrap();
        let found: Vec<_> = violations(&compiled, document.root(), Values::Masked, 100)
            .into_iter()
            .map(|v| (v.instance_location, v.keyword_location, v.message))
            .collect();
        let pattern = crate::json::pointer::escape(patterns[1]);
        let number =
            |at: &str, place: String, what: &str| (at.to_owned(), place, format!("value is not of type \"{what}\""));
        let named = |at: &str| number(at, format!("/patternProperties/{pattern}/type"), "string");
        let other = |at: &str| number(at, "/additionalProperties/type".to_owned(), "null");
        let mut expected =
            vec![("/a".to_owned(), "/properties/a/pattern".to_owned(), "value does not match \"[]\"".to_owned())];
        expected.push(named("/\u{1}b"));
        expected.push(other("/-"));
        let sorted = |mut list: Vec<_>| {
            list.sort();
            list
        };
        assert_eq!(sorted(found), sorted(expected), "{schema}");
    }
}

#[test]
fn patterns_that_are_written_alike_stay_two() {
    // Both mean the same to the engine, and the first is the translation of the second.
    let schema = json!({"patternProperties": {
        r"[^\u{0}-\u{10FFFF}]": false, "[]": false, r"^\0": {"type": "null"}, r"^\u{0}": {"maximum": 3}
    }});
    let compiled = compile::<TextJson<Unwatched>>(&schema, Formats::Draft, &mut |_| None).unwrap();
    let valid = |instance: Value| {
        let text = instance.to_string();
        compiled.validator.is_valid(Document::parse(text.as_bytes()).unwrap().root())
    };
    assert!(valid(json!({"b": 1, "\0": null})) && !valid(json!({"\0": 1})));
    // Names that are written like the translation of another, and many with the same translation.
    let mut names: Vec<String> = (0..300).map(|i| format!("^(?<${i}>a)")).collect();
    names.extend(["[]", r"[^\u{0}-\u{10FFFF}](?:)", r"[^\u{0}-\u{10FFFF}](?:){2}", "^(?:a)(?:)"].map(String::from));
    let schemas: serde_json::Map<String, Value> =
        names.into_iter().map(|name| (name, json!({"type": "null"}))).collect();
    let names: Vec<String> = schemas.keys().cloned().collect();
    let schema = json!({"patternProperties": schemas});
    let compiled = compile::<TextJson<Unwatched>>(&schema, Formats::Draft, &mut |_| None).unwrap();
    let document = Document::parse(br#"{"a": 1}"#).unwrap();
    let found = violations(&compiled, document.root(), Values::Masked, 1000);
    let places: std::collections::BTreeSet<String> = found.into_iter().map(|v| v.keyword_location).collect();
    let expected = names.into_iter().filter(|name| name.starts_with('^'));
    let expected = expected.map(|name| format!("/patternProperties/{}/type", crate::json::pointer::escape(&name)));
    assert_eq!(places, expected.collect());
}

/// The engine accepts every translation in every draft, and patterns that the schema does not use are not checked.
#[test]
fn every_translation_compiles() {
    const PARTS: [&str; 40] = [
        "a",
        "b",
        "-",
        "^",
        "$",
        ".",
        "|",
        "(",
        ")",
        "(?:",
        "(?<n>",
        "(?i:",
        "(?s:",
        "[",
        "[^",
        "]",
        "\\b",
        "\\B",
        "\\d",
        "\\S",
        "\\w",
        "*",
        "+?",
        "{2}",
        "{0,1}",
        "\\0",
        "\\cA",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\u{41}",
        "\\<",
        "\\-",
        "\\]",
        "&&",
        "~",
        "}",
        "\\p{L}",
        "😀",
        "[:a:]",
        "\\x41",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |limit: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit
    };
    let mut translated = 0;
    for _ in 0..1000 {
        let pattern: String = (0..1 + below(9)).map(|_| PARTS[below(PARTS.len())]).collect();
        let Ok(_) = translate(&pattern, Boundary::Exact) else { continue };
        translated += 1;
        for draft in DRAFTS {
            let compiled = compile::<TextJson<Unwatched>>(
                &json!({"$schema": draft, "pattern": pattern}),
                Formats::Draft,
                &mut |_| None,
            );
            assert!(compiled.is_ok(), "{pattern}: {}", compiled.err().unwrap());
        }
    }
    assert!(translated > 150, "{translated}");
    assert!(
        compile::<TextJson<Unwatched>>(
            &json!({"$defs": {"a": {"pattern": "(?=a)"}}, "enum": [{"pattern": "[^]"}]}),
            Formats::Draft,
            &mut |_| None
        )
        .is_ok()
    );
}

/// As long as a schema may be, and made so that looking ahead twice would be too slow.
#[test]
fn a_long_pattern_is_read_once() {
    for part in ["[", "[:", "(?<a>b)", "(", "\\ud83d", "a{", "[]", "(?s:.)"] {
        let pattern = part.repeat((1 << 20) / part.len());
        let _ = translate(&pattern, Boundary::Exact);
        let _ = translate(&format!("[{pattern}"), Boundary::Exact);
    }
    let names: String = (0..60_000).map(|i| format!("(?<n{i}>b)")).collect();
    assert!(!translate(&names, Boundary::Exact).unwrap().changed);
}
