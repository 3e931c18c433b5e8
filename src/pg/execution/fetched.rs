//! The plan of one execution.

use super::prepared::{Prepared, planned};
use crate::pg::ffi::nodes;
use crate::pg::frame::Frame;
use pgrx::pg_sys::{self, CachedPlan, Oid, ParamListInfo, RTEKind, ResourceOwner};
use std::ffi::c_int;
use std::ptr;

/// A plan that is kept in memory until this value is released, or dropped because an error was raised.
pub struct FetchedPlan {
    plan: *mut CachedPlan,
    /// What releases the plan after an error. Null if this value does.
    owner: ResourceOwner,
}

impl FetchedPlan {
    /// The plan for these parameters. The statement must be current ([`Prepared::is_current`]).
    ///
    /// A plan that is kept and still valid is taken as it is: PostgreSQL would find out once more whether the statement is current, and,
    /// under a policy, look up the schemas of the search path for the role of the request and again for that of the session.
    ///
    /// # Safety
    /// The parameters are those of the statement, whose value outlives this one.
    pub unsafe fn of(prepared: &Prepared, frame: &Frame, parameters: ParamListInfo) -> Self {
        // SAFETY: promised by the caller.
        unsafe {
            Self::kept(prepared, frame.role(), parameters).unwrap_or_else(|| {
                // The planner needs the role.
                frame.with_role(|| Self::cached(prepared, parameters))
            })
        }
    }

    /// The plan from PostgreSQL's plan cache, made if there is none.
    ///
    /// # Safety
    /// As for [`FetchedPlan::of`].
    pub unsafe fn cached(prepared: &Prepared, parameters: ParamListInfo) -> Self {
        // SAFETY: promised by the caller.
        unsafe {
            let owner = pg_sys::CurrentResourceOwner;
            let plan = pg_sys::GetCachedPlan(prepared.source(), parameters, owner, ptr::null_mut());
            FetchedPlan { plan, owner }
        }
    }

    /// The plan that PostgreSQL keeps, if it would use it. Locks the relations of the plan.
    unsafe fn kept(prepared: &Prepared, role: Oid, parameters: ParamListInfo) -> Option<Self> {
        // SAFETY: the source and its plan are valid, and so are the tables of relations of a plan. The same tests and locks as in
        // RevalidateCachedQuery and CheckCachedPlan (plancache.c).
        unsafe {
            let (source, plan) = (prepared.source(), (*prepared.source()).gplan);
            if !prepared.keeps_plan(parameters) || plan.is_null() || !(*plan).is_valid {
                return None;
            }
            let is_rewritten_for_it =
                (*source).rewriteRoleId == role && (*source).rewriteRowSecurity == pg_sys::row_security;
            if (*source).dependsOnRLS && !is_rewritten_for_it
                || (*plan).dependsOnRole && (*plan).planRoleId != role
                || (*plan).saved_xmin != pg_sys::InvalidTransactionId
            {
                return None;
            }
            for entry in nodes::pointers::<pg_sys::RangeTblEntry>((*planned(plan)).rtable) {
                // Views are subqueries that have kept their relation.
                let is_relation = matches!((*entry).rtekind, RTEKind::RTE_RELATION | RTEKind::RTE_SUBQUERY);
                if is_relation && (*entry).relid != pg_sys::InvalidOid {
                    pg_sys::LockRelationOid((*entry).relid, (*entry).rellockmode as c_int);
                }
            }
            if !(*source).is_valid || !(*plan).is_valid || prepared.was_reanalysed() {
                return None;
            }
            (*plan).refcount += 1;
            Some(FetchedPlan { plan, owner: ptr::null_mut() })
        }
    }

    /// The plan itself.
    pub fn get(&self) -> *mut CachedPlan {
        self.plan
    }

    /// Releases the plan, which is not used any more.
    pub fn release(self) {
        // SAFETY: this value owns a reference, and is not dropped after that.
        unsafe { pg_sys::ReleaseCachedPlan(self.plan, self.owner) };
        std::mem::forget(self);
    }
}

impl Drop for FetchedPlan {
    /// After an error. Its owner releases the plan when the subtransaction ends, if it has one.
    fn drop(&mut self) {
        if self.owner.is_null() {
            // SAFETY: this value owns a reference. Nothing is raised.
            unsafe { pg_sys::ReleaseCachedPlan(self.plan, ptr::null_mut()) };
        }
    }
}
