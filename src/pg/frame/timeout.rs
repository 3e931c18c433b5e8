//! PostgreSQL's timeouts (utils/timeout.h).

use crate::pg::ffi::unguarded::{disable_timeout, enable_timeout_at, get_timeout_active, get_timeout_finish_time};
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::c_int;

/// `TimeoutId` of the statement timeout. It is the same in PostgreSQL 14 to 18.
const STATEMENT_TIMEOUT: c_int = 3;

/// The statement timeout of a request's role. Dropping it restores the caller's timeout.
pub struct StatementTimeout<'a> {
    /// When the caller's own timeout would fire.
    callers: Option<pg_sys::TimestampTz>,
    /// When the request's timeout fires, if that is earlier.
    own: Option<pg_sys::TimestampTz>,
    /// Whether this timeout caused a cancellation. Set when the timeout is dropped.
    has_fired: &'a Cell<bool>,
}

impl<'a> StatementTimeout<'a> {
    /// Arms the timeout if it is earlier than the caller's.
    pub fn arm(milliseconds: i64, has_fired: &'a Cell<bool>) -> Self {
        // SAFETY: plain calls of timeout.c.
        unsafe {
            let callers = get_timeout_active(STATEMENT_TIMEOUT).then(|| get_timeout_finish_time(STATEMENT_TIMEOUT));
            let finish = pg_sys::GetCurrentTimestamp() + milliseconds * 1000;
            if callers.is_some_and(|c| c <= finish) {
                return StatementTimeout { callers, own: None, has_fired };
            }
            disable_timeout(STATEMENT_TIMEOUT, false);
            enable_timeout_at(STATEMENT_TIMEOUT, finish);
            StatementTimeout { callers, own: Some(finish), has_fired }
        }
    }
}

impl Drop for StatementTimeout<'_> {
    fn drop(&mut self) {
        let Some(own) = self.own else { return };
        // SAFETY: as above.
        unsafe {
            let now = pg_sys::GetCurrentTimestamp();
            self.has_fired.set(now >= own && self.callers.is_none_or(|callers| now < callers));
            disable_timeout(STATEMENT_TIMEOUT, false);
            if let Some(callers) = self.callers {
                enable_timeout_at(STATEMENT_TIMEOUT, callers);
            }
        }
    }
}
