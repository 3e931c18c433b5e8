//! The ground floor of this half: PostgreSQL's calling convention, errors, values, lists and settings. It uses nothing else of
//! `src/pg/`.

pub mod at_exit;
pub mod canonical_text;
pub mod captured;
pub mod catalog_scan;
pub mod clock;
pub mod composite;
pub mod connection;
pub mod embed_functions;
pub mod error;
pub mod fmgr;
pub mod guc_nest;
pub mod jsonb;
pub mod keyed_table;
pub mod log;
pub mod lookups;
pub mod nodes;
pub mod own_tables;
pub mod planner;
pub mod preserving_error_data;
pub mod privileges;
pub mod relcache;
pub mod result_set;
pub mod setting;
pub mod shared_memory;
pub mod snapshot;
pub mod subtransaction;
pub mod syscache;
pub mod touched;
pub mod unguarded;
pub mod user;
pub mod varlena;
pub mod version_functions;
