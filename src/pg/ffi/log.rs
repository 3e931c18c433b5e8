//! Lines of the server's log.

use super::unguarded::under_one_guard;
use pgrx::pg_sys;
use std::ffi::CString;

/// Writes a line of level LOG, without the statement that is running, whose text may hold a token.
pub fn line(text: &str) {
    let Ok(text) = CString::new(text) else { return };
    // SAFETY: a report of a level below ERROR, which returns; errors, such as a lack of memory, are guarded.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| under_one_guard::log(&text)) }
}
