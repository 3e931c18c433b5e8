//! Whether a statement calls only PostgreSQL's own immutable functions, and the extension's functions that write embedded rows, with
//! values that only PostgreSQL's own functions turn into text.

use crate::pg::ffi::{embed_functions, nodes};
use crate::pg::row_sink;
use pgrx::pg_sys::{self, Node, NodeTag, Oid, SysCacheIdentifier};
use std::ffi::{c_int, c_void};

/// The state of a walk through a statement's analysis.
#[derive(Clone, Copy)]
struct Walk {
    /// The extension's functions that write embedded rows.
    own: [Oid; 4],
    /// The innermost query that is walked.
    query: *mut pg_sys::Query,
}

/// Whether a statement, also in its views, calls only such functions, and uses no domain of a user.
///
/// # Safety
/// The source of a saved plan, with a valid analysis.
pub unsafe fn calls_no_user_code(source: *mut pg_sys::CachedPlanSource) -> bool {
    // SAFETY: by contract, the lists of the source hold what plancache.c says.
    unsafe {
        // The objects whose changes plancache.c watches: functions and domains that are not built in.
        let watched = (*source).invalItems;
        if watched.is_null() {
            return !pg_sys::contain_mutable_functions((*source).query_list.cast());
        }
        let Some(own) = embed_functions::all() else { return false };
        let cache = SysCacheIdentifier::PROCOID as c_int;
        let none = pg_sys::Datum::null();
        // Different OIDs have different hash values.
        let hashes = own.map(|function| pg_sys::GetSysCacheHashValue(cache, function.into(), none, none, none));
        let mut walk = Walk { own, query: std::ptr::null_mut() };
        nodes::pointers::<pg_sys::PlanInvalItem>(watched)
            .all(|item| (*item).cacheId == cache && hashes.contains(&(*item).hashValue))
            && !visit((*source).query_list.cast(), (&raw mut walk).cast())
    }
}

/// Whether only PostgreSQL's own functions read and write the values of a type, and the search path does not matter to them.
pub fn is_plain(data_type: Oid) -> bool {
    // SAFETY: look-ups in the system cache; a domain's checks are not made again.
    let base = unsafe { pg_sys::getBaseType(data_type) };
    is_built_in_or_enum(base) && !names_objects(base) && !row_sink::has_cast_to_json(base)
}

/// Whether the values of a type are names of objects, which are looked up on the search path and shown without their schema if they are
/// on it.
pub fn names_objects(data_type: Oid) -> bool {
    const NAMES: &[Oid] = &[
        pg_sys::REGCLASSOID,
        pg_sys::REGCOLLATIONOID,
        pg_sys::REGCONFIGOID,
        pg_sys::REGDICTIONARYOID,
        pg_sys::REGOPEROID,
        pg_sys::REGOPERATOROID,
        pg_sys::REGPROCOID,
        pg_sys::REGPROCEDUREOID,
        pg_sys::REGTYPEOID,
    ];
    // SAFETY: look-ups in the system cache.
    unsafe {
        NAMES.contains(&data_type)
            || NAMES.contains(&pg_sys::get_element_type(data_type))
            // The rows of PostgreSQL's catalogues have such columns.
            || pg_sys::get_typtype(data_type) as u8 == pg_sys::TYPTYPE_COMPOSITE
    }
}

/// Whether a type is PostgreSQL's own, or an enum.
pub fn is_built_in_or_enum(data_type: Oid) -> bool {
    data_type.to_u32() < pg_sys::FirstNormalObjectId
        // SAFETY: a lookup in the system cache.
        || unsafe { pg_sys::get_typtype(data_type) } as u8 == pg_sys::TYPTYPE_ENUM
}

/// Whether a node, or one within it, may run other code. It takes nodes that may depend on settings for such.
// PostgreSQL calls this between its own C frames, and an error has to jump through them.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn visit(node: *mut Node, walk: *mut c_void) -> bool {
    // SAFETY: PostgreSQL's walkers hand over nodes of the tree, and the walk given above.
    unsafe {
        if node.is_null() {
            return false;
        }
        let state = &*walk.cast::<Walk>();
        match (*node).type_ {
            NodeTag::T_Query => {
                let mut inner = Walk { query: node.cast(), ..*state };
                return pg_sys::query_tree_walker(node.cast(), Some(visit), (&raw mut inner).cast(), 0);
            }
            NodeTag::T_SQLValueFunction | NodeTag::T_NextValueExpr => return true,
            #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
            NodeTag::T_JsonConstructorExpr => return true,
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            NodeTag::T_JsonExpr => return true,
            NodeTag::T_FuncExpr => {
                let call = node.cast::<pg_sys::FuncExpr>();
                if state.own.contains(&(*call).funcid) && !nodes::pointers((*call).args).all(|v| state.is_plain(v)) {
                    return true;
                }
            }
            NodeTag::T_Aggref => {
                let call = node.cast::<pg_sys::Aggref>();
                let mut values = nodes::iter::<pg_sys::TargetEntry>((*call).args).map(|entry| (*entry).expr.cast());
                if state.own.contains(&(*call).aggfnoid) && !values.all(|value| state.is_plain(value)) {
                    return true;
                }
            }
            _ => {}
        }
        pg_sys::check_functions_in_node(node, Some(is_mutable), walk)
            || pg_sys::expression_tree_walker(node, Some(visit), walk)
    }
}

#[pgrx::pg_guard]
unsafe extern "C-unwind" fn is_mutable(function: Oid, walk: *mut c_void) -> bool {
    // SAFETY: the walk given above; a lookup in the system cache.
    unsafe {
        !(*walk.cast::<Walk>()).own.contains(&function)
            && pg_sys::func_volatile(function) as u8 != pg_sys::PROVOLATILE_IMMUTABLE
    }
}

impl Walk {
    /// Whether only PostgreSQL's own functions turn a value into text. A record must be the row of a subquery, whose columns are
    /// known.
    ///
    /// # Safety
    /// An expression of the innermost query.
    unsafe fn is_plain(&self, value: *mut Node) -> bool {
        // SAFETY: by contract; a variable of this query refers to its range table.
        unsafe {
            let data_type = pg_sys::exprType(value);
            if pg_sys::get_typtype(data_type) as u8 != pg_sys::TYPTYPE_PSEUDO {
                return is_plain(data_type);
            }
            let Some(row) = nodes::cast::<pg_sys::Var>(value) else { return false };
            if (*row).varattno != 0 || (*row).varlevelsup != 0 || self.query.is_null() {
                return false;
            }
            let position = usize::try_from((*row).varno).unwrap_or(0).wrapping_sub(1);
            let source = nodes::pointers::<pg_sys::RangeTblEntry>((*self.query).rtable).nth(position);
            source.is_some_and(|source| {
                (*source).rtekind == pg_sys::RTEKind::RTE_SUBQUERY
                    && nodes::iter::<pg_sys::TargetEntry>((*(*source).subquery).targetList).all(|entry| {
                        let data_type = pg_sys::exprType((*entry).expr.cast());
                        pg_sys::get_typtype(data_type) as u8 != pg_sys::TYPTYPE_PSEUDO && is_plain(data_type)
                    })
            })
        }
    }
}
