//! `restful.act_as(role name, claims jsonb)`: takes the role and claims of a request without a request, for tests of policies.

use crate::auth::claims::check_registered;
use crate::auth::principal::trust;
use crate::pg::ffi::error::{self, raise};
use crate::pg::ffi::fmgr::{argument, detoasted, sql_function};
use crate::pg::ffi::jsonb;
use crate::pg::ffi::varlena::payload;
use crate::pg::{frame, guc};
use crate::sqlstate::SqlState;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};
use serde_json::{Map, Value};
use std::ffi::{CStr, CString};

sql_function!(restful_act_as, "act_as(role name, claims jsonb)", |call| {
    let (role, claims) = (argument(call, 0), detoasted(call, 1));
    let (Some(role), Some(claims)) = (role, claims) else {
        raise(SqlState::NULL_VALUE_NOT_ALLOWED, "role and claims cannot be null", None, None)
    };
    act_as(CStr::from_ptr(role.cast_mut_ptr()), payload(jsonb::to_text(claims)));
    pg_sys::Datum::null()
});

/// Takes the role and the claims until the transaction ends, or the innermost function with a SET clause returns.
///
/// Raises 42501 in a request, a SECURITY DEFINER function or a security-restricted operation, and what [`take`] raises.
unsafe fn act_as(role: &CStr, claims: &[u8]) {
    if frame::is_confined() {
        error::refuse_context(
            "restful.act_as cannot be called here",
            "Call it outside of requests, SECURITY DEFINER functions and maintenance commands.",
        );
    }
    let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(claims) else {
        raise(SqlState::INVALID_PARAMETER_VALUE, "claims must be a JSON object", None, None)
    };
    // SAFETY: called within a transaction.
    unsafe {
        if !pg_sys::IsTransactionBlock() {
            ErrorReport::new(
                PgSqlErrorCode::ERRCODE_NO_ACTIVE_SQL_TRANSACTION,
                "restful.act_as lasts until the end of the transaction, but there is no transaction block",
                "pg_restful",
            )
            .set_hint("Run BEGIN first.")
            .report(PgLogLevel::WARNING);
        }
    }
    take(role, claims);
}

/// Takes the role and the claims until the settings' nest level ends. The caller makes sure that nobody else's rights are in force.
///
/// Raises 42501 for a role that the session's user may not take; 42704 for an unknown role; 22023 for claims that name another role or
/// would be refused in a token.
pub fn take(role: &CStr, mut claims: Map<String, Value>) {
    // Raises an error for an unknown role, and for "none", which SET ROLE reads as no role.
    // SAFETY: the name is NUL-terminated.
    unsafe { pg_sys::get_role_oid(role.as_ptr(), false) };
    let name = role.to_string_lossy();
    let wrong = SqlState::INVALID_PARAMETER_VALUE;
    claims.entry("role").or_insert_with(|| Value::from(&*name));
    if let Err(flaw) = check_registered(&claims) {
        raise(
            wrong,
            &format!("the {}", flaw.words()),
            None,
            Some("Correct the claim; a token with it would be refused too."),
        )
    }
    let Some(method) = trust(&claims, &name, None) else {
        raise(
            wrong,
            "the claim \"role\" names another role",
            None,
            Some("Leave it out. It defaults to the role to act as."),
        )
    };
    // jsonb cannot hold a NUL.
    let claims = CString::new(Value::Object(claims).to_string()).unwrap_or_default();
    let method = if method.is_authenticated() { c"jwt" } else { c"anonymous" };
    use pg_sys::GucContext::{PGC_SUSET, PGC_USERSET};
    guc::set_for_transaction(c"role", role, PGC_USERSET);
    guc::set_for_transaction(c"restful.claims", &claims, PGC_SUSET);
    guc::set_for_transaction(c"restful.method", method, PGC_SUSET);
    guc::set_for_transaction(c"request.jwt.claims", &claims, PGC_USERSET);
}
