//! The fast path, for reads that call only PostgreSQL's own immutable functions and the extension's readers of the identity, also in
//! policies. Such a read uses no setting, so none is set, and takes the role only for the planner and the executor. A point read costs about two thirds of
//! what it costs on the general path.
//!
//! The statement is analysed under the session's own search path. The result must equal that under the request's search path.

use super::prepared::{Done, Prepared, Values};
use super::reads::Reads;
use crate::error::Result;
use crate::pg::ffi::nodes;
use crate::pg::frame::Frame;
use crate::pg::row_sink::{BodyBuffer, RowShape};
use crate::statement::Statement;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::c_int;
use std::rc::Rc;

/// After this many analyses that did not stay valid, the fast path is given up, because the session's search path keeps changing.
const TRIES: u8 = 8;

/// The state of a statement's fast path.
pub struct Attempt<P> {
    state: RefCell<State<P>>,
}

enum State<P> {
    /// Not ready, after this many tries.
    Untried(u8),
    /// Ready, after this many tries.
    Ready(Rc<P>, u8),
    Impossible,
}

impl<P> Default for Attempt<P> {
    fn default() -> Self {
        Attempt { state: RefCell::new(State::Untried(0)) }
    }
}

impl<P> Attempt<P> {
    /// The fast path, if it is ready and current. If not, calls `make` so that the next request has it.
    ///
    /// # Errors
    /// The errors of `make`.
    pub fn ready(
        &self,
        is_current: impl FnOnce(&P) -> bool,
        make: impl FnOnce() -> Result<Option<P>>,
    ) -> Result<Option<Rc<P>>> {
        let tries = match &*self.state.borrow() {
            State::Ready(path, _) if is_current(path) => return Ok(Some(path.clone())),
            State::Ready(..) => None,
            State::Untried(tries) => Some(*tries),
            State::Impossible => return Ok(None),
        };
        match tries {
            None => self.discard(),
            Some(TRIES..) => {
                self.state.replace(State::Impossible);
            }
            Some(tries) => {
                let state = match make()? {
                    Some(path) => State::Ready(Rc::new(path), tries + 1),
                    None => State::Untried(tries + 1),
                };
                self.state.replace(state);
            }
        }
        Ok(None)
    }

    /// Forgets the path, whose analysis is no longer valid.
    pub fn discard(&self) {
        let tries = match &*self.state.borrow() {
            State::Untried(tries) | State::Ready(_, tries) => *tries,
            State::Impossible => return,
        };
        self.state.replace(State::Untried(tries));
    }
}

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

    /// Locks the relations that the statement reads. Returns whether its analysis is still valid.
    pub fn is_current(&self) -> bool {
        // SAFETY: this value owns the plan. The locks are released at the end of the transaction, like those of any statement.
        unsafe {
            let source = self.prepared.source();
            if !(*source).is_valid {
                return false;
            }
            for relation in nodes::oids((*source).relationOids) {
                pg_sys::LockRelationOid(relation, pg_sys::AccessShareLock as c_int);
            }
            (*source).is_valid && !self.prepared.was_reanalysed() && search_path_matches(source)
        }
    }

    /// Runs the statement, which must be current. `None` if PostgreSQL had to analyse it again after all, or if it asks for an identity
    /// that only the settings tell.
    pub fn run(
        &self,
        frame: &Frame,
        values: &Values,
        body: BodyBuffer,
        shape: RowShape,
    ) -> Result<Option<(Done, BodyBuffer)>> {
        if !self.prepared.reads().are_known(frame) {
            return Ok(None);
        }
        let parameters = self.prepared.bind(values)?;
        let mut encoders = self.prepared.take_encoders();
        let mut sink = crate::pg::row_sink::RowSink::new(body, shape, &mut encoders);
        let receiver = sink.receiver();
        // SAFETY: the parameters are those of the statement, and the sink stays in place until it has been executed.
        let was_reanalysed = self.prepared.execute(parameters, || unsafe { self.execute(frame, parameters, receiver) });
        if was_reanalysed {
            return Ok(None);
        }
        let rows = sink.rows();
        let body = sink.into_buffer();
        self.prepared.put_encoders(encoders);
        Ok(Some((Done { rows, processed: rows }, body)))
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
        // SAFETY: as below; the plan is released there.
        let (plan, owner) = unsafe {
            let owner = pg_sys::CurrentResourceOwner;
            let cached = || pg_sys::GetCachedPlan(source, parameters, owner, std::ptr::null_mut());
            // The planner checks rights to views, so it needs the role. Fetching an existing plan does not, and switching the
            // role would make PostgreSQL look up the schemas of the search path again, twice.
            (if self.prepared.has_plan() { cached() } else { frame.with_role(cached) }, owner)
        };
        let was_reanalysed = self.prepared.was_reanalysed();
        // Parallel workers have no frame.
        // SAFETY: the plan has one statement.
        if reads == Reads::Identity && !was_reanalysed && unsafe { (*planned(plan)).parallelModeNeeded } {
            frame.publish();
        }
        // SAFETY: the same steps as _SPI_execute_plan takes for a saved plan. An error ends the subtransaction, which releases
        // everything. Nothing within the guard has a destructor.
        frame.with_role(|| unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                use crate::pg::ffi::unguarded::under_one_guard::*;
                if !was_reanalysed {
                    let query = CreateQueryDesc(
                        planned(plan),
                        (*source).query_string,
                        GetActiveSnapshot(),
                        std::ptr::null_mut(),
                        receiver,
                        parameters,
                        std::ptr::null_mut(),
                        0,
                    );
                    ExecutorStart(query, 0);
                    run(query);
                    ExecutorFinish(query);
                    ExecutorEnd(query);
                    FreeQueryDesc(query);
                }
                ReleaseCachedPlan(plan, owner);
            });
        });
        was_reanalysed
    }
}

/// The only statement of a plan.
///
/// # Safety
/// A plan with one statement.
pub unsafe fn planned(plan: *const pg_sys::CachedPlan) -> *mut pg_sys::PlannedStmt {
    // SAFETY: promised by the caller.
    unsafe { (*(*(*plan).stmt_list).elements).ptr_value.cast() }
}

/// Whether the search path in force is the one that the statement was analysed under.
///
/// # Safety
/// The source of a saved plan.
pub unsafe fn search_path_matches(source: *mut pg_sys::CachedPlanSource) -> bool {
    // SAFETY: the plan source of a saved plan.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
        return pg_sys::OverrideSearchPathMatchesCurrent((*source).search_path);
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        return pg_sys::SearchPathMatchesCurrentEnvironment((*source).search_path);
    }
}
