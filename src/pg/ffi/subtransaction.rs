//! Internal subtransactions (xact.h), as PL/pgSQL has them for its exception blocks.

use super::captured::{Captured, Reading};
use super::unguarded;
use crate::respond::Raised;
use pgrx::PgTryBuilder;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use std::panic::AssertUnwindSafe;

/// How a subtransaction ends in which no error was raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Commit,
    RollBack,
}

/// An error that was raised within a subtransaction, which it has rolled back.
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

/// Runs `work` in a subtransaction, which ends as it says. An error that is raised within rolls it back, which puts back the user and
/// the settings, too.
///
/// It is not a guard that rolls back when it is dropped: an error that rolling back raises would meet one that is unwinding, and end
/// the process.
///
/// Raises an error where there can be no subtransaction, as in a parallel query.
///
/// # Errors
/// What was raised within.
pub fn run<T>(work: impl FnOnce() -> (T, End)) -> Result<T, Box<Failed>> {
    // SAFETY: reads globals, to be put back.
    let (memory, owner) = unsafe { (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner) };
    let put_back = || {
        // SAFETY: what was in force before the subtransaction, which has ended.
        unsafe {
            unguarded::switch_to(memory);
            pg_sys::CurrentResourceOwner = owner;
        }
    };
    let mut captured = Captured::new();
    let _reading = Reading::set(false);
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
