//! Reads the user in force, and runs work as another user (miscadmin.h).

use super::unguarded;
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// The security context in which the work can change neither the role nor anything that outlives the work.
pub const LOCKED: i32 = (pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION) as i32;

/// The user in force.
pub fn current() -> Oid {
    unguarded::GetUserId()
}

/// The user that the session is logged in as.
pub fn session() -> Oid {
    unguarded::GetSessionUserId()
}

/// The role that the session has taken: the user in force outside of SECURITY DEFINER functions.
pub fn outer() -> Oid {
    // SAFETY: reads a global.
    unsafe { pg_sys::GetOuterUserId() }
}

/// Whether the user in force differs from the role that the session has taken, as in a SECURITY DEFINER function.
pub fn is_changed_locally() -> bool {
    unguarded::InLocalUserIdChange()
}

/// Whether the running code must not leave anything behind, as in an index expression.
pub fn is_restricted() -> bool {
    unguarded::InSecurityRestrictedOperation()
}

/// The user in force, and the security context.
pub fn current_and_security() -> (Oid, i32) {
    let (mut user, mut security) = (pg_sys::InvalidOid, 0);
    // SAFETY: reads globals into the two variables.
    unsafe { unguarded::GetUserIdAndSecContext(&mut user, &mut security) };
    (user, security)
}

/// The security context in force.
pub fn security_context() -> i32 {
    current_and_security().1
}

/// The user and the security context that were in force when this value was made. Dropping it restores them, also after an error.
pub struct RestoreUser(Oid, i32);

impl RestoreUser {
    /// Notes the ones in force now.
    #[must_use]
    pub fn now() -> Self {
        let (user, security) = current_and_security();
        RestoreUser(user, security)
    }
}

impl Drop for RestoreUser {
    fn drop(&mut self) {
        // SAFETY: restores globals to their previous values.
        unsafe { unguarded::SetUserIdAndSecContext(self.0, self.1) };
    }
}

/// Runs `work` as another user, in this security context.
///
/// # Safety
/// The caller answers for what `work` may do as that user.
pub unsafe fn run_as<T>(user: Oid, security: i32, work: impl FnOnce() -> T) -> T {
    let _before = RestoreUser::now();
    // SAFETY: the caller answers for it. `_before` restores both.
    unsafe { unguarded::SetUserIdAndSecContext(user, security) };
    work()
}

/// The name of a role.
pub fn name(role: pg_sys::Oid) -> String {
    // SAFETY: with noerr an unknown role gives NULL; the text is palloc'd and copied here.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    }
}
