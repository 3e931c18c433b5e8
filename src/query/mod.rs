//! The URL grammar of the dialect: from parameters to a [`Query`] and back. Pure; `parse(display(q)) == q`.

pub mod ast;
mod cursor;
mod display;
mod parse;

pub use ast::*;
pub use display::{quote, quote_always, quote_hint};
pub use parse::parse;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
pub mod random;
