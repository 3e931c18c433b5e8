//! The memory of one row.

use pgrx::pg_sys;

/// The most bytes reserved for the values of a row. Values that do not fit are allocated separately.
const CHUNK: usize = 32 * 1024;

/// Allocates memory that lives until the row is stored, mostly without calling PostgreSQL's allocator.
pub struct RowMemory {
    /// Holds what did not fit in the chunk, and what PostgreSQL's functions allocate. Reset after each row.
    context: pg_sys::MemoryContext,
    chunk: *mut u8,
    size: usize,
    used: usize,
}

impl RowMemory {
    /// Memory in and below the current context, for the rows of a body of this many bytes.
    ///
    /// # Safety
    /// The current context must outlive the result.
    pub unsafe fn new(body: usize) -> Self {
        // A value may be a few times as long as its text.
        let size = body.saturating_mul(4).clamp(256, CHUNK);
        // SAFETY: creates a context and allocates, in the current context.
        unsafe {
            let context = pg_sys::AllocSetContextCreateInternal(
                pg_sys::CurrentMemoryContext,
                c"restful.record_source row".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            RowMemory { context, chunk: pg_sys::palloc(size).cast(), size, used: 0 }
        }
    }

    /// The context in which functions called for a cell run.
    pub fn context(&self) -> pg_sys::MemoryContext {
        self.context
    }

    /// `size` uninitialised bytes, aligned for any type, until [`RowMemory::reset`].
    #[inline]
    pub fn allocate(&mut self, size: usize) -> *mut u8 {
        let aligned = size.next_multiple_of(8);
        if aligned <= self.size - self.used {
            // SAFETY: inside the chunk.
            let place = unsafe { self.chunk.add(self.used) };
            self.used += aligned;
            return place;
        }
        // SAFETY: a live context. A size that PostgreSQL refuses raises its error.
        unsafe { pg_sys::MemoryContextAlloc(self.context, size).cast() }
    }

    /// A copy of `bytes`.
    #[inline]
    pub fn copy(&mut self, bytes: &[u8]) -> *mut u8 {
        let place = self.allocate(bytes.len());
        // SAFETY: fresh memory of that size.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
        place
    }

    /// Frees everything that was allocated.
    #[inline]
    pub fn reset(&mut self) {
        self.used = 0;
        // SAFETY: a live context. Nothing in it is used after the row has been stored.
        unsafe {
            if !(*self.context).isReset || !(*self.context).firstchild.is_null() {
                pg_sys::MemoryContextReset(self.context);
            }
        }
    }
}
