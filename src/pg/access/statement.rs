//! Statements of one value, whose failure is a result.
//!
//! Names are looked up by the extension, under PostgreSQL's own search path: the expressions of the catalogue name objects
//! whose schema their reader may not use, as a policy does not look up names either when it runs. To look up names runs no
//! code of a user, but to read a literal may, of a domain's array say; statements with such literals are the current user's from
//! the start. What a literal's type is may change until then, and a text may be read as other than it was written: a literal
//! that the extension finds in a statement is a parameter, unless its type is PostgreSQL's own. All else, from the rewriting of
//! policies to the execution, is done as the current user.

mod literals;

use crate::pg::ffi::error::{must_propagate, raise};
use crate::pg::ffi::guc_nest::GucNest;
use crate::pg::ffi::subtransaction::{self, End};
use crate::pg::ffi::{nodes, unguarded, user};
use crate::respond::Raised;
use crate::sqlstate::SqlState;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::{CString, c_int};

/// What a statement gives.
pub enum Rows {
    Nothing,
    /// The only row's only column.
    One(Option<pg_sys::Datum>),
    Several,
}

/// An error that a statement raised.
pub struct Failure {
    pub raised: Raised,
    /// It was raised before anything was run.
    pub in_analysis: bool,
}

/// The type and the value of a parameter.
pub type Parameter = (pg_sys::Oid, Option<pg_sys::Datum>);

/// Who looks up the names in a statement.
#[derive(Clone, Copy, PartialEq)]
pub enum Names {
    /// The extension: all literals in the text are of types whose input is not a user's code.
    ByExtension,
    ByCurrentUser,
}

impl Names {
    /// Whether the literals are so.
    pub fn of(has_plain_literals: bool) -> Self {
        if has_plain_literals { Names::ByExtension } else { Names::ByCurrentUser }
    }
}

/// Runs a SELECT of one column of the type `wanted`, in a subtransaction: one that is passed by value, or a varlena, which is
/// copied to the current memory context.
///
/// Raises errors that are no answer: cancellation, loss of resources, failures of the transaction.
pub fn run(sql: &str, names: Names, parameters: &[Parameter], wanted: pg_sys::Oid) -> Result<Rows, Failure> {
    let analysed = Cell::new(false);
    // SAFETY: a transaction is open.
    let done = subtransaction::run(|| unsafe { (run_within(sql, names, parameters, wanted, &analysed), End::Commit) });
    done.map_err(|failed| match must_propagate(&failed.raised) {
        true => failed.rethrow(),
        false => Failure { raised: failed.raised, in_analysis: !analysed.get() },
    })
}

unsafe fn run_within(
    sql: &str,
    names: Names,
    parameters: &[Parameter],
    wanted: pg_sys::Oid,
    analysed: &Cell<bool>,
) -> Rows {
    // SAFETY: called within a subtransaction; what is made lives in the current context, and parameters are of the
    // types they say.
    unsafe {
        // a NUL cannot occur in what the catalogue holds
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
        // A SELECT is rewritten to one SELECT.
        let rewritten = pg_sys::QueryRewrite(query);
        let rewritten = nodes::iter::<pg_sys::Query>(rewritten).next().unwrap_or_else(|| refuse());
        let plan = pg_sys::pg_plan_query(rewritten, text.as_ptr(), 0, bound);

        let memory = pg_sys::CurrentMemoryContext;
        pg_sys::ffi::pg_guard_ffi_boundary(|| {
            use crate::pg::ffi::unguarded::executor::*;
            let (null, none) = (std::ptr::null_mut(), std::ptr::null_mut());
            let query =
                CreateQueryDesc(plan, text.as_ptr(), GetActiveSnapshot(), none, pg_sys::None_Receiver, bound, null, 0);
            ExecutorStart(query, 0);
            let found = match next(query) {
                None => Rows::Nothing,
                Some(value) => {
                    // The next row takes the memory of this one.
                    let value = value.map(|value| match by_reference {
                        true => {
                            let executor = unguarded::switch_to(memory);
                            let copy = pg_sys::pg_detoast_datum_copy(value.cast_mut_ptr());
                            unguarded::switch_to(executor);
                            copy.into()
                        }
                        false => value,
                    });
                    if next(query).is_some() { Rows::Several } else { Rows::One(value) }
                }
            };
            ExecutorFinish(query);
            ExecutorEnd(query);
            FreeQueryDesc(query);
            found
        })
    }
}

/// The statement with its names looked up. Literals that become parameters are added to these.
unsafe fn analyse(
    text: &CString,
    names: Names,
    parameters: &mut Vec<Parameter>,
    wanted: pg_sys::Oid,
) -> *mut pg_sys::Query {
    // SAFETY: the text is NUL-terminated; each node is looked at as what its tag says; the analyst runs no code of a
    // user.
    unsafe {
        let nest = GucNest::with_pinned_path();
        // A function that a policy calls may have set it: what the catalogue wrote within quotes stays within them.
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

/// The first column of the next row; `None` behind the last one.
unsafe fn next(query: *mut pg_sys::QueryDesc) -> Option<Option<pg_sys::Datum>> {
    // SAFETY: an executor that was started and is not ended; the slot is looked at as the row it holds.
    unsafe {
        let node = (*query).planstate;
        let outer = unguarded::switch_to((*(*query).estate).es_query_cxt);
        let slot = match (*node).ExecProcNode {
            Some(execute) => execute(node),
            None => std::ptr::null_mut(),
        };
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
