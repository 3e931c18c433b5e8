//! Columns of a write that the body leaves out.

use crate::catalog::{Catalog, Column, Relation};
use crate::error::Result;
use crate::plan::{BodyColumn, Reset};
use crate::route::Verb;

/// Removes the columns that no object of the body has from the columns that the body feeds. A new row then gets PostgreSQL's usual
/// values for columns that an INSERT leaves out, and an existing row keeps the columns that identify it.
pub(super) fn take(verb: Verb, relation: &Relation, columns: &mut Vec<BodyColumn>, absent: &[String]) -> Vec<String> {
    let is_taken = |name: &String| {
        absent.contains(name)
            && (verb == Verb::Create || relation.column(name).is_some_and(|column| !is_reset(relation, column)))
    };
    let taken = columns.iter().map(|c| &c.column).filter(|name| is_taken(name)).cloned().collect();
    columns.retain(|c| !is_taken(&c.column));
    taken
}

/// The columns among these that are reset to their default in existing rows.
///
/// # Errors
/// The catalogue cannot be read.
pub(super) fn resets<'a>(
    catalog: &dyn Catalog,
    relation: &Relation,
    columns: impl Iterator<Item = &'a String>,
) -> Result<Vec<Reset>> {
    let columns = columns.filter_map(|name| relation.column(name)).filter(|column| is_reset(relation, column));
    let reset = |column: &Column| {
        let default = if relation.is_view {
            // DEFAULT would be null for a view column without a default of its own
            Some(catalog.default_of(relation, &column.name)?.unwrap_or_else(|| "NULL".to_owned()))
        } else {
            None
        };
        Ok(Reset { column: column.name.clone(), default })
    };
    columns.map(reset).collect()
}

/// Of the columns that only some objects have, those that stay unchanged in existing rows.
pub(super) fn kept(relation: &Relation, partial: &[String]) -> Vec<String> {
    let stays = |name: &&String| relation.column(name).is_some_and(|column| !is_reset(relation, column));
    partial.iter().filter(stays).cloned().collect()
}

/// Whether a column of an existing row is set to its default if the body does not have it. Columns that identify the row are not.
fn is_reset(relation: &Relation, column: &Column) -> bool {
    column.writable && column.updatable && !column.identity && !relation.primary_key.contains(&column.name)
}
