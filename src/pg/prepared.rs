//! Prepared statements: the types of their parameters are inferred by PostgreSQL, as for literals.

use crate::error::{Code, Error, Result};
use crate::pg::row_sink::{Encoders, RowShape, RowSink};
use crate::query::Literal;
use crate::statement::{Form, Parameter, Statement, array_literal};
use pgrx::pg_sys;
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::{CString, c_int, c_void};

unsafe extern "C-unwind" {
    /// parse_param.h, which pgrx does not bind.
    fn setup_parse_variable_parameters(state: *mut pg_sys::ParseState, types: *mut *mut pg_sys::Oid, count: *mut c_int);
}

/// The types of a statement's parameters. PostgreSQL writes to them whenever it analyses the statement, so they stay where
/// they are as long as the plan does.
struct ParameterTypes {
    types: *mut pg_sys::Oid,
    count: c_int,
}

unsafe extern "C-unwind" fn infer_parameters(state: *mut pg_sys::ParseState, types: *mut c_void) {
    let types = types.cast::<ParameterTypes>();
    // SAFETY: the argument is the ParameterTypes given with this hook.
    unsafe { setup_parse_variable_parameters(state, &raw mut (*types).types, &raw mut (*types).count) }
}

/// How the text of a parameter becomes a value.
struct Input {
    function: pg_sys::FmgrInfo,
    element: pg_sys::Oid,
    data_type: pg_sys::Oid,
}

/// A statement, prepared.
pub struct Prepared {
    plan: pg_sys::SPIPlanPtr,
    types: *mut ParameterTypes,
    inputs: RefCell<Vec<Input>>,
    parameters: Vec<Parameter>,
    encoders: RefCell<Option<Box<Encoders>>>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // SAFETY: the plan and the types are this value's own; nothing is running it any more.
        unsafe {
            pg_sys::SPI_freeplan(self.plan);
            let types = Box::from_raw(self.types);
            pg_sys::pfree(types.types.cast());
            for input in self.inputs.get_mut() {
                if !input.function.fn_extra.is_null() {
                    // allocated in TopMemoryContext by the input function
                    input.function.fn_extra = std::ptr::null_mut();
                }
            }
        }
    }
}

/// What the parameters of one execution are made from.
pub struct Values<'a> {
    pub literals: &'a [Literal],
    pub body: Option<pg_sys::Datum>,
}

/// What an execution did.
pub struct Done {
    /// Rows written to the body.
    pub rows: u64,
    /// Rows that the statement processed.
    pub processed: u64,
}

impl Prepared {
    /// Prepares a statement; SPI is connected.
    ///
    /// Raises PostgreSQL's error when the statement does not fit the database.
    pub fn new(statement: Statement, parallel: bool) -> Result<Self> {
        let sql = CString::new(statement.sql)
            .map_err(|_| Error::new(Code::MalformedRequest, "A name holds a NUL character"))?;
        let count = statement.parameters.len();
        let options = if parallel { pg_sys::CURSOR_OPT_PARALLEL_OK as c_int } else { 0 };
        // SAFETY: types and plan live until this value is dropped.
        unsafe {
            let bytes = std::mem::size_of::<pg_sys::Oid>() * count.max(1);
            let array = pg_sys::MemoryContextAllocZero(pg_sys::TopMemoryContext, bytes).cast::<pg_sys::Oid>();
            let types = Box::into_raw(Box::new(ParameterTypes { types: array, count: count as c_int }));
            let plan = pg_sys::SPI_prepare_params(sql.as_ptr(), Some(infer_parameters), types.cast(), options);
            if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                return Err(Error::new(Code::Setting, "The statement could not be prepared"));
            }
            let mut inputs = Vec::with_capacity(count);
            for i in 0..count {
                let data_type = *(*types).types.add(i);
                let (mut function, mut element) = (pg_sys::InvalidOid, pg_sys::InvalidOid);
                pg_sys::getTypeInputInfo(data_type, &mut function, &mut element);
                let mut input = Input { function: std::mem::zeroed(), element, data_type };
                pg_sys::fmgr_info_cxt(function, &mut input.function, pg_sys::TopMemoryContext);
                inputs.push(input);
            }
            Ok(Prepared {
                plan,
                types,
                inputs: RefCell::new(inputs),
                parameters: statement.parameters,
                encoders: RefCell::new(Some(Box::default())),
            })
        }
    }

    /// Runs the statement; its rows go to `sink`'s body in the given shape.
    ///
    /// Raises PostgreSQL's error when the statement fails.
    pub fn run(
        &self,
        values: &Values,
        read_only: bool,
        body: crate::pg::row_sink::BodyBuffer,
        shape: RowShape,
    ) -> Result<(Done, crate::pg::row_sink::BodyBuffer)> {
        let parameters = self.bind(values)?;
        // A statement that runs within itself, by way of a function, needs encoders of its own.
        let mut encoders = self.encoders.take().unwrap_or_default();
        let mut sink = RowSink::new(body, shape, &mut encoders);
        let options =
            pg_sys::SPIExecuteOptions { params: parameters, read_only, dest: sink.receiver(), ..Default::default() };
        // SAFETY: plan, parameters and sink outlive the execution.
        let code = unsafe { pg_sys::SPI_execute_plan_extended(self.plan, &options) };
        if code < 0 {
            return Err(Error::new(Code::Setting, format!("The statement could not be run (SPI code {code})")));
        }
        // SAFETY: reads a global that the execution has set.
        let done = Done { rows: sink.rows(), processed: unsafe { pg_sys::SPI_processed } };
        let body = sink.into_buffer();
        self.encoders.replace(Some(encoders));
        Ok((done, body))
    }

    /// The values of the parameters. Raises the input function's error for a text that is none of the type.
    fn bind(&self, values: &Values) -> Result<pg_sys::ParamListInfo> {
        if self.parameters.is_empty() {
            return Ok(std::ptr::null_mut());
        }
        let mut inputs = self.inputs.borrow_mut();
        // SAFETY: the list has room for as many parameters as are written to it.
        unsafe {
            let list = pg_sys::makeParamList(self.parameters.len() as c_int);
            let slots = (*list).params.as_mut_ptr();
            for (i, (parameter, input)) in self.parameters.iter().zip(inputs.iter_mut()).enumerate() {
                let slot = &mut *slots.add(i);
                slot.pflags = pg_sys::PARAM_FLAG_CONST as u16;
                slot.ptype = input.data_type;
                slot.isnull = false;
                let text = match parameter {
                    Parameter::Body => {
                        match values.body {
                            Some(body) => slot.value = body,
                            None => slot.isnull = true,
                        }
                        continue;
                    }
                    Parameter::Constant(text) => Cow::Borrowed(text.as_str()),
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

impl Input {
    /// The value of a text. Raises the type's own error.
    unsafe fn read(&mut self, text: &str) -> pg_sys::Datum {
        // A small text needs no allocation of its own.
        let mut small = [0u8; 64];
        let owned;
        let c_text: *const std::ffi::c_char = match small.get_mut(..text.len()) {
            Some(room) if text.len() < 64 => {
                room.copy_from_slice(text.as_bytes());
                small.as_ptr().cast()
            }
            _ => {
                // literals hold no NUL: the target was checked
                owned = CString::new(text).unwrap_or_default();
                owned.as_ptr()
            }
        };
        pg_sys::InputFunctionCall(&mut self.function, c_text.cast_mut(), self.element, -1)
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
