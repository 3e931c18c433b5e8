//! Turns the literals of a statement into parameters if reading them may run user code.

use super::Parameter;
use crate::pg::ffi::nodes;
#[cfg(any(feature = "pg14", feature = "pg15"))]
use crate::pg::ffi::unguarded::under_one_guard;
use pgrx::pg_sys;
use std::ffi::{CStr, c_char, c_void};

/// Replaces a statement's literals by parameters of type text, which are added to `parameters`. Literals of types in the schema
/// `pg_catalog` stay, because reading these runs only PostgreSQL's own code.
///
/// # Safety
/// `statement` must come from the parser and not have been analysed.
pub unsafe fn to_parameters(statement: *mut pg_sys::Node, parameters: &mut Vec<Parameter>) {
    // SAFETY: a tree of the parser; the parameters outlive the walk.
    unsafe {
        visit(statement, std::ptr::from_mut(parameters).cast());
    }
}

// PostgreSQL calls this between its own C frames, and an error has to jump through them.
#[pgrx::pg_guard]
unsafe extern "C-unwind" fn visit(node: *mut pg_sys::Node, parameters: *mut c_void) -> bool {
    // SAFETY: PostgreSQL's walker hands over nodes of the tree, and the parameters given above.
    unsafe {
        if node.is_null() {
            return false;
        }
        match (*node).type_ {
            // Type modifiers, and paths that must be literals. They never have a user's type.
            pg_sys::NodeTag::T_TypeName => return false,
            #[cfg(any(feature = "pg17", feature = "pg18"))]
            pg_sys::NodeTag::T_JsonTablePathSpec => return false,
            pg_sys::NodeTag::T_TypeCast => {
                let cast = node.cast::<pg_sys::TypeCast>();
                if (*(*cast).arg).type_ == pg_sys::NodeTag::T_A_Const && is_of_catalog(&*(*cast).typeName) {
                    return false;
                }
            }
            pg_sys::NodeTag::T_A_Const => {
                if let Some(text) = string(node.cast()) {
                    let parameters = &mut *parameters.cast::<Vec<Parameter>>();
                    parameters.push((pg_sys::TEXTOID, Some(pg_sys::Datum::from(pg_sys::cstring_to_text(text)))));
                    // The parameter fits in the place of the larger node.
                    const { assert!(size_of::<pg_sys::ParamRef>() <= size_of::<pg_sys::A_Const>()) };
                    let number = parameters.len() as i32;
                    let parameter = pg_sys::ParamRef { type_: pg_sys::NodeTag::T_ParamRef, number, location: -1 };
                    node.cast::<pg_sys::ParamRef>().write(parameter);
                }
                return false;
            }
            _ => {}
        }
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::ffi::pg_guard_ffi_boundary(|| {
            under_one_guard::raw_expression_tree_walker(node, Some(visit), parameters)
        });
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        return pg_sys::raw_expression_tree_walker_impl(node, Some(visit), parameters);
    }
}

/// Whether a type is in the schema `pg_catalog`, or an array of such a type. Only superusers can create or rename types there.
unsafe fn is_of_catalog(name: &pg_sys::TypeName) -> bool {
    // SAFETY: the names of a type are a list of strings.
    unsafe {
        if name.names.is_null() || name.pct_type || name.setof {
            return false;
        }
        let names: Vec<*const c_char> = nodes::pointers(name.names).map(|name| value(name)).collect();
        let name = match names.as_slice() {
            [name] => *name,
            [schema, name] if CStr::from_ptr(*schema) == c"pg_catalog" => *name,
            _ => return false,
        };
        let (name, schema) = (pg_sys::Datum::from(name), pg_sys::Datum::from(pg_sys::PG_CATALOG_NAMESPACE));
        let (cache, none) = (pg_sys::SysCacheIdentifier::TYPENAMENSP as i32, pg_sys::Datum::null());
        pg_sys::SearchSysCacheExists(cache, name, schema, none, none)
    }
}

#[cfg(feature = "pg14")]
unsafe fn string(node: *const pg_sys::A_Const) -> Option<*const c_char> {
    // SAFETY: a constant of the parser, whose value is what its tag says.
    unsafe { ((*node).val.type_ == pg_sys::NodeTag::T_String).then(|| (*node).val.val.str_.cast_const()) }
}

#[cfg(not(feature = "pg14"))]
unsafe fn string(node: *const pg_sys::A_Const) -> Option<*const c_char> {
    // SAFETY: a constant of the parser, whose value is what its tag says.
    unsafe {
        let is_string = !(*node).isnull && (*node).val.node.type_ == pg_sys::NodeTag::T_String;
        is_string.then(|| (*node).val.sval.sval.cast_const())
    }
}

#[cfg(feature = "pg14")]
unsafe fn value(node: *const pg_sys::Value) -> *const c_char {
    // SAFETY: an element of a list of strings.
    unsafe { (*node).val.str_ }
}

#[cfg(not(feature = "pg14"))]
unsafe fn value(node: *const pg_sys::String) -> *const c_char {
    // SAFETY: an element of a list of strings.
    unsafe { (*node).sval }
}
