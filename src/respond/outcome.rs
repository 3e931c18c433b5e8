//! What came of what was asked. Pure.

use crate::http::MediaType;
use crate::http::range::Page;
use serde_json::Value;

/// What came of what was asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The methods that the resource allows.
    Allow(String),
    /// The description of the API; it is the body.
    Document,
    /// Why the row is seen, as JSON.
    Explained(Value),
    /// A statement has run.
    Effect(Effect),
}

/// What a statement did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// Rows in the body.
    pub rows: u64,
    /// Rows changed, or returned by a function, whatever is in the body.
    pub affected: u64,
    /// The called function may write.
    pub may_write: bool,
    /// Of the affected rows, those that existed before an upsert.
    pub updated: u64,
    /// Rows there are in all, if it was asked for.
    pub total: Option<u64>,
    /// The primary key of the one created row: columns and values.
    pub key: Option<Vec<(String, Value)>>,
    /// The function returns nothing.
    pub is_void: bool,
    /// The relation has a key to upsert by.
    pub has_conflict_target: bool,
    /// The representation.
    pub media: MediaType,
}

impl Effect {
    /// The rows that a POST shows, or would show: its page may hold fewer than it creates.
    pub fn shown(&self, page: Page) -> u64 {
        let behind = self.affected.saturating_sub(page.offset);
        page.limit.map_or(behind, |limit| behind.min(limit))
    }

    /// The body is PostgreSQL's plan of the statement.
    pub fn is_plan(&self) -> bool {
        matches!(self.media, MediaType::Plan(_))
    }
}
