//! Relations that PostgreSQL's relation cache describes (relation.h, rel.h), open for as long as they are looked at.

use super::composite;
use pgrx::pg_sys::{self, FormData_pg_attribute, FormData_pg_class, Oid};
use std::ffi::c_int;

/// An open relation. Dropping it closes it and releases the lock.
pub struct Relation(pg_sys::Relation);

/// The lock of a reader.
const LOCK: c_int = pg_sys::AccessShareLock as c_int;

impl Drop for Relation {
    fn drop(&mut self) {
        // SAFETY: this value has opened it, with this lock.
        unsafe { pg_sys::relation_close(self.0, LOCK) };
    }
}

impl Relation {
    /// Opens a relation, as a reader does: waits for whoever is altering it. `None` if there is no relation with this OID.
    pub fn open(oid: Oid) -> Option<Relation> {
        // SAFETY: within a transaction.
        let relation = unsafe { pg_sys::try_relation_open(oid, LOCK) };
        (!relation.is_null()).then(|| Relation(relation))
    }

    /// `pg_class.oid`
    pub fn oid(&self) -> Oid {
        // SAFETY: reads the descriptor.
        unsafe { (*self.0).rd_id }
    }

    /// Its row in pg_class.
    pub fn class(&self) -> &FormData_pg_class {
        // SAFETY: an open relation has its row.
        unsafe { &*(*self.0).rd_rel }
    }

    /// Its columns, without dropped ones.
    pub fn columns(&self) -> impl Iterator<Item = &FormData_pg_attribute> {
        // SAFETY: an open relation keeps its descriptor.
        unsafe {
            let descriptor = (*self.0).rd_att;
            let all = (0..composite::attribute_count(descriptor)).map(move |i| composite::attribute(descriptor, i));
            all.filter(|column| !column.attisdropped)
        }
    }

    /// Its rules.
    pub fn rules(&self) -> impl Iterator<Item = &pg_sys::RewriteRule> {
        // SAFETY: an open relation keeps its rules; a list of them has as many as it says.
        unsafe {
            let rules = (*self.0).rd_rules;
            let count = if rules.is_null() { 0 } else { (*rules).numLocks as usize };
            (0..count).map(move |i| &**(*rules).rules.add(i))
        }
    }

    /// Its triggers.
    pub fn triggers(&self) -> &[pg_sys::Trigger] {
        // SAFETY: an open relation keeps its triggers; the array has as many as it says.
        unsafe {
            let triggers = (*self.0).trigdesc;
            if triggers.is_null() {
                return &[];
            }
            std::slice::from_raw_parts((*triggers).triggers, (*triggers).numtriggers as usize)
        }
    }
}
