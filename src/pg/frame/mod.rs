//! The role frame: a request runs in an internal subtransaction, as its role and with its settings, and leaves neither behind.
//!
//! The role is switched with `SetUserIdAndSecContext` and `SECURITY_LOCAL_USERID_CHANGE`, not with SET ROLE, because SQL inside
//! the request could undo SET ROLE.

mod commands;
mod counts;
pub mod deferred_constraints;
pub mod denial;
mod failure;
mod open;
mod role;
mod role_settings;
mod timeout;

pub use commands::install_hook;
pub use counts::COUNTERS;
pub use open::{
    check_context, is_confined, is_unpublished, is_within_request, outer_is_authenticated, with_unpublished,
};
pub use role::may_take;

use crate::ask::Ask;
use crate::auth::{AuthMethod, Principal};
use crate::error::{Code, Error, Result};
use crate::http::Request;
use crate::pg::catalog;
use crate::pg::ffi::error::must_propagate;
use crate::pg::ffi::guc_nest::GucNest;
use crate::pg::ffi::subtransaction::{self, End};
use crate::pg::ffi::{unguarded, user};
use crate::pg::guc;
use crate::respond::ResponseSettings;
use crate::sqlstate::SqlState;
use denial::Writing;
use failure::{explained, refuse_written};
use open::{Open, OuterFrame, Unpublished};
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::rc::Rc;
use timeout::StatementTimeout;

/// The inputs of a frame.
pub struct Context<'a> {
    pub request: &'a Request<'a>,
    pub principal: &'a Principal,
    /// The request's schema, first in the search path.
    pub schema: &'a str,
}

impl<'a> Context<'a> {
    /// The context of what is asked.
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
    /// Whether this is not a request within a request. An inner request keeps the identity of the outer one.
    is_outermost: bool,
    published: Cell<bool>,
    /// Whether the role is taken for the rest of the frame.
    has_role: Cell<bool>,
}

impl Frame<'_> {
    /// The request's role.
    pub fn role(&self) -> pg_sys::Oid {
        self.open.role
    }

    /// Notes what the request writes, for the hint if the write is denied.
    pub fn note_write(&self, writing: Rc<Writing>) {
        self.open.writing.replace(Some(writing));
    }

    /// Takes the role and the search path for the rest of the frame.
    pub fn take_role(&self) {
        let path = guc::search_path(self.context.schema);
        guc::set_for_request(c"search_path", &path, pg_sys::GucContext::PGC_USERSET);
        // SAFETY: both are restored when the frame closes, or when the subtransaction ends.
        unsafe { unguarded::SetUserIdAndSecContext(self.role(), self.locked()) };
        open::set_open(self.open.clone());
        self.has_role.set(true);
    }

    /// Runs `work` under the role.
    pub fn with_role<T>(&self, work: impl FnOnce() -> T) -> T {
        let _outer = OuterFrame::now();
        open::set_open(self.open.clone());
        // SAFETY: the request may take its role.
        unsafe { user::run_as(self.role(), self.locked(), work) }
    }

    /// Runs `work` as another user. `work` must not run user code.
    pub fn with_reader<T>(&self, reader: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
        let security = self.locked() | pg_sys::SECURITY_RESTRICTED_OPERATION as i32;
        // SAFETY: both are restored after `work`, or when the subtransaction ends.
        unsafe { user::run_as(reader, security, work) }
    }

    /// Whether the request is authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.context.principal.is_authenticated
    }

    /// The security context in which roles cannot be changed.
    fn locked(&self) -> i32 {
        self.security | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32
    }

    /// Whether the settings that describe the request are set.
    pub fn is_published(&self) -> bool {
        self.published.get()
    }

    /// Sets the settings by which functions and policies read the request, under PostgREST's names. They are set only when something
    /// could read them, because setting them costs more than reading a row.
    pub fn publish(&self) {
        use pg_sys::GucContext::{PGC_SUSET, PGC_USERSET};
        if self.published.replace(true) {
            return;
        }
        self.open.unpublished.take();
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
            let claims = self.context.principal.claims_setting(&user::name(self.role()));
            // A SQL user has no claims. Clear those of restful.act_as, whose role is no longer in force.
            let verified = if method == AuthMethod::Sql { "" } else { claims.as_str() };
            if (method != AuthMethod::Sql || guc::with_claims(|_| ()).is_some())
                && let Ok(verified) = CString::new(verified)
            {
                guc::set_for_request(c"restful.claims", &verified, PGC_SUSET);
            }
            // Always set, because nothing reads request.jwt.claims then, which the request's own code can set.
            if let Ok(method) = CString::new(method.as_str()) {
                guc::set_for_request(c"restful.method", &method, PGC_SUSET);
            }
            set(c"request.jwt.claims", claims);
        }
        // A request within a request belongs to the trace of the outer one unless it names its own.
        match request.headers.trace() {
            Some(trace) => set(c"request.traceparent", trace),
            None if self.is_outermost && guc::get(c"request.traceparent").is_some_and(|trace| !trace.is_empty()) => {
                set(c"request.traceparent", String::new());
            }
            None => {}
        }
        self.clear_response_settings();
    }

    /// Forgets what functions have set of the response.
    pub fn clear_response_settings(&self) {
        for name in [c"response.status", c"response.headers"] {
            if guc::get(name).is_some() {
                guc::set_for_request(name, c"", pg_sys::GucContext::PGC_USERSET);
            }
        }
    }

    /// Whether the extension's readers know who asks although nothing is published. Those of a request within a request read the
    /// settings of the outer one.
    pub fn knows_identity(&self) -> bool {
        self.open.unpublished.borrow().is_some()
    }

    /// Checks deferred constraints, as the request's role and with everything that a trigger can read of the request.
    fn check_deferred(&self) -> Result<()> {
        let deferrable = catalog::deferrable()?;
        if !deferrable.any {
            return Ok(());
        }
        if !self.has_role.get() {
            self.take_role();
        }
        if deferrable.runs_user_code {
            self.publish();
        }
        deferred_constraints::check_deferred(&deferrable.initially_deferred)
    }

    /// What functions have set of the response, by `response.status` and `response.headers`.
    ///
    /// # Errors
    /// Those of [`ResponseSettings::parse`].
    pub fn response_settings(&self) -> Result<ResponseSettings> {
        if !self.is_published() {
            return Ok(ResponseSettings::default());
        }
        ResponseSettings::parse(guc::get(c"response.status").as_deref(), guc::get(c"response.headers").as_deref())
    }
}

/// The result of the work in a frame.
pub struct Finished<T> {
    pub value: T,
    /// Whether its changes are kept.
    pub commit: bool,
}

/// Runs `work` in a role frame and returns its result once the frame is closed. An error undoes all changes. Errors that must
/// propagate to the caller are raised again.
///
/// # Errors
/// A role that the request may not take, the error that `work` returned, or the one that PostgreSQL raised.
pub fn enter<T>(context: &Context, work: impl FnOnce(&Frame) -> Result<Finished<T>>) -> Result<T> {
    let switch = match &context.principal.switch_to {
        Some(name) => Some(role::may_take(name)?),
        None => None,
    };
    enter_as(context, switch, work)
}

/// Like [`enter_as`], but `work` may write whatever the method of the request is.
///
/// # Errors
/// As [`enter_as`].
pub fn enter_to_write<T>(
    context: &Context,
    switch: Option<pg_sys::Oid>,
    work: impl FnOnce(&Frame) -> Result<Finished<T>>,
) -> Result<T> {
    enter_in(context, switch, false, work)
}

/// Like [`enter`], with a role that the caller has already checked. `None` keeps the current role.
///
/// # Errors
/// As [`enter`].
pub fn enter_as<T>(
    context: &Context,
    switch: Option<pg_sys::Oid>,
    work: impl FnOnce(&Frame) -> Result<Finished<T>>,
) -> Result<T> {
    enter_in(context, switch, context.request.method.is_safe(), work)
}

fn enter_in<T>(
    context: &Context,
    switch: Option<pg_sys::Oid>,
    reads_only: bool,
    work: impl FnOnce(&Frame) -> Result<Finished<T>>,
) -> Result<T> {
    let is_authenticated = context.principal.is_authenticated;
    let role = switch.unwrap_or_else(user::current);
    let unpublished = (!is_within_request()).then(|| Unpublished::of(context.principal, role));
    let frame_open = Rc::new(Open {
        role,
        is_authenticated,
        writing: RefCell::default(),
        counted: Cell::default(),
        elements: RefCell::default(),
        unpublished: RefCell::new(unpublished),
    });
    let has_timed_out = Cell::new(false);
    let done = subtransaction::run(|| {
        let outer = OuterFrame::now();
        let _user = user::RestoreUser::now();
        let _nest = GucNest::open();
        let _timeout = apply_settings(context, switch, reads_only, &has_timed_out);
        let frame = Frame {
            context,
            open: frame_open.clone(),
            security: user::security_context(),
            is_outermost: outer.is_none(),
            published: Cell::new(false),
            has_role: Cell::new(false),
        };
        let finished = work(&frame).and_then(|finished| {
            if reads_only {
                refuse_written(is_authenticated)?;
            } else if frame.is_outermost {
                // The outermost request answers for deferred constraints, under its role. An inner request leaves them to it.
                frame.check_deferred()?;
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
            Err(Error::new(Code::Timeout, "The request exceeded its role's statement_timeout")
                .details(failed.raised.message)
                .hint("Ask for less, or raise the role's statement_timeout."))
        }
        Err(failed) if must_propagate(&failed.raised) => failed.rethrow(),
        Err(failed) => Err(explained(*failed, &frame_open, switch)),
    }
}

/// Applies the role's settings, the time zone that the request prefers, and read-only mode. Returns the role's
/// statement timeout, armed.
fn apply_settings<'a>(
    context: &Context,
    switch: Option<pg_sys::Oid>,
    reads_only: bool,
    has_timed_out: &'a Cell<bool>,
) -> Option<StatementTimeout<'a>> {
    let mut timeout = None;
    if let Some(role) = switch {
        let settings = role_settings::settings(role);
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
    if reads_only {
        // SAFETY: the end of the subtransaction restores it, and inner SQL cannot switch it off within one.
        unsafe { pg_sys::XactReadOnly = true };
    }
    timeout
}
