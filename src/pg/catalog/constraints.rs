//! Constraints: which ones are initially deferred, and what a violated check says.

use super::invalidation;
use super::query::{load, text};
use crate::error::Result;
use std::cell::RefCell;
use std::rc::Rc;

/// The schemas and names of constraints.
type Deferred = Rc<[[String; 2]]>;

thread_local! {
    /// The initially deferred constraints, and the generation in which they were read.
    static DEFERRED: RefCell<Option<(u64, Deferred)>> = const { RefCell::new(None) };
}

/// The constraints that are initially deferred.
pub fn initially_deferred() -> Result<Deferred> {
    let generation = invalidation::CONSTRAINTS.with(|constraints| constraints.get());
    let known = DEFERRED.with_borrow(|known| known.clone());
    if let Some((_, known)) = known.filter(|(of, _)| *of == generation) {
        return Ok(known);
    }
    let query = include_str!("../../../sql/query/catalog/initially_deferred.sql");
    let loaded: Option<Vec<[String; 2]>> = load("initially_deferred", query, &[])?;
    let loaded: Deferred = loaded.unwrap_or_default().into();
    DEFERRED.set(Some((generation, loaded.clone())));
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
