//! The growing body of a response: a varlena with its 4-byte header reserved, and room in front of it, so that the finished value
//! need not be copied.

use crate::pg::ffi::error::raise;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;

/// Bytes of a full varlena header.
const HEADER: usize = 4;
/// Bytes in front of the varlena that the caller may use when it is finished, to build a row that ends with it. Aligned like any
/// allocation.
pub const FRONT: usize = 512;
/// Bytes before the payload.
const BEFORE: usize = FRONT + HEADER;
/// The largest varlena PostgreSQL accepts, header included (`MaxAllocSize` of utils/memutils.h).
pub const MAX_VARLENA: usize = 0x3fff_ffff;
/// A smaller buffer would be reallocated by its first row.
const MIN_CAPACITY: usize = 256;

/// A growing bytea, text or json value in a given memory context, with a limit on its payload.
///
/// It has no destructor, because the memory belongs to the context, which also frees it when an error is raised.
pub struct BodyBuffer {
    start: *mut u8,
    /// Bytes in use, including those before the payload.
    used: usize,
    capacity: usize,
    /// The most payload bytes the body may have.
    limit: usize,
}

impl BodyBuffer {
    /// An empty body in `cx`, with room for `capacity` payload bytes and at most `limit` of them.
    ///
    /// # Safety
    /// `cx` must be a valid memory context that outlives the buffer.
    pub unsafe fn new(cx: pg_sys::MemoryContext, capacity: usize, limit: usize) -> Self {
        let capacity = capacity.clamp(MIN_CAPACITY, MAX_VARLENA - HEADER) + BEFORE;
        // SAFETY: the caller promises the context. A failed allocation raises an error and does not return.
        let start = unsafe { pg_sys::MemoryContextAllocHuge(cx, capacity) }.cast::<u8>();
        Self { start, used: BEFORE, capacity, limit: limit.min(MAX_VARLENA - HEADER) }
    }

    /// Payload bytes written so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.used - BEFORE
    }

    /// What has been written so far.
    pub fn payload(&self) -> &[u8] {
        // SAFETY: the bytes from BEFORE to `used` have been written.
        unsafe { std::slice::from_raw_parts(self.start.add(BEFORE), self.len()) }
    }

    /// Appends bytes as they are.
    #[inline]
    pub fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        // SAFETY: just reserved.
        unsafe { self.put_reserved(bytes) }
    }

    /// Appends one byte.
    #[inline]
    pub fn byte(&mut self, byte: u8) {
        self.reserve(1);
        // SAFETY: just reserved.
        unsafe { self.byte_reserved(byte) }
    }

    /// Ends a line that consists of the JSON text from payload byte `start` on. Line feeds within it, which are white space there
    /// because strings escape them, become blanks.
    pub fn end_json_line(&mut self, start: usize) {
        let end = self.len();
        // SAFETY: the bytes from BEFORE to `used` have been written, and nothing else refers to them.
        let payload = unsafe { std::slice::from_raw_parts_mut(self.start.add(BEFORE), end) };
        for byte in payload.iter_mut().skip(start).filter(|byte| matches!(byte, b'\n' | b'\r')) {
            *byte = b' ';
        }
        self.byte(b'\n');
    }

    /// Raises an error (SQLSTATE 54000) if the payload exceeds the limit.
    #[inline]
    pub fn check_limit(&self) {
        self.check_limit_with(0);
    }

    /// The same for the payload together with this many bytes.
    #[inline]
    pub fn check_limit_with(&self, bytes: usize) {
        if self.len().saturating_add(bytes) > self.limit {
            too_large(self.limit)
        }
    }

    /// The finished varlena. The caller knows whether it is bytea, text or json. Checks the limit a last time. The [`FRONT`] bytes
    /// before it may be written. Because of them, the value must not be passed to pfree or repalloc.
    ///
    /// # Safety
    /// The memory context given to [`BodyBuffer::new`] must still exist, and outlive the use of the datum.
    pub unsafe fn finish(self) -> pg_sys::Datum {
        self.check_limit();
        // SAFETY: front and header were reserved, and check_limit keeps `used` within the size that a varlena header can hold.
        unsafe {
            let varlena = self.start.add(FRONT);
            pgrx::set_varsize_4b(varlena.cast(), (self.used - FRONT) as i32);
            pg_sys::Datum::from(varlena)
        }
    }

    /// Frees the memory at once, instead of with its context.
    pub fn free(self) {
        // SAFETY: MemoryContextAllocHuge allocated `start`, and only this buffer owns it.
        unsafe { pg_sys::pfree(self.start.cast()) }
    }

    /// Makes room for `additional` bytes.
    #[inline(always)]
    pub(super) fn reserve(&mut self, additional: usize) {
        if self.capacity - self.used < additional {
            self.grow(additional);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, additional: usize) {
        // Rows are checked when they are complete, but a single row of many huge values must not grow without bound either.
        self.check_limit();
        let capacity = (self.capacity * 2).max(self.used + additional);
        // SAFETY: MemoryContextAllocHuge allocated `start`, and only this buffer owns it.
        self.start = unsafe { pg_sys::repalloc_huge(self.start.cast(), capacity) }.cast();
        self.capacity = capacity;
    }

    /// Appends bytes without checking for room.
    ///
    /// # Safety
    /// `bytes.len()` bytes must have been reserved.
    #[inline(always)]
    pub(super) unsafe fn put_reserved(&mut self, bytes: &[u8]) {
        debug_assert!(self.capacity - self.used >= bytes.len());
        // SAFETY: the caller reserved the room. `bytes` cannot overlap it, because nothing borrows the unused part.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start.add(self.used), bytes.len()) };
        self.used += bytes.len();
    }

    /// Appends a byte without checking for room.
    ///
    /// # Safety
    /// A byte must have been reserved.
    #[inline(always)]
    pub(super) unsafe fn byte_reserved(&mut self, byte: u8) {
        debug_assert!(self.used < self.capacity);
        // SAFETY: the caller reserved the room.
        unsafe { *self.start.add(self.used) = byte };
        self.used += 1;
    }

    /// Where the next byte goes. For writers that fill reserved room themselves and then call [`Self::advance`].
    #[inline(always)]
    pub(super) fn spare(&mut self) -> *mut u8 {
        // SAFETY: `used` never passes `capacity`, so this is within the allocation or one past its end.
        unsafe { self.start.add(self.used) }
    }

    /// Counts `written` bytes, written at [`Self::spare`], as part of the payload.
    ///
    /// # Safety
    /// They must have been reserved and written.
    #[inline(always)]
    pub(super) unsafe fn advance(&mut self, written: usize) {
        debug_assert!(self.capacity - self.used >= written);
        self.used += written;
    }

    /// Drops payload bytes beyond the first `len`.
    #[inline(always)]
    pub(super) fn truncate(&mut self, len: usize) {
        debug_assert!(len <= self.len());
        self.used = self.used.min(BEFORE + len);
    }

    /// Turns parts of the payload around. `starts`: where each part begins. `between`: how many bytes, which stay, are between a part and the
    /// next one. The last part ends with the payload.
    pub(super) fn turn_around(&mut self, starts: &[usize], between: usize) {
        let Some(first) = starts.first().copied().filter(|first| *first <= self.len()) else { return };
        let turned = turned_around(self.payload(), starts, between);
        self.truncate(first);
        self.put(&turned);
    }

    /// Replaces the payload byte at `position`, if there is one.
    #[inline(always)]
    pub(super) fn replace(&mut self, position: usize, byte: u8) {
        if position < self.len() {
            // SAFETY: within the written payload.
            unsafe { *self.start.add(BEFORE + position) = byte };
        }
    }
}

/// The bytes from the first of the starts on, with their parts in reverse.
fn turned_around(bytes: &[u8], starts: &[usize], between: usize) -> Vec<u8> {
    let mut turned = Vec::with_capacity(bytes.len());
    let mut end = bytes.len();
    for (i, start) in starts.iter().enumerate().rev() {
        turned.extend_from_slice(bytes.get(*start..end).unwrap_or_default());
        end = start.saturating_sub(between);
        if i > 0 {
            turned.extend_from_slice(bytes.get(end..*start).unwrap_or_default());
        }
    }
    turned
}

#[cold]
#[inline(never)]
fn too_large(limit: usize) -> ! {
    raise(
        SqlState::PROGRAM_LIMIT_EXCEEDED,
        &format!("the response is larger than {limit} bytes, the limit set by restful.max_response_bytes"),
        None,
        Some("Ask for fewer rows with limit=, or for fewer columns with select=."),
    )
}

#[cfg(test)]
mod tests {
    use super::turned_around;

    #[test]
    fn parts_are_turned_around_with_what_is_between_them() {
        for (text, starts, between, turned) in [
            ("[1,22,333", &[1, 3, 6][..], 1, "333,22,1"),
            ("[1", &[1], 1, "1"),
            ("h\n1\n\n3", &[2, 4, 5], 1, "3\n\n1"),
            ("[", &[], 1, ""),
            ("[1,", &[1, 3], 1, ",1"),
            ("1\n22\n", &[0, 2], 0, "22\n1\n"),
        ] {
            assert_eq!(String::from_utf8_lossy(&turned_around(text.as_bytes(), starts, between)), turned);
        }
    }
}
