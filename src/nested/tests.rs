use super::*;

#[test]
fn rows_know_where_they_are_in_the_body() {
    let (rows, is_array) = rows(br#"[{"a": 1.50}, {"b/c": [{"d": null}]}]"#, "").unwrap();
    assert!(is_array);
    assert_eq!(rows[1].at("b/c"), "/1/b~1c");
    assert_eq!(rows[0].get("a"), Some(b"1.50".as_slice()));
    let nested = super::rows(rows[1].get("b/c").unwrap(), &rows[1].at("b/c")).unwrap().0;
    assert_eq!(nested[0].pointer, "/1/b~1c/0");
    assert_eq!(body(&rows), br#"[{"a":1.50},{"b/c":[{"d": null}]}]"#);
    for bad in ["[1]", "1", "[{}", r#"{"a": 1, "a": 2}"#, r#"{"a": 1, "\u0061": 2}"#] {
        assert_eq!(super::rows(bad.as_bytes(), "").unwrap_err().status, 400, "{bad}");
    }
}

#[test]
fn a_stated_key_must_be_the_one_that_follows() {
    let mut row = Row::read(br#"{"a": "1", "b": 2}"#, "/0".to_owned()).unwrap();
    assert!(row.fill("b", Cow::Borrowed(b"2")).is_ok());
    // A text may be read as the same number.
    assert!(row.fill("a", Cow::Borrowed(b"1")).is_ok());
    assert_eq!(row.fill("b", Cow::Borrowed(b"3")).unwrap_err().pointer.as_deref(), Some("/0/b"));
    assert!(row.fill("c", Cow::Borrowed(b"3")).is_ok());
    assert_eq!(row.take("c").as_deref(), Some(b"3".as_slice()));
}

#[test]
fn keys_become_filters_that_mean_them() {
    for value in ["a&b=c", "eq.1", "\"", "é+%41", "(a,b)", ""] {
        let json = serde_json::Value::from(value).to_string();
        let text = format!("/t{}", filters([("or", json.as_bytes())].into_iter()).unwrap());
        let target = crate::http::target::Target::parse(&text).unwrap();
        let query = crate::query::parse(&target.parameters, false).unwrap();
        assert_eq!(query.values, [crate::query::Literal::Text(value.to_owned())], "{text}");
    }
    assert!(
        filters([("a", b"[1]".as_slice())].into_iter()).is_err()
            && filters([("a", b"null".as_slice())].into_iter()).is_err()
    );
}
