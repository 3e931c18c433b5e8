//! Errors of PostgreSQL that pass through Rust unchanged.
//!
//! The whole error is captured while it is raised, Rust unwinds, and then the copy is thrown.

use super::captured::{Captured, hand_on};
use pgrx::pg_sys::ErrorData;
use pgrx::pg_sys::panic::{CaughtError, pgrx_extern_c_guard};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

unsafe extern "C-unwind" {
    /// Without pgrx's guard: the error must not come back as a panic.
    fn ThrowErrorData(data: *mut ErrorData);
}

/// Runs the body of a function that PostgreSQL calls, in place of `#[pg_guard]`.
///
/// # Safety
/// Must be all that an `extern "C-unwind"` function does: an error leaves it by a long jump.
#[inline]
pub unsafe fn preserving_error_data<T>(body: impl FnOnce() -> T) -> T {
    let mut captured = Captured::new();
    match captured.during(|| catch_unwind(AssertUnwindSafe(body))) {
        Ok(result) => result,
        // SAFETY: nothing with a destructor is left in this frame when an error is thrown.
        Err(panic) => unsafe { throw(panic, captured) },
    }
}

/// Raises the error that Rust has unwound from.
///
/// # Safety
/// As [`preserving_error_data`].
#[cold]
unsafe fn throw(panic: Box<dyn Any + Send>, captured: Captured) -> ! {
    // A copy without this kind of panic is of an error that was handled inside.
    let is_captured = matches!(panic.downcast_ref(), Some(CaughtError::PostgresError(_))) && captured.has_error();
    let (data, note) = captured.into_parts();
    // SAFETY: the copy is complete, and what has a destructor is gone before it is thrown; a panic is pgrx's to report, and dropped by
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
