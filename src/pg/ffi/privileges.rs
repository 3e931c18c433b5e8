//! Checks the privileges of roles with PostgreSQL's own functions (acl.h).

use super::user;
use pgrx::pg_sys;
use std::ffi::CString;

/// Whether a role has a privilege (such as `ACL_SELECT`) on a relation, or on any column of it.
pub fn may_any_column(relation: pg_sys::Oid, role: pg_sys::Oid, mode: u32) -> bool {
    let any = pg_sys::AclMaskHow::ACLMASK_ANY;
    // SAFETY: lookups in the system caches; the relation was found in the catalogue.
    unsafe {
        pg_sys::pg_class_aclcheck(relation, role, mode as pg_sys::AclMode) == pg_sys::AclResult::ACLCHECK_OK
            || pg_sys::pg_attribute_aclcheck_all(relation, role, mode as pg_sys::AclMode, any)
                == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// Whether the current user has a privilege (such as `ACL_SELECT`) on a column of a relation.
pub fn may_column(relation: pg_sys::Oid, column: &str, mode: u32) -> bool {
    let Ok(name) = CString::new(column) else { return false };
    let (mode, ok) = (mode as pg_sys::AclMode, pg_sys::AclResult::ACLCHECK_OK);
    // SAFETY: lookups in the system caches; the relation was found in the catalogue.
    unsafe {
        let number = pg_sys::get_attnum(relation, name.as_ptr());
        let user = user::current();
        number != 0
            && (pg_sys::pg_class_aclcheck(relation, user, mode) == ok
                || pg_sys::pg_attribute_aclcheck(relation, number, user, mode) == ok)
    }
}

/// Whether a role may use the objects of a schema.
pub fn may_use_schema(schema: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    let mode = pg_sys::ACL_USAGE as pg_sys::AclMode;
    // SAFETY: a lookup in the system cache; the schema was found there.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let found = pg_sys::pg_namespace_aclcheck(schema, role, mode);
        #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
        let found = pg_sys::object_aclcheck(pg_sys::NamespaceRelationId, schema, role, mode);
        found == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// Whether a role may use the schema of a relation.
pub fn may_use_schema_of(relation: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a lookup in the system cache.
    let schema = unsafe { pg_sys::get_rel_namespace(relation) };
    schema != pg_sys::InvalidOid && may_use_schema(schema, role)
}

/// Whether a role may call a function.
pub fn may_execute(function: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    let mode = pg_sys::ACL_EXECUTE as pg_sys::AclMode;
    // SAFETY: a lookup in the system cache; the function was found there.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let found = pg_sys::pg_proc_aclcheck(function, role, mode);
        #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
        let found = pg_sys::object_aclcheck(pg_sys::ProcedureRelationId, function, role, mode);
        found == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// Whether a role may call a function by its name: it may execute it, and use its schema.
pub fn may_call(function: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a lookup in the system cache; an unknown function gives InvalidOid.
    let schema = unsafe { pg_sys::get_func_namespace(function) };
    schema != pg_sys::InvalidOid && may_use_schema(schema, role) && may_execute(function, role)
}

/// Whether a role owns a relation, or is a member of the role that does.
pub fn owns(relation: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a lookup in the system cache; the relation was found there.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::pg_class_ownercheck(relation, role);
        #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
        return pg_sys::object_ownercheck(pg_sys::RelationRelationId, relation, role);
    }
}

/// Whether a user could `SET ROLE`.
pub fn may_set_role(user: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: look-ups in the system caches.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::is_member_of_role(user, role);
        #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
        return pg_sys::member_can_set_role(user, role);
    }
}

/// Whether a role is a superuser.
pub fn is_superuser(role: pg_sys::Oid) -> bool {
    // SAFETY: a lookup in the system cache.
    unsafe { pg_sys::superuser_arg(role) }
}

/// Whether row-level security does not apply to a role (`BYPASSRLS`).
pub fn bypasses_rls(role: pg_sys::Oid) -> bool {
    // SAFETY: the tuple is read before it is released.
    unsafe {
        let tuple = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::AUTHOID as i32, role.into());
        if tuple.is_null() {
            return false;
        }
        let form = pg_sys::GETSTRUCT(tuple) as pg_sys::Form_pg_authid;
        let bypasses = (*form).rolbypassrls;
        pg_sys::ReleaseSysCache(tuple);
        bypasses
    }
}
