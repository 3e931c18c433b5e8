//! Internal subtransactions (xact.h), like those of PL/pgSQL's exception blocks.

use super::captured::Captured;
use super::unguarded;
use crate::raised::Raised;
use pgrx::PgTryBuilder;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::panic::AssertUnwindSafe;

/// How a subtransaction ends if no error was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Commit,
    RollBack,
}

/// An error that was raised within a subtransaction. The subtransaction has been rolled back.
pub struct Failed {
    caught: Box<CaughtError>,
    pub raised: Raised,
    pub captured: Captured,
}

impl Failed {
    /// Raises the error again.
    pub fn rethrow(self) -> ! {
        self.caught.rethrow()
    }
}

/// Runs `work` in a subtransaction, which ends as `work` says. An error that is raised within rolls it back, and with it the user and
/// the settings.
///
/// This is not a guard that rolls back when dropped: if rolling back raised an error while another one unwinds, the process would
/// abort.
///
/// Raises an error where subtransactions are not allowed, as in a parallel query.
///
/// # Errors
/// The error that was raised within.
pub fn run<T>(work: impl FnOnce() -> (T, End)) -> Result<T, Box<Failed>> {
    // SAFETY: reads globals, which are restored later.
    let (memory, owner) = unsafe { (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner) };
    let put_back = || {
        // SAFETY: what was in force before the subtransaction, which has ended.
        unsafe {
            unguarded::switch_to(memory);
            pg_sys::CurrentResourceOwner = owner;
        }
    };
    let mut captured = Captured::new();
    // SAFETY: ended on every path below.
    unsafe {
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        unguarded::switch_to(memory);
    }
    let body = AssertUnwindSafe(|| {
        let (value, end) = work();
        // SAFETY: the subtransaction begun above.
        unsafe {
            match end {
                End::Commit => pg_sys::ReleaseCurrentSubTransaction(),
                End::RollBack => pg_sys::RollbackAndReleaseCurrentSubTransaction(),
            }
        }
        put_back();
        Ok(value)
    });
    let done = captured.during(|| {
        PgTryBuilder::new(body)
            .catch_others(|caught| {
                // SAFETY: the error left the subtransaction open.
                unsafe {
                    unguarded::switch_to(memory);
                    pg_sys::RollbackAndReleaseCurrentSubTransaction();
                }
                put_back();
                Err(Box::new(caught))
            })
            .execute()
    });
    done.map_err(|caught| Box::new(Failed { raised: captured.raised(&caught), caught, captured }))
}
