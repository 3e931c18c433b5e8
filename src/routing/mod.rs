//! Routes that a database declares: patterns, the tree that finds one, and the arguments of its function. Pure.

pub mod arguments;
pub mod example;
pub mod pattern;
pub mod query_schema;
pub mod table;
