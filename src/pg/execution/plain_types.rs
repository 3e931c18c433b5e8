//! Types whose values only PostgreSQL's own functions read and write.

use crate::pg::row_sink;
use pgrx::pg_sys::{self, Oid};

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
