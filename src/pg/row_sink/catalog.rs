//! Looks up types in the catalogue, as `json_categorize_type` does (utils/adt/json.c, jsonfuncs.c from 16 on).

use crate::pg::catalog::invalidation;
use crate::pg::ffi::composite;
use pgrx::pg_sys;
use pgrx::pg_sys::{CoercionContext, CoercionPathType, Oid};
use std::ffi::{CStr, c_char};

/// How values of a type become JSON.
pub(super) enum Category {
    /// A built-in type that has its own encoding. This is the base type.
    Builtin(Oid),
    /// A text-like type: its stored bytes are its text.
    Text,
    Array,
    Composite,
    /// By the function of an explicit cast to json.
    Cast(Oid),
    /// By the output function, as a JSON string.
    Output(Oid),
}

/// Categorizes a type. A domain counts as its base type.
pub(super) fn categorize(type_oid: Oid) -> Category {
    // SAFETY: catalogue look-ups by value. An unknown type raises an error.
    let base = unsafe { pg_sys::getBaseType(type_oid) };
    match base {
        pg_sys::BOOLOID
        | pg_sys::INT2OID
        | pg_sys::INT4OID
        | pg_sys::INT8OID
        | pg_sys::FLOAT4OID
        | pg_sys::FLOAT8OID
        | pg_sys::NUMERICOID
        | pg_sys::DATEOID
        | pg_sys::TIMESTAMPOID
        | pg_sys::TIMESTAMPTZOID
        | pg_sys::JSONOID
        | pg_sys::JSONBOID
        | pg_sys::TEXTOID
        | pg_sys::VARCHAROID
        | pg_sys::BPCHAROID
        | pg_sys::NAMEOID
        | pg_sys::OIDOID
        | pg_sys::UUIDOID
        | pg_sys::BYTEAOID => Category::Builtin(base),
        pg_sys::ANYARRAYOID | pg_sys::ANYCOMPATIBLEARRAYOID | pg_sys::RECORDARRAYOID => Category::Array,
        // SAFETY: as above.
        _ if unsafe { pg_sys::get_element_type(base) } != Oid::INVALID => Category::Array,
        // SAFETY: as above.
        _ if unsafe { pg_sys::type_is_rowtype(base) } => Category::Composite,
        _ => match cast_to_json(base) {
            Some(function) => Category::Cast(function),
            None => match output_function(base) {
                (function, true) if is_text_output(function) => Category::Text,
                (function, _) => Category::Output(function),
            },
        },
    }
}

/// The function of an explicit cast to json. Built-in types have no cast that json.c would use.
fn cast_to_json(type_oid: Oid) -> Option<Oid> {
    if type_oid.to_u32() < pg_sys::FirstNormalObjectId {
        return None;
    }
    let mut function = Oid::INVALID;
    // SAFETY: a catalogue look-up by value; `function` is a local.
    let path = unsafe {
        pg_sys::find_coercion_pathway(pg_sys::JSONOID, type_oid, CoercionContext::COERCION_EXPLICIT, &mut function)
    };
    (path == CoercionPathType::COERCION_PATH_FUNC && function != Oid::INVALID).then_some(function)
}

/// Whether a user's cast to json writes values of a type.
pub fn has_cast_to_json(type_oid: Oid) -> bool {
    cast_to_json(type_oid).is_some()
}

/// The output function of a type, and whether its values are varlenas.
pub(super) fn output_function(type_oid: Oid) -> (Oid, bool) {
    let (mut function, mut is_varlena) = (Oid::INVALID, false);
    // SAFETY: a catalogue look-up by value into locals; an unknown type raises an error.
    unsafe { pg_sys::getTypeOutputInfo(type_oid, &mut function, &mut is_varlena) };
    (function, is_varlena)
}

/// Whether an output function just copies the stored bytes. citext and others are text under another name.
fn is_text_output(function: Oid) -> bool {
    matches!(function.to_u32(), pg_sys::F_TEXTOUT | pg_sys::F_VARCHAROUT | pg_sys::F_BPCHAROUT)
}

/// The layout of an array's elements: length (below 0: varlena or C string), whether by value, and alignment in bytes.
pub(super) fn element_layout(type_oid: Oid) -> (i16, bool, usize) {
    let (mut length, mut by_value, mut alignment) = (0, false, 0 as c_char);
    // SAFETY: a catalogue look-up by value into locals; an unknown type raises an error.
    unsafe { pg_sys::get_typlenbyvalalign(type_oid, &mut length, &mut by_value, &mut alignment) };
    (length, by_value, composite::alignment(alignment as u8))
}

/// An attribute's name.
pub(super) fn attribute_name(attribute: &pg_sys::FormData_pg_attribute) -> &[u8] {
    // SAFETY: a Name is always terminated within its 64 bytes.
    unsafe { CStr::from_ptr(attribute.attname.data.as_ptr()) }.to_bytes()
}

/// A number that changes whenever a result of [`categorize`] may be outdated.
pub(super) fn cast_generation() -> u64 {
    invalidation::CASTS.with(|casts| casts.get())
}
