//! Calls of functions that return one value, with the members of the body's object as parameters. If PostgreSQL has put the function's
//! body in place of the call, and only its own functions are left in the plan, nobody can see the request's settings, and none is set.

use super::direct::{Direct, ReadsBody};
use super::fetched::FetchedPlan;
use super::prepared::{Done, Prepared, Values, planned};
use super::reads::Reads;
use crate::error::Result;
use crate::pg::frame::Frame;
use crate::pg::record_source::{Member, OneObject};
use crate::pg::row_sink::{BodyBuffer, RowShape};
use crate::plan::{Arguments, Call};
use crate::statement::Statement;
use std::cell::Cell;
use std::ffi::c_int;

/// A call that can run without SPI.
pub struct DirectCall {
    direct: Direct,
    /// What the plan for any values can read, and the number that PostgreSQL gave to this plan.
    checked: Cell<(c_int, Reads)>,
}

impl DirectCall {
    /// Prepares the statement, under the request's search path and role. `None` if it does not qualify. SPI must be connected.
    ///
    /// # Errors
    /// The statement cannot be prepared.
    pub fn of(statement: Statement, call: &Call) -> Result<Option<Self>> {
        let prepared = Prepared::new(statement, false)?;
        if !prepared.has_plain_types() {
            return Ok(None);
        }
        let (members, texts) = match &call.invocation.arguments {
            Arguments::Body(members, texts) => (members.as_slice(), *texts),
            _ => (Default::default(), false),
        };
        let members: Vec<Member> = (members.iter().zip(prepared.members()))
            .filter_map(|((key, ..), (place, _))| {
                prepared.data_type(place).map(|data_type| Member { key, data_type, typmod: -1 })
            })
            .collect();
        // SAFETY: the memory lives as long as the statement, and the statement as long as what reads its body.
        let object = (!members.is_empty())
            .then(|| unsafe { OneObject::new(members.into_iter(), texts, false, prepared.memory()) });
        Ok(Some(DirectCall { direct: Direct::new(prepared, object), checked: Cell::new((-1, Reads::Anything)) }))
    }

    /// Calls the function. The role must be taken.
    ///
    /// # Errors
    /// A value cannot be bound.
    pub fn run(&self, frame: &Frame, values: &Values, body: BodyBuffer, shape: RowShape) -> Result<(Done, BodyBuffer)> {
        let prepared = &self.direct.prepared;
        let parameters = prepared.bind(values)?;
        // SAFETY: this value owns the plan; the fetched one is released by the run. An error ends the subtransaction, which releases it
        // too.
        Ok(prepared.execute(parameters, || unsafe {
            let source = prepared.source();
            let (number, reads) = self.checked.get();
            // Planning may call functions, so they must be able to read the settings unless there is a plan.
            let is_checked = prepared.has_plan(parameters) && (*(*source).gplan).generation == number;
            if !is_checked || !reads.are_known(frame) {
                frame.publish();
            }
            let plan = FetchedPlan::cached(prepared, parameters);
            if is_checked && (*plan.get()).generation != number {
                frame.publish();
            }
            let for_any = (*source).gplan;
            if !for_any.is_null() && (*for_any).generation != number {
                self.checked.set(((*for_any).generation, Reads::of_plan(planned(for_any))));
            }
            self.direct.run(plan, parameters, values, ReadsBody::First, body, shape)
        }))
    }
}
