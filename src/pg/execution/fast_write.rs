//! The fast path of writes: INSERT, UPDATE or DELETE as one command, with the values of the body's one object as parameters, on a table
//! where nothing but PostgreSQL's own functions runs. Nobody can see the request's settings then, so none is set.
//!
//! As on the fast path of reads, the statement is analysed under the session's own search path, and the role is taken only for the
//! planner and the executor.

use super::direct::{Direct, ReadsBody};
use super::fetched::FetchedPlan;
use super::prepared::{Done, Prepared, Values};
use super::reads::Reads;
use crate::error::Result;
use crate::pg::ffi::guc_nest::GucNest;
use crate::pg::frame::Frame;
use crate::pg::record_source::{Member, OneObject};
use crate::pg::row_sink::{BodyBuffer, RowShape};
use crate::plan::{Change, Write};
use crate::statement::Statement;
use pgrx::pg_sys;
use std::ffi::{CStr, CString};

/// A write that can run on the fast path.
pub struct FastWrite {
    direct: Direct,
    target: pg_sys::Oid,
    /// The values of an INSERT are read in any case; those of an UPDATE when there is a row to change.
    when: ReadsBody,
}

impl FastWrite {
    /// Prepares the statement under the session's search path and the request's role. `None` if it does not qualify.
    ///
    /// `path`: the request's search path.
    ///
    /// # Errors
    /// The statement cannot be prepared.
    pub fn of(statement: Statement, write: &Write, path: &CStr) -> Result<Option<Self>> {
        let in_request = {
            let nest = GucNest::open();
            nest.set(c"search_path", path);
            Prepared::new(statement.clone(), false)?
        };
        if in_request.reads() == Reads::Anything {
            return Ok(None);
        }
        let prepared = Prepared::new(statement, false)?;
        let Some(target) = prepared.target_of_write().filter(|target| target.to_u32() == write.relation_oid) else {
            return Ok(None);
        };
        if prepared.reads() == Reads::Anything || !prepared.is_same_as(&in_request) {
            return Ok(None);
        }
        let (columns, uniform, when) = match &write.change {
            Change::Insert { columns, uniform, .. } => (columns.as_slice(), *uniform, ReadsBody::First),
            Change::Update { columns, .. } => (columns.as_slice(), false, ReadsBody::WhenNeeded),
            Change::Delete { .. } | Change::Each(_) => (Default::default(), false, ReadsBody::WhenNeeded),
        };
        let mut members = Vec::new();
        for (column, (place, _)) in columns.iter().zip(prepared.members()) {
            let Some((data_type, typmod)) = type_of(target, &column.column) else { return Ok(None) };
            if prepared.data_type(place) != Some(data_type) {
                return Ok(None);
            }
            members.push(Member { key: &column.column, data_type, typmod });
        }
        if members.len() != columns.len() {
            return Ok(None);
        }
        let texts = columns.iter().any(|column| column.is_text);
        // SAFETY: the memory lives as long as the statement, and the statement as long as what reads its body.
        let object = (!members.is_empty())
            .then(|| unsafe { OneObject::new(members.into_iter(), texts, uniform, prepared.memory()) });
        Ok(Some(FastWrite { direct: Direct::new(prepared, object), target, when }))
    }

    /// Whether its analysis is still valid. Locks the relations of the statement.
    pub fn is_current(&self) -> bool {
        self.direct.prepared.is_current(Some(self.target))
    }

    /// Runs the statement, which must be current. `None` if PostgreSQL had to analyse it again after all, or if it asks for an identity
    /// that only the settings tell.
    ///
    /// # Errors
    /// A value cannot be bound.
    pub fn run(
        &self,
        frame: &Frame,
        values: &Values,
        body: BodyBuffer,
        shape: RowShape,
    ) -> Result<Option<(Done, BodyBuffer)>> {
        let prepared = &self.direct.prepared;
        if !prepared.reads().are_known(frame) {
            return Ok(None);
        }
        let parameters = prepared.bind(values)?;
        let execute = || {
            // SAFETY: the parameters are those of the statement.
            unsafe {
                let plan = FetchedPlan::of(prepared, frame, parameters);
                if prepared.was_reanalysed() {
                    plan.release();
                    return None;
                }
                Some(frame.with_role(|| self.direct.run(plan, parameters, values, self.when, body, shape)))
            }
        };
        Ok(prepared.execute(parameters, execute))
    }
}

/// The type and the modifier of a column. `None` if the relation does not have it.
fn type_of(relation: pg_sys::Oid, column: &str) -> Option<(pg_sys::Oid, i32)> {
    let name = CString::new(column).ok()?;
    let (mut data_type, mut typmod, mut collation) = (pg_sys::InvalidOid, -1, pg_sys::InvalidOid);
    // SAFETY: look-ups in the system cache; the column exists when its type is read.
    unsafe {
        let number = pg_sys::get_attnum(relation, name.as_ptr());
        if number <= 0 {
            return None;
        }
        pg_sys::get_atttypetypmodcoll(relation, number, &mut data_type, &mut typmod, &mut collation);
    }
    Some((data_type, typmod))
}
