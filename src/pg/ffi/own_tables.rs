//! The extension's own tables.

use super::guc_nest::GucNest;
use super::user;
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// The extension's schema; `InvalidOid` when it is not there.
pub fn schema() -> Oid {
    // SAFETY: a look-up in the system cache; with missing_ok an unknown name gives InvalidOid.
    unsafe { pg_sys::get_namespace_oid(c"restful".as_ptr(), true) }
}

/// The table of a name in the extension's schema; `InvalidOid` when it is not there.
pub fn table(name: &CStr) -> Oid {
    // SAFETY: a look-up in the system cache; an unknown name or schema gives InvalidOid.
    unsafe { pg_sys::get_relname_relid(name.as_ptr(), schema()) }
}

/// Runs `work` as the owner of a table, with nothing in the search path but PostgreSQL's own, with no way to another role, and with the
/// newest snapshot: what was committed a moment ago counts, in a transaction that began before, too. A parallel worker has its
/// leader's snapshot. `None` when there is no such table.
///
/// An error leaves the snapshot to the end of the transaction.
///
/// # Safety
/// `work` runs statements that are constants, with parameters.
pub unsafe fn as_owner<T>(table: Oid, work: impl FnOnce() -> T) -> Option<T> {
    let owner = owner(table)?;
    let _nest = GucNest::with_pinned_path();
    // SAFETY: the snapshot is popped below; what the owner may do is the caller's to promise.
    unsafe {
        let is_newest = !pg_sys::IsInParallelMode();
        if is_newest {
            pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot());
        }
        let result = user::run_as(owner, user::security_context() | user::LOCKED, work);
        if is_newest {
            pg_sys::PopActiveSnapshot();
        }
        Some(result)
    }
}

/// The owner of a table.
fn owner(table: Oid) -> Option<Oid> {
    // SAFETY: the tuple is read before it is released.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::RELOID as i32, table.into());
        if tuple.is_null() {
            return None;
        }
        let owner = (*(pg_sys::GETSTRUCT(tuple) as pg_sys::Form_pg_class)).relowner;
        pg_sys::ReleaseSysCache(tuple);
        Some(owner)
    }
}
