//! SQL text and its parameters. Pure and deterministic: equal plans render to equal texts.

pub mod ident;
pub mod plan_choice;
mod render;
mod render_call;
mod render_count;
mod render_each;
mod render_embed;
mod render_keyset;
mod render_one;
mod render_patch;
mod render_together;
mod render_write;

pub use ident::Ident;
pub use render::{main, rendered};
pub use render_count::{count, counted};
pub use render_each::repeated;
pub use render_keyset::region;
pub use render_one::of_one_object;
pub use render_write::{
    RECORDS_BARE, RECORDS_KEYLESS, RECORDS_LINES, RECORDS_REQUIRED, RECORDS_TEXTS, RECORDS_UNIFORM, given,
};

use crate::query::ValueId;

/// A statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// One SQL statement. Its identifiers come from the catalogue, and its literals are parameters.
    pub sql: String,
    /// The parameters in order. PostgreSQL infers their types, as it does for literals.
    pub parameters: Vec<Parameter>,
    /// How many of its last result columns are hidden ([`crate::plan::Select::hidden`]).
    pub hidden: usize,
    /// How many result columns after all others are the keys of the rows ([`crate::plan::Select::keyset`]).
    pub keys: usize,
}

/// Where a parameter gets its value at each execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A literal of the request.
    Literal(ValueId, Form),
    /// Several literals of the request, as an array.
    Items(Vec<ValueId>),
    /// The smaller of a requested and an allowed limit.
    Limit(ValueId, Option<u64>),
    /// A text that belongs to the shape of the request: a key of a JSON path, or the keys of the body.
    Constant(String),
    /// The body's bytes.
    Body,
    /// The value that a body of one object has for a column or an argument, by the number of that column or argument, from 0.
    Member(usize),
}

/// How a literal is passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Unchanged.
    Text,
    /// A LIKE pattern in which `*` stands for `%`.
    Pattern,
    /// A list, as an array.
    Array,
}

/// An array in PostgreSQL's text form (PostgreSQL docs, 8.15.2).
pub fn array_literal<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let mut text = String::from("{");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        for c in item.as_ref().chars() {
            if c == '"' || c == '\\' {
                text.push('\\');
            }
            text.push(c);
        }
        text.push('"');
    }
    text.push('}');
    text
}
