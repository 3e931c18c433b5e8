//! Counts the rows that a request would return without its page.

use super::prepared::{Prepared, Values, hides_rows};
use crate::error::{Code, Error, Result};
use crate::http::prefer::Count;
use crate::pg::guc;
use crate::pg::row_sink::{BodyBuffer, RowShape};
use crate::plan::{Plan, Select};
use crate::statement::{self, Statement};
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::CString;
use std::rc::Rc;

/// The statements that count. Each is prepared when it is first needed.
#[derive(Default)]
pub struct Totals {
    exact: RefCell<Option<Rc<Prepared>>>,
    bounded: RefCell<Option<Rc<Prepared>>>,
    planned: RefCell<Option<Rc<Prepared>>>,
}

/// The rows to count, and what is needed to count them.
pub struct Counting<'a> {
    pub plan: &'a Plan,
    /// The SELECT whose rows are counted.
    pub select: &'a Select,
    /// The statement that returns the rows.
    pub main: &'a Prepared,
    pub values: &'a Values<'a>,
    pub memory: pg_sys::MemoryContext,
}

impl Totals {
    /// The total number of rows.
    ///
    /// # Errors
    /// The statement that counts fails.
    pub fn total(&self, count: Count, of: &Counting) -> Result<u64> {
        let select = of.select;
        let counted = |slot, bound| -> Result<u64> {
            let text = one_value(slot, || statement::count(select, bound), of.values, of.memory, true)?;
            Ok(text.parse().unwrap_or(0))
        };
        let mut known = 0;
        if let (Count::Estimated, Some(cap)) = (count, select.limit.cap) {
            known = counted(&self.bounded, Some(cap + 1))?;
            if known <= cap {
                return Ok(known);
            }
        }
        if count != Count::Exact
            && let Some(expected) = self.planned_total(of)?
        {
            return Ok(expected.max(known));
        }
        counted(&self.exact, None)
    }

    /// The planner's estimate. It comes from statistics of all rows, so it is `None` if it would disclose something about rows that the
    /// role may not read, unless requests may see plans, which have estimates anyway.
    fn planned_total(&self, of: &Counting) -> Result<Option<u64>> {
        let select = of.select;
        let is_shown = guc::plan_enabled();
        // The relations that a computed embed reads are known only once its function is planned as part of the statement.
        if !is_shown && (of.main.reads_hidden_rows() || select.embeds.iter().any(|e| e.is_computed())) {
            return Ok(None);
        }
        let explain = || {
            let mut statement = statement::counted(select);
            statement.sql.insert_str(0, "EXPLAIN (FORMAT JSON, VERBOSE) ");
            statement
        };
        // SPI treats EXPLAIN as a statement that may write, whatever it explains.
        let text = one_value(&self.planned, explain, of.values, of.memory, false)?;
        let plan: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        // The planner inlines functions, the called one and those of views. The analysis does not know which relations they read.
        let is_of_relations = matches!(of.plan, Plan::Call(_)) && text.contains("\"Relation Name\"");
        if !is_shown && (is_of_relations || reads_hidden_rows(&plan)) {
            return Ok(None);
        }
        let rows = plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_f64).map(|rows| rows as u64);
        Ok(Some(rows.ok_or_else(|| Error::new(Code::Setting, "The planner's estimate could not be read"))?))
    }
}

/// Runs a statement other than the main one and returns its only value.
pub(super) fn one_value(
    slot: &RefCell<Option<Rc<Prepared>>>,
    statement: impl FnOnce() -> Statement,
    values: &Values,
    memory: pg_sys::MemoryContext,
    read_only: bool,
) -> Result<String> {
    let known = slot.borrow().clone();
    let prepared = match known {
        Some(prepared) => prepared,
        None => {
            let prepared = Rc::new(Prepared::new(statement(), true)?);
            slot.replace(Some(prepared.clone()));
            prepared
        }
    };
    // SAFETY: the context is the caller's and outlives the request.
    let buffer = unsafe { BodyBuffer::new(memory, 1024, usize::MAX) };
    let (_, buffer) = prepared.run(values, read_only, buffer, RowShape::Raw)?;
    Ok(String::from_utf8_lossy(buffer.payload()).into_owned())
}

/// Whether a part of a plan (EXPLAIN VERBOSE, as JSON) reads a relation with rows that the current user may not read.
fn reads_hidden_rows(plan: &serde_json::Value) -> bool {
    use serde_json::Value;
    match plan {
        Value::Object(node) => {
            let name = |member: &str| node.get(member).and_then(Value::as_str).and_then(|name| CString::new(name).ok());
            let is_hidden = node.contains_key("Relation Name")
                && name("Schema").zip(name("Relation Name")).is_none_or(|(schema, relation)| {
                    // SAFETY: lookups in the system caches; with missing_ok an unknown name gives InvalidOid.
                    let relation = unsafe {
                        let schema = pg_sys::get_namespace_oid(schema.as_ptr(), true);
                        pg_sys::get_relname_relid(relation.as_ptr(), schema)
                    };
                    relation == pg_sys::InvalidOid || hides_rows(relation)
                });
            is_hidden || node.values().any(reads_hidden_rows)
        }
        Value::Array(parts) => parts.iter().any(reads_hidden_rows),
        _ => false,
    }
}
