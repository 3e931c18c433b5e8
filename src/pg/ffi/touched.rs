//! Which tables the statements of this session touch, as whom, and with which privileges, as the executor is told (execMain.h).

use super::nodes;
use super::unguarded::{self, in_hooks};
use crate::limits::TOUCHED_TABLES;
use pgrx::pg_sys::{self, Oid};
use std::cell::{Cell, RefCell};
use std::ffi::c_int;

/// A table that a statement touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    pub table: Oid,
    /// Whose privileges and policies count.
    pub user: Oid,
    /// Bits of the privileges that the statement needs: `ACL_SELECT` and others.
    pub privileges: u64,
}

thread_local! {
    static TOUCHES: RefCell<Vec<Touch>> = const { RefCell::new(Vec::new()) };
    static IS_NOTING: Cell<bool> = const { Cell::new(false) };
    static IS_INSTALLED: Cell<bool> = const { Cell::new(false) };
}

/// The previously installed hook. Set once.
static mut NEXT: pg_sys::ExecutorStart_hook_type = None;

/// Notes what statements touch while it exists. The hook is installed when a session first needs it.
pub struct Noting(());

impl Noting {
    /// Begins to note.
    #[must_use]
    pub fn start() -> Self {
        if !IS_INSTALLED.replace(true) {
            // SAFETY: a backend has one thread, and the library is never unloaded.
            unsafe {
                NEXT = pg_sys::ExecutorStart_hook;
                pg_sys::ExecutorStart_hook = Some(start);
            }
        }
        TOUCHES.take();
        IS_NOTING.set(true);
        Noting(())
    }

    /// Ends it. Returns each table once for each user.
    pub fn finish(self) -> Vec<Touch> {
        TOUCHES.take()
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        IS_NOTING.set(false);
    }
}

// Errors leave by a long jump, so nothing in this function may have a destructor.
unsafe extern "C-unwind" fn start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: these are PostgreSQL's own arguments, passed on.
    unsafe {
        if IS_NOTING.get() {
            note((*query).plannedstmt);
        }
        in_hooks::next_executor_start(NEXT, query, flags);
    }
}

/// Notes the tables of a planned statement.
unsafe fn note(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: a planned statement; its lists hold what plannodes.h says.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        for entry in nodes::pointers::<pg_sys::RangeTblEntry>((*statement).rtable) {
            if (*entry).rtekind == pg_sys::RTEKind::RTE_RELATION {
                add((*entry).relid, (*entry).checkAsUser, (*entry).requiredPerms);
            }
        }
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        for permissions in nodes::pointers::<pg_sys::RTEPermissionInfo>((*statement).permInfos) {
            add((*permissions).relid, (*permissions).checkAsUser, (*permissions).requiredPerms);
        }
    }
}

/// `privileges` has 32 bits before PostgreSQL 16.
fn add(table: Oid, user: Oid, privileges: impl Into<u64>) {
    let privileges = privileges.into();
    let user = if user == pg_sys::InvalidOid { unguarded::GetUserId() } else { user };
    if privileges == 0 || table.to_u32() < pg_sys::FirstNormalObjectId {
        return;
    }
    TOUCHES.with_borrow_mut(|touches| {
        if let Some(known) = touches.iter_mut().find(|t| t.table == table && t.user == user) {
            known.privileges |= privileges;
        } else if touches.len() < TOUCHED_TABLES {
            touches.push(Touch { table, user, privileges });
        }
    });
}
