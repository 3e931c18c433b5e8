//! The result of a request, before it is judged. Pure.

use super::Named;
use crate::http::MediaType;
use crate::http::range::Page;
use crate::keyset::Ends;
use crate::plan::allow::Description;
use crate::plan::media::Holds;
use serde_json::Value;
use std::rc::Rc;

/// The result of a request.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "there is one per request, and nearly always an effect")]
pub enum Outcome {
    /// What can be done with the resource.
    Described(Description),
    /// The API description is the body.
    Document,
    /// Why the row is visible, as JSON.
    Explained(Value),
    /// A statement has run.
    Effect(Effect),
}

/// The effect of a statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// The number of rows in the body.
    pub rows: u64,
    /// The number of rows that were changed, or returned by a function, including those that are not in the body.
    pub affected: u64,
    /// The called function may write.
    pub may_write: bool,
    /// The number of affected rows that existed before an upsert.
    pub updated: u64,
    /// The total number of rows, if it was asked for.
    pub total: Option<u64>,
    /// The primary key of the created row, if exactly one was created: columns and values.
    pub key: Option<Vec<(String, Value)>>,
    /// The function returns nothing.
    pub is_void: bool,
    /// The relation has a key that an upsert can use.
    pub has_conflict_target: bool,
    /// It is a list of which a page can be asked for.
    pub is_list: bool,
    /// The rows at the ends of a page that a cursor asked for.
    pub ends: Option<Ends>,
    /// The media type of the body.
    pub media: MediaType,
    /// How the body holds the result of a function.
    pub holds: Holds,
    /// Which rows the elements of the body named, if it named rows.
    pub named: Option<Named>,
    /// The hidden columns of its rows.
    pub hidden: Captured,
    /// The first hidden column is the version of the row, and the second, if any, when it was last changed.
    pub names_version: bool,
    /// A hash of the body, if the version does not say what is in it.
    pub digest: Option<[u8; 16]>,
    /// The statement has tested preconditions on the rows that it changes.
    pub is_guarded: bool,
    /// The directives of Cache-Control for a read.
    pub cache_control: Option<Rc<str>>,
}

/// The hidden columns ([`crate::plan::Select::hidden`]) of the first and of the last row of a result; a null is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// Of the first row. Empty without rows.
    pub first: Vec<Option<Vec<u8>>>,
    /// Of the last row, if it is another.
    pub later: Vec<Option<Vec<u8>>>,
}

impl Captured {
    /// Those of the last row. Empty without rows.
    pub fn last(&self) -> &[Option<Vec<u8>>] {
        if self.later.is_empty() { &self.first } else { &self.later }
    }
}

impl Effect {
    /// The number of rows that a POST returns, or would return: its page may hold fewer than it creates.
    pub fn shown(&self, page: Page) -> u64 {
        let behind = self.affected.saturating_sub(page.offset);
        page.limit.map_or(behind, |limit| behind.min(limit))
    }

    /// Whether the body is PostgreSQL's plan of the statement.
    pub fn is_plan(&self) -> bool {
        matches!(self.media, MediaType::Plan(_))
    }
}
