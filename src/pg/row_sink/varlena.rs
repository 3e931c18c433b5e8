//! Reads stored values that may be short, compressed or out of line, and manages the memory for that.

use crate::pg::ffi::error::raise;
use crate::pg::ffi::unguarded::stack_is_too_deep;
use crate::pg::ffi::varlena;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;
use std::ptr::null_mut;

/// Memory for what one row needs beyond the fast path: detoasted values and results of output functions.
///
/// Output functions leak into the current context, which belongs to the whole query. So they run in this one, which is created for
/// the first row that needs it and reset after each row that used it.
pub(super) struct Scratch {
    parent: pg_sys::MemoryContext,
    context: pg_sys::MemoryContext,
    used: bool,
}

impl Scratch {
    pub fn new() -> Self {
        Self { parent: null_mut(), context: null_mut(), used: false }
    }

    /// Starts an execution: the scratch context will be a child of `parent`.
    pub fn start(&mut self, parent: pg_sys::MemoryContext) {
        *self = Self { parent, context: null_mut(), used: false };
    }

    /// The context that lives as long as the execution.
    pub fn parent(&self) -> pg_sys::MemoryContext {
        self.parent
    }

    /// Makes the scratch context current for the rest of the row.
    #[inline]
    pub fn enter(&mut self) {
        if !self.used {
            self.enter_first();
        }
    }

    #[inline(never)]
    fn enter_first(&mut self) {
        // SAFETY: `start` has set the parent to the context of the running query, so the child is valid until the query ends.
        unsafe {
            if self.context.is_null() {
                self.context = pg_sys::AllocSetContextCreateInternal(
                    self.parent,
                    c"restful row".as_ptr(),
                    pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                    pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                    pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
                );
            }
            pg_sys::CurrentMemoryContext = self.context;
        }
        self.used = true;
    }

    /// Ends a row: frees its memory and makes `outer` current again.
    #[inline]
    pub fn leave(&mut self, outer: pg_sys::MemoryContext) {
        if self.used {
            // SAFETY: `enter_first` made the context, and nothing refers to the row's memory any more.
            unsafe {
                pg_sys::CurrentMemoryContext = outer;
                pg_sys::MemoryContextReset(self.context);
            }
            self.used = false;
        }
    }

    /// Ends an execution and deletes the context.
    pub fn end(&mut self) {
        if !self.context.is_null() {
            // SAFETY: `enter_first` made it, and `leave` has run for every row, so it is not current.
            unsafe { pg_sys::MemoryContextDelete(self.context) };
        }
        *self = Self::new();
    }
}

/// The bytes after the header of a varlena, fetched and decompressed if needed.
///
/// # Safety
/// `datum` must point to a valid varlena that stays in place for the lifetime the caller picks, which must end with the
/// row. It need not be aligned, unless it is compressed or out of line.
#[inline(always)]
pub(super) unsafe fn payload<'row>(datum: pg_sys::Datum, scratch: &mut Scratch) -> &'row [u8] {
    // SAFETY: by contract.
    unsafe {
        match varlena::payload_at_hand(datum) {
            Some(payload) => payload,
            None => payload(fetched(datum, scratch), scratch),
        }
    }
}

/// A copy of the value that is neither compressed nor out of line.
#[cold]
#[inline(never)]
unsafe fn fetched(datum: pg_sys::Datum, scratch: &mut Scratch) -> pg_sys::Datum {
    scratch.enter();
    // SAFETY: valid by the contract of `payload` and `packed`; the result lies in the scratch context.
    pg_sys::Datum::from(unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) })
}

/// The varlena itself if it is neither compressed nor out of line, or else a copy that is not.
///
/// # Safety
/// As [`payload`].
#[inline]
pub(super) unsafe fn packed(datum: pg_sys::Datum, scratch: &mut Scratch) -> pg_sys::Datum {
    // SAFETY: valid by contract.
    unsafe { if varlena::is_at_hand(*datum.cast_mut_ptr::<u8>()) { datum } else { fetched(datum, scratch) } }
}

/// The value with a 4-byte header, aligned for its type, as PostgreSQL's own macros expect.
///
/// # Safety
/// As [`payload`], and aligned if it has a 4-byte header.
#[inline]
pub(super) unsafe fn aligned(datum: pg_sys::Datum, scratch: &mut Scratch) -> pg_sys::Datum {
    // SAFETY: valid by contract; a copy lies in the scratch context.
    unsafe {
        if varlena::is_plain(*datum.cast_mut_ptr::<u8>()) {
            return datum;
        }
        scratch.enter();
        pg_sys::Datum::from(pg_sys::pg_detoast_datum(datum.cast_mut_ptr()))
    }
}

/// The size, including the header, of the plain or short varlena at the beginning of `bytes`, if it fits in them.
#[inline(always)]
pub(super) fn size_of_first(bytes: &[u8]) -> Option<usize> {
    let is_at_hand = varlena::is_at_hand(*bytes.first()?);
    varlena::size(bytes).filter(|size| is_at_hand && *size <= bytes.len())
}

/// Raises PostgreSQL's error if recursion would overflow the stack.
#[inline]
pub(super) fn check_stack() {
    if stack_is_too_deep() {
        // SAFETY: no arguments; raises the error.
        unsafe { pg_sys::check_stack_depth() }
    }
}

/// Raises an error for a stored value whose parts contradict each other.
#[cold]
#[inline(never)]
pub(super) fn corrupted() -> ! {
    raise(SqlState::DATA_CORRUPTED, "a stored value does not have the layout of its type", None, None)
}
