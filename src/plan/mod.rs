//! Plans: resolves names against the catalogue, or refuses. Pure.

mod absent;
pub mod action;
pub mod allow;
mod arguments;
pub mod ast;
pub mod call;
mod columns;
mod condition;
mod each;
pub mod embed;
#[cfg(any(test, feature = "fuzzing"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_errors_doc)]
pub mod fixture;
mod keyset;
pub mod media;
mod planner;
pub mod read;
pub mod write;

pub use action::ActionPlan;
pub use ast::*;
pub use embed::Link;
pub use planner::Planner;
