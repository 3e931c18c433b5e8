//! Errors of PostgreSQL that pass through Rust unchanged.
//!
//! pgrx turns a caught error into a panic that carries its message, detail, hint and one of the SQLSTATEs it knows; the
//! rest is lost: any other SQLSTATE, the constraint, column, data type and table, the position and the context. Here
//! the whole error is copied while it is raised, Rust unwinds, and then the copy is thrown.

use pgrx::pg_sys::panic::{CaughtError, pgrx_extern_c_guard};
use pgrx::pg_sys::{self, ErrorData};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

// Without pgrx's guards: the first two are called while an error is being raised, the last must not come back as a panic.
unsafe extern "C-unwind" {
    fn CopyErrorData() -> *mut ErrorData;
    fn FreeErrorData(data: *mut ErrorData);
    fn ThrowErrorData(data: *mut ErrorData);
}

/// The last error that was raised inside, and the context that its copy is made in.
struct Copy {
    data: *mut ErrorData,
    context: pg_sys::MemoryContext,
}

/// Runs the body of a function that PostgreSQL calls, in place of `#[pg_guard]`.
///
/// # Safety
/// Must be all that an `extern "C-unwind"` function does: an error leaves it by a long jump.
#[inline]
pub unsafe fn preserving_error_data<T>(body: impl FnOnce() -> T) -> T {
    // SAFETY: reads a variable of this backend.
    let mut copy = Copy { data: ptr::null_mut(), context: unsafe { pg_sys::CurrentMemoryContext } };
    match run(body, &mut copy) {
        Ok(result) => result,
        // SAFETY: nothing with a destructor is left in this frame when an error is thrown.
        Err(raised) => unsafe { throw(raised, copy) },
    }
}

/// Raises the error that Rust has unwound from: `None` when it is the one in the copy.
///
/// # Safety
/// As [`preserving_error_data`].
#[cold]
unsafe fn throw(panic: Option<Panic>, copy: Copy) -> ! {
    // SAFETY: the copy is complete; a panic is pgrx's to report, and dropped by it before.
    unsafe {
        match panic {
            None => ThrowErrorData(copy.data),
            Some(panic) => pgrx_extern_c_guard(AssertUnwindSafe(|| resume_unwind(panic))),
        }
    }
    unreachable!("an error was raised")
}

type Panic = Box<dyn Any + Send>;

/// `Err(None)` when PostgreSQL raised an error, of which there is a copy.
#[inline]
fn run<T>(body: impl FnOnce() -> T, copy: &mut Copy) -> Result<T, Option<Panic>> {
    // SAFETY: the callback is on PostgreSQL's stack exactly as long as this frame and the copy live.
    let result = unsafe {
        let mut callback = pg_sys::ErrorContextCallback {
            previous: pg_sys::error_context_stack,
            callback: Some(copy_error),
            arg: ptr::from_mut(copy).cast(),
        };
        pg_sys::error_context_stack = &mut callback;
        let result = catch_unwind(AssertUnwindSafe(body));
        pg_sys::error_context_stack = callback.previous;
        result
    };
    result.map_err(|panic| match panic.downcast_ref() {
        Some(CaughtError::PostgresError(_)) if !copy.data.is_null() => None,
        // A copy without this kind of panic is of an error that was handled inside.
        _ => Some(panic),
    })
}

/// Called by `errfinish`, for notices too, after the callbacks of what runs further inside: the copy has their context
/// lines, and those of the callers are added when it is thrown.
unsafe extern "C-unwind" fn copy_error(copy: *mut c_void) {
    // SAFETY: `arg` as set above; CopyErrorData needs another context than the one that errors are raised in.
    unsafe {
        let copy: *mut Copy = copy.cast();
        let raising = pg_sys::CurrentMemoryContext;
        pg_sys::CurrentMemoryContext = (*copy).context;
        let data = CopyErrorData();
        pg_sys::CurrentMemoryContext = raising;
        let superseded = if (*data).elevel >= pgrx::PgLogLevel::ERROR as i32 {
            std::mem::replace(&mut (*copy).data, data)
        } else {
            data
        };
        if !superseded.is_null() {
            FreeErrorData(superseded);
        }
    }
}
