//! What stops a validation: cancellation and the depth of the stack.

use crate::pg::unguarded::stack_is_too_deep;
use crate::schema::Watch;
use pgrx::pg_sys;

/// Watches as PostgreSQL's own recursive functions do.
pub struct Backend;

impl Watch for Backend {
    #[inline(always)]
    fn enter() {
        if interrupted() || stack_is_too_deep() {
            raise();
        }
    }

    #[inline(always)]
    fn step() {
        if interrupted() {
            raise();
        }
    }
}

#[inline(always)]
fn interrupted() -> bool {
    // SAFETY: reads a variable that signal handlers set.
    unsafe { (&raw const pg_sys::InterruptPending).read_volatile() != 0 }
}

/// Raises PostgreSQL's error, which unwinds through the validator; returns when the interrupt was none.
#[cold]
#[inline(never)]
fn raise() {
    // SAFETY: both may raise errors, which pgrx turns into unwinding.
    unsafe { pg_sys::check_stack_depth() };
    pgrx::check_for_interrupts!();
}
