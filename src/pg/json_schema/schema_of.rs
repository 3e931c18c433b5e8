//! `restful.schema_of(rel regclass)`: reads the catalogue with the caller's rights.

use crate::error::Result;
use crate::json_schema::of_table::{self, RelationKind, Relations, Table};
use crate::pg::catalog::query::{self, boolean, oids};
use crate::pg::ffi::error::Raise;
use crate::pg::ffi::fmgr::{argument, sql_function};
use crate::pg::ffi::guc_nest::GucNest;
use crate::pg::ffi::jsonb;
use crate::pg::json_schema;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;
use serde_json::json;

sql_function!(restful_schema_of, "schema_of(rel regclass)", |call| {
    // The function is STRICT, so the argument is not null. A regclass is an OID.
    let relation = argument(call, 0).map_or(0, |datum| datum.value() as u32);
    schema_of(relation).unwrap_or_else(|error| error.raise())
});

/// The JSON Schema of a relation's rows, as jsonb.
///
/// # Errors
/// 42P01 if the relation does not exist, 42809 if it is not a table or view, and 42501 if the caller has no right to read or write
/// any of its columns.
///
/// # Safety
/// Runs queries, so it must be called within a transaction.
pub unsafe fn schema_of(relation: u32) -> std::result::Result<pg_sys::Datum, Raise> {
    let loaded = load(&[relation.into()], &[], false);
    let mut relations = loaded.map_err(|error| Raise::new(SqlState::INTERNAL_ERROR, error.message.as_str()))?;
    let Some(table) = relations.tables.pop() else {
        let message = format!("relation with OID {relation} does not exist");
        return Err(Raise::new(SqlState::UNDEFINED_TABLE, message));
    };
    let denied =
        |object: String| Err(Raise::new(SqlState::INSUFFICIENT_PRIVILEGE, format!("permission denied for {object}")));
    if table.kind == RelationKind::Other {
        let message = format!("\"{}\" is not a table or view", table.name);
        return Err(Raise::new(SqlState::WRONG_OBJECT_TYPE, message));
    }
    if !table.schema_usable {
        return denied(format!("schema {}", table.schema));
    }
    if !table.permitted {
        return denied(format!("{} {}", table.kind.noun(), table.name));
    }
    // SAFETY: promised by the caller.
    Ok(unsafe { jsonb::of_text(&of_table::schema_of(&table, &relations.types).to_string()) })
}

/// Loads relations, with the schemas bound to their columns, and the types that they and `types` consist of: either everything
/// (`all`), or what the current user has rights on.
pub fn load(relations: &[pg_sys::Oid], types: &[pg_sys::Oid], all: bool) -> Result<Relations> {
    let mut relations = load_relations(relations, types, all)?;
    for table in relations.tables.iter_mut().filter(|table| table.may_be_bound) {
        bind(table)?;
    }
    Ok(relations)
}

fn bind(table: &mut Table) -> Result<()> {
    for binding in json_schema::bindings(table.oid.into())? {
        let Some(schema) = binding.required().and_then(|source| source.document()) else { continue };
        // Leave out schemas of whole rows: a request does not send generated or defaulted columns, so they do not fit its body.
        let Some(column) = table.columns.iter_mut().find(|c| Some(&c.name) == binding.column.as_ref()) else {
            continue;
        };
        column.schema = Some(match column.schema.take() {
            None => schema,
            Some(other) => json!({ "allOf": [other, schema] }),
        });
    }
    Ok(())
}

fn load_relations(relations: &[pg_sys::Oid], types: &[pg_sys::Oid], all: bool) -> Result<Relations> {
    let nest = GucNest::open();
    // The first two decide how constants in expressions are written. JIT is off because the planner overestimates the recursive
    // parts so much that it would compile the query, which takes a hundred times as long as running it.
    let settings = [(c"standard_conforming_strings", c"on"), (c"extra_float_digits", c"1"), (c"jit", c"off")];
    for (name, value) in settings {
        nest.set(name, value);
    }
    let sql = include_str!("../../../sql/query/json_schema/schema_of.sql");
    let loaded = query::load("schema_of", sql, &[oids(relations), oids(types), boolean(all)])?;
    Ok(loaded.unwrap_or_default())
}
