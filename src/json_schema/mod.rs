//! JSON Schema: drafts 4, 6, 7, 2019-09 and 2020-12.

pub mod binary;
mod compile;
mod constant;
mod cost;
mod evolve;
mod example;
mod inclusion;
pub mod of_table;
mod pattern;
mod references;
mod refusal;
mod report;
#[cfg(test)]
mod soundness_tests;
#[cfg(test)]
mod tests;
pub mod text;
mod watch;

pub use compile::{Compiled, Formats, Lookup, Source, compile, patterns};
use constant::{WHOLE, double_of_fraction, equals_constant};
pub use evolve::{Change, Direction, Options, Verdict, changes};
pub use refusal::Refusal;
pub use report::{Values, messages, violations};
pub use watch::{Unwatched, Watch};
