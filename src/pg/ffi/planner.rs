//! Plans that are kept for all values, with the planner's estimates taken from the values at hand, and how long planning takes.
//!
//! PostgreSQL makes the plan that it keeps (its "generic plan") without any values, and so guesses that a LIMIT takes a tenth of the
//! rows and that a range has a third of them. A planner that is given values without PARAM_FLAG_CONST (nodes/params.h) uses them for
//! estimates, and still makes a plan that works for all values. plancache.c gives it none, so a hook does.

use super::unguarded::in_hooks;
use pgrx::pg_sys::{self, ParamListInfo};
use std::cell::Cell;
use std::ffi::{c_char, c_int};
use std::ptr;
use std::time::Duration;

/// The statement that is being executed, and its values.
#[derive(Clone, Copy)]
struct Watched {
    /// The address of its text in its plan source identifies it.
    text: *const c_char,
    values: ParamListInfo,
    /// The processor time that planning it has taken since it is watched. `None` if it was not planned.
    planning: Option<Duration>,
    is_being_planned: bool,
}

impl Watched {
    const NOTHING: Watched =
        Watched { text: ptr::null(), values: ptr::null_mut(), planning: None, is_being_planned: false };
}

thread_local! {
    static WATCHED: Cell<Watched> = const { Cell::new(Watched::NOTHING) };
}

/// The previously installed hook. Set once.
static mut NEXT: pg_sys::planner_hook_type = None;

/// Installs the hook. Called once, when the library is loaded.
pub fn install_hook() {
    // SAFETY: a backend has one thread, and the library is never unloaded.
    unsafe {
        NEXT = pg_sys::planner_hook;
        pg_sys::planner_hook = Some(plan);
    }
}

/// A statement whose planning is watched until this value is dropped. If a plan is made to be kept meanwhile, its estimates are for the
/// values that the statement is executed with.
pub struct Planning {
    outer: Watched,
}

impl Planning {
    /// Watches an execution of the statement with these values.
    ///
    /// # Safety
    /// `source` and the values are valid, and stay so until the value is dropped.
    pub unsafe fn watch(source: *const pg_sys::CachedPlanSource, values: ParamListInfo) -> Self {
        // SAFETY: promised by the caller.
        let text = unsafe { (*source).query_string };
        Planning { outer: WATCHED.replace(Watched { text, values, ..Watched::NOTHING }) }
    }

    /// The processor time that planning the statement has taken. `None` if it was not planned.
    pub fn time(&self) -> Option<Duration> {
        WATCHED.get().planning
    }
}

impl Drop for Planning {
    fn drop(&mut self) {
        WATCHED.set(self.outer);
    }
}

/// Whether a statement that is watched is being planned.
pub fn is_planning() -> bool {
    WATCHED.get().is_being_planned
}

/// The processor time that the backend has used.
pub fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to the variable. It stays zero on a system without this clock, and then a kept plan is never given up.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

// Errors leave by a long jump, so nothing in this function may have a destructor.
unsafe extern "C-unwind" fn plan(
    query: *mut pg_sys::Query,
    text: *const c_char,
    options: c_int,
    bound: ParamListInfo,
) -> *mut pg_sys::PlannedStmt {
    let watched = WATCHED.get();
    // SAFETY: these are PostgreSQL's own arguments, passed on. The values are those of the statement.
    unsafe {
        if watched.text.is_null() || watched.text != text {
            return in_hooks::next_planner(NEXT, query, text, options, bound);
        }
        let values = if bound.is_null() { estimates(watched.values) } else { bound };
        let start = processor_time();
        WATCHED.set(Watched { is_being_planned: true, ..watched });
        let planned = in_hooks::next_planner(NEXT, query, text, options, values);
        let planning = watched.planning.unwrap_or_default() + processor_time().saturating_sub(start);
        WATCHED.set(Watched { planning: Some(planning), ..watched });
        planned
    }
}

/// The values, for estimates alone.
unsafe fn estimates(values: ParamListInfo) -> ParamListInfo {
    // SAFETY: the list has as many parameters as it says.
    unsafe {
        if values.is_null() {
            return values;
        }
        let copy = in_hooks::copyParamList(values);
        let parameters = (*copy).params.as_mut_ptr();
        for i in 0..(*copy).numParams as usize {
            (*parameters.add(i)).pflags = 0;
        }
        copy
    }
}
