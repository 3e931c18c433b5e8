//! A table of the extension whose rows are read and written without the executor, as PostgreSQL's catalogues are: by its primary key, a
//! uuid in the first column. That costs a fraction of a statement, and runs no code of users: no triggers, policies or rewritten queries.

use pgrx::pg_sys::{self, Datum, HeapTuple, Oid};
use std::ffi::c_int;
use std::ptr;

const LOCK: c_int = pg_sys::RowExclusiveLock as c_int;

/// An open table. It stays locked until the end of the transaction, as after any write.
pub struct KeyedTable(pg_sys::Relation);

/// A row that a scan is at.
pub struct Row {
    tuple: HeapTuple,
    descriptor: pg_sys::TupleDesc,
}

impl Row {
    /// The value of the column with this number, as it is stored; `None` if it is null.
    pub fn value(&self, column: c_int) -> Option<Datum> {
        let mut is_null = false;
        // SAFETY: the tuple is of this descriptor, and the scan keeps it.
        let value = unsafe { pg_sys::heap_getattr(self.tuple, column, self.descriptor, &mut is_null) };
        (!is_null).then_some(value)
    }

    /// Where the row is.
    pub fn place(&self) -> pg_sys::ItemPointerData {
        // SAFETY: the scan keeps the tuple.
        unsafe { (*self.tuple).t_self }
    }
}

/// What a reader sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// What is committed now, and what this transaction has done.
    Now,
    /// What the transaction sees: at the levels REPEATABLE READ and SERIALIZABLE, what was committed when it began.
    ByTransaction,
}

/// A registered snapshot. Dropping it lets it go.
struct Snapshot(pg_sys::Snapshot);

impl Snapshot {
    fn take(seen: Seen) -> Self {
        // SAFETY: the statement that runs has an active snapshot. What is registered is a copy.
        unsafe {
            let taken = match seen {
                Seen::Now => pg_sys::GetLatestSnapshot(),
                Seen::ByTransaction => pg_sys::GetTransactionSnapshot(),
            };
            Snapshot(pg_sys::RegisterSnapshot(taken))
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        // SAFETY: registered by this value.
        unsafe { pg_sys::UnregisterSnapshot(self.0) };
    }
}

/// A scan that ends when it is dropped.
struct ByKey(pg_sys::SysScanDesc);

impl Drop for ByKey {
    fn drop(&mut self) {
        // SAFETY: begun by whoever made this value.
        unsafe { pg_sys::systable_endscan(self.0) };
    }
}

struct ByBlock(pg_sys::TableScanDesc);

impl Drop for ByBlock {
    fn drop(&mut self) {
        // SAFETY: begun by whoever made this value.
        unsafe { pg_sys::heap_endscan(self.0) };
    }
}

impl Drop for KeyedTable {
    fn drop(&mut self) {
        // SAFETY: opened by this value.
        unsafe { pg_sys::table_close(self.0, pg_sys::NoLock as c_int) };
    }
}

impl KeyedTable {
    /// Opens a table for reading and writing. `None` if it does not have this number of columns, or no primary key.
    ///
    /// # Safety
    /// `table` is a table of the extension, stored as a heap, whose first column is a uuid and its primary key, and which has neither
    /// columns that were dropped nor indexes on expressions.
    pub unsafe fn open(table: Oid, columns: usize) -> Option<Self> {
        // SAFETY: promised by the caller.
        unsafe {
            let table = KeyedTable(pg_sys::table_open(table, LOCK));
            let has = usize::try_from((*(*table.0).rd_att).natts).ok();
            (has == Some(columns) && table.index() != pg_sys::InvalidOid).then_some(table)
        }
    }

    /// The index of the primary key.
    fn index(&self) -> Oid {
        // SAFETY: the table is open. The list of its indexes fills in the other field.
        unsafe {
            if !(*self.0).rd_indexvalid {
                pg_sys::list_free(pg_sys::RelationGetIndexList(self.0));
            }
            (*self.0).rd_pkindex
        }
    }

    /// Runs `read` on the row with this key.
    pub fn find<T>(&self, id: &[u8; 16], seen: Seen, read: impl FnOnce(&Row) -> T) -> Option<T> {
        let snapshot = Snapshot::take(seen);
        // SAFETY: the key is of the first column's type, and stays in place. The row is used before the scan ends.
        unsafe {
            let mut key: pg_sys::ScanKeyData = std::mem::zeroed();
            pg_sys::ScanKeyInit(
                &mut key,
                1,
                pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
                pg_sys::Oid::from(pg_sys::F_UUID_EQ),
                Datum::from(id.as_ptr()),
            );
            let scan = ByKey(pg_sys::systable_beginscan(self.0, self.index(), true, snapshot.0, 1, &mut key));
            let tuple = pg_sys::systable_getnext(scan.0);
            (!tuple.is_null()).then(|| read(&Row { tuple, descriptor: (*self.0).rd_att }))
        }
    }

    /// Adds a row. Later statements of the transaction see it.
    ///
    /// Raises 23505 if there is a row with this key. Waits if another transaction has deleted one and has not ended.
    ///
    /// # Safety
    /// The values are those of all columns, each of its type.
    pub unsafe fn insert<const N: usize>(&self, values: [Option<Datum>; N]) {
        let mut nulls = values.map(|value| value.is_none());
        let mut values = values.map(|value| value.unwrap_or(Datum::null()));
        // SAFETY: promised by the caller; `open` has checked the number of columns.
        unsafe {
            let tuple = pg_sys::heap_form_tuple((*self.0).rd_att, values.as_mut_ptr(), nulls.as_mut_ptr());
            pg_sys::CatalogTupleInsert(self.0, tuple);
            pg_sys::heap_freetuple(tuple);
            pg_sys::CommandCounterIncrement();
        }
    }

    /// Deletes a row, unless another transaction does so. Whether it was deleted.
    pub fn delete(&self, place: pg_sys::ItemPointerData) -> bool {
        let mut place = place;
        // SAFETY: the place of a row that a scan of this transaction has seen, so that nothing else can be there.
        unsafe {
            let mut failure: pg_sys::TM_FailureData = std::mem::zeroed();
            let command = pg_sys::GetCurrentCommandId(true);
            let done = pg_sys::heap_delete(self.0, &mut place, command, ptr::null_mut(), false, &mut failure, false);
            done == pg_sys::TM_Result::TM_Ok
        }
    }

    /// How many blocks the table has, and how many the values that it keeps out of line.
    pub fn blocks(&self) -> (u32, u32) {
        (blocks(self.0), self.with_toast(blocks).unwrap_or(0))
    }

    /// Whether a row of this many bytes fits into a block that has room, and whether values out of line do, as far as the last VACUUM knows.
    pub fn has_room(&self, bytes: usize) -> bool {
        // SAFETY: reads the free space map of an open table.
        let has = |table| unsafe { pg_sys::GetPageWithFreeSpace(table, bytes) } != pg_sys::InvalidBlockNumber;
        has(self.0) && self.with_toast(|toast| blocks(toast) == 0 || has(toast)).unwrap_or(true)
    }

    fn with_toast<T>(&self, read: impl FnOnce(pg_sys::Relation) -> T) -> Option<T> {
        const READ: c_int = pg_sys::AccessShareLock as c_int;
        // SAFETY: the table is open, and its TOAST table is closed again below, or by the end of the subtransaction.
        unsafe {
            let toast = (*(*self.0).rd_rel).reltoastrelid;
            if toast == pg_sys::InvalidOid {
                return None;
            }
            let toast = pg_sys::table_open(toast, READ);
            let done = read(toast);
            pg_sys::table_close(toast, READ);
            Some(done)
        }
    }

    /// Deletes the rows of a block in which the column, a timestamptz, is before `time`: at most `most`, and none that other transactions
    /// are at. Returns how many. Nothing happens at the level SERIALIZABLE, where reading a block would conflict with every writer.
    ///
    /// # Safety
    /// The column is a timestamptz.
    pub unsafe fn sweep(&self, block: u32, column: i16, time: pg_sys::TimestampTz, most: usize) -> usize {
        // SAFETY: the block is one of the table or beyond its end, where there is nothing; each row is used before the next one is read.
        unsafe {
            if pg_sys::XactIsoLevel == pg_sys::XACT_SERIALIZABLE as c_int {
                return 0;
            }
            let snapshot = Snapshot::take(Seen::Now);
            let mut key: pg_sys::ScanKeyData = std::mem::zeroed();
            pg_sys::ScanKeyInit(
                &mut key,
                column,
                pg_sys::BTLessStrategyNumber as pg_sys::StrategyNumber,
                pg_sys::Oid::from(pg_sys::F_TIMESTAMPTZ_LT),
                Datum::from(time),
            );
            let flags = pg_sys::ScanOptions::SO_TYPE_SEQSCAN | pg_sys::ScanOptions::SO_ALLOW_PAGEMODE;
            let scan = ByBlock(pg_sys::heap_beginscan(self.0, snapshot.0, 1, &mut key, ptr::null_mut(), flags));
            pg_sys::heap_setscanlimits(scan.0, block, 1);
            let mut swept = 0;
            while swept < most {
                let tuple = pg_sys::heap_getnext(scan.0, pg_sys::ScanDirection::ForwardScanDirection);
                if tuple.is_null() {
                    break;
                }
                swept += usize::from(self.delete((*tuple).t_self));
            }
            swept
        }
    }
}

fn blocks(table: pg_sys::Relation) -> u32 {
    // SAFETY: the table is open.
    unsafe { pg_sys::RelationGetNumberOfBlocksInFork(table, pg_sys::ForkNumber::MAIN_FORKNUM) }
}

/// A lock of the extension on a number, held until the (sub)transaction that took it is rolled back or the transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    Taken,
    /// This transaction had it already.
    Held,
    /// Another transaction has it.
    Busy,
}

/// Takes a lock on a number, without waiting. It is in a class of its own, which the functions for advisory locks cannot name.
pub fn try_lock(number: u64) -> Lock {
    /// Those functions use the classes 1 and 2 (lockfuncs.c).
    const CLASS: u16 = 0x7265;
    let tag = pg_sys::LOCKTAG {
        // SAFETY: reads a global.
        locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        locktag_field2: (number >> 32) as u32,
        locktag_field3: number as u32,
        locktag_field4: CLASS,
        locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
        locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
    };
    // SAFETY: a complete tag, which PostgreSQL copies.
    match unsafe { pg_sys::LockAcquire(&tag, pg_sys::ExclusiveLock as c_int, false, true) } {
        pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL => Lock::Busy,
        pg_sys::LockAcquireResult::LOCKACQUIRE_OK => Lock::Taken,
        _ => Lock::Held,
    }
}

/// Whether nothing can be written: in a read-only transaction, or on a standby.
pub fn is_read_only() -> bool {
    // SAFETY: reads the state of the server and of the transaction.
    unsafe { pg_sys::XactReadOnly || pg_sys::RecoveryInProgress() }
}

/// Whether the transaction keeps the snapshot that it began with.
pub fn keeps_snapshot() -> bool {
    // SAFETY: reads a global.
    unsafe { pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as c_int }
}

/// The clock: microseconds since 2000.
pub fn now() -> pg_sys::TimestampTz {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}
