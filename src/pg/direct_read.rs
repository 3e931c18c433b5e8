//! The short way of a read that calls nothing but PostgreSQL's own immutable functions and is under no policy: it asks for
//! no setting, so none is made for it, and the role is taken for planner and executor alone. A point read costs about half of
//! what it costs on the long way.
//!
//! The statement is analysed under the session's own search path and has to come out the same as under the request's.

use crate::error::Result;
use crate::pg::prepared::{Done, Prepared, Values};
use crate::pg::row_sink::{BodyBuffer, RowShape};
use crate::pg::session::Frame;
use crate::statement::Statement;
use pgrx::pg_sys;
use std::ffi::c_int;

/// A statement that can be run on the short way.
pub struct DirectRead {
    prepared: Prepared,
}

impl DirectRead {
    /// Prepares the statement again, under the session's search path; the role is the request's. `None` when the
    /// statement is not fit for the short way.
    pub fn of(statement: Statement, main: &Prepared) -> Result<Option<Self>> {
        if !main.is_self_contained() {
            return Ok(None);
        }
        let prepared = Prepared::new(statement, true)?;
        if !prepared.is_self_contained() || !prepared.has_plain_types() || !prepared.is_same_as(main) {
            return Ok(None);
        }
        Ok(Some(DirectRead { prepared }))
    }

    /// Locks what the statement reads, and says whether its analysis still holds.
    pub fn is_current(&self) -> bool {
        // SAFETY: the plan is this value's own; locks are released at the end of the transaction, as those of any statement.
        unsafe {
            let source = self.prepared.source();
            if !(*source).is_valid {
                return false;
            }
            let relations = (*source).relationOids;
            if !relations.is_null() {
                for i in 0..(*relations).length as usize {
                    let oid = (*(*relations).elements.add(i)).oid_value;
                    pg_sys::LockRelationOid(oid, pg_sys::AccessShareLock as c_int);
                }
            }
            (*source).is_valid && !self.prepared.was_reanalysed() && search_path_matches(source)
        }
    }

    /// Runs the statement, which is current. `None` when PostgreSQL had to analyse it again after all.
    pub fn run(
        &self,
        frame: &Frame,
        values: &Values,
        body: BodyBuffer,
        shape: RowShape,
    ) -> Result<Option<(Done, BodyBuffer)>> {
        let parameters = self.prepared.bind(values)?;
        let mut encoders = self.prepared.take_encoders();
        let mut sink = crate::pg::row_sink::RowSink::new(body, shape, &mut encoders);
        // The planner, too, checks the rights to views.
        // SAFETY: the sequence of _SPI_execute_plan for a saved plan; an error ends the subtransaction, which releases all.
        let was_run = frame.with_role(|| unsafe {
            let source = self.prepared.source();
            let owner = pg_sys::CurrentResourceOwner;
            let plan = pg_sys::GetCachedPlan(source, parameters, owner, std::ptr::null_mut());
            let was_reanalysed = self.prepared.was_reanalysed();
            if !was_reanalysed {
                let statement = (*(*(*plan).stmt_list).elements).ptr_value.cast::<pg_sys::PlannedStmt>();
                let query = pg_sys::CreateQueryDesc(
                    statement,
                    (*source).query_string,
                    pg_sys::GetActiveSnapshot(),
                    std::ptr::null_mut(),
                    sink.receiver(),
                    parameters,
                    std::ptr::null_mut(),
                    0,
                );
                pg_sys::ExecutorStart(query, 0);
                #[cfg(not(feature = "pg18"))]
                pg_sys::ExecutorRun(query, pg_sys::ScanDirection::ForwardScanDirection, 0, true);
                #[cfg(feature = "pg18")]
                pg_sys::ExecutorRun(query, pg_sys::ScanDirection::ForwardScanDirection, 0);
                pg_sys::ExecutorFinish(query);
                pg_sys::ExecutorEnd(query);
                pg_sys::FreeQueryDesc(query);
            }
            pg_sys::ReleaseCachedPlan(plan, owner);
            !was_reanalysed
        });
        if !was_run {
            return Ok(None);
        }
        let rows = sink.rows();
        let body = sink.into_buffer();
        self.prepared.put_encoders(encoders);
        Ok(Some((Done { rows, processed: rows }, body)))
    }
}

unsafe fn search_path_matches(source: *mut pg_sys::CachedPlanSource) -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    return pg_sys::OverrideSearchPathMatchesCurrent((*source).search_path);
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    return pg_sys::SearchPathMatchesCurrentEnvironment((*source).search_path);
}
