//! Where requests may be made, and the frame that is open.

use super::denial::Writing;
use crate::pg::ffi::{error, user};
use pgrx::pg_sys;
use std::cell::RefCell;
use std::rc::Rc;

thread_local! {
    /// The frame that is open, if one is.
    static OPEN: RefCell<Option<Rc<Open>>> = const { RefCell::new(None) };
}

/// What is known of the frame that is open, to a request within it too.
pub(super) struct Open {
    pub role: pg_sys::Oid,
    pub is_authenticated: bool,
    /// What the request writes, once it is known.
    pub writing: RefCell<Option<Rc<Writing>>>,
}

pub(super) fn open() -> Option<Rc<Open>> {
    OPEN.with_borrow(Option::clone)
}

/// The frame that was open before; it is again when this is dropped, after an error too.
pub(super) struct Before(Option<Rc<Open>>);

impl Before {
    pub fn now() -> Self {
        Before(open())
    }
}

impl Before {
    /// Whether no frame was open.
    pub fn is_none(&self) -> bool {
        self.0.is_none()
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

/// Whether the open frame's request has an identity; `None` outside of frames.
pub fn outer_is_authenticated() -> Option<bool> {
    OPEN.with_borrow(|frame| frame.as_ref().map(|frame| frame.is_authenticated))
}

/// Makes this the open frame.
pub(super) fn set_open(frame: Rc<Open>) {
    OPEN.set(Some(frame));
}
