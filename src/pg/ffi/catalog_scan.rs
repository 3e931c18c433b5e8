//! Scans of system catalogues (genam.h), for what no system cache has.

use pgrx::pg_sys::{self, Datum, HeapTuple, Oid};
use std::ffi::c_int;

const LOCK: c_int = pg_sys::AccessShareLock as c_int;

/// A row of a scan.
pub struct Row {
    tuple: HeapTuple,
    descriptor: pg_sys::TupleDesc,
}

impl Row {
    /// The value of the column with this number, as it is stored; `None` if it is null.
    pub fn value(&self, column: i16) -> Option<Datum> {
        let mut is_null = false;
        // SAFETY: the tuple is of this descriptor, and the scan keeps it.
        let value = unsafe { pg_sys::heap_getattr(self.tuple, c_int::from(column), self.descriptor, &mut is_null) };
        (!is_null).then_some(value)
    }

    /// What names this version of the row: its place in the catalogue, and the transaction that wrote it.
    pub fn version(&self) -> (u64, u32) {
        // SAFETY: the scan keeps the tuple, which is one in a table.
        unsafe {
            let place = (*self.tuple).t_self;
            let block = (u64::from(place.ip_blkid.bi_hi) << 16) | u64::from(place.ip_blkid.bi_lo);
            let writer = (*(*self.tuple).t_data).t_choice.t_heap.t_xmin;
            ((block << 16) | u64::from(place.ip_posid), u32::from(writer))
        }
    }

    /// An OID.
    pub fn oid(&self, column: i16) -> Oid {
        self.value(column).map_or(pg_sys::InvalidOid, |value| Oid::from(value.value() as u32))
    }

    /// The fixed part of the row.
    ///
    /// # Safety
    /// `Form` is the struct of the catalogue.
    pub unsafe fn form<Form>(&self) -> &Form {
        // SAFETY: promised by the caller; the scan keeps the tuple.
        unsafe { &*pg_sys::GETSTRUCT(self.tuple).cast::<Form>() }
    }
}

/// A catalogue that is being scanned. Dropping it ends the scan.
struct Scan {
    catalogue: pg_sys::Relation,
    scan: pg_sys::SysScanDesc,
}

impl Drop for Scan {
    fn drop(&mut self) {
        // SAFETY: this value has begun the scan and opened the catalogue.
        unsafe {
            pg_sys::systable_endscan(self.scan);
            pg_sys::table_close(self.catalogue, LOCK);
        }
    }
}

/// Calls `each` with the rows of a catalogue, or of a table of the extension, in which the columns have these OIDs, as they are now, found by
/// an index. The columns are the first ones of the index. Without an index, all rows.
///
/// # Safety
/// `catalogue` is such a table and `index` one of its indexes, or 0; the columns are OIDs.
pub unsafe fn rows<const N: usize>(catalogue: u32, index: u32, keys: [(i16, Oid); N], mut each: impl FnMut(&Row)) {
    // SAFETY: promised by the caller. Each row is used before the next one is read.
    unsafe {
        let mut scan_keys: [pg_sys::ScanKeyData; N] = std::mem::zeroed();
        for (key, (column, value)) in scan_keys.iter_mut().zip(keys) {
            pg_sys::ScanKeyInit(
                key,
                column,
                pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                pg_sys::Oid::from(pg_sys::F_OIDEQ),
                value.into(),
            );
        }
        let catalogue = pg_sys::table_open(catalogue.into(), LOCK);
        let scan = pg_sys::systable_beginscan(
            catalogue,
            index.into(),
            index != 0,
            std::ptr::null_mut(),
            N as c_int,
            scan_keys.as_mut_ptr(),
        );
        let scan = Scan { catalogue, scan };
        let descriptor = (*catalogue).rd_att;
        loop {
            let tuple = pg_sys::systable_getnext(scan.scan);
            if tuple.is_null() {
                break;
            }
            each(&Row { tuple, descriptor });
        }
    }
}

/// Whether a table of the extension has rows. It is not locked afterwards.
pub fn has_rows(relation: pg_sys::Oid) -> bool {
    let mut has_rows = false;
    // SAFETY: a table of the extension, without an index and keys.
    unsafe { rows(relation.to_u32(), 0, [], |_| has_rows = true) };
    has_rows
}
