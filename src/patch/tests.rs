use super::*;
use crate::limits;
use serde_json::Value;

fn value(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(text)))
}

fn merge(document: &str, patch: &str) -> Value {
    value(&merged(document.as_bytes(), patch.as_bytes(), 100_000).unwrap())
}

/// The document after a JSON patch, or the status of the refusal.
fn patch(document: &str, operations: &str) -> std::result::Result<Value, u16> {
    let operations = Operations::parse(operations.as_bytes()).map_err(|e| e.status)?;
    patched(document.as_bytes(), &operations, 2_000, || {}).map(|text| value(&text)).map_err(|e| e.status)
}

/// RFC 7396, appendix A.
#[test]
fn merge_patches_do_what_the_rfc_shows() {
    for (document, patch, result) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, "null", "null"),
        (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ] {
        assert_eq!(merge(document, patch), value(result.as_bytes()), "{document} {patch}");
    }
    assert_eq!(merged(b"{}", br#"{"a":1}"#, 3), Err(Problem::Size));
}

/// RFC 6902, appendix A.
#[test]
fn json_patches_do_what_the_rfc_shows() {
    for (document, operations, result) in [
        (r#"{"foo":"bar"}"#, r#"[{"op":"add","path":"/baz","value":"qux"}]"#, r#"{"baz":"qux","foo":"bar"}"#),
        (
            r#"{"foo":["bar","baz"]}"#,
            r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            r#"{"foo":["bar","qux","baz"]}"#,
        ),
        (r#"{"baz":"qux","foo":"bar"}"#, r#"[{"op":"remove","path":"/baz"}]"#, r#"{"foo":"bar"}"#),
        (r#"{"foo":["bar","qux","baz"]}"#, r#"[{"op":"remove","path":"/foo/1"}]"#, r#"{"foo":["bar","baz"]}"#),
        (
            r#"{"baz":"qux","foo":"bar"}"#,
            r#"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            r#"{"baz":"boo","foo":"bar"}"#,
        ),
        (
            r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
        ),
        (
            r#"{"foo":["all","grass","cows","eat"]}"#,
            r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            r#"{"foo":["all","cows","eat","grass"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
            r#"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
            r#"{"foo":"bar","child":{"grandchild":{}}}"#,
        ),
        (r#"{"foo":"bar"}"#, r#"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#, r#"{"foo":"bar","baz":"qux"}"#),
        (r#"{"/":9,"~1":10}"#, r#"[{"op":"test","path":"/~01","value":10}]"#, r#"{"/":9,"~1":10}"#),
        (
            r#"{"foo":["bar"]}"#,
            r#"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
            r#"{"foo":["bar",["abc","def"]]}"#,
        ),
        (r#"{"a":{"b":1}}"#, r#"[{"op":"copy","from":"/a","path":"/a/c"}]"#, r#"{"a":{"b":1,"c":{"b":1}}}"#),
        (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/a"}]"#, r#"{"a":1}"#),
        (r#"{"a":null}"#, r#"[{"op":"replace","path":"/a","value":0}]"#, r#"{"a":0}"#),
    ] {
        assert_eq!(patch(document, operations), Ok(value(result.as_bytes())), "{document} {operations}");
    }
}

#[test]
fn what_does_not_apply_is_a_conflict_and_what_is_malformed_is_not() {
    for (operations, status) in [
        (r#"[{"op":"test","path":"/a","value":"1"}]"#, 409),
        (r#"[{"op":"add","path":"/z/b","value":1}]"#, 409),
        (r#"[{"op":"remove","path":"/z"}]"#, 409),
        (r#"[{"op":"replace","path":"/z","value":1}]"#, 409),
        (r#"[{"op":"add","path":"/l/4","value":1}]"#, 409),
        (r#"[{"op":"add","path":"/l/01","value":1}]"#, 409),
        (r#"[{"op":"remove","path":"/l/-"}]"#, 409),
        (r#"[{"op":"add","path":"/a/b","value":1}]"#, 409),
        (r#"[{"op":"remove","path":"/a"},{"op":"test","path":"/a","value":null}]"#, 409),
        (r#"{}"#, 400),
        (r#"[1]"#, 400),
        (r#"[{"op":"add","path":"/a"}]"#, 400),
        (r#"[{"path":"/a"}]"#, 400),
        (r#"[{"op":"frob","path":"/a"}]"#, 400),
        (r#"[{"op":"remove","path":"a"}]"#, 400),
        (r#"[{"op":"remove","path":""}]"#, 400),
        (r#"[{"op":"remove","path":"/~2"}]"#, 400),
        (r#"[{"op":"move","from":"/a","path":"/a/b"}]"#, 400),
        (r#"[{"op":"copy","path":"/b"}]"#, 400),
        (r#"[{"op":"add","op":"test","path":"/a","value":1}]"#, 400),
        (r#"[{"op":"test","path":"/a","value":1}"#, 400),
    ] {
        assert_eq!(patch(r#"{"a":1,"l":[1,2,3]}"#, operations), Err(status), "{operations}");
    }
    let details = |operations: &str| Operations::parse(operations.as_bytes()).unwrap_err().details.clone().unwrap();
    assert_eq!(
        details(r#"[{"op":"remove","path":"/a"},{"op":"add","path":"/a"}]"#),
        "Operation /1: it has no 'value'."
    );
}

#[test]
fn copies_stay_within_bounds() {
    let doubling: Vec<String> = (0..64).map(|i| format!(r#"{{"op":"copy","from":"/a","path":"/a/{i}"}}"#)).collect();
    assert_eq!(patch(r#"{"a":{"b":"0123456789"}}"#, &format!("[{}]", doubling.join(","))), Err(413));
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let deeper = format!(r#"[{{"op":"copy","from":"/a","path":"/a{}/1"}}]"#, "/0".repeat(39));
    assert_eq!(patch(&format!(r#"{{"a":{deep}}}"#), &deeper), Err(400));
    let many: Vec<&str> = vec![r#"{"op":"test","path":"/a","value":1}"#; limits::PATCH_OPERATIONS + 1];
    assert_eq!(patch(r#"{"a":1}"#, &format!("[{}]", many.join(","))), Err(400));
}

#[test]
fn tests_compare_values_and_not_texts() {
    let equal = |a: &str, b: &str| {
        patch(&format!(r#"{{"a":{a}}}"#), &format!(r#"[{{"op":"test","path":"/a","value":{b}}}]"#)).is_ok()
    };
    for (a, b) in [
        ("1", "1.0"),
        ("100", "1e2"),
        ("-0", "0"),
        ("0.10", "1E-1"),
        (r#""a""#, r#""\u0061""#),
        (r#"{"a":1,"b":[2]}"#, r#"{ "b": [ 2.0 ], "a" : 1 }"#),
        ("[]", "[ ]"),
    ] {
        assert!(equal(a, b), "{a} {b}");
    }
    for (a, b) in [
        ("1", "-1"),
        ("1", r#""1""#),
        ("[1]", "[1,1]"),
        ("{}", "[]"),
        ("null", "false"),
        (r#"{"a":1}"#, r#"{"b":1}"#),
        ("10", "1"),
    ] {
        assert!(!equal(a, b), "{a} {b}");
    }
}

#[test]
fn what_a_patch_does_not_touch_keeps_its_text() {
    let document = br#"{"a":{"n":1.50e+2,"long":123456789012345678901234567890},"b" : [ 1 ]}"#;
    let operations = Operations::parse(br#"[{"op":"add","path":"/b/-","value":2.0}]"#).unwrap();
    let out = patched(document, &operations, 1000, || {}).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"a":{"n":1.50e+2,"long":123456789012345678901234567890},"b":[1,2.0]}"#
    );
}

#[test]
fn the_columns_of_a_patch_are_the_first_tokens() {
    let columns = Operations::parse(
        br#"[{"op":"test","path":"/v","value":1},{"op":"move","from":"/a/x","path":"/b/-"},{"op":"copy","from":"/c","path":"/a~1b"}]"#,
    )
    .unwrap()
    .columns();
    assert_eq!(columns.written.join(" "), "b a a/b");
    assert_eq!(columns.read.join(" "), "v b a a/b c");
    assert_eq!(
        merging_members(br#"{"a":{"x":1},"b":[{}],"c":null}"#).unwrap(),
        (vec!["a".into(), "b".into(), "c".into()], vec!["a".into()])
    );
    for body in ["[]", "1", r#"{"a":1,"a":2}"#, r#"{"a":1"#] {
        assert_eq!(merging_members(body.as_bytes()).unwrap_err().status, 400, "{body}");
    }
}
