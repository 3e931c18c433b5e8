//! What a statement can read of the request, judged by the functions that it calls, and by the values that they turn into text.

use super::plain_types::is_plain;
use crate::pg::ffi::fmgr::Function;
use crate::pg::ffi::unguarded::in_hooks;
use crate::pg::ffi::{embed_functions, nodes};
use crate::pg::frame::{COUNTERS, Frame};
use crate::pg::identity::READERS;
use crate::pg::row_version;
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

/// The state of a walk through a tree.
#[derive(Clone, Copy)]
struct Walk {
    found: Reads,
    /// The extension's functions that write embedded rows.
    embedding: [Oid; 4],
    /// The innermost query that is walked.
    query: *mut pg_sys::Query,
}

impl Reads {
    /// Of a statement, also in its views and policies.
    ///
    /// # Safety
    /// The source of a saved plan, with a valid analysis, whose functions exist.
    pub unsafe fn of_statement(source: *const pg_sys::CachedPlanSource) -> Self {
        // SAFETY: by contract. The list of functions that are not built in is empty if it calls none.
        unsafe {
            let calls_own = !(*source).invalItems.is_null();
            let embedding = if calls_own { embed_functions::all() } else { None };
            Reads::walk((*source).query_list.cast(), embedding.unwrap_or_default())
        }
    }

    /// Of an expression, or a list of them, that is not part of a request's own statement.
    ///
    /// # Safety
    /// A valid tree, or null. The functions that it calls exist.
    unsafe fn of(node: *mut Node) -> Self {
        // SAFETY: promised by the caller.
        unsafe { Reads::walk(node, Default::default()) }
    }

    unsafe fn walk(node: *mut Node, embedding: [Oid; 4]) -> Self {
        let mut walk = Walk { found: Reads::Nothing, embedding, query: std::ptr::null_mut() };
        // SAFETY: promised by the callers; the state outlives the walk.
        unsafe { pg_guard_ffi_boundary(|| visit(node, (&raw mut walk).cast())) };
        walk.found
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

unsafe extern "C-unwind" fn visit(node: *mut Node, state: *mut c_void) -> bool {
    // SAFETY: PostgreSQL's walkers hand over nodes of the tree, and the state given above. Each node is read as what its tag says.
    unsafe {
        if node.is_null() {
            return false;
        }
        let walk = state.cast::<Walk>();
        let is_unknown = match (*node).type_ {
            NodeTag::T_FuncExpr if (*walk).embedding.contains(&(*node.cast::<pg_sys::FuncExpr>()).funcid) => {
                !writes_plain_values(node, walk)
            }
            NodeTag::T_Aggref if (*walk).embedding.contains(&(*node.cast::<pg_sys::Aggref>()).aggfnoid) => {
                !writes_plain_values(node, walk)
            }
            // How an aggregate is called is not described where other functions are.
            NodeTag::T_Aggref => {
                let function = (*node.cast::<pg_sys::Aggref>()).aggfnoid;
                function.to_u32() >= FIRST_REPLACEABLE || in_hooks::check_functions_in_node(node, Some(check), state)
            }
            NodeTag::T_WindowFunc => {
                let function = (*node.cast::<pg_sys::WindowFunc>()).winfnoid;
                function.to_u32() >= FIRST_REPLACEABLE || in_hooks::check_functions_in_node(node, Some(check), state)
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
            _ => in_hooks::check_functions_in_node(node, Some(check), state),
        };
        if is_unknown {
            (*walk).found = Reads::Anything;
            return true;
        }
        let Some(query) = nodes::cast::<pg_sys::Query>(node) else {
            return in_hooks::expression_tree_walker(node, Some(visit), state);
        };
        let outer = std::mem::replace(&mut (*walk).query, query);
        let has_ended = in_hooks::query_tree_walker(query, Some(visit), state, 0);
        (*walk).query = outer;
        has_ended
    }
}

unsafe extern "C-unwind" fn check(function: Oid, state: *mut c_void) -> bool {
    // SAFETY: PostgreSQL hands over a function of the tree, and the state given above. The description of the function is filled before
    // it is read.
    unsafe {
        let walk = state.cast::<Walk>();
        if function.to_u32() < FIRST_REPLACEABLE {
            return in_hooks::func_volatile(function) as u8 != pg_sys::PROVOLATILE_IMMUTABLE
                && !SETTLED.contains(&function.to_u32());
        }
        let mut called = pg_sys::FmgrInfo::default();
        in_hooks::fmgr_info(function, &mut called);
        let Some(address) = called.fn_addr else { return true };
        let is_one_of = |own: &[Function]| own.iter().any(|own| std::ptr::fn_addr_eq(*own, address));
        if is_one_of(READERS) {
            (*walk).found = (*walk).found.max(Reads::Identity);
            return false;
        }
        !is_one_of(COUNTERS) && !is_one_of(row_version::FUNCTIONS)
    }
}

/// Whether only PostgreSQL's own functions turn the values into text that a call of a function for embedded rows gets.
///
/// # Safety
/// A FuncExpr or an Aggref of the query that is walked.
// Called within the callbacks, and an error has to jump through PostgreSQL's frames.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn writes_plain_values(call: *mut Node, walk: *const Walk) -> bool {
    // SAFETY: by contract; the nodes are read as what their tags say.
    unsafe {
        let query = (*walk).query;
        match nodes::cast::<pg_sys::FuncExpr>(call) {
            Some(function) => nodes::pointers((*function).args).all(|value| is_written_plainly(value, query)),
            None => nodes::iter::<pg_sys::TargetEntry>((*call.cast::<pg_sys::Aggref>()).args)
                .all(|entry| is_written_plainly((*entry).expr.cast(), query)),
        }
    }
}

/// Whether only PostgreSQL's own functions turn a value into text. A record must be the row of a subquery, whose columns are known.
///
/// # Safety
/// An expression of the query.
unsafe fn is_written_plainly(value: *mut Node, query: *const pg_sys::Query) -> bool {
    // SAFETY: by contract; a variable of this query refers to its range table.
    unsafe {
        let is_pseudo = |data_type| pg_sys::get_typtype(data_type) as u8 == pg_sys::TYPTYPE_PSEUDO;
        let data_type = pg_sys::exprType(value);
        if !is_pseudo(data_type) {
            return is_plain(data_type);
        }
        let Some(row) = nodes::cast::<pg_sys::Var>(value) else { return false };
        if (*row).varattno != 0 || (*row).varlevelsup != 0 || query.is_null() {
            return false;
        }
        let position = usize::try_from((*row).varno).unwrap_or(0).wrapping_sub(1);
        let source = nodes::pointers::<pg_sys::RangeTblEntry>((*query).rtable).nth(position);
        source.is_some_and(|source| {
            (*source).rtekind == pg_sys::RTEKind::RTE_SUBQUERY
                && nodes::iter::<pg_sys::TargetEntry>((*(*source).subquery).targetList).all(|entry| {
                    let data_type = pg_sys::exprType((*entry).expr.cast());
                    !is_pseudo(data_type) && is_plain(data_type)
                })
        })
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
