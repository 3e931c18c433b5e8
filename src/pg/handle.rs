//! The way of a request, from its parts to its response.

use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::http::response::{Body, Response};
use crate::http::{Headers, MediaType, Method, Request, media_type, target};
use crate::json;
use crate::pg::execute::{self, Key, Work};
use crate::pg::row_sink::BodyBuffer;
use crate::pg::session::{self, Context, Finished};
use crate::pg::{catalog, guc, pre_request};
use crate::plan::call::{Given, JSON_TYPES};
use crate::plan::write::BodyKeys;
use crate::plan::{Plan, PlanSettings, Planner, set_page};
use crate::query::{self, Literal, Query};
use crate::respond::{self, Outcome};
use crate::route::{self, Action, Resource, Verb};
use pgrx::pg_sys;
use std::rc::Rc;

/// A request as SQL hands it over.
pub struct Input<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub headers: Result<Headers>,
    /// The body: its bytes, and the bytea that holds them.
    pub body: Option<(&'a [u8], pg_sys::Datum)>,
}

/// A response, and the rows that are its body if the response says so.
pub struct Answer {
    pub response: Response,
    pub rows: Option<BodyBuffer>,
}

/// Answers a request. The body is written to `memory`.
///
/// Raises errors that are no answer: cancellation, loss of resources, failures of the transaction, and a context in which
/// roles may not be switched.
pub fn handle(input: Input, memory: pg_sys::MemoryContext) -> Answer {
    session::check_context();
    let is_head = input.method == "HEAD";
    let target = input.target;
    answer(input, memory).unwrap_or_else(|error| {
        let instance: String = target.chars().filter(|c| !c.is_control()).take(2000).collect();
        Answer { response: Response::problem(&error, &instance, guc::is_verbose(), is_head), rows: None }
    })
}

fn answer(input: Input, memory: pg_sys::MemoryContext) -> Result<Answer> {
    let headers = input.headers?;
    if let Some((bytes, _)) = input.body
        && bytes.len() > guc::max_body_bytes()
    {
        return Err(Error::new(Code::BodyTooLarge, format!("The body is larger than {} bytes", guc::max_body_bytes()))
            .hint("Send it in parts, or raise restful.max_body_bytes."));
    }
    let mut request = Request::parse(input.method, input.target, &headers, input.body.map(|(bytes, _)| bytes))?;
    if !guc::tx_end().allow_override {
        // It is not the request's to say, so it is not applied either.
        request.preferences.transaction = None;
    }
    let action = route::route(request.method, &request.target, &headers, &guc::schemas())?;
    let principal = session::principal(&request)?;
    let mut query = query::parse(&request.target.parameters, action.verb == Verb::CallSafe)?;
    let page = set_page(&mut query, request.range)?;
    let media = media(&request, &action)?;
    let given = given_body(&request, &action)?;

    let context = Context { request: &request, principal: &principal, schema: &action.schema };
    session::in_frame(&context, || {
        let (mut outcome, rows) = connected(|| {
            pre_request::call(request.method.is_safe())?;
            execute::forget_stale();
            if action.verb == Verb::Describe {
                return Ok((describe(&action)?, None));
            }
            let work = prepare(&action, &request, &mut query, &given)?;
            let is_item = matches!(action.resource, Resource::Item { .. });
            let (outcome, rows) =
                work.run(&request, &query, &media, is_item, input.body.map(|(_, datum)| datum), memory)?;
            Ok((outcome, Some(rows)))
        })?;
        outcome.offset = page.offset;
        let mut response = respond::respond(&action, &request, &media, &outcome)?;
        let (status, fields) = (guc::get(c"response.status"), guc::get(c"response.headers"));
        respond::apply_settings(&mut response, status.as_deref(), fields.as_deref())?;
        Ok(Finished { value: Answer { response, rows }, commit: commits(&request) })
    })
}

/// Runs `work` with SPI connected. An error that is raised ends the connection too.
fn connected<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: paired with SPI_finish on the one way out that is no raised error.
    unsafe { pg_sys::SPI_connect() };
    let result = work();
    // SAFETY: as above.
    unsafe { pg_sys::SPI_finish() };
    result
}

/// Whether the request's changes are kept.
fn commits(request: &Request) -> bool {
    use crate::http::prefer::Transaction;
    let end = guc::tx_end();
    match request.preferences.transaction {
        Some(asked) if end.allow_override => asked == Transaction::Commit,
        _ => !end.rollback,
    }
}

fn media(request: &Request, action: &Action) -> Result<MediaType> {
    match action.verb {
        Verb::Describe => Ok(MediaType::Json),
        _ => media_type::negotiate(request.headers.get("accept")),
    }
}

/// What the body holds, as far as planning needs it.
enum GivenBody {
    None,
    /// The keys of the first object.
    Keys(BodyKeys),
    /// A call's arguments.
    Arguments(Given),
}

fn given_body(request: &Request, action: &Action) -> Result<GivenBody> {
    let invalid = |why: json::Error| Error::new(Code::Body, "The body is no valid JSON").details(why.to_string());
    let content_type = || request.headers.get("content-type").map_or(MediaType::Json, MediaType::parse);
    let body = request.body.unwrap_or_default();
    let is_blank = body.iter().all(u8::is_ascii_whitespace);
    match action.verb {
        Verb::Create | Verb::Replace | Verb::Update => {
            require_json(&content_type())?;
            if is_blank {
                return Err(Error::new(Code::Body, "Empty or invalid json")
                    .details("The request has no body.")
                    .hint("Send a JSON object, or an array of objects."));
            }
            let payload = json::first_keys(body).map_err(invalid)?;
            let is_one = payload.kind == json::Kind::Object;
            if !is_one && payload.kind != json::Kind::Array {
                return Err(Error::new(Code::Body, "The body is no JSON object or array of objects")
                    .hint("Send a JSON object, or an array of objects."));
            }
            Ok(GivenBody::Keys(BodyKeys { keys: payload.keys }))
        }
        Verb::Call => match content_type() {
            MediaType::Text => Ok(GivenBody::Arguments(Given::Whole(&["text"]))),
            MediaType::Xml => Ok(GivenBody::Arguments(Given::Whole(&["xml"]))),
            MediaType::OctetStream => Ok(GivenBody::Arguments(Given::Whole(&["bytea"]))),
            media => {
                require_json(&media)?;
                if is_blank {
                    return Ok(GivenBody::Arguments(Given::Object(Vec::new())));
                }
                if !body.trim_ascii_start().starts_with(b"{") {
                    json::check(body).map_err(invalid)?;
                    return Ok(GivenBody::Arguments(Given::Whole(JSON_TYPES)));
                }
                let payload = json::first_keys(body).map_err(invalid)?;
                Ok(GivenBody::Arguments(Given::Object(payload.keys)))
            }
        },
        Verb::CallSafe => Ok(GivenBody::Arguments(Given::Query)),
        Verb::Read | Verb::Delete | Verb::Describe | Verb::ReadRoot => Ok(GivenBody::None),
    }
}

fn require_json(media: &MediaType) -> Result<()> {
    match media {
        MediaType::Json | MediaType::Any | MediaType::Object { .. } => Ok(()),
        other => Err(Error::new(Code::Body, format!("Content-Type not acceptable: {}", other.content_type()))
            .hint("Send application/json.")),
    }
}

fn describe(action: &Action) -> Result<Outcome> {
    let settings = PlanSettings::default();
    let planner = Planner::new(&catalog::Session, &action.schema, &settings);
    let allow = match &action.resource {
        Resource::Root => "OPTIONS,GET,HEAD".to_owned(),
        Resource::Collection { relation } => planner.relation(relation)?.allow(),
        Resource::Item { relation, .. } => {
            planner.relation(relation)?.allow().replace("POST,", "").replace(",POST", "")
        }
        Resource::Function { name } => {
            let functions = catalog::Session.functions(&action.schema, name)?;
            match functions.first() {
                Some(function) if function.volatile => "OPTIONS,POST".to_owned(),
                Some(_) => "OPTIONS,GET,HEAD,POST".to_owned(),
                None => {
                    return Err(Error::new(
                        Code::Function,
                        format!("Could not find the function {}.{name} in the schema cache", action.schema),
                    ));
                }
            }
        }
    };
    Ok(Outcome { allow: Some(allow), ..Outcome::default() })
}

/// Plans the request, or finds the plan of its shape.
fn prepare(action: &Action, request: &Request, query: &mut Query, given: &GivenBody) -> Result<Rc<Work>> {
    if let Resource::Item { relation, key } = &action.resource {
        add_key_filters(action, relation, key, query)?;
    }
    let settings = PlanSettings { max_rows: guc::max_rows(), aggregates: guc::aggregates_enabled() };
    let body_shape = match given {
        GivenBody::None => String::new(),
        GivenBody::Keys(body) => body.keys.join("\u{3}"),
        GivenBody::Arguments(Given::Object(keys)) => keys.join("\u{3}"),
        GivenBody::Arguments(Given::Query) => String::new(),
        GivenBody::Arguments(Given::Whole(types)) => format!("\u{4}{}", types.join(",")),
    };
    let query = &*query;
    let key = Key { action, request, query, body_shape: &body_shape, settings: &settings };
    execute::prepare(&key, || {
        let mut planner = Planner::new(&catalog::Session, &action.schema, &settings);
        match (&action.resource, given) {
            (Resource::Function { name }, GivenBody::Arguments(given)) => {
                planner.call(name, query, given).map(Plan::Call)
            }
            (Resource::Collection { relation } | Resource::Item { relation, .. }, given) => {
                let relation = planner.relation(relation)?;
                if action.verb == Verb::Read {
                    return planner.read(&relation, &query.root).map(Plan::Read);
                }
                let keys = match given {
                    GivenBody::Keys(keys) => Some(keys),
                    _ => None,
                };
                planner.write(action.verb, &relation, query, &request.preferences, keys).map(Plan::Write)
            }
            _ => Err(Error::new(Code::RootDisabled, "Root endpoint metadata is disabled")
                .hint("Ask for a table: /table, or call a function: /rpc/function.")),
        }
    })
}

/// `/table/{key}`: a filter for each column of the primary key.
fn add_key_filters(action: &Action, relation: &str, key: &[String], query: &mut Query) -> Result<()> {
    use crate::query::{Condition, Field, Filter, Operation, Operator};
    let settings = PlanSettings::default();
    let relation = Planner::new(&catalog::Session, &action.schema, &settings).relation(relation)?;
    if relation.primary_key.is_empty() {
        return Err(Error::new(Code::Path, format!("'{}' has no primary key to name a row by", relation.name.name))
            .hint(format!("Filter instead: /{}?column=eq.value", target::encode(&relation.name.name, b""))));
    }
    if relation.primary_key.len() != key.len() {
        return Err(Error::new(
            Code::MalformedRequest,
            format!("The key has {} values, but the primary key has {} columns", key.len(), relation.primary_key.len()),
        )
        .hint(format!(
            "Give the values of ({}) in this order, separated by commas; put a value with a comma in double quotes.",
            relation.primary_key.join(", ")
        )));
    }
    for (column, value) in relation.primary_key.iter().zip(key) {
        let value = query.add_value(Literal::Text(value.clone()));
        query.root.conditions.push(Condition::Filter(Filter {
            field: Field { name: column.clone(), path: Vec::new() },
            negated: false,
            operation: Operation::Binary { operator: Operator::Equal, quantifier: None, value },
        }));
    }
    Ok(())
}

/// Whether the response has a body: one to HEAD, or with a status such as 204 or 304, has none (RFC 9110, section 6.4.1).
pub fn has_body(response: &Response, method: &str) -> bool {
    let forbidden = matches!(response.status, 100..=199 | 204 | 304);
    response.body != Body::Empty && method != Method::Head.as_str() && !forbidden
}
