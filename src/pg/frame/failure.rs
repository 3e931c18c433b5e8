//! Turns an error within a frame into the error of the response.

use super::open::Open;
use crate::error::{Error, Invalid, Result};
use crate::json::pointer;
use crate::pg::catalog::{self, CheckConstraint};
use crate::pg::ffi::captured::{Member, ViolatedCheck};
use crate::pg::ffi::subtransaction::Failed;
use crate::pg::ffi::{unguarded, user};
use crate::pg::guc;
use crate::raised::Raised;
use crate::sqlstate::SqlState;
use crate::violation::Violation;
use pgrx::pg_sys;

/// The error that PostgreSQL raised in a frame, with the hints and details that its message lacks.
pub(super) fn explained(failed: Failed, open: &Open, role: Option<pg_sys::Oid>) -> Error {
    let Failed { raised, captured, .. } = failed;
    if let Some(found) = captured.attached::<Vec<Invalid>>() {
        return Error::invalid_row(raised.message).errors(found.to_vec());
    }
    let misread =
        captured.member().filter(|_| raised.sqlstate.class() == "22").map(|member| misread(member, &raised.message));
    let check = captured.violated_check();
    let is_denied = raised.sqlstate == SqlState::INSUFFICIENT_PRIVILEGE && raised.hint.is_none();
    let writing = if is_denied { open.writing.take() } else { None };
    let denied = writing.and_then(|writing| writing.hint(&raised.message, role));
    let error = raised.without_disclosure(guc::expose_details()).into_error(open.is_authenticated);
    let error = match misread {
        Some(invalid) => error.errors_in_body(vec![invalid]),
        None => error,
    };
    match (check, denied) {
        (Some(check), _) => with_rule(error, &check, role),
        (None, Some(hint)) => error.hint(hint),
        (None, None) => error,
    }
}

/// A value in the body that its type cannot read.
fn misread(member: &Member, message: &str) -> Invalid {
    let element = member.element.map_or_else(String::new, |element| format!("/{element}"));
    let pointer = format!("{element}/{}", pointer::escape(&member.key));
    let violation = Violation {
        instance_location: pointer.clone(),
        keyword_location: "/type".to_owned(),
        keyword: "type".to_owned(),
        message: message.to_owned(),
    };
    Invalid { pointer, violation }
}

/// Refuses a read that has written; the refusal undoes the writes. PostgreSQL lets a read-only transaction write to temporary
/// tables, and some of its functions write without checking for one: those for large objects before PostgreSQL 16, and
/// `pg_import_system_collations`. Asking for the transaction's ID assigns one to the outer transaction only, not to the frame's
/// subtransaction, so a function that only asks is not refused.
///
/// # Errors
/// 25006 (405).
pub(super) fn refuse_written(authenticated: bool) -> Result<()> {
    if unguarded::GetCurrentTransactionIdIfAny() == pg_sys::InvalidTransactionId {
        return Ok(());
    }
    let raised = Raised {
        sqlstate: SqlState::READ_ONLY_SQL_TRANSACTION,
        message: "the request is a read, but what it calls has written".to_owned(),
        hint: Some("The change was undone. Use POST to call a function that writes.".to_owned()),
        ..Raised::default()
    };
    Err(raised.into_error(authenticated))
}

/// Adds the columns and the rule of the violated check constraint as details, and the constraint's comment as a hint.
fn with_rule(mut error: Error, check: &ViolatedCheck, role: Option<pg_sys::Oid>) -> Error {
    let read = || catalog::check_constraint(&check.schema, &check.table, &check.constraint);
    let found = match role {
        // SAFETY: a query of the catalogue. An error that it raises goes to the caller and ends the transaction.
        Some(role) => unsafe { user::run_as(role, user::security_context(), read) },
        None => read(),
    };
    let Ok(Some(CheckConstraint { columns, rule, comment })) = found else { return error };
    let columns = columns.join("\", \"");
    if error.details.is_none() {
        error = error.details(if columns.is_empty() {
            format!("A row must satisfy {rule}.")
        } else {
            format!("\"{columns}\" must satisfy {rule}.")
        });
    }
    match comment {
        Some(comment) if error.hint.is_none() => error.hint(comment),
        _ => error,
    }
}
