//! PostgreSQL functions without pgrx's guard. Most raise no errors, and guarding each call would cost more than the call; a point read
//! makes two dozen of them. The functions of the executor are called together under one guard.
//!
//! This is the only file that may call a foreign function that unwinds (`ffi_unwind_calls`): all other calls have pgrx's guard or go
//! through a wrapper in here.

#![expect(ffi_unwind_calls, reason = "each function says whether it raises errors, and where it may be called then")]
#![expect(non_snake_case, clippy::too_many_arguments, reason = "PostgreSQL's names and signatures")]

use pgrx::pg_sys::{
    self, Datum, DestReceiver, ErrorData, FunctionCallInfo, MemoryContext, Node, Oid, ParamListInfo, ParseState,
    PlanState, PlannedStmt, QueryDesc, QueryEnvironment, SPIPlanPtr, ScanDirection, Snapshot, TimestampTz,
    TransactionId, TupleDesc, TupleTableSlot,
};
use std::ffi::{c_char, c_int, c_void};

/// Declares functions of PostgreSQL, with a wrapper of the same name for each. A `safe` one has no requirements: it reads or sets state
/// of the backend.
macro_rules! unguarded {
    () => {};
    ($(#[$doc:meta])* pub safe fn $name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)?; $($rest:tt)*) => {
        $(#[$doc])*
        #[inline]
        pub fn $name($($arg: $type),*) $(-> $result)? {
            unsafe extern "C-unwind" {
                fn $name($($arg: $type),*) $(-> $result)?;
            }
            // SAFETY: works on any arguments, whatever state the backend is in.
            unsafe { $name($($arg),*) }
        }
        unguarded! { $($rest)* }
    };
    ($(#[$doc:meta])* pub unsafe fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $result:ty)?; $($rest:tt)*) => {
        $(#[$doc])*
        ///
        /// # Safety
        /// The arguments are what the function of PostgreSQL requires.
        #[inline]
        pub unsafe fn $name($($arg: $type),*) $(-> $result)? {
            unsafe extern "C-unwind" {
                fn $name($($arg: $type),*) $(-> $result)?;
            }
            // SAFETY: promised by the caller.
            unsafe { $name($($arg),*) }
        }
        unguarded! { $($rest)* }
    };
}

unguarded! {
    /// The user in force (miscadmin.h).
    pub safe fn GetUserId() -> Oid;
    /// The user that the session is logged in as (miscadmin.h).
    pub safe fn GetSessionUserId() -> Oid;
    /// The user in force and the security context (miscadmin.h).
    pub unsafe fn GetUserIdAndSecContext(user: *mut Oid, security: *mut c_int);
    /// Changes the user in force and the security context (miscadmin.h). The caller answers for what is done as that user.
    pub unsafe fn SetUserIdAndSecContext(user: Oid, security: c_int);
    /// Whether the user in force differs from the role that the session has taken (miscadmin.h).
    pub safe fn InLocalUserIdChange() -> bool;
    /// Whether the running code must not leave anything behind (miscadmin.h).
    pub safe fn InSecurityRestrictedOperation() -> bool;
    /// Whether the stack has reached `max_stack_depth` (miscadmin.h).
    pub safe fn stack_is_too_deep() -> bool;
    /// Opens a nest level of settings (guc.h).
    pub safe fn NewGUCNestLevel() -> c_int;
    /// Closes a nest level of settings, and the levels within it (guc.h). Restoring values runs no checks.
    pub unsafe fn AtEOXact_GUC(is_commit: bool, nest_level: c_int);
    /// The transaction's id, or the invalid one if it has none yet (xact.h).
    pub safe fn GetTopTransactionIdIfAny() -> TransactionId;
    /// The subtransaction's id, or the invalid one if it has none yet (xact.h).
    pub safe fn GetCurrentTransactionIdIfAny() -> TransactionId;
    /// When the client's statement began (xact.h).
    pub safe fn GetCurrentStatementStartTimestamp() -> TimestampTz;
    /// Calls the callbacks for what other sessions have changed (inval.h). Callbacks must not raise errors.
    pub safe fn AcceptInvalidationMessages();
    /// The sources of a plan (spi.h).
    pub unsafe fn SPI_plan_get_plan_sources(plan: SPIPlanPtr) -> *mut pg_sys::List;
    /// Whether a timeout is armed (timeout.h).
    pub unsafe fn get_timeout_active(id: c_int) -> bool;
    /// When a timeout fires (timeout.h).
    pub unsafe fn get_timeout_finish_time(id: c_int) -> TimestampTz;
    /// Arms a timeout (timeout.h).
    pub unsafe fn enable_timeout_at(id: c_int, finish: TimestampTz);
    /// Disarms a timeout (timeout.h).
    pub unsafe fn disable_timeout(id: c_int, keep_indicator: bool);
    /// Copies the error that is being raised (elog.h). Only for a callback of the error context.
    pub unsafe fn CopyErrorData() -> *mut ErrorData;
    /// Frees a copy of an error (elog.h).
    pub unsafe fn FreeErrorData(data: *mut ErrorData);
    /// Raises an error again (elog.h). It leaves by a long jump, so nothing on the way to PostgreSQL may have a destructor.
    pub unsafe fn ThrowErrorData(data: *mut ErrorData);
}

/// Functions that raise errors, for hooks that PostgreSQL calls without a guard. Errors leave by a long jump, so nothing in such a hook
/// may have a destructor.
pub mod in_hooks {
    use super::*;

    unguarded! {
        /// The role of this name, or the invalid one (acl.h).
        pub unsafe fn get_role_oid(name: *const c_char, missing_ok: bool) -> Oid;
        /// Makes an analysis infer the types of parameters (parse_param.h).
        pub unsafe fn setup_parse_variable_parameters(state: *mut ParseState, types: *mut *mut Oid, count: *mut c_int);
        /// Copies values of parameters (params.h).
        pub unsafe fn copyParamList(values: ParamListInfo) -> ParamListInfo;
        /// Plans a query (planner.h).
        pub unsafe fn standard_planner(
            query: *mut pg_sys::Query,
            text: *const c_char,
            options: c_int,
            values: ParamListInfo,
        ) -> *mut PlannedStmt;
        /// Makes the paths of a relation that use indexes (paths.h).
        pub unsafe fn create_index_paths(root: *mut pg_sys::PlannerInfo, rel: *mut pg_sys::RelOptInfo);
        /// Appends a pointer to a list (pg_list.h).
        pub unsafe fn lappend(list: *mut pg_sys::List, datum: *mut c_void) -> *mut pg_sys::List;
        /// Whether `checker` returns true for one of the functions that a node calls (nodeFuncs.h).
        pub unsafe fn check_functions_in_node(node: *mut Node, checker: FunctionChecker, context: *mut c_void) -> bool;
        /// How stable the result of a function is (lsyscache.h).
        pub unsafe fn func_volatile(function: Oid) -> c_char;
        /// Looks up how a function is called (fmgr.h).
        pub unsafe fn fmgr_info(function: Oid, called: *mut pg_sys::FmgrInfo);
        /// Prepares an execution (executor.h).
        pub unsafe fn standard_ExecutorStart(query: *mut QueryDesc, flags: c_int);
        /// Executes a utility command (utility.h).
        pub unsafe fn standard_ProcessUtility(
            statement: *mut PlannedStmt,
            text: *const c_char,
            is_read_only: bool,
            context: pg_sys::ProcessUtilityContext::Type,
            parameters: ParamListInfo,
            environment: *mut QueryEnvironment,
            receiver: *mut DestReceiver,
            completion: *mut pg_sys::QueryCompletion,
        );
    }

    /// Plans a query with the next hook, or with PostgreSQL's own planner if there is none.
    ///
    /// # Safety
    /// The arguments are those that PostgreSQL called the hook with, or values in place of none.
    pub unsafe fn next_planner(
        next: pg_sys::planner_hook_type,
        query: *mut pg_sys::Query,
        text: *const c_char,
        options: c_int,
        values: ParamListInfo,
    ) -> *mut PlannedStmt {
        // SAFETY: promised by the caller.
        unsafe {
            match next {
                Some(next) => next(query, text, options, values),
                None => standard_planner(query, text, options, values),
            }
        }
    }

    /// Lets the next hook change the paths of a relation, if there is one.
    ///
    /// # Safety
    /// The arguments are those that PostgreSQL called the hook with.
    pub unsafe fn next_set_paths(
        next: pg_sys::set_rel_pathlist_hook_type,
        root: *mut pg_sys::PlannerInfo,
        rel: *mut pg_sys::RelOptInfo,
        index: pg_sys::Index,
        entry: *mut pg_sys::RangeTblEntry,
    ) {
        if let Some(next) = next {
            // SAFETY: promised by the caller.
            unsafe { next(root, rel, index, entry) };
        }
    }

    /// Prepares an execution with the next hook, or with PostgreSQL's own function if there is none.
    ///
    /// # Safety
    /// The arguments are those that PostgreSQL called the hook with.
    pub unsafe fn next_executor_start(next: pg_sys::ExecutorStart_hook_type, query: *mut QueryDesc, flags: c_int) {
        // SAFETY: promised by the caller.
        unsafe {
            match next {
                Some(next) => next(query, flags),
                None => standard_ExecutorStart(query, flags),
            }
        }
    }

    type FunctionChecker = Option<unsafe extern "C-unwind" fn(Oid, *mut c_void) -> bool>;
    type Walker = Option<unsafe extern "C-unwind" fn(*mut Node, *mut c_void) -> bool>;

    /// Walks the children of a node (nodeFuncs.h).
    ///
    /// # Safety
    /// A valid node that is not a Query.
    pub unsafe fn expression_tree_walker(node: *mut Node, walker: Walker, context: *mut c_void) -> bool {
        unsafe extern "C-unwind" {
            #[cfg_attr(not(any(feature = "pg14", feature = "pg15")), link_name = "expression_tree_walker_impl")]
            fn expression_tree_walker(node: *mut Node, walker: Walker, context: *mut c_void) -> bool;
        }
        // SAFETY: promised by the caller.
        unsafe { expression_tree_walker(node, walker, context) }
    }

    /// Walks the parts of a query (nodeFuncs.h).
    ///
    /// # Safety
    /// A valid query.
    pub unsafe fn query_tree_walker(
        query: *mut pg_sys::Query,
        walker: Walker,
        context: *mut c_void,
        flags: c_int,
    ) -> bool {
        unsafe extern "C-unwind" {
            #[cfg_attr(not(any(feature = "pg14", feature = "pg15")), link_name = "query_tree_walker_impl")]
            fn query_tree_walker(query: *mut pg_sys::Query, walker: Walker, context: *mut c_void, flags: c_int)
            -> bool;
        }
        // SAFETY: promised by the caller.
        unsafe { query_tree_walker(query, walker, context, flags) }
    }

    /// Calls the next hook that requests shared memory, if there is one.
    ///
    /// # Safety
    /// PostgreSQL is calling the hook.
    #[cfg(not(feature = "pg14"))]
    pub unsafe fn next_shmem_request(next: pg_sys::shmem_request_hook_type) {
        if let Some(next) = next {
            // SAFETY: promised by the caller.
            unsafe { next() }
        }
    }

    /// Executes a utility command with the next hook, or with PostgreSQL's own function if there is none.
    ///
    /// # Safety
    /// The arguments are those that PostgreSQL called the hook with.
    pub unsafe fn next_process_utility(
        next: pg_sys::ProcessUtility_hook_type,
        statement: *mut PlannedStmt,
        text: *const c_char,
        is_read_only: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: ParamListInfo,
        environment: *mut QueryEnvironment,
        receiver: *mut DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    ) {
        // SAFETY: promised by the caller.
        unsafe {
            match next {
                Some(next) => {
                    next(statement, text, is_read_only, context, parameters, environment, receiver, completion)
                }
                None => standard_ProcessUtility(
                    statement,
                    text,
                    is_read_only,
                    context,
                    parameters,
                    environment,
                    receiver,
                    completion,
                ),
            }
        }
    }
}

/// Switches the current memory context and returns the previous one. A macro in PostgreSQL (palloc.h).
///
/// # Safety
/// `context` is a valid memory context.
pub unsafe fn switch_to(context: MemoryContext) -> MemoryContext {
    // SAFETY: promised by the caller.
    unsafe {
        let outer = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = context;
        outer
    }
}

/// Functions that raise errors. Call them only inside `pg_guard_ffi_boundary`, several under one guard.
pub mod under_one_guard {
    use super::*;

    unguarded! {
        /// The descriptor of a row type, pinned (typcache.h).
        pub unsafe fn lookup_rowtype_tupdesc(type_oid: Oid, typmod: i32) -> TupleDesc;
        /// A number that changes when the row type does (typcache.h).
        pub unsafe fn assign_record_type_identifier(type_oid: Oid, typmod: i32) -> u64;
        /// Makes the description of an execution (execdesc.h).
        pub unsafe fn CreateQueryDesc(
            statement: *mut PlannedStmt,
            source: *const c_char,
            snapshot: Snapshot,
            crosscheck: Snapshot,
            receiver: *mut DestReceiver,
            parameters: ParamListInfo,
            environment: *mut QueryEnvironment,
            instrument: c_int,
        ) -> *mut QueryDesc;
        /// Prepares an execution (executor.h).
        pub unsafe fn ExecutorStart(query: *mut QueryDesc, flags: c_int);
        /// Closes what an execution has open (executor.h).
        pub unsafe fn ExecutorFinish(query: *mut QueryDesc);
        /// Frees what an execution holds (executor.h).
        pub unsafe fn ExecutorEnd(query: *mut QueryDesc);
        /// Frees the description of an execution (execdesc.h).
        pub unsafe fn FreeQueryDesc(query: *mut QueryDesc);
        /// The snapshot of the running command (snapmgr.h).
        pub unsafe fn GetActiveSnapshot() -> Snapshot;
        /// A new snapshot, or that of the transaction, as the isolation level requires (snapmgr.h).
        pub unsafe fn GetTransactionSnapshot() -> Snapshot;
        /// Makes a snapshot that of the running command (snapmgr.h).
        pub unsafe fn PushActiveSnapshot(snapshot: Snapshot);
        /// Lets the active snapshot see what commands before the running one have changed (snapmgr.h).
        pub unsafe fn UpdateActiveSnapshotCommandId();
        /// Ends the use of the active snapshot (snapmgr.h).
        pub unsafe fn PopActiveSnapshot();
        /// Begins the next command of the transaction (xact.h).
        pub unsafe fn CommandCounterIncrement();
    }

    /// Writes a line of level LOG without the running statement and its context (elog.h).
    ///
    /// # Safety
    /// The backend is not within another report.
    pub unsafe fn log(text: &std::ffi::CStr) {
        unsafe extern "C-unwind" {
            fn errstart(level: c_int, domain: *const c_char) -> bool;
            fn errmsg_internal(format: *const c_char, ...) -> c_int;
            fn errhidestmt(hide: bool) -> c_int;
            fn errhidecontext(hide: bool) -> c_int;
            fn errfinish(file: *const c_char, line: c_int, function: *const c_char);
        }
        // SAFETY: the calls that make up a report, in their order; the text ends with a NUL.
        unsafe {
            if errstart(pg_sys::LOG as c_int, std::ptr::null()) {
                errmsg_internal(c"%s".as_ptr(), text.as_ptr());
                errhidestmt(true);
                errhidecontext(true);
                errfinish(c"pg_restful".as_ptr(), 0, c"log".as_ptr());
            }
        }
    }

    /// Begins to execute a planned statement, under the active snapshot.
    ///
    /// # Safety
    /// The parameters are those of the statement; all arguments stay valid until [`end`].
    pub unsafe fn start(
        statement: *mut PlannedStmt,
        text: *const c_char,
        receiver: *mut DestReceiver,
        parameters: ParamListInfo,
    ) -> *mut QueryDesc {
        // SAFETY: promised by the caller.
        unsafe {
            let (none, nothing) = (std::ptr::null_mut(), std::ptr::null_mut());
            let query = CreateQueryDesc(statement, text, GetActiveSnapshot(), none, receiver, parameters, nothing, 0);
            ExecutorStart(query, 0);
            query
        }
    }

    /// Ends an execution and frees it. Returns how many rows it has processed.
    ///
    /// # Safety
    /// `query` is from [`start`].
    pub unsafe fn end(query: *mut QueryDesc) -> u64 {
        // SAFETY: promised by the caller.
        unsafe {
            ExecutorFinish(query);
            let processed = (*(*query).estate).es_processed;
            ExecutorEnd(query);
            FreeQueryDesc(query);
            processed
        }
    }

    /// Runs an execution to its end (executor.h).
    ///
    /// # Safety
    /// `query` has been started.
    pub unsafe fn run(query: *mut QueryDesc) {
        unsafe extern "C-unwind" {
            #[cfg(not(feature = "pg18"))]
            fn ExecutorRun(query: *mut QueryDesc, direction: ScanDirection::Type, count: u64, once: bool);
            #[cfg(feature = "pg18")]
            fn ExecutorRun(query: *mut QueryDesc, direction: ScanDirection::Type, count: u64);
        }
        // SAFETY: promised by the caller.
        unsafe {
            #[cfg(not(feature = "pg18"))]
            ExecutorRun(query, ScanDirection::ForwardScanDirection, 0, true);
            #[cfg(feature = "pg18")]
            ExecutorRun(query, ScanDirection::ForwardScanDirection, 0);
        }
    }

    /// The next row of a node of a plan: an empty slot or null after the last one (executor.h, `ExecProcNode`).
    ///
    /// # Safety
    /// `node` belongs to an execution that has been started and not ended.
    pub unsafe fn next_row(node: *mut PlanState) -> *mut TupleTableSlot {
        // SAFETY: promised by the caller.
        unsafe { (*node).ExecProcNode.map_or(std::ptr::null_mut(), |execute| execute(node)) }
    }

    /// Calls a function of the function manager (fmgr.h).
    ///
    /// # Safety
    /// `call` is complete for this function.
    pub unsafe fn call(
        function: unsafe extern "C-unwind" fn(FunctionCallInfo) -> Datum,
        call: FunctionCallInfo,
    ) -> Datum {
        // SAFETY: promised by the caller.
        unsafe { function(call) }
    }

    /// Calls a function that takes one value, such as `DatumGetHeapTupleHeader`.
    ///
    /// # Safety
    /// `value` is of the type that the function reads.
    pub unsafe fn read<T>(function: unsafe extern "C-unwind" fn(Datum) -> T, value: Datum) -> T {
        // SAFETY: promised by the caller.
        unsafe { function(value) }
    }

    /// Walks the children of a node of an unanalysed statement (nodeFuncs.h).
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    pub use raw_tree::raw_expression_tree_walker;

    #[cfg(any(feature = "pg14", feature = "pg15"))]
    mod raw_tree {
        use pgrx::pg_sys::Node;
        use std::ffi::c_void;

        type Walker = Option<unsafe extern "C-unwind" fn(*mut Node, *mut c_void) -> bool>;

        unguarded! {
            /// Walks the children of a node of an unanalysed statement (nodeFuncs.h).
            pub unsafe fn raw_expression_tree_walker(node: *mut Node, walker: Walker, context: *mut c_void) -> bool;
        }
    }
}
