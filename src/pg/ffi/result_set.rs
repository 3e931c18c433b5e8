//! The rows of a set-returning function (PostgreSQL's materialize mode, src/backend/utils/fmgr/README).

use pgrx::pg_sys;
use pgrx::prelude::*;

/// Rows that are collected for the caller; on disk beyond `work_mem`.
pub struct ResultSet {
    store: *mut pg_sys::Tuplestorestate,
    descriptor: pg_sys::TupleDesc,
}

impl ResultSet {
    /// Begins the result of a function that returns rows. Raises an error where the caller cannot take rows.
    ///
    /// # Safety
    /// The call frame of a set-returning function that returns a null datum afterwards.
    pub unsafe fn start(call: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: the node is checked before it is used as what it is.
        unsafe {
            let result = (*call).resultinfo as *mut pg_sys::ReturnSetInfo;
            let materialize = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
            if result.is_null()
                || (*result).type_ != pg_sys::NodeTag::T_ReturnSetInfo
                || (*result).allowedModes & materialize as i32 == 0
            {
                ereport!(
                    ERROR,
                    PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
                    "the function returns rows, which cannot be taken here",
                    "Call it in FROM."
                );
            }
            let per_query = (*(*result).econtext).ecxt_per_query_memory;
            let caller = pg_sys::MemoryContextSwitchTo(per_query);
            let mut descriptor = std::ptr::null_mut();
            pg_sys::get_call_result_type(call, std::ptr::null_mut(), &mut descriptor);
            if descriptor.is_null() {
                // one column, which is no composite type
                descriptor = (*result).expectedDesc;
            }
            let descriptor = pg_sys::CreateTupleDescCopy(descriptor);
            let random = (*result).allowedModes & pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random as i32 != 0;
            let store = pg_sys::tuplestore_begin_heap(random, false, pg_sys::work_mem);
            (*result).returnMode = materialize;
            (*result).setResult = store;
            (*result).setDesc = descriptor;
            pg_sys::MemoryContextSwitchTo(caller);
            ResultSet { store, descriptor }
        }
    }

    /// Adds a row.
    ///
    /// # Safety
    /// As many columns as the function declares, of its types.
    pub unsafe fn put<const N: usize>(&self, row: [Option<pg_sys::Datum>; N]) {
        let mut nulls = row.map(|column| column.is_none());
        let mut values = row.map(|column| column.unwrap_or(pg_sys::Datum::null()));
        // SAFETY: promised by the caller; the row is copied.
        unsafe { pg_sys::tuplestore_putvalues(self.store, self.descriptor, values.as_mut_ptr(), nulls.as_mut_ptr()) };
    }
}
