//! The routes of the database (`restful.route_entry`): which function a request goes to.

use crate::error::Error;
use crate::error::{Code, Result};
use crate::http::accepts;
use crate::http::request::Arguments;
use crate::http::target::{Parameter as QueryParameter, Target};
use crate::http::{Method, Request, Response};
use crate::json::pointer;
use crate::openapi;
use crate::payload;
use crate::pg::catalog::invalidation::{self, TableGroup};
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{argument, sql_function, v1_function};
use crate::pg::ffi::{catalog_scan, log, own_tables, privileges, user};
use crate::pg::guc::{self, CheckResults};
use crate::pg::identity::principal::principal;
use crate::pg::observe;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::{catalog, frame, json_schema, versions};
use crate::respond::Judgement;
use crate::route::{self, Action, Resource, Route, Surface, Verb};
use crate::routing::arguments::{Parameter, Place, Source, arguments, query_object};
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

const ALL: &str = include_str!("../../../sql/query/routes/all.sql");

/// A route, as it was declared.
#[derive(Debug, Deserialize)]
struct Declared {
    /// `pg_proc.oid`
    function: u32,
    pattern: String,
    schema: String,
    /// The function.
    name: String,
    host: Option<String>,
    of_group: Option<String>,
    /// The JSON Schemas of bodies, of the query and of results, as text.
    body_schema: Option<String>,
    query_schema: Option<String>,
    result_schema: Option<String>,
    example: Option<Value>,
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
    host: Option<String>,
    group: Option<String>,
    body_schema: Option<String>,
    /// As text, and parsed.
    query_schema: Option<(String, Value)>,
    result_schema: Option<String>,
    example: Option<Value>,
    parameters: Vec<Parameter>,
}

/// All routes.
#[derive(Debug, Default)]
struct Routes {
    /// Those for any host.
    anywhere: Table<Handler>,
    /// Those for one host, by its name.
    by_host: HashMap<String, Table<Handler>>,
}

impl Routes {
    fn is_empty(&self) -> bool {
        self.anywhere.is_empty() && self.by_host.is_empty()
    }

    /// Finds the route that takes a request. One for its host comes before one for any.
    fn find<'t, 'p>(&'t self, request: &'p Request) -> Match<'t, 'p, Handler> {
        let find = |table: &'t Table<Handler>| table.find(request.method, &request.target.segments);
        let anywhere = || find(&self.anywhere);
        let table = if self.by_host.is_empty() {
            None
        } else {
            request.headers.host().and_then(|host| self.by_host.get(&host))
        };
        match table.map(find) {
            None | Some(Match::None) => anywhere(),
            Some(Match::OtherMethods(mut methods)) => match anywhere() {
                Match::OtherMethods(others) => {
                    methods.extend(others);
                    Match::OtherMethods(methods)
                }
                Match::None => Match::OtherMethods(methods),
                found @ Match::Found(_) => found,
            },
            Some(found @ Match::Found(_)) => found,
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Handler> {
        self.anywhere.iter().chain(self.by_host.values().flat_map(Table::iter))
    }
}

/// The routes, and the generations of the tables, functions and JSON Schemas that they were read from.
struct Known {
    generations: (u64, u64, u64),
    routes: Rc<Routes>,
}

thread_local! {
    static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
}

fn generations() -> (u64, u64, u64) {
    (
        invalidation::ROUTES.with(TableGroup::generation),
        invalidation::FUNCTIONS.with(invalidation::Generation::get),
        // The schemas of queries may be registered ones.
        invalidation::JSON_SCHEMAS.with(TableGroup::generation),
    )
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
    match table.find(request) {
        Match::Found(found) => answer(request, &found, run),
        Match::OtherMethods(methods) => {
            // A table or view of this name takes the other methods.
            let route = built_in();
            if matches!(&route, Ok(Route::Action(action)) if exists(action)) {
                return run(request, route?);
            }
            let allow = allowed(&methods, "");
            if request.method == Method::Options {
                run(request, Route::Methods(allow))
            } else {
                Err(route::not_allowed(request.method, &allow))
            }
        }
        Match::None => run(request, built_in()?),
    }
}

/// The field Allow for a path whose routes take these methods, in addition to `others`, which are separated by commas.
fn allowed(methods: &[Method], others: &str) -> String {
    let takes = |method: &&Method| {
        others.split(',').any(|other| other.trim() == method.as_str())
            || match method {
                Method::Head | Method::Query => methods.contains(&Method::Get),
                method => **method == Method::Options || methods.contains(method),
            }
    };
    let allow: Vec<&str> = Method::ALL.iter().filter(takes).map(|method| method.as_str()).collect();
    allow.join(",")
}

/// Adds the methods of routes to the answer to OPTIONS, which lists those of a table at the same path.
pub fn add_methods(request: &Request, response: &mut Response) {
    if request.method != Method::Options || table().is_empty() {
        return;
    }
    if let Match::OtherMethods(methods) = table().find(request)
        && let Some((_, allow)) = response.headers.iter_mut().find(|(name, _)| name == "allow")
    {
        *allow = allowed(&methods, allow).into();
    }
}

/// Whether a route has the path of a request as it was sent, so that it names no version.
pub fn takes(request: &Request) -> bool {
    let table = table();
    !table.is_empty() && !matches!(table.find(request), Match::None)
}

/// The group of the route that takes a request.
pub fn group_of(request: &Request) -> Option<String> {
    match table().find(request) {
        Match::Found(found) => found.to.group.clone(),
        Match::OtherMethods(_) | Match::None => None,
    }
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
    observe::tried(request.method, &handler.schema, || handler.path.clone());
    let checked = arguments(&handler.parameters, &found.captured, request).and_then(|given| {
        handler.body_schema.as_deref().map_or(Ok(()), |schema| check_body(schema, request))?;
        if let Some((text, schema)) = &handler.query_schema {
            let object = query_object(schema, &request.target.parameters).to_string();
            json_schema::check_document(text, object.as_bytes(), json_schema::Part::Query)?;
        }
        Ok(given)
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
            group: handler.group.as_deref(),
            result_schema: handler.result_schema.as_deref(),
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

/// Checks the result of a route's function against its JSON Schema, as `restful.check_results` says. What the client has asked to be left out is
/// not missing, so results of requests with `select` are not checked, and neither are results that are not JSON.
///
/// # Errors
/// REST472 (500) in strict mode for a result that breaks the schema.
pub fn check_result(request: &Request, schema: &str, judgement: &Judgement, rows: Option<&BodyBuffer>) -> Result<()> {
    let mode = guc::check_results();
    let selects = request.target.parameters.iter().any(|(name, _)| name == "select");
    if mode == CheckResults::Off || selects || !judgement.is_json() {
        return Ok(());
    }
    let found = json_schema::result_violations(schema, rows.map_or(b"", BodyBuffer::payload))?;
    if found.is_empty() {
        return Ok(());
    }
    let route = request.arguments.as_ref().map_or("", |arguments| arguments.route);
    log::line(&format!("a result of {} {route} breaks its JSON Schema: {}", request.method.as_str(), found.join(", ")));
    match mode {
        CheckResults::Strict => Err(Error::new(Code::Result, "The result of the route breaks its JSON Schema")
            .hint("The server's log says where. This is an error of the server, and nothing was changed.")),
        CheckResults::Off | CheckResults::Log => Ok(()),
    }
}

/// Checks the body of a request against the JSON Schema of its route.
///
/// # Errors
/// REST422 (422) with pointers into the body; REST415 (415) for a body that is not JSON; REST471 (400) without a body.
fn check_body(schema: &str, request: &Request) -> Result<()> {
    payload::require_json(&payload::content_type(request), request, accepts::JSON_ARGUMENT)?;
    match request.body {
        Some(body) if !body.trim_ascii().is_empty() => {
            json_schema::check_document(schema, body, json_schema::Part::Body)
        }
        _ => Err(Error::new(Code::Argument, "The route needs a body")
            .hint("Send JSON that fits its schema, which GET / shows.")),
    }
}

/// The refusal of a request whose arguments do not fit: what it tells of the function is for those who may call it.
///
/// # Errors
/// A credential that cannot be verified (401); 42501 (401 or 403) for others.
fn shown(handler: &Handler, request: &Request, refused: Error) -> Result<Error> {
    let (role, is_authenticated) = if let Some(is_authenticated) = frame::outer_is_authenticated() {
        // Who asks is known already. The request may still have the credential of the one that a hook has changed.
        (user::current(), is_authenticated)
    } else {
        let principal = principal(request)?;
        let role = principal.switch_to.as_deref().map_or_else(|| Ok(user::current()), frame::may_take)?;
        (role, principal.is_authenticated)
    };
    if privileges::may_call(handler.function.into(), role) {
        return Ok(refused);
    }
    let status = if is_authenticated { 403 } else { 401 };
    let denied = format!("permission denied for function {}", handler.name);
    Ok(Error::with_code(SqlState::INSUFFICIENT_PRIVILEGE.as_str(), status, denied))
}

/// The routes, as the description of the API tells them.
pub fn described() -> Vec<openapi::Route> {
    let route = |handler: &Handler| openapi::Route {
        pattern: handler.pattern.clone(),
        parameters: handler.parameters.clone(),
        function: handler.function,
        body_schema: handler.body_schema.as_deref().and_then(json_schema::resolved),
        query_schema: handler.query_schema.as_ref().and_then(|(schema, _)| json_schema::resolved(schema)),
        result_schema: handler.result_schema.as_deref().and_then(json_schema::resolved),
        example: handler.example.clone(),
        host: handler.host.clone(),
    };
    table().iter().map(route).collect()
}

/// The routes. A change counts from the next statement after its transaction committed.
fn table() -> Rc<Routes> {
    invalidation::accept();
    let now = generations();
    let known = KNOWN.with_borrow(|known| {
        // Functions do not matter where there are no routes.
        let is_current = |k: &&Known| k.generations == now || k.routes.is_empty() && k.generations.0 == now.0;
        known.as_ref().filter(is_current).map(|known| known.routes.clone())
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
    let routes = Rc::new(if catalog_scan::has_rows(relation) { load(relation) } else { Routes::default() });
    KNOWN.set(Some(Known { generations, routes: routes.clone() }));
    routes
}

fn load(relation: pg_sys::Oid) -> Routes {
    let read = || Spi::connect(|client| client.select(ALL, Some(1), &[])?.first().get_one::<JsonB>());
    // SAFETY: the query is a constant.
    let found = match unsafe { own_tables::as_owner(relation, read) } {
        Some(Ok(Some(JsonB(found)))) => found,
        Some(Err(why)) => error!("the routes cannot be read: {why}"),
        Some(Ok(None)) | None => Value::Null,
    };
    let declared: Vec<Declared> = serde_json::from_value(found).unwrap_or_default();
    let mut routes = Routes::default();
    for declared in declared {
        let Declared { function, pattern, schema, name, host, of_group, example, .. } = declared;
        let types: HashMap<String, String> =
            declared.parameters.iter().map(|p| (p.parameter.name.clone(), p.of_type.clone())).collect();
        let path = pattern.split_once(' ').map_or_else(String::new, |(_, path)| path.to_owned());
        // What was declared can be read, unless by a newer version of the extension.
        if let Ok(pattern) = Pattern::parse(&pattern, |parameter| types.get(parameter).cloned()) {
            let parsed = |text: String| {
                let schema = json_schema::resolved(&text).or_else(|| serde_json::from_str(&text).ok())?;
                Some((text, schema))
            };
            let handler = Handler {
                pattern: pattern.clone(),
                path,
                function,
                schema: schema.into(),
                name,
                host: host.clone(),
                group: of_group,
                body_schema: declared.body_schema,
                query_schema: declared.query_schema.and_then(parsed),
                result_schema: declared.result_schema,
                example,
                parameters: declared.parameters.into_iter().map(|typed| typed.parameter).collect(),
            };
            let table = match host {
                Some(host) => routes.by_host.entry(host).or_default(),
                None => &mut routes.anywhere,
            };
            table.add(&pattern, handler);
        }
    }
    routes
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
