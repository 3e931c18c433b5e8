//! Refuses commands whose effects would outlast the request and its role.

use crate::pg::ffi::preserving_error_data::preserving_error_data;
use crate::pg::ffi::unguarded::in_hooks;
use crate::pg::ffi::{error, user};
use crate::pg::frame::{self, deferred_constraints};
use pgrx::pg_sys;
use std::ffi::c_char;

/// Installs the hook that checks commands. Called once, when the library is loaded.
pub fn install_hook() {
    // SAFETY: a backend has one thread, and the library is never unloaded.
    unsafe {
        NEXT = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(process);
    }
}

/// The previously installed hook. Set once.
static mut NEXT: pg_sys::ProcessUtility_hook_type = None;

// Errors leave by a long jump, so nothing in this function may have a destructor.
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
    // SAFETY: these are PostgreSQL's own arguments, passed on.
    unsafe {
        if frame::is_within_request()
            && let Some((message, hint)) = refusal((*statement).utilityStmt)
        {
            preserving_error_data::<()>(|| error::refuse_context(message, hint));
        }
        in_hooks::next_process_utility(
            NEXT,
            statement,
            text,
            is_read_only,
            context,
            parameters,
            environment,
            receiver,
            completion,
        );
    }
}

/// Why a command is refused within a request, and what to do instead.
unsafe fn refusal(statement: *mut pg_sys::Node) -> Option<(&'static str, &'static str)> {
    // SAFETY: each node is read as the type that its tag says.
    unsafe {
        match (*statement).type_ {
            // At commit, PostgreSQL runs the cursor's query to the end as the session's user.
            pg_sys::NodeTag::T_DeclareCursorStmt
                if (*statement.cast::<pg_sys::DeclareCursorStmt>()).options & pg_sys::CURSOR_OPT_HOLD as i32 != 0 =>
            {
                Some(("a request cannot declare a cursor WITH HOLD", "Leave out WITH HOLD."))
            }
            pg_sys::NodeTag::T_ConstraintsSetStmt
                if (*statement.cast::<pg_sys::ConstraintsSetStmt>()).deferred
                    && deferred_constraints::are_being_checked() =>
            {
                Some((
                    "constraints cannot be deferred while the request's deferred constraints are being checked",
                    "Run SET CONSTRAINTS earlier in the request, not in a deferred trigger.",
                ))
            }
            // The HTTP layer calls prepared statements by name. It would run one of the same name as the session's user.
            pg_sys::NodeTag::T_PrepareStmt | pg_sys::NodeTag::T_DeallocateStmt => Some((
                "a request cannot create or drop the session's prepared statements",
                "Use PL/pgSQL's EXECUTE ... USING, which creates no named statement.",
            )),
            pg_sys::NodeTag::T_ListenStmt | pg_sys::NodeTag::T_UnlistenStmt => Some((
                "a request cannot change which channels the session listens to",
                "Run LISTEN in a separate session.",
            )),
            // DISCARD drops temporary tables, whoever owns them.
            pg_sys::NodeTag::T_DiscardStmt => Some((
                "a request cannot discard its session's state",
                "Drop what the request created, or create temporary tables with ON COMMIT DROP.",
            )),
            // These settings, such as the time limit, would apply to every later request of the role.
            pg_sys::NodeTag::T_AlterRoleSetStmt
                if is_current_user((*statement.cast::<pg_sys::AlterRoleSetStmt>()).role) =>
            {
                Some((
                    "a request cannot change the settings of its own role",
                    "Use SET LOCAL, which lasts until the request ends, or run ALTER ROLE in a separate session.",
                ))
            }
            _ => None,
        }
    }
}

/// Whether a command names the role in force. `false` if it names no role, which means all, or an unknown one.
unsafe fn is_current_user(role: *const pg_sys::RoleSpec) -> bool {
    // SAFETY: a parsed role, or null. Errors of the look-up leave by a long jump, like all errors of the hook.
    unsafe {
        !role.is_null()
            && match (*role).roletype {
                pg_sys::RoleSpecType::ROLESPEC_CSTRING => {
                    in_hooks::get_role_oid((*role).rolename, true) == user::current()
                }
                pg_sys::RoleSpecType::ROLESPEC_PUBLIC => false,
                pg_sys::RoleSpecType::ROLESPEC_SESSION_USER => user::session() == user::current(),
                _ => true,
            }
    }
}
