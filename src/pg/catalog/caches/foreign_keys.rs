//! Foreign keys.

use super::index::{Index, indexes};
use super::{column_name, relation_name};
use crate::catalog::ForeignKey;
use crate::pg::ffi::syscache::Tuple;
use crate::pg::ffi::{catalog_scan, relcache};
use pgrx::FromDatum;
use pgrx::pg_sys::{self, Datum, Oid, SysCacheIdentifier};
use std::collections::HashMap;
use std::ffi::CStr;

/// pg_constraint and its index that begins with the table (pg_constraint.h).
const PG_CONSTRAINT: u32 = 2606;
const PG_CONSTRAINT_TABLE_INDEX: u32 = 2665;

/// Numbers of columns of pg_constraint. PostgreSQL 18 added one after `condeferred`, and one before `conkey`.
const ADDED: i16 = if cfg!(feature = "pg18") { 1 } else { 0 };
const OID: i16 = 1;
const CONNAME: i16 = 2;
const CONTYPE: i16 = 4;
const CONRELID: i16 = 8 + ADDED;
const CONPARENTID: i16 = 11 + ADDED;
const CONFRELID: i16 = 12 + ADDED;
const CONKEY: i16 = 19 + 2 * ADDED;
const CONFKEY: i16 = 20 + 2 * ADDED;

/// A foreign key, with numbers for names.
struct Key {
    oid: Oid,
    name: String,
    parent: Oid,
    table: Oid,
    columns: Vec<i16>,
    referenced_table: Oid,
    referenced_columns: Vec<i16>,
}

impl Key {
    /// The key that a row of pg_constraint describes; `None` if it is another constraint.
    fn of(value: impl Fn(i16) -> Option<Datum>) -> Option<Key> {
        let oid = |column| value(column).map_or(pg_sys::InvalidOid, |datum| Oid::from(datum.value() as u32));
        // SAFETY: the values are of the columns' types.
        let numbers = |column| unsafe { Vec::<i16>::from_datum(value(column)?, false) };
        if value(CONTYPE)?.value() as u8 != b'f' {
            return None;
        }
        Some(Key {
            oid: oid(OID),
            // SAFETY: a name is NUL-terminated.
            name: unsafe { CStr::from_ptr(value(CONNAME)?.cast_mut_ptr()) }.to_string_lossy().into_owned(),
            parent: oid(CONPARENTID),
            table: oid(CONRELID),
            columns: numbers(CONKEY)?,
            referenced_table: oid(CONFRELID),
            referenced_columns: numbers(CONFKEY)?,
        })
    }

    /// The key with this OID.
    fn find(oid: Oid) -> Option<Key> {
        // SAFETY: pg_constraint by OID.
        let tuple = unsafe { Tuple::of_oid(SysCacheIdentifier::CONSTROID, oid)? };
        Key::of(|column| tuple.value(column))
    }

    /// Whether it is meant when keys of a table are asked for. Of a partitioned table's key, each partition has a copy: the one on the
    /// named table is meant. A key that refers to a partitioned table has a copy for each partition, too: they are one key.
    fn is_meant_of(&self, table: Oid) -> bool {
        self.parent == pg_sys::InvalidOid
            || self.table == table && Key::find(self.parent).is_none_or(|parent| parent.table != self.table)
    }

    fn named(self, of: &mut HashMap<Oid, Vec<Index>>) -> Option<(ForeignKey, [u32; 2])> {
        let named = |table, columns: &[i16]| columns.iter().filter_map(|c| column_name(table, *c)).collect();
        let is_own = |index: &Index| {
            index.is_unique
                && index.key.len() == self.columns.len()
                && index.key.iter().all(|column| self.columns.contains(column))
        };
        let tables = [self.table.to_u32(), self.referenced_table.to_u32()];
        let key = ForeignKey {
            table: relation_name(self.table)?,
            columns: named(self.table, &self.columns),
            referenced_table: relation_name(self.referenced_table)?,
            referenced_columns: named(self.referenced_table, &self.referenced_columns),
            unique: of.entry(self.table).or_insert_with(|| indexes(self.table)).iter().any(is_own),
            name: self.name,
        };
        Some((key, tables))
    }
}

/// The foreign keys of a table, and those that refer to it, in the order of their names; each with the tables at both ends. Those that
/// refer to it are found by the triggers that enforce them there, because pg_constraint has no index for them.
pub fn foreign_keys(table: Oid) -> Vec<(ForeignKey, [u32; 2])> {
    let Some(open) = relcache::Relation::open(table) else { return Vec::new() };
    let mut keys: Vec<Key> = Vec::new();
    // SAFETY: pg_constraint by its index on the table.
    unsafe {
        catalog_scan::rows(PG_CONSTRAINT, PG_CONSTRAINT_TABLE_INDEX, [(CONRELID, table)], |row| {
            keys.extend(Key::of(|column| row.value(column)));
        });
    }
    for trigger in open.triggers() {
        if trigger.tgconstraint != pg_sys::InvalidOid && !keys.iter().any(|key| key.oid == trigger.tgconstraint) {
            keys.extend(Key::find(trigger.tgconstraint));
        }
    }
    keys.retain(|key| key.is_meant_of(table));
    keys.sort_by(|a, b| (&a.name, a.oid.to_u32()).cmp(&(&b.name, b.oid.to_u32())));
    let mut known = HashMap::new();
    keys.into_iter().filter_map(|key| key.named(&mut known)).collect()
}
