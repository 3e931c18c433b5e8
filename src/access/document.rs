//! The response to `Prefer: explain-access`. Pure.

use super::{Report, Verdict};
use crate::error::{Error, Result};
use crate::raised::Raised;
use crate::sqlstate::SqlState;
use serde_json::{Value, json};

/// The document for a visible row. Its member `access` is the report.
///
/// `authenticated`: whether the request has an identity.
///
/// # Errors
/// The row is not visible: the problem document that a read would get, with the report as its member `access`.
pub fn document(report: &Report, authenticated: bool) -> Result<Value> {
    let (verdict, sentence) = report.verdict();
    let error = match verdict {
        Verdict::Visible => return Ok(json!({ "access": report.to_json() })),
        Verdict::Denied => {
            Raised { sqlstate: SqlState::INSUFFICIENT_PRIVILEGE, message: sentence, ..Raised::default() }
                .into_error(authenticated)
        }
        Verdict::Error => Error::with_code(report.sqlstate().unwrap_or("XX000"), 500, sentence),
        _ => Error::no_item(),
    };
    Err(error.access(report.to_json()).header("preference-applied", "explain-access"))
}
