//! Plans run: found in the backend's cache of prepared statements, or made.

use crate::error::{Code, Error, Result};
use crate::http::prefer::Count;
use crate::http::{MediaType, Request};
use crate::limits;
use crate::pg::catalog;
use crate::pg::prepared::{Prepared, Values};
use crate::pg::row_sink::{BodyBuffer, RowShape};
use crate::plan::{CallResult, Change, Plan, Returning, RowLimit, Select};
use crate::query::Query;
use crate::respond::Outcome;
use crate::route::{Action, Resource};
use crate::statement;
use lru::LruCache;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::rc::Rc;

thread_local! {
    /// Never dropped: at the end of the process there is nothing left to free plans with.
    static PLANS: ManuallyDrop<RefCell<LruCache<String, Rc<Work>>>> = ManuallyDrop::new(RefCell::new(LruCache::new(
        NonZeroUsize::new(limits::PLANS).unwrap_or(NonZeroUsize::MIN),
    )));
    static UPDATED: Cell<u64> = const { Cell::new(0) };
}

/// A row that was there already is about to be updated by an upsert.
pub fn count_update() {
    UPDATED.set(UPDATED.get() + 1);
}

/// What a request of one shape takes to run.
pub struct Work {
    plan: Plan,
    main: Prepared,
    /// The statements that count, made when they are first needed.
    exact: RefCell<Option<Rc<Prepared>>>,
    planned: RefCell<Option<Rc<Prepared>>>,
    relations: Vec<u32>,
    has_conflict_target: bool,
    is_void: bool,
}

/// Everything besides the shape that a plan depends on.
pub struct Key<'a> {
    pub action: &'a Action,
    pub request: &'a Request<'a>,
    pub query: &'a Query,
    pub body_shape: &'a str,
    pub settings: &'a crate::plan::PlanSettings,
}

impl Key<'_> {
    /// The text under which the work is kept. The role is part of it: plans under row-level security are made for one.
    fn text(&self) -> String {
        use std::fmt::Write;
        let mut text = String::with_capacity(128);
        // SAFETY: reads a global.
        let role = unsafe { pg_sys::GetUserId() }.to_u32();
        let p = &self.request.preferences;
        let _ = write!(
            text,
            "{role}\u{1}{:?}\u{1}{}\u{1}{:?}{:?}{:?}\u{1}{:?}{}\u{1}",
            self.action.verb,
            self.action.schema,
            p.representation.map(|r| r as u8),
            p.resolution.map(|r| r as u8),
            p.missing.map(|m| m as u8),
            self.settings.max_rows,
            self.settings.aggregates,
        );
        match &self.action.resource {
            Resource::Root => {}
            Resource::Collection { relation } => text.push_str(relation),
            Resource::Item { relation, key } => {
                let _ = write!(text, "{relation}\u{2}{}", key.len());
            }
            Resource::Function { name } => text.push_str(name),
        }
        text.push('\u{1}');
        text.push_str(self.body_shape);
        text.push('\u{1}');
        self.query.write_shape(&mut text);
        text
    }
}

/// Forgets plans that a change of the catalogue has made stale; called once per request, before anything is looked up.
pub fn forget_stale() {
    catalog::refresh(|stale| {
        PLANS.with(|plans| {
            let mut plans = plans.borrow_mut();
            let (relations, functions) = match stale {
                catalog::Stale::All => return plans.clear(),
                catalog::Stale::Of { relations, functions } => (relations, functions),
            };
            let is_stale = |work: &Work| {
                (functions && matches!(work.plan, Plan::Call(_)))
                    || work.relations.iter().any(|r| relations.contains(r))
            };
            let gone: Vec<String> =
                plans.iter().filter(|(_, work)| is_stale(work)).map(|(key, _)| key.clone()).collect();
            for key in gone {
                plans.pop(&key);
            }
        });
    });
}

/// The work of a request, from the cache or made by `plan`.
pub fn prepare(key: &Key, plan: impl FnOnce() -> Result<Plan>) -> Result<Rc<Work>> {
    let text = key.text();
    if let Some(work) = PLANS.with(|plans| plans.borrow_mut().get(&text).cloned()) {
        return Ok(work);
    }
    catalog::take_used();
    let plan = plan()?;
    let mut relations = catalog::take_used();
    relations.sort_unstable();
    relations.dedup();
    let main = Prepared::new(statement::main(&plan), key.request.method.is_safe())?;
    let work = Rc::new(Work {
        has_conflict_target: match &plan {
            Plan::Write(write) => matches!(&write.change, Change::Insert { conflict: Some(_), .. }),
            _ => false,
        },
        is_void: matches!(&plan, Plan::Call(call) if matches!(call.result, CallResult::Void)),
        plan,
        main,
        exact: RefCell::default(),
        planned: RefCell::default(),
        relations,
    });
    PLANS.with(|plans| plans.borrow_mut().put(text, work.clone()));
    Ok(work)
}

impl Work {
    /// The SELECT whose rows are the response.
    fn select(&self) -> Option<&Select> {
        match &self.plan {
            Plan::Read(select) => Some(select),
            Plan::Write(write) => match &write.returning {
                Returning::Rows(select) => Some(select),
                _ => None,
            },
            Plan::Call(call) => match &call.result {
                CallResult::Row(select) | CallResult::Rows(select) | CallResult::ScalarSet(select) => Some(select),
                _ => None,
            },
        }
    }

    /// Runs the statements. The body is written to `memory`, and handed back with what was done.
    pub fn run(
        &self,
        request: &Request,
        query: &Query,
        media: &MediaType,
        is_item: bool,
        body: Option<pg_sys::Datum>,
        memory: pg_sys::MemoryContext,
    ) -> Result<(Outcome, BodyBuffer)> {
        if request.preferences.max_affected().is_some()
            && matches!(&self.plan, Plan::Call(call) if !matches!(call.result, CallResult::Rows(_) | CallResult::ScalarSet(_)))
        {
            return Err(Error::new(
                Code::MaxAffectedFunction,
                "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
            ));
        }
        let values = Values { literals: &query.values, body };
        let read_only = request.method.is_safe();
        // A read in a transaction that has written sees what was written so far.
        // SAFETY: a snapshot that is popped below, or by the end of the subtransaction.
        let fresh = read_only && unsafe { pg_sys::GetTopTransactionIdIfAny() } != pg_sys::InvalidTransactionId;
        if fresh {
            // SAFETY: as above.
            unsafe {
                pg_sys::CommandCounterIncrement();
                pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            }
        }
        let result = self.run_statements(request, &values, media, is_item, read_only, memory);
        if fresh {
            // SAFETY: as above.
            unsafe { pg_sys::PopActiveSnapshot() };
        }
        result
    }

    fn run_statements(
        &self,
        request: &Request,
        values: &Values,
        media: &MediaType,
        is_item: bool,
        read_only: bool,
        memory: pg_sys::MemoryContext,
    ) -> Result<(Outcome, BodyBuffer)> {
        let strip_nulls = matches!(media, MediaType::ArrayStripped | MediaType::Object { nulls_stripped: true });
        let is_key = matches!(&self.plan, Plan::Write(w) if matches!(w.returning, Returning::Key(_)));
        let (shape, is_array) = match &self.plan {
            Plan::Call(call) => match call.result {
                CallResult::Void | CallResult::Scalar => (RowShape::Value, false),
                CallResult::ScalarSet(_) => (RowShape::Value, true),
                CallResult::Row(_) => (RowShape::Object { strip_nulls }, false),
                CallResult::Rows(_) => (RowShape::Object { strip_nulls }, true),
            },
            _ => (RowShape::Object { strip_nulls }, !is_item),
        };
        let is_array = is_array && !is_key && !matches!(media, MediaType::Object { .. });
        let most = crate::pg::guc::max_response_bytes();
        // SAFETY: the context is the caller's and outlives the request.
        let mut buffer = unsafe { BodyBuffer::new(memory, 1024, most) };
        if is_array {
            buffer.byte(b'[');
        }
        UPDATED.set(0);
        let (done, mut buffer) = self.main.run(values, read_only, buffer, shape)?;
        let writes = matches!(self.plan, Plan::Write(_));
        let mut outcome = Outcome {
            rows: done.rows,
            // a SELECT over what was written processed as many rows as it returned
            affected: if writes { done.processed.max(done.rows) } else { 0 },
            updated: UPDATED.get(),
            has_conflict_target: self.has_conflict_target,
            is_void: self.is_void,
            offset: 0,
            ..Outcome::default()
        };
        if is_array {
            buffer.byte(b']');
        } else if matches!(&self.plan, Plan::Call(_)) && done.rows == 0 {
            buffer.put(b"null");
        }
        if is_key && done.rows == 1 {
            let row: serde_json::Value = serde_json::from_slice(buffer.payload()).unwrap_or_default();
            outcome.key = row.as_object().map(|o| o.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        if let (Some(count), Some(select), false, false) = (request.preferences.count, self.select(), writes, is_item) {
            outcome.total = Some(self.total(count, select, values, memory)?);
        } else if let (Some(_), false, Plan::Call(_)) = (request.preferences.count, is_item, &self.plan) {
            outcome.total = Some(done.rows);
        }
        Ok((outcome, buffer))
    }

    /// The number of rows there are in all.
    fn total(&self, count: Count, select: &Select, values: &Values, memory: pg_sys::MemoryContext) -> Result<u64> {
        let most = select.limit.cap;
        if count != Count::Planned {
            // `estimated` counts no further than one row beyond the cap
            let bound = if count == Count::Estimated { most.map(|n| n + 1) } else { None };
            if count == Count::Exact || bound.is_some() {
                let text = self.ask(&self.exact, || statement::count(select, bound), values, true, memory)?;
                let counted = text.parse().unwrap_or(0);
                if count == Count::Exact || most.is_some_and(|most| counted <= most) {
                    return Ok(counted);
                }
                return Ok(self.planned_total(select, values, memory)?.max(counted));
            }
        }
        self.planned_total(select, values, memory)
    }

    /// The planner's estimate.
    fn planned_total(&self, select: &Select, values: &Values, memory: pg_sys::MemoryContext) -> Result<u64> {
        let explain = || {
            let whole = Select { limit: RowLimit::default(), offset: None, ..select.clone() };
            let mut statement = statement::main(&Plan::Read(whole));
            statement.sql.insert_str(0, "EXPLAIN (FORMAT JSON) ");
            statement
        };
        // SPI takes EXPLAIN for a statement that may write, whatever it explains.
        let text = self.ask(&self.planned, explain, values, false, memory)?;
        let plan: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        plan.pointer("/0/Plan/Plan Rows")
            .and_then(serde_json::Value::as_f64)
            .map(|rows| rows as u64)
            .ok_or_else(|| Error::new(Code::Setting, "The planner's estimate could not be read"))
    }

    /// The one value of a statement beside the main one.
    fn ask(
        &self,
        slot: &RefCell<Option<Rc<Prepared>>>,
        statement: impl FnOnce() -> statement::Statement,
        values: &Values,
        read_only: bool,
        memory: pg_sys::MemoryContext,
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
}
