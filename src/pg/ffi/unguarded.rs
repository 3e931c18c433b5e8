//! PostgreSQL functions without pgrx's guard. Most raise no errors, and guarding each call would cost more than the call; a point read
//! makes two dozen of them. The functions of the executor are called together under one guard.

use pgrx::pg_sys::{
    CachedPlan, DestReceiver, MemoryContext, Oid, ParamListInfo, PlannedStmt, QueryDesc, QueryEnvironment,
    ResourceOwner, SPIPlanPtr, ScanDirection, Snapshot, TimestampTz, TransactionId,
};
use std::ffi::{c_char, c_int};

unsafe extern "C-unwind" {
    // miscadmin.h
    pub fn GetUserId() -> Oid;
    pub fn GetSessionUserId() -> Oid;
    pub fn GetUserIdAndSecContext(user: *mut Oid, security: *mut c_int);
    pub fn SetUserIdAndSecContext(user: Oid, security: c_int);
    // acl.h: raises errors, such as a cancellation while it waits for a lock. Only for a hook.
    pub fn get_role_oid(name: *const c_char, missing_ok: bool) -> Oid;
    pub fn InLocalUserIdChange() -> bool;
    pub fn InSecurityRestrictedOperation() -> bool;
    pub safe fn stack_is_too_deep() -> bool;
    // guc.h: restoring values runs no checks.
    pub fn NewGUCNestLevel() -> c_int;
    pub fn AtEOXact_GUC(is_commit: bool, nest_level: c_int);
    // xact.h
    pub fn GetTopTransactionIdIfAny() -> TransactionId;
    pub fn GetCurrentTransactionIdIfAny() -> TransactionId;
    pub fn GetCurrentStatementStartTimestamp() -> TimestampTz;
    // utility.h: raises errors. Only for a hook, which is itself called without a guard.
    pub fn standard_ProcessUtility(
        statement: *mut PlannedStmt,
        text: *const c_char,
        is_read_only: bool,
        context: pgrx::pg_sys::ProcessUtilityContext::Type,
        parameters: ParamListInfo,
        environment: *mut QueryEnvironment,
        receiver: *mut DestReceiver,
        completion: *mut pgrx::pg_sys::QueryCompletion,
    );
    // inval.h: callbacks for invalidations must not raise errors.
    pub fn AcceptInvalidationMessages();
    // spi.h
    pub fn SPI_plan_get_plan_sources(plan: SPIPlanPtr) -> *mut pgrx::pg_sys::List;
}

/// Switches the current memory context and returns the previous one. A macro in PostgreSQL (palloc.h).
///
/// # Safety
/// `context` is a valid memory context.
pub unsafe fn switch_to(context: MemoryContext) -> MemoryContext {
    // SAFETY: promised by the caller.
    unsafe {
        let outer = pgrx::pg_sys::CurrentMemoryContext;
        pgrx::pg_sys::CurrentMemoryContext = context;
        outer
    }
}

/// The type cache (utils/typcache.h). These raise errors, so call them only inside `pg_guard_ffi_boundary`.
pub mod row_type {
    use pgrx::pg_sys::{Oid, TupleDesc};

    unsafe extern "C-unwind" {
        pub fn lookup_rowtype_tupdesc(type_oid: Oid, typmod: i32) -> TupleDesc;
        pub fn assign_record_type_identifier(type_oid: Oid, typmod: i32) -> u64;
    }
}

/// The executor. These raise errors, so call them only inside `pg_guard_ffi_boundary`.
pub mod executor {
    use super::*;

    unsafe extern "C-unwind" {
        pub fn CreateQueryDesc(
            statement: *mut PlannedStmt,
            source: *const c_char,
            snapshot: Snapshot,
            crosscheck: Snapshot,
            receiver: *mut DestReceiver,
            parameters: ParamListInfo,
            environment: *mut QueryEnvironment,
            instrument: c_int,
        ) -> *mut QueryDesc;
        pub fn ExecutorStart(query: *mut QueryDesc, flags: c_int);
        #[cfg(not(feature = "pg18"))]
        pub fn ExecutorRun(query: *mut QueryDesc, direction: ScanDirection::Type, count: u64, once: bool);
        #[cfg(feature = "pg18")]
        pub fn ExecutorRun(query: *mut QueryDesc, direction: ScanDirection::Type, count: u64);
        pub fn ExecutorFinish(query: *mut QueryDesc);
        pub fn ExecutorEnd(query: *mut QueryDesc);
        pub fn FreeQueryDesc(query: *mut QueryDesc);
        pub fn ReleaseCachedPlan(plan: *mut CachedPlan, owner: ResourceOwner);
        pub fn GetActiveSnapshot() -> Snapshot;
    }
}
