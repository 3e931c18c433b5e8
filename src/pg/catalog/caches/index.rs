//! Indexes of tables.

use super::column_name;
use crate::pg::ffi::catalog_scan::{self, Row};
use crate::pg::ffi::syscache::Tuple;
use pgrx::pg_sys::{self, Oid, SysCacheIdentifier};

/// Numbers of columns of pg_index.
const INDRELID: i16 = 2;

/// An index.
pub struct Index {
    pub is_primary: bool,
    /// Its key cannot be deferred.
    pub is_immediate: bool,
    /// It is complete: it was not left behind by a CREATE INDEX CONCURRENTLY that failed.
    pub is_valid: bool,
    /// Its columns are unique in the whole table: it is a unique index without a predicate and without expressions.
    pub is_unique: bool,
    /// The numbers of the key's columns, 0 for an expression. Included columns are left out.
    pub key: Vec<i16>,
}

impl Index {
    fn of(row: &Row) -> Index {
        // SAFETY: a row of pg_index; `indkey` has `indnatts` numbers.
        unsafe {
            let form = row.form::<pg_sys::FormData_pg_index>();
            let key = std::slice::from_raw_parts(form.indkey.values.as_ptr(), form.indnkeyatts as usize);
            let is_partial_or_computed = row.value(PREDICATE).is_some() || row.value(EXPRESSIONS).is_some();
            Index {
                is_primary: form.indisprimary,
                is_immediate: form.indimmediate,
                is_valid: form.indisvalid,
                is_unique: form.indisunique && !is_partial_or_computed,
                key: key.to_vec(),
            }
        }
    }
}

/// `indexprs` and `indpred`, the last columns of pg_index. PostgreSQL 15 added one before them.
#[cfg(feature = "pg14")]
const EXPRESSIONS: i16 = 19;
#[cfg(not(feature = "pg14"))]
const EXPRESSIONS: i16 = 20;
const PREDICATE: i16 = EXPRESSIONS + 1;

/// The indexes of a table.
pub fn indexes(table: Oid) -> Vec<Index> {
    let mut indexes = Vec::new();
    // SAFETY: pg_index by its index on the table.
    unsafe {
        catalog_scan::rows(
            pg_sys::IndexRelationId.to_u32(),
            pg_sys::IndexIndrelidIndexId,
            [(INDRELID, table)],
            |row| indexes.push(Index::of(row)),
        );
    }
    indexes
}

/// The columns of the shortest unique key of a table whose columns are all NOT NULL; empty if it has none.
pub fn unique_key(table: Oid) -> Vec<String> {
    let is_not_null = |number: &i16| {
        // SAFETY: pg_attribute by relation and number.
        let column = unsafe { Tuple::find(SysCacheIdentifier::ATTNUM, [table.into(), (*number).into()]) };
        // SAFETY: a tuple of pg_attribute.
        column.is_some_and(|column| unsafe { column.form::<pg_sys::FormData_pg_attribute>() }.attnotnull)
    };
    let is_key =
        |index: &Index| index.is_unique && index.is_immediate && index.is_valid && index.key.iter().all(is_not_null);
    let shortest = indexes(table).into_iter().filter(is_key).min_by_key(|index| index.key.len());
    shortest.iter().flat_map(|index| &index.key).filter_map(|column| column_name(table, *column)).collect()
}

/// The columns of a table's primary key.
pub fn primary_key(table: Oid, indexes: &[Index]) -> Vec<String> {
    let key = indexes.iter().find(|index| index.is_primary).map_or(&[][..], |index| &index.key);
    key.iter().filter_map(|column| column_name(table, *column)).collect()
}
