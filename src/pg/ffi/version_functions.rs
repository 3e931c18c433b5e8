//! The extension's functions that tell versions of rows, which the statements of requests call.

use super::embed_functions::find;
use super::{own_tables, privileges};
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// Their names and the types of their arguments.
const ALL: [(&CStr, &[Oid]); 4] = [
    (c"row_version", &[pg_sys::OIDOID, pg_sys::XIDOID, pg_sys::TIDOID]),
    (c"row_digest", &[pg_sys::RECORDOID]),
    (c"changed_second", &[pg_sys::TIMESTAMPTZOID]),
    (c"not_changed_since", &[pg_sys::TIMESTAMPTZOID, pg_sys::INT8OID]),
];

/// Whether a role may call the functions, and the database has them.
pub fn may_call(role: Oid) -> bool {
    let schema = own_tables::schema();
    privileges::may_use_schema(schema, role)
        && ALL.iter().all(|(name, arguments)| {
            let function = find(schema, name, arguments);
            function != Oid::INVALID && privileges::may_execute(function, role)
        })
}
