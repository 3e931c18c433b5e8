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

/// What the transaction sees now, to look at later: also rows that are changed or deleted in between, by the transaction itself too.
pub struct Earlier {
    snapshot: pg_sys::Snapshot,
    /// The first command that this does not see.
    pub command: u32,
}

impl Earlier {
    /// Notes what is seen now.
    #[must_use]
    pub fn now() -> Self {
        // SAFETY: called within a transaction. A copy is registered, because the transaction's own snapshot goes on with its commands.
        unsafe {
            pg_sys::CommandCounterIncrement();
            pg_sys::PushCopiedSnapshot(pg_sys::GetTransactionSnapshot());
            let snapshot = pg_sys::RegisterSnapshot(pg_sys::GetActiveSnapshot());
            pg_sys::PopActiveSnapshot();
            Earlier { snapshot, command: pg_sys::GetCurrentCommandId(false) }
        }
    }

    /// Runs `work`, which only reads, with what was seen then.
    ///
    /// If `work` raises an error, the end of the subtransaction that is open takes the snapshot away.
    pub fn see<T>(&self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the snapshot is registered. It is popped unless an error is raised.
        unsafe { pg_sys::PushActiveSnapshot(self.snapshot) };
        let done = work();
        // SAFETY: the snapshot pushed above is the active one, because `work` has ended.
        unsafe { pg_sys::PopActiveSnapshot() };
        done
    }

    /// Ends its use. After an error, the end of the transaction that is open does that.
    pub fn forget(self) {
        // SAFETY: registered by `now`, under the resource owner of the same function call.
        unsafe { pg_sys::UnregisterSnapshot(self.snapshot) };
    }
}
