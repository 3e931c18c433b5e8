use super::*;

fn query(text: &str) -> Result<Query> {
    let target = format!("/x?{text}");
    parse(&crate::http::target::Target::parse(&target)?.parameters, false)
}

#[track_caller]
fn round_trips(text: &str) -> Query {
    let q = query(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
    let parameters: Vec<(Cow<str>, Option<Cow<str>>)> =
        q.parameters().into_iter().map(|(n, v)| (n.into(), Some(v.into()))).collect();
    let again = parse(&parameters, false).unwrap_or_else(|e| panic!("{text} -> {parameters:?}: {e:?}"));
    assert_eq!(again.parameters(), q.parameters(), "{text}");
    assert_eq!(again.root.select, q.root.select, "{text}");
    q
}

#[test]
fn what_is_displayed_parses_to_the_same() {
    for text in [
        "id=eq.1",
        "id=not.in.(1,2,\"a,b\",\"q\\\"uote\")",
        "select=id,full:name,data->a->>b,x::text,total:amount.sum()::int,count()",
        "select=count( )",
        "select=*,clients!fk!inner(id,p:projects(*)),...other(name)&clients.id=gt.3&clients.p.order=id.desc.nullslast",
        "or=(age.lt.18,not.and(a.gte.1,b.is.null),c.in.(1,2),d.cs.{1,2},e.eq.\"x,y\")",
        "not.or=(a.eq.1,b.eq.2)",
        "a=like(any).{x*,y*}&b=fts(english).fat&c=is.not_null&d=isdistinct.5&limit=3&offset=2",
        "order=clients(name).desc,data->a->0.asc.nullsfirst,x",
        "columns=a,\"b c\"&on_conflict=a,b",
        "\"odd.name\"=eq.1&data->\"a.b\"->>c=eq.2&my-col=eq.3",
        "select=",
        "a=eq.&b=in.()&c=in.(\"\")&or=(d.in.(),e.not.in.(\"\"))",
    ] {
        round_trips(text);
    }
}

#[test]
fn blanks_around_the_parts_of_a_tree_mean_nothing() {
    let root = |text: &str| query(text).unwrap().root;
    assert_eq!(
        root("and=( and ( id.in.(1,2) , id.is.null ) , not.or ( b.is.true , a.is.null ) )"),
        root("and=(and(id.in.(1,2),id.is.null),not.or(b.is.true,a.is.null))")
    );
}

#[test]
fn requests_that_differ_in_literals_have_one_shape() {
    let shape = |text: &str| Query { values: Vec::new(), ..query(text).unwrap() };
    assert_eq!(shape("id=eq.1&limit=5&or=(a.eq.x,b.in.(1,2))"), shape("id=eq.22&limit=7&or=(a.eq.y,b.in.(3))"));
    assert_ne!(shape("id=eq.1"), shape("id=gt.1"));
    assert_ne!(shape("id=is.null"), shape("id=is.not_null"));
    assert_ne!(shape("a=eq.1"), shape("b=eq.1"));
}

#[test]
fn values_keep_their_text() {
    let q = query("a=eq.x.y,z(1)&b=in.(1,\"a,b\",c d)&c=like.*x*").unwrap();
    assert_eq!(
        q.values,
        [
            Literal::Text("x.y,z(1)".into()),
            Literal::List(vec!["1".into(), "a,b".into(), "c d".into()]),
            Literal::Text("*x*".into()),
        ]
    );
}

#[test]
fn a_list_without_items_is_not_one_of_an_empty_text() {
    let list = |items: &[&str]| Literal::List(items.iter().map(|item| (*item).to_owned()).collect());
    for (text, expected) in [
        ("a=in.()", list(&[])),
        ("a=in.( )", list(&[])),
        ("a=in.(\"\")", list(&[""])),
        ("a=not.in.(\"\")", list(&[""])),
        ("or=(a.in.(\"\"))", list(&[""])),
        ("or=(a.in.())", list(&[])),
        ("a=in.(,)", list(&["", ""])),
        ("a=in.(\"\",b)", list(&["", "b"])),
    ] {
        assert_eq!(query(text).unwrap().values, [expected], "{text}");
    }
}

#[test]
fn arguments_of_a_function_are_those_parameters_without_an_operator() {
    let target = crate::http::target::Target::parse("/rpc/f?a=1&b=eq.2&c=x.y").unwrap();
    let q = parse(&target.parameters, true).unwrap();
    let names: Vec<&str> = q.arguments.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["a", "c"]);
    assert_eq!(q.root.conditions.len(), 1);
    // a filter might be an argument, so its original text is kept
    let target = crate::http::target::Target::parse("/rpc/f?a=1&or=(x.eq.1)&b=is.NULL&c=x").unwrap();
    let q = parse(&target.parameters, true).unwrap();
    let [FilterText { name, value, condition: 1, arguments: 1 }] = q.filter_texts.as_slice() else { panic!("{q:?}") };
    assert_eq!((name.as_str(), &q.values[*value]), ("b", &Literal::Text("is.NULL".to_owned())));
    assert!(parse(&target.parameters, false).is_err());
}

#[test]
fn columns_named_like_a_parameter_are_filtered_in_quotes() {
    for name in ["select", "columns", "on_conflict", "order", "limit", "offset", "and", "or"] {
        let q = round_trips(&format!("\"{name}\"=eq.1"));
        assert!(matches!(q.root.conditions.as_slice(), [Condition::Filter(f)] if f.field.name == name), "{name}");
    }
}

#[test]
fn malformed_parameters_are_refused_with_their_position() {
    for bad in [
        "id=1",
        "id=noop.1",
        "id=eq",
        "select=a,,b",
        "select=a(b",
        "select=a)b",
        "select=a::",
        "or=a.eq.1",
        "or=()",
        "or=(a.eq.1",
        "order=a.up",
        "order=",
        "id=is.maybe",
        "id=in.1",
        "a->=eq.1",
        "columns=",
        "id=eq(some).1",
        "id=cs(any).{1}",
        "select=x.median()",
        ".a=eq.1",
        "a.=eq.1",
        "select=a->b(c)",
    ] {
        let e = query(bad).err().unwrap_or_else(|| panic!("{bad} was accepted"));
        assert_eq!((e.status, e.code.as_str()), (400, "PGRST100"), "{bad}");
        assert!(e.details.is_some(), "{bad}");
    }
    let e = query("id=noop.1").unwrap_err();
    assert_eq!(e.message, "\"failed to parse filter (noop.1)\" (line 1, column 1)");
    assert_eq!(e.details, Some("unexpected \"n\" expecting \"not\" or operator (eq, gt, ...)".into()));
}

#[test]
fn what_is_not_embedded_cannot_be_filtered() {
    let e = query("clients.id=eq.1").unwrap_err();
    assert_eq!(e.code, "PGRST108");
    let e = query("select=c:clients(id)&clients.id=eq.1").unwrap_err();
    assert_eq!(e.hint, Some("Change 'clients' to 'c' in filters, orders or limits.".into()));
}

#[test]
fn sizes_are_bounded() {
    let filters = vec!["a=eq.1"; 10_000].join("&");
    let list = format!("a=in.({})", vec!["1"; 200_000].join(","));
    let nested = format!("or={}a.eq.1{}", "(and".repeat(500), ")".repeat(500));
    let embeds = format!("select={}", vec!["a(b)"; 100].join(","));
    let deep = format!("select={}b{}", "a(".repeat(50), ")".repeat(50));
    let long = format!("{}=eq.1", "x".repeat(64));
    let full_text = format!("a=fts.{}a{}", "(".repeat(500), ")".repeat(500));
    for (text, code) in [
        (filters, "REST431"),
        (list, "REST431"),
        (nested, "REST431"),
        (embeds, "REST431"),
        (deep, "REST431"),
        (full_text, "REST431"),
        (long, "PGRST100"),
    ] {
        let e = query(&text).unwrap_err();
        assert_eq!((e.status, e.code.as_str()), (400, code));
    }
}

#[test]
fn a_filter_without_operator_is_told_which_one_is_meant() {
    let hint =
        |text: &str| query(text).unwrap_err().hint.clone().map(|h| h.as_str().unwrap().to_owned()).unwrap_or_default();
    for (text, meant) in [
        ("name=null", "name=is.null"),
        ("done=true", "done=is.true"),
        ("name=not.null", "name=not.is.null"),
        ("name=Ann", "name=eq.Ann"),
        ("or=(name.eq.a,b)", "double quotes"),
        ("and=(tags.cs.{a,{b}})", "double quotes"),
    ] {
        assert!(hint(text).contains(meant), "{text}: {}", hint(text));
    }
}

#[test]
fn what_would_mean_nothing_is_refused() {
    for text in [
        "id",
        "id=eq.1&name",
        "select",
        "select=a&select=b",
        "order=a&order=b",
        "limit=1&limit=2",
        "offset=1&offset=2",
        "columns=a&columns=b",
        "on_conflict=a&on_conflict=a",
        "select=a(b)&a.limit=1&\"a\".limit=2",
        "select=&select=a",
    ] {
        let e = query(text).unwrap_err();
        assert_eq!((e.code.as_str(), e.status, e.hint.is_some()), ("PGRST100", 400, true), "{text}");
    }
    // several filters on a column must all hold
    assert_eq!(query("id=gt.1&id=lt.3").unwrap().root.conditions.len(), 2);
}

#[test]
fn a_name_in_quotes_negates_nothing() {
    let embedded = |text: &str| {
        let root = query(text).unwrap().root;
        match root.select.unwrap().remove(0) {
            SelectItem::Embed(embed) => (root.conditions.len(), embed.node.conditions),
            other => panic!("{other:?}"),
        }
    };
    let (root, conditions) = embedded("select=\"not\":x(a)&\"not\".and=(a.eq.1,b.eq.2)");
    assert!(root == 0 && matches!(conditions.as_slice(), [Condition::Tree { negated: false, .. }]));
    let (root, conditions) = embedded("select=\"not\":x(a)&not.and=(a.eq.1,b.eq.2)");
    assert!(root == 1 && conditions.is_empty());
    let (_, conditions) = embedded("select=\"not\":x(a)&\"not\".not.or=(a.eq.1,b.eq.2)");
    assert!(matches!(conditions.as_slice(), [Condition::Tree { negated: true, .. }]));
}
