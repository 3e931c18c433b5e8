//! Raises PostgreSQL errors.

use crate::raised::Raised;
use crate::sqlstate::SqlState;
use pgrx::{PgLogLevel, pg_sys};
use std::ffi::{CString, c_int};

/// The beginning of a text, at the length that a response repeats.
pub(super) fn bounded(text: &str) -> String {
    text.get(..text.floor_char_boundary(crate::limits::ERROR_TEXT_BYTES)).unwrap_or_default().to_owned()
}

/// Raises an error with any SQLSTATE. pgrx's own reports know only those of PostgreSQL's list.
#[cold]
pub fn raise(sqlstate: SqlState, message: &str, detail: Option<&str>, hint: Option<&str>) -> ! {
    let text = |text: &str| CString::new(text.replace('\0', "")).unwrap_or_default();
    let (message, detail, hint) = (text(message), detail.map(text), hint.map(text));
    let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null_mut(), |text| text.as_ptr().cast_mut());
    let mut data = pg_sys::ErrorData {
        elevel: PgLogLevel::ERROR as c_int,
        sqlerrcode: sqlstate.pack(),
        message: message.as_ptr().cast_mut(),
        detail: pointer(&detail),
        hint: pointer(&hint),
        ..Default::default()
    };
    // SAFETY: a complete ErrorData, which is copied before the error is thrown.
    unsafe { pg_sys::ThrowErrorData(&mut data) };
    unreachable!("an error of level ERROR does not return")
}

/// An error of a function that SQL calls. It is returned up to the function that PostgreSQL calls, which raises it.
#[derive(Clone, Debug, PartialEq)]
pub struct Raise {
    pub sqlstate: SqlState,
    /// The primary message.
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

impl Raise {
    /// An error without DETAIL and HINT.
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Self {
        Raise { sqlstate, message: message.into(), detail: None, hint: None }
    }

    /// Adds a HINT.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Raise { hint: Some(hint.into()), ..self }
    }

    /// Raises the error.
    #[cold]
    pub fn raise(self) -> ! {
        raise(self.sqlstate, &self.message, self.detail.as_deref(), self.hint.as_deref())
    }
}

/// Whether an error must propagate to the caller instead of becoming a response, because the session, the server or the transaction
/// cannot go on. A cancelled query (57014) is one of them.
pub fn must_propagate(raised: &Raised) -> bool {
    matches!(raised.sqlstate.class(), "40" | "53" | "57" | "58" | "XX")
}

/// Refuses a call in a context where roles may not be switched (42501).
pub fn refuse_context(message: &str, hint: &str) -> ! {
    raise(SqlState::INSUFFICIENT_PRIVILEGE, message, None, Some(hint))
}
