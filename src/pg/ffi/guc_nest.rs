//! Settings that hold for a while (guc.h).

use super::setting;
use super::unguarded;
use pgrx::pg_sys;
use std::ffi::{CStr, c_int};

/// A nest level of settings: what is set within it is put back when it is dropped, after an error too.
pub struct GucNest {
    level: c_int,
}

impl GucNest {
    /// Opens a level.
    #[must_use]
    pub fn open() -> Self {
        // SAFETY: counts a level; it is closed when the value is dropped.
        GucNest { level: unsafe { unguarded::NewGUCNestLevel() } }
    }

    /// Opens a level in which names mean PostgreSQL's own objects, unless they are qualified.
    #[must_use]
    pub fn with_pinned_path() -> Self {
        let nest = GucNest::open();
        nest.set(c"search_path", c"pg_catalog, pg_temp");
        nest
    }

    /// Sets a setting until the level is closed.
    ///
    /// Raises PostgreSQL's error when the value is not one of the setting's.
    pub fn set(&self, name: &CStr, value: &CStr) {
        setting::set_for_request(name, value, pg_sys::GucContext::PGC_USERSET);
    }
}

impl Drop for GucNest {
    fn drop(&mut self) {
        // SAFETY: the level is this value's. Where an error passes, levels within it are closed with it; putting values back raises
        // none.
        unsafe { unguarded::AtEOXact_GUC(false, self.level) };
    }
}
