//! The roles that requests may take.

use crate::auth::principal::{refuse_dangerous_role, role_refused};
use crate::error::Result;
use crate::pg::catalog::invalidation;
use crate::pg::ffi::{privileges, user};
use crate::pg::guc;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::CString;

thread_local! {
    static LAST_CHECKED: RefCell<Option<KnownRole>> = const { RefCell::new(None) };
}

struct KnownRole {
    generation: u64,
    session_user: pg_sys::Oid,
    bypass_listed: bool,
    name: String,
    role: pg_sys::Oid,
}

/// The role of this name, if the session's user may take it.
///
/// # Errors
/// REST403, with the same message for every reason.
pub fn may_take(name: &str) -> Result<pg_sys::Oid> {
    let session_user = user::session();
    let generation = invalidation::ROLES.with(|roles| roles.get());
    let bypass_listed = guc::may_bypass_rls(name);
    let known = LAST_CHECKED.with_borrow(|checked| {
        checked
            .as_ref()
            .filter(|c| {
                c.generation == generation
                    && c.session_user == session_user
                    && c.bypass_listed == bypass_listed
                    && c.name == name
            })
            .map(|c| c.role)
    });
    if let Some(role) = known {
        return Ok(role);
    }
    let text = CString::new(name).map_err(|_| role_refused())?;
    // PostgreSQL would truncate a longer name, possibly to the name of another role.
    if name.len() > crate::limits::IDENTIFIER_BYTES {
        return Err(role_refused());
    }
    // SAFETY: a lookup in the system cache; with missing_ok an unknown role gives InvalidOid.
    let role = unsafe { pg_sys::get_role_oid(text.as_ptr(), true) };
    if role == pg_sys::InvalidOid || !privileges::may_set_role(session_user, role) {
        return Err(role_refused());
    }
    refuse_dangerous_role(name, privileges::is_superuser(role), privileges::bypasses_rls(role), bypass_listed)?;
    LAST_CHECKED.set(Some(KnownRole { generation, session_user, bypass_listed, name: name.to_owned(), role }));
    Ok(role)
}
