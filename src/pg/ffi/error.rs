//! Errors between PostgreSQL and this extension.

use crate::pg::ffi::unguarded;
use crate::respond::Raised;
use crate::sqlstate::SqlState;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_char, c_int, c_void};

unsafe extern "C-unwind" {
    /// The SQLSTATE of the error that is being raised (elog.c).
    fn geterrcode() -> c_int;
    fn CopyErrorData() -> *mut pg_sys::ErrorData;
    fn FreeErrorData(data: *mut pg_sys::ErrorData);
}

thread_local! {
    /// The SQLSTATE of the last error raised below a [`Watch`].
    static LAST_SQLSTATE: Cell<c_int> = const { Cell::new(0) };
    /// A value is being read by the input function of its type.
    static READING: Cell<bool> = const { Cell::new(false) };
    /// The last error was raised by the source of a type's input that takes what it cannot read for an internal error.
    static OF_INPUT: Cell<bool> = const { Cell::new(false) };
    /// The last check constraint that was violated there.
    static LAST_CHECK: RefCell<Option<ViolatedCheck>> = const { RefCell::new(None) };
}

/// A check constraint of a table that a row violates.
#[derive(Clone, Debug, PartialEq)]
pub struct ViolatedCheck {
    pub schema: String,
    pub table: String,
    pub constraint: String,
}

/// The check constraint that the error last raised is about.
pub fn violated_check() -> Option<ViolatedCheck> {
    LAST_CHECK.take()
}

/// Notes the SQLSTATE of every error raised while it is in force. pgrx knows the codes of PostgreSQL's list alone, but
/// functions may raise any, such as PT402 or PGRST.
pub struct Watch {
    callback: pg_sys::ErrorContextCallback,
}

/// Source files that raise XX000 for what somebody wrote: hstore's before PostgreSQL 16, and that of `to_tsquery`.
const INPUT_FILES: &[&str] = &["hstore_io.c", "tsquery.c"];

/// Reads a value by the input function of its type: an internal error, or that a limit of the type is exceeded, is then about the
/// value.
pub fn reading<T>(read: impl FnOnce() -> T) -> T {
    READING.set(true);
    let value = read();
    READING.set(false);
    value
}

impl Watch {
    pub fn new() -> Self {
        READING.set(false);
        Watch {
            callback: pg_sys::ErrorContextCallback {
                previous: std::ptr::null_mut(),
                callback: Some(note_sqlstate),
                arg: std::ptr::null_mut(),
            },
        }
    }

    /// Runs `work` under the watch.
    pub fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the callback lives on this frame, which `work` cannot outlive; the stack is put back after it, and
        // by pgrx's own guard where an error passes through.
        unsafe {
            self.callback.previous = pg_sys::error_context_stack;
            pg_sys::error_context_stack = &raw mut self.callback;
            let result = work();
            pg_sys::error_context_stack = self.callback.previous;
            result
        }
    }
}

unsafe extern "C-unwind" fn note_sqlstate(_: *mut c_void) {
    // SAFETY: errfinish calls this while it holds an error; its copy is made in another context than errors are.
    unsafe {
        LAST_SQLSTATE.set(geterrcode());
        let is_internal = LAST_SQLSTATE.get() == PgSqlErrorCode::ERRCODE_INTERNAL_ERROR as c_int;
        OF_INPUT.set(false);
        if !is_internal && LAST_SQLSTATE.get() != PgSqlErrorCode::ERRCODE_CHECK_VIOLATION as c_int {
            return;
        }
        let raising = unguarded::switch_to(pg_sys::TopTransactionContext);
        let data = CopyErrorData();
        unguarded::switch_to(raising);
        let name = |text: *mut c_char| (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned());
        if is_internal && !(*data).filename.is_null() {
            let file = CStr::from_ptr((*data).filename).to_bytes();
            OF_INPUT.set(INPUT_FILES.iter().any(|name| file.ends_with(name.as_bytes())));
        }
        let names = [(*data).schema_name, (*data).table_name, (*data).constraint_name].map(name);
        if let [Some(schema), Some(table), Some(constraint)] = names {
            LAST_CHECK.set(Some(ViolatedCheck { schema, table, constraint }));
        }
        FreeErrorData(data);
    }
}

/// What a caught error says.
pub fn raised(caught: &CaughtError) -> Raised {
    let report = match caught {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { ereport, .. } => ereport,
    };
    let known = report.sql_error_code();
    let code = match (known, caught) {
        (PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, CaughtError::PostgresError(_)) => LAST_SQLSTATE.get(),
        _ => known as c_int,
    };
    let (is_reading, is_of_input) = (READING.replace(false), OF_INPUT.replace(false));
    let is_internal = code == PgSqlErrorCode::ERRCODE_INTERNAL_ERROR as c_int;
    let mut sqlstate = String::from(SqlState::unpack(code));
    if is_reading && (is_internal || sqlstate.starts_with("54")) || is_of_input && is_internal {
        sqlstate = "22P02".to_owned();
    }
    Raised {
        sqlstate,
        message: bounded(report.message()),
        detail: report.detail().map(bounded),
        hint: report.hint().map(bounded),
    }
}

fn bounded(text: &str) -> String {
    text.get(..text.floor_char_boundary(crate::limits::ERROR_TEXT_BYTES)).unwrap_or_default().to_owned()
}

/// Raises an error of any SQLSTATE; pgrx's own reports know those of PostgreSQL's list alone.
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

/// Whether an error has to reach the caller: it is no answer to the request, but says that the session, the server or
/// the transaction cannot go on. A cancelled query (57014) is among them.
pub fn is_not_an_answer(raised: &Raised) -> bool {
    matches!(raised.sqlstate.get(..2), Some("40" | "53" | "57" | "58" | "XX"))
}

/// Refuses a call in a context where roles may not be switched (42501).
pub fn refuse_context(message: &str, hint: &str) -> ! {
    raise(SqlState::INSUFFICIENT_PRIVILEGE, message, None, Some(hint))
}
