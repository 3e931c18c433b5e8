//! The exact statements of representative requests, and laws that hold for all.

use super::*;
use crate::ask::PlanSettings;
use crate::http::media_type;
use crate::http::target::Target;
use crate::payload::{CallArguments, JSON_TYPES};
use crate::plan::fixture::{self, AGGREGATES, ODD, object};
use crate::query::random::{Generator, Vocabulary};
use crate::query::{self, Literal, Query};
use crate::route::Verb;
use crate::statement::{count, counted};

/// The text of a plan's statement, followed by its parameters: `$1` is the number of a literal, `body`, or a quoted text.
fn sql(plan: &Plan) -> String {
    shown(&main(plan))
}

/// A statement in the form of [`sql`].
fn shown(statement: &Statement) -> String {
    let parameters = statement.parameters.iter().map(|p| match p {
        Parameter::Literal(id, form) => format!("{id} {form:?}"),
        Parameter::Items(ids) => format!("{ids:?}"),
        Parameter::Limit(id, cap) => format!("{id} at most {cap:?}"),
        Parameter::Constant(text) => format!("'{text}'"),
        Parameter::Body => "body".to_owned(),
        Parameter::Member(member) => format!("member {member}"),
    });
    let parameters: Vec<String> = parameters.collect();
    format!("{} [{}]", statement.sql, parameters.join(", "))
}

#[track_caller]
fn read(target: &str, expected: &str) {
    let plan = fixture::read_with(target, &AGGREGATES).unwrap_or_else(|e| panic!("{target}: {e:?}"));
    assert_eq!(sql(&Plan::Read(plan)), expected, "{target}");
}

#[track_caller]
fn write(verb: Verb, target: &str, prefer: &str, keys: Option<&str>, expected: &str) {
    let plan = fixture::write(verb, target, prefer, keys).unwrap_or_else(|e| panic!("{target}: {e:?}"));
    assert_eq!(sql(&Plan::Write(plan)), expected, "{target}");
}

#[track_caller]
fn call(target: &str, given: &CallArguments, expected: &str) {
    let plan = fixture::call(target, given).unwrap_or_else(|e| panic!("{target}: {e:?}"));
    assert_eq!(sql(&Plan::Call(plan)), expected, "{target}");
}

#[test]
fn reads() {
    read("books", r#"SELECT t0.* FROM "lib"."books" AS t0 []"#);
    read(
        "books?id=eq.1&select=id,t:title::text&order=id.desc.nullslast,title&limit=5&offset=10",
        r#"SELECT t0."id" AS "id", CAST(t0."title" AS pg_catalog.text) AS "t" FROM "lib"."books" AS t0 WHERE t0."id" = $1 ORDER BY t0."id" DESC NULLS LAST, t0."title" LIMIT $2 OFFSET $3 [0 Text, 1 at most None, 2 Text]"#,
    );
    read(
        "books?id=in.(1,2)&title=like.a*&price=not.gt.3&title=ilike(any).{a*,b*}&id=is.null&price=isdistinct.1",
        r#"SELECT t0.* FROM "lib"."books" AS t0 WHERE t0."id" = ANY ($1) AND t0."title" LIKE $2 AND NOT t0."price" > $3 AND t0."title" ILIKE ANY ($4) AND t0."id" IS NULL AND t0."price" IS DISTINCT FROM $5 [0 Array, 1 Pattern, 2 Text, 3 Pattern, 4 Text]"#,
    );
    read(
        "books?or=(id.eq.1,not.and(id.gt.2,title.is.null))",
        r#"SELECT t0.* FROM "lib"."books" AS t0 WHERE (t0."id" = $1 OR NOT (t0."id" > $2 AND t0."title" IS NULL)) [0 Text, 1 Text]"#,
    );
    read(
        "authors?select=facts->a->>0,tags->0&facts->b->>\"c d\"=eq.1&order=facts->x",
        r#"SELECT t0."facts"->$1::pg_catalog.text->>(0) AS "a", pg_catalog.to_jsonb(t0."tags")->(0) AS "tags" FROM "lib"."authors" AS t0 WHERE t0."facts"->$2::pg_catalog.text->>$3::pg_catalog.text = $4 ORDER BY t0."facts"->$5::pg_catalog.text ['a', 'b', 'c d', 0 Text, 'x']"#,
    );
    read(
        "authors?name=fts(english).a&bio=wfts.b&facts->a=plfts.c",
        r#"SELECT t0.* FROM "lib"."authors" AS t0 WHERE pg_catalog.to_tsvector($1::pg_catalog.regconfig, t0."name") @@ pg_catalog.to_tsquery($2::pg_catalog.regconfig, $3) AND t0."bio" @@ pg_catalog.websearch_to_tsquery($4) AND pg_catalog.to_tsvector(t0."facts"->$5::pg_catalog.text) @@ pg_catalog.plainto_tsquery($6) ['english', 'english', 0 Text, 1 Text, 'a', 2 Text]"#,
    );
    read(
        "books?select=price.sum()::text,price::numeric.max(),author_id,count()",
        r#"SELECT CAST(pg_catalog.sum(t0."price") AS pg_catalog.text) AS "sum", pg_catalog.max(CAST(t0."price" AS pg_catalog.numeric)) AS "max", t0."author_id" AS "author_id", pg_catalog.count(*) AS "count" FROM "lib"."books" AS t0 GROUP BY 3 []"#,
    );
}

#[test]
fn domains_are_read_and_shown_by_their_casts() {
    read(
        "paints",
        r#"SELECT "lib"."json"(t0."shade") AS "shade", t0."price" AS "price", t0."facts" AS "facts" FROM "lib"."paints" AS t0 []"#,
    );
    read(
        "paints?select=s:shade::text,price&shade=eq.a&shade=not.in.(b,c)&shade=gt(any).{d}&shade=like.x*&shade=is.null&price=gt.1&order=shade",
        r#"SELECT CAST("lib"."json"(t0."shade") AS pg_catalog.text) AS "s", t0."price" AS "price" FROM "lib"."paints" AS t0 WHERE t0."shade" = "lib"."colour"(CAST($1 AS pg_catalog.text)) AND NOT t0."shade" = ANY (ARRAY(SELECT "lib"."colour"(v) FROM pg_catalog.unnest(CAST($2 AS pg_catalog.text[])) AS v)) AND t0."shade" > ANY (ARRAY(SELECT "lib"."colour"(v) FROM pg_catalog.unnest(CAST($3 AS pg_catalog.text[])) AS v)) AND t0."shade" LIKE $4 AND t0."shade" IS NULL AND t0."price" > $5 ORDER BY t0."shade" [0 Text, 1 Array, 2 Text, 3 Pattern, 4 Text]"#,
    );
    read(
        "paints?select=shade,price.sum()",
        r#"SELECT "lib"."json"(t0."shade")::pg_catalog.jsonb AS "shade", pg_catalog.sum(t0."price") AS "sum" FROM "lib"."paints" AS t0 GROUP BY 1 []"#,
    );
    // columns outside the domain are unaffected
    read(
        "paints?select=price&price=eq.1",
        r#"SELECT t0."price" AS "price" FROM "lib"."paints" AS t0 WHERE t0."price" = $1 [0 Text]"#,
    );
    write(
        Verb::Replace,
        "paints?shade=eq.a&select=shade",
        "return=representation",
        Some("price shade"),
        r#"INSERT INTO "lib"."paints" AS t0 ("price", "shade") SELECT r.c1, "lib"."colour_of_json"(r.c2) FROM restful.record_source($1, $2, 0, $3) AS r(c1 int4, c2 pg_catalog.json) WHERE "lib"."colour_of_json"(r.c2) = "lib"."colour"(CAST($4 AS pg_catalog.text)) ON CONFLICT ("shade") DO UPDATE SET "price" = excluded."price", "facts" = DEFAULT WHERE restful.count_update() RETURNING "lib"."json"(t0."shade") AS "shade" [body, '{"price","shade"}', '{}', 0 Text]"#,
    );
    write(
        Verb::Create,
        "paints?columns=shade",
        "return=headers-only, missing=default",
        Some("shade"),
        r#"INSERT INTO "lib"."paints" AS t0 ("shade") SELECT CASE WHEN r.p1 THEN "lib"."colour_of_json"(r.c1) ELSE (0) END FROM restful.record_source($1, $2, 0, $3) AS r(c1 pg_catalog.json, p1 pg_catalog.bool) RETURNING "lib"."json"(t0."shade") AS "shade" [body, '{"shade"}', '{"1"}']"#,
    );
    write(
        Verb::Update,
        "paints?shade=eq.a",
        "",
        Some("shade"),
        r#"UPDATE "lib"."paints" AS t0 SET "shade" = "lib"."colour_of_json"(r.c1) FROM restful.record_source($1, $2, 0, $3) AS r(c1 pg_catalog.json) WHERE t0."shade" = "lib"."colour"(CAST($4 AS pg_catalog.text)) [body, '{"shade"}', '{}', 0 Text]"#,
    );
}

#[test]
fn embedded_relations() {
    read(
        "books?select=id,authors(name)",
        r#"SELECT t0."id" AS "id", e2.j AS "authors" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($1, t1."name") AS j FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true ['["name"]']"#,
    );
    read(
        "authors?select=id,books!inner(id)&books.price=gt.3&books.order=id&books.limit=2",
        r#"SELECT t0."id" AS "id", e2.j AS "books" FROM "lib"."authors" AS t0 INNER JOIN LATERAL (SELECT restful.embedded_objects($1, r.c1) AS j FROM (SELECT t1."id" AS "id" FROM "lib"."books" AS t1 WHERE t1."author_id" = t0."id" AND t1."price" > $2 ORDER BY t1."id" LIMIT $3) AS r(c1)) AS e2 ON e2.j IS NOT NULL ['["id"]', 0 Text, 1 at most None]"#,
    );
    read(
        "books?select=id,topics(name)",
        r#"SELECT t0."id" AS "id", coalesce(e2.j, '[]'::pg_catalog.json) AS "topics" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_objects($1, t1."name") AS j FROM "lib"."topics" AS t1 CROSS JOIN "lib"."books_topics" AS j3 WHERE j3."topic_id" = t1."id" AND j3."book_id" = t0."id") AS e2 ON true ['["name"]']"#,
    );
    read(
        "books?select=id,...authors(author:name)&order=id",
        r#"SELECT t0."id" AS "id", e2.c1 AS "author" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT true AS j, t1."name" AS c1 FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true ORDER BY t0."id" []"#,
    );
    read(
        "authors?select=id,...books(title,...publishers(name))&books.order=title",
        r#"SELECT t0."id" AS "id", coalesce(e2.c1, '[]'::pg_catalog.json) AS "title", coalesce(e2.c2, '[]'::pg_catalog.json) AS "name" FROM "lib"."authors" AS t0 LEFT JOIN LATERAL (SELECT nullif(pg_catalog.count(*), 0) AS j, restful.embedded_values(r.c1) AS c1, restful.embedded_values(r.c2) AS c2 FROM (SELECT t1."title" AS c1, e4.c1 AS c2 FROM "lib"."books" AS t1 LEFT JOIN LATERAL (SELECT true AS j, t3."name" AS c1 FROM "lib"."publishers" AS t3 WHERE t3."id" = t1."publisher_id") AS e4 ON true WHERE t1."author_id" = t0."id" ORDER BY t1."title") AS r) AS e2 ON true []"#,
    );
    read(
        "reviews?select=stars,...people!written_by(by:name,count(),id.max()::text)&order=people(by)",
        r#"SELECT t0."stars" AS "stars", e2.c1 AS "by", pg_catalog.count(e2.c2) AS "count", CAST(pg_catalog.max(e2.c3) AS pg_catalog.text) AS "max" FROM "lib"."reviews" AS t0 LEFT JOIN LATERAL (SELECT true AS j, t1."name" AS c1, 1 AS c2, t1."id" AS c3 FROM "lib"."people" AS t1 WHERE t1."id" = t0."written_by") AS e2 ON true GROUP BY 1, 2 ORDER BY e2.c1 []"#,
    );
    read(
        "books?select=id,authors()&authors=not.is.null&order=id",
        r#"SELECT t0."id" AS "id" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT true AS j FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true WHERE e2.j IS NOT NULL ORDER BY t0."id" []"#,
    );
    read(
        "books?select=id,authors(name)&order=authors(name).desc",
        r#"SELECT t0."id" AS "id", e2.j AS "authors" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($1, t1."name") AS j, t1."name" AS o0 FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true ORDER BY e2.o0 DESC ['["name"]']"#,
    );
    read(
        "authors?select=books(covers(colour))",
        r#"SELECT coalesce(e2.j, '[]'::pg_catalog.json) AS "books" FROM "lib"."authors" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_objects($1, e4.j) AS j FROM "lib"."books" AS t1 LEFT JOIN LATERAL (SELECT restful.embedded_object($2, t3."colour") AS j FROM "lib"."covers" AS t3 WHERE t3."book_id" = t1."id") AS e4 ON true WHERE t1."author_id" = t0."id") AS e2 ON true ['["covers"]', '["colour"]']"#,
    );
    read(
        "authors?select=books(price.sum(),publisher_id)",
        r#"SELECT coalesce(e2.j, '[]'::pg_catalog.json) AS "books" FROM "lib"."authors" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_objects($1, r.c1, r.c2) AS j FROM (SELECT pg_catalog.sum(t1."price") AS "sum", t1."publisher_id" AS "publisher_id" FROM "lib"."books" AS t1 WHERE t1."author_id" = t0."id" GROUP BY 2) AS r(c1, c2)) AS e2 ON true ['["sum","publisher_id"]']"#,
    );
    read(
        "loans?select=editions(*)",
        r#"SELECT e2.j AS "editions" FROM "lib"."loans" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object(r.*) AS j FROM "lib"."editions" AS t1 CROSS JOIN LATERAL (SELECT t1.*) AS r WHERE t1."book_id" = t0."book" AND t1."number" = t0."edition") AS e2 ON true []"#,
    );
    read(
        "books?select=count(),...authors(*),publishers(name)",
        r#"SELECT pg_catalog.count(*) AS "count", e2.c1 AS "id", e2.c2 AS "name", e2.c3 AS "facts", e2.c4 AS "tags", e2.c5 AS "bio", e4.j::pg_catalog.jsonb AS "publishers" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT true AS j, t1."id" AS c1, t1."name" AS c2, t1."facts" AS c3, t1."tags" AS c4, t1."bio" AS c5 FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true LEFT JOIN LATERAL (SELECT restful.embedded_object($1, t3."name") AS j FROM "lib"."publishers" AS t3 WHERE t3."id" = t0."publisher_id") AS e4 ON true GROUP BY 2, 3, 4, 5, 6, 7 ['["name"]']"#,
    );
    read(
        "books?select=authors(name,count())",
        r#"SELECT e2.j AS "authors" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($1, r.c1, r.c2) AS j FROM (SELECT t1."name" AS "name", pg_catalog.count(*) AS "count" FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id" GROUP BY 1) AS r(c1, c2)) AS e2 ON true ['["name","count"]']"#,
    );
    read(
        "authors?select=key:id,count(),*",
        r#"SELECT t0."id" AS "key", pg_catalog.count(*) AS "count", t0."id" AS "id", t0."name" AS "name", t0."facts" AS "facts", t0."tags" AS "tags", t0."bio" AS "bio" FROM "lib"."authors" AS t0 GROUP BY 1, 3, 4, 5, 6, 7 []"#,
    );
}

#[test]
fn fetches_of_embedded_relations() {
    let fetched = |target: &str, expected: &str| {
        let plan = fixture::read_fetched(target, true).unwrap_or_else(|e| panic!("{target}: {e:?}"));
        assert_eq!(sql(&Plan::Read(plan)), expected, "{target}");
    };
    fetched(
        "books?select=id,authors(name)&limit=3",
        r#"SELECT t0."id" AS "id", (SELECT restful.embedded_object($1, t1."name") AS j FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS "authors" FROM "lib"."books" AS t0 LIMIT $2 ['["name"]', 0 at most None]"#,
    );
    fetched(
        "authors?select=books(id,price),*,b:books(covers(colour))&books.id=gt.1&order=name&limit=3",
        r#"WITH parents AS MATERIALIZED (SELECT p.*, pg_catalog.row_number() OVER () AS n FROM (SELECT t0."id" AS c1, t0."name" AS c2, t0."facts" AS c3, t0."tags" AS c4, t0."bio" AS c5, t0."id" AS k0, t0."id" AS k1 FROM "lib"."authors" AS t0 ORDER BY t0."name" LIMIT $1) AS p) SELECT coalesce(e2.j, '[]'::pg_catalog.json) AS "books", p.c1 AS "id", p.c2 AS "name", p.c3 AS "facts", p.c4 AS "tags", p.c5 AS "bio", coalesce(e4.j, '[]'::pg_catalog.json) AS "b" FROM parents AS p LEFT JOIN (SELECT t1."author_id" AS k, restful.embedded_objects($2, t1."id", t1."price") AS j FROM "lib"."books" AS t1 WHERE EXISTS (SELECT FROM parents) AND t1."author_id" = ANY (ARRAY(SELECT p.k0 FROM parents AS p)) AND t1."id" > $3 GROUP BY t1."author_id") AS e2 ON e2.k = p.k0 LEFT JOIN (SELECT t3."author_id" AS k, restful.embedded_objects($4, e6.j) AS j FROM "lib"."books" AS t3 LEFT JOIN LATERAL (SELECT restful.embedded_object($5, t5."colour") AS j FROM "lib"."covers" AS t5 WHERE t5."book_id" = t3."id") AS e6 ON true WHERE EXISTS (SELECT FROM parents) AND t3."author_id" = ANY (ARRAY(SELECT p.k1 FROM parents AS p)) GROUP BY t3."author_id") AS e4 ON e4.k = p.k1 ORDER BY p.n [1 at most None, '{"all":["id","price"]}', 0 Text, '{"all":["covers"]}', '["colour"]']"#,
    );
    fetched(
        "authors?select=books(id)",
        r#"WITH parents AS MATERIALIZED (SELECT p.*, pg_catalog.row_number() OVER () AS n FROM (SELECT t0."id" AS k0 FROM "lib"."authors" AS t0) AS p) SELECT coalesce(e2.j, '[]'::pg_catalog.json) AS "books" FROM parents AS p LEFT JOIN (SELECT t1."author_id" AS k, restful.embedded_objects($1, t1."id") AS j FROM "lib"."books" AS t1 WHERE EXISTS (SELECT FROM parents) AND t1."author_id" = ANY (ARRAY(SELECT p.k0 FROM parents AS p)) GROUP BY t1."author_id") AS e2 ON e2.k = p.k0 ORDER BY p.n ['{"all":["id"]}']"#,
    );
}

#[test]
fn computed_columns_and_relations() {
    read(
        "books?select=*,label,summary->a&label=eq.x&order=label",
        r#"SELECT t0.*, "lib"."label"(t0.*) AS "label", pg_catalog.to_jsonb("lib"."summary"(t0.*))->$1::pg_catalog.text AS "a" FROM "lib"."books" AS t0 WHERE "lib"."label"(t0.*) = $2 ORDER BY "lib"."label"(t0.*) ['a', 0 Text]"#,
    );
    read(
        "books?select=id,similar(label)&similar.id=gt.1",
        r#"SELECT t0."id" AS "id", coalesce(e2.j, '[]'::pg_catalog.json) AS "similar" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_objects($1, "lib"."label"(t1.*)) AS j FROM "lib"."similar"(t0.*) AS t1 WHERE t1."id" > $2) AS e2 ON true ['["label"]', 0 Text]"#,
    );
    read(
        "books?select=id,editions(year)&editions.year=gt.1",
        r#"SELECT t0."id" AS "id", e2.j AS "editions" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($1, t1."year") AS j FROM "lib"."editions"(t0.*) AS t1 WHERE NOT (t1.* IS NULL) AND t1."year" > $2) AS e2 ON true ['["year"]', 0 Text]"#,
    );
    write(
        Verb::Create,
        "books?select=*,label",
        "return=representation",
        Some("id"),
        r#"INSERT INTO "lib"."books" AS t0 ("id") SELECT r.c1 FROM restful.record_source($1, $2, 1, $3) AS r(c1 int4) RETURNING t0."id" AS "id", t0."title" AS "title", t0."price" AS "price", t0."author_id" AS "author_id", t0."publisher_id" AS "publisher_id", "lib"."label"(t0.*) AS "label" [body, '{"id"}', '{}']"#,
    );
    let target = "books?select=id,l:label,similar(id)&label=eq.x&order=label";
    write(
        Verb::Update,
        target,
        "return=representation",
        Some("id"),
        r#"WITH written AS (UPDATE "lib"."books" AS t0 SET "id" = r.c1 FROM restful.record_source($1, $2, 0, $3) AS r(c1 int4) WHERE "lib"."label"(t0.*) = $4 RETURNING t0."id", "lib"."label"(t0.*) AS "label", CAST(t0.* AS "lib"."books") AS "?row") SELECT t0."id" AS "id", t0."label" AS "l", coalesce(e2.j, '[]'::pg_catalog.json) AS "similar" FROM written AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_objects($5, t1."id") AS j FROM "lib"."similar"(t0."?row") AS t1) AS e2 ON true ORDER BY t0."label" [body, '{"id"}', '{}', 0 Text, '["id"]']"#,
    );
}

#[test]
fn counts() {
    let count = |target: &str, most| shown(&count(&fixture::read_with(target, &AGGREGATES).unwrap(), most));
    assert_eq!(
        count("books?id=gt.1&select=id,authors(name)&order=id&limit=5", None),
        r#"SELECT pg_catalog.count(*) FROM (SELECT FROM "lib"."books" AS t0 WHERE t0."id" > $1) AS counted [0 Text]"#
    );
    assert_eq!(
        count("books?id=gt.1&select=id,authors!inner(name,books!inner()),publishers()&publishers=is.null", Some(100)),
        r#"SELECT pg_catalog.count(*) FROM (SELECT FROM "lib"."books" AS t0 WHERE t0."id" > $1 AND NOT EXISTS (SELECT FROM "lib"."publishers" AS t5 WHERE t5."id" = t0."publisher_id") AND EXISTS (SELECT FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id" AND EXISTS (SELECT FROM "lib"."books" AS t3 WHERE t3."author_id" = t1."id")) LIMIT 100) AS counted [0 Text]"#
    );
    // without grouping columns there is a group even if there are no rows
    assert_eq!(
        count("authors?select=id,books!inner(count())", None),
        r#"SELECT pg_catalog.count(*) FROM (SELECT FROM "lib"."authors" AS t0 WHERE EXISTS (SELECT pg_catalog.count(*) AS "count" FROM "lib"."books" AS t1 WHERE t1."author_id" = t0."id")) AS counted []"#
    );
    let estimated =
        counted(&fixture::read("authors?select=id,...books!inner(book:id)&books.id=gt.1&order=id&limit=1").unwrap());
    assert_eq!(
        shown(&estimated),
        r#"SELECT FROM "lib"."authors" AS t0 WHERE EXISTS (SELECT FROM "lib"."books" AS t1 WHERE t1."author_id" = t0."id" AND t1."id" > $1) [0 Text]"#
    );
    assert_eq!(
        count("books?select=author_id,count()&limit=1", None),
        r#"SELECT pg_catalog.count(*) FROM (SELECT t0."author_id" AS "author_id", pg_catalog.count(*) AS "count" FROM "lib"."books" AS t0 GROUP BY 1) AS counted []"#
    );
}

#[test]
fn writes() {
    use Verb::*;
    write(
        Create,
        "books",
        "",
        Some("id title"),
        r#"INSERT INTO "lib"."books" AS t0 ("id", "title") SELECT r.c1, r.c2 FROM restful.record_source($1, $2, 1, $3) AS r(c1 int4, c2 text) [body, '{"id","title"}', '{}']"#,
    );
    write(
        Create,
        "books",
        "missing=default,return=headers-only",
        Some("title price"),
        r#"INSERT INTO "lib"."books" AS t0 ("title", "price") SELECT r.c1, CASE WHEN r.p2 THEN r.c2 ELSE (0) END FROM restful.record_source($1, $2, 1, $3) AS r(c1 text, c2 numeric(10,2), p2 pg_catalog.bool) RETURNING t0."id" [body, '{"title","price"}', '{"2"}']"#,
    );
    write(
        Create,
        "editions",
        "resolution=merge-duplicates",
        Some("book_id number year"),
        r#"INSERT INTO "lib"."editions" AS t0 ("book_id", "number", "year") SELECT r.c1, r.c2, r.c3 FROM restful.record_source($1, $2, 1, $3) AS r(c1 int4, c2 int4, c3 int4) ON CONFLICT ("book_id", "number") DO UPDATE SET "year" = excluded."year" WHERE restful.count_update() [body, '{"book_id","number","year"}', '{}']"#,
    );
    write(
        Create,
        "books?select=id,authors(name)",
        "return=representation",
        Some("author_id"),
        r#"WITH written AS (INSERT INTO "lib"."books" AS t0 ("author_id") SELECT r.c1 FROM restful.record_source($1, $2, 1, $3) AS r(c1 int4) RETURNING t0."id", t0."author_id") SELECT t0."id" AS "id", e2.j AS "authors" FROM written AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($4, t1."name") AS j FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true [body, '{"author_id"}', '{}', '["name"]']"#,
    );
    write(
        Create,
        "books",
        "",
        Some(""),
        r#"INSERT INTO "lib"."books" AS t0 SELECT  FROM restful.record_source($1, $2, 4, $3) AS r(c1 pg_catalog.bool) [body, '{""}', '{}']"#,
    );
    write(
        Replace,
        "editions?book_id=eq.1&number=eq.2",
        "return=representation",
        Some("book_id year"),
        r#"INSERT INTO "lib"."editions" AS t0 ("book_id", "year", "number") SELECT r.c1, r.c2, $1 FROM restful.record_source($2, $3, 0, $4) AS r(c1 int4, c2 int4) WHERE r.c1 = $5 ON CONFLICT ("book_id", "number") DO UPDATE SET "year" = excluded."year" WHERE restful.count_update() RETURNING t0.* [1 Text, body, '{"book_id","year"}', '{}', 0 Text]"#,
    );
    write(
        Update,
        "books?id=eq.1",
        "",
        Some("title price"),
        r#"UPDATE "lib"."books" AS t0 SET "title" = r.c1, "price" = r.c2 FROM restful.record_source($1, $2, 0, $3) AS r(c1 text, c2 numeric(10,2)) WHERE t0."id" = $4 [body, '{"title","price"}', '{}', 0 Text]"#,
    );
    write(
        Update,
        "books?id=eq.1&select=id",
        "return=representation",
        Some(""),
        r#"SELECT t0.* FROM "lib"."books" AS t0 WHERE false []"#,
    );
    write(
        Update,
        "books?id=eq.1&select=title&order=id",
        "return=representation",
        Some("title"),
        r#"WITH written AS (UPDATE "lib"."books" AS t0 SET "title" = r.c1 FROM restful.record_source($1, $2, 0, $3) AS r(c1 text) WHERE t0."id" = $4 RETURNING t0."title", t0."id") SELECT t0."title" AS "title" FROM written AS t0 ORDER BY t0."id" [body, '{"title"}', '{}', 0 Text]"#,
    );
    write(
        Delete,
        "books?id=lt.3&select=id",
        "return=representation",
        None,
        r#"DELETE FROM "lib"."books" AS t0 WHERE t0."id" < $1 RETURNING t0."id" AS "id" [0 Text]"#,
    );
    write(
        Delete,
        "books?select=authors!inner(name),publishers()&authors.name=eq.x&publishers=is.null&id=gt.1",
        "",
        None,
        r#"DELETE FROM "lib"."books" AS t0 WHERE NOT EXISTS (SELECT FROM "lib"."publishers" AS t3 WHERE t3."id" = t0."publisher_id") AND t0."id" > $1 AND EXISTS (SELECT FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id" AND t1."name" = $2) [1 Text, 0 Text]"#,
    );
    write(
        Delete,
        "books?id=gt.1&order=price.desc&limit=2&offset=1&select=id",
        "return=representation",
        None,
        r#"WITH written AS (DELETE FROM "lib"."books" AS t0 WHERE t0."id" > $1 AND (t0."id") IN (SELECT t0."id" FROM "lib"."books" AS t0 WHERE t0."id" > $2 ORDER BY t0."price" DESC, t0."id" LIMIT $3 OFFSET $4) RETURNING t0."id", t0."price") SELECT t0."id" AS "id" FROM written AS t0 ORDER BY t0."price" DESC [0 Text, 0 Text, 1 at most None, 2 Text]"#,
    );
    write(
        Update,
        "books?select=authors(name)&order=authors(name)&limit=1",
        "",
        Some("price"),
        r#"UPDATE "lib"."books" AS t0 SET "price" = r.c1 FROM restful.record_source($1, $2, 0, $3) AS r(c1 numeric(10,2)) WHERE (t0."id") IN (SELECT t0."id" FROM "lib"."books" AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($4, t1."name") AS j, t1."name" AS o0 FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true ORDER BY e2.o0, t0."id" LIMIT $5) [body, '{"price"}', '{}', '["name"]', 0 at most None]"#,
    );
    // all written rows come back
    write(
        Update,
        "books?select=id,authors!inner(name)",
        "return=representation",
        Some("price"),
        r#"WITH written AS (UPDATE "lib"."books" AS t0 SET "price" = r.c1 FROM restful.record_source($1, $2, 0, $3) AS r(c1 numeric(10,2)) RETURNING t0."id", t0."author_id") SELECT t0."id" AS "id", e2.j AS "authors" FROM written AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($4, t1."name") AS j FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true [body, '{"price"}', '{}', '["name"]']"#,
    );
    // changed rows are counted if fewer of them may come back
    write(
        Create,
        "books?select=id&limit=1",
        "return=representation",
        Some("price"),
        r#"WITH written AS (INSERT INTO "lib"."books" AS t0 ("price") SELECT r.c1 FROM restful.record_source($1, $2, 1, $3) AS r(c1 numeric(10,2)) RETURNING t0."id", restful.count_row(true) AS "?changed") SELECT t0."id" AS "id" FROM written AS t0 LIMIT $4 [body, '{"price"}', '{}', 0 at most None]"#,
    );
}

#[test]
fn the_values_of_an_update_are_read_without_it() {
    use Verb::*;
    let given = |verb, keys| {
        crate::statement::given(&fixture::write(verb, "books", "", keys).unwrap()).map(|statement| shown(&statement))
    };
    assert_eq!(
        given(Update, Some("price title")).unwrap(),
        r#"SELECT pg_catalog.count(ROW(r.c1, r.c2)) FROM restful.record_source($1, $2, 0, $3) AS r(c1 numeric(10,2), c2 text) [body, '{"price","title"}', '{}']"#
    );
    assert_eq!(given(Update, Some("")), None);
    assert_eq!(given(Create, Some("price")), None);
    assert_eq!(given(Delete, None), None);
}

#[test]
fn one_object_is_passed_as_values() {
    let one = |plan: &Plan| crate::statement::of_one_object(plan).map(|statement| shown(&statement));
    let writes = |verb, target, prefer, keys| one(&Plan::Write(fixture::write(verb, target, prefer, keys).unwrap()));
    use Verb::*;
    assert_eq!(
        writes(Create, "books?select=id", "return=representation", Some("id title")).unwrap(),
        r#"INSERT INTO "lib"."books" AS t0 ("id", "title") VALUES ($1, $2) RETURNING t0."id" AS "id" [member 0, member 1]"#
    );
    assert_eq!(
        writes(Create, "editions", "resolution=merge-duplicates", Some("book_id number year")).unwrap(),
        r#"INSERT INTO "lib"."editions" AS t0 ("book_id", "number", "year") VALUES ($1, $2, $3) ON CONFLICT ("book_id", "number") DO UPDATE SET "year" = excluded."year" WHERE restful.count_update() [member 0, member 1, member 2]"#
    );
    assert_eq!(
        writes(Update, "books?id=eq.1", "", Some("title")).unwrap(),
        r#"UPDATE "lib"."books" AS t0 SET "title" = $1 WHERE t0."id" = $2 [member 0, 0 Text]"#
    );
    // defaults of missing keys, conversions, more than one command, and keys that the URL gives
    for (verb, target, prefer, keys) in [
        (Create, "books?columns=price", "missing=default", Some("price")),
        (Create, "paints", "", Some("shade")),
        (Create, "books?select=id,authors(name)", "return=representation", Some("author_id")),
        (Replace, "books?id=eq.1", "", Some("id title")),
        (Update, "books?id=eq.1", "", Some("")),
    ] {
        assert_eq!(writes(verb, target, prefer, keys), None, "{target}");
    }
    let given = CallArguments::Object(vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(
        one(&Plan::Call(fixture::call("add", &given).unwrap())).unwrap(),
        r#"SELECT "lib"."add"("a" => CAST($1 AS int4), "b" => CAST($2 AS int4)) AS value [member 0, member 1]"#
    );
}

#[test]
fn calls() {
    call(
        "add?a=1&b=2",
        &CallArguments::Query,
        r#"SELECT "lib"."add"("a" => CAST($1 AS int4), "b" => CAST($2 AS int4)) AS value [0 Text, 1 Text]"#,
    );
    call(
        "add",
        &object("a b"),
        r#"SELECT "lib"."add"("a" => r.c1, "b" => r.c2) AS value FROM restful.record_source($1, $2, 0, $3) AS r(c1 int4, c2 int4) [body, '{"a","b"}', '{}']"#,
    );
    call(
        "sum_all",
        &object("numbers"),
        r#"SELECT "lib"."sum_all"(VARIADIC "numbers" => r.c1) AS value FROM restful.record_source($1, $2, 0, $3) AS r(c1 int4[]) [body, '{"numbers"}', '{}']"#,
    );
    call(
        "import",
        &CallArguments::Whole(JSON_TYPES),
        r#"SELECT "lib"."import"(CAST(pg_catalog.convert_from($1, 'UTF8') AS jsonb)) AS value [body]"#,
    );
    call(
        "upload",
        &CallArguments::Whole(&["bytea"]),
        r#"SELECT "lib"."upload"(CAST($1 AS pg_catalog.bytea)) AS value [body]"#,
    );
    call("newest_book", &object(""), r#"SELECT t0.* FROM "lib"."newest_book"() AS t0 []"#);
    call(
        "books_of?author=1&select=id,authors(name)&price=gt.2&order=id&limit=3",
        &CallArguments::Query,
        r#"SELECT t0."id" AS "id", e2.j AS "authors" FROM "lib"."books_of"("author" => CAST($1 AS int4)) AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($2, t1."name") AS j FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true WHERE t0."price" > $3 ORDER BY t0."id" LIMIT $4 [0 Text, '["name"]', 1 Text, 2 at most Some(100)]"#,
    );
    call(
        "sum_all?numbers=1&numbers=2",
        &CallArguments::Query,
        r#"SELECT "lib"."sum_all"(VARIADIC "numbers" => CAST($1 AS int4[])) AS value [[0, 1]]"#,
    );
    call(
        "tally?a=1",
        &CallArguments::Query,
        r#"SELECT "lib"."tally"("b" => CAST('{}' AS int4), "a" => CAST($1 AS int4), VARIADIC "rest" => CAST('{}' AS int4[])) AS value [0 Text]"#,
    );
    call(
        "typed_stats?select=grade&grade=gt.1",
        &CallArguments::Query,
        r#"SELECT "lib"."grade"(t0.*) AS "grade" FROM "lib"."typed_stats"() AS t0 WHERE "lib"."grade"(t0.*) > $1 LIMIT 100 [0 Text]"#,
    );
    call(
        "books_of?select=id",
        &object("author"),
        r#"SELECT t0."id" AS "id" FROM restful.record_source($1, $2, 0, $3) AS r(c1 int4) CROSS JOIN LATERAL "lib"."books_of"("author" => r.c1) AS t0 LIMIT 100 [body, '{"author"}', '{}']"#,
    );
    // a function that may write is always called, and its rows are counted before they are filtered
    call(
        "newest_book?id=eq.1&select=id,authors!inner(id)",
        &object(""),
        r#"SELECT t0."id" AS "id", e2.j AS "authors" FROM "lib"."newest_book"() AS t0 LEFT JOIN LATERAL (SELECT restful.embedded_object($1, t1."id") AS j FROM "lib"."authors" AS t1 WHERE t1."id" = t0."author_id") AS e2 ON true WHERE coalesce(restful.count_row(t0.* IS NULL) AND t0."id" = $2 AND e2.j IS NOT NULL, false) ['["id"]', 0 Text]"#,
    );
}

/// SQL without the parts in double quotes; `None` if a quote is not closed.
fn outside_quotes(sql: &str) -> Option<String> {
    let parts: Vec<&str> = sql.split('"').collect();
    (parts.len() % 2 == 1).then(|| parts.into_iter().step_by(2).collect())
}

#[test]
fn names_stay_in_their_quotes() {
    let name = ODD.replace('"', "\\\"").replace(';', "%3B");
    let path = ODD.replace('"', "%22").replace(';', "%3B").replace('/', "%2F");
    let key = name.replace('/', "%2F");
    for target in [
        format!("{path}?select=\"{key}\"&\"{key}\"=eq.1&order=\"{key}\""),
        format!("{path}?select=\"{key}\":\"{key}\""),
        format!("{path}?select=\"{key}\"->\"{key}\""),
        format!("{path}?or=(\"{key}\".is.null)"),
    ] {
        let statement = main(&Plan::Read(fixture::read(&target).unwrap()));
        let outside = outside_quotes(&statement.sql).unwrap();
        assert!(!outside.contains("drop") && !outside.contains(';') && !outside.contains("--"), "{}", statement.sql);
        assert!(statement.sql.contains("\"o\"\"; drop table x; --/*\""), "{}", statement.sql);
    }
}

/// A text that does not occur in statements by itself.
const MARKER: &str = "m4rker";

const WORDS: Vocabulary = Vocabulary {
    columns: &["id", "title", "price", "author_id", "publisher_id", "name"],
    relations: &["authors", "books", "publishers", "covers", "topics", "editions"],
    keys: &["a", "b\"c", "'"],
    casts: &["text", "int"],
    texts: &["m4rker", "m4rker,\"m4rker\"", "'m4rker", "$1m4rker", "{m4rker}", "m4rker'); drop table x; --"],
};

/// Sets every limit to a number that does not occur in statements by itself.
fn mark_numbers(query: &mut Query) {
    for value in &mut query.values {
        if let Literal::Number(n) = value {
            *n = 987_654_321;
        }
    }
}

#[test]
fn literals_never_stand_in_a_statement_and_parameters_are_numbered_in_order() {
    let mut generator = Generator::new(0x1234_5678_9abc_def1, WORDS);
    let library = fixture::Library::default();
    let mut planned = 0;
    for _ in 0..8_000 {
        let mut query = generator.query(false);
        mark_numbers(&mut query);
        let mut planner = Planner::new(&library, fixture::SCHEMA, &AGGREGATES);
        let table = *generator.random.pick(WORDS.relations);
        let relation = planner.relation(table).unwrap();
        // random names only sometimes fit a relation
        let Ok(select) = planner.read(&relation, &query.root) else { continue };
        planned += 1;
        for statement in [main(&Plan::Read(select.clone())), count(&select, None)] {
            let sql = &statement.sql;
            assert!(!sql.contains(MARKER) && !sql.contains("987654321"), "{sql}");
            let used: Vec<usize> = sql
                .split('$')
                .skip(1)
                .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap())
                .collect();
            let expected: Vec<usize> = (1..=statement.parameters.len()).collect();
            assert_eq!(used, expected, "{sql}");
        }
        assert_eq!(main(&Plan::Read(select.clone())), main(&Plan::Read(select)));
    }
    assert!(planned > 500, "{planned} queries were planned");
}

/// The statement for the representation that `accept` asks for.
fn accepted(library: &fixture::Library, plan: &Plan, target: &str, accept: &str) -> String {
    let target = Target::parse(target).unwrap();
    let query = query::parse(&target.parameters, false).unwrap();
    let accepted = media_type::accepted(Some(accept)).unwrap();
    let settings = PlanSettings::default();
    let representation =
        Planner::new(library, fixture::SCHEMA, &settings).representation(plan, &query, &accepted).unwrap();
    rendered(plan, &representation).sql
}

#[test]
fn postgis_makes_features_of_rows() {
    let mut library = fixture::Library::default();
    library.has_postgis = true;
    let target = "/books?select=id&order=id";
    assert_eq!(
        accepted(&library, &Plan::Read(fixture::read(target).unwrap()), target, "application/geo+json"),
        "SELECT CAST(\"geo\".\"st_asgeojson\"(body.*, CAST(9 AS integer)) AS pg_catalog.json) FROM (SELECT t0.\"id\" AS \"id\" \
         FROM \"lib\".\"books\" AS t0 ORDER BY t0.\"id\") AS body"
    );
}

#[test]
fn what_is_written_is_answered_as_what_is_read() {
    let plan = Plan::Write(fixture::write(Verb::Create, "books", "return=representation", Some("id")).unwrap());
    let sql = accepted(&fixture::Library::default(), &plan, "/books", "text/tab-separated-values");
    assert!(sql.starts_with("WITH written AS (INSERT INTO"), "{sql}");
    assert!(
        sql.contains(
            ") SELECT \"lib\".\"text/tab-separated-values\"(CAST(body.* AS \"lib\".\"books\")), pg_catalog.count(*) FROM (SELECT t0.* FROM written AS t0) AS body"
        ),
        "{sql}"
    );
}

/// A statement's text and how many of its columns are hidden.
fn hidden(plan: &Plan) -> (String, usize) {
    let statement = main(plan);
    (statement.sql, statement.hidden)
}

#[test]
fn hidden_columns_come_last() {
    let mut plan = fixture::read("books?select=id&order=title").unwrap();
    plan.hidden = plan.order.iter().map(|term| Hidden::Text(term.by.clone())).collect();
    let expected = r#"SELECT t0."id" AS "id", CAST(t0."title" AS pg_catalog.text) AS "?h0" FROM "lib"."books" AS t0 ORDER BY t0."title""#;
    assert_eq!(hidden(&Plan::Read(plan.clone())), (expected.to_owned(), 1));
    for statement in [count(&plan, None), counted(&plan)] {
        assert!(statement.hidden == 0 && !statement.sql.contains('?'), "{}", statement.sql);
    }
    let explained = accepted(&fixture::Library::default(), &Plan::Read(plan), "/books", "text/tab-separated-values");
    assert!(!explained.contains('?'), "{explained}");
}

#[test]
fn hidden_columns_of_a_write_are_those_of_its_rows() {
    let title = || Hidden::Text(OrderBy::Expression(Expression::of(Some(ColumnReference::new("t0", "title")))));
    let of = |target: &str, prefer: &str| {
        let mut write = fixture::write(Verb::Delete, target, prefer, None).unwrap();
        write.hidden = vec![title()];
        hidden(&Plan::Write(write))
    };
    let deleted = r#"DELETE FROM "lib"."books" AS t0 RETURNING "#;
    let shown = r#"CAST(t0."title" AS pg_catalog.text) AS "?h0""#;
    assert_eq!(of("books", ""), (format!("{deleted}{shown}"), 1));
    assert_eq!(of("books?select=id", "return=representation"), (format!(r#"{deleted}t0."id" AS "id", {shown}"#), 1));
    assert_eq!(
        of("books?select=id&order=id", "return=representation"),
        (
            format!(
                r#"WITH written AS ({deleted}t0."id", {shown}) SELECT t0."id" AS "id", t0."?h0" AS "?h0" FROM written AS t0 ORDER BY t0."id""#
            ),
            1
        )
    );
}
