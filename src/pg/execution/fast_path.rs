//! The fast path, for reads that call only PostgreSQL's own immutable functions, the extension's readers of the identity (also in
//! policies), and its functions that write embedded rows. Such a read uses no setting, so none is set, and takes the role only for the
//! planner and the executor. A point read costs about two thirds of what it costs on the general path.
//!
//! The statement is analysed under the session's own search path. The result must equal that under the request's search path.

use super::fetched::FetchedPlan;
use super::prepared::{Done, Prepared, Values, planned};
use super::reads::Reads;
use crate::error::Result;
use crate::pg::frame::Frame;
use crate::pg::row_sink::{BodyBuffer, Extent, RowShape, RowSink};
use crate::statement::Statement;
use pgrx::pg_sys;

/// A statement that can run on the fast path.
pub struct FastPath {
    prepared: Prepared,
}

impl FastPath {
    /// Prepares the statement again, under the session's search path and the request's role. `None` if the statement does not
    /// qualify for the fast path.
    pub fn of(statement: Statement, main: &Prepared) -> Result<Option<Self>> {
        if main.reads() == Reads::Anything {
            return Ok(None);
        }
        let prepared = Prepared::new(statement, true)?;
        if prepared.reads() == Reads::Anything || !prepared.is_same_as(main) {
            return Ok(None);
        }
        Ok(Some(FastPath { prepared }))
    }

    /// Whether its analysis is still valid. Locks the relations that it reads.
    pub fn is_current(&self) -> bool {
        self.prepared.is_current(None)
    }

    /// Runs the statement, which must be current. `None` if PostgreSQL had to analyse it again after all, or if it asks for an identity
    /// that only the settings tell.
    pub fn run(
        &self,
        frame: &Frame,
        values: &Values,
        body: BodyBuffer,
        shape: RowShape,
        extent: Extent,
    ) -> Result<Option<(Done, BodyBuffer)>> {
        if !self.prepared.reads().are_known(frame) {
            return Ok(None);
        }
        let parameters = self.prepared.bind(values)?;
        let mut encoders = self.prepared.take_encoders();
        let mut sink = RowSink::new(body, shape, &mut encoders).to(extent);
        let receiver = sink.receiver();
        // SAFETY: the parameters are those of the statement, and the sink stays in place until it has been executed.
        let was_reanalysed = self.prepared.execute(parameters, || unsafe { self.execute(frame, parameters, receiver) });
        if was_reanalysed {
            return Ok(None);
        }
        let rows = sink.rows();
        let (body, hidden) = sink.into_parts();
        self.prepared.put_encoders(encoders);
        Ok(Some((Done { rows, processed: rows, hidden }, body)))
    }

    /// Executes the statement. Returns `true`, and has not executed it, if PostgreSQL had to analyse it again after all.
    ///
    /// # Safety
    /// The parameters must be those of the statement, and the receiver valid.
    unsafe fn execute(
        &self,
        frame: &Frame,
        parameters: pg_sys::ParamListInfo,
        receiver: *mut pg_sys::DestReceiver,
    ) -> bool {
        let (source, reads) = (self.prepared.source(), self.prepared.reads());
        // SAFETY: promised by the caller.
        let plan = unsafe { FetchedPlan::of(&self.prepared, frame, parameters) };
        let was_reanalysed = self.prepared.was_reanalysed();
        if !was_reanalysed {
            // SAFETY: the plan has one statement.
            let statement = unsafe { planned(plan.get()) };
            // Parallel workers have no frame.
            // SAFETY: as above.
            if reads == Reads::Identity && unsafe { (*statement).parallelModeNeeded } {
                frame.publish();
            }
            // SAFETY: the same steps as _SPI_execute_plan takes for a saved plan. An error ends the subtransaction, which releases
            // everything. Nothing within the guard has a destructor.
            frame.with_role(|| unsafe {
                pg_sys::ffi::pg_guard_ffi_boundary(|| {
                    use crate::pg::ffi::unguarded::under_one_guard::*;
                    let query = start(statement, (*source).query_string, receiver, parameters);
                    run(query);
                    end(query);
                });
            });
        }
        plan.release();
        was_reanalysed
    }
}
