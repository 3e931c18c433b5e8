//! Plans run: found in the backend's cache of prepared statements, or made.

use crate::catalog::{Catalog, MediaHandler};
use crate::error::{Code, Error, Result};
use crate::http::Request;
use crate::http::media_type::MediaType;
use crate::http::prefer::{Count, Missing, Resolution, Return};
use crate::limits;
use crate::pg::catalog;
use crate::pg::denial::{self, Writing};
use crate::pg::direct_read::DirectRead;
use crate::pg::ffi::unguarded;
use crate::pg::guc;
use crate::pg::prepared::{Prepared, Values, hides_rows};
use crate::pg::role;
use crate::pg::row_sink::{BodyBuffer, RowShape, Window};
use crate::pg::session::Frame;
use crate::pg::validate::{self, BodySchemas};
use crate::plan::call::Given;
use crate::plan::media::{Handler, Representation};
use crate::plan::write::BodyKeys;
use crate::plan::{Call, CallResult, Change, Plan, PlanSettings, Returning, RowLimit, Select, Write};
use crate::query::{Literal, Query};
use crate::respond::Outcome;
use crate::route::{Action, Resource};
use crate::statement;
use lru::LruCache;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::rc::Rc;

thread_local! {
    /// Never dropped: at the end of the process there is nothing left to free plans with.
    static PLANS: ManuallyDrop<RefCell<LruCache<Key, Rc<Work>>>> = ManuallyDrop::new(RefCell::new(LruCache::new(
        NonZeroUsize::new(limits::PLANS).unwrap_or(NonZeroUsize::MIN),
    )));
    static COUNTED: Cell<Counted> = const { Cell::new(Counted { rows: 0, updates: 0 }) };
}

/// What a statement counts by functions that are part of it.
#[derive(Clone, Copy)]
struct Counted {
    /// Rows that it changes, or that its function returns, whatever it answers with.
    rows: u64,
    /// Rows that were there already when an upsert came.
    updates: u64,
}

/// A row has been changed, or returned by a function.
pub fn count_row() {
    let counted = COUNTED.get();
    COUNTED.set(Counted { rows: counted.rows + 1, ..counted });
}

/// A row that was there already is about to be updated by an upsert.
pub fn count_update() {
    let counted = COUNTED.get();
    COUNTED.set(Counted { updates: counted.updates + 1, ..counted });
}

/// The counts of one statement. One that runs within it, by way of a trigger, has counts of its own.
struct Counts {
    outer: Counted,
}

impl Counts {
    fn new() -> Self {
        Counts { outer: COUNTED.replace(Counted { rows: 0, updates: 0 }) }
    }

    fn so_far(&self) -> Counted {
        COUNTED.get()
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        COUNTED.set(self.outer);
    }
}

/// What a request of one shape takes to run.
pub struct Work {
    plan: Plan,
    representation: Representation,
    /// The aggregates that it was chosen among, and how many changes of functions ago they were last looked at.
    handlers: (Rc<[MediaHandler]>, Cell<u64>),
    main: Prepared,
    /// What a write would answer with, if that were asked for.
    unreturned: Option<Prepared>,
    /// The statements that count, made when they are first needed.
    exact: RefCell<Option<Rc<Prepared>>>,
    bounded: RefCell<Option<Rc<Prepared>>>,
    planned: RefCell<Option<Rc<Prepared>>>,
    /// The call without its page, made when a page of it is first counted.
    whole: RefCell<Option<Rc<Prepared>>>,
    /// The short way, if it can be gone.
    direct: RefCell<Direct>,
    /// Bytes of the last body: the next one is not grown to them step by step.
    body_bytes: Cell<usize>,
    relations: Vec<u32>,
    /// Whether functions were called or looked for.
    functions: bool,
    /// The schemas that the body of a write has to be valid against.
    schemas: BodySchemas,
    has_conflict_target: bool,
    is_void: bool,
    /// What to say of it when it is denied.
    writing: Option<Rc<Writing>>,
}

/// What is known of the short way of a read.
enum Direct {
    /// Not ready; so often it was tried before.
    Untried(u8),
    /// After so many tries.
    Ready(Rc<DirectRead>, u8),
    Impossible,
}

/// After so many analyses that did not hold, the short way is given up: the session's search path keeps changing.
const DIRECT_TRIES: u8 = 8;

/// All that a plan depends on: the request without its literals, the settings and the role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub action: Action,
    /// The query, its literals taken out.
    pub query: Query,
    /// Part of the key because plans under row-level security are made for one role.
    pub role: u32,
    /// Where operators and functions are looked up.
    pub search_path: Rc<CStr>,
    pub representation: Option<Return>,
    pub resolution: Option<Resolution>,
    pub missing: Option<Missing>,
    pub body: BodyShape,
    /// What the client accepts, the most wanted first; nothing means anything.
    pub accepted: Vec<MediaType>,
    pub settings: PlanSettings,
}

/// What a plan depends on of a body.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BodyShape {
    None,
    /// The keys of the first object.
    Keys(BodyKeys),
    /// A call's arguments.
    Arguments(Given),
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
            let is_stale =
                |work: &Work| (functions && work.functions) || work.relations.iter().any(|r| relations.contains(r));
            let gone: Vec<Key> = plans.iter().filter(|(_, work)| is_stale(work)).map(|(key, _)| key.clone()).collect();
            for key in gone {
                plans.pop(&key);
            }
        });
    });
}

/// The work of a request, from the cache or made by `plan`.
pub fn prepare(key: &Key, plan: impl FnOnce(&catalog::Reader) -> Result<(Plan, Representation)>) -> Result<Rc<Work>> {
    let changes = catalog::function_changes();
    let known = PLANS.with(|plans| plans.borrow_mut().get(key).cloned());
    if let Some(work) = known {
        let (handlers, seen) = &work.handlers;
        if seen.get() == changes || *handlers == catalog::Reader::default().media_handlers(&key.action.schema)? {
            seen.set(changes);
            return Ok(work);
        }
    }
    let reader = catalog::Reader::default();
    let (plan, representation) = plan(&reader)?;
    let media_handlers = reader.media_handlers(&key.action.schema)?;
    let catalog::Used { mut relations, functions } = reader.into_used();
    relations.sort_unstable();
    relations.dedup();
    let may_be_parallel = matches!(plan, Plan::Read(_)) && representation.explain().is_none();
    let main = Prepared::new(statement::rendered(&plan, &representation), may_be_parallel)?;
    let unreturned = match &plan {
        Plan::Write(Write { unreturned: Some(select), .. }) => {
            Some(Prepared::new(statement::main(&Plan::Read((**select).clone())), false)?)
        }
        _ => None,
    };
    let texts = matches!(&key.body, BodyShape::Keys(keys) if keys.texts);
    let schemas = body_schemas(&plan, texts)?;
    let work = Rc::new(Work {
        has_conflict_target: match &plan {
            Plan::Write(write) => matches!(&write.change, Change::Insert { conflict: Some(_), .. }),
            _ => false,
        },
        is_void: matches!(&plan, Plan::Call(call) if matches!(call.result, CallResult::Void)),
        functions: functions || matches!(plan, Plan::Call(_)),
        writing: match &plan {
            Plan::Write(write) => Writing::of(write),
            _ => None,
        },
        plan,
        representation,
        handlers: (media_handlers, Cell::new(changes)),
        main,
        unreturned,
        schemas,
        exact: RefCell::default(),
        bounded: RefCell::default(),
        planned: RefCell::default(),
        whole: RefCell::default(),
        direct: RefCell::new(Direct::Untried(0)),
        body_bytes: Cell::new(0),
        relations,
    });
    PLANS.with(|plans| plans.borrow_mut().put(key.clone(), work.clone()));
    Ok(work)
}

/// The schemas that are bound to the columns that a write takes from its body.
fn body_schemas(plan: &Plan, texts: bool) -> Result<BodySchemas> {
    let Plan::Write(write) = plan else { return Ok(BodySchemas::default()) };
    let (columns, is_update) = match &write.change {
        Change::Insert { columns, .. } => (columns, false),
        Change::Update { columns, .. } => (columns, true),
        Change::Delete { .. } => return Ok(BodySchemas::default()),
    };
    let columns: Vec<&str> = columns.iter().map(|c| c.column.as_str()).collect();
    let bindings = validate::bindings(pg_sys::Oid::from(write.relation_oid))?;
    Ok(BodySchemas::of(&bindings, &columns, is_update, texts))
}

/// Runs a read on the short way, if it can be gone; the role is not taken yet. `None` sends it on the long one.
pub fn read_directly(
    key: &Key,
    frame: &Frame,
    values: &Values,
    memory: pg_sys::MemoryContext,
) -> Result<Option<(Outcome, BodyBuffer)>> {
    // What the transaction has written is seen on the long way.
    // SAFETY: reads a global.
    if unsafe { unguarded::GetTopTransactionIdIfAny() } != pg_sys::InvalidTransactionId {
        return Ok(None);
    }
    let Some(work) = PLANS.with(|plans| plans.borrow_mut().get(key).cloned()) else { return Ok(None) };
    if work.handlers.1.get() != catalog::function_changes() {
        return Ok(None);
    }
    let known = match &*work.direct.borrow() {
        Direct::Ready(direct, tries) => Ok((direct.clone(), *tries)),
        Direct::Untried(tries) => Err(*tries),
        Direct::Impossible => return Ok(None),
    };
    let (direct, tries) = match known {
        Ok((direct, tries)) if direct.is_current() => (direct, tries),
        Ok((_, tries)) => {
            work.direct.replace(Direct::Untried(tries));
            return Ok(None);
        }
        Err(DIRECT_TRIES..) => {
            work.direct.replace(Direct::Impossible);
            return Ok(None);
        }
        Err(tries) => {
            let made = frame.with_role(|| {
                connected(|| DirectRead::of(statement::rendered(&work.plan, &work.representation), &work.main))
            })?;
            work.direct.replace(match made {
                Some(made) => Direct::Ready(Rc::new(made), tries + 1),
                None => Direct::Untried(tries + 1),
            });
            return Ok(None);
        }
    };
    let (buffer, shape, close) = work.body(matches!(key.action.resource, Resource::Item { .. }), memory);
    let Some((done, mut buffer)) = direct.run(frame, values, buffer, shape)? else {
        work.direct.replace(Direct::Untried(tries));
        return Ok(None);
    };
    buffer.put(close);
    work.body_bytes.set(buffer.len());
    let media = work.representation.media.clone();
    Ok(Some((Outcome { rows: done.rows, media, ..Outcome::default() }, buffer)))
}

/// Runs `work` with SPI connected. An error that is raised ends the connection too.
pub fn connected<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: paired with SPI_finish on the one way out that is no raised error.
    unsafe { pg_sys::SPI_connect() };
    let result = work();
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    result
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
        frame: &Frame,
        values: &Values,
        is_item: bool,
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
        if let (Plan::Write(write), Some(body)) = (&self.plan, request.body)
            && !self.schemas.is_empty()
            && may_write(write, frame.role())
        {
            self.schemas.check(body)?;
        }
        if let Some(unreturned) = &self.unreturned {
            unreturned.bind(values)?;
        }
        if self.writing.is_some() {
            denial::note(self.writing.clone());
        }
        let read_only = request.method.is_safe();
        if !matches!(self.plan, Plan::Read(_)) || !self.main.is_self_contained() {
            frame.publish();
        }
        // A read in a transaction that has written sees what was written so far.
        // SAFETY: a snapshot that is popped below, or by the end of the subtransaction.
        let fresh = read_only && unsafe { unguarded::GetTopTransactionIdIfAny() } != pg_sys::InvalidTransactionId;
        if fresh {
            // SAFETY: as above.
            unsafe {
                pg_sys::CommandCounterIncrement();
                pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            }
        }
        let mut result = self.run_statements(request, values, is_item, read_only, memory);
        if !frame.is_published() && self.main.was_reanalysed() {
            // The statement was analysed again while its tables were being locked, and may now call functions that ask for
            // the request. It has only read, so it can run once more.
            frame.publish();
            result = self.run_statements(request, values, is_item, read_only, memory);
        }
        if fresh {
            // SAFETY: as above.
            unsafe { pg_sys::PopActiveSnapshot() };
        }
        result
    }

    fn returns_key(&self) -> bool {
        self.representation.explain().is_none()
            && matches!(&self.plan, Plan::Write(w) if matches!(w.returning, Returning::Key(_)))
    }

    /// An empty body, opened, the shape of its rows, and what closes it.
    fn body(&self, is_item: bool, memory: pg_sys::MemoryContext) -> (BodyBuffer, RowShape, &'static [u8]) {
        let media = self.representation.rows();
        let strip_nulls = matches!(media, MediaType::ArrayStripped | MediaType::Object { nulls_stripped: true });
        let (shape, is_array) = match &self.plan {
            Plan::Call(call) => match call.result {
                CallResult::Void | CallResult::Scalar => (RowShape::Value, false),
                CallResult::ScalarSet(_) => (RowShape::Value, true),
                CallResult::Row(_) => (RowShape::Object { strip_nulls }, false),
                CallResult::Rows(_) => (RowShape::Object { strip_nulls }, true),
            },
            _ => (RowShape::Object { strip_nulls }, !is_item),
        };
        let (shape, is_array) = match (&self.representation, media) {
            (representation, _) if representation.explain().is_some() => (RowShape::Lines, false),
            _ if self.returns_key() => (shape, false),
            (Representation { handler: Some(Handler::Aggregate { .. }), .. }, _) => (RowShape::Body, false),
            (Representation { handler: Some(Handler::Function), .. }, _) => (RowShape::Raw, false),
            (Representation { handler: Some(Handler::Feature(_)), .. }, _) => (RowShape::Value, !is_item),
            (_, MediaType::Csv) => (RowShape::Csv, false),
            _ => (shape, is_array),
        };
        let is_array = is_array && !matches!(media, MediaType::Object { .. });
        // a little more than last time; bodies of several megabytes are grown, so that a rare one does not cost every other
        let last = self.body_bytes.get();
        let capacity = if last > limits::BODY_CAPACITY { limits::BODY_CAPACITY } else { (last + last / 8).max(1024) };
        // SAFETY: the context is the caller's and outlives the request.
        let mut buffer = unsafe { BodyBuffer::new(memory, capacity, guc::max_response_bytes()) };
        let (open, close): (&[u8], &[u8]) = match &self.representation.handler {
            _ if !is_array => (b"", b""),
            Some(Handler::Feature(_)) => (br#"{"type":"FeatureCollection","features":["#, b"]}"),
            _ => (b"[", b"]"),
        };
        buffer.put(open);
        (buffer, shape, close)
    }

    fn run_statements(
        &self,
        request: &Request,
        values: &Values,
        is_item: bool,
        read_only: bool,
        memory: pg_sys::MemoryContext,
    ) -> Result<(Outcome, BodyBuffer)> {
        let is_key = self.returns_key();
        let (buffer, shape, close) = self.body(is_item, memory);
        let counts = Counts::new();
        // SPI takes EXPLAIN for a statement that may write, whatever it explains; the transaction knows better.
        let explains = self.representation.explain().is_some();
        let shape_is_json = matches!(shape, RowShape::Object { .. } | RowShape::Value);
        // What a set of records consists of cannot be asked for without calling the function as a value.
        let is_set = matches!(&self.plan, Plan::Call(call) if matches!(call.result, CallResult::ScalarSet(_)));
        let is_called_once = !read_only || is_set;
        let page = if is_called_once && !explains { self.page_of_call(request, values) } else { None };
        let (done, mut buffer) = match page {
            Some(page) => self.whole_call()?.run_within(Some(page), values, read_only, buffer, shape)?,
            None => self.main.run(values, read_only && !explains, buffer, shape)?,
        };
        let counted = counts.so_far();
        let mut outcome = Outcome {
            rows: done.rows,
            // a SELECT over what was written processed as many rows as it returned
            affected: match (&self.plan, shape) {
                (Plan::Read(_), _) => 0,
                (Plan::Write(write), _) if write.counts => counted.rows,
                (Plan::Call(call), _) if call.counts => counted.rows,
                (_, RowShape::Body) => done.rows,
                _ => done.processed.max(done.rows),
            },
            updated: counted.updates,
            may_write: matches!(&self.plan, Plan::Call(call) if call.may_write),
            has_conflict_target: self.has_conflict_target,
            is_void: self.is_void,
            media: self.representation.media.clone(),
            ..Outcome::default()
        };
        buffer.put(close);
        if close.is_empty() && matches!(&self.plan, Plan::Call(_)) && done.rows == 0 && shape_is_json {
            buffer.put(b"null");
        }
        self.body_bytes.set(buffer.len());
        if is_key && done.rows == 1 {
            let row: serde_json::Value = serde_json::from_slice(buffer.payload()).unwrap_or_default();
            outcome.key = row.as_object().map(|o| o.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        let writes = matches!(self.plan, Plan::Write(_));
        if let (Some(count), false, false) = (request.preferences.count, writes || explains, is_item) {
            outcome.total = match self.select() {
                Some(_) if page.is_some() => Some(done.processed),
                Some(all) if is_called_once => Some(done.rows).filter(|_| !all.limit.is_set() && all.offset.is_none()),
                Some(select) => Some(self.total(count, select, values, memory)?),
                None => Some(done.rows),
            };
        }
        Ok((outcome, buffer))
    }

    /// The page of a function's rows where it may write, or they are to be counted. To call it once more for counting would do again
    /// what it does, and with a limit it would not be called to its end, or at all: it is called without the page, and only the
    /// page's rows are written.
    fn page_of_call(&self, request: &Request, values: &Values) -> Option<Window> {
        if request.method.is_safe() {
            request.preferences.count?;
        }
        let select = self.select().filter(|_| matches!(self.plan, Plan::Call(_)))?;
        let is_row_by_row = matches!(self.representation.handler, None | Some(Handler::Feature(_)));
        if !is_row_by_row || !select.limit.is_set() && select.offset.is_none() {
            return None;
        }
        let number = |id: Option<usize>| match id.and_then(|id| values.literals.get(id)) {
            Some(Literal::Number(n)) => Some(*n),
            _ => None,
        };
        let limit = [number(select.limit.value), select.limit.cap].into_iter().flatten().min();
        Some(Window { offset: number(select.offset).unwrap_or(0), limit: limit.unwrap_or(u64::MAX) })
    }

    /// The statement of a call without its page.
    fn whole_call(&self) -> Result<Rc<Prepared>> {
        let known = self.whole.borrow().clone();
        if let Some(whole) = known {
            return Ok(whole);
        }
        let mut plan = self.plan.clone();
        if let Plan::Call(Call { result: CallResult::Rows(select) | CallResult::ScalarSet(select), .. }) = &mut plan {
            (select.limit, select.offset) = (RowLimit::default(), None);
        }
        let whole = Rc::new(Prepared::new(statement::rendered(&plan, &self.representation), false)?);
        self.whole.replace(Some(whole.clone()));
        Ok(whole)
    }

    /// The number of rows there are in all.
    fn total(&self, count: Count, select: &Select, values: &Values, memory: pg_sys::MemoryContext) -> Result<u64> {
        let counted = |slot, bound| -> Result<u64> {
            let text = self.ask(slot, || statement::count(select, bound), values, true, memory)?;
            Ok(text.parse().unwrap_or(0))
        };
        let mut known = 0;
        if let (Count::Estimated, Some(most)) = (count, select.limit.cap) {
            known = counted(&self.bounded, Some(most + 1))?;
            if known <= most {
                return Ok(known);
            }
        }
        if count != Count::Exact
            && let Some(expected) = self.planned_total(select, values, memory)?
        {
            return Ok(expected.max(known));
        }
        counted(&self.exact, None)
    }

    /// The planner's estimate. `None` where it would tell of rows that the role may not read: it is made of the statistics of all rows.
    /// Who is shown plans is shown estimates anyway.
    fn planned_total(&self, select: &Select, values: &Values, memory: pg_sys::MemoryContext) -> Result<Option<u64>> {
        let is_shown = guc::plan_enabled();
        // What a function embeds is not known before it is planned as part of the statement.
        if !is_shown && (self.main.reads_hidden_rows() || select.embeds.iter().any(|e| e.is_computed())) {
            return Ok(None);
        }
        let explain = || {
            let mut statement = statement::counted(select);
            statement.sql.insert_str(0, "EXPLAIN (FORMAT JSON, VERBOSE) ");
            statement
        };
        // SPI takes EXPLAIN for a statement that may write, whatever it explains.
        let text = self.ask(&self.planned, explain, values, false, memory)?;
        let plan: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        // The planner makes functions part of the statement, the called one and those of views: its analysis does not know what they read.
        let is_of_relations = matches!(self.plan, Plan::Call(_)) && text.contains("\"Relation Name\"");
        if !is_shown && (is_of_relations || reads_hidden_rows(&plan)) {
            return Ok(None);
        }
        let rows = plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_f64).map(|rows| rows as u64);
        Ok(Some(rows.ok_or_else(|| Error::new(Code::Setting, "The planner's estimate could not be read"))?))
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

/// Whether a part of a plan (EXPLAIN, VERBOSE, as JSON) reads a relation that has rows which the current user may not read.
fn reads_hidden_rows(plan: &serde_json::Value) -> bool {
    use serde_json::Value;
    match plan {
        Value::Object(node) => {
            let name = |member: &str| node.get(member).and_then(Value::as_str).and_then(|name| CString::new(name).ok());
            let is_hidden = node.contains_key("Relation Name")
                && name("Schema").zip(name("Relation Name")).is_none_or(|(schema, relation)| {
                    // SAFETY: lookups in the system caches; with missing_ok a name that is not there gives InvalidOid.
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

/// Whether a role may write anything of the relation: to others the statement itself says what they may not.
fn may_write(write: &Write, role: pg_sys::Oid) -> bool {
    let mode = match write.change {
        Change::Insert { .. } => pg_sys::ACL_INSERT,
        _ => pg_sys::ACL_UPDATE,
    };
    role::may_any_column(write.relation_oid.into(), role, mode)
}
