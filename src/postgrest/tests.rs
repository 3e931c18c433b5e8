use super::*;

fn rows(text: &str) -> Vec<Row> {
    let import = import(text).unwrap_or_else(|why| panic!("{why}: {}", why.hint));
    import.rows.into_iter().filter(|row| row.line.is_some()).collect()
}

/// The first row of a setting alone.
fn row(text: &str) -> Row {
    rows(text).remove(0)
}

fn parameter(text: &str) -> (String, String) {
    row(text).parameter.unwrap_or_else(|| panic!("{text}: no parameter"))
}

fn arguments(text: &str) -> Vec<(&'static str, Json)> {
    rows(text).into_iter().filter_map(|row| row.call).map(|(name, arguments)| (name, Json::Object(arguments))).collect()
}

#[test]
fn settings_become_ours() {
    for (text, name, value) in [
        ("db-schemas = \"api, My Schema,a\\\"b\"", "restful.schemas", "api, \"My Schema\", \"a\"\"b\""),
        ("db-schema = \"api\"", "restful.schemas", "api"),
        ("db-extra-search-path = \"\"", "restful.extra_search_path", ""),
        ("db-anon-role = \"Web anon\"", "restful.anon_role", "Web anon"),
        ("db-max-rows = 100", "restful.max_rows", "100"),
        ("max-rows = \"100\"", "restful.max_rows", "100"),
        ("db-plan-enabled = \"True\"", "restful.plan_enabled", "on"),
        ("db-aggregates-enabled = false", "restful.aggregates_enabled", "off"),
        ("openapi-security-active = 1", "restful.openapi_security_active", "on"),
        ("db-tx-end = \"rollback\"", "restful.tx_end", "rollback"),
        ("app.settings.my_key = 3", "app.settings.my_key", "3"),
    ] {
        assert_eq!(parameter(text), (name.to_owned(), value.to_owned()), "{text}");
    }
}

#[test]
fn the_gateway_has_variables() {
    for (text, expected) in [
        ("db-pool = 20", "POOL_SIZE=20"),
        ("db-pool-acquisition-timeout = 3", "POOL_TIMEOUT=3"),
        ("db-prepared-statements = false", "PREPARED_STATEMENTS=off"),
        ("server-port = 80", "LISTEN=0.0.0.0:80"),
        ("server-host = \"127.0.0.1\"", "LISTEN=127.0.0.1:3000"),
        ("server-port = 80\nserver-host = \"!6\"", "LISTEN=[::]:80"),
        ("server-port = 80\nserver-host = \"::1\"", "LISTEN=[::1]:80"),
        ("log-level = \"info\"", "LOG=access"),
        ("log-level = \"warn\"", "LOG=off"),
        ("server-cors-allowed-origins = \"https://a, https://b\"", "CORS_ALLOWED_ORIGINS=https://a,https://b"),
    ] {
        assert_eq!(row(text).gateway.as_deref(), Some(expected), "{text}");
    }
    assert_eq!(row("server-host = \"api.local\"").gateway, None);
}

#[test]
fn secrets_are_loaded_as_what_they_are() {
    let text = "reallyreallyreallyreallyverysafe";
    assert_eq!(arguments(&format!("jwt-secret = \"{text}\"")), [("load_secret", json!({"secret": text}))]);
    let all = format!(
        "jwt-secret = \"{text}\"\njwt-secret-is-base64 = true\njwt-aud = \"me\"\njwt-role-claim-key = \"$$.a.role\""
    );
    let expected = json!({"secret": text, "is_base64": true, "audiences": ["me"], "role_path": "$.a.role"});
    assert_eq!(arguments(&all), [("load_secret", expected)]);
    let keys = r#"PGRST_JWT_SECRET={"keys": [{"kty": "oct", "k": "YQ", "alg": "HS512"}, {"kty": "RSA", "n": "x", "d": "secret"}]}"#;
    let expected = [
        ("load_secret", json!({"secret": "YQ", "is_base64": true, "algorithm": "HS512"})),
        ("load_jwks", json!({"issuer": "", "jwks": r#"{"keys":[{"kty":"RSA","n":"x"}]}"#})),
    ];
    assert_eq!(arguments(keys), expected);
    assert!(rows(&all).iter().all(|row| row.value.as_deref() != Some(text)));
}

#[test]
fn what_is_elsewhere_is_not_read_but_told() {
    for text in [
        "jwt-secret = \"@/etc/secret\"",
        "db-uri = \"@uri\"",
        "db-schemas = \"$(SCHEMAS)\"",
        "import \"other\"",
        "db-pool-timeout = 3",
        "db-schema =\"\"",
        "db-shemas = \"api\"",
        "jwt-role-claim-key = \"$$.roles[?search(@, \\\"^a\\\")]\"",
        "app.settings.my-key = \"x\"",
    ] {
        let row = row(text);
        assert!(
            row.note.is_some() && row.parameter.is_none() && row.call.is_none() && row.gateway.is_none(),
            "{text}: {row:?}"
        );
    }
    assert!(row("db-shemas = \"api\"").note.unwrap().contains("Perhaps db-schemas"));
    // the value that counts
    let found = rows("db-schema = \"a\"\nmax-rows = 1\ndb-schemas = \"b\"\ndb-schemas = \"c\"\nPGRST_MAX_ROWS=2");
    let set: Vec<_> = found.iter().filter_map(|row| row.parameter.as_ref().map(|(_, value)| value.as_str())).collect();
    assert_eq!(set, ["c", "2"]);
    assert_eq!(found[0].note.as_deref(), Some("Does not count: line 4 sets it, too."));
}

#[test]
fn the_login_role_is_that_of_the_address() {
    for (uri, role, shown) in [
        ("postgres://web%40x:p@ss@host:5432/db", Some("web@x"), "postgres://web%40x:***@host:5432/db"),
        ("postgresql://web@/db?host=/tmp", Some("web"), "postgresql://web@/db?host=/tmp"),
        ("postgresql:///db?user=web", Some("web"), "postgresql:///db?user=web"),
        ("postgres://web@host/db?password=x", Some("web"), "***"),
        ("host=a user=web password=x", Some("web"), "***"),
        ("postgresql://", None, "postgresql://"),
    ] {
        let text = format!("db-uri = \"{uri}\"");
        assert_eq!(import(&text).unwrap().role.as_deref(), role, "{uri}");
        assert_eq!(row(&text).value.as_deref(), Some(shown));
    }
}

#[test]
fn values_that_postgrest_would_not_take_are_refused() {
    for text in [
        "\ndb-max-rows = \"many\"",
        "\ndb-max-rows = 0",
        "\ndb-pool = 1.5",
        "\ndb-plan-enabled = \"yes\"",
        "\ndb-tx-end = \"never\"",
        "\nserver-port = 70000",
        "\nlog-level = \"loud\"",
        "\ndb-schemas = \"api, pg_catalog\"",
        "\njwt-secret = \"short\"",
        "\njwt-secret = \"{}\"",
    ] {
        assert_eq!(import(text).map(|found| panic!("{text}: {found:?}")).unwrap_err().line, 2, "{text}");
    }
}

/// Numbers that look random and are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    const CHARACTERS: [&str; 12] = ["a", "B", "1", " ", "\"", "\\", "$", "#", "\n", "ä", "😀", "'"];
    const SPACES: [&str; 5] = ["", " ", "\t", "\n  ", " # comment \" $\n "];
    let names: Vec<&str> = KNOWN.iter().filter(|k| matches!(k.target, Target::Text(_))).map(|k| k.name).collect();
    let mut random = Random(7);
    for _ in 0..2000 {
        let (mut text, mut expected) = (String::new(), Vec::new());
        for name in &names[..=random.below(names.len())] {
            let value: String = (0..=random.below(8)).map(|_| CHARACTERS[random.below(CHARACTERS.len())]).collect();
            let mut written = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "$$");
            if random.below(2) == 0 {
                written = written.replace('\n', "\\n").replace('ä', "\\u00e4").replace('😀', "\\ud83D\\uDe00");
            }
            let (before, after) = (SPACES[random.below(5)], SPACES[random.below(5)]);
            text += &format!("{name}{before}={after}\"{written}\"{}\n", [" ", "", "# x"][random.below(3)]);
            expected.push(value);
        }
        let found: Vec<_> = rows(&text).into_iter().map(|row| row.parameter.unwrap().1).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn no_text_is_too_strange() {
    let sample = "db-uri = \"postgres://a:b@c/d\"\napp { settings { x = \"$(db-uri)$$\" } }\n#; db-pool = 3\njwt-secret = \
                  \"{\\\"keys\\\": [{\\\"kty\\\": \\\"oct\\\"}]}\"\nPGRST_SERVER_PORT=80\nserver-host = \"\\ud83d\\ude00\"\nimport \"x\"\n";
    let characters: Vec<char> = sample.chars().chain("\\\"$({})[]=#;\r\n\0äu😀".chars()).collect();
    let mut random = Random(11);
    for _ in 0..20_000 {
        let mut text: Vec<char> = sample.chars().collect();
        for _ in 0..=random.below(4) {
            let at = random.below(text.len());
            match random.below(3) {
                0 => drop(text.remove(at)),
                1 => text.insert(at, characters[random.below(characters.len())]),
                _ => text[at] = characters[random.below(characters.len())],
            }
        }
        let text: String = text.into_iter().collect();
        let lines = text.matches('\n').count() + 1;
        match import(&text) {
            Ok(found) => assert!(found.rows.iter().all(|row| row.line.is_none_or(|line| (1..=lines).contains(&line)))),
            Err(why) => assert!((1..=lines).contains(&why.line) && !why.message.is_empty(), "{text}: {why}"),
        }
    }
}
