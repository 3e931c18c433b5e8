//! Settings that are restored afterwards (guc.h).

use super::setting;
use super::unguarded;
use pgrx::pg_sys;
use std::ffi::{CStr, c_int};

/// A nest level of settings. Dropping it restores the settings changed within it, also after an error.
pub struct GucNest {
    level: c_int,
}

impl GucNest {
    /// Opens a level.
    #[must_use]
    pub fn open() -> Self {
        GucNest { level: unguarded::NewGUCNestLevel() }
    }

    /// Opens a level in which unqualified names mean PostgreSQL's own objects.
    #[must_use]
    pub fn with_pinned_path() -> Self {
        let nest = GucNest::open();
        nest.set(c"search_path", c"pg_catalog, pg_temp");
        nest
    }

    /// Sets a setting until the level is closed.
    ///
    /// Raises PostgreSQL's error if the setting does not allow the value.
    pub fn set(&self, name: &CStr, value: &CStr) {
        setting::set_for_request(name, value, pg_sys::GucContext::PGC_USERSET);
    }
}

impl Drop for GucNest {
    fn drop(&mut self) {
        // SAFETY: this value opened the level. After an error, this closes the levels within it, too. Restoring values raises no errors.
        unsafe { unguarded::AtEOXact_GUC(false, self.level) };
    }
}
