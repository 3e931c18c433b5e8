use super::*;
use serde_json::{Value, json};

fn received(status: u16, body: Value) -> Received<'static> {
    Received { status, headers: vec![("content-type", "application/json"), ("content-length", "12")], body }
}

fn check(description: &str, faults: &[&str]) -> Check {
    let faults = faults.iter().map(|fault| (*fault).to_owned()).collect();
    Check { description: description.to_owned(), faults, context: Vec::new() }
}

#[test]
fn what_holds_has_no_faults() {
    let expected = Expectation {
        status: Some(200),
        headers: json!({"Content-Type": "application/json", "Content-Length": 12, "ETag": null, "content-type": true})
            .as_object()
            .cloned()
            .unwrap_or_default(),
        body: Some(json!([{"id": 1.0}])),
        contains: Some(json!([{"id": 1}, {}])),
    };
    assert_eq!(expected.faults(&received(200, json!([{"id": 1}]))), Vec::<String>::new());
    assert_eq!(Expectation::default().faults(&received(304, Value::Null)), Vec::<String>::new());
}

#[test]
fn faults_say_what_was_expected_and_what_came() {
    let expected = Expectation {
        status: Some(201),
        headers: json!({"etag": true, "content-type": "text/csv", "Content-Length": null})
            .as_object()
            .cloned()
            .unwrap_or_default(),
        body: Some(json!([{"id": 1, "a/b": "x"}, 3])),
        contains: Some(json!([{"id": 2}])),
    };
    assert_eq!(
        expected.faults(&received(200, json!([{"id": 2.5, "more": null}]))),
        [
            "status: expected 201, got 200",
            "header etag: expected any value, got no such field",
            "header content-type: expected \"text/csv\", got \"application/json\"",
            "header Content-Length: expected no such field, got \"12\"",
            "body: expected 2 elements, got 1",
            "body/0/id: expected 1, got 2.5",
            "body/0/a~1b: expected \"x\", but there is no such member",
            "body/0/more: not expected, got null",
            "body/1: expected 3, but it is missing",
            "body/0/id: expected 2, got 2.5",
        ]
    );
    assert_eq!(Expectation::default().faults(&received(403, Value::Null)), ["status: expected one below 400, got 403"]);
}

#[test]
fn containment_is_that_of_jsonb() {
    let faults = |part: Value, body: Value| {
        Expectation { contains: Some(part), ..Expectation::default() }.faults(&received(200, body))
    };
    for (part, body) in [
        (json!({"a": [1]}), json!({"a": [3, 1], "b": 2})),
        (json!([2, 2, 1]), json!([1, 2])),
        (json!([]), json!([1])),
        (json!(1), json!([1])),
    ] {
        assert!(faults(part, body).is_empty());
    }
    assert_eq!(faults(json!([{"a": 1}]), json!([{"a": 2}, {"a": 3}])), ["body: none of 2 elements contains {\"a\":1}"]);
    assert_eq!(faults(json!({"a": 1}), json!({"a": [1]})), ["body/a: expected 1, got [1]"]);
    assert_eq!(faults(json!({}), json!([])), ["body: expected {}, got []"]);
}

#[test]
fn many_and_long_differences_are_shortened() {
    let (expected, got) = (json!(vec![1; 50]), json!(vec![2; 50]));
    let faults = rows_faults(&expected, &got);
    assert_eq!(faults.last().map(String::as_str), Some("and 30 more differences"));
    assert!(excerpt(&Value::from("ä".repeat(10_000))).chars().count() < 1010);
}

#[test]
fn tap_has_a_subtest_for_each_function() {
    let mut log = Log::default();
    log.begin("test.a");
    assert_eq!(log.add(check("first", &[]), 0.0), "ok 1 - first");
    log.add(check("one # two\nthree \\", &["status: expected 200, got 403", "  a\u{7}b"]), 0.0);
    let lines = "# Subtest: test.a\n    ok 1 - first\n    not ok 2 - one \\# two three \\\\\n      ---\n      message: |\n        \
                 status: expected 200, got 403\n        a\u{FFFD}b\n      ...\n    1..2\nnot ok 1 - test.a";
    assert_eq!(log.end(None, 0.0), lines);
    log.begin("test.b");
    assert_eq!(
        log.end(Some("division by zero\nat line 3".to_owned()), 0.0),
        "not ok 2 - test.b\n  ---\n  message: |\n    division by zero\n    at line 3\n  ..."
    );
    assert_eq!(log.add(check("alone", &[]), 0.0), "ok 3 - alone");
    assert_eq!((log.failed(), log.tests.len()), (vec!["test.a", "test.b"], 3));
}

#[test]
fn junit_is_well_formed_whatever_the_texts_are() {
    let mut log = Log::default();
    log.begin("test.a");
    log.add(check("<&\">\u{1}\n", &["x]]>y\tz"]), 0.0);
    log.end(None, 0.25);
    log.begin("other.b");
    log.end(Some("boom\nhint".to_owned()), 0.5);
    log.add(check("alone", &[]), 0.0);
    assert_eq!(
        log.junit(),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="1" time="0.750">
  <testsuite name="test" tests="1" failures="1" errors="0" time="0.250">
    <testcase classname="test" name="a" time="0.250">
      <failure message="&lt;&amp;&quot;&gt;�&#10;: x]]&gt;y&#9;z">&lt;&amp;&quot;&gt;�

  x]]&gt;y&#9;z</failure>
    </testcase>
  </testsuite>
  <testsuite name="other" tests="1" failures="0" errors="1" time="0.500">
    <testcase classname="other" name="b" time="0.500">
      <error message="boom">boom
hint</error>
    </testcase>
  </testsuite>
  <testsuite name="expectations" tests="1" failures="0" errors="0" time="0.000">
    <testcase classname="expectations" name="alone" time="0.000"/>
  </testsuite>
</testsuites>"#
    );
}

#[test]
fn a_policy_is_covered_when_it_has_allowed_and_denied() {
    let mut coverage = Coverage::default();
    let seen = coverage.policy(1, "own", Clause::Using);
    assert_eq!(seen.verdict(), "never allowed, never denied");
    seen.allowed = 1;
    assert_eq!(seen.verdict(), "never denied");
    seen.unknown = Some("only 1000 rows were evaluated".to_owned());
    seen.roles.insert("web".to_owned());
    assert_eq!(seen.verdict(), "unknown");
    assert_eq!(seen.detail(), "true for 1 row, not true for 0 rows, as web; unknown: only 1000 rows were evaluated");
    seen.denied = 2;
    assert_eq!(seen.verdict(), "covered");
    assert_eq!(seen.detail(), "true for 1 row, not true for 2 rows, as web");
    seen.allowed = 0;
    seen.unknown = None;
    assert_eq!(seen.verdict(), "never allowed");
}
