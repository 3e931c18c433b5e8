//! Runs statements that return one value. An error is a result.
//!
//! The extension resolves the names, under PostgreSQL's own search path, because the expressions in the catalogue may name objects
//! in schemas that the current user cannot use. (When a policy runs, its names are already resolved.) Resolving names runs no user
//! code, but reading a literal may, such as one of an array of a domain. The current user resolves statements with such literals
//! from the start. The type of a literal may have changed since it was checked, and the text may be parsed differently than it was
//! written, so the extension makes a parameter of each literal that it finds in a statement, unless its type is one of PostgreSQL's
//! own. Everything else, from applying policies to execution, is done as the current user.

mod literals;

use crate::pg::ffi::error::{must_propagate, raise};
use crate::pg::ffi::guc_nest::GucNest;
use crate::pg::ffi::subtransaction::{self, End};
use crate::pg::ffi::{nodes, unguarded, user};
use crate::raised::Raised;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::{CString, c_int};

/// The result of a statement.
pub enum Rows {
    Nothing,
    /// The only column of the only row.
    One(Option<pg_sys::Datum>),
    Several,
}

/// An error that a statement raised.
pub struct Failure {
    pub raised: Raised,
    /// Whether it was raised while the statement was analysed, before it ran.
    pub in_analysis: bool,
}

/// The type and the value of a parameter.
pub type Parameter = (pg_sys::Oid, Option<pg_sys::Datum>);

/// Who resolves the names in a statement.
#[derive(Clone, Copy, PartialEq)]
pub enum Names {
    /// The extension does. Reading the literals in the text runs no user code.
    ByExtension,
    ByCurrentUser,
}

impl Names {
    /// `has_plain_literals`: whether reading the literals runs no user code.
    pub fn of(has_plain_literals: bool) -> Self {
        if has_plain_literals { Names::ByExtension } else { Names::ByCurrentUser }
    }
}

/// Runs a SELECT of one column of the type `wanted` in a subtransaction. The type must be passed by value or be a varlena; a varlena
/// is copied to the current memory context.
///
/// Raises the errors that must propagate to the caller: cancellation, lack of resources, failures of the transaction.
pub fn run(sql: &str, names: Names, parameters: &[Parameter], wanted: pg_sys::Oid) -> Result<Rows, Failure> {
    let analysed = Cell::new(false);
    // SAFETY: a transaction is open.
    let done = subtransaction::run(|| unsafe { (run_within(sql, names, parameters, wanted, &analysed), End::Commit) });
    done.map_err(|failed| {
        if must_propagate(&failed.raised) {
            failed.rethrow()
        } else {
            Failure { raised: failed.raised, in_analysis: !analysed.get() }
        }
    })
}

unsafe fn run_within(
    sql: &str,
    names: Names,
    parameters: &[Parameter],
    wanted: pg_sys::Oid,
    analysed: &Cell<bool>,
) -> Rows {
    // SAFETY: called within a subtransaction. What is allocated lives in the current context, and the parameters have the types that
    // they state.
    unsafe {
        // The catalogue cannot hold a NUL.
        let text = CString::new(sql).unwrap_or_else(|_| c"SELECT NULL::pg_catalog.bool".into());
        let mut parameters = parameters.to_vec();
        let query = analyse(&text, names, &mut parameters, wanted);
        analysed.set(true);
        let by_reference = pg_sys::get_typlen(wanted) == -1;

        let bound = pg_sys::makeParamList(parameters.len() as c_int);
        for (i, (data_type, value)) in parameters.iter().enumerate() {
            let parameter = (*bound).params.as_mut_ptr().add(i);
            (*parameter).value = value.unwrap_or(pg_sys::Datum::null());
            (*parameter).isnull = value.is_none();
            (*parameter).pflags = pg_sys::PARAM_FLAG_CONST as u16;
            (*parameter).ptype = *data_type;
        }
        // Rewriting a SELECT gives one SELECT.
        let rewritten = pg_sys::QueryRewrite(query);
        let rewritten = nodes::iter::<pg_sys::Query>(rewritten).next().unwrap_or_else(|| refuse());
        let plan = pg_sys::pg_plan_query(rewritten, text.as_ptr(), 0, bound);

        let memory = pg_sys::CurrentMemoryContext;
        pg_sys::ffi::pg_guard_ffi_boundary(|| {
            use crate::pg::ffi::unguarded::under_one_guard::*;
            let query = start(plan, text.as_ptr(), pg_sys::None_Receiver, bound);
            let found = match next(query) {
                None => Rows::Nothing,
                Some(value) => {
                    // The next row reuses the memory of this one.
                    let value = value.map(|value| {
                        if by_reference {
                            let executor = unguarded::switch_to(memory);
                            let copy = pg_sys::pg_detoast_datum_copy(value.cast_mut_ptr());
                            unguarded::switch_to(executor);
                            copy.into()
                        } else {
                            value
                        }
                    });
                    if next(query).is_some() { Rows::Several } else { Rows::One(value) }
                }
            };
            end(query);
            found
        })
    }
}

/// Resolves the names in the statement. Literals that become parameters are added to `parameters`.
unsafe fn analyse(
    text: &CString,
    names: Names,
    parameters: &mut Vec<Parameter>,
    wanted: pg_sys::Oid,
) -> *mut pg_sys::Query {
    // SAFETY: the text is NUL-terminated, and each node is read as the type that its tag says. If reading a literal runs user code,
    // it runs as the current user.
    unsafe {
        let nest = GucNest::with_pinned_path();
        // A function that a policy calls may have changed it. With `on`, what the catalogue put in quotes stays in quotes.
        nest.set(c"standard_conforming_strings", c"on");
        let security = user::security_context() | user::LOCKED;
        let analyst = match names {
            Names::ByExtension => pg_sys::BOOTSTRAP_SUPERUSERID.into(),
            Names::ByCurrentUser => user::current(),
        };
        let query = user::run_as(analyst, security, || {
            let parsed = pg_sys::pg_parse_query(text.as_ptr());
            let statement = match nodes::len(parsed) {
                1 => nodes::iter::<pg_sys::RawStmt>(parsed).next().unwrap_or_else(|| refuse()),
                _ => refuse(),
            };
            if nodes::cast::<pg_sys::SelectStmt>((*statement).stmt).is_none() {
                refuse();
            }
            if names == Names::ByExtension {
                literals::to_parameters((*statement).stmt, parameters);
            }
            let mut types: Vec<pg_sys::Oid> = parameters.iter().map(|(data_type, _)| *data_type).collect();
            let (types, count) = (types.as_mut_ptr(), types.len() as c_int);
            #[cfg(feature = "pg14")]
            return pg_sys::parse_analyze(statement, text.as_ptr(), types, count, std::ptr::null_mut());
            #[cfg(not(feature = "pg14"))]
            return pg_sys::parse_analyze_fixedparams(statement, text.as_ptr(), types, count, std::ptr::null_mut());
        });
        drop(nest);
        let column = nodes::iter::<pg_sys::TargetEntry>((*query).targetList).next().unwrap_or_else(|| refuse());
        if (*query).commandType != pg_sys::CmdType::CMD_SELECT
            || pg_sys::getBaseType(pg_sys::exprType((*column).expr.cast())) != wanted
        {
            refuse();
        }
        query
    }
}

fn refuse() -> ! {
    raise(SqlState::SYNTAX_ERROR, "the expression is not what the catalogue says it is", None, None)
}

/// The first column of the next row. `None` after the last one.
unsafe fn next(query: *mut pg_sys::QueryDesc) -> Option<Option<pg_sys::Datum>> {
    // SAFETY: an executor that has been started and not ended. The slot is read as the row that it holds.
    unsafe {
        let node = (*query).planstate;
        let outer = unguarded::switch_to((*(*query).estate).es_query_cxt);
        let slot = unguarded::under_one_guard::next_row(node);
        let row = (!slot.is_null() && (*slot).tts_flags & pg_sys::TTS_FLAG_EMPTY as u16 == 0).then(|| {
            if (*slot).tts_nvalid < 1 {
                pg_sys::slot_getsomeattrs_int(slot, 1);
            }
            (!*(*slot).tts_isnull).then(|| *(*slot).tts_values)
        });
        unguarded::switch_to(outer);
        row
    }
}
