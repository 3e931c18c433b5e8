//! Prepared statements. PostgreSQL infers the types of their parameters, as it does for literals.

use super::measured::Execution;
use super::plain_types::{is_built_in_or_enum, is_plain, names_objects};
use super::reads::{Reads, is_plain_target};
use super::ways::Way;
use crate::ask::Ask;
use crate::error::{Code, Error, Result};
use crate::pg::ffi::captured;
use crate::pg::ffi::planner::Planning;
use crate::pg::ffi::unguarded::{self, in_hooks};
use crate::pg::ffi::{nodes, privileges, user};
use crate::pg::observe;
use crate::pg::row_sink::{BodyBuffer, Encoders, Extent, RowShape, RowSink};
use crate::query::Literal;
use crate::respond::Captured;
use crate::statement::plan_choice::{Choice, PlanChoice};
use crate::statement::{Form, Parameter, Statement, array_literal};
use pgrx::pg_sys;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ffi::{CString, c_int, c_void};

/// The types of a statement's parameters. PostgreSQL writes to them whenever it analyses the statement, so they keep their address
/// for as long as the plan lives.
struct ParameterTypes {
    types: *mut pg_sys::Oid,
    count: c_int,
}

unsafe extern "C-unwind" fn infer_parameters(state: *mut pg_sys::ParseState, types: *mut c_void) {
    let types = types.cast::<ParameterTypes>();
    // SAFETY: the argument is the ParameterTypes that was registered with this hook.
    unsafe { in_hooks::setup_parse_variable_parameters(state, &raw mut (*types).types, &raw mut (*types).count) }
}

/// Turns the text of a parameter into a value.
struct Input {
    function: pg_sys::Oid,
    element: pg_sys::Oid,
    data_type: pg_sys::Oid,
    /// The input function of a built-in type or an enum, already looked up. Other functions are looked up each time, because they may
    /// run user code, which may run this same statement.
    kept: Option<RefCell<pg_sys::FmgrInfo>>,
}

/// A prepared statement.
pub struct Prepared {
    /// NULL until it is prepared.
    plan: pg_sys::SPIPlanPtr,
    /// Holds what lives as long as the statement: `types`, `analysis` and the state of input functions.
    memory: pg_sys::MemoryContext,
    types: *mut ParameterTypes,
    inputs: Vec<Input>,
    parameters: Vec<Parameter>,
    encoders: RefCell<Option<Box<Encoders>>>,
    /// How many of the last result columns are hidden, apart from the keys, which follow.
    hidden: usize,
    /// How many of the last result columns are the keys of the row.
    keys: usize,
    analysis: *mut Analysis,
    choice: Cell<PlanChoice>,
}

/// What we found out about PostgreSQL's analysis of a statement. Valid as long as the analysis exists.
struct Analysis {
    /// Called by PostgreSQL when it frees the analysis.
    callback: pg_sys::MemoryContextCallback,
    gone: bool,
    reads: Reads,
}

unsafe extern "C-unwind" fn analysis_is_gone(analysis: *mut c_void) {
    // SAFETY: the argument is the Analysis that was registered with this callback. It is freed after the plan.
    unsafe { (*analysis.cast::<Analysis>()).gone = true }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: this value owns the plan and the memory, and nothing runs the plan any more. The plan is freed first, because
        // freeing it writes to the memory.
        unsafe {
            if !self.plan.is_null() {
                pg_sys::SPI_freeplan(self.plan);
            }
            pg_sys::MemoryContextDelete(self.memory);
        }
    }
}

/// The sources of the parameters of one execution.
pub struct Values<'a> {
    literals: &'a [Literal],
    body: Option<&'a [u8]>,
    /// The body as a bytea, if it is one already.
    body_datum: Option<pg_sys::Datum>,
}

impl<'a> Values<'a> {
    /// The literals and the body of a request.
    pub fn of(ask: &'a Ask, memory: Memory) -> Self {
        let is_as_sent = matches!(ask.payload.bytes, Some(Cow::Borrowed(_)));
        Values {
            literals: &ask.literals,
            body: ask.payload.bytes.as_deref(),
            body_datum: memory.body.filter(|_| is_as_sent),
        }
    }

    /// The bytes of the body.
    pub fn body(&self) -> Option<&[u8]> {
        self.body
    }
}

/// The memory of the SQL call that a request is answered for.
#[derive(Clone, Copy)]
pub struct Memory {
    /// Where the rows of the response are allocated.
    pub rows: pg_sys::MemoryContext,
    /// The bytea whose bytes are the body of the request. Without it, a statement gets a copy of the body.
    pub body: Option<pg_sys::Datum>,
}

/// The result of an execution.
pub struct Done {
    /// Rows written to the body.
    pub rows: u64,
    /// Rows that the statement processed.
    pub processed: u64,
    /// The hidden columns of the first and of the last row in the body.
    pub hidden: Captured,
}

impl Prepared {
    /// Prepares a statement. SPI must be connected.
    ///
    /// Raises PostgreSQL's error if the statement does not fit the database.
    pub fn new(statement: Statement, parallel: bool) -> Result<Self> {
        let sql = CString::new(statement.sql)
            .map_err(|_| Error::new(Code::MalformedRequest, "A name contains a NUL character"))?;
        let count = statement.parameters.len();
        let options = if parallel { pg_sys::CURSOR_OPT_PARALLEL_OK as c_int } else { 0 };
        // SAFETY: types, analysis and plan live until the value is dropped, also by an error that is raised here.
        unsafe {
            let memory = pg_sys::AllocSetContextCreateExtended(
                pg_sys::TopMemoryContext,
                c"pg_restful statement".as_ptr(),
                pg_sys::ALLOCSET_SMALL_MINSIZE as usize,
                pg_sys::ALLOCSET_SMALL_INITSIZE as usize,
                pg_sys::ALLOCSET_SMALL_MAXSIZE as usize,
            );
            let types = pg_sys::MemoryContextAllocZero(memory, size_of::<ParameterTypes>()).cast::<ParameterTypes>();
            let analysis = pg_sys::MemoryContextAllocZero(memory, size_of::<Analysis>()).cast::<Analysis>();
            let mut prepared = Prepared {
                plan: std::ptr::null_mut(),
                memory,
                types,
                inputs: Vec::with_capacity(count),
                parameters: statement.parameters,
                encoders: RefCell::new(Some(Box::new(Encoders::hiding(statement.hidden, statement.keys)))),
                hidden: statement.hidden,
                keys: statement.keys,
                analysis,
                choice: Cell::default(),
            };
            let array = pg_sys::MemoryContextAllocZero(memory, size_of::<pg_sys::Oid>() * count.max(1));
            types.write(ParameterTypes { types: array.cast(), count: count as c_int });
            analysis.write(Analysis {
                callback: pg_sys::MemoryContextCallback {
                    func: Some(analysis_is_gone),
                    arg: analysis.cast(),
                    ..Default::default()
                },
                gone: true,
                reads: Reads::Anything,
            });
            let plan = pg_sys::SPI_prepare_params(sql.as_ptr(), Some(infer_parameters), types.cast(), options);
            if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                return Err(Error::new(Code::Setting, "The statement could not be prepared"));
            }
            prepared.plan = plan;
            for i in 0..count {
                let input = Input::of(*(*prepared.types).types.add(i), memory);
                prepared.inputs.push(input);
            }
            Ok(prepared)
        }
    }

    /// Runs the statement and writes its rows to the body in the given shape.
    ///
    /// Raises PostgreSQL's error if the statement fails.
    pub fn run(
        &self,
        values: &Values,
        read_only: bool,
        body: BodyBuffer,
        shape: RowShape,
    ) -> Result<(Done, BodyBuffer)> {
        self.run_within(Extent::All, values, read_only, body, shape)
    }

    /// Like [`Prepared::run`], but writes only some of the rows to the body.
    pub fn run_within(
        &self,
        extent: Extent,
        values: &Values,
        read_only: bool,
        body: BodyBuffer,
        shape: RowShape,
    ) -> Result<(Done, BodyBuffer)> {
        let parameters = self.bind(values)?;
        let mut encoders = self.take_encoders();
        let mut sink = RowSink::new(body, shape, &mut encoders).to(extent);
        let options =
            pg_sys::SPIExecuteOptions { params: parameters, read_only, dest: sink.receiver(), ..Default::default() };
        // SAFETY: plan, parameters and sink outlive the execution.
        let code = self.execute(parameters, || unsafe { pg_sys::SPI_execute_plan_extended(self.plan, &options) });
        if code < 0 {
            return Err(Error::new(Code::Setting, format!("The statement could not be run (SPI code {code})")));
        }
        // SAFETY: reads a global that the execution has set.
        let (rows, processed) = (sink.rows(), unsafe { pg_sys::SPI_processed });
        let (body, hidden) = sink.into_parts();
        let done = Done { rows, processed, hidden };
        self.put_encoders(encoders);
        Ok((done, body))
    }

    /// Runs `execute`, which executes the statement with these parameters and takes its plan from PostgreSQL's plan cache. Chooses
    /// before whether the plan is kept, and notes afterwards how long it took.
    pub fn execute<T>(&self, parameters: pg_sys::ParamListInfo, execute: impl FnOnce() -> T) -> T {
        // PostgreSQL keeps the plan of a statement without parameters.
        if parameters.is_null() {
            let done = execute();
            observe::ran(self.query_id());
            return done;
        }
        let source = self.source();
        // SAFETY: this value owns the plan source. A plan that is marked as invalid is made again.
        let planning = unsafe {
            const CHOICES: c_int = (pg_sys::CURSOR_OPT_GENERIC_PLAN | pg_sys::CURSOR_OPT_CUSTOM_PLAN) as c_int;
            let choice = if Way::KeptPlan.is_open() { self.choice.get().next() } else { Choice::Own };
            let kept = (*source).gplan;
            let option =
                if choice == Choice::Own { pg_sys::CURSOR_OPT_CUSTOM_PLAN } else { pg_sys::CURSOR_OPT_GENERIC_PLAN };
            (*source).cursor_options = (*source).cursor_options & !CHOICES | option as c_int;
            if choice == Choice::KeptAnew && !kept.is_null() {
                (*kept).is_valid = false;
            }
            Planning::watch(source, parameters)
        };
        let _noted = Execution::begin(&self.choice, planning);
        let done = execute();
        observe::ran(self.query_id());
        done
    }

    /// The identifier that PostgreSQL has computed for the statement (`compute_query_id`), as pg_stat_statements shows it; 0 without one.
    fn query_id(&self) -> i64 {
        // SAFETY: the plan is this value's own; its query list is a list of Query nodes.
        unsafe {
            nodes::iter::<pg_sys::Query>((*self.source()).query_list).next().map_or(0, |query| (*query).queryId as i64)
        }
    }

    /// Whether an execution with these parameters uses the plan that PostgreSQL keeps, if it is valid.
    pub fn keeps_plan(&self, parameters: pg_sys::ParamListInfo) -> bool {
        // SAFETY: this value owns the plan source.
        let options = unsafe { (*self.source()).cursor_options };
        // SAFETY: reads a setting.
        let is_auto = unsafe { pg_sys::plan_cache_mode } == pg_sys::PlanCacheMode::PLAN_CACHE_MODE_AUTO as c_int;
        parameters.is_null() || is_auto && options & pg_sys::CURSOR_OPT_GENERIC_PLAN as c_int != 0
    }

    /// Whether PostgreSQL has a plan that an execution with these parameters uses as it is, whatever the role.
    pub fn has_plan(&self, parameters: pg_sys::ParamListInfo) -> bool {
        // SAFETY: this value owns the plan source.
        unsafe {
            let kept = (*self.source()).gplan;
            self.keeps_plan(parameters) && !kept.is_null() && (*kept).is_valid && !(*kept).dependsOnRole
        }
    }

    /// Whether the statement's analysis is still valid, and that of the search path in force. Locks its relations, as PostgreSQL would
    /// before it runs the statement.
    ///
    /// `target`: the relation that it writes to, if it writes.
    pub fn is_current(&self, target: Option<pg_sys::Oid>) -> bool {
        // SAFETY: this value owns the plan. The locks are released at the end of the transaction, like those of any statement.
        unsafe {
            let source = self.source();
            if !(*source).is_valid {
                return false;
            }
            for relation in nodes::oids((*source).relationOids) {
                let is_target = Some(relation) == target;
                let lock = if is_target { pg_sys::RowExclusiveLock } else { pg_sys::AccessShareLock };
                pg_sys::LockRelationOid(relation, lock as c_int);
            }
            (*source).is_valid && !self.was_reanalysed() && search_path_matches(source)
        }
    }

    /// Whether PostgreSQL has replaced the analysis that [`Prepared::reads`] looked at.
    pub fn was_reanalysed(&self) -> bool {
        // SAFETY: the record is this value's own.
        unsafe { (*self.analysis).gone }
    }

    /// What the statement can read of the request, by the functions that it calls, also in views, in policies and for its values,
    /// according to PostgreSQL's last analysis, if that is still valid. A write that can read less than anything is one command on one
    /// table.
    pub fn reads(&self) -> Reads {
        // SAFETY: the plan is this value's own; its query list is a list of Query nodes. The analysis has locked its relations.
        unsafe {
            let source = self.source();
            if !(*source).is_valid {
                return Reads::Anything;
            }
            if !(*self.analysis).gone {
                return (*self.analysis).reads;
            }
            let is_plain =
                self.has_plain_types() && self.target().is_none_or(|target| target.is_some_and(is_plain_target));
            let reads = if is_plain { Reads::of_statement(source) } else { Reads::Anything };
            (*self.analysis).reads = reads;
            (*self.analysis).gone = false;
            pg_sys::MemoryContextRegisterResetCallback((*source).query_context, &raw mut (*self.analysis).callback);
            reads
        }
    }

    /// Whether the statement can read nothing of the request, and runs no user code.
    pub fn is_self_contained(&self) -> bool {
        self.reads() == Reads::Nothing
    }

    /// The relation that the statement writes to, if it is one command that writes to one.
    pub fn target_of_write(&self) -> Option<pg_sys::Oid> {
        self.target().flatten()
    }

    /// The relation that the statement writes to; `Some(None)` if it does not write to exactly one. `None` if it does not write.
    fn target(&self) -> Option<Option<pg_sys::Oid>> {
        // SAFETY: the plan is this value's own; its query list is a list of Query nodes, with lists of what it reads.
        unsafe {
            let queries = (*self.source()).query_list;
            let mut each = nodes::iter::<pg_sys::Query>(queries);
            let Some(query) = each.next() else { return Some(None) };
            if each.next().is_some() || (*query).commandType == pg_sys::CmdType::CMD_UTILITY || (*query).hasModifyingCTE
            {
                return Some(None);
            }
            let place = usize::try_from((*query).resultRelation).ok()?.checked_sub(1)?;
            Some(nodes::pointers::<pg_sys::RangeTblEntry>((*query).rtable).nth(place).map(|entry| (*entry).relid))
        }
    }

    /// Whether one of the statement's relations, including those of views, has rows that the current user may not read: because a
    /// policy hides them, or because the user can only read some of them through a view. The statement must have run, so that the
    /// relations exist.
    pub fn reads_hidden_rows(&self) -> bool {
        // SAFETY: this value owns the plan. Its record has a list of OIDs of existing relations.
        unsafe { nodes::oids((*self.source()).relationOids).any(hides_rows) }
    }

    /// Whether only PostgreSQL's own functions read the parameters and write the columns, and the search path does not matter to them.
    pub fn has_plain_types(&self) -> bool {
        // SAFETY: this value owns the plan, and its description is valid as long as the plan.
        unsafe {
            let row = (*self.source()).resultDesc;
            let columns = if row.is_null() { 0 } else { (*row).natts as usize };
            (0..columns).all(|i| is_plain(pg_sys::SPI_gettypeid(row, i as c_int + 1)))
                && self.inputs.iter().all(|input| input.kept.is_some() && !names_objects(input.data_type))
        }
    }

    /// Whether PostgreSQL analysed both statements to the same result.
    pub fn is_same_as(&self, other: &Prepared) -> bool {
        // SAFETY: compares two lists of Query nodes.
        unsafe { pg_sys::equal((*self.source()).query_list.cast(), (*other.source()).query_list.cast()) }
    }

    /// PostgreSQL's own record of the statement.
    pub fn source(&self) -> *mut pg_sys::CachedPlanSource {
        // SAFETY: this value owns the plan, which has one source because it is one statement.
        unsafe {
            let sources = unguarded::SPI_plan_get_plan_sources(self.plan);
            nodes::pointers(sources).next().unwrap_or(std::ptr::null_mut())
        }
    }

    /// Takes the encoders for one execution. If the statement runs within itself through a function, the inner run gets new ones.
    pub fn take_encoders(&self) -> Box<Encoders> {
        self.encoders.take().unwrap_or_else(|| Box::new(Encoders::hiding(self.hidden, self.keys)))
    }

    /// Puts the encoders back.
    pub fn put_encoders(&self, encoders: Box<Encoders>) {
        self.encoders.replace(Some(encoders));
    }

    /// The parameters that take values of the body's object: their place in the list, and the number of the member.
    pub fn members(&self) -> impl Iterator<Item = (usize, usize)> {
        self.parameters.iter().enumerate().filter_map(|(place, parameter)| match parameter {
            Parameter::Member(member) => Some((place, *member)),
            _ => None,
        })
    }

    /// Memory that lives as long as the statement.
    pub fn memory(&self) -> pg_sys::MemoryContext {
        self.memory
    }

    /// The type of the parameter at this place.
    pub fn data_type(&self, place: usize) -> Option<pg_sys::Oid> {
        self.inputs.get(place).map(|input| input.data_type)
    }

    /// The values of the parameters, apart from members. Raises the input function's error if a text is not valid input for its type.
    pub fn bind(&self, values: &Values) -> Result<pg_sys::ParamListInfo> {
        if self.parameters.is_empty() {
            return Ok(std::ptr::null_mut());
        }
        // SAFETY: the list has room for as many parameters as are written to it.
        unsafe {
            let list = pg_sys::makeParamList(self.parameters.len() as c_int);
            let slots = (*list).params.as_mut_ptr();
            for (i, (parameter, input)) in self.parameters.iter().zip(&self.inputs).enumerate() {
                let slot = &mut *slots.add(i);
                slot.pflags = pg_sys::PARAM_FLAG_CONST as u16;
                slot.ptype = input.data_type;
                slot.isnull = false;
                let text = match parameter {
                    // Its value is put in when the body is read, and the plan is for any value.
                    Parameter::Member(_) => {
                        (slot.pflags, slot.isnull) = (0, true);
                        continue;
                    }
                    Parameter::Body => {
                        match values.body_datum.or_else(|| values.body.map(bytea)) {
                            Some(body) => slot.value = body,
                            None => slot.isnull = true,
                        }
                        continue;
                    }
                    Parameter::Constant(text) => Cow::Borrowed(text.as_str()),
                    Parameter::Items(ids) => Cow::Owned(array_literal(
                        ids.iter().map(|id| literal_text(values.literals.get(*id), Form::Text)),
                    )),
                    Parameter::Limit(id, cap) => {
                        let asked = match values.literals.get(*id) {
                            Some(Literal::Number(n)) => *n,
                            _ => u64::MAX,
                        };
                        Cow::Owned(cap.map_or(asked, |cap| cap.min(asked)).to_string())
                    }
                    Parameter::Literal(id, form) => literal_text(values.literals.get(*id), *form),
                };
                slot.value = input.read(&text);
            }
            Ok(list)
        }
    }
}

/// The only statement of a plan.
///
/// # Safety
/// A plan with one statement.
pub unsafe fn planned(plan: *const pg_sys::CachedPlan) -> *mut pg_sys::PlannedStmt {
    // SAFETY: promised by the caller.
    unsafe { (*(*(*plan).stmt_list).elements).ptr_value.cast() }
}

/// Whether the search path in force is the one that the statement was analysed under.
///
/// # Safety
/// The source of a saved plan.
unsafe fn search_path_matches(source: *mut pg_sys::CachedPlanSource) -> bool {
    // SAFETY: the plan source of a saved plan.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
        return pg_sys::OverrideSearchPathMatchesCurrent((*source).search_path);
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        return pg_sys::SearchPathMatchesCurrentEnvironment((*source).search_path);
    }
}

impl Input {
    /// The input of a type. The function keeps its state in `memory`.
    unsafe fn of(data_type: pg_sys::Oid, memory: pg_sys::MemoryContext) -> Self {
        // SAFETY: look-ups in the catalogue; the memory outlives the value.
        unsafe {
            let (mut function, mut element) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
            pg_sys::getTypeInputInfo(data_type, &mut function, &mut element);
            let kept = is_built_in_or_enum(data_type).then(|| {
                let mut kept = pg_sys::FmgrInfo::default();
                pg_sys::fmgr_info_cxt(function, &mut kept, memory);
                RefCell::new(kept)
            });
            Input { function, element, data_type, kept }
        }
    }

    /// The value of a text. Raises the type's own error if the text is not valid.
    unsafe fn read(&self, text: &str) -> pg_sys::Datum {
        // SAFETY: the function reads values of this type, and gets a NUL-terminated text.
        unsafe {
            // A small text is copied to the stack instead of allocating.
            let mut small = [0u8; 64];
            let owned;
            let c_text: *const std::ffi::c_char = match small.get_mut(..text.len()) {
                Some(room) if text.len() < 64 => {
                    room.copy_from_slice(text.as_bytes());
                    small.as_ptr().cast()
                }
                _ => {
                    // Literals cannot hold a NUL, because the target was checked.
                    owned = CString::new(text).unwrap_or_default();
                    owned.as_ptr()
                }
            };
            captured::reading(|| match &self.kept {
                Some(kept) => pg_sys::InputFunctionCall(&mut *kept.borrow_mut(), c_text.cast_mut(), self.element, -1),
                None => pg_sys::OidInputFunctionCall(self.function, c_text.cast_mut(), self.element, -1),
            })
        }
    }
}

fn literal_text(literal: Option<&Literal>, form: Form) -> Cow<'_, str> {
    match (literal, form) {
        (Some(Literal::Text(text)), Form::Pattern) if text.contains('*') => Cow::Owned(text.replace('*', "%")),
        (Some(Literal::Text(text)), _) => Cow::Borrowed(text),
        (Some(Literal::List(items)), _) => Cow::Owned(array_literal(items)),
        (Some(Literal::Number(n)), _) => Cow::Owned(n.to_string()),
        (None, _) => Cow::Borrowed(""),
    }
}

/// Whether a relation has rows that the current user may not read.
pub fn hides_rows(relation: pg_sys::Oid) -> bool {
    // SAFETY: lookups in the system caches.
    unsafe {
        pg_sys::check_enable_rls(relation, pg_sys::InvalidOid, true)
            == pg_sys::CheckEnableRlsResult::RLS_ENABLED as c_int
            || !privileges::may_any_column(relation, user::current(), pg_sys::ACL_SELECT)
    }
}

/// The bytes as a bytea, in the current memory context.
fn bytea(bytes: &[u8]) -> pg_sys::Datum {
    let size = pg_sys::VARHDRSZ + bytes.len();
    // SAFETY: fresh memory of the size that is filled. palloc raises an error for a size that a varlena cannot have.
    unsafe {
        let varlena: *mut u8 = pg_sys::palloc(size).cast();
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), varlena.add(pg_sys::VARHDRSZ), bytes.len());
        pgrx::varlena::set_varsize_4b(varlena.cast(), size as i32);
        pg_sys::Datum::from(varlena)
    }
}

/// Runs `work` with SPI connected. An error that is raised ends the connection too.
pub fn connected<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: SPI_finish follows on the only path that does not raise an error.
    unsafe { pg_sys::SPI_connect() };
    let result = work();
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    result
}

/// Whether the transaction has written anything.
pub fn has_written() -> bool {
    unguarded::GetTopTransactionIdIfAny() != pg_sys::InvalidTransactionId
}
