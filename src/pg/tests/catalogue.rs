//! What is read from PostgreSQL's caches is what queries of the catalogue say, for every object of a database full of odd ones. The queries
//! are in `oracle/`.

use super::{Test, run, text};
use crate::catalog::{Catalog, ColumnSource, ForeignKey, MediaHandler, QualifiedName, Relation, RowFunction};
use crate::pg::catalog::Reader;
use crate::pg::catalog::query::{load, oid, query, text as argument};
use crate::pg::ffi::nodes;
use pgrx::pg_sys;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::ffi::CString;
use std::rc::Rc;

pub(super) const TESTS: &[Test] = tests![
    relations_are_what_queries_say,
    foreign_keys_are_what_queries_say,
    functions_of_rows_are_what_queries_say,
    aggregates_and_views_are_what_queries_say,
    types_are_what_queries_say,
];

const ODD_OBJECTS: &str = include_str!("oracle/odd_objects.sql");

/// Makes the odd objects, and foreign tables if there is a wrapper for them.
fn set_up() {
    run(ODD_OBJECTS);
    if text("select exists (select from pg_available_extensions where name = 'postgres_fdw')::text") == "true" {
        run("create extension postgres_fdw;
             create server s foreign data wrapper postgres_fdw;
             create server read_only foreign data wrapper postgres_fdw options (updatable 'false');
             create foreign table odd.foreign_one (id int not null, at timestamptz default now()) server s;
             create foreign table odd.foreign_two (id int, more odd.positive default 4) server read_only;
             create view odd.foreign_view as select * from odd.foreign_one");
    }
}

/// The rows of a query with one column.
fn list<T: DeserializeOwned>(sql: &str) -> Vec<T> {
    serde_json::from_str(&text(&format!("select coalesce(json_agg(x.v), '[]')::text from ({sql}) x (v)"))).unwrap()
}

fn named(sql: &str) -> Vec<QualifiedName> {
    let pairs: Vec<[String; 2]> = list(sql);
    pairs.into_iter().map(|[schema, name]| QualifiedName { schema, name }).collect()
}

/// All tables and views.
fn relations() -> Vec<QualifiedName> {
    let found = named(
        "select array[n.nspname, c.relname]::text[] from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p', 'v', 'm', 'f') and not pg_is_other_temp_schema(n.oid)",
    );
    assert!(found.len() > 150, "{}", found.len());
    found
}

/// What the query says beyond a [`Relation`].
#[derive(Deserialize)]
struct Defaults {
    columns: Vec<Default>,
}

#[derive(Deserialize)]
struct Default {
    name: String,
    default: Option<String>,
}

#[derive(Deserialize)]
struct ViewColumns {
    sources: Vec<ColumnSource>,
    primary_key: Vec<String>,
    has_deferrable_key: bool,
}

#[derive(Deserialize)]
struct SourceDefaults {
    sources: Vec<SourceDefault>,
}

#[derive(Deserialize)]
struct SourceDefault {
    column: String,
    default: Option<String>,
}

type Expressions = HashMap<String, String>;

/// The relation and its defaults, by queries.
fn relation_by_query(name: &QualifiedName) -> Option<(Relation, Expressions)> {
    let sql = include_str!("oracle/relation.sql");
    let arguments = [argument(&name.schema), argument(&name.name)];
    let mut relation: Relation = load("oracle_relation", sql, &arguments).unwrap()?;
    let defaults: Defaults = load("oracle_relation", sql, &arguments).unwrap().unwrap();
    let mut expressions: Expressions =
        defaults.columns.into_iter().filter_map(|column| Some((column.name, column.default?))).collect();
    if relation.is_view {
        let origins = serde_json::json!(origins(relation.oid)).to_string();
        let arguments = [oid(relation.oid), argument(&origins)];
        let sql = include_str!("oracle/view_columns.sql");
        let columns: ViewColumns = load("oracle_view", sql, &arguments).unwrap().unwrap();
        let defaults: SourceDefaults = load("oracle_view", sql, &arguments).unwrap().unwrap();
        relation.sources = columns.sources;
        relation.primary_key = columns.primary_key;
        if relation.upsertable {
            relation.inherit_from_sources();
            for source in defaults.sources {
                if let Some(default) = source.default {
                    expressions.entry(source.column).or_insert(default);
                }
            }
        }
        relation.upsertable &= !columns.has_deferrable_key;
    }
    Some((relation, expressions))
}

/// The origins of a view's columns, from the texts of rules.
fn origins(view: u32) -> Vec<(i16, u32, i16)> {
    let mut found = Vec::new();
    for (column, mut relation, mut source) in target_list(view) {
        let mut path = vec![view];
        while !path.contains(&relation) {
            if text(&format!("select (relkind in ('v', 'm'))::text from pg_class where oid = {relation}")) == "false" {
                found.push((column, relation, source));
                break;
            }
            path.push(relation);
            let Some((_, next, next_source)) = target_list(relation).into_iter().find(|(inner, ..)| *inner == source)
            else {
                break;
            };
            (relation, source) = (next, next_source);
        }
    }
    found
}

fn target_list(view: u32) -> Vec<(i16, u32, i16)> {
    let rule = query("oracle_rule", include_str!("oracle/view_rule.sql"), &[oid(view)]).unwrap();
    let Some(rule) = rule.and_then(|rule| CString::new(rule).ok()) else { return Vec::new() };
    // SAFETY: the catalogue holds node trees of this server; each node is read as the type that its tag says.
    unsafe {
        let action: *mut pg_sys::List = pg_sys::stringToNode(rule.as_ptr()).cast();
        let Some(query) = nodes::iter::<pg_sys::Query>(action).next() else { return Vec::new() };
        nodes::iter::<pg_sys::TargetEntry>((*query).targetList)
            .filter(|entry| !(**entry).resjunk && (**entry).resorigcol > 0)
            .map(|entry| ((*entry).resno, (*entry).resorigtbl.to_u32(), (*entry).resorigcol))
            .collect()
    }
}

fn relations_are_what_queries_say() {
    set_up();
    let reader = Reader::default();
    for name in relations() {
        let found = reader.relation(&name.schema, &name.name).unwrap().unwrap();
        let (expected, defaults) = relation_by_query(&name).unwrap();
        assert_eq!(format!("{found:#?}"), format!("{expected:#?}"));
        for column in &expected.columns {
            let default = reader.default_of(&found, &column.name).unwrap();
            assert_eq!(default.as_ref(), defaults.get(&column.name), "{name} {}", column.name);
        }
    }
    for (schema, name) in [("odd", "no_such"), ("no_such", "plain"), ("odd", "pair"), ("odd", "plain_pkey"), ("", "")] {
        let name = QualifiedName { schema: schema.to_owned(), name: name.to_owned() };
        assert!(relation_by_query(&name).is_none() && reader.relation(schema, &name.name).unwrap().is_none(), "{name}");
    }
    assert!(reader.relation("odd", &"a".repeat(64)).unwrap().is_none());
}

#[derive(Deserialize)]
struct LoadedForeignKey {
    #[serde(flatten)]
    key: ForeignKey,
}

fn foreign_keys_are_what_queries_say() {
    set_up();
    let reader = Reader::default();
    let mut count = 0;
    for name in relations() {
        let relation = reader.relation(&name.schema, &name.name).unwrap().unwrap();
        let sql = include_str!("oracle/foreign_keys.sql");
        let expected: Option<Vec<LoadedForeignKey>> = load("oracle_keys", sql, &[oid(relation.oid)]).unwrap();
        let expected: Vec<ForeignKey> = expected.unwrap().into_iter().map(|loaded| loaded.key).collect();
        assert_eq!(reader.foreign_keys(&relation).unwrap().to_vec(), expected, "{name}");
        count += expected.len();
    }
    assert!(count > 25, "{count}");
}

fn functions_of_rows_are_what_queries_say() {
    set_up();
    let reader = Reader::default();
    let names: Vec<String> =
        list("select distinct proname::text from pg_proc where pronamespace::regnamespace::text in ('odd', 'other')");
    let types: Vec<u32> = list(
        "select oid::int8 from pg_class where relnamespace::regnamespace::text in ('odd', 'other') and reltype <> 0",
    );
    let mut found = 0;
    for path in [&["odd"][..], &["other", "odd"], &["no_such", "odd", "other"], &["other"]] {
        let (first, rest) = path.split_first().unwrap();
        run(&format!("set local restful.extra_search_path = '{}'", rest.join(", ")));
        let array = crate::statement::array_literal(path.iter().copied());
        for name in &names {
            for row_type in &types {
                let sql = include_str!("oracle/row_function.sql");
                let arguments = [oid(*row_type), argument(name), argument(&array)];
                let expected: Option<RowFunction> = load("oracle_row_function", sql, &arguments).unwrap();
                found += usize::from(expected.is_some());
                assert_eq!(
                    reader.row_function(first, *row_type, name).unwrap(),
                    expected,
                    "{path:?} {name} {row_type}"
                );
            }
        }
    }
    assert!(found > 20, "{found}");
}

fn aggregates_and_views_are_what_queries_say() {
    set_up();
    let reader = Reader::default();
    for schema in list::<String>("select nspname::text from pg_namespace") {
        let sql = include_str!("oracle/media_handlers.sql");
        let expected: Option<Vec<MediaHandler>> = load("oracle_handlers", sql, &[argument(&schema)]).unwrap();
        assert_eq!(expected.is_some(), schema == "odd");
        assert_eq!(reader.media_handlers(&schema).unwrap(), Rc::from(expected.unwrap_or_default()), "{schema}");
    }
    let tables = relations();
    let mut found = 0;
    for schema in ["odd", "other", "no_such", "information_schema"] {
        for tables in tables.chunks(1).chain(tables.chunks(7)) {
            let names: Vec<[&str; 2]> = tables.iter().map(|t| [t.schema.as_str(), t.name.as_str()]).collect();
            let arguments = [argument(schema), argument(&serde_json::json!(names).to_string())];
            let expected: Option<Vec<String>> =
                load("oracle_views", include_str!("oracle/views.sql"), &arguments).unwrap();
            let expected = expected.unwrap_or_default();
            found += expected.len();
            let tables: Vec<&QualifiedName> = tables.iter().collect();
            assert_eq!(reader.views(schema, &tables).unwrap(), expected, "{schema} {names:?}");
        }
    }
    assert!(found > 50, "{found}");
}

fn types_are_what_queries_say() {
    set_up();
    let reader = Reader::default();
    for schema in ["odd", "other", "pg_catalog", "no_such"] {
        for name in list::<String>("select distinct typname::text from pg_type") {
            let arguments = [argument(schema), argument(&name)];
            let expected = query("oracle_type", include_str!("oracle/data_type.sql"), &arguments).unwrap();
            let found = reader.data_type(schema, &name).unwrap();
            assert_eq!(found.is_some(), expected.is_some(), "{schema} {name}");
            if let (Some(found), Some(expected)) = (found, expected) {
                let quoted = |name: &str| name.replace('\'', "''");
                let same = format!("select ('{}'::regtype = '{}'::regtype)::text", quoted(&found), quoted(&expected));
                assert_eq!(text(&same), "true", "{found} {expected}");
            }
        }
    }
}
