//! What a statement can read of the request, judged by the functions that it calls.

use crate::pg::ffi::fmgr::Function;
use crate::pg::ffi::nodes;
use crate::pg::ffi::unguarded::in_hooks;
use crate::pg::frame::{COUNTERS, Frame};
use crate::pg::identity::READERS;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, Node, NodeTag, Oid};
use std::ffi::{c_char, c_int, c_void};

/// What running a statement can read of the settings that describe the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// Nothing: it calls only PostgreSQL's own functions.
    Nothing,
    /// Who asks, through the extension's readers alone.
    Identity,
    /// Anything, because code of users may run.
    Anything,
}

/// The first OID that does not belong to PostgreSQL's own catalogue: those from here to `FirstNormalObjectId` are objects that initdb
/// makes with SQL, which a superuser can replace (access/transam.h, `FirstUnpinnedObjectId`).
const FIRST_REPLACEABLE: u32 = 12000;

/// PostgreSQL's functions that are not immutable but read no setting, apart from the time zone, which does not depend on the request's
/// settings: clocks, conversions between times, `nextval`, random values, and the names of the user.
const SETTLED: &[u32] = &[
    pg_sys::F_NOW,
    pg_sys::F_TRANSACTION_TIMESTAMP,
    pg_sys::F_STATEMENT_TIMESTAMP,
    pg_sys::F_CLOCK_TIMESTAMP,
    pg_sys::F_TIMESTAMP_TIMESTAMPTZ,
    pg_sys::F_TIMESTAMPTZ_TIMESTAMP,
    pg_sys::F_DATE_TIMESTAMPTZ,
    pg_sys::F_NEXTVAL,
    pg_sys::F_GEN_RANDOM_UUID,
    pg_sys::F_CURRENT_USER,
    pg_sys::F_SESSION_USER,
];

impl Reads {
    /// Of an expression, a query, or a list of them.
    ///
    /// # Safety
    /// A valid tree, or null. The functions that it calls exist.
    pub unsafe fn of(node: *mut Node) -> Self {
        let mut found = Reads::Nothing;
        // SAFETY: promised by the caller; the result outlives the walk.
        unsafe { pg_guard_ffi_boundary(|| visit(node, (&raw mut found).cast())) };
        found
    }

    /// Whether a statement that can read this may run in a frame whose settings are not published.
    pub fn are_known(self, frame: &Frame) -> bool {
        match self {
            Reads::Nothing => true,
            Reads::Identity => frame.knows_identity(),
            Reads::Anything => false,
        }
    }

    /// Of a plan. Anything, unless the plan only computes one row from expressions.
    ///
    /// # Safety
    /// A valid plan, whose functions exist.
    pub unsafe fn of_plan(statement: *const pg_sys::PlannedStmt) -> Self {
        // SAFETY: promised by the caller; the node is read as what its tag says.
        unsafe {
            let plan = (*statement).planTree;
            if (*statement).commandType != pg_sys::CmdType::CMD_SELECT
                || !(*statement).subplans.is_null()
                || (*plan).type_ != NodeTag::T_Result
                || !(*plan).lefttree.is_null()
            {
                return Reads::Anything;
            }
            let condition = (*plan.cast::<pg_sys::Result>()).resconstantqual;
            Reads::of((*plan).targetlist.cast()).max(Reads::of((*plan).qual.cast())).max(Reads::of(condition))
        }
    }
}

// The two callbacks: errors leave them by a long jump, so nothing in them may have a destructor. They return true to end the walk.

unsafe extern "C-unwind" fn visit(node: *mut Node, found: *mut c_void) -> bool {
    // SAFETY: PostgreSQL's walkers hand over nodes of the tree, and the result given above. Each node is read as what its tag says.
    unsafe {
        if node.is_null() {
            return false;
        }
        let is_unknown = match (*node).type_ {
            // How an aggregate is called is not described where other functions are.
            NodeTag::T_Aggref => {
                let function = (*node.cast::<pg_sys::Aggref>()).aggfnoid;
                function.to_u32() >= FIRST_REPLACEABLE || in_hooks::check_functions_in_node(node, Some(check), found)
            }
            NodeTag::T_WindowFunc => {
                let function = (*node.cast::<pg_sys::WindowFunc>()).winfnoid;
                function.to_u32() >= FIRST_REPLACEABLE || in_hooks::check_functions_in_node(node, Some(check), found)
            }
            // The checks of a domain may call anything.
            NodeTag::T_CoerceToDomain => true,
            NodeTag::T_SQLValueFunction => {
                // The schema depends on the search path.
                (*node.cast::<pg_sys::SQLValueFunction>()).op == pg_sys::SQLValueFunctionOp::SVFOP_CURRENT_SCHEMA
            }
            #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
            NodeTag::T_JsonConstructorExpr => true,
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            NodeTag::T_JsonExpr => true,
            _ => in_hooks::check_functions_in_node(node, Some(check), found),
        };
        if is_unknown {
            *found.cast::<Reads>() = Reads::Anything;
            return true;
        }
        match nodes::cast::<pg_sys::Query>(node) {
            Some(query) => in_hooks::query_tree_walker(query, Some(visit), found, 0),
            None => in_hooks::expression_tree_walker(node, Some(visit), found),
        }
    }
}

unsafe extern "C-unwind" fn check(function: Oid, found: *mut c_void) -> bool {
    // SAFETY: PostgreSQL hands over a function of the tree, and the result given above. The description of the function is filled before
    // it is read.
    unsafe {
        let found = found.cast::<Reads>();
        if function.to_u32() < FIRST_REPLACEABLE {
            return in_hooks::func_volatile(function) as u8 != pg_sys::PROVOLATILE_IMMUTABLE
                && !SETTLED.contains(&function.to_u32());
        }
        let mut called = pg_sys::FmgrInfo::default();
        in_hooks::fmgr_info(function, &mut called);
        let Some(address) = called.fn_addr else { return true };
        let is_one_of = |own: &[Function]| own.iter().any(|own| std::ptr::fn_addr_eq(*own, address));
        if is_one_of(READERS) {
            *found = (*found).max(Reads::Identity);
            return false;
        }
        !is_one_of(COUNTERS)
    }
}

/// Whether a statement that writes to this relation runs, besides what is in its analysis, only PostgreSQL's own immutable functions:
/// no triggers but those that check foreign keys, no rules, partitions or children, and nothing else in its constraints, generated
/// columns and indexes. Whatever changes this makes PostgreSQL analyse statements on the relation again.
///
/// Raises XX000 if there is no such relation.
pub fn is_plain_target(relation: Oid) -> bool {
    // SAFETY: the lock keeps the relation and its indexes as they are. Each array has as many elements as its count says.
    unsafe {
        let table = pg_sys::relation_open(relation, pg_sys::AccessShareLock as c_int);
        let is_plain = has_plain_kind(table) && has_plain_constraints(table) && has_plain_triggers(table) && {
            let indexes = pg_sys::RelationGetIndexList(table);
            let all = nodes::oids(indexes).all(|index| is_plain_index(index));
            pg_sys::list_free(indexes);
            all
        };
        pg_sys::relation_close(table, pg_sys::AccessShareLock as c_int);
        is_plain
    }
}

unsafe fn has_plain_kind(table: pg_sys::Relation) -> bool {
    // SAFETY: an open relation.
    unsafe {
        let class = &*(*table).rd_rel;
        class.relkind as u8 == pg_sys::RELKIND_RELATION
            && class.relam.to_u32() < FIRST_REPLACEABLE
            && !class.relispartition
            && !class.relhassubclass
            && !class.relhasrules
    }
}

unsafe fn has_plain_constraints(table: pg_sys::Relation) -> bool {
    // SAFETY: an open relation, with as many checks and defaults as their counts say. Their texts are trees.
    unsafe {
        let constraints = (*(*table).rd_att).constr;
        if constraints.is_null() {
            return true;
        }
        let is_plain = |text: *mut c_char| Reads::of(pg_sys::stringToNode(text).cast()) == Reads::Nothing;
        let checks = (0..usize::from((*constraints).num_check)).map(|i| (*(*constraints).check.add(i)).ccbin);
        // Defaults are part of the analysis, unless they generate a column.
        let generates = (*constraints).has_generated_stored;
        let defaults = (0..usize::from((*constraints).num_defval)).map(|i| (*(*constraints).defval.add(i)).adbin);
        checks.into_iter().all(is_plain) && (!generates || defaults.into_iter().all(is_plain))
    }
}

unsafe fn has_plain_triggers(table: pg_sys::Relation) -> bool {
    const CHECKS: &[u32] = &[
        pg_sys::F_RI_FKEY_CHECK_INS,
        pg_sys::F_RI_FKEY_CHECK_UPD,
        pg_sys::F_RI_FKEY_RESTRICT_DEL,
        pg_sys::F_RI_FKEY_RESTRICT_UPD,
        pg_sys::F_RI_FKEY_NOACTION_DEL,
        pg_sys::F_RI_FKEY_NOACTION_UPD,
    ];
    // SAFETY: an open relation, with as many triggers as their count says.
    unsafe {
        let triggers = (*table).trigdesc;
        triggers.is_null()
            || (0..(*triggers).numtriggers as usize)
                .all(|i| CHECKS.contains(&(*(*triggers).triggers.add(i)).tgfoid.to_u32()))
    }
}

unsafe fn is_plain_index(index: Oid) -> bool {
    // SAFETY: an index of a locked relation; it has a family and a type for each key.
    unsafe {
        let index = pg_sys::index_open(index, pg_sys::AccessShareLock as c_int);
        let described = &*(*index).rd_index;
        let is_own = |oid: &Oid| oid.to_u32() < FIRST_REPLACEABLE;
        let keys = described.indnkeyatts as usize;
        let is_plain = is_own(&(*(*index).rd_rel).relam)
            && !described.indisexclusion
            && (0..keys).all(|i| is_own(&*(*index).rd_opfamily.add(i)) && is_own(&*(*index).rd_opcintype.add(i)))
            && Reads::of(pg_sys::RelationGetIndexExpressions(index).cast()) == Reads::Nothing
            && Reads::of(pg_sys::RelationGetIndexPredicate(index).cast()) == Reads::Nothing;
        pg_sys::index_close(index, pg_sys::AccessShareLock as c_int);
        is_plain
    }
}
