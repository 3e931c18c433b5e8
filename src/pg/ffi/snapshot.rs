//! Snapshots (snapmgr.h).

use pgrx::pg_sys;

/// Runs `work` under a new snapshot, as a statement of its own would run: it sees what the transaction has written before, and, in
/// READ COMMITTED, what others have committed since.
///
/// If `work` raises an error, the end of the subtransaction that is open takes the snapshot away.
pub fn in_new_snapshot<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: called within a transaction. The snapshot is popped unless an error is raised.
    unsafe {
        pg_sys::CommandCounterIncrement();
        pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
    }
    let done = work();
    // SAFETY: the snapshot pushed above is the active one, because `work` has ended.
    unsafe { pg_sys::PopActiveSnapshot() };
    done
}
