//! Errors of PostgreSQL with all of their data.
//!
//! pgrx turns a caught error into a panic that carries its message, detail, hint and one of the SQLSTATEs that pgrx knows. The rest is
//! lost: any other SQLSTATE, the constraint, column, data type and table, the position, the context and the source file. So we copy
//! the whole error while it is raised.

use super::error::bounded;
use super::unguarded::{CopyErrorData, FreeErrorData, switch_to};
use crate::raised::Raised;
use crate::sqlstate::SqlState;
use pgrx::PgLogLevel;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::pg_sys::{self, ErrorContextCallback, ErrorData, MemoryContext};
use std::any::Any;
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{self, NonNull};
use std::rc::Rc;

/// Source files that raise XX000 for invalid input: hstore's before PostgreSQL 16, and that of `to_tsquery`.
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
    /// The note on the next error.
    next: Note,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub key: String,
    /// The number of its object in a list, from 0. `None` if it is not in a list.
    pub element: Option<u64>,
}

/// What is known of an error besides its data.
#[derive(Clone, Default)]
pub struct Note {
    /// Whether it was raised while a value was being read.
    is_reading: bool,
    /// The value attached to it.
    attached: Option<Rc<dyn Any>>,
    /// The member that was being read.
    member: Option<Rc<Member>>,
}

impl Captured {
    /// Holds no error yet. Copies are made in the current memory context.
    pub fn new() -> Self {
        // SAFETY: reads a global.
        let memory = unsafe { pg_sys::CurrentMemoryContext };
        Captured { data: ptr::null_mut(), memory, note: Note::default(), next: Note::default() }
    }

    /// Runs `work`. Copies the errors that are raised within, and lets them propagate.
    #[inline]
    pub fn during<T>(&mut self, work: impl FnOnce() -> T) -> T {
        // SAFETY: `self` outlives the call.
        unsafe { with_callback(capture, ptr::from_mut(self).cast(), work) }
    }

    /// Whether PostgreSQL raised an error.
    pub fn has_error(&self) -> bool {
        !self.data.is_null()
    }

    /// The data of a caught error, with the SQLSTATE that it was raised with.
    ///
    /// If a value was being read, an internal error or an exceeded limit of a type becomes an error about the value (22P02).
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

    /// The value attached to the error.
    pub fn attached<T: 'static>(&self) -> Option<Rc<T>> {
        self.note.attached.clone()?.downcast().ok()
    }

    /// The member of an object that was being read when the error was raised.
    pub fn member(&self) -> Option<&Member> {
        self.note.member.as_deref()
    }

    /// The copy, which the caller must free, and the note on the error.
    pub fn into_parts(mut self) -> (*mut ErrorData, Note) {
        (std::mem::replace(&mut self.data, ptr::null_mut()), std::mem::take(&mut self.note))
    }

    fn data(&self) -> Option<&ErrorData> {
        // SAFETY: null, or a copy that this value owns.
        unsafe { self.data.as_ref() }
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        if !self.data.is_null() {
            // SAFETY: this value owns the copy.
            unsafe { FreeErrorData(self.data) };
        }
    }
}

/// Runs `work` with a callback of the error context, which `errfinish` calls with `argument`.
///
/// # Safety
/// The callback must accept `argument` for as long as `work` runs.
#[inline]
unsafe fn with_callback<T>(callback: Callback, argument: *mut c_void, work: impl FnOnce() -> T) -> T {
    // SAFETY: the callback is on PostgreSQL's stack exactly as long as this function runs.
    unsafe {
        let previous = pg_sys::error_context_stack;
        let mut callback = ErrorContextCallback { previous, callback: Some(callback), arg: argument };
        let _popped = Popped(previous);
        pg_sys::error_context_stack = &raw mut callback;
        work()
    }
}

/// Restores the stack of callbacks when dropped, also after an error or a panic.
struct Popped(*mut ErrorContextCallback);

impl Drop for Popped {
    fn drop(&mut self) {
        // SAFETY: the stack as it was before the callback was pushed.
        unsafe { pg_sys::error_context_stack = self.0 };
    }
}

/// `errfinish` calls this, also for notices, after the callbacks of inner code. So the copy has their lines of context. Those of the
/// callers are added when the copy is thrown.
unsafe extern "C-unwind" fn capture(captured: *mut c_void) {
    let captured = captured.cast::<Captured>();
    // SAFETY: the argument was set above, by a function that is still running. CopyErrorData must not run in the context in which
    // errors are raised.
    unsafe {
        let raising = switch_to((*captured).memory);
        let data = CopyErrorData();
        switch_to(raising);
        if (*data).elevel < PgLogLevel::ERROR as i32 {
            (*captured).next.is_reading = false;
            (*captured).next.member = None;
            FreeErrorData(data);
            return;
        }
        let superseded = std::mem::replace(&mut (*captured).data, data);
        (*captured).note = std::mem::take(&mut (*captured).next);
        if !superseded.is_null() {
            FreeErrorData(superseded);
        }
    }
}

/// Attaches a value to the next error. Whoever captures that error can read it.
pub fn attach(value: Rc<dyn Any>) {
    hand_on(Note { attached: Some(value), ..Note::default() });
}

/// Passes a note to whoever captures the next error.
pub fn hand_on(note: Note) {
    // SAFETY: the stack of callbacks is PostgreSQL's.
    unsafe { for_each_capture(pg_sys::error_context_stack, |captured| captured.next = note.clone()) };
}

/// Runs `read`, which reads a value with the input function of its type. Whoever captures an error of it knows that a value was being
/// read.
pub fn reading<T>(read: impl FnOnce() -> T) -> T {
    // SAFETY: the callbacks outside of this one stay on the stack for longer.
    unsafe { with_callback(note_reading, pg_sys::error_context_stack.cast(), read) }
}

/// Where in an object a reader is.
#[derive(Default)]
pub struct ReadingPlace {
    /// The key of the member whose value is being read.
    key: Cell<Option<NonNull<[u8]>>>,
    element: Cell<Option<u64>>,
}

impl ReadingPlace {
    /// The reader comes to an object, which is an element of a list if it has a number.
    pub fn at_object(&self, element: Option<u64>) {
        self.element.set(element);
        self.key.set(None);
    }

    /// The reader comes to the value of a member. The key lives until the reader comes to another object, or ends.
    #[inline]
    pub fn at_member(&self, key: &[u8]) {
        self.key.set(Some(NonNull::from(key)));
    }

    /// The reader has read all members.
    pub fn past_members(&self) {
        self.key.set(None);
    }

    /// Runs `read`. Whoever captures an error of it knows at which member the reader was.
    pub fn during<T>(&self, read: impl FnOnce() -> T) -> T {
        // SAFETY: the callbacks outside of this one, and the value, stay for longer.
        unsafe {
            let armed = (self, pg_sys::error_context_stack);
            with_callback(note_member, ptr::from_ref(&armed).cast_mut().cast(), read)
        }
    }
}

/// Notes for the captures from this callback outwards, which `errfinish` calls afterwards, which member was being read.
unsafe extern "C-unwind" fn note_member(armed: *mut c_void) {
    // SAFETY: the argument was set above, by a function that is still running, and so is the reader, whose key lives.
    unsafe {
        let (place, outer) = *armed.cast::<(&ReadingPlace, *mut ErrorContextCallback)>();
        let Some(key) = place.key.get() else { return };
        let key = String::from_utf8_lossy(key.as_ref()).into_owned();
        let member = Rc::new(Member { key, element: place.element.get() });
        for_each_capture(outer, |captured| captured.next.member = Some(member.clone()));
    }
}

/// Notes for the captures from this callback outwards, which `errfinish` calls afterwards, that a value was being read. Captures further
/// inside, of a request that the input function makes, are not concerned.
unsafe extern "C-unwind" fn note_reading(outer: *mut c_void) {
    // SAFETY: the argument is the part of the stack that lies outside of this callback.
    unsafe { for_each_capture(outer.cast(), |captured| captured.next.is_reading = true) };
}

/// Calls `visit` with the captures from `callback` outwards.
///
/// # Safety
/// `callback` is null or in PostgreSQL's stack of callbacks.
unsafe fn for_each_capture(mut callback: *mut ErrorContextCallback, mut visit: impl FnMut(&mut Captured)) {
    // SAFETY: by contract. Those that are `capture` have the argument set above, by a function that is still running.
    unsafe {
        while !callback.is_null() {
            if (*callback).callback.is_some_and(|function| ptr::fn_addr_eq(function, CAPTURE)) {
                visit(&mut *(*callback).arg.cast());
            }
            callback = (*callback).previous;
        }
    }
}

type Callback = unsafe extern "C-unwind" fn(*mut c_void);

const CAPTURE: Callback = capture;

/// Whether the error comes from a source file that reports invalid input as an internal error.
fn is_of_input(data: &ErrorData) -> bool {
    // SAFETY: null, or a constant of the server.
    let file = (!data.filename.is_null()).then(|| unsafe { CStr::from_ptr(data.filename) }.to_bytes());
    file.is_some_and(|file| INPUT_FILES.iter().any(|name| file.ends_with(name.as_bytes())))
}

fn name(text: *const c_char) -> Option<String> {
    // SAFETY: null, or a text of the copy.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}
