//! Checks deferred constraints before the request is answered.

use crate::error::Result;
use crate::pg::ffi::user;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::CString;

thread_local! {
    static CHECKING: Cell<bool> = const { Cell::new(false) };
}

/// Whether deferred constraints are being checked. Constraints deferred again at that point would be checked when the request's
/// role is no longer in force.
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

/// Checks the pending constraints as the current role. Then makes the initially deferred ones deferred again, because the mode
/// would last for the rest of the transaction.
///
/// `deferred`: the schemas and names of the initially deferred ones.
///
/// Raises PostgreSQL's error if a constraint is violated.
pub fn check_deferred(deferred: &[[String; 2]]) -> Result<()> {
    let checking = Checking::begin();
    // SAFETY: called within a transaction.
    unsafe { set_mode(std::ptr::null_mut(), false) };
    drop(checking);
    if deferred.is_empty() {
        return Ok(());
    }
    let name = |text: &str| {
        let text = CString::new(text).unwrap_or_default();
        // SAFETY: copied to the current memory context.
        unsafe { pg_sys::pstrdup(text.as_ptr()) }
    };
    // SAFETY: as above. Deferring constraints runs no user code. It runs as the superuser because finding the names takes rights
    // on their schemas. An error ends the subtransaction, which restores the role.
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

/// Runs SET CONSTRAINTS for a list, or for all constraints if the list is null.
unsafe fn set_mode(constraints: *mut pg_sys::List, deferred: bool) {
    // SAFETY: the statement is what the parser would make, and lives as long as the call.
    unsafe {
        let type_ = pg_sys::NodeTag::T_ConstraintsSetStmt;
        let mut statement = pg_sys::ConstraintsSetStmt { type_, constraints, deferred };
        pg_sys::AfterTriggerSetState(&mut statement);
    }
}
