//! Columns of a write that its body leaves out.

use crate::catalog::{Column, Relation};
use crate::plan::{BodyColumn, Reset};
use crate::route::Verb;

/// Takes the columns that no object of the body has from those that it feeds: PostgreSQL gives a new row what it gives to what an
/// INSERT leaves out, and a row that exists keeps what identifies it.
pub(super) fn take(verb: Verb, relation: &Relation, columns: &mut Vec<BodyColumn>, absent: &[String]) -> Vec<String> {
    let is_taken = |name: &String| {
        absent.contains(name)
            && (verb == Verb::Create || relation.column(name).is_some_and(|column| !is_reset(relation, column)))
    };
    let taken = columns.iter().map(|c| &c.column).filter(|name| is_taken(name)).cloned().collect();
    columns.retain(|c| !is_taken(&c.column));
    taken
}

/// Those of the columns that a row that exists gets the default of.
pub(super) fn resets<'a>(relation: &Relation, columns: impl Iterator<Item = &'a String>) -> Vec<Reset> {
    let columns = columns.filter_map(|name| relation.column(name)).filter(|column| is_reset(relation, column));
    let reset = |column: &Column| Reset {
        column: column.name.clone(),
        // DEFAULT would be null where the view has none of its own
        default: relation.is_view.then(|| column.default.clone().unwrap_or_else(|| "NULL".to_owned())),
    };
    columns.map(reset).collect()
}

/// Those of the columns that not all objects of the body have which stay as they are in rows that exist.
pub(super) fn kept(relation: &Relation, partial: &[String]) -> Vec<String> {
    let stays = |name: &&String| relation.column(name).is_some_and(|column| !is_reset(relation, column));
    partial.iter().filter(stays).cloned().collect()
}

/// Whether a column of a row that exists is set to its default where nothing else is said: not what identifies the row.
fn is_reset(relation: &Relation, column: &Column) -> bool {
    column.writable && column.updatable && !column.identity && !relation.primary_key.contains(&column.name)
}
