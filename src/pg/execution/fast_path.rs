//! The fast path of a read that calls nothing but PostgreSQL's own immutable functions and is under no policy: it asks for
//! no setting, so none is made for it, and the role is taken for planner and executor alone. A point read costs about two
//! thirds of what it costs on the general path.
//!
//! The statement is analysed under the session's own search path and has to come out the same as under the request's.

use super::cache::{self, Key};
use super::connected;
use super::prepared::{Done, Prepared, Values};
use crate::ask::Ask;
use crate::error::Result;
use crate::pg::catalog;
use crate::pg::ffi::{nodes, unguarded};
use crate::pg::frame::Frame;
use crate::pg::guc;
use crate::pg::row_sink::{BodyBuffer, RowShape};
use crate::respond::Effect;
use crate::route::Verb;
use crate::statement::{self, Statement};
use pgrx::pg_sys;
use std::ffi::c_int;
use std::rc::Rc;

/// What is known of the fast path of a statement.
pub enum State {
    /// Not ready; the number of earlier tries.
    Untried(u8),
    /// Ready after so many tries.
    Ready(Rc<FastPath>, u8),
    Impossible,
}

impl Default for State {
    fn default() -> Self {
        State::Untried(0)
    }
}

/// After so many analyses that did not hold, the fast path is given up: the session's search path keeps changing.
const TRIES: u8 = 8;

/// Tries the fast path; the role is not taken yet. Returns `None` if the request or the statement does not qualify.
///
/// # Errors
/// What PostgreSQL says of the statement.
pub fn run(key: &Key, ask: &Ask, frame: &Frame, memory: pg_sys::MemoryContext) -> Result<Option<(Effect, BodyBuffer)>> {
    if ask.action().verb != Verb::Read || guc::pre_request().is_some() || ask.request.preferences.count.is_some() {
        return Ok(None);
    }
    // What the transaction has written is seen on the general path.
    // SAFETY: reads a global.
    if unsafe { unguarded::GetTopTransactionIdIfAny() } != pg_sys::InvalidTransactionId {
        return Ok(None);
    }
    let Some(work) = cache::known(key) else { return Ok(None) };
    if work.handlers.1.get() != catalog::function_changes() {
        return Ok(None);
    }
    let known = match &*work.fast_path.borrow() {
        State::Ready(path, tries) => Ok((path.clone(), *tries)),
        State::Untried(tries) => Err(*tries),
        State::Impossible => return Ok(None),
    };
    let (path, tries) = match known {
        Ok((path, tries)) if path.is_current() => (path, tries),
        Ok((_, tries)) => {
            work.fast_path.replace(State::Untried(tries));
            return Ok(None);
        }
        Err(TRIES..) => {
            work.fast_path.replace(State::Impossible);
            return Ok(None);
        }
        Err(tries) => {
            let made = frame.with_role(|| {
                connected(|| FastPath::of(statement::rendered(&work.plan, &work.representation), &work.main))
            })?;
            work.fast_path.replace(match made {
                Some(made) => State::Ready(Rc::new(made), tries + 1),
                None => State::Untried(tries + 1),
            });
            return Ok(None);
        }
    };
    let (buffer, shape, close) = work.body(ask.is_item(), memory);
    let Some((done, mut buffer)) = path.run(frame, &Values::of(ask), buffer, shape)? else {
        work.fast_path.replace(State::Untried(tries));
        return Ok(None);
    };
    buffer.put(close);
    work.body_bytes.set(buffer.len());
    let media = work.representation.media.clone();
    Ok(Some((Effect { rows: done.rows, media, ..Effect::default() }, buffer)))
}

/// A statement that can be run on the fast path.
pub struct FastPath {
    prepared: Prepared,
}

impl FastPath {
    /// Prepares the statement again, under the session's search path; the role is the request's. `None` when the
    /// statement is not fit for the fast path.
    pub fn of(statement: Statement, main: &Prepared) -> Result<Option<Self>> {
        if !main.is_self_contained() {
            return Ok(None);
        }
        let prepared = Prepared::new(statement, true)?;
        if !prepared.is_self_contained() || !prepared.is_same_as(main) {
            return Ok(None);
        }
        Ok(Some(FastPath { prepared }))
    }

    /// Locks what the statement reads, and says whether its analysis still holds.
    pub fn is_current(&self) -> bool {
        // SAFETY: the plan is this value's own; locks are released at the end of the transaction, as those of any statement.
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
        let source = self.prepared.source();
        // SAFETY: as below; the plan is released there.
        let (plan, owner) = unsafe {
            let owner = pg_sys::CurrentResourceOwner;
            let cached = || pg_sys::GetCachedPlan(source, parameters, owner, std::ptr::null_mut());
            // The planner, too, checks the rights to views, so it works under the role. To fetch a plan that is there needs
            // none, and a switch would have PostgreSQL look up the search path's schemas again, twice.
            (if has_plan(source) { cached() } else { frame.with_role(cached) }, owner)
        };
        let was_reanalysed = self.prepared.was_reanalysed();
        let receiver = sink.receiver();
        // SAFETY: the sequence of _SPI_execute_plan for a saved plan; an error ends the subtransaction, which releases all. Under
        // the one guard there is nothing to drop.
        frame.with_role(|| unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                use crate::pg::ffi::unguarded::executor::*;
                if !was_reanalysed {
                    let statement = (*(*(*plan).stmt_list).elements).ptr_value.cast::<pg_sys::PlannedStmt>();
                    let query = CreateQueryDesc(
                        statement,
                        (*source).query_string,
                        GetActiveSnapshot(),
                        std::ptr::null_mut(),
                        receiver,
                        parameters,
                        std::ptr::null_mut(),
                        0,
                    );
                    ExecutorStart(query, 0);
                    #[cfg(not(feature = "pg18"))]
                    ExecutorRun(query, pg_sys::ScanDirection::ForwardScanDirection, 0, true);
                    #[cfg(feature = "pg18")]
                    ExecutorRun(query, pg_sys::ScanDirection::ForwardScanDirection, 0);
                    ExecutorFinish(query);
                    ExecutorEnd(query);
                    FreeQueryDesc(query);
                }
                ReleaseCachedPlan(plan, owner);
            });
        });
        if was_reanalysed {
            return Ok(None);
        }
        let rows = sink.rows();
        let body = sink.into_buffer();
        self.prepared.put_encoders(encoders);
        Ok(Some((Done { rows, processed: rows }, body)))
    }
}

/// Whether PostgreSQL has a plan that it will take as it is: the generic one, by the rule of plancache.c.
unsafe fn has_plan(source: *mut pg_sys::CachedPlanSource) -> bool {
    let generic = (*source).gplan;
    if generic.is_null() || !(*generic).is_valid || (*generic).dependsOnRole {
        return false;
    }
    let custom_plans = (*source).num_custom_plans;
    pg_sys::plan_cache_mode == pg_sys::PlanCacheMode::PLAN_CACHE_MODE_AUTO as c_int
        && custom_plans >= 5
        && (*source).generic_cost < (*source).total_custom_cost / custom_plans as f64
}

unsafe fn search_path_matches(source: *mut pg_sys::CachedPlanSource) -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    return pg_sys::OverrideSearchPathMatchesCurrent((*source).search_path);
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    return pg_sys::SearchPathMatchesCurrentEnvironment((*source).search_path);
}
