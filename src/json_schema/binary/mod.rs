//! Stored `jsonb` values (PostgreSQL's utils/jsonb.h) as the validator reads them: in place, without building a tree.
//!
//! A value is its bytes and its type. Children are found through the entries of their container, which hold lengths and, every
//! 32nd, an offset. Nothing is trusted: a child outside of its container is reported to [`crate::json_schema::Watch`], and counts
//! as absent. Nothing recurses.

mod compare;
mod container;
mod node;
mod number;
mod representation;
mod tree;

pub use node::{BinaryNode, Elements};
pub use number::Numeric;
pub use representation::{BinaryArray, BinaryJson, BinaryObject, Members};
pub use tree::{Loss, tree};

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
