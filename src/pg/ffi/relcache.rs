//! Relations that PostgreSQL's relation cache describes (relation.h, rel.h), open for as long as they are looked at.

use super::composite;
use pgrx::pg_sys::{self, FormData_pg_attribute, FormData_pg_class, Oid};
use std::ffi::{CStr, c_int};

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

    /// The columns of its primary key, by name.
    pub fn primary_key(&self) -> Vec<String> {
        // SAFETY: the relation is open.
        unsafe { primary_key(self.0) }
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

/// The columns of the primary key of an open table, by name.
///
/// # Safety
/// The relation is open.
pub unsafe fn primary_key(table: pg_sys::Relation) -> Vec<String> {
    // SAFETY: promised by the caller. The set has numbers of columns that the table has, less the lowest number of a system column.
    unsafe {
        let kind = pg_sys::IndexAttrBitmapKind::INDEX_ATTR_BITMAP_PRIMARY_KEY;
        let columns = pg_sys::RelationGetIndexAttrBitmap(table, kind);
        let mut names = Vec::new();
        let mut member = -1;
        loop {
            member = pg_sys::bms_next_member(columns, member);
            let number = member + pg_sys::FirstLowInvalidHeapAttributeNumber;
            if member < 0 {
                break;
            }
            if let Ok(place) = usize::try_from(number - 1) {
                let name = &raw const composite::attribute((*table).rd_att, place).attname.data;
                names.push(CStr::from_ptr(name.cast()).to_string_lossy().into_owned());
            }
        }
        names.sort_unstable();
        names
    }
}
