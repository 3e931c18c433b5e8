//! Functions of PostgreSQL without pgrx's guard: those that raise no error, of which each would cost more to guard than it
//! does, and a point read calls two dozen; and the executor's, which are called under one guard together.

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
    // acl.h: raises errors, such as a cancellation while it waits for a lock; for a hook
    pub fn get_role_oid(name: *const c_char, missing_ok: bool) -> Oid;
    pub fn InLocalUserIdChange() -> bool;
    pub fn InSecurityRestrictedOperation() -> bool;
    pub safe fn stack_is_too_deep() -> bool;
    // guc.h: putting values back runs no check
    pub fn NewGUCNestLevel() -> c_int;
    pub fn AtEOXact_GUC(is_commit: bool, nest_level: c_int);
    // xact.h
    pub fn GetTopTransactionIdIfAny() -> TransactionId;
    pub fn GetCurrentTransactionIdIfAny() -> TransactionId;
    pub fn GetCurrentStatementStartTimestamp() -> TimestampTz;
    // utility.h: raises errors; for a hook, which is called without a guard too
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
    // SAFETY: promised by the caller.
    unsafe {
        let outer = pgrx::pg_sys::CurrentMemoryContext;
        pgrx::pg_sys::CurrentMemoryContext = context;
        outer
    }
}

/// The type cache (utils/typcache.h). These raise errors: they are for the inside of `pg_guard_ffi_boundary`.
pub mod row_type {
    use pgrx::pg_sys::{Oid, TupleDesc};

    unsafe extern "C-unwind" {
        pub fn lookup_rowtype_tupdesc(type_oid: Oid, typmod: i32) -> TupleDesc;
        pub fn assign_record_type_identifier(type_oid: Oid, typmod: i32) -> u64;
    }
}

/// The executor. These raise errors: they are for the inside of `pg_guard_ffi_boundary`.
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
