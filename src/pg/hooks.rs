//! The hooks of the database (`restful.hook_entry`): which functions run around a request.

use crate::ask::TransactionEnd;
use crate::auth::Principal;
use crate::error::{Code, Error, Result};
use crate::hooks::{self, Changed, Event, Hook, Message, Returns, Scope};
use crate::http::response::Response;
use crate::http::{Preferences, Request};
use crate::pg::answer::{Answer, too_large};
use crate::pg::catalog::invalidation::{self, Generation};
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{sql_function, text, v1_function};
use crate::pg::ffi::log;
use crate::pg::ffi::snapshot::in_new_snapshot;
use crate::pg::frame::{self, Context, Finished};
use crate::pg::identity::principal;
use crate::pg::table_cache::{Rows, TableCache};
use crate::pg::{guc, routes, versions};
use crate::respond::ResponseSettings;
use crate::route::Action;
use crate::sqlstate::SqlState;
use crate::statement::Ident;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

const ALL: &str = include_str!("../../sql/query/hooks/all.sql");

thread_local! {
    static DECLARED: TableCache<[Hook]> = const {
        TableCache::new(Rows {
            tables: &invalidation::HOOKS,
            query: ALL,
            others: || invalidation::FUNCTIONS.with(Generation::get),
            what: "hooks",
        })
    };
    /// A hook is being called. The requests that it makes have no hooks, or it might call itself.
    static IS_CALLING: Cell<bool> = const { Cell::new(false) };
}

/// The hooks, in their order. A change counts from the next statement after its transaction committed.
///
/// Raises XX000 if they cannot be read: a hook may be a guard, so none is left out.
pub fn declared() -> Rc<[Hook]> {
    let read = |rows| match serde_json::from_value::<Vec<Hook>>(rows) {
        Ok(hooks) => hooks.into(),
        Err(why) => error!("the hooks cannot be read: {why}"),
    };
    DECLARED.with(|declared| declared.get(read)).unwrap_or_default()
}

/// Answers a request that has found where it goes.
pub type Run<'a> = &'a dyn Fn(&Request, Action) -> Result<Answer>;

/// How a request is answered that hooks are around.
pub struct Within<'a> {
    /// Answers a request. Its principal is one within the open frame.
    pub answer: &'a dyn Fn(&Request, Action, &Principal, Left) -> Result<Answer>,
    /// Finds where a request goes that a hook has made, and answers it by the function.
    pub route: &'a dyn Fn(&Made, Run) -> Result<Answer>,
    /// How the transaction ends.
    pub end: TransactionEnd,
}

/// How hooks have left a request.
#[derive(Default)]
pub struct Left {
    /// It is another request than the one that was sent.
    pub is_changed: bool,
    /// What they have set of its response.
    pub response: ResponseSettings,
}

/// A request that a hook has made of another one.
pub struct Made<'a> {
    pub request: Request<'a>,
    /// What it was made of.
    of: &'a Request<'a>,
}

impl Made<'_> {
    /// Whether a hook has set a header field. The others are as the request had them.
    pub fn sets(&self, field: &str) -> bool {
        self.request.headers.get(field) != self.of.headers.get(field)
    }
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
        return (within.answer)(request, action, principal, Left::default());
    }
    let group = request.group();
    let mut before = hooks::of(&hooks, Event::Before, request.sent(), group).peekable();
    let after: Vec<&Hook> = hooks::of(&hooks, Event::After, request.sent(), group).collect();
    if before.peek().is_none() && after.is_empty() {
        return (within.answer)(request, action, principal, Left::default());
    }
    let schema = action.schema.clone();
    let context = Context { request, principal, schema: &schema };
    let reads_only = request.method.is_safe();
    frame::enter(&context, |frame| {
        frame.take_role();
        frame.publish();
        let inner = principal::within(frame.is_authenticated());
        let mut value = hooks::request_value(request);
        let (mut changed, mut answered) = (None, None);
        for hook in before {
            let Some(returned) = call(hook, reads_only, &[&value])? else { continue };
            match hook.returns {
                Returns::Void => {}
                Returns::Response => {
                    answered = Some(made(returned)?);
                    break;
                }
                Returns::Request => {
                    if let Some(next) = hooks::changed(request, &value, &returned)? {
                        changed = Some(next);
                        value = returned;
                    }
                }
            }
        }
        let response = frame.response_settings()?;
        let mut answer = match (answered, &changed) {
            (Some(answered), _) => in_place(answered, response, request, within.end),
            (None, None) => {
                let left = Left { is_changed: false, response };
                in_new_snapshot(|| (within.answer)(request, action, &inner, left))?
            }
            (None, Some(changed)) => in_new_snapshot(|| reroute(request, changed, &inner, response, within))?,
        };
        if !after.is_empty() {
            frame.clear_response_settings();
        }
        for hook in &after {
            let response = hooks::response_value(&answer.response, answer.body());
            if let Some(returned) = call(hook, reads_only, &[&value, &response])? {
                answer = replaced(answer, made(returned)?);
            }
        }
        if !after.is_empty() {
            frame.response_settings()?.apply(&mut answer.response);
        }
        Ok(Finished { commit: answer.commits, value: answer })
    })
}

/// Runs the hooks before a write of rows that are rows in the rows of a request. They guard the table, so they must see each way into it. The write
/// is not a request of a client: they may let it pass or refuse it, but not change it.
///
/// # Errors
/// The errors that hooks raise; REST510 if one answers, with the status of its answer if that is an error, or if one changes the write.
pub fn guard(write: &Request) -> Result<()> {
    let hooks = declared();
    if IS_CALLING.get() {
        return Ok(());
    }
    let mut before = hooks::of(&hooks, Event::Before, write, None).peekable();
    if before.peek().is_none() {
        return Ok(());
    }
    let value = hooks::request_value(write);
    for hook in before {
        let Some(returned) = call(hook, false, &[&value])? else { continue };
        let what = match hook.returns {
            Returns::Void => continue,
            Returns::Request if hooks::changed(write, &value, &returned)?.is_none() => continue,
            Returns::Request => ("changed", Code::Hook.status()),
            Returns::Response => {
                let status = made(returned)?.status;
                ("refused", if status >= 400 { status } else { Code::Hook.status() })
            }
        };
        let (done, status) = what;
        let (method, path) = (write.method.as_str(), write.target.path);
        return Err(Error::with_code(Code::Hook.as_str(), status, format!("A hook has {done} {method} {path}"))
            .details("The rows are in the rows of the request, and cannot be written in another way.")
            .hint("Send them in a request of their own."));
    }
    Ok(())
}

/// The answer of a hook in the place of a request. `set`: what hooks have set of it.
fn in_place(mut response: Response, set: ResponseSettings, request: &Request, end: TransactionEnd) -> Answer {
    set.apply(&mut response);
    let asked = end.asked(request.preferences.transaction);
    let mut applied = Preferences::default();
    applied.transaction = asked;
    if let Some(applied) = applied.applied() {
        response.set_if_absent("preference-applied", applied);
    }
    Answer { commits: end.commits(asked), refuses: response.status >= 400, ..Answer::new(response) }
}

/// Answers what a hook has made of a request. `response`: what hooks have set of its response.
fn reroute(
    sent: &Request,
    changed: &Changed,
    principal: &Principal,
    response: ResponseSettings,
    within: &Within,
) -> Result<Answer> {
    let limit = guc::max_body_bytes();
    if changed.body.as_ref().is_some_and(|body| body.len() > limit) {
        return Err(hooks::refused(format!("The body that it has made is larger than {limit} bytes.")));
    }
    // Hooks see the path without its version, so a path that names none is one of the same version.
    let is_complete = sent.target.prefix.is_empty() || versions::is_named_by(&changed.target);
    let prefix = if is_complete { "" } else { sent.target.prefix };
    let target = format!("{prefix}{}", changed.target);
    let request = Request::parse(&changed.method, &target, &changed.headers, changed.body.as_deref())?;
    if sent.method.is_safe() && !request.method.is_safe() {
        return Err(hooks::refused(format!(
            "It has made a {} of a {}.",
            request.method.as_str(),
            sent.method.as_str()
        )));
    }
    let answer = |request: &Request, action: Action| {
        (within.answer)(request, action, principal, Left { is_changed: true, response: response.clone() })
    };
    (within.route)(&Made { request, of: sent }, &answer)
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
/// The error itself if no hook has another response for it, or if the request may not take its role; REST510 if a hook fails.
pub fn on_error(context: &Context, error: Error, problem: impl Fn(&Error) -> Response) -> Result<Answer> {
    let (hooks, request) = (declared(), context.request);
    let group = routes::group_of(request);
    let mut of_errors = hooks::of(&hooks, Event::Error, request, group.as_deref()).peekable();
    if of_errors.peek().is_none() {
        return Err(error);
    }
    let Ok(switch) = context.principal.switch_to.as_deref().map(frame::may_take).transpose() else { return Err(error) };
    let done = frame::enter_to_write(context, switch, |frame| {
        frame.take_role();
        frame.publish();
        let value = hooks::request_value(request);
        let mut answer = Answer::new(problem(&error));
        let mut is_replaced = false;
        for hook in of_errors {
            let response = hooks::response_value(&answer.response, answer.body());
            if let Some(returned) = call(hook, false, &[&value, &response])? {
                answer = Answer::new(made(returned)?);
                is_replaced = true;
            }
        }
        let set = frame.response_settings()?;
        let replacing = (is_replaced || set != ResponseSettings::default()).then(|| {
            set.apply(&mut answer.response);
            answer.response
        });
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
fn replaced(mut answer: Answer, response: Response) -> Answer {
    if let Some(rows) = answer.rows.take() {
        rows.free();
    }
    Answer { response, rows: None, ..answer }
}

/// The response that a hook has made.
///
/// # Errors
/// REST510 for what is not a response; 54000 for a body that is larger than `restful.max_response_bytes`.
fn made(returned: Message) -> Result<Response> {
    let limit = guc::max_response_bytes();
    if returned.body.as_ref().is_some_and(|body| body.len() > limit) {
        return Err(too_large("the response of a hook is", limit, "Let the hook return less."));
    }
    hooks::response(returned)
}

/// Calls the function of a hook. `reads_only`: the request may not write. `values`: of its parameters; it may have fewer. Returns the value, if it
/// returns one that is not null.
///
/// # Errors
/// REST510 if the function is not there any more, or is no longer one that can be such a hook. Errors that it raises are raised.
fn call(hook: &Hook, reads_only: bool, values: &[&Message]) -> Result<Option<Message<'static>>> {
    if !hook.is_callable {
        // It may be a guard, so the request must not pass.
        log::line(&format!("the function of a hook is missing or has changed: {}.{}", hook.schema, hook.name));
        return Err(Error::new(Code::Hook, "The function of a hook is missing or has changed")
            .hint("Create it again, or drop the hook with restful.drop_hook. restful.hooks() shows which one it is."));
    }
    // The base of a record is its body, and the members of a jsonb its other attributes.
    const PARAMETERS: [&str; 2] = [
        "pg_catalog.jsonb_populate_record(ROW(NULL, NULL, NULL, NULL, NULL, NULL, $2)::restful.http_request, $1)",
        "pg_catalog.jsonb_populate_record(ROW(NULL, NULL, $4)::restful.http_response, $3)",
    ];
    let attributes: &[&str] = match hook.returns {
        Returns::Void => &[],
        Returns::Request => &["method", "path", "path_parameters", "query", "headers", "cookies"],
        Returns::Response => &["status", "headers"],
    };
    let parameters = PARAMETERS.get(..hook.parameters).unwrap_or(&PARAMETERS).join(", ");
    let function = format!("{}.{}({parameters})", Ident(&hook.schema), Ident(&hook.name));
    let sql = if attributes.is_empty() {
        format!("SELECT {function}")
    } else {
        let members: Vec<String> = attributes.iter().map(|name| format!("'{name}', (value).{name}")).collect();
        // A row whose attributes are all null is no row. OFFSET 0 keeps the call from being repeated for each attribute.
        format!(
            "SELECT CASE WHEN NOT value IS NULL THEN pg_catalog.jsonb_build_object({}) END, (value).body \
             FROM (SELECT {function} OFFSET 0) AS returned (value)",
            members.join(", ")
        )
    };
    let arguments: Vec<DatumWithOid> = values
        .iter()
        .take(hook.parameters)
        .flat_map(|value| [JsonB(value.attributes.clone()).into(), value.body.as_deref().into()])
        .collect();
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
        if attributes.is_empty() {
            return Ok(None);
        }
        let (value, body) = rows.first().get_two::<JsonB, Vec<u8>>()?;
        Ok(value.map(|JsonB(attributes)| Message { attributes, body: body.map(Cow::Owned) }))
    });
    returned.map_err(|why: spi::Error| hooks::refused(why.to_string()))
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
