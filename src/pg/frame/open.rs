//! The open frame, and the contexts in which requests are allowed.

use super::denial::Writing;
use crate::auth::{AuthMethod, Principal};
use crate::pg::ffi::{error, user};
use pgrx::pg_sys;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

thread_local! {
    /// The open frame, if there is one.
    static OPEN: RefCell<Option<Rc<Open>>> = const { RefCell::new(None) };
}

/// The state of the open frame, which a request within it can also see.
pub(super) struct Open {
    pub role: pg_sys::Oid,
    pub is_authenticated: bool,
    /// What the request writes. Set when the request is planned.
    pub writing: RefCell<Option<Rc<Writing>>>,
    /// What its statement has counted.
    pub counted: Cell<Counted>,
    /// The elements of the body that have named a row that its statement changed, by their numbers from 1, once for each row.
    pub elements: RefCell<Vec<i64>>,
    /// Who asks, as long as that is not published.
    pub unpublished: RefCell<Option<Unpublished>>,
}

/// Who asks, while the settings do not say it.
pub(super) struct Unpublished {
    principal: Principal,
    role: pg_sys::Oid,
    /// Made when they are first read.
    claims: OnceCell<String>,
}

impl Unpublished {
    /// The identity of a request that runs as `role`.
    pub fn of(principal: &Principal, role: pg_sys::Oid) -> Self {
        Unpublished { principal: principal.clone(), role, claims: OnceCell::new() }
    }
}

/// Whether the settings do not say who asks, although a request is being answered.
pub fn is_unpublished() -> bool {
    OPEN.with_borrow(|frame| frame.as_ref().is_some_and(|frame| frame.unpublished.borrow().is_some()))
}

/// Runs `read` on how the identity of the open frame's request was established, and on its verified claims as JSON, which a SQL user does
/// not have. `None` outside of frames, and once the settings say it.
pub fn with_unpublished<T>(read: impl FnOnce(AuthMethod, Option<&str>) -> T) -> Option<T> {
    let frame = open()?;
    let unpublished = frame.unpublished.borrow();
    let Unpublished { principal, role, claims } = unpublished.as_ref()?;
    let method = principal.method();
    let claims = || claims.get_or_init(|| principal.claims_setting(&user::name(*role))).as_str();
    Some(read(method, (method != AuthMethod::Sql).then(claims)))
}

/// The counts of a statement.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    /// Rows that it changes, or that its function returns, whether or not the response has them.
    pub rows: u64,
    /// Rows that an upsert found in place.
    pub updates: u64,
}

pub(super) fn open() -> Option<Rc<Open>> {
    OPEN.with_borrow(Option::clone)
}

/// The frame that was open before. Dropping this value makes it the open one again, also after an error.
pub(super) struct OuterFrame(Option<Rc<Open>>);

impl OuterFrame {
    pub fn now() -> Self {
        OuterFrame(open())
    }

    /// Whether no frame was open.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
    }
}

impl Drop for OuterFrame {
    fn drop(&mut self) {
        OPEN.set(self.0.take());
    }
}

/// Raises 42501 in contexts where switching the role would escalate privileges: in a SECURITY DEFINER function, an index
/// expression, or the refresh of a materialized view. A function may make a request within a request under the same role.
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

/// Whether the session cannot choose the role in force: in a request, a SECURITY DEFINER function or a security-restricted
/// operation.
pub fn is_confined() -> bool {
    is_within_request() || user::is_changed_locally() || user::is_restricted()
}

/// Whether the open frame's request is authenticated. `None` outside of frames.
pub fn outer_is_authenticated() -> Option<bool> {
    OPEN.with_borrow(|frame| frame.as_ref().map(|frame| frame.is_authenticated))
}

/// Makes this the open frame.
pub(super) fn set_open(frame: Rc<Open>) {
    OPEN.set(Some(frame));
}
