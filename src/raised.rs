//! An error that PostgreSQL raised, as data. `src/respond/raised.rs` turns it into the error of a response.

use crate::sqlstate::SqlState;

/// An error as the database raised it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Raised {
    pub sqlstate: SqlState,
    /// The primary message.
    pub message: String,
    /// DETAIL, if it may be shown.
    pub detail: Option<String>,
    /// HINT, if it may be shown.
    pub hint: Option<String>,
}
