//! The routes of the database (`restful.route_entry`): which function a request goes to.

mod declared;
mod functions;

use crate::error::{Code, Error, Result};
use crate::http::accepts;
use crate::http::request::Arguments;
use crate::http::response::Body;
use crate::http::target::{Parameter as QueryParameter, Target};
use crate::http::{Method, Request, Response};
use crate::json::pointer;
use crate::openapi;
use crate::payload;
use crate::pg::ffi::{log, privileges, user};
use crate::pg::guc::{self, CheckResults};
use crate::pg::identity::principal::principal;
use crate::pg::observe;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::{catalog, frame, json_schema, versions};
use crate::respond::{Judgement, Outcome, result};
use crate::route::{self, Action, Resource, Route, Surface, Verb};
use crate::routing::arguments::{Parameter, Place, arguments};
use crate::routing::table::{Captured, Found, Match};
use crate::sqlstate::SqlState;
use declared::{Handler, table};

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
            let object = schema.object(&request.target.parameters).to_string();
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

/// Checks the result of a route's function against its JSON Schema, as `restful.check_results` says. The representation makes no difference, as far
/// as it has the result. If the request takes a part of the rows, each of them is checked. What the function itself answers is not checked unless it
/// is JSON. In strict mode, the server's log tells of results that cannot be checked because of what the client asked for.
///
/// # Errors
/// REST472 (500) in strict mode for a result that breaks the schema.
pub fn check_result(request: &Request, schema: &str, judgement: &Judgement, rows: Option<&BodyBuffer>) -> Result<()> {
    let mode = guc::check_results();
    let Outcome::Effect(effect) = &judgement.outcome else { return Ok(()) };
    let is_own_answer = !judgement.is_success() || judgement.settings.content_type().is_some() && !judgement.is_json();
    if mode == CheckResults::Off || is_own_answer || effect.is_plan() || judgement.body == Body::Empty {
        return Ok(());
    }
    let route = request.arguments.as_ref().map_or("", |arguments| arguments.route);
    let log = |what: &str| log::line(&format!("a result of {} {route} {what}", request.method.as_str()));
    let is_cut = result::is_cut(request) || guc::max_rows().is_some_and(|limit| effect.rows >= limit);
    let body = rows.map_or(b"".as_slice(), BodyBuffer::payload);
    let value = match result::value(effect.holds, body) {
        // The function has made its result of a media type that is not JSON.
        Some(_) if !judgement.is_json() => return Ok(()),
        Some(value) if !result::is_reshaped(request) => value,
        _ => {
            if mode == CheckResults::Strict {
                log("was not checked against its JSON Schema: the request asked for another form of it");
            }
            return Ok(());
        }
    };
    // The filters of the request may have left out the only row.
    if is_cut && !effect.is_list && effect.rows == 0 {
        return Ok(());
    }
    let is_part = is_cut && effect.is_list;
    if is_part && effect.may_write && mode == CheckResults::Strict {
        log("was checked against its JSON Schema without the rows that the request left out");
    }
    let counts = |location: &str| !is_part || result::is_of_every_element(location);
    let mut found = json_schema::result_violations(schema, &value, counts)?;
    if is_part && !found.is_empty() && json_schema::has_positions(schema) {
        found.clear();
    }
    if found.is_empty() {
        return Ok(());
    }
    log(&format!("breaks its JSON Schema: {}", found.join(", ")));
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
        group: handler.group.clone(),
    };
    table().iter().map(route).collect()
}
