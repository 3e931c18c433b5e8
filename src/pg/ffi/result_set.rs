//! The result of a set-returning function (PostgreSQL's materialize mode, src/backend/utils/fmgr/README).

use super::error::raise;
use super::nodes;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;

/// Rows that are collected for the caller. Beyond `work_mem`, they go to disk.
pub struct ResultSet {
    store: *mut pg_sys::Tuplestorestate,
    descriptor: pg_sys::TupleDesc,
}

impl ResultSet {
    /// Begins the result of a function that returns rows.
    ///
    /// Raises 0A000 if the caller cannot take rows.
    ///
    /// # Safety
    /// The call frame must be that of a set-returning function, which returns a null datum afterwards.
    pub unsafe fn start(call: pg_sys::FunctionCallInfo) -> Self {
        // SAFETY: promised by the caller.
        let of_function = |expected| unsafe {
            let mut descriptor = std::ptr::null_mut();
            pg_sys::get_call_result_type(call, std::ptr::null_mut(), &mut descriptor);
            // A result type of one column is not composite.
            if descriptor.is_null() { expected } else { descriptor }
        };
        // SAFETY: as above.
        unsafe { ResultSet::of(call, of_function) }.unwrap_or_else(|| {
            raise(
                SqlState::FEATURE_NOT_SUPPORTED,
                "the function returns rows, which is not possible here",
                None,
                Some("Call it in FROM."),
            )
        })
    }

    /// Begins the result of a function whose caller lists its columns. `None` if the caller cannot take rows, or lists no columns.
    ///
    /// # Safety
    /// As [`ResultSet::start`].
    pub unsafe fn with_column_definitions(call: pg_sys::FunctionCallInfo) -> Option<Self> {
        // SAFETY: promised by the caller.
        unsafe { ResultSet::of(call, |expected| expected) }
    }

    /// `describe` makes the description of the columns from the one that the caller expects, in the memory context of the query.
    unsafe fn of(
        call: pg_sys::FunctionCallInfo,
        describe: impl FnOnce(pg_sys::TupleDesc) -> pg_sys::TupleDesc,
    ) -> Option<Self> {
        let materialize = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
        // SAFETY: the tag of the node is checked before the node is used.
        unsafe {
            let result = nodes::cast::<pg_sys::ReturnSetInfo>((*call).resultinfo)?;
            if (*result).allowedModes & materialize as i32 == 0 {
                return None;
            }
            let caller = pg_sys::MemoryContextSwitchTo((*(*result).econtext).ecxt_per_query_memory);
            let descriptor = describe((*result).expectedDesc);
            let rows = (!descriptor.is_null()).then(|| {
                let descriptor = pg_sys::CreateTupleDescCopy(descriptor);
                let random =
                    (*result).allowedModes & pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random as i32 != 0;
                let store = pg_sys::tuplestore_begin_heap(random, false, pg_sys::work_mem);
                (*result).returnMode = materialize;
                (*result).setResult = store;
                (*result).setDesc = descriptor;
                ResultSet { store, descriptor }
            });
            pg_sys::MemoryContextSwitchTo(caller);
            rows
        }
    }

    /// The description of the columns.
    pub fn descriptor(&self) -> pg_sys::TupleDesc {
        self.descriptor
    }

    /// Adds a row.
    ///
    /// # Safety
    /// The values must match the function's columns in number and type.
    pub unsafe fn put<const N: usize>(&self, row: [Option<pg_sys::Datum>; N]) {
        let mut nulls = row.map(|column| column.is_none());
        let mut values = row.map(|column| column.unwrap_or(pg_sys::Datum::null()));
        // SAFETY: promised by the caller.
        unsafe { self.put_columns(&mut values, &mut nulls) };
    }

    /// Adds a row whose values and nulls are in separate slices.
    ///
    /// # Safety
    /// As [`ResultSet::put`].
    pub unsafe fn put_columns(&self, values: &mut [pg_sys::Datum], nulls: &mut [bool]) {
        // SAFETY: promised by the caller; the row is copied.
        unsafe { pg_sys::tuplestore_putvalues(self.store, self.descriptor, values.as_mut_ptr(), nulls.as_mut_ptr()) };
    }
}
