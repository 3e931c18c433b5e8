//! Stops a validation: on cancellation, and when the stack is too deep.

use crate::json::is_ascii;
use crate::json_schema::Watch;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::unguarded::stack_is_too_deep;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Checks for both, as PostgreSQL's own recursive functions do.
pub struct Backend;

/// Bytes of stack that may be used before its depth is checked again. Much less than the 512 KB that PostgreSQL keeps free below
/// `max_stack_depth`.
const STEP: usize = 16 << 10;

/// The address below which the depth of the stack must be checked again.
static CHECKED: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Begins a validation. Forgets the last check, which may have been under another `max_stack_depth`.
#[inline(always)]
pub fn begin() {
    CHECKED.store(here().saturating_sub(STEP), Ordering::Relaxed);
}

/// The approximate end of the stack.
#[inline(always)]
fn here() -> usize {
    let mark = 0u8;
    (&raw const mark).addr()
}

impl Watch for Backend {
    #[inline(always)]
    fn enter() {
        if interrupted() || here() < CHECKED.load(Ordering::Relaxed) {
            look();
        }
    }

    #[inline(always)]
    fn step() {
        if interrupted() {
            look();
        }
    }

    /// Raises XX001 (data_corrupted).
    #[cold]
    #[inline(never)]
    fn malformed() {
        raise(SqlState::DATA_CORRUPTED, "a stored jsonb value is corrupted", None, None)
    }

    /// Names and most strings are short and ASCII. Checking that here takes fewer steps than the standard library does.
    #[inline(always)]
    fn text(bytes: &[u8]) -> Option<&str> {
        if is_ascii(bytes) {
            // SAFETY: ASCII is UTF-8.
            return Some(unsafe { std::str::from_utf8_unchecked(bytes) });
        }
        std::str::from_utf8(bytes).ok()
    }
}

#[inline(always)]
fn interrupted() -> bool {
    // SAFETY: reads a variable that signal handlers set.
    unsafe { (&raw const pg_sys::InterruptPending).read_volatile() != 0 }
}

/// Raises PostgreSQL's error, which unwinds through the validator, if there is a reason to stop.
#[cold]
#[inline(never)]
fn look() {
    if stack_is_too_deep() {
        // SAFETY: may raise an error, which pgrx turns into unwinding.
        unsafe { pg_sys::check_stack_depth() };
    }
    begin();
    pgrx::check_for_interrupts!();
}
