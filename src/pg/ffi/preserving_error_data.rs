//! Lets PostgreSQL errors pass through Rust unchanged.
//!
//! The whole error is copied while it is raised. Rust unwinds, and then the copy is thrown.

use super::captured::{Captured, hand_on};
use super::unguarded::ThrowErrorData;
use pgrx::pg_sys::panic::{CaughtError, pgrx_extern_c_guard};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs the body of a function that PostgreSQL calls, in place of `#[pg_guard]`.
///
/// # Safety
/// The `extern "C-unwind"` function must do nothing else, because an error leaves it by a long jump.
#[inline]
pub unsafe fn preserving_error_data<T>(body: impl FnOnce() -> T) -> T {
    let mut captured = Captured::new();
    match captured.during(|| catch_unwind(AssertUnwindSafe(body))) {
        Ok(result) => result,
        // SAFETY: nothing with a destructor is left in this function when an error is thrown.
        Err(panic) => unsafe { throw(panic, captured) },
    }
}

/// Raises the error that made Rust unwind.
///
/// # Safety
/// As [`preserving_error_data`].
#[cold]
unsafe fn throw(panic: Box<dyn Any + Send>, captured: Captured) -> ! {
    // If the panic is of another kind, the copy is of an error that was handled inside.
    let is_captured = matches!(panic.downcast_ref(), Some(CaughtError::PostgresError(_))) && captured.has_error();
    let (data, note) = captured.into_parts();
    // SAFETY: the copy is complete, and everything with a destructor is dropped before it is thrown. pgrx reports a panic, and drops
    // it before.
    unsafe {
        if is_captured {
            drop(panic);
            hand_on(note);
            ThrowErrorData(data);
        } else {
            drop(note);
            pgrx_extern_c_guard::<_, ()>(AssertUnwindSafe(|| resume_unwind(panic)));
        }
    }
    unreachable!("an error was raised")
}
