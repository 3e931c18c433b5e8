//! The cached work of one shape of request: its plan and its prepared statements.

use super::attempt::Attempt;
use super::direct_call::DirectCall;
use super::fast_path::FastPath;
use super::fast_write::FastWrite;
use super::page::Regions;
use super::prepared::{Done, Memory, Prepared, Values, connected, has_written};
use super::total::{Counting, Totals, one_value};
use super::ways::Way;
use crate::ask::Ask;
use crate::catalog::MediaHandler;
use crate::error::{Code, Error, Result};
use crate::http::MediaType;
use crate::limits;
use crate::payload::BodyShape;
use crate::pg::catalog;
use crate::pg::ffi::privileges;
use crate::pg::frame::Frame;
use crate::pg::frame::denial::Writing;
use crate::pg::guc;
use crate::pg::json_schema::{self, BodySchemas};
use crate::pg::row_sink::{BodyBuffer, Extent, RowShape, Window};
use crate::plan::media::{Handler, Holds, Representation};
use crate::plan::{Arguments, Call, CallResult, Change, Hidden, Plan, Returning, RowLimit, Select, Write};
use crate::query::Literal;
use crate::respond::{Effect, Named, body_digest, known_versions};
use crate::route::Verb;
use crate::statement;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::rc::Rc;

/// The plan and the prepared statements of one shape of request.
pub struct Work {
    pub(super) plan: Plan,
    pub(super) representation: Representation,
    /// The aggregates that the representation was chosen from, and the count of function changes when they were last read.
    pub(super) handlers: (Rc<[MediaHandler]>, Cell<u64>),
    pub(super) main: Prepared,
    pub(super) regions: Regions,
    /// The statement that would return the rows of a write, if the request asked for them.
    unreturned: Option<Prepared>,
    totals: Totals,
    /// The call without its page. Prepared when a page of the call is first counted.
    whole: RefCell<Option<Rc<Prepared>>>,
    /// Reads the values of an update. Prepared when an update first changes nothing.
    given: RefCell<Option<Rc<Prepared>>>,
    /// Finds two elements of the body with the same key. Prepared when an element first names no row.
    repeated: RefCell<Option<Rc<Prepared>>>,
    fast_path: Attempt<FastPath>,
    fast_write: Attempt<FastWrite>,
    direct_call: Attempt<DirectCall>,
    /// Size of the last body in bytes, so that the next body starts with enough room.
    body_bytes: Cell<usize>,
    /// The relations that it depends on.
    relations: Vec<u32>,
    /// Whether functions were called or looked up.
    functions: bool,
    /// The JSON Schemas that the body of a write must satisfy.
    schemas: BodySchemas,
    told: Told,
    has_conflict_target: bool,
    is_void: bool,
    /// What a hint needs to know if the write is denied.
    writing: Option<Rc<Writing>>,
}

/// What the fields of a response tell of its body.
struct Told {
    /// The first hidden column is the version of the row.
    names_version: bool,
    /// The body is hashed: it is that of a read, and more than the columns of a row whose version is known.
    is_digested: bool,
    /// The directives of Cache-Control.
    cache_control: Option<Rc<str>>,
}

impl Told {
    /// Whether the tag of an answer in JSON is the version of its row, without a hash of the body.
    fn tells_version_alone(&self) -> bool {
        self.names_version && !self.is_digested
    }

    fn of(plan: &Plan, representation: &Representation) -> Self {
        let has_own_columns = |select: &Select| !select.computes() && select.embeds.is_empty();
        let is_version = |hidden: &[Hidden]| matches!(hidden.first(), Some(Hidden::Version(_)));
        let (names_version, is_digested, cache_control) = match plan {
            Plan::Read(select) => {
                let names_version = is_version(&select.hidden);
                (names_version, !(names_version && has_own_columns(select)), select.cache_control.clone())
            }
            Plan::Write(write) => {
                let names_version = is_version(&write.hidden);
                let shows_more = matches!(&write.returning, Returning::Rows(select) if !has_own_columns(select));
                (names_version, names_version && shows_more, None)
            }
            Plan::Call(call) => (false, !call.may_write && !matches!(call.result, CallResult::Void), None),
        };
        Told { names_version, is_digested: is_digested && representation.explain().is_none(), cache_control }
    }
}

/// The JSON Schemas bound to the columns that a write takes from its body.
fn body_schemas(plan: &Plan, texts: bool) -> Result<BodySchemas> {
    let Plan::Write(write) = plan else { return Ok(BodySchemas::default()) };
    let (columns, is_update) = match &write.change {
        Change::Insert { columns, .. } => (columns, false),
        // Of what a patch makes, the trigger checks it.
        Change::Update { patch: Some(_), .. } => return Ok(BodySchemas::default()),
        Change::Update { columns, .. } => (columns, true),
        Change::Each(each) if !each.deletes => (&each.columns, true),
        Change::Delete { .. } | Change::Each(_) => return Ok(BodySchemas::default()),
    };
    let columns: Vec<&str> = columns.iter().map(|c| c.column.as_str()).collect();
    let bindings = json_schema::bindings(pg_sys::Oid::from(write.relation_oid))?;
    Ok(BodySchemas::of(&bindings, &columns, is_update, texts, write.framing))
}

impl Work {
    /// Prepares the statements of a plan.
    ///
    /// `used`: the catalogue entries that the plan depends on. `handlers`: the aggregates that the representation was chosen from, and
    /// the count of function changes at that time.
    ///
    /// # Errors
    /// A statement cannot be prepared.
    pub(super) fn new(
        plan: Plan,
        representation: Representation,
        body: &BodyShape,
        used: catalog::Used,
        handlers: (Rc<[MediaHandler]>, u64),
    ) -> Result<Self> {
        let catalog::Used { mut relations, functions } = used;
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
        let texts = matches!(body, BodyShape::Rows(keys) if keys.texts);
        let schemas = body_schemas(&plan, texts)?;
        Ok(Work {
            told: Told::of(&plan, &representation),
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
            handlers: (handlers.0, Cell::new(handlers.1)),
            main,
            regions: Regions::default(),
            unreturned,
            schemas,
            totals: Totals::default(),
            whole: RefCell::default(),
            given: RefCell::default(),
            repeated: RefCell::default(),
            fast_path: Attempt::at(Way::Read),
            fast_write: Attempt::at(Way::Write),
            direct_call: Attempt::at(Way::Call),
            body_bytes: Cell::new(0),
            relations,
        })
    }

    /// Whether it depends on one of these relations, or, if `functions` is set, on functions.
    pub(super) fn depends_on(&self, relations: &[u32], functions: bool) -> bool {
        (functions && self.functions) || self.relations.iter().any(|oid| relations.contains(oid))
    }

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

    /// Runs the statements. SPI must be connected, and the role taken. Returns what was done and the body, allocated in `memory`.
    ///
    /// # Errors
    /// A body that the action does not accept, or that violates the JSON Schema of a column (422).
    pub fn run(&self, ask: &Ask, frame: &Frame, memory: Memory) -> Result<(Effect, BodyBuffer)> {
        let request = ask.request;
        if let Some(refusal) = &ask.payload.refusal {
            return Err(refusal.clone());
        }
        if request.preferences.max_affected().is_some()
            && matches!(&self.plan, Plan::Call(call) if !matches!(call.result, CallResult::Rows(_) | CallResult::ScalarSet(_)))
        {
            return Err(Error::new(
                Code::MaxAffectedFunction,
                "Function must return SETOF or TABLE when max-affected preference is used with handling=strict",
            ));
        }
        if let (Plan::Write(write), Some(body)) = (&self.plan, ask.payload.bytes.as_deref())
            && !self.schemas.is_empty()
            && may_write(write, frame.role())
        {
            self.schemas.check(body)?;
        }
        let values = &Values::of(ask, memory);
        if let Some(unreturned) = &self.unreturned {
            unreturned.bind(values)?;
        }
        if let Some(writing) = &self.writing {
            frame.note_write(writing.clone());
        }
        if let Some(done) = self.call_directly(ask, frame, values, memory.rows)? {
            return Ok(done);
        }
        let read_only = request.method.is_safe();
        if !matches!(self.plan, Plan::Read(_)) || !self.main.is_self_contained() || self.has_regions() {
            frame.publish();
        }
        // A read in a transaction that has written must see what was written so far.
        let fresh = read_only && has_written();
        if fresh {
            // SAFETY: the snapshot is popped below, or when the subtransaction ends.
            unsafe {
                pg_sys::CommandCounterIncrement();
                pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            }
        }
        let mut result = self.run_statements(ask, frame, values, memory.rows);
        if !frame.is_published() && self.main.was_reanalysed() {
            // PostgreSQL analysed the statement again while it locked the tables, and the statement may now call functions that
            // read the request's settings. It has only read, so it can run once more.
            frame.publish();
            result = self.run_statements(ask, frame, values, memory.rows);
        }
        if fresh {
            // SAFETY: as above.
            unsafe { pg_sys::PopActiveSnapshot() };
        }
        result
    }

    /// Tries the fast path of a read, before the role is taken. Returns `None` if the statement does not qualify.
    ///
    /// # Errors
    /// The statement cannot be prepared or fails.
    pub fn run_fast(&self, ask: &Ask, frame: &Frame, memory: Memory) -> Result<Option<(Effect, BodyBuffer)>> {
        let make = || {
            let statement = statement::rendered(&self.plan, &self.representation);
            frame.with_role(|| connected(|| FastPath::of(statement, &self.main)))
        };
        let Some(path) = self.fast_path.ready(FastPath::is_current, make)? else { return Ok(None) };
        let (buffer, shape, close) = self.body(ask.is_item(), memory.rows);
        let mut paging = self.paging(ask);
        // Only functions could make another answer than 304 of a row that the client has, and none runs on this way.
        let known = if self.told.tells_version_alone() && !frame.is_published() {
            known_versions(ask, &self.representation.media)
        } else {
            Vec::new()
        };
        let extent = match &mut paging {
            Some(paging) => Extent::Page(paging),
            None if known.is_empty() => Extent::All,
            None => Extent::Unless(&known),
        };
        let Some((done, mut buffer)) = path.run(frame, &Values::of(ask, memory), buffer, shape, extent)? else {
            self.fast_path.discard();
            return Ok(None);
        };
        if paging.as_ref().is_some_and(|paging| !paging.is_done() && self.has_regions()) {
            // Other regions have the rest of the page. The general path reads it from its start, which few pages need.
            return Ok(None);
        }
        Way::Read.note();
        let ends = paging.map(|paging| paging.finish(&mut buffer)).transpose()?;
        buffer.put(close);
        self.body_bytes.set(buffer.len());
        let hidden = done.hidden;
        let effect = Effect { rows: done.rows, is_list: true, ends, hidden, ..self.told(&buffer) };
        Ok(Some((effect, buffer)))
    }

    /// Tries the fast path of a write, before the role is taken. Returns `None` if the write does not qualify.
    ///
    /// `path`: the request's search path.
    ///
    /// # Errors
    /// The statement cannot be prepared or fails.
    pub fn write_fast(
        &self,
        ask: &Ask,
        frame: &Frame,
        memory: Memory,
        path: &CStr,
    ) -> Result<Option<(Effect, BodyBuffer)>> {
        let Plan::Write(write) = &self.plan else { return Ok(None) };
        let needs_body = !matches!(write.change, Change::Delete { .. });
        let is_plain = self.schemas.is_empty()
            && self.unreturned.is_none()
            && self.representation.explain().is_none()
            && self.representation.handler.is_none();
        if !is_plain || needs_body && !ask.payload.is_one || ask.payload.refusal.is_some() {
            return Ok(None);
        }
        let make = || match statement::of_one_object(&self.plan) {
            Some(statement) => frame.with_role(|| connected(|| FastWrite::of(statement, write, path))),
            None => Ok(None),
        };
        let Some(fast) = self.fast_write.ready(FastWrite::is_current, make)? else { return Ok(None) };
        if let Some(writing) = &self.writing {
            frame.note_write(writing.clone());
        }
        let (buffer, shape, close) = self.body(ask.is_item(), memory.rows);
        frame.start_counting();
        let Some((done, buffer)) = fast.run(frame, &Values::of(ask, memory), buffer, shape)? else {
            self.fast_write.discard();
            return Ok(None);
        };
        Way::Write.note();
        Ok(Some(self.effect(frame, done, buffer, shape, close)))
    }

    /// Calls a function that returns one value without SPI. Returns `None` if the call does not qualify. SPI must be connected, and the
    /// role taken.
    ///
    /// # Errors
    /// The statement cannot be prepared or fails.
    fn call_directly(
        &self,
        ask: &Ask,
        frame: &Frame,
        values: &Values,
        memory: pg_sys::MemoryContext,
    ) -> Result<Option<(Effect, BodyBuffer)>> {
        let Plan::Call(call) = &self.plan else { return Ok(None) };
        let needs_body = matches!(&call.invocation.arguments, Arguments::Body(members, _) if !members.is_empty());
        let is_plain = ask.action().verb == Verb::Call
            && ask.request.preferences.count.is_none()
            && self.representation.explain().is_none()
            && self.representation.handler.is_none();
        if !is_plain || needs_body && !ask.payload.is_one {
            return Ok(None);
        }
        let make = || statement::of_one_object(&self.plan).map_or(Ok(None), |text| DirectCall::of(text, call));
        let Some(direct) = self.direct_call.ready(|_| true, make)? else { return Ok(None) };
        let (buffer, shape, close) = self.body(false, memory);
        frame.start_counting();
        let (done, buffer) = direct.run(frame, values, buffer, shape)?;
        Way::Call.note();
        Ok(Some(self.effect(frame, done, buffer, shape, close)))
    }

    /// What the fields of the response tell of a complete body.
    fn told(&self, body: &BodyBuffer) -> Effect {
        let Told { names_version, is_digested, .. } = self.told;
        Effect {
            media: self.representation.media.clone(),
            holds: match &self.plan {
                Plan::Call(call) => self.representation.holds(&call.result),
                _ => Holds::default(),
            },
            names_version,
            digest: is_digested.then(|| body_digest(body.payload())),
            cache_control: self.told.cache_control.clone(),
            ..Effect::default()
        }
    }

    fn returns_key(&self) -> bool {
        self.representation.explain().is_none()
            && matches!(&self.plan, Plan::Write(w) if matches!(w.returning, Returning::Key(_)))
    }

    /// A new body that already has its opening bracket, the shape of its rows, and the text that closes it.
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
            (_, MediaType::NdJson(_)) => (RowShape::JsonLines { values: shape == RowShape::Value }, false),
            _ => (shape, is_array),
        };
        let is_array = is_array && !matches!(media, MediaType::Object { .. });
        // Reserve a little more than last time. Bodies of several megabytes grow on demand, so that a rare one does not cost memory
        // in all others.
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
        ask: &Ask,
        frame: &Frame,
        values: &Values,
        memory: pg_sys::MemoryContext,
    ) -> Result<(Effect, BodyBuffer)> {
        let (is_item, read_only) = (ask.is_item(), ask.request.method.is_safe());
        let (buffer, shape, close) = self.body(is_item, memory);
        frame.start_counting();
        // SPI treats EXPLAIN as a statement that may write, whatever it explains. The read-only transaction still refuses writes.
        let explains = self.representation.explain().is_some();
        // The columns of a set of records are known only by calling the function as a value.
        let is_set = matches!(&self.plan, Plan::Call(call) if matches!(call.result, CallResult::ScalarSet(_)));
        let is_called_once = !read_only || is_set;
        let page = if is_called_once && !explains { self.page_of_call(ask) } else { None };
        let mut paging = self.paging(ask);
        let (done, mut buffer) = match (page, &mut paging) {
            (_, Some(paging)) => self.run_regions(paging, values, buffer, shape)?,
            (Some(page), _) => self.whole_call()?.run_within(Extent::Window(page), values, read_only, buffer, shape)?,
            (None, None) => self.main.run(values, read_only && !explains, buffer, shape)?,
        };
        let ends = paging.map(|paging| paging.finish(&mut buffer)).transpose()?;
        let processed = done.processed;
        let (mut effect, buffer) = self.effect(frame, done, buffer, shape, close);
        effect.ends = ends;
        if let (Plan::Write(write), false) = (&self.plan, explains)
            && let Change::Each(each) = &write.change
        {
            let named = Named::of(each, ask.payload.rows, &frame.take_elements());
            effect.affected = named.rows();
            if named.found() < named.given() {
                // A row is changed once, however often it is named.
                let repeated = one_value(&self.repeated, || statement::repeated(write, each), values, memory, false)?;
                named.refuse_repeated(&repeated)?;
            }
            effect.named = Some(named);
            return Ok((effect, buffer));
        }
        if let (Plan::Write(write), 0, false) = (&self.plan, effect.affected, explains)
            && let Some(given) = statement::given(write)
        {
            // PostgreSQL may not have read the body. Whether it can be read must not depend on whether a row matches.
            one_value(&self.given, || given, values, memory, false)?;
        }
        let writes = matches!(self.plan, Plan::Write(_));
        if let (Some(count), false, false) = (ask.request.preferences.count, writes || explains, is_item) {
            effect.total = match self.select() {
                Some(_) if page.is_some() => Some(processed),
                Some(all) if is_called_once => {
                    Some(effect.rows).filter(|_| !all.limit.is_set() && all.offset.is_none())
                }
                Some(select) => {
                    let counting = Counting { plan: &self.plan, select, main: &self.main, values, memory };
                    Some(self.totals.total(count, &counting)?)
                }
                None => Some(effect.rows),
            };
        }
        Ok((effect, buffer))
    }

    /// What an execution has done, and the complete body.
    fn effect(
        &self,
        frame: &Frame,
        done: Done,
        mut buffer: BodyBuffer,
        shape: RowShape,
        close: &[u8],
    ) -> (Effect, BodyBuffer) {
        let counted = frame.counted();
        let shape_is_json = matches!(shape, RowShape::Object { .. } | RowShape::Value);
        buffer.put(close);
        if close.is_empty() && matches!(&self.plan, Plan::Call(_)) && done.rows == 0 && shape_is_json {
            buffer.put(b"null");
        }
        let mut effect = Effect {
            rows: done.rows,
            // A SELECT over the written rows processes as many rows as it returns.
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
            is_list: match &self.plan {
                Plan::Read(_) => true,
                Plan::Call(call) => matches!(call.result, CallResult::Rows(_) | CallResult::ScalarSet(_)),
                Plan::Write(_) => false,
            },
            hidden: done.hidden,
            is_guarded: matches!(&self.plan, Plan::Write(write) if !write.conditions.is_empty()),
            ..self.told(&buffer)
        };
        self.body_bytes.set(buffer.len());
        if self.returns_key() && done.rows == 1 {
            let row: serde_json::Value = serde_json::from_slice(buffer.payload()).unwrap_or_default();
            effect.key = row.as_object().map(|o| o.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        (effect, buffer)
    }

    /// The page of a function's rows, if the function may write or its rows are to be counted. Calling it again to count would repeat
    /// its effects, and with a LIMIT it might not run to its end, or at all. So it is called without the page, and only the rows of
    /// the page are written to the body.
    fn page_of_call(&self, ask: &Ask) -> Option<Window> {
        if ask.request.method.is_safe() {
            ask.request.preferences.count?;
        }
        let select = self.select().filter(|_| matches!(self.plan, Plan::Call(_)))?;
        let is_row_by_row = matches!(self.representation.handler, None | Some(Handler::Feature(_)));
        if !is_row_by_row || !select.limit.is_set() && select.offset.is_none() {
            return None;
        }
        let number = |id: Option<usize>| match id.and_then(|id| ask.literals.get(id)) {
            Some(Literal::Number(n)) => Some(*n),
            _ => None,
        };
        let limit = [number(select.limit.value), select.limit.cap].into_iter().flatten().min();
        Some(Window { offset: number(select.offset).unwrap_or(0), limit: limit.unwrap_or(u64::MAX) })
    }

    /// The statement that calls the function without the page.
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
}

/// Whether a role may write any column of the relation. If not, the statement itself raises the error.
fn may_write(write: &Write, role: pg_sys::Oid) -> bool {
    let mode = match write.change {
        Change::Insert { .. } => pg_sys::ACL_INSERT,
        _ => pg_sys::ACL_UPDATE,
    };
    privileges::may_any_column(write.relation_oid.into(), role, mode)
}
