//! Errors of PostgreSQL with all of their data.
//!
//! pgrx turns a caught error into a panic that carries its message, detail, hint and one of the SQLSTATEs it knows. The rest is lost: any
//! other SQLSTATE, the constraint, column, data type and table, the position, the context and the source file. So the whole error is
//! copied while it is raised.

use super::error::bounded;
use crate::respond::Raised;
use crate::sqlstate::SqlState;
use pgrx::PgLogLevel;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::pg_sys::{self, ErrorContextCallback, ErrorData, MemoryContext};
use std::any::Any;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::rc::Rc;

// Without pgrx's guards: they are called while an error is being raised.
unsafe extern "C-unwind" {
    fn CopyErrorData() -> *mut ErrorData;
    fn FreeErrorData(data: *mut ErrorData);
}

thread_local! {
    /// A value is being read by the input function of its type.
    static READING: Cell<bool> = const { Cell::new(false) };
}

/// Source files that raise XX000 for what somebody wrote: hstore's before PostgreSQL 16, and that of `to_tsquery`.
const INPUT_FILES: &[&str] = &["hstore_io.c", "tsquery.c"];

/// A check constraint of a table that a row violates.
#[derive(Clone, Debug, PartialEq)]
pub struct ViolatedCheck {
    pub schema: String,
    pub table: String,
    pub constraint: String,
}

/// The last error that was raised within [`Captured::during`].
pub struct Captured {
    /// The copy, or null.
    data: *mut ErrorData,
    /// Where copies are made.
    memory: MemoryContext,
    note: Note,
    /// The note on the error that comes next.
    next: Note,
}

/// What is known of an error beside its data.
#[derive(Clone, Default)]
pub struct Note {
    /// It was raised while a value was being read.
    is_reading: bool,
    /// What was attached to it.
    attached: Option<Rc<dyn Any>>,
}

impl Captured {
    /// Nothing yet. Copies are made in the current memory context.
    pub fn new() -> Self {
        // SAFETY: reads a global.
        let memory = unsafe { pg_sys::CurrentMemoryContext };
        Captured { data: ptr::null_mut(), memory, note: Note::default(), next: Note::default() }
    }

    /// Runs `work`. Errors that are raised within are copied, and go on as they do.
    #[inline]
    pub fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        // SAFETY: the callback is on PostgreSQL's stack exactly as long as this frame lives; `self` outlives it.
        unsafe {
            let previous = pg_sys::error_context_stack;
            let mut callback =
                ErrorContextCallback { previous, callback: Some(capture), arg: ptr::from_mut(self).cast() };
            let _popped = Popped(previous);
            pg_sys::error_context_stack = &raw mut callback;
            work()
        }
    }

    /// Whether an error of PostgreSQL's was raised.
    pub fn has_error(&self) -> bool {
        !self.data.is_null()
    }

    /// What a caught error says, with the SQLSTATE that it was raised under.
    ///
    /// An internal error, or that a limit of a type is exceeded, is about the value (22P02) if one was being read.
    pub fn raised(&self, caught: &CaughtError) -> Raised {
        let (report, data) = match caught {
            CaughtError::PostgresError(report) => (report, self.data()),
            CaughtError::ErrorReport(report) => (report, None),
            CaughtError::RustPanic { ereport, .. } => (ereport, None),
        };
        let packed = data.map_or(report.sql_error_code() as i32, |data| data.sqlerrcode);
        let mut sqlstate = SqlState::unpack(packed);
        let is_internal = sqlstate == SqlState::INTERNAL_ERROR;
        let is_reading = data.is_some() && self.note.is_reading;
        if is_reading && (is_internal || sqlstate.class() == "54") || is_internal && data.is_some_and(is_of_input) {
            sqlstate = SqlState::INVALID_TEXT_REPRESENTATION;
        }
        Raised {
            sqlstate,
            message: bounded(report.message()),
            detail: report.detail().map(bounded),
            hint: report.hint().map(bounded),
        }
    }

    /// The check constraint that the error is about.
    pub fn violated_check(&self) -> Option<ViolatedCheck> {
        let data = self.data().filter(|data| data.sqlerrcode == SqlState::CHECK_VIOLATION.pack())?;
        Some(ViolatedCheck {
            schema: name(data.schema_name)?,
            table: name(data.table_name)?,
            constraint: name(data.constraint_name)?,
        })
    }

    /// What was attached to the error.
    pub fn attached<T: 'static>(&self) -> Option<Rc<T>> {
        self.note.attached.clone()?.downcast().ok()
    }

    /// The copy, which is the caller's to free, and the note on the error.
    pub fn into_parts(mut self) -> (*mut ErrorData, Note) {
        (std::mem::replace(&mut self.data, ptr::null_mut()), std::mem::take(&mut self.note))
    }

    fn data(&self) -> Option<&ErrorData> {
        // SAFETY: null, or a copy that is this value's own.
        unsafe { self.data.as_ref() }
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        if !self.data.is_null() {
            // SAFETY: the copy is this value's own.
            unsafe { FreeErrorData(self.data) };
        }
    }
}

/// Puts back the stack of callbacks, where an error or a panic passes, too.
struct Popped(*mut ErrorContextCallback);

impl Drop for Popped {
    fn drop(&mut self) {
        // SAFETY: what was there before the callback above it.
        unsafe { pg_sys::error_context_stack = self.0 };
    }
}

/// Called by `errfinish`, for notices too, after the callbacks of what runs further inside: the copy has their lines of context, and
/// those of the callers are added when it is thrown.
unsafe extern "C-unwind" fn capture(captured: *mut c_void) {
    let captured = captured.cast::<Captured>();
    // SAFETY: the argument as set above, whose frame waits; CopyErrorData needs another context than the one that errors are raised in.
    unsafe {
        let raising = super::unguarded::switch_to((*captured).memory);
        let data = CopyErrorData();
        super::unguarded::switch_to(raising);
        if (*data).elevel < PgLogLevel::ERROR as i32 {
            FreeErrorData(data);
            return;
        }
        let superseded = std::mem::replace(&mut (*captured).data, data);
        (*captured).note = std::mem::take(&mut (*captured).next);
        (*captured).note.is_reading |= READING.get();
        if !superseded.is_null() {
            FreeErrorData(superseded);
        }
    }
}

/// Attaches a value to the error that is raised next: who captures the error finds it there.
pub fn attach(value: Rc<dyn Any>) {
    hand_on(Note { is_reading: false, attached: Some(value) });
}

/// Hands a note to who captures the error that is raised next.
pub fn hand_on(note: Note) {
    // SAFETY: the stack of callbacks is PostgreSQL's; those that are `capture` have the argument set above, whose frame waits.
    unsafe {
        let mut callback = pg_sys::error_context_stack;
        while !callback.is_null() {
            if (*callback).callback.is_some_and(|function| ptr::fn_addr_eq(function, CAPTURE)) {
                (*(*callback).arg.cast::<Captured>()).next = note.clone();
            }
            callback = (*callback).previous;
        }
    }
}

const CAPTURE: unsafe extern "C-unwind" fn(*mut c_void) = capture;

/// Reads a value by the input function of its type.
pub fn reading<T>(read: impl FnOnce() -> T) -> T {
    let _before = Reading::set(true);
    read()
}

/// Whether a value is being read; as before when it is dropped.
pub(super) struct Reading(bool);

impl Reading {
    pub(super) fn set(is_reading: bool) -> Self {
        Reading(READING.replace(is_reading))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        READING.set(self.0);
    }
}

/// Whether the error is of a source file that takes what it cannot read for an internal error.
fn is_of_input(data: &ErrorData) -> bool {
    // SAFETY: null, or a constant of the server.
    let file = (!data.filename.is_null()).then(|| unsafe { CStr::from_ptr(data.filename) }.to_bytes());
    file.is_some_and(|file| INPUT_FILES.iter().any(|name| file.ends_with(name.as_bytes())))
}

fn name(text: *const c_char) -> Option<String> {
    // SAFETY: null, or a text of the copy.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
