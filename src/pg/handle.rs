//! The way of a request, from its parts to its response.

use crate::catalog::Catalog;
use crate::error::{Code, Error, Result};
use crate::http::response::{Body, Response};
use crate::http::{Headers, MediaType, Method, Request, media_type, target};
use crate::pg::body;
use crate::pg::execute::{self, BodyShape, Key};
use crate::pg::prepared::Values;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::session::{self, Context, Finished, Frame};
use crate::pg::{access, catalog, guc, oauth, openapi, pre_request};
use crate::plan::media::Representation;
use crate::plan::{Plan, PlanSettings, Planner, refuse_unused, set_page};
use crate::query::{self, Literal, Query};
use crate::respond::{self, Outcome};
use crate::route::{self, Action, Resource, Verb};
use pgrx::pg_sys;

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
    if let Some(endpoint) = route::endpoint(&request.target)
        && let Some(issuer) = guc::oauth_issuer()
    {
        return Ok(Answer { response: oauth::answer(endpoint, &request, &issuer)?, rows: None });
    }
    let mut action = route::route(request.method, &request.target, &headers, &guc::schemas())?;
    let is_root = action.resource == Resource::Root;
    if is_root {
        openapi::route_root(&mut action)?;
    }
    let principal = session::principal(&request)?;
    let mut query = query::parse(&request.target.parameters, action.verb == Verb::CallSafe)?;
    let page = set_page(&mut query, request.range)?;
    let accept = request.headers.get("accept");
    // A function that answers for the document is asked for JSON, whatever the document would be called.
    let instead = match is_root && action.verb == Verb::CallSafe {
        true => crate::openapi::root_spec_media(accept),
        false => None,
    };
    let accepted = if instead.is_some() { Vec::new() } else { media_type::accepted(accept)? };
    let body::Body { shape, converted, refusal } = body::read(&request, &action, &mut query)?;
    let bytes = match &converted {
        Some(json) => Some((json.as_slice(), body::datum(json))),
        None => input.body,
    };
    request.body = bytes.map(|(bytes, _)| bytes);
    let schema = action.schema.clone();
    let context = Context { request: &request, principal: &principal, schema: &schema };
    session::in_frame(&context, |frame| {
        execute::forget_stale();
        if request.preferences.explain_access
            && let Some(response) = explain_access(&action, &request, frame)?
        {
            return Ok(Finished { value: Answer { response, rows: None }, commit: false });
        }
        let (action, mut outcome, rows) = if action.verb == Verb::Describe {
            let outcome = frame.with_role(|| describe(&action))?;
            (action, outcome, None)
        } else if action.verb == Verb::ReadRoot {
            let (version, media) = openapi::negotiate(&request)?;
            frame.take_role();
            let rows = execute::connected(|| {
                run_pre_request(&request, frame)?;
                match request.method {
                    Method::Head => Ok(None),
                    _ => openapi::describe(&action.schema, version, memory).map(Some),
                }
            })?;
            (action, Outcome { media, ..Outcome::default() }, rows)
        } else {
            let is_item = matches!(action.resource, Resource::Item { .. });
            let (key, literals) = key(action, &request, query, shape, accepted, frame)?;
            let values = Values { literals: &literals, body: bytes.map(|(_, datum)| datum) };
            let may_read_directly =
                key.action.verb == Verb::Read && guc::pre_request().is_none() && request.preferences.count.is_none();
            let read = match may_read_directly {
                true => execute::read_directly(&key, frame, &values, memory)?,
                false => None,
            };
            let (outcome, rows) = match read {
                Some(read) => read,
                None => {
                    frame.take_role();
                    execute::connected(|| {
                        run_pre_request(&request, frame)?;
                        let work = execute::prepare(&key, |catalog| plan(catalog, &key, &request))?;
                        refusal.map_or(Ok(()), Err)?;
                        work.run(&request, frame, &values, is_item, memory)
                    })?
                }
            };
            (key.action, outcome, Some(rows))
        };
        outcome.page = page;
        let media = instead.unwrap_or_else(|| std::mem::take(&mut outcome.media));
        let mut response = respond::respond(&action, &request, &media, &outcome)?;
        let (status, fields) = frame.response_settings();
        respond::apply_settings(&mut response, status.as_deref(), fields.as_deref())?;
        // To ask how something would be done is not to ask for it.
        let commit = commits(&request) && !matches!(media, MediaType::Plan(_));
        Ok(Finished { value: Answer { response, rows }, commit })
    })
}

/// Calls the function of `restful.pre_request`, if there is one; SPI is connected.
fn run_pre_request(request: &Request, frame: &Frame) -> Result<()> {
    let Some(function) = guc::pre_request() else { return Ok(()) };
    frame.publish();
    pre_request::call(&function, request.method.is_safe())
}

/// Says why the row is seen or not, if that is what GET of an item asks for, and may.
fn explain_access(action: &Action, request: &Request, frame: &Frame) -> Result<Option<Response>> {
    let (Resource::Item { relation, key }, Method::Get) = (&action.resource, request.method) else { return Ok(None) };
    access::answer(frame, &action.schema, relation, key, || execute::connected(|| run_pre_request(request, frame)))
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

fn describe(action: &Action) -> Result<Outcome> {
    let settings = PlanSettings::default();
    let catalog = catalog::Reader::default();
    let planner = Planner::new(&catalog, &action.schema, &settings);
    let allow = match &action.resource {
        Resource::Root => "OPTIONS,GET,HEAD".to_owned(),
        Resource::Collection { relation } => planner.relation(relation)?.allow(),
        Resource::Item { relation, .. } => {
            planner.relation(relation)?.allow().replace("POST,", "").replace(",POST", "")
        }
        Resource::Function { name } => {
            let functions = catalog.functions(&action.schema, name)?;
            match functions.iter().find(|f| f.callable) {
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

/// What the request's plan is kept under, and the literals that it runs with.
fn key(
    mut action: Action,
    request: &Request,
    mut query: Query,
    body: BodyShape,
    accepted: Vec<MediaType>,
    frame: &Frame,
) -> Result<(Key, Vec<Literal>)> {
    if let Resource::Item { relation, key } = &mut action.resource {
        let values = std::mem::take(key);
        frame.with_role(|| add_key_filters(&action.schema, relation, values, &mut query))?;
    }
    let literals = std::mem::take(&mut query.values);
    let preferences = &request.preferences;
    let settings =
        PlanSettings { max_rows: guc::max_rows(), aggregates: guc::aggregates_enabled(), plans: guc::plan_enabled() };
    let role = frame.role().to_u32();
    let search_path = guc::search_path(&action.schema);
    let key = Key {
        action,
        query,
        role,
        search_path,
        representation: preferences.representation,
        resolution: preferences.resolution,
        missing: preferences.missing,
        body,
        accepted,
        settings,
    };
    Ok((key, literals))
}

fn plan(catalog: &dyn Catalog, key: &Key, request: &Request) -> Result<(Plan, Representation)> {
    let Key { action, query, .. } = key;
    refuse_unused(action.verb, query)?;
    let mut planner = Planner::new(catalog, &action.schema, &key.settings);
    let plan = match (&action.resource, &key.body) {
        (Resource::Function { name }, BodyShape::Arguments(given)) => {
            Plan::Call(planner.call(action.verb, name, query, given)?)
        }
        (Resource::Collection { relation } | Resource::Item { relation, .. }, body) => {
            let relation = planner.relation(relation)?;
            let keys = match body {
                BodyShape::Keys(keys) => Some(keys),
                _ => None,
            };
            match action.verb {
                Verb::Read => Plan::Read(planner.read(&relation, &query.root)?),
                verb => Plan::Write(planner.write(verb, &relation, query, &request.preferences, keys)?),
            }
        }
        _ => {
            return Err(Error::new(Code::Path, "Invalid path specified in request URL"));
        }
    };
    let representation = planner.representation(&plan, query, &key.accepted)?;
    Ok((plan, representation))
}

/// `/table/{key}`: a filter for each column of the primary key.
fn add_key_filters(schema: &str, relation: &str, key: Vec<String>, query: &mut Query) -> Result<()> {
    use crate::query::{Condition, Field, Filter, Operation, Operator};
    let settings = PlanSettings::default();
    let catalog = catalog::Reader::default();
    let relation = Planner::new(&catalog, schema, &settings).relation(relation)?;
    if relation.primary_key.is_empty() {
        return Err(Error::new(Code::Path, format!("'{}' has no primary key to name a row by", relation.name.name))
            .hint(format!("Filter instead: /{}?column=eq.value", target::encode(&relation.name.name, b""))));
    }
    if relation.primary_key.len() != key.len() {
        return Err(Error::new(
            Code::MalformedRequest,
            format!("The key has {} values, but the primary key has {} columns", key.len(), relation.primary_key.len()),
        )
        // Who may not read the table is not told its columns.
        .hint(match catalog.may_read(&relation.name)? {
            true => format!(
                "Give the values of ({}) in this order, separated by commas; put a value with a comma in double quotes.",
                relation.primary_key.join(", ")
            ),
            false => "Give the values of the primary key's columns in its order, separated by commas.".to_owned(),
        }));
    }
    query.is_item = true;
    for (column, value) in relation.primary_key.iter().zip(key) {
        let value = query.add_value(Literal::Text(value));
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
