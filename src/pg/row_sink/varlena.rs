//! Access to stored values that may be short, compressed or out of line, and the memory such access takes.

use crate::pg::ffi::error::raise;
use crate::pg::ffi::unguarded::stack_is_too_deep;
use crate::pg::ffi::varlena;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;
use std::ptr::null_mut;

/// Memory for what one row needs beyond the fast path: de-toasted values and results of output functions.
///
/// Output functions leak into the current context, which is the whole query's while it runs. The context is made when
/// the first row asks for it, and emptied after each row that used it.
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
        // SAFETY: the parent is the running query's context (set by `start`), so the child is valid until it ends.
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

    /// Ends a row: frees what it took and makes `outer` current again.
    #[inline]
    pub fn leave(&mut self, outer: pg_sys::MemoryContext) {
        if self.used {
            // SAFETY: `enter_first` made the context; nothing of the row is referenced any more.
            unsafe {
                pg_sys::CurrentMemoryContext = outer;
                pg_sys::MemoryContextReset(self.context);
            }
            self.used = false;
        }
    }

    /// Ends an execution, and gives the context back.
    pub fn end(&mut self) {
        if !self.context.is_null() {
            // SAFETY: made by `enter_first`; `leave` has run for every row, so it is not current.
            unsafe { pg_sys::MemoryContextDelete(self.context) };
        }
        *self = Self::new();
    }
}

/// The bytes behind the header of a varlena, fetched and decompressed where needed.
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

/// The same value neither compressed nor out of line.
#[cold]
#[inline(never)]
unsafe fn fetched(datum: pg_sys::Datum, scratch: &mut Scratch) -> pg_sys::Datum {
    scratch.enter();
    // SAFETY: valid by the contract of `payload` and `packed`; the result lies in the scratch context.
    pg_sys::Datum::from(unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) })
}

/// The varlena itself if it is neither compressed nor out of line, else such a copy of it.
///
/// # Safety
/// As [`payload`].
#[inline]
pub(super) unsafe fn packed(datum: pg_sys::Datum, scratch: &mut Scratch) -> pg_sys::Datum {
    // SAFETY: valid by contract.
    unsafe { if varlena::is_at_hand(*datum.cast_mut_ptr::<u8>()) { datum } else { fetched(datum, scratch) } }
}

/// The value with a 4-byte header, aligned as its type asks: what PostgreSQL's own macros expect.
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

/// The size, header included, of the plain or short varlena at the beginning of `bytes`, if it lies within them.
#[inline(always)]
pub(super) fn size_of_first(bytes: &[u8]) -> Option<usize> {
    let is_at_hand = varlena::is_at_hand(*bytes.first()?);
    varlena::size(bytes).filter(|size| is_at_hand && *size <= bytes.len())
}

/// Raises PostgreSQL's error for recursion that would overflow the stack.
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
