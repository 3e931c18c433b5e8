//! The half that touches PostgreSQL. Only code in here uses pgrx, SPI and `unsafe`.

mod access;
mod admit;
mod answer;
mod batch;
mod catalog;
mod execution;
mod ffi;
mod frame;
mod guc;
mod handle;
mod hooks;
mod identity;
mod json_schema;
mod keys;
mod lint_expression;
mod nested;
mod oauth;
mod observe;
mod openapi;
mod policy_expression;
mod postgrest;
mod quota;
mod record_source;
mod resource;
mod routes;
mod row_history;
mod row_sink;
mod row_version;
mod serve;
mod shared;
mod table_cache;
mod testing;
#[cfg(feature = "pg_test")]
mod tests;
mod timing;
mod versions;

use pgrx::pg_guard;

::pgrx::pg_module_magic!(name, version);

/// PostgreSQL calls this once, when it loads the library into a backend.
#[pg_guard]
pub extern "C-unwind" fn _PG_init() {
    guc::define();
    ffi::shared_memory::reserve();
    catalog::invalidation::register();
    frame::install_hook();
    ffi::planner::install_hook();
    ffi::lookups::install_hook();
}
