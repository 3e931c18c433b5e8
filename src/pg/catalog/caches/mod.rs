//! The catalogue as PostgreSQL's own caches have it. The statement of a request needs the same entries, so a backend's first request
//! of a table fills them once. They are as new as what PostgreSQL has announced, whatever snapshot the caller has.

mod aggregates;
mod column;
mod foreign_keys;
mod index;
mod relation;
mod resource;
mod row_function;
mod view;

pub use aggregates::media_handlers;
pub use column::named_data_type;
pub use foreign_keys::foreign_keys;
pub use index::unique_key;
pub use relation::{Found, has_relation, relation};
pub use row_function::{has_function, row_function};
pub use view::dependents;

use crate::catalog::QualifiedName;
use crate::limits::IDENTIFIER_BYTES;
use crate::pg::ffi::syscache::{Tuple, name, schema_name};
use pgrx::pg_sys::{self, Oid, SysCacheIdentifier};
use std::ffi::{CString, c_char};

/// A name as PostgreSQL takes it. `None` if it is longer than a name can be, because PostgreSQL would truncate it and might find
/// another object.
fn identifier(text: &str) -> Option<CString> {
    (text.len() <= IDENTIFIER_BYTES).then(|| CString::new(text).ok()).flatten()
}

/// The schema with this name.
fn schema(name: &str) -> Option<Oid> {
    let name = identifier(name)?;
    // SAFETY: a look-up in a system cache; with missing_ok an unknown name gives InvalidOid.
    let oid = unsafe { pg_sys::get_namespace_oid(name.as_ptr(), true) };
    (oid != pg_sys::InvalidOid).then_some(oid)
}

/// Whether a kind of relation has rows that requests can name: tables, views, materialized views, foreign tables.
fn has_rows(kind: c_char) -> bool {
    matches!(
        kind as u8,
        pg_sys::RELKIND_RELATION
            | pg_sys::RELKIND_PARTITIONED_TABLE
            | pg_sys::RELKIND_VIEW
            | pg_sys::RELKIND_MATVIEW
            | pg_sys::RELKIND_FOREIGN_TABLE
    )
}

/// The row of a relation in pg_class.
fn class(relation: Oid) -> Option<Tuple> {
    // SAFETY: pg_class by OID.
    unsafe { Tuple::of_oid(SysCacheIdentifier::RELOID, relation) }
}

/// The row of a type in pg_type.
fn data_type(data_type: Oid) -> Option<Tuple> {
    // SAFETY: pg_type by OID.
    unsafe { Tuple::of_oid(SysCacheIdentifier::TYPEOID, data_type) }
}

/// What a tuple of pg_class says.
fn class_form(tuple: &Tuple) -> &pg_sys::FormData_pg_class {
    // SAFETY: only `class` makes these.
    unsafe { tuple.form() }
}

/// What a tuple of pg_type says.
fn type_form(tuple: &Tuple) -> &pg_sys::FormData_pg_type {
    // SAFETY: only `data_type` makes these.
    unsafe { tuple.form() }
}

/// The name of a relation, whatever its kind.
fn relation_name(relation: Oid) -> Option<QualifiedName> {
    let tuple = class(relation)?;
    let form = class_form(&tuple);
    Some(QualifiedName { schema: schema_name(form.relnamespace)?, name: name(&form.relname) })
}

/// The name of a relation whose rows requests can name.
fn named_relation(relation: Oid) -> Option<QualifiedName> {
    if relation == pg_sys::InvalidOid || !has_rows(class_form(&class(relation)?).relkind) {
        return None;
    }
    relation_name(relation)
}

/// The name of a column.
fn column_name(relation: Oid, column: i16) -> Option<String> {
    // SAFETY: pg_attribute by relation and number.
    unsafe {
        let tuple = Tuple::find(SysCacheIdentifier::ATTNUM, [relation.into(), column.into()])?;
        Some(name(&tuple.form::<pg_sys::FormData_pg_attribute>().attname))
    }
}
