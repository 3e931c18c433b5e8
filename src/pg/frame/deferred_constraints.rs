//! Deferred constraints, which a request satisfies before it is answered.

use crate::error::Result;
use crate::pg::catalog;
use crate::pg::ffi::user;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::CString;

thread_local! {
    static CHECKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether deferred constraints are being checked: what was deferred again would be checked when the request's role is gone.
pub fn are_being_checked() -> bool {
    CHECKING.get()
}

struct Checking;

impl Checking {
    fn begin() -> Self {
        CHECKING.set(true);
        Checking
    }
}

impl Drop for Checking {
    fn drop(&mut self) {
        CHECKING.set(false);
    }
}

/// Checks the constraints that are still to be checked, as the current role, and gives those that are initially deferred
/// back their mode, which would hold for the rest of the transaction.
///
/// Raises PostgreSQL's error when one is violated.
pub fn check_deferred() -> Result<()> {
    let checking = Checking::begin();
    // SAFETY: called within a transaction.
    unsafe { set_mode(std::ptr::null_mut(), false) };
    drop(checking);
    let deferred = catalog::initially_deferred()?;
    if deferred.is_empty() {
        return Ok(());
    }
    let name = |text: &str| {
        let text = CString::new(text).unwrap_or_default();
        // SAFETY: copied to the current memory context.
        unsafe { pg_sys::pstrdup(text.as_ptr()) }
    };
    // SAFETY: as above. No code of a user runs when constraints are deferred; the superuser is taken because the names are
    // found only with rights on their schemas. An error ends the subtransaction, which puts the role back.
    unsafe {
        let mut names = std::ptr::null_mut();
        for [schema, constraint] in deferred.iter() {
            let range = pg_sys::makeRangeVar(name(schema), name(constraint), -1);
            names = pg_sys::lappend(names, range.cast());
        }
        user::run_as(pg_sys::BOOTSTRAP_SUPERUSERID.into(), user::security_context(), || set_mode(names, true));
    }
    Ok(())
}

/// SET CONSTRAINTS; all for no list.
unsafe fn set_mode(constraints: *mut pg_sys::List, deferred: bool) {
    // SAFETY: a statement as the parser would make it, which lives as long as the call.
    unsafe {
        let type_ = pg_sys::NodeTag::T_ConstraintsSetStmt;
        let mut statement = pg_sys::ConstraintsSetStmt { type_, constraints, deferred };
        pg_sys::AfterTriggerSetState(&mut statement);
    }
}
