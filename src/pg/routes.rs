//! The routes of the database (`restful.route_entry`): which function a request goes to.

use crate::error::Error;
use crate::error::{Code, Result};
use crate::http::accepts;
use crate::http::request::Arguments;
use crate::http::target::{Parameter as QueryParameter, Target};
use crate::http::{Method, Request};
use crate::json::pointer;
use crate::openapi;
use crate::payload;
use crate::pg::catalog::invalidation::{self, TableGroup};
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{argument, sql_function, v1_function};
use crate::pg::ffi::{catalog_scan, own_tables, privileges, user};
use crate::pg::identity::principal::principal;
use crate::pg::{catalog, frame, json_schema, versions};
use crate::route::{self, Action, Resource, Route, Surface, Verb};
use crate::routing::arguments::{Parameter, Place, Source, arguments};
use crate::routing::pattern::Pattern;
use crate::routing::table::{Captured, Found, Match, Table};
use crate::sqlstate::SqlState;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde::Deserialize;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

const ALL: &str = include_str!("../../sql/query/routes/all.sql");

/// A route, as it was declared.
#[derive(Debug, Deserialize)]
struct Declared {
    /// `pg_proc.oid`
    function: u32,
    pattern: String,
    schema: String,
    /// The function.
    name: String,
    /// The JSON Schema of bodies, as text.
    body_schema: Option<String>,
    parameters: Vec<Typed>,
}

#[derive(Debug, Deserialize)]
struct Typed {
    /// `pg_type.typname`, below domains.
    of_type: String,
    #[serde(flatten)]
    parameter: Parameter,
}

/// Where a route leads to.
#[derive(Debug)]
struct Handler {
    pattern: Pattern,
    /// The path, as it was declared.
    path: String,
    function: u32,
    schema: Rc<str>,
    name: String,
    body_schema: Option<String>,
    parameters: Vec<Parameter>,
}

/// The routes, and the generations of the tables and functions that they were read from.
struct Known {
    generations: (u64, u64),
    table: Rc<Table<Handler>>,
}

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

fn generations() -> (u64, u64) {
    (invalidation::ROUTES.with(TableGroup::generation), invalidation::FUNCTIONS.with(invalidation::Generation::get))
}

/// Finds where a request goes, and lets `run` answer it: by a route of the database, or else as [`route::route`] says. Routes have no paths
/// below a version.
///
/// `base`: as of [`versions::within`].
///
/// # Errors
/// Those of [`route::route`]; REST405 (405) for a path whose routes do not take the method; REST471 (400) for arguments that do not fit;
/// those of `run`.
pub fn routed<T>(
    request: &Request,
    surface: &Surface,
    base: Option<&str>,
    run: impl FnOnce(&Request, Route) -> Result<T>,
) -> Result<T> {
    let built_in = || route::route(request, surface).map_err(|error| versions::refused(surface, base, request, error));
    if request.target.segments.is_empty() || !request.target.prefix.is_empty() {
        return run(request, built_in()?);
    }
    let table = table();
    if table.is_empty() {
        return run(request, built_in()?);
    }
    match table.find(request.method, &request.target.segments) {
        Match::Found(found) => answer(request, &found, run),
        Match::OtherMethods(methods) => {
            // A table or view of this name takes the other methods.
            let route = built_in();
            if matches!(&route, Ok(Route::Action(action)) if exists(action)) {
                return run(request, route?);
            }
            let takes = |method: &&Method| match method {
                Method::Head | Method::Query => methods.contains(&Method::Get),
                method => **method == Method::Options || methods.contains(method),
            };
            let allow: Vec<&str> = Method::ALL.iter().filter(takes).map(|method| method.as_str()).collect();
            let allow = allow.join(",");
            if request.method == Method::Options {
                run(request, Route::Methods(allow))
            } else {
                Err(route::not_allowed(request.method, &allow))
            }
        }
        Match::None => run(request, built_in()?),
    }
}

/// Whether a route has the path of a request as it was sent, so that it names no version.
pub fn takes(request: &Request) -> bool {
    let table = table();
    !table.is_empty() && !matches!(table.find(request.method, &request.target.segments), Match::None)
}

/// Whether an action is on a table or view that exists.
fn exists(action: &Action) -> bool {
    match &action.resource {
        Resource::Collection { relation } | Resource::Item { relation, .. } => {
            catalog::has_relation(&action.schema, relation)
        }
        Resource::Root | Resource::Function { .. } => false,
    }
}

fn answer<T>(request: &Request, found: &Found<Handler>, run: impl FnOnce(&Request, Route) -> Result<T>) -> Result<T> {
    let handler = found.to;
    let checked = arguments(&handler.parameters, &found.captured, request).and_then(|given| {
        handler.body_schema.as_deref().map_or(Ok(()), |schema| check_body(schema, request)).map(|()| given)
    });
    let given = checked.or_else(|refused| Err(shown(handler, request, refused)?))?;
    let verb = if request.method.is_safe() { Verb::CallSafe } else { Verb::Call };
    let resource = Resource::Function { name: handler.name.clone() };
    let action = Action { verb, resource, schema: handler.schema.clone(), negotiated: false };
    let call = Request {
        target: Target { parameters: given.rest, ..request.target.clone() },
        arguments: Some(Arguments {
            object: &given.object,
            parameters: &given.taken,
            route: &handler.path,
            sent: request,
            captured: &found.captured,
        }),
        body: None,
        ..request.clone()
    };
    let placed = |error| placed(error, handler, &found.captured, &given.taken, request.method.is_safe());
    run(&call, Route::Action(action)).map_err(placed)
}

/// The error of a call, which says where the argument came from that its type cannot read.
fn placed(
    error: Error,
    handler: &Handler,
    captured: &[(&str, Captured)],
    taken: &[QueryParameter],
    is_safe: bool,
) -> Error {
    let named = match error.errors.as_slice() {
        [only] if error.errors_are_in_body && only.violation.keyword == "type" => only.pointer.strip_prefix('/'),
        _ => None,
    };
    let is_named = |parameter: &&Parameter| named.is_some_and(|named| pointer::escape(&parameter.name) == named);
    let Some(parameter) = handler.parameters.iter().find(is_named) else { return error };
    match Place::of(parameter, captured, taken, is_safe) {
        Place::Member(member) => error.repoint(|_| format!("/{}", pointer::escape(member))),
        Place::Elsewhere(place) => {
            let why = format!("{} is not what the route takes: {}", place, error.message);
            error.errors(Vec::new()).details(why)
        }
    }
}

/// Checks the body of a request against the JSON Schema of its route.
///
/// # Errors
/// REST422 (422) with pointers into the body; REST415 (415) for a body that is not JSON; REST471 (400) without a body.
fn check_body(schema: &str, request: &Request) -> Result<()> {
    payload::require_json(&payload::content_type(request), request, accepts::JSON_ARGUMENT)?;
    match request.body {
        Some(body) if !body.trim_ascii().is_empty() => json_schema::check_document(schema, body),
        _ => Err(Error::new(Code::Argument, "The route needs a body")
            .hint("Send JSON that fits its schema, which GET / shows.")),
    }
}

/// The refusal of a request whose arguments do not fit: what it tells of the function is for those who may call it.
///
/// # Errors
/// A credential that cannot be verified (401); 42501 (401 or 403) for others.
fn shown(handler: &Handler, request: &Request, refused: Error) -> Result<Error> {
    let principal = principal(request)?;
    let role = principal.switch_to.as_deref().map_or_else(|| Ok(user::current()), frame::may_take)?;
    if privileges::may_call(handler.function.into(), role) {
        return Ok(refused);
    }
    let status = if principal.is_authenticated { 403 } else { 401 };
    let denied = format!("permission denied for function {}", handler.name);
    Ok(Error::with_code(SqlState::INSUFFICIENT_PRIVILEGE.as_str(), status, denied))
}

/// The routes, as the description of the API tells them.
pub fn described() -> Vec<openapi::Route> {
    let route = |handler: &Handler| openapi::Route {
        pattern: handler.pattern.clone(),
        parameters: handler.parameters.clone(),
        function: handler.function,
        body_schema: handler.body_schema.as_deref().and_then(|schema| serde_json::from_str(schema).ok()),
    };
    table().iter().map(route).collect()
}

/// The routes. A change counts from the next statement after its transaction committed.
fn table() -> Rc<Table<Handler>> {
    invalidation::accept();
    let now = generations();
    let known = KNOWN.with_borrow(|known| {
        // Functions do not matter where there are no routes.
        let is_current = |k: &&Known| k.generations == now || k.table.is_empty() && k.generations.0 == now.0;
        known.as_ref().filter(is_current).map(|known| known.table.clone())
    });
    if let Some(table) = known {
        return table;
    }
    let relation = invalidation::ROUTES.with(TableGroup::announce);
    if relation == pg_sys::InvalidOid {
        // PostgreSQL does not tell when the table comes.
        KNOWN.take();
        return Rc::default();
    }
    let generations = generations();
    let table = Rc::new(if has_rows(relation) { load(relation) } else { Table::default() });
    KNOWN.set(Some(Known { generations, table: table.clone() }));
    table
}

fn has_rows(relation: pg_sys::Oid) -> bool {
    let mut has_rows = false;
    // SAFETY: a table of the extension, without an index and keys.
    unsafe { catalog_scan::rows(relation.to_u32(), 0, [], |_| has_rows = true) };
    has_rows
}

fn load(relation: pg_sys::Oid) -> Table<Handler> {
    let read = || Spi::connect(|client| client.select(ALL, Some(1), &[])?.first().get_one::<JsonB>());
    // SAFETY: the query is a constant.
    let found = match unsafe { own_tables::as_owner(relation, read) } {
        Some(Ok(Some(JsonB(found)))) => found,
        Some(Err(why)) => error!("the routes cannot be read: {why}"),
        Some(Ok(None)) | None => Value::Null,
    };
    let declared: Vec<Declared> = serde_json::from_value(found).unwrap_or_default();
    let mut table = Table::default();
    for Declared { function, pattern, schema, name, body_schema, parameters } in declared {
        let types: HashMap<String, String> =
            parameters.iter().map(|p| (p.parameter.name.clone(), p.of_type.clone())).collect();
        // What was declared can be read, unless by a newer version of the extension.
        let path = pattern.split_once(' ').map_or_else(String::new, |(_, path)| path.to_owned());
        if let Ok(pattern) = Pattern::parse(&pattern, |parameter| types.get(parameter).cloned()) {
            let parameters = parameters.into_iter().map(|typed| typed.parameter).collect();
            let handler = Handler {
                pattern: pattern.clone(),
                path,
                function,
                schema: schema.into(),
                name,
                body_schema,
                parameters,
            };
            table.add(&pattern, handler);
        }
    }
    table
}

sql_function!(restful_route_key, "route_key(pattern text, types jsonb, sources jsonb)", |call| route_key(call));

/// Returns what tells a pattern from others. `types`: the types of the function's parameters by name. `sources`: where their values come
/// from.
///
/// Raises 22023 for a malformed pattern or source.
unsafe fn route_key(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a strict function with these three arguments.
    let (pattern, types, sources) = unsafe {
        let pattern = argument(call, 0).and_then(|value| String::from_datum(value, false)).unwrap_or_default();
        let object = |i| match argument(call, i).and_then(|value| JsonB::from_datum(value, false)) {
            Some(JsonB(Value::Object(members))) => members,
            _ => serde_json::Map::new(),
        };
        (pattern, object(1), object(2))
    };
    let refused = |error: Error| {
        let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
        raise(
            SqlState::INVALID_PARAMETER_VALUE,
            &error.message,
            text(&error.details).as_deref(),
            text(&error.hint).as_deref(),
        )
    };
    for (name, source) in &sources {
        let read = source.as_str().map(|text| Source::try_from(text.to_owned()));
        let wrong = match read {
            _ if !types.contains_key(name) => format!("The function has no parameter {name}."),
            Some(Ok(_)) => continue,
            Some(Err(why)) => why,
            None => format!("The source of {name} is not a text."),
        };
        refused(Error::new(Code::Route, "The sources of a route are malformed").details(wrong));
    }
    let type_of = |name: &str| types.get(name).and_then(Value::as_str).map(str::to_owned);
    match Pattern::parse(&pattern, type_of) {
        Ok(pattern) => pattern.key().into_datum().unwrap_or(pg_sys::Datum::null()),
        Err(error) => refused(error),
    }
}

v1_function!(restful_route_changed);
/// The trigger on `restful.route_entry`, which announces a change to all sessions.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_route_changed(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call of a function.
    unsafe { invalidation::announce_by_trigger(call, "route_changed") }
}
