//! JSON Schema: drafts 4, 6, 7, 2019-09 and 2020-12.

pub mod of_table;
mod watch;

pub use watch::{Unwatched, Watch};
