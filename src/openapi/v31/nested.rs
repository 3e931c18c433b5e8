//! Rows in rows: the members of a row's body that are rows of related tables.

use super::{component, reference};
use crate::openapi::Relation;
use serde_json::{Map, Value, json};

/// The schema of a row together with rows of related tables, and the name of its component. `None` if no related table takes rows.
///
/// Described are the related tables of the same schema that a name alone tells apart: those to which one foreign key of one column leads.
pub fn row_with_rows(relation: &Relation, relations: &[Relation]) -> Option<(String, Value)> {
    let own = relation.table;
    let members = relations.iter().filter(|other| {
        let is_column = own.columns.iter().any(|column| column.name == other.table.name);
        other.access.insertable && other.table.oid != own.oid && !is_column
    });
    let members: Map<String, Value> = members.filter_map(|other| member(relation, other)).collect();
    if members.is_empty() {
        return None;
    }
    let name = component(&own.name);
    let mut properties = columns(relation, "");
    properties.extend(members);
    let row = json!({
        "description": "A row with rows of related tables in it. Their foreign keys are filled in.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false
    });
    Some((format!("{name}.nested"), row))
}

/// The member with the rows of another table.
fn member(relation: &Relation, other: &Relation) -> Option<(String, Value)> {
    let leads = |from: &Relation, to: &Relation| {
        from.access.foreign_keys.iter().filter(|key| key.table == to.table.name).map(|key| key.column.clone()).collect()
    };
    let (to_one, to_many): (Vec<String>, Vec<String>) = (leads(relation, other), leads(other, relation));
    // Such a row can have rows in it, too.
    let row = |filled_in| json!({ "type": "object", "properties": columns(other, filled_in) });
    let value = match (to_one.as_slice(), to_many.as_slice()) {
        ([_], []) => json!({ "anyOf": [row(""), { "type": "null" }] }),
        ([], [filled_in]) => json!({ "anyOf": [{ "type": "array", "items": row(filled_in) }, row(filled_in)] }),
        _ => return None,
    };
    Some((other.table.name.clone(), value))
}

/// The columns that take values, except one.
fn columns(relation: &Relation, except: &str) -> Map<String, Value> {
    let name = component(&relation.table.name);
    let columns = relation.table.columns.iter();
    let columns = columns.filter(|column| (column.insertable || column.updatable) && column.name != except);
    columns
        .map(|column| (column.name.clone(), reference(&["components", "schemas", &name, "properties", &column.name])))
        .collect()
}
