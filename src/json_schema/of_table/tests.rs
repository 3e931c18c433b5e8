use super::types::Attribute;
use super::*;

/// A table with one column per type name of `pg_catalog`, and these CHECK constraints.
fn table(columns: &[(&str, &str)], checks: &[&str]) -> (Table, Types) {
    let mut types = HashMap::new();
    let columns = columns
        .iter()
        .zip(1u32..)
        .map(|((name, data_type), oid)| {
            let element = data_type.strip_suffix("[]").map(|element| {
                types.insert(oid + 1000, base_type(element));
                oid + 1000
            });
            types.insert(oid, Type { element, ..base_type(data_type) });
            column(name, oid)
        })
        .collect();
    let table = Table {
        oid: 1,
        schema: "s".into(),
        name: "t".into(),
        kind: RelationKind::Table,
        comment: None,
        schema_usable: true,
        permitted: true,
        columns,
        checks: checks.iter().map(|c| (*c).to_owned()).collect(),
        primary_key: Vec::new(),
        may_be_bound: false,
    };
    (table, Types { by_oid: types, bytea_is_hex: true })
}

fn base_type(name: &str) -> Type {
    match name {
        "mood" => Type {
            schema: "s".into(),
            name: "mood".into(),
            kind: "e".into(),
            labels: vec!["sad".into(), "happy".into()],
            ..Type::default()
        },
        name => Type { schema: "pg_catalog".into(), name: name.into(), kind: "b".into(), ..Type::default() },
    }
}

fn column(name: &str, type_oid: u32) -> Column {
    Column {
        name: name.into(),
        data_type: TypeUse { type_oid, modifier: -1, collation: Collation::default() },
        not_null: true,
        default: None,
        generated: false,
        identity: None,
        comment: None,
        readable: true,
        insertable: true,
        updatable: true,
        schema: None,
    }
}

/// The schema of a column `c` with this type and CHECK.
fn checked(data_type: &str, check: &str) -> Value {
    let (table, types) = table(&[("c", data_type), ("d", data_type), ("We ird", data_type)], &[check]);
    schema_of(&table, &types)["properties"]["c"].clone()
}

#[test]
fn checks_that_are_understood_become_keywords() {
    // as PostgreSQL 15 writes them
    for (data_type, check, expected) in [
        (
            "numeric",
            "((c >= '-1.5'::numeric) AND (c < '1000'::numeric))",
            json!({"type": "number", "minimum": -1.5, "exclusiveMaximum": 1000}),
        ),
        (
            "numeric",
            "(c > (0)::numeric)",
            json!({"type": ["number", "string"], "exclusiveMinimum": 0, "pattern": "^(NaN|Infinity)$"}),
        ),
        (
            "numeric",
            "((0)::numeric < c)",
            json!({"type": ["number", "string"], "exclusiveMinimum": 0, "pattern": "^(NaN|Infinity)$"}),
        ),
        (
            "float8",
            "((c > (0.1)::double precision) AND (c <= (5)::double precision))",
            json!({"type": "number", "exclusiveMinimum": 0.1, "maximum": 5}),
        ),
        (
            "int2",
            "(c = ANY ('{1,2}'::smallint[]))",
            json!({"type": "integer", "enum": [1, 2], "minimum": -32768, "maximum": 32767}),
        ),
        (
            "int2",
            "((c > '-1'::integer) AND ((c >= 0) AND (c <= 5)))",
            json!({"type": "integer", "minimum": 0, "maximum": 5}),
        ),
        (
            "int2",
            "(((c)::numeric > 1.5) AND (c < 9))",
            json!({"type": "integer", "exclusiveMinimum": 1.5, "exclusiveMaximum": 9}),
        ),
        ("text", "(length(c) <= 20)", json!({"type": "string", "maxLength": 20})),
        ("text", "(length(TRIM(BOTH FROM c)) > 0)", json!({"type": "string", "minLength": 1})),
        ("text", "(btrim(c) <> ''::text)", json!({"type": "string", "minLength": 1})),
        ("text", "(c <> ''::text)", json!({"type": "string", "minLength": 1})),
        (
            "varchar",
            "((char_length((c)::text) >= 2) AND (octet_length((c)::text) < 3))",
            json!({"type": "string", "minLength": 2, "maxLength": 2}),
        ),
        (
            "varchar",
            "((c)::text = ANY ((ARRAY['a'::character varying, 'b''c'::character varying])::text[]))",
            json!({"type": "string", "enum": ["a", "b'c"]}),
        ),
        ("varchar", "((c)::text ~ '^[A-Z]{2}$'::text)", json!({"type": "string", "pattern": "^[A-Z]{2}$"})),
        (
            "text",
            "((c ~ '^a'::text) AND (c ~ 'b$'::text))",
            json!({"type": "string", "pattern": "^a", "allOf": [{"pattern": "b$"}]}),
        ),
        ("text", "(c ~~ 'b%'::text)", json!({"type": "string", "pattern": "^b"})),
        ("text", "((c = 'a'::text) OR (c = 'b'::text))", json!({"type": "string", "enum": ["a", "b"]})),
        ("mood", "(c = 'sad'::s.mood)", json!({"type": "string", "enum": ["sad"]})),
        ("mood", "((c)::text = ANY (ARRAY['happy'::text, 'x'::text]))", json!({"type": "string", "enum": ["happy"]})),
        ("jsonb", "(jsonb_typeof(c) = 'object'::text)", json!({"type": "object"})),
        ("jsonb", "(jsonb_typeof(c) = ANY (ARRAY['array'::text, 'null'::text]))", json!({"type": ["array", "null"]})),
        ("jsonb", "(jsonb_array_length(c) >= 2)", json!({"minItems": 2})),
        ("bool", "c", json!({"type": "boolean", "enum": [true]})),
        ("bool", "(NOT c)", json!({"type": "boolean", "enum": [false]})),
        (
            "text[]",
            "(cardinality(c) = 4)",
            json!({"type": "array", "items": {"type": ["string", "null", "array"]}, "minItems": 1, "maxItems": 4}),
        ),
        (
            "text[]",
            "((array_length(c, 1) <= 3) AND (array_ndims(c) = 1))",
            json!({"type": "array", "items": {"type": ["string", "null"]}, "maxItems": 3}),
        ),
        // the other conjuncts may be anything
        (
            "text",
            "((c ~~* 'a%'::text) AND (length(c) < 5) AND (now() > f(c, ROW(1, 2))))",
            json!({"type": "string", "maxLength": 4}),
        ),
        (
            "text",
            "(\nCASE\n    WHEN (c = 'a'::text) THEN true\n    ELSE false\nEND AND (length(c) < 5))",
            json!({"type": "string", "maxLength": 4}),
        ),
    ] {
        assert_eq!(checked(data_type, check), expected, "{check}");
    }
}

#[test]
fn checks_that_say_less_than_they_seem_to_are_left_out() {
    for (data_type, check) in [
        // NULL in the list: the CHECK is never false
        ("text", "(c = ANY (ARRAY['a'::text, NULL::text]))"),
        ("text", "(c = ANY ('{a,NULL}'::text[]))"),
        // about another column, or only if another column has some value
        ("text", "(length(d) < 5)"),
        ("text", "((length(c) < 5) OR (length(d) < 5))"),
        ("text", "((d IS NULL) OR (length(c) < 5))"),
        ("text", "((length(c) < 5) OR f(c))"),
        ("text", "(c = d)"),
        // functions and operators that are not PostgreSQL's own
        ("text", "(s.length(c) < 5)"),
        ("text", "(c OPERATOR(s.=) 'a'::text)"),
        ("text", "(c ~* '^a'::text)"),
        ("text", "(c !~ '^a'::text)"),
        ("text", "(NOT (c ~ '^a'::text))"),
        // the value is changed before it is compared
        ("text", "(lower(c) = 'a'::text)"),
        ("text", "((c)::bpchar = 'a'::bpchar)"),
        ("text", "((c)::character varying(2) = 'ab'::text)"),
        ("text", "(c = 'abc'::character varying(2))"),
        ("text", "(length(TRIM(BOTH FROM c)) < 5)"),
        ("text", "(octet_length(c) > 5)"),
        ("float8", "((c)::integer >= 6)"),
        ("float8", "((c + (1)::double precision) > (3)::double precision)"),
        // the constant changes when it is converted
        ("float4", "(c > (0.1)::double precision)"),
        ("numeric", "(c > 0.12345678901234567890)"),
        ("float8", "(c > (9007199254740993)::double precision)"),
        ("numeric", "(c > ((1.5)::integer)::numeric)"),
        // empty arrays pass, and all levels are counted
        ("text[]", "(array_length(c, 1) >= 2)"),
        ("text[]", "(array_length(c, 2) <= 2)"),
        ("text", "(c COLLATE s.\"x\" = 'a'::text)"),
        ("text", "((c).f = 'a'::text)"),
        ("text[]", "(c[1] = 'a'::text)"),
        // malformed
        ("text", "((c = 'a'::text"),
        ("text", "(c = 'a"),
        ("text", ""),
        ("text", ")"),
    ] {
        assert_eq!(checked(data_type, check), checked(data_type, "true"), "{check}");
    }
}

#[test]
fn cardinality_says_little_of_the_outer_array() {
    assert_eq!(checked("text[]", "(cardinality(c) >= 3)")["minItems"], 1);
}

#[test]
fn a_check_passes_on_null() {
    let (mut table, types) = table(
        &[("c", "text"), ("d", "text"), ("e", "jsonb")],
        &[
            "(c = 'a'::text)",
            "((d IS NOT NULL) AND (d = 'a'::text))",
            "((e IS NULL) OR (jsonb_typeof(e) = 'object'::text))",
        ],
    );
    table.columns.iter_mut().for_each(|c| c.not_null = false);
    let schema = schema_of(&table, &types);
    assert_eq!(schema["properties"]["c"], json!({"type": ["string", "null"], "enum": ["a", null]}));
    assert_eq!(schema["properties"]["d"], json!({"type": "string", "enum": ["a"]}));
    assert_eq!(schema["properties"]["e"], json!({"type": ["object", "null"]}));
    assert_eq!(schema["required"], json!(["d"]));
}

#[test]
fn nested_parentheses_end_the_reading_not_the_stack() {
    let deep = format!("{}c = 'a'::text{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(checked("text", &deep), json!({"type": "string"}));
    let open = format!("(c = 'a'::text) AND {}", "(".repeat(100_000));
    assert_eq!(checked("text", &open), json!({"type": "string"}));
}

#[test]
fn patterns_are_taken_when_all_engines_agree() {
    for (posix, ecma) in [
        ("^[A-Z]{2}$", Some("^[A-Z]{2}$")),
        (r"^[^@]+@[^@]+\.[^@]+$", Some(r"^[^@]+@[^@]+\.[^@]+$")),
        (r"^\d{3}-\d{4}$", Some("^[0-9]{3}-[0-9]{4}$")),
        (r"^[\d-]+$", Some(r"^[0-9\-]+$")),
        (r"^[\w.]+$", None),
        ("^a.c$", Some(r"^a[\s\S]c$")),
        ("^(a|b|)(?:c)*$", Some("^(a|b|)(?:c)*$")),
        (r"a\-b\_c", Some("a-b_c")),
        (r"a]b}", Some(r"a\]b\}")),
        (r"^[a-z0-9_.+-]{1,64}$", Some(r"^[a-z0-9_.+\-]{1,64}$")),
        ("[[]", Some(r"[\[]")),
        ("", Some("")),
        // newline-sensitive, case-insensitive, look-ahead, quoted; classes and boundaries that depend on the locale; back
        // references
        ("(?i)a", None),
        ("a(?=b)", None),
        ("***=a", None),
        (r"\w", None),
        (r"\ya", None),
        (r"(a)\1", None),
        ("[[:alpha:]]", None),
        ("[]a]", None),
        ("[a&&b]", None),
        ("a+?", None),
        ("a**", None),
        ("^*", None),
        ("(a", None),
        ("a)", None),
        ("[a", None),
        ("[z-a]", None),
        ("a{3,2}", None),
        ("a{300}", None),
        ("*", None),
        // more states than engines build
        ("((a{100}){100}){100}", None),
    ] {
        assert_eq!(pattern::translate(posix, true).as_deref(), ecma, "{posix}");
    }
    assert_eq!(pattern::translate(r"\d", false), None);
    for (like, ecma) in
        [("a%", Some("^a")), ("%a", Some("a$")), ("%a.b%", Some(r"a\.b")), ("%", None), (r"a\%_", Some(r"^a%[\s\S]$"))]
    {
        assert_eq!(pattern::of_like(like).as_deref(), ecma, "{like}");
    }
}

#[test]
fn numeric_has_limits_that_binary_fractions_keep() {
    let limits = |precision: i32, scale: i32| {
        let (mut table, types) = table(&[("c", "numeric")], &[]);
        table.columns[0].data_type.modifier = ((precision << 16) | (scale & 0x7ff)) + 4;
        let schema = schema_of(&table, &types);
        let c = &schema["properties"]["c"];
        (c["minimum"].clone(), c["maximum"].clone())
    };
    assert_eq!(limits(6, 2), (json!(-9999.99), json!(9999.99)));
    assert_eq!(limits(3, 5), (json!(-0.00999), json!(0.00999)));
    // 999999999999999999.99 is 10^18 as a double
    assert_eq!(limits(20, 2), (json!(-1_000_000_000_000_000_000i64), json!(1_000_000_000_000_000_000i64)));
    assert_eq!(limits(2, -3), (json!(-100_000), json!(100_000)));
    assert_eq!(limits(1000, 10), (Value::Null, Value::Null));
}

#[test]
fn a_schema_bound_to_a_column_lets_null_pass() {
    let (mut table, types) = table(&[("c", "jsonb"), ("d", "jsonb"), ("e", "jsonb")], &[]);
    let bound = json!({"type": "object", "required": ["a"]});
    let recursive = json!({"properties": {"child": {"$ref": "#"}}});
    table.columns[0].schema = Some(bound.clone());
    table.columns[1].schema = Some(bound.clone());
    table.columns[1].not_null = false;
    table.columns[1].comment = Some("D".into());
    table.columns[2].schema = Some(recursive);
    let properties = &schema_of(&table, &types)["properties"];
    assert_eq!(properties["c"], bound);
    assert_eq!(properties["d"], json!({"anyOf": [{"type": "null"}, bound], "description": "D"}));
    // a schema that refers to its own root is embedded unchanged
    let id = "urn:x-postgresql:s:t:e";
    assert_eq!(properties["e"], json!({"properties": {"child": {"$ref": "#"}}, "$id": id}));
    let nested = json!({"c": 0, "d": null, "e": {"child": {"child": 7, "x": 1}}});
    let schema = jsonschema::validator_for(&schema_of(&table, &types)).unwrap();
    assert!(!schema.is_valid(&nested));
    assert!(schema.is_valid(&json!({"c": {"a": 1}, "d": null, "e": {"child": {"child": {}}}})));
    assert!(!schema.is_valid(&json!({"c": {"a": 1}, "d": {}, "e": {}})));
}

#[test]
fn composite_types_end_at_a_depth_and_a_size() {
    // each has two attributes of the one before
    let (mut table, mut types) = table(&[("c", "int4")], &[]);
    let mut inner = 1;
    for oid in 10..60 {
        let attribute = |name: &str| Attribute {
            name: name.into(),
            data_type: TypeUse { type_oid: inner, modifier: -1, collation: Collation::default() },
        };
        let attributes = vec![attribute("a"), attribute("b")];
        types.by_oid.insert(oid, Type { kind: "c".into(), attributes, ..Type::default() });
        inner = oid;
    }
    table.columns[0].data_type.type_oid = inner;
    let schema = schema_of(&table, &types);
    assert_eq!(schema["properties"]["c"]["properties"]["a"]["type"], json!(["object", "null"]));
    assert!(schema.to_string().len() < 4_000_000);
}

#[test]
fn the_query_of_the_catalogue_is_read() {
    let Relations { tables, types } = serde_json::from_value(json!({
        "tables": [{
            "oid": 7, "schema": "s", "name": "t", "kind": "v", "comment": null, "schema_usable": true, "permitted": true,
            "checks": [], "primary_key": ["c"],
            "columns": [{"name": "c", "type_oid": 9, "modifier": -1, "not_null": false, "generated": false,
                "identity": "d", "readable": true, "insertable": false, "updatable": false,
                "collation": {"deterministic": false, "ascii_digits": false}}]
        }],
        "types": { "bytea_is_hex": true, "by_oid": {
            "9": {"schema": "s", "name": "d", "kind": "d", "not_null": true, "base": {"type_oid": 25, "modifier": -1},
                "checks": ["((VALUE <> ''::text) AND (VALUE = 'a'::text))"]},
            "25": {"schema": "pg_catalog", "name": "text", "kind": "b", "not_null": false}
        } }
    }))
    .unwrap();
    let table = tables.into_iter().next().unwrap();
    // a view's column can be NULL, whatever its domain says; equality is not bytewise
    assert_eq!(
        schema_of(&table, &types)["properties"]["c"],
        json!({"type": ["string", "null"], "minLength": 1, "readOnly": true})
    );
}
