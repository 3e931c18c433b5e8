//! The extension's own tables.

use super::guc_nest::GucNest;
use super::user;
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// The extension's schema. `InvalidOid` if it does not exist.
pub fn schema() -> Oid {
    // SAFETY: a look-up in the system cache; with missing_ok an unknown name gives InvalidOid.
    unsafe { pg_sys::get_namespace_oid(c"restful".as_ptr(), true) }
}

/// The table of this name in the extension's schema. `InvalidOid` if it does not exist.
pub fn table(name: &CStr) -> Oid {
    // SAFETY: a look-up in the system cache; an unknown name or schema gives InvalidOid.
    unsafe { pg_sys::get_relname_relid(name.as_ptr(), schema()) }
}

/// Runs `work` as the owner of a table, with only PostgreSQL's own schemas in the search path, with the role locked, and with a new
/// snapshot, so that it sees what was just committed even in a transaction that began earlier. A parallel worker keeps its leader's
/// snapshot. `None` if the table does not exist.
///
/// After an error, the end of the transaction removes the snapshot.
///
/// # Safety
/// `work` may only run constant statements, with parameters.
pub unsafe fn as_owner<T>(table: Oid, work: impl FnOnce() -> T) -> Option<T> {
    let owner = owner(table)?;
    let _nest = GucNest::with_pinned_path();
    // SAFETY: the snapshot is popped below. The caller promises what `work` does as the owner.
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
