//! Runs statements without SPI, with the values of the body's one object as parameters.

use super::fetched::FetchedPlan;
use super::prepared::{Done, Prepared, Values, planned};
use crate::pg::ffi::preserving_error_data::preserving_error_data;
use crate::pg::ffi::unguarded::switch_to;
use crate::pg::record_source::OneObject;
use crate::pg::row_sink::{BodyBuffer, RowShape, RowSink};
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, ParamExternData, ParamListInfo};
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};

/// A prepared statement of one command, and what reads the body's object for it.
pub struct Direct {
    pub prepared: Prepared,
    object: Option<RefCell<OneObject>>,
    /// The place of each member among the parameters.
    places: Vec<usize>,
}

/// When the body is read, which may fail.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ReadsBody {
    /// Before the first row.
    First,
    /// When a row needs it; after the last row, if none did.
    WhenNeeded,
}

/// The body of one execution.
struct Body<'a> {
    of: &'a Direct,
    bytes: Option<&'a [u8]>,
    /// Where the values are allocated.
    memory: pg_sys::MemoryContext,
    is_read: Cell<bool>,
}

impl Direct {
    /// `object`: what reads the members of the statement, if it has any.
    pub fn new(prepared: Prepared, object: Option<OneObject>) -> Self {
        let places = prepared.members().map(|(place, _)| place).collect();
        Direct { prepared, object: object.map(RefCell::new), places }
    }

    /// Runs a plan of the statement, as `_SPI_execute_plan` does. Releases the plan.
    ///
    /// # Safety
    /// The plan has one statement, which fits these parameters.
    pub unsafe fn run(
        &self,
        plan: FetchedPlan,
        parameters: ParamListInfo,
        values: &Values,
        when: ReadsBody,
        body: BodyBuffer,
        shape: RowShape,
    ) -> (Done, BodyBuffer) {
        let mut encoders = self.prepared.take_encoders();
        let mut sink = RowSink::new(body, shape, &mut encoders);
        let receiver = sink.receiver();
        // SAFETY: the plan and the parameters are the caller's; the sink and the body outlive the execution. An error ends the
        // subtransaction, which releases everything. Nothing within the guards has a destructor.
        let processed = unsafe {
            let memory = pg_sys::CurrentMemoryContext;
            let body = Body { of: self, bytes: values.body(), memory, is_read: Cell::new(self.object.is_none()) };
            if when == ReadsBody::WhenNeeded && self.object.is_some() {
                (*parameters).paramFetch = Some(fetch);
                (*parameters).paramFetchArg = (&raw const body).cast_mut().cast::<c_void>();
            }
            let statement = planned(plan.get());
            let source = (*self.prepared.source()).query_string;
            let query = pg_guard_ffi_boundary(|| {
                use crate::pg::ffi::unguarded::under_one_guard::*;
                PushActiveSnapshot(GetTransactionSnapshot());
                CommandCounterIncrement();
                UpdateActiveSnapshotCommandId();
                start(statement, source, receiver, parameters)
            });
            if when == ReadsBody::First {
                body.read(parameters);
            }
            let processed = pg_guard_ffi_boundary(|| {
                use crate::pg::ffi::unguarded::under_one_guard::*;
                run(query);
                let processed = end(query);
                PopActiveSnapshot();
                CommandCounterIncrement();
                processed
            });
            plan.release();
            // A body that cannot be read is refused whether or not a row needs it.
            body.read(parameters);
            processed
        };
        let rows = sink.rows();
        let (body, hidden) = sink.into_parts();
        self.prepared.put_encoders(encoders);
        (Done { rows, processed, hidden }, body)
    }
}

impl Body<'_> {
    /// Reads the body into the parameters, unless that is done.
    unsafe fn read(&self, parameters: ParamListInfo) {
        let Some(object) = &self.of.object else { return };
        if self.is_read.replace(true) {
            return;
        }
        // SAFETY: the list has the places of the members. The memory outlives the execution.
        unsafe {
            let before = switch_to(self.memory);
            // The types are PostgreSQL's own, so reading them does not run the statement again.
            object.borrow_mut().read(self.bytes, |member, value| {
                if let Some(place) = self.of.places.get(member) {
                    let slot = &mut *(*parameters).params.as_mut_ptr().add(*place);
                    slot.isnull = value.is_none();
                    slot.value = value.unwrap_or(pg_sys::Datum::null());
                }
            });
            switch_to(before);
        }
    }
}

/// The hook by which the executor gets a parameter (nodes/params.h). Planning is told nothing of the body.
unsafe extern "C-unwind" fn fetch(
    parameters: ParamListInfo,
    number: c_int,
    is_speculative: bool,
    _workspace: *mut ParamExternData,
) -> *mut ParamExternData {
    // SAFETY: the list that was made above, whose body is still there; PostgreSQL asks for parameters from 1 to its length.
    unsafe {
        preserving_error_data(|| {
            let slot = (*parameters).params.as_mut_ptr().add(number as usize - 1);
            if !is_speculative && u32::from((*slot).pflags) & pg_sys::PARAM_FLAG_CONST == 0 {
                (*(*parameters).paramFetchArg.cast::<Body>()).read(parameters);
            }
            slot
        })
    }
}
