//! What stops a validation: cancellation and the depth of the stack.

use crate::json::is_ascii;
use crate::json_schema::Watch;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::unguarded::stack_is_too_deep;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Watches as PostgreSQL's own recursive functions do.
pub struct Backend;

/// Stack that may be used before its depth is looked at again: much less than what PostgreSQL keeps free below
/// `max_stack_depth` (512 KB).
const STEP: usize = 16 << 10;

/// The address below which the depth of the stack has to be looked at.
static CHECKED: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Begins a validation: what was found out about the stack before may have been under another `max_stack_depth`.
#[inline(always)]
pub fn begin() {
    CHECKED.store(here().saturating_sub(STEP), Ordering::Relaxed);
}

/// About where the stack ends.
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

    /// Names and most strings are short and ASCII: found out here in fewer steps than the standard library takes.
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

/// Raises PostgreSQL's error, which unwinds through the validator; returns when there is no reason to.
#[cold]
#[inline(never)]
fn look() {
    if stack_is_too_deep() {
        // SAFETY: raises an error, which pgrx turns into unwinding.
        unsafe { pg_sys::check_stack_depth() };
    }
    begin();
    pgrx::check_for_interrupts!();
}
