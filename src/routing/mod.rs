//! Routes that a database declares: patterns, the tree that finds one, and the arguments of its function. Pure.

pub mod arguments;
pub mod pattern;
pub mod table;
