//! Functions of PostgreSQL that raise no error, called without pgrx's guard: each of these would cost more to guard than it
//! does, and a point read calls two dozen.

use pgrx::pg_sys::{MemoryContext, Oid, SPIPlanPtr, TimestampTz, TransactionId};
use std::ffi::c_int;

unsafe extern "C-unwind" {
    // miscadmin.h
    pub fn GetUserId() -> Oid;
    pub fn GetSessionUserId() -> Oid;
    pub fn GetUserIdAndSecContext(user: *mut Oid, security: *mut c_int);
    pub fn SetUserIdAndSecContext(user: Oid, security: c_int);
    pub fn InLocalUserIdChange() -> bool;
    pub fn InSecurityRestrictedOperation() -> bool;
    // guc.h: putting values back runs no check
    pub fn NewGUCNestLevel() -> c_int;
    pub fn AtEOXact_GUC(is_commit: bool, nest_level: c_int);
    // xact.h
    pub fn GetTopTransactionIdIfAny() -> TransactionId;
    pub fn GetCurrentStatementStartTimestamp() -> TimestampTz;
    // inval.h: the callbacks registered for invalidations may not raise errors
    pub fn AcceptInvalidationMessages();
    // spi.h
    pub fn SPI_plan_get_plan_sources(plan: SPIPlanPtr) -> *mut pgrx::pg_sys::List;
}

/// The current memory context, switched; what it was before. A macro in PostgreSQL (palloc.h).
///
/// # Safety
/// `context` is a valid memory context.
pub unsafe fn switch_to(context: MemoryContext) -> MemoryContext {
    std::mem::replace(&mut *(&raw mut pgrx::pg_sys::CurrentMemoryContext), context)
}
