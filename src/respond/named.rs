//! Writes whose body names the rows one by one: what came of each element. Pure.

use crate::ask::Ask;
use crate::error::{Code, Error, Result};
use crate::http::MediaType;
use crate::http::prefer::{Handling, Return};
use crate::limits;
use crate::payload::{BodyShape, row_keys};
use crate::plan::Each;
use serde_json::Value;

/// Which elements of the body named a row that was changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named {
    /// The columns of the primary key.
    key: Vec<String>,
    /// For each element, how many rows it named.
    rows: Vec<u32>,
}

impl Named {
    /// `given`: how many elements the body has. `elements`: for each changed row, the number of its element, from 1.
    pub fn of(each: &Each, given: usize, elements: &[i64]) -> Self {
        let mut rows = vec![0u32; given];
        for element in elements {
            let place = usize::try_from(*element).ok().and_then(|n| n.checked_sub(1)).and_then(|n| rows.get_mut(n));
            if let Some(count) = place {
                *count += 1;
            }
        }
        Named { key: each.columns.iter().take(each.keys).map(|c| c.column.clone()).collect(), rows }
    }

    /// How many elements there are.
    pub fn given(&self) -> usize {
        self.rows.len()
    }

    /// How many elements named a row.
    pub fn found(&self) -> usize {
        self.rows.iter().filter(|rows| **rows > 0).count()
    }

    /// How many rows were changed.
    pub fn rows(&self) -> u64 {
        self.rows.iter().map(|rows| u64::from(*rows)).sum()
    }

    /// Refuses a body that names a row twice. `repeated`: the numbers of two elements with the same key, from 1, with a blank between
    /// them; empty if there are none.
    ///
    /// # Errors
    /// PGRST102 (400).
    pub fn refuse_repeated(&self, repeated: &str) -> Result<()> {
        let index = |text: &str| text.parse::<u64>().unwrap_or_default().saturating_sub(1);
        let Some((first, second)) = repeated.split_once(' ') else { return Ok(()) };
        Err(Error::new(Code::Body, "The body names the same row twice")
            .details(format!("The elements with the indexes {} and {} have the same key.", index(first), index(second)))
            .hint("Give each row once."))
    }

    /// Refuses a write that did not find every row, unless a report is to say so, and one that found several rows for a key.
    ///
    /// # Errors
    /// REST404 (404) with the keys that were not found; PGRST116 (406).
    pub fn judge(&self, ask: &Ask) -> Result<()> {
        if let Some(index) = self.rows.iter().position(|rows| *rows > 1) {
            let rows = self.rows.get(index).copied().unwrap_or_default();
            return Err(Error::new(Code::Singular, "A key names more than one row")
                .details(format!("{rows} rows have the key of the element with the index {index}")));
        }
        let missing = self.given() - self.found();
        if missing == 0 || self.reports_missing(ask) {
            return Ok(());
        }
        let rows = if missing == 1 {
            "1 row that the body names was".to_owned()
        } else {
            format!("{missing} rows that the body names were")
        };
        let found = self.outcomes(ask, limits::REPORTED_ROWS, |index| self.rows.get(index) == Some(&0));
        let key = |text: String| serde_json::from_str::<Value>(&text).unwrap_or_default();
        let found = found.into_iter().map(|(index, text)| serde_json::json!({ "index": index, "key": key(text) }));
        Err(Error::new(Code::Item, format!("{rows} not found, so nothing was changed"))
            .details(Value::Array(found.collect()))
            .hint("Leave them out, or change the others: Prefer: handling=lenient, return=report."))
    }

    /// Whether missing rows are reported, and the others changed.
    fn reports_missing(&self, ask: &Ask) -> bool {
        ask.request.preferences.handling == Some(Handling::Lenient) && reports(ask)
    }

    /// The report: for each element in order its index, its key and its status.
    pub fn report(&self, ask: &Ask, media: &MediaType) -> Vec<u8> {
        let is_lines = matches!(media, MediaType::NdJson(_));
        let mut body = Vec::with_capacity(self.given() * 48 + 2);
        body.extend_from_slice(if is_lines { b"" } else { b"[" });
        for (index, key) in self.outcomes(ask, usize::MAX, |_| true) {
            let status = if self.rows.get(index).is_some_and(|rows| *rows > 0) { 200 } else { 404 };
            if index > 0 && !is_lines {
                body.push(b',');
            }
            body.extend_from_slice(format!(r#"{{"index":{index},"key":{key},"status":{status}}}"#).as_bytes());
            if is_lines {
                body.push(b'\n');
            }
        }
        body.extend_from_slice(if is_lines { b"" } else { b"]" });
        body
    }

    /// The keys of the wanted elements, as JSON on one line.
    fn outcomes(&self, ask: &Ask, most: usize, wanted: impl Fn(usize) -> bool) -> Vec<(usize, String)> {
        let BodyShape::Rows(shape) = &ask.shape.body else { return Vec::new() };
        let keys = row_keys(&ask.payload, shape, &self.key, most, wanted);
        // A line feed is white space in JSON, and the end of a report's line.
        let text = |key: Vec<u8>| String::from_utf8_lossy(&key).replace(['\n', '\r'], " ");
        keys.into_iter().map(|(index, key)| (index, text(key))).collect()
    }
}

/// Whether the answer is a report.
pub fn reports(ask: &Ask) -> bool {
    ask.request.preferences.representation == Some(Return::Report)
}
