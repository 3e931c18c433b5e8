//! The hooks of the database (`restful.hook_entry`): which functions run around a request.

use crate::auth::Principal;
use crate::error::{Code, Error, Result};
use crate::hooks::{self, Changed, Event, Hook, Returns, Scope};
use crate::http::Request;
use crate::http::response::Response;
use crate::pg::answer::Answer;
use crate::pg::catalog::invalidation::{self, TableGroup};
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{sql_function, text, v1_function};
use crate::pg::ffi::snapshot::in_new_snapshot;
use crate::pg::ffi::{catalog_scan, log, own_tables};
use crate::pg::frame::{self, Context, Finished};
use crate::pg::identity::principal;
use crate::pg::{guc, routes};
use crate::route::Action;
use crate::sqlstate::SqlState;
use crate::statement::Ident;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

const ALL: &str = include_str!("../../sql/query/hooks/all.sql");

/// The hooks, and the generations of the tables and functions that they were read from.
struct Known {
    generations: (u64, u64),
    hooks: Rc<[Hook]>,
}

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
    /// A hook is being called. The requests that it makes have no hooks, or it might call itself.
    static IS_CALLING: Cell<bool> = const { Cell::new(false) };
}

fn generations() -> (u64, u64) {
    (invalidation::HOOKS.with(TableGroup::generation), invalidation::FUNCTIONS.with(invalidation::Generation::get))
}

/// The hooks, in their order. A change counts from the next statement after its transaction committed.
pub fn declared() -> Rc<[Hook]> {
    invalidation::accept();
    let now = generations();
    let known = KNOWN.with_borrow(|known| {
        // Functions do not matter where there are no hooks.
        let is_current = |k: &&Known| k.generations == now || k.hooks.is_empty() && k.generations.0 == now.0;
        known.as_ref().filter(is_current).map(|known| known.hooks.clone())
    });
    if let Some(hooks) = known {
        return hooks;
    }
    let relation = invalidation::HOOKS.with(TableGroup::announce);
    if relation == pg_sys::InvalidOid {
        // PostgreSQL does not tell when the table comes.
        KNOWN.take();
        return Rc::default();
    }
    let generations = generations();
    if !catalog_scan::has_rows(relation) {
        // No query, because its locks would last until the end of the transaction.
        KNOWN.set(Some(Known { generations, hooks: Rc::default() }));
        return Rc::default();
    }
    let read = || Spi::connect(|client| client.select(ALL, Some(1), &[])?.first().get_one::<JsonB>());
    // SAFETY: the query is a constant.
    let found = match unsafe { own_tables::as_owner(relation, read) } {
        Some(Ok(Some(JsonB(found)))) => found,
        Some(Err(why)) => error!("the hooks cannot be read: {why}"),
        Some(Ok(None)) | None => Value::Null,
    };
    // A hook may be a guard, so one that cannot be read must not be left out.
    let hooks: Rc<[Hook]> = match serde_json::from_value::<Vec<Hook>>(found) {
        Ok(hooks) => hooks.into(),
        Err(why) => error!("the hooks cannot be read: {why}"),
    };
    KNOWN.set(Some(Known { generations, hooks: hooks.clone() }));
    hooks
}

/// Answers a request that has found where it goes.
pub type Run<'a> = &'a dyn Fn(&Request, Action) -> Result<Answer>;

/// Who is asked to answer a request that hooks are around.
pub struct Within<'a> {
    /// Answers a request. Its principal is one within the open frame. `is_as_sent`: the request is the one that was sent.
    pub answer: &'a dyn Fn(&Request, Action, &Principal, bool) -> Result<Answer>,
    /// Finds where a request goes, and answers it by the function.
    pub route: &'a dyn Fn(&Request, Run) -> Result<Answer>,
}

/// Answers a request, with the hooks that take it before and after. All of it is one subtransaction.
///
/// Hooks run as the request's role. What a hook makes of the request is answered as a request of the same identity is, and no hooks are
/// chosen for it again.
///
/// # Errors
/// The errors of hooks and of the request: nothing is changed then.
pub fn within(request: &Request, action: Action, principal: &Principal, within: &Within) -> Result<Answer> {
    let hooks = declared();
    if hooks.is_empty() || IS_CALLING.get() {
        return (within.answer)(request, action, principal, true);
    }
    let group = request.arguments.as_ref().and_then(|arguments| arguments.group);
    let mut before = hooks::of(&hooks, Event::Before, request.sent(), group).peekable();
    let after: Vec<&Hook> = hooks::of(&hooks, Event::After, request.sent(), group).collect();
    if before.peek().is_none() && after.is_empty() {
        return (within.answer)(request, action, principal, true);
    }
    let schema = action.schema.clone();
    let context = Context { request, principal, schema: &schema };
    let reads_only = request.method.is_safe();
    frame::enter(&context, |frame| {
        frame.take_role();
        frame.publish();
        let inner = principal::within(frame.is_authenticated());
        let (mut value, mut changed, mut answered) = (hooks::request_value(request), None, None);
        for hook in before {
            let returned = call(hook, reads_only, &[&value])?;
            let Some(returned) = returned else { continue };
            match hook.returns {
                Returns::Void => {}
                Returns::Response => {
                    answered = Some(hooks::response(&returned)?);
                    break;
                }
                Returns::Request => {
                    if let Some(next) = hooks::changed(request, &value, &returned)? {
                        value = returned.to_string().into_bytes();
                        changed = Some(next);
                    }
                }
            }
        }
        let mut answer = match (answered, &changed) {
            (Some(response), _) => Answer { commits: !guc::tx_end().rollback, ..Answer::new(response) },
            (None, None) => in_new_snapshot(|| (within.answer)(request, action, &inner, true))?,
            (None, Some(changed)) => in_new_snapshot(|| reroute(request, changed, &inner, within))?,
        };
        for hook in after {
            let response = hooks::response_value(&answer.response, answer.body()).to_string().into_bytes();
            if let Some(returned) = call(hook, reads_only, &[&value, &response])? {
                answer = replaced(answer, hooks::response(&returned)?);
            }
        }
        Ok(Finished { commit: answer.commits, value: answer })
    })
}

/// Answers what a hook has made of a request.
fn reroute(sent: &Request, changed: &Changed, principal: &Principal, within: &Within) -> Result<Answer> {
    let limit = guc::max_body_bytes();
    if changed.body.as_ref().is_some_and(|body| body.len() > limit) {
        return Err(refused(format!("The body that it has made is larger than {limit} bytes.")));
    }
    let request = Request::parse(&changed.method, &changed.target, &changed.headers, changed.body.as_deref())?;
    if sent.method.is_safe() && !request.method.is_safe() {
        return Err(refused(format!("It has made a {} of a {}.", request.method.as_str(), sent.method.as_str())));
    }
    (within.route)(&request, &|request, action| (within.answer)(request, action, principal, false))
}

/// Whether there are hooks for the error of a request. A function that makes a request within a request sees its error itself.
pub fn has_any_for_errors() -> bool {
    !frame::is_within_request() && declared().iter().any(|hook| hook.event == Event::Error)
}

/// Answers a failed request, with the hooks that take it when it fails. These run in a subtransaction of their own, which is kept, and may
/// write: they may note the failure, also that of a read.
///
/// `problem`: makes the response that tells of an error.
///
/// # Errors
/// The error itself if no hook has another response for it; REST510 if a hook fails.
pub fn on_error(context: &Context, error: Error, problem: impl Fn(&Error) -> Response) -> Result<Answer> {
    let (hooks, request) = (declared(), context.request);
    let group = routes::group_of(request);
    let mut of_errors = hooks::of(&hooks, Event::Error, request, group.as_deref()).peekable();
    if of_errors.peek().is_none() {
        return Err(error);
    }
    let done = frame::enter_to_write(context, |frame| {
        frame.take_role();
        frame.publish();
        let value = hooks::request_value(request);
        let mut replacing: Option<Response> = None;
        for hook in of_errors {
            let answer = Answer::new(replacing.clone().unwrap_or_else(|| problem(&error)));
            let response = hooks::response_value(&answer.response, answer.body()).to_string().into_bytes();
            if let Some(returned) = call(hook, false, &[&value, &response])? {
                replacing = Some(hooks::response(&returned)?);
            }
        }
        Ok(Finished { value: replacing, commit: true })
    });
    match done {
        Ok(None) => Err(error),
        Ok(Some(response)) => Ok(Answer { commits: true, ..Answer::new(response) }),
        Err(failed) => {
            // What the first error tells may be what the hook was to hide.
            log::line(&format!("a hook for errors has failed: {failed}; the error was: {error}"));
            Err(Error::new(Code::Hook, "A hook for errors has failed").hint("The server's log has both errors."))
        }
    }
}

/// An answer whose response a hook has replaced.
fn replaced(answer: Answer, response: Response) -> Answer {
    if let Some(rows) = answer.rows {
        rows.free();
    }
    Answer { response, rows: None, commits: answer.commits }
}

/// Calls the function of a hook. `reads_only`: the request may not write. `values`: of its parameters, as JSON; it may have fewer. Returns the value, if it returns one that is not null.
///
/// # Errors
/// What it has returned is not JSON that can be read. Errors that it raises are raised.
fn call(hook: &Hook, reads_only: bool, values: &[&[u8]]) -> Result<Option<Value>> {
    const TYPES: [&str; 2] = ["restful.http_request", "restful.http_response"];
    let parameters: Vec<String> = (1..=hook.parameters)
        .zip(TYPES)
        .map(|(i, of_type)| format!("pg_catalog.jsonb_populate_record(NULL::{of_type}, ${i})"))
        .collect();
    let function = format!("{}.{}({})", Ident(&hook.schema), Ident(&hook.name), parameters.join(", "));
    let sql = match hook.returns {
        Returns::Void => format!("SELECT {function}"),
        Returns::Request | Returns::Response => format!("SELECT pg_catalog.to_jsonb({function})"),
    };
    let arguments: Vec<JsonB> = values
        .iter()
        .take(hook.parameters)
        .map(|value| JsonB(serde_json::from_slice(value).unwrap_or_default()))
        .collect();
    let arguments: Vec<_> = arguments.into_iter().map(Into::into).collect();
    struct PutBack(bool);
    impl Drop for PutBack {
        fn drop(&mut self) {
            IS_CALLING.set(self.0);
        }
    }
    let _calling = PutBack(IS_CALLING.replace(true));
    let returned = Spi::connect_mut(|client| {
        let rows = if reads_only {
            client.select(&sql, Some(1), &arguments)
        } else {
            client.update(&sql, Some(1), &arguments)
        }?;
        match hook.returns {
            Returns::Void => Ok(None),
            Returns::Request | Returns::Response => rows.first().get_one::<JsonB>(),
        }
    });
    let returned = returned.map_err(|why| refused(why.to_string()))?;
    // A row whose attributes are all null is no row.
    let is_row =
        |value: &Value| value.as_object().is_some_and(|row| row.values().any(|attribute| !attribute.is_null()));
    Ok(returned.map(|JsonB(value)| value).filter(is_row))
}

fn refused(why: String) -> Error {
    Error::new(Code::Hook, "A hook has returned what it may not").details(why)
}

sql_function!(restful_hook_scope, "hook_scope(scope text)", |call| {
    if let Err(why) = Scope::parse(text(call, 0).unwrap_or_default()) {
        raise(
            SqlState::INVALID_PARAMETER_VALUE,
            "the requests of a hook are malformed",
            Some(&why),
            Some(
                "Write *, a method, a method or * and a path, or a group of routes: * /orders/{rest:path}, group blog",
            ),
        );
    }
    pg_sys::Datum::from(true)
});

v1_function!(restful_hook_changed);
/// The trigger on `restful.hook_entry`, which announces a change to all sessions.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_hook_changed(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call of a function.
    unsafe { invalidation::announce_by_trigger(call, "hook_changed") }
}
