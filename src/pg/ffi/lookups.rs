//! Plans of our own statements look rows up by an index where they ask for the values of an array that the statement itself makes.
//!
//! PostgreSQL guesses that such an array has ten elements (`estimate_array_length` in selfuncs.c). If it also finds that ten values make
//! up most of a table, it reads the whole table, and compares each row with each element: with 10,000 elements, of which none may occur,
//! that takes many times what the index takes, while the index takes little more where they all do.

use super::nodes;
use super::unguarded::in_hooks;
use pgrx::pg_sys::{self, Index, List, Node, NodeTag, Path, PlannerInfo, RangeTblEntry, RelOptInfo};
use std::ptr;

/// The previously installed hook. Set once.
static mut NEXT: pg_sys::set_rel_pathlist_hook_type = None;

/// Installs the hook. Called once, when the library is loaded.
pub fn install_hook() {
    // SAFETY: a backend has one thread, and the library is never unloaded.
    unsafe {
        NEXT = pg_sys::set_rel_pathlist_hook;
        pg_sys::set_rel_pathlist_hook = Some(set_paths);
    }
}

// Errors leave by a long jump, so nothing in these functions may have a destructor.

unsafe extern "C-unwind" fn set_paths(
    root: *mut PlannerInfo,
    rel: *mut RelOptInfo,
    index: Index,
    entry: *mut RangeTblEntry,
) {
    // SAFETY: these are PostgreSQL's own arguments. The lists of a relation hold what pathnodes.h says.
    unsafe {
        in_hooks::next_set_paths(NEXT, root, rel, index, entry);
        if !super::planner::is_planning()
            || (*entry).rtekind != pg_sys::RTEKind::RTE_RELATION
            || (*rel).indexlist.is_null()
            || !nodes::pointers((*rel).baserestrictinfo).any(|condition| is_lookup(root, condition))
        {
            return;
        }
        let (all, partial) = ((*rel).pathlist, (*rel).partial_pathlist);
        ((*rel).pathlist, (*rel).partial_pathlist) = (ptr::null_mut(), ptr::null_mut());
        in_hooks::create_index_paths(root, rel);
        let mut lookups: *mut List = ptr::null_mut();
        for path in nodes::pointers::<Path>((*rel).pathlist) {
            if looks_up(root, path) {
                lookups = in_hooks::lappend(lookups, path.cast());
            }
        }
        if lookups.is_null() {
            ((*rel).pathlist, (*rel).partial_pathlist) = (all, partial);
        } else {
            ((*rel).pathlist, (*rel).partial_pathlist) = (lookups, ptr::null_mut());
        }
    }
}

/// Whether a condition is that a column has a value of an array of the values of a CTE.
unsafe fn is_lookup(root: *mut PlannerInfo, condition: *mut pg_sys::RestrictInfo) -> bool {
    // SAFETY: the condition of a relation of this planner, whose subplans are numbered from 1.
    unsafe {
        let Some(test) = nodes::cast::<pg_sys::ScalarArrayOpExpr>((*condition).clause.cast()) else { return false };
        let array = nodes::pointers::<Node>((*test).args).nth(1).unwrap_or(ptr::null_mut());
        let Some(array) = nodes::cast::<pg_sys::Param>(array) else { return false };
        if !(*test).useOr || (*array).paramkind != pg_sys::ParamKind::PARAM_EXEC {
            return false;
        }
        nodes::iter::<pg_sys::SubPlan>((*root).init_plans).any(|made| {
            let plan = usize::try_from((*made).plan_id).unwrap_or(0).wrapping_sub(1);
            let plan = nodes::pointers::<pg_sys::Plan>((*(*root).glob).subplans).nth(plan);
            (*made).subLinkType == pg_sys::SubLinkType::ARRAY_SUBLINK
                && nodes::integers((*made).setParam).any(|parameter| parameter == (*array).paramid)
                && plan.is_some_and(|plan| (*plan).type_ == NodeTag::T_CteScan)
        })
    }
}

/// Whether a path uses such a condition to look into an index.
unsafe fn looks_up(root: *mut PlannerInfo, path: *mut Path) -> bool {
    // SAFETY: a path of this planner, read as what its tag says.
    unsafe {
        match (*path).type_ {
            NodeTag::T_IndexPath => {
                let clauses = (*path.cast::<pg_sys::IndexPath>()).indexclauses;
                nodes::pointers::<pg_sys::IndexClause>(clauses).any(|clause| is_lookup(root, (*clause).rinfo))
            }
            NodeTag::T_BitmapHeapPath => looks_up(root, (*path.cast::<pg_sys::BitmapHeapPath>()).bitmapqual),
            NodeTag::T_BitmapAndPath => {
                let parts = (*path.cast::<pg_sys::BitmapAndPath>()).bitmapquals;
                nodes::pointers::<Path>(parts).any(|part| looks_up(root, part))
            }
            _ => false,
        }
    }
}
