//! Commands that would run the request's code after the request, when its role is gone: refused within one.

use crate::pg::unguarded::standard_ProcessUtility;
use crate::pg::whole_errors::with_whole_errors;
use crate::pg::{constraints, error, session};
use pgrx::pg_sys;
use std::ffi::c_char;

/// Has commands looked at; once, when the library is loaded.
pub fn watch() {
    // SAFETY: a backend has one thread, and the library is never unloaded.
    unsafe {
        NEXT = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(process);
    }
}

/// Who was to be asked before; set once.
static mut NEXT: pg_sys::ProcessUtility_hook_type = None;

// Errors pass by a long jump: nothing in this frame has a destructor.
unsafe extern "C-unwind" fn process(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    is_read_only: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: PostgreSQL's own arguments, handed on.
    unsafe {
        if session::is_within_request()
            && let Some((message, hint)) = refusal((*statement).utilityStmt)
        {
            with_whole_errors(|| error::refuse_context(message, hint));
        }
        let next = match NEXT {
            Some(next) => next,
            None => standard_ProcessUtility,
        };
        next(statement, text, is_read_only, context, parameters, environment, receiver, completion);
    }
}

/// Why a command is refused within a request, and what to do instead.
unsafe fn refusal(statement: *mut pg_sys::Node) -> Option<(&'static str, &'static str)> {
    // SAFETY: a node is what its tag says.
    unsafe {
        match (*statement).type_ {
            // Its query is run to the end when the transaction is committed, as the session's user.
            pg_sys::NodeTag::T_DeclareCursorStmt
                if (*statement.cast::<pg_sys::DeclareCursorStmt>()).options & pg_sys::CURSOR_OPT_HOLD as i32 != 0 =>
            {
                Some(("a request cannot declare a cursor WITH HOLD", "Leave out WITH HOLD."))
            }
            pg_sys::NodeTag::T_ConstraintsSetStmt
                if (*statement.cast::<pg_sys::ConstraintsSetStmt>()).deferred && constraints::are_being_checked() =>
            {
                Some((
                    "constraints cannot be deferred while the request's deferred ones are checked",
                    "Leave SET CONSTRAINTS to what comes before the end of the request.",
                ))
            }
            _ => None,
        }
    }
}
