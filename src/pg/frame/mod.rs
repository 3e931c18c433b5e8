//! The role frame: a request runs in an internal subtransaction, as its role, with its settings, and nothing of it is
//! left behind.
//!
//! The role is switched by `SetUserIdAndSecContext` with `SECURITY_LOCAL_USERID_CHANGE`, not by SET ROLE: inner SQL can
//! undo the latter, but not the former.

mod commands;
pub mod deferred_constraints;
pub mod denial;
pub mod role;
mod timeout;

pub use commands::install_hook;

use crate::ask::Ask;
use crate::auth::credential::Credential;
use crate::auth::principal::{SessionState, VerifiedIdentity, trust};
use crate::auth::{AuthMethod, Identity, Principal};
use crate::error::{Code, Error, Invalid, Result};
use crate::http::Request;
use crate::pg::catalog::{self, CheckConstraint};
use crate::pg::ffi::captured::ViolatedCheck;
use crate::pg::ffi::error::{self, must_propagate};
use crate::pg::ffi::guc_nest::GucNest;
use crate::pg::ffi::subtransaction::{self, End, Failed};
use crate::pg::ffi::{unguarded, user};
use crate::pg::guc;
use crate::pg::keys::{api_key, verify as keys};
use crate::respond::Raised;
use crate::sqlstate::SqlState;
use denial::Writing;
use pgrx::pg_sys;
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::rc::Rc;
use timeout::StatementTimeout;

thread_local! {
    /// The frame that is open, if one is.
    static OPEN: RefCell<Option<Rc<Open>>> = const { RefCell::new(None) };
}

/// What is known of the frame that is open, to a request within it too.
struct Open {
    role: pg_sys::Oid,
    is_authenticated: bool,
    /// What the request writes, once it is known.
    writing: RefCell<Option<Rc<Writing>>>,
}

fn open() -> Option<Rc<Open>> {
    OPEN.with_borrow(Option::clone)
}

/// The frame that was open before; it is again when this is dropped, after an error too.
struct Before(Option<Rc<Open>>);

impl Before {
    fn now() -> Self {
        Before(open())
    }
}

impl Drop for Before {
    fn drop(&mut self) {
        OPEN.set(self.0.take());
    }
}

/// Refuses to work where a role switch would be an escalation: in a SECURITY DEFINER function, an index expression, a
/// materialized view being refreshed. A request within a request, made by a function under the same role, is allowed.
pub fn check_context() {
    if user::is_restricted() {
        error::refuse_context(
            "a request cannot be made within a security-restricted operation",
            "Requests cannot be part of index expressions, materialized views or maintenance commands.",
        );
    }
    if user::is_changed_locally() && open().is_none_or(|frame| frame.role != user::current()) {
        error::refuse_context(
            "a request cannot be made within a SECURITY DEFINER function",
            "Declare the function SECURITY INVOKER, or query the table itself.",
        );
    }
}

/// Whether a request is being answered.
pub fn is_within_request() -> bool {
    OPEN.with_borrow(Option::is_some)
}

/// Whether the role in force is not the session's to choose: in a request, a SECURITY DEFINER function or a
/// security-restricted operation.
pub fn is_confined() -> bool {
    is_within_request() || user::is_changed_locally() || user::is_restricted()
}

/// Finds out whom a request speaks for.
pub fn principal(request: &Request) -> Result<Principal> {
    let credential = match request.headers.is_empty() {
        true => None,
        false => guc::with_api_key_fields(|names| {
            let fields = names.iter().filter_map(|name| request.headers.get(name));
            Credential::of(request.headers.get("authorization"), fields)
        })?,
    };
    let (session, current) = (user::session(), user::current());
    if let Some(outer) = open() {
        if credential.is_some() {
            return Err(Error::new(Code::MalformedRequest, "A request within a request cannot bring a token or key")
                .hint("It runs as the role of the outer one. Leave the header out."));
        }
        // A denial is answered as it would be to the outer request.
        let identity = if outer.is_authenticated { Identity::SessionUser } else { Identity::Anonymous };
        return Ok(Principal { identity, switch_to: None, is_authenticated: outer.is_authenticated });
    }
    if credential.is_none()
        && let Some(method) = guc::method()
        && let Some(identity) = acted_as(method)
    {
        let is_authenticated = identity != Identity::Anonymous;
        return Ok(Principal { identity, switch_to: None, is_authenticated });
    }
    let anon_role = guc::anon_role();
    // The common case, an HTTP layer's session, needs no names: only whether they are equal.
    let needs_names = session != current || guc::has_trusted_authenticators();
    let session_user = if needs_names { role::name(session) } else { String::new() };
    let current_user = if session == current { session_user.clone() } else { role::name(current) };
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
            Credential::Token(token) => keys::verify(token).map(VerifiedIdentity::from),
            Credential::Key(key) => api_key::verify(key, request.method),
        },
    )
}

/// Whom a request speaks for that proves by itself who it is, without a token.
pub fn unidentified() -> Principal {
    let is_as_logged_in = user::session() == user::current();
    let switch_to = if !is_within_request() && is_as_logged_in { guc::anon_role() } else { None };
    let identity = if switch_to.is_some() { Identity::Anonymous } else { Identity::SessionUser };
    Principal { identity, switch_to, is_authenticated: false }
}

/// The identity that `restful.act_as` has set, while its role is in force.
fn acted_as(method: AuthMethod) -> Option<Identity> {
    let role = role::name(user::current());
    let claims: Map<String, Value> = serde_json::from_str(&guc::get(c"restful.claims")?).ok()?;
    trust(&claims, &role, None)?;
    Some(if method == AuthMethod::Anonymous { Identity::Anonymous } else { Identity::Claims(Rc::new(claims), method) })
}

/// What a frame is opened with.
pub struct Context<'a> {
    pub request: &'a Request<'a>,
    pub principal: &'a Principal,
    /// The request's schema, first in the search path.
    pub schema: &'a str,
}

impl<'a> Context<'a> {
    /// That of what is asked.
    pub fn of(ask: &'a Ask<'a>, principal: &'a Principal) -> Self {
        Context { request: ask.request, principal, schema: &ask.action().schema }
    }
}

/// The frame, as the work in it sees it.
pub struct Frame<'a> {
    context: &'a Context<'a>,
    open: Rc<Open>,
    /// The security context outside the frame.
    security: i32,
    /// It is not a request within a request, whose identity is that of the outer one.
    is_outermost: bool,
    published: Cell<bool>,
}

impl Frame<'_> {
    /// The request's role.
    pub fn role(&self) -> pg_sys::Oid {
        self.open.role
    }

    /// Notes what the request writes, to be told if it is denied.
    pub fn note_write(&self, writing: Rc<Writing>) {
        self.open.writing.replace(Some(writing));
    }

    /// Takes the role and the search path for the rest of the frame.
    pub fn take_role(&self) {
        let path = guc::search_path(self.context.schema);
        guc::set_for_request(c"search_path", &path, pg_sys::GucContext::PGC_USERSET);
        // SAFETY: put back when the frame is closed, or by the end of the subtransaction.
        unsafe { unguarded::SetUserIdAndSecContext(self.role(), self.locked()) };
        OPEN.set(Some(self.open.clone()));
    }

    /// Runs `work` under the role.
    pub fn with_role<T>(&self, work: impl FnOnce() -> T) -> T {
        let _before = Before::now();
        OPEN.set(Some(self.open.clone()));
        // SAFETY: the role is the request's, which it may take.
        unsafe { user::run_as(self.role(), self.locked(), work) }
    }

    /// Runs `work`, which runs no code of a user, as another user.
    pub fn with_reader<T>(&self, reader: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
        let security = self.locked() | pg_sys::SECURITY_RESTRICTED_OPERATION as i32;
        // SAFETY: put back after `work`, or by the end of the subtransaction.
        unsafe { user::run_as(reader, security, work) }
    }

    /// Whether it is known for whom the request is.
    pub fn is_authenticated(&self) -> bool {
        self.context.principal.is_authenticated
    }

    /// The security context in which roles cannot be changed.
    fn locked(&self) -> i32 {
        self.security | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32
    }

    /// Whether functions and policies can ask for the request.
    pub fn is_published(&self) -> bool {
        self.published.get()
    }

    /// Sets what functions and policies can ask of the request, under PostgREST's names. It is put off until something may
    /// ask, because it costs more than reading a row.
    pub fn publish(&self) {
        use pg_sys::GucContext::{PGC_SUSET, PGC_USERSET};
        if self.published.replace(true) {
            return;
        }
        let set = |name: &CStr, value: String| {
            // a NUL cannot occur: target and headers were checked
            if let Ok(value) = CString::new(value) {
                guc::set_for_request(name, &value, PGC_USERSET);
            }
        };
        let request = self.context.request;
        set(c"request.method", request.method.as_str().to_owned());
        set(c"request.path", request.target.path.to_owned());
        set(c"request.headers", request.headers.to_setting());
        set(c"request.cookies", request.headers.cookies_to_setting());
        if self.is_outermost {
            let method = self.context.principal.method();
            let claims = self.context.principal.claims_setting(&role::name(self.role()));
            // A SQL user has none, be there those of restful.act_as, whose role is not in force any more.
            let verified = if method == AuthMethod::Sql { "" } else { claims.as_str() };
            if (method != AuthMethod::Sql || guc::with_claims(|_| ()).is_some())
                && let Ok(verified) = CString::new(verified)
            {
                guc::set_for_request(c"restful.claims", &verified, PGC_SUSET);
            }
            // Always: where it is set, request.jwt.claims, which the request's own code can set, is asked by nobody.
            if let Ok(method) = CString::new(method.as_str()) {
                guc::set_for_request(c"restful.method", &method, PGC_SUSET);
            }
            set(c"request.jwt.claims", claims);
        }
        for name in [c"response.status", c"response.headers"] {
            if guc::get(name).is_some() {
                guc::set_for_request(name, c"", PGC_USERSET);
            }
        }
    }

    /// What functions said of the response, through the settings `response.status` and `response.headers`.
    pub fn response_settings(&self) -> (Option<String>, Option<String>) {
        if !self.is_published() {
            return (None, None);
        }
        (guc::get(c"response.status"), guc::get(c"response.headers"))
    }
}

/// What the work in a frame ends with.
pub struct Finished<T> {
    pub value: T,
    /// Whether its changes are kept.
    pub commit: bool,
}

/// Runs `work` in a role frame. Its result, or the error it returned or PostgreSQL raised, is handed back when the frame is
/// closed; on an error, all changes are undone. Errors that are no answer are raised again.
pub fn in_frame<T>(context: &Context, work: impl FnOnce(&Frame) -> Result<Finished<T>>) -> Result<T> {
    let switch = match &context.principal.switch_to {
        Some(name) => Some(role::may_take(name)?),
        None => None,
    };
    in_frame_as(context, switch, work)
}

/// The same under a role of which the caller has found out that it may be taken; `None` to stay what the session is.
pub fn in_frame_as<T>(
    context: &Context,
    switch: Option<pg_sys::Oid>,
    work: impl FnOnce(&Frame) -> Result<Finished<T>>,
) -> Result<T> {
    let is_authenticated = context.principal.is_authenticated;
    let role = switch.unwrap_or_else(user::current);
    let frame_open = Rc::new(Open { role, is_authenticated, writing: RefCell::default() });
    let has_timed_out = Cell::new(false);
    let done = subtransaction::run(|| {
        let before = Before::now();
        let _user = user::Before::now();
        let _nest = GucNest::open();
        let _timeout = apply_settings(context, switch, &has_timed_out);
        let frame = Frame {
            context,
            open: frame_open.clone(),
            security: user::security_context(),
            is_outermost: before.0.is_none(),
            published: Cell::new(false),
        };
        let finished = work(&frame).and_then(|finished| {
            if context.request.method.is_safe() {
                refuse_written(is_authenticated)?;
            } else if frame.is_outermost {
                // Deferred constraints are the request's to violate, as its role; within another request, they are that one's.
                deferred_constraints::check_deferred()?;
            }
            Ok(finished)
        });
        match finished {
            Ok(Finished { value, commit: true }) => (Ok(value), End::Commit),
            Ok(Finished { value, commit: false }) => (Ok(value), End::RollBack),
            Err(error) => (Err(error), End::RollBack),
        }
    });
    match done {
        Ok(finished) => finished,
        Err(failed) if has_timed_out.get() && failed.raised.sqlstate == SqlState::QUERY_CANCELED => {
            Err(Error::new(Code::Timeout, "The request ran into the time limit of its role")
                .details(failed.raised.message)
                .hint("Ask for less, or have the role's statement_timeout raised."))
        }
        Err(failed) if must_propagate(&failed.raised) => failed.rethrow(),
        Err(failed) => Err(explained(*failed, &frame_open, switch)),
    }
}

/// The error that PostgreSQL raised in a frame, with what the message leaves open.
fn explained(failed: Failed, open: &Open, role: Option<pg_sys::Oid>) -> Error {
    let Failed { raised, captured, .. } = failed;
    if let Some(found) = captured.attached::<Vec<Invalid>>() {
        return Error::invalid_row(raised.message).errors(found.to_vec());
    }
    let check = captured.violated_check();
    let is_denied = raised.sqlstate == SqlState::INSUFFICIENT_PRIVILEGE && raised.hint.is_none();
    let writing = if is_denied { open.writing.take() } else { None };
    let denied = writing.and_then(|writing| writing.hint(&raised.message, role));
    let error = raised.without_disclosure(guc::expose_details()).into_error(open.is_authenticated);
    match (check, denied) {
        (Some(check), _) => with_rule(error, &check, role),
        (None, Some(hint)) => error.hint(hint),
        (None, None) => error,
    }
}

/// Refuses what a read has written; the refusal undoes it. PostgreSQL lets a read-only transaction write to temporary tables, and
/// some of its functions write without asking whether it is one: those for large objects before PostgreSQL 16, and
/// `pg_import_system_collations`. Who only asks for the number of the transaction gives one to the outer transaction, and not to
/// the frame's.
///
/// # Errors
/// 25006 (405).
fn refuse_written(authenticated: bool) -> Result<()> {
    // SAFETY: reads the state of the request's own subtransaction.
    if unsafe { unguarded::GetCurrentTransactionIdIfAny() } == pg_sys::InvalidTransactionId {
        return Ok(());
    }
    let raised = Raised {
        sqlstate: SqlState::READ_ONLY_SQL_TRANSACTION,
        message: "the request is a read, and what it calls has written".to_owned(),
        hint: Some("It was undone. What writes is called by POST.".to_owned()),
        ..Raised::default()
    };
    Err(raised.into_error(authenticated))
}

/// Adds the columns and the rule of the check constraint that a row violated, and as a hint its comment.
fn with_rule(mut error: Error, check: &ViolatedCheck, role: Option<pg_sys::Oid>) -> Error {
    let read = || catalog::check_constraint(&check.schema, &check.table, &check.constraint);
    let found = match role {
        // SAFETY: a query of the catalogue; an error it raises is the caller's and ends the transaction.
        Some(role) => unsafe { user::run_as(role, user::security_context(), read) },
        None => read(),
    };
    let Ok(Some(CheckConstraint { columns, rule, comment })) = found else { return error };
    let columns = columns.join("\", \"");
    if error.details.is_none() {
        error = error.details(match columns.is_empty() {
            true => format!("A row has to satisfy {rule}."),
            false => format!("\"{columns}\" has to satisfy {rule}."),
        });
    }
    match comment {
        Some(comment) if error.hint.is_none() => error.hint(comment),
        _ => error,
    }
}

/// Sets the role's settings and the request's limits; gives back the timeout among them.
fn apply_settings<'a>(
    context: &Context,
    switch: Option<pg_sys::Oid>,
    has_timed_out: &'a Cell<bool>,
) -> Option<StatementTimeout<'a>> {
    let mut timeout = None;
    if let Some(role) = switch {
        let settings = role::settings(role);
        for (name, value) in &settings.settings {
            guc::apply_for_request(name, value);
        }
        timeout = settings.statement_timeout.map(|limit| StatementTimeout::arm(limit, has_timed_out));
    }
    if let Some(zone) = &context.request.preferences.timezone
        && let Ok(zone) = CString::new(zone.as_str())
    {
        guc::set_for_request(c"TimeZone", &zone, pg_sys::GucContext::PGC_USERSET);
    }
    if context.request.method.is_safe() {
        // SAFETY: put back by the end of the subtransaction; inner SQL cannot switch it off within one.
        unsafe { pg_sys::XactReadOnly = true };
    }
    timeout
}
