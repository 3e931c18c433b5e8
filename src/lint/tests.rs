use super::{holds_for_nobody, is_always_true};

fn for_nobody(expression: &str) -> bool {
    let subjects = [
        "restful.uid",
        "restful.user_id",
        "restful.jwt",
        "restful.is_authenticated",
        "restful.method",
        "restful.has_permission",
        "restful.claim",
        "current_setting",
        "api.me",
    ];
    holds_for_nobody(expression, &subjects.map(str::to_owned))
}

fn always(expression: &str) -> bool {
    is_always_true(expression, &["id".to_owned()])
}

#[test]
fn what_holds_because_nobody_has_signed_in_is_found() {
    for expression in [
        "(NOT (owner IS DISTINCT FROM restful.uid()))",
        "(NOT (owner IS DISTINCT FROM ( SELECT restful.uid() AS uid)))",
        "((owner = restful.uid()) OR (restful.uid() IS NULL))",
        "(( SELECT (restful.user_id() IS NULL)) OR (owner = ( SELECT restful.user_id() AS user_id)))",
        "((( SELECT restful.user_id() AS user_id) IS NULL) OR (owner = ( SELECT restful.user_id() AS user_id)))",
        "((owner = ( SELECT restful.user_id() AS user_id)) IS NOT FALSE)",
        "((owner = ( SELECT restful.user_id() AS user_id)) IS UNKNOWN)",
        "COALESCE((owner = restful.user_id()), true)",
        "(COALESCE(owner, ''::text) = COALESCE(restful.user_id(), ''::text))",
        "(owner = COALESCE(restful.user_id(), owner))",
        "(owner = COALESCE(restful.user_id(), 'public'::text))",
        "(COALESCE(restful.user_id(), owner) = owner)",
        "(NOT (restful.uid() IS NOT NULL))",
        "(NOT ((restful.uid() IS NOT NULL) AND (owner <> restful.uid())))",
        "CASE\n    WHEN (restful.uid() IS NULL) THEN true\n    ELSE (owner = restful.uid())\nEND",
        "CASE restful.uid()\n    WHEN owner THEN true\n    ELSE (restful.uid() IS NULL)\nEND",
        "((owner = restful.uid()) IS DISTINCT FROM false)",
        "(NOT COALESCE((owner <> restful.uid()), false))",
        "((owner <> restful.uid()) IS NOT TRUE)",
        "(NULLIF(restful.user_id(), ''::text) IS NULL)",
        "((restful.jwt() ->> 'sub'::text) IS NULL)",
        "(((restful.jwt() -> 'app'::text) ->> 'plan'::text) IS NULL)",
        "((restful.jwt() IS NULL) OR (owner = restful.uid()))",
        "((NOT (restful.jwt() ? 'sub'::text)) OR (owner = restful.uid()))",
        "(EXISTS ( SELECT 1\n   FROM members m\n  WHERE ((m.member = restful.uid()) OR (restful.uid() IS NULL))))",
        "((restful.uid() IS NULL) OR (EXISTS ( SELECT 1\n   FROM members m\n  WHERE (m.member = restful.uid()))))",
        "(owner IN ( SELECT COALESCE(restful.user_id(), 'public'::text) AS coalesce))",
        "((NOT restful.is_authenticated()) OR (owner = restful.uid()))",
        "((restful.method() = 'anonymous'::text) OR (owner = restful.uid()))",
        "(concat(restful.user_id(), ''::text) = owner)",
        "(num_nonnulls(restful.user_id()) = 0)",
        "((current_setting('request.jwt.claims'::text, true) IS NULL) OR published)",
        "((current_setting('Request.JWT.Claims'::text, true) IS NULL) OR published)",
        "((api.me() IS NULL) OR (owner = api.me()))",
        "(NOT ((owner IS NULL) IS DISTINCT FROM (restful.uid() IS NULL)))",
        "((restful.uid() IS NULL) = true)",
        "(lower(restful.user_id()) IS NULL)",
        "(('x'::text || restful.user_id()) IS NULL)",
        "((owner)::text = COALESCE((restful.uid())::text, (owner)::text))",
    ] {
        assert!(for_nobody(expression), "{expression}");
    }
}

#[test]
fn what_holds_for_others_too_is_not() {
    for expression in [
        "(owner = restful.uid())",
        "((owner = restful.uid()) OR published)",
        "((owner = ( SELECT restful.uid() AS uid)) AND (restful.uid() IS NOT NULL))",
        "(NOT (owner <> restful.uid()))",
        "(owner <> restful.uid())",
        "(owner IS DISTINCT FROM restful.uid())",
        "COALESCE((owner = restful.uid()), false)",
        "((owner = restful.uid()) IS TRUE)",
        "(owner IS NULL)",
        "(restful.uid() IS NOT NULL)",
        "restful.is_authenticated()",
        "(NOT restful.has_permission('a.b'::text))",
        "(COALESCE(restful.user_id(), ''::text) <> ''::text)",
        "(owner = ANY (ARRAY[restful.uid(), NULL::uuid]))",
        "(restful.uid() = ANY (members))",
        "(members @> ARRAY[restful.uid()])",
        "(tenant IN ( SELECT restful.tenants_with('docs.read'::text) AS tenants_with))",
        "(tenant = ANY (ARRAY( SELECT restful.tenants_with('docs.read'::text) AS tenants_with)))",
        "(EXISTS ( SELECT 1\n   FROM members m\n  WHERE ((m.doc = docs.id) AND (m.member = ( SELECT restful.uid() AS uid)))))",
        "(NOT (EXISTS ( SELECT 1\n   FROM blocked b\n  WHERE (b.member = restful.uid()))))",
        "(( SELECT m.team\n   FROM members m\n  WHERE (m.member = restful.uid())) = team)",
        "app.may_see(id, restful.uid())",
        "((restful.jwt() ->> 'plan'::text) IS DISTINCT FROM 'banned'::text)",
        "(current_setting('app.open'::text, true) IS NULL)",
        "((restful.jwt() ->> 'role'::text) = 'clerk'::text)",
        "((restful.claim('role'::text) IS NULL) OR (owner = restful.user_id()))",
        "((restful.claim('aal'::text) = 'aal2'::text) OR (note IS NULL))",
        "CASE\n    WHEN (restful.uid() IS NULL) THEN false\n    ELSE (owner = restful.uid())\nEND",
        "CURRENT_USER = owner",
        "true",
        "published",
        "(XMLPARSE(DOCUMENT restful.user_id()) IS DOCUMENT)",
        "",
        "(((",
    ] {
        assert!(!for_nobody(expression), "{expression}");
    }
}

#[test]
fn what_is_always_true_is_found() {
    for expression in [
        "true",
        "(1 = 1)",
        "(NOT false)",
        "(true OR (owner = restful.uid()))",
        "((owner = restful.uid()) OR true)",
        "('a'::text = 'a'::text)",
        "('a'::text <> 'b'::text)",
        "(2 > 1)",
        "((1)::bigint <= 2)",
        "(1 <> 2)",
        "((1 + 1) = 2)",
        "( SELECT true)",
        "(( SELECT 1) = 1)",
        "(true IS TRUE)",
        "(NULL::text IS NULL)",
        "COALESCE(NULL::boolean, true)",
        "(COALESCE((owner = restful.uid()), true) IS NOT NULL)",
        "CASE\n    WHEN published THEN true\n    ELSE (1 = 1)\nEND",
        "(1 = ANY (ARRAY[1, 2]))",
        "(3 <> ALL (ARRAY[1, 2]))",
        "((1 >= 0) AND (1 <= 2))",
        "(EXISTS ( SELECT 1))",
        "(1 IN ( SELECT 1))",
        "(id IS NOT NULL)",
        "(id = id)",
        "(id >= id)",
        "((published IS NULL) OR (published IS NOT NULL))",
        "((restful.jwt() IS NULL) IS NOT NULL)",
        "(CURRENT_USER IS NOT NULL)",
        "(CURRENT_USER = CURRENT_USER)",
        "(now() = now())",
        "(length('abc'::text) = 3)",
        "('abc'::text ~~ '%'::text)",
        "(NULLIF(1, 1) IS NULL)",
        "(num_nulls(1, 2) = 0)",
        "(((published = true) IS NOT UNKNOWN) IS NOT NULL)",
    ] {
        assert!(always(expression), "{expression}");
    }
}

#[test]
fn what_may_be_false_is_not() {
    for expression in [
        "false",
        "(1 = 2)",
        "(NOT true)",
        "NULL::boolean",
        "(owner = owner)",
        "(published OR (NOT published))",
        "(owner IS NOT NULL)",
        "(id = other)",
        "(id > 0)",
        "((id)::date = id)",
        "(restful.uid() IS NOT NULL)",
        "(s.f() = s.f())",
        "(random() = random())",
        "('a'::citext = 'A'::citext)",
        "('a'::text ~~ 'b%'::text)",
        "(EXISTS ( SELECT 1\n   FROM members m))",
        "(1 IN ( SELECT m.id\n   FROM members m))",
        "s.yes()",
        "((XMLPARSE(DOCUMENT 'a') IS DOCUMENT) OR (NOT (XMLPARSE(DOCUMENT 'b') IS DOCUMENT)))",
        "",
    ] {
        assert!(!always(expression), "{expression}");
    }
}

#[test]
fn many_questions_end() {
    let many = |word: &str| {
        let terms: Vec<String> = (0..100).map(|i| format!("((c{i} = restful.uid()) {word} b{i})")).collect();
        format!("({})", terms.join(" OR "))
    };
    assert!(!for_nobody(&many("AND")));
    assert!(!always(&many("OR")));
}
