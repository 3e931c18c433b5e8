//! Constraints: which ones are deferrable, and what a violated check says.

use super::invalidation;
use super::query::{load, text};
use crate::error::Result;
use std::cell::RefCell;
use std::rc::Rc;

/// The deferrable constraints of the database.
#[derive(Default, serde::Deserialize)]
pub struct Deferrable {
    /// Whether there are any.
    pub any: bool,
    /// Whether checking one may run code of users: a trigger, or an expression of an index.
    pub runs_user_code: bool,
    /// The schemas and names of those that are initially deferred.
    pub initially_deferred: Vec<[String; 2]>,
}

thread_local! {
    /// The deferrable constraints, and the generation in which they were read.
    static DEFERRABLE: RefCell<Option<(u64, Rc<Deferrable>)>> = const { RefCell::new(None) };
}

/// The constraints that can be deferred.
pub fn deferrable() -> Result<Rc<Deferrable>> {
    let generation = invalidation::CONSTRAINTS.with(|constraints| constraints.get());
    let known = DEFERRABLE.with_borrow(|known| known.clone());
    if let Some((_, known)) = known.filter(|(of, _)| *of == generation) {
        return Ok(known);
    }
    let query = include_str!("../../../sql/query/catalog/deferrable.sql");
    let loaded: Option<Deferrable> = load("deferrable", query, &[])?;
    let loaded = Rc::new(loaded.unwrap_or_default());
    DEFERRABLE.set(Some((generation, loaded.clone())));
    Ok(loaded)
}

/// A check constraint, as far as the current user may see it.
#[derive(serde::Deserialize)]
pub struct CheckConstraint {
    pub columns: Vec<String>,
    /// `CHECK (...)`
    pub rule: String,
    pub comment: Option<String>,
}

/// The check constraint of a table.
pub fn check_constraint(schema: &str, table: &str, name: &str) -> Result<Option<CheckConstraint>> {
    let query = include_str!("../../../sql/query/catalog/check_constraint.sql");
    load("check_constraint", query, &[text(schema), text(table), text(name)])
}
