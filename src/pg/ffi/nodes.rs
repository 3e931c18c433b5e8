//! PostgreSQL's nodes and lists of them (nodes/nodes.h, nodes/pg_list.h).

use pgrx::pg_sys::{self, List, NodeTag};

/// A type of node that has its own tag.
pub trait Tagged {
    const TAG: NodeTag;
}

macro_rules! tagged {
    ($($node:ident $tag:ident),* $(,)?) => { $(impl Tagged for pg_sys::$node { const TAG: NodeTag = NodeTag::$tag; })* };
}

tagged! {
    BoolExpr T_BoolExpr, CoerceViaIO T_CoerceViaIO, Const T_Const, FuncExpr T_FuncExpr, NullTest T_NullTest, Param T_Param,
    Query T_Query, RawStmt T_RawStmt, RelabelType T_RelabelType, ReturnSetInfo T_ReturnSetInfo,
    ScalarArrayOpExpr T_ScalarArrayOpExpr, SelectStmt T_SelectStmt, SubPlan T_SubPlan, TargetEntry T_TargetEntry,
    TriggerData T_TriggerData, Var T_Var,
}

/// Casts a node to its type. `None` if it is null or has another tag.
///
/// # Safety
/// A node or null.
pub unsafe fn cast<T: Tagged>(node: *mut pg_sys::Node) -> Option<*mut T> {
    // SAFETY: promised by the caller.
    unsafe { (!node.is_null() && (*node).type_ == T::TAG).then_some(node.cast()) }
}

/// The number of a list's elements.
///
/// # Safety
/// A list or NIL.
pub unsafe fn len(list: *const List) -> usize {
    // SAFETY: promised by the caller; a length is not negative.
    if list.is_null() { 0 } else { unsafe { (*list).length as usize } }
}

/// The pointers in a list.
///
/// # Safety
/// A list of pointers to `T`, or NIL. It must not change while it is walked.
pub unsafe fn pointers<T>(list: *const List) -> impl Iterator<Item = *mut T> {
    // SAFETY: promised by the caller; the index is below the length.
    unsafe { (0..len(list)).map(move |i| (*(*list).elements.add(i)).ptr_value.cast()) }
}

/// The nodes of type `T` in a list.
///
/// # Safety
/// A list of nodes, or NIL. It must not change while it is walked.
pub unsafe fn iter<T: Tagged>(list: *const List) -> impl Iterator<Item = *mut T> {
    // SAFETY: promised by the caller.
    unsafe { pointers::<pg_sys::Node>(list).filter_map(|node| cast(node)) }
}

/// The integers in a list.
///
/// # Safety
/// A list of integers, or NIL. It must not change while it is walked.
pub unsafe fn integers(list: *const List) -> impl Iterator<Item = std::ffi::c_int> {
    // SAFETY: promised by the caller; the index is below the length.
    unsafe { (0..len(list)).map(move |i| (*(*list).elements.add(i)).int_value) }
}

/// The OIDs in a list.
///
/// # Safety
/// A list of OIDs, or NIL. It must not change while it is walked.
pub unsafe fn oids(list: *const List) -> impl Iterator<Item = pg_sys::Oid> {
    // SAFETY: promised by the caller; the index is below the length.
    unsafe { (0..len(list)).map(move |i| (*(*list).elements.add(i)).oid_value) }
}
