//! The extension's functions that write embedded rows, which the statements of requests call.

use super::{own_tables, privileges};
use pgrx::pg_sys::{self, Oid, SysCacheIdentifier};
use std::ffi::{CStr, c_int};

/// Their names and the types of their arguments.
const ALL: [(&CStr, &[Oid]); 4] = [
    (c"embedded_object", &[pg_sys::TEXTOID, pg_sys::ANYOID]),
    (c"embedded_object", &[pg_sys::RECORDOID]),
    (c"embedded_objects", &[pg_sys::TEXTOID, pg_sys::ANYOID]),
    (c"embedded_values", &[pg_sys::ANYELEMENTOID]),
];

/// The OIDs of the functions. `None` if the database has an older version of the extension.
pub fn all() -> Option<[Oid; 4]> {
    let schema = own_tables::schema();
    let found = ALL.map(|(name, arguments)| find(schema, name, arguments));
    found.iter().all(|function| *function != Oid::INVALID).then_some(found)
}

/// A function of the schema. The invalid OID if there is none.
pub(super) fn find(schema: Oid, name: &CStr, arguments: &[Oid]) -> Oid {
    // SAFETY: a look-up in the system cache, by a name, a list of types and a schema.
    unsafe {
        let types = pg_sys::buildoidvector(arguments.as_ptr(), arguments.len() as c_int);
        let cache = SysCacheIdentifier::PROCNAMEARGSNSP as c_int;
        let oid = pg_sys::Anum_pg_proc_oid as pg_sys::AttrNumber;
        pg_sys::GetSysCacheOid(cache, oid, name.as_ptr().into(), types.into(), schema.into(), pg_sys::Datum::null())
    }
}

/// Whether a role may call the functions, and the database has them.
pub fn may_call(role: Oid) -> bool {
    privileges::may_use_schema(own_tables::schema(), role)
        && all().is_some_and(|functions| functions.into_iter().all(|function| privileges::may_execute(function, role)))
}
