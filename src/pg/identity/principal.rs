//! Finds out who a request speaks for.

use crate::auth::credential::Credential;
use crate::auth::principal::{SessionState, VerifiedIdentity, trust};
use crate::auth::{AuthMethod, Identity, Principal};
use crate::error::{Code, Error, Result};
use crate::http::Request;
use crate::pg::ffi::user;
use crate::pg::frame::{is_within_request, outer_is_authenticated};
use crate::pg::guc;
use crate::pg::keys::{api_key, verify};
use serde_json::{Map, Value};
use std::rc::Rc;

/// The principal of a request.
///
/// # Errors
/// A credential that cannot be verified (401), or a request within a request that carries one (400).
pub fn principal(request: &Request) -> Result<Principal> {
    let credential = if request.headers.is_empty() {
        None
    } else {
        guc::with_api_key_fields(|names| {
            let fields = names.iter().filter_map(|name| request.headers.get(name));
            Credential::of(request.headers.get("authorization"), fields)
        })?
    };
    let (session, current) = (user::session(), user::current());
    if let Some(is_authenticated) = outer_is_authenticated() {
        if credential.is_some() {
            return Err(Error::new(Code::MalformedRequest, "A request within a request cannot carry a token or key")
                .hint("It runs as the role of the outer request. Leave the header field out."));
        }
        // A denial gets the status that it would have in the outer request.
        return Ok(within(is_authenticated));
    }
    if credential.is_none()
        && let Some(method) = guc::method()
        && let Some(identity) = acted_as(method)
    {
        let is_authenticated = identity != Identity::Anonymous;
        return Ok(Principal { identity, switch_to: None, is_authenticated });
    }
    let anon_role = guc::anon_role();
    // In the common case, the session of an HTTP layer, it is enough to compare the OIDs, without looking up names.
    let needs_names = session != current || guc::has_trusted_authenticators();
    let session_user = if needs_names { user::name(session) } else { String::new() };
    let current_user = if session == current { session_user.clone() } else { user::name(current) };
    let is_trusted = needs_names && guc::is_trusted_authenticator(&session_user);
    let claims = if is_trusted { guc::get(c"request.jwt.claims") } else { None };
    Principal::of(
        &SessionState {
            session_user: &session_user,
            current_user: &current_user,
            anon_role,
            requires_token: guc::requires_token(),
            is_trusted,
            claims: claims.as_deref(),
        },
        credential,
        |credential| match credential {
            Credential::Token(token) => verify::verify(token).map(VerifiedIdentity::from),
            Credential::Key(key) => api_key::verify(key, request.method),
        },
    )
}

/// The principal of a request within a request, which keeps the role of the outer one.
pub fn within(is_authenticated: bool) -> Principal {
    let identity = if is_authenticated { Identity::SessionUser } else { Identity::Anonymous };
    Principal { identity, switch_to: None, is_authenticated }
}

/// The principal of a request that carries its own credentials and no bearer token.
pub fn unidentified() -> Principal {
    let is_as_logged_in = user::session() == user::current();
    let switch_to = if !is_within_request() && is_as_logged_in { guc::anon_role() } else { None };
    let identity = if switch_to.is_some() { Identity::Anonymous } else { Identity::SessionUser };
    Principal { identity, switch_to, is_authenticated: false }
}

/// The identity set by `restful.act_as`, while its role is in force.
fn acted_as(method: AuthMethod) -> Option<Identity> {
    let role = user::name(user::current());
    let claims: Map<String, Value> = serde_json::from_str(&guc::get(c"restful.claims")?).ok()?;
    trust(&claims, &role, None)?;
    Some(if method == AuthMethod::Anonymous { Identity::Anonymous } else { Identity::Claims(Rc::new(claims), method) })
}
