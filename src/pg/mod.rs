//! The half that touches PostgreSQL: the only place for pgrx, SPI and unsafe code.

mod record_source;
mod row_sink;
mod whole_errors;

::pgrx::pg_module_magic!(name, version);
