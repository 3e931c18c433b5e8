//! The SQL functions that read the request's identity. They are PARALLEL SAFE, so they read it from settings, which parallel workers
//! inherit; or from the open frame, as long as the settings do not say it. Whoever starts parallel workers has to publish it before.

use crate::auth::claims::{self, AuthMethod, check_registered};
use crate::auth::principal::trust;
use crate::auth::strict;
use crate::pg::ffi::fmgr::{Function, sql_function, text};
use crate::pg::ffi::{error, jsonb, user};
use crate::pg::frame;
use crate::pg::guc;
use crate::sqlstate::SqlState;
use pgrx::{IntoDatum, pg_sys};
use serde_json::{Map, Value};
use std::cell::RefCell;

type Claims = Map<String, Value>;

/// All of them. They read nothing else of the request.
pub const READERS: &[Function] = &[
    restful_uid,
    restful_user_id,
    restful_role,
    restful_email,
    restful_aal,
    restful_claim,
    restful_tenant_id,
    restful_claims,
    restful_scopes,
    restful_has_scope,
    restful_method,
    restful_is_authenticated,
];

thread_local! {
    /// The claims that were last parsed, with their text: a policy reads them once per row.
    static PARSED: RefCell<(String, Option<Claims>)> = const { RefCell::new((String::new(), None)) };
}

/// Runs `read` on the claims of a JSON text. `None` if the text is not an object, or `read` finds nothing.
fn with_parsed<T>(text: &str, read: impl FnOnce(&Claims) -> Option<T>) -> Option<T> {
    PARSED.with_borrow_mut(|(last, parsed)| {
        if last != text {
            *parsed = strict::object(text.as_bytes()).ok();
            text.clone_into(last);
        }
        parsed.as_ref().and_then(read)
    })
}

/// Runs `read` on the known claims and on how they were established.
///
/// Outside of our requests, as when PostgREST itself runs a query, these are the claims that a trusted authenticator has set, if
/// they name the role that its session has taken. That is the role outside of SECURITY DEFINER functions, so these functions see
/// their caller too.
///
/// Raises PT401, which PostgREST turns into that status, for claims of the wrong type, which would identify nobody.
fn with_identity<T>(read: impl FnOnce(&str, &Claims, AuthMethod) -> Option<T>) -> Option<T> {
    if frame::is_unpublished() {
        let known = |method, text: Option<&str>| with_parsed(text?, |claims| read(text?, claims, method));
        return frame::with_unpublished(known).flatten();
    }
    if let Some(method) = guc::method() {
        return guc::with_claims(|text| with_parsed(text, |claims| read(text, claims, method))).flatten();
    }
    if !guc::has_trusted_authenticators() {
        return None;
    }
    let text = guc::get(c"request.jwt.claims")?;
    let (session, taken) = (user::session(), user::outer());
    if !guc::is_trusted_authenticator(&user::name(session)) {
        return None;
    }
    with_parsed(&text, |claims| {
        let method = trust(claims, &user::name(taken), guc::anon_role().as_deref())?;
        if let Err(flaw) = check_registered(claims) {
            let hint = "Issue tokens whose registered claims have the types that RFC 7519, section 4.1 defines.";
            error::raise(
                SqlState::UNAUTHORIZED,
                &format!("The {}", flaw.words()),
                Some("The claim is in the setting request.jwt.claims."),
                Some(hint),
            );
        }
        read(&text, claims, method)
    })
}

fn with_claims<T>(read: impl FnOnce(&Claims) -> Option<T>) -> Option<T> {
    with_identity(|_, claims, _| read(claims))
}

fn method() -> AuthMethod {
    let settled = frame::with_unpublished(|method, _| method).or_else(guc::method);
    settled.or_else(|| with_identity(|_, _, method| Some(method))).unwrap_or(AuthMethod::Sql)
}

/// Declares a reader to PostgreSQL. Its SQL function returns the value of the body, or NULL for `None`.
macro_rules! reader {
    ($name:ident, $signature:literal, |$call:ident| $body:expr) => {
        sql_function!($name, $signature, |$call| {
            let found: Option<pg_sys::Datum> = $body;
            (*$call).isnull = found.is_none();
            found.unwrap_or(pg_sys::Datum::null())
        });
    };
}

fn text_datum(text: &str) -> Option<pg_sys::Datum> {
    text.into_datum()
}

fn claim(path: &str) -> Option<pg_sys::Datum> {
    with_claims(|claims| claims::text_at(claims, path).as_deref().and_then(text_datum))
}

reader!(restful_uid, "uid()", |call| {
    with_claims(claims::uid).and_then(|bytes| pgrx::Uuid::from_bytes(bytes).into_datum())
});
reader!(restful_user_id, "user_id()", |call| { with_claims(|claims| claims::user_id(claims).and_then(text_datum)) });
reader!(restful_role, "role()", |call| {
    let named = with_claims(|claims| claims.get("role")?.as_str().and_then(text_datum));
    // A SQL user's request runs as the role in force, so this is its role, also in SECURITY DEFINER functions.
    named.or_else(|| text_datum(&user::name(user::outer())))
});
reader!(restful_email, "email()", |call| claim("email"));
reader!(restful_aal, "aal()", |call| claim("aal"));
reader!(restful_claim, "claim(path text)", |call| { text(call, 0).and_then(claim) });
reader!(restful_tenant_id, "tenant_id()", |call| { guc::tenant_claim().and_then(|path| claim(&path)) });
reader!(restful_claims, "claims()", |call| { with_identity(|text, _, _| Some(jsonb::of_text(text))) });
reader!(restful_scopes, "scopes()", |call| { with_claims(|claims| claims::scopes(claims)?.into_datum()) });
reader!(restful_has_scope, "has_scope(scope text)", |call| {
    let has = |scope| with_claims(|claims| Some(claims::scopes(claims)?.contains(&scope)));
    text(call, 0).map(|scope| has(scope).unwrap_or(false).into())
});
reader!(restful_method, "method()", |call| text_datum(method().as_str()));
reader!(restful_is_authenticated, "is_authenticated()", |call| { Some(method().is_authenticated().into()) });
