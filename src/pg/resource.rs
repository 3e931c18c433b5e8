//! Settings of relations for HTTP: the table `restful.resource` is written by functions for the owners of relations, with the rights of
//! its own owner.

use crate::pg::catalog::invalidation;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{argument, sql_function, v1_function};
use crate::pg::ffi::{own_tables, privileges, user};
use crate::sqlstate::SqlState;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use std::ffi::CStr;

v1_function!(restful_resource_changed);
/// The trigger on `restful.resource`, which announces a change to all sessions.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_resource_changed(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call of a function.
    unsafe { invalidation::announce_by_trigger(call, "resource_changed") }
}

sql_function!(restful_set_resource, "set_resource(relation regclass, settings jsonb)", |call| set_resource(call));

/// Raises 42501 if the caller does not own the relation, 42P01 if there is none.
unsafe fn set_resource(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a strict function with these two arguments.
    unsafe {
        let relation = argument(call, 0).map_or(pg_sys::InvalidOid, |oid| pg_sys::Oid::from(oid.value() as u32));
        let settings = argument(call, 1).and_then(|value| JsonB::from_datum(value, false));
        // The relation stays until the end of the transaction.
        pg_sys::LockRelationOid(relation, pg_sys::AccessShareLock as i32);
        let name = pg_sys::get_rel_name(relation);
        if name.is_null() {
            raise(SqlState::UNDEFINED_TABLE, "there is no such relation", None, None);
        }
        if !privileges::owns(relation, user::current()) {
            let name = CStr::from_ptr(name).to_string_lossy();
            raise(SqlState::INSUFFICIENT_PRIVILEGE, &format!("must be owner of relation {name}"), None, None);
        }
        let write = || {
            Spi::connect_mut(|client| {
                let key = || DatumWithOid::new(relation, pg_sys::REGCLASSOID);
                client.update(include_str!("../../sql/query/resource/add.sql"), None, &[key()])?;
                let arguments = [key(), settings.into()];
                client.update(include_str!("../../sql/query/resource/set.sql"), None, &arguments).map(|_| ())
            })
        };
        // The statements are constants.
        match own_tables::as_owner(own_tables::table(c"resource"), write) {
            Some(Ok(())) => pg_sys::Datum::null(),
            Some(Err(why)) => error!("the settings of relations cannot be written: {why}"),
            None => raise(SqlState::UNDEFINED_TABLE, "the extension's tables are not there", None, None),
        }
    }
}
