use super::*;

fn values(text: &str) -> Vec<(usize, String, Value)> {
    let bindings = parse(text).unwrap_or_else(|why| panic!("{why}"));
    bindings.into_iter().map(|b| (b.line, b.name, b.value)).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn values_are_texts_numbers_and_switches() {
    let found = values(
        "# a comment\r\n\ndb-schemas = \"api, 1\" # another\n  server-port=3000\ndb-config = off\nlog-query=true\n\
         jwt-secret =\n   \"a\\\"b\\\\c\\u00e4\\ud83d\\ude00\\n$$d#\"\n",
    );
    let expected = [
        (3, "db-schemas", text("api, 1")),
        (4, "server-port", text("3000")),
        (5, "db-config", Value::Switch(false)),
        (6, "log-query", Value::Switch(true)),
        (7, "jwt-secret", text("a\"b\\cä😀\n$d#")),
    ];
    assert_eq!(found, expected.map(|(line, name, value)| (line, name.to_owned(), value)));
    assert_eq!(values(""), []);
    assert_eq!(values("# only"), []);
}

#[test]
fn groups_and_commented_settings_are_read() {
    let found = values("app {\n settings { a = \"1\"\n b = \"2\" }\n}\n#; db-pool = 3\nx.y = 4");
    let names: Vec<_> = found.iter().map(|(line, name, _)| (*line, name.as_str())).collect();
    assert_eq!(names, [(2, "app.settings.a"), (3, "app.settings.b"), (6, "x.y")]);
}

#[test]
fn settings_above_and_the_environment_are_named_in_texts() {
    let found = values("a = \"x\"\nb = \"$(a)-$(a)\"\nc = \"$(HOME)\"\nimport \"other.conf\"");
    assert_eq!(found[1].2, text("x-x"));
    assert_eq!(found[2].2, Value::Environment("HOME".to_owned()));
    assert_eq!(found[3].2, Value::File("other.conf".to_owned()));
}

#[test]
fn environment_variables_are_lines() {
    let bindings =
        parse("PGRST_DB_URI=postgres://a:b@c/d?x=$y\nexport PGRST_DB_SCHEMAS=\"a, b\"\nPGRST_APP_SETTINGS_My_Key=v")
            .unwrap();
    let found: Vec<_> = bindings.iter().map(|b| (b.name.as_str(), b.value.clone(), b.is_variable)).collect();
    let expected = [
        ("db-uri", text("postgres://a:b@c/d?x=$y"), true),
        ("db-schemas", text("a, b"), true),
        ("app.settings.my_key", text("v"), true),
    ];
    assert_eq!(found, expected);
}

#[test]
fn malformed_lines_are_named() {
    for (text, line) in [
        ("a", 1),
        ("\na b", 2),
        ("a = ", 1),
        ("a = b", 1),
        ("a = trueish", 1),
        ("a = 1x", 1),
        ("a = -1", 1),
        ("a = \"1\" b = 2", 1),
        ("a = 1\nb = \"x\ny\n", 2),
        ("a = \"\\x\"", 1),
        ("a = \"\\u12\"", 1),
        ("a = \"\\ud800\"", 1),
        ("a = \"1\"\n\nb = \"x $ y\"", 3),
        ("a = \"$()\"", 1),
        ("a = [1]", 1),
        ("1a = 1", 1),
        ("a. = 1", 1),
        ("a {\nb = 1\n", 3),
        ("}", 1),
        ("PGRST_DB_URI: x", 1),
        ("'a' = 1", 1),
    ] {
        let why = parse(text).map(|found| panic!("{text:?}: {found:?}")).unwrap_err();
        assert_eq!(why.line, line, "{text:?}: {why}");
    }
    let grows: String = (0..60).map(|i| format!("a{} = \"$(a{i})$(a{i})\"\n", i + 1)).collect();
    assert!(parse(&format!("a0 = \"xx\"\n{grows}")).is_err());
    assert!(parse(&" ".repeat(limits::CONFIGURATION_BYTES + 1)).is_err());
    let deep = "a {\n".repeat(1000);
    assert_eq!(parse(&deep).unwrap_err().line, DEPTH + 1);
}
