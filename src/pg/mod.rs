//! The half that touches PostgreSQL: the only place for pgrx, SPI and unsafe code.

mod access;
mod act_as;
mod api_keys;
mod catalog;
mod deferred_constraints;
mod denial;
mod execution;
mod expression;
mod ffi;
mod guc;
mod handle;
mod identity;
mod keys;
mod lint;
mod oauth;
mod openapi;
mod record_source;
mod role;
mod row_sink;
mod schema_of;
mod serve;
mod session;
#[cfg(feature = "pg_test")]
mod tests;
mod timeout;
mod tokens;
mod utility;
mod validate;

use pgrx::pg_guard;

::pgrx::pg_module_magic!(name, version);

/// Called once by PostgreSQL, when the library is loaded into a backend.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    guc::define();
    catalog::invalidation::register();
    utility::install_hook();
}
