//! The path of a request, from the arguments of the SQL function to the response.

use crate::ask::{self, Ask, TransactionEnd};
use crate::auth::Principal;
use crate::error::{Code, Error, Result};
use crate::http::response::Response;
use crate::http::{Headers, Method, Request, vary};
use crate::pg::answer::Answer;
use crate::pg::execution::{self, Memory};
use crate::pg::frame::{self, Context};
use crate::pg::identity::principal::principal;
use crate::pg::keys::cursor;
use crate::pg::observe::{self, Observer};
use crate::pg::quota::{Admitted, Asker};
use crate::pg::timing::{Stage, Timing};
use crate::pg::{admit, batch, catalog, guc, hooks, nested, oauth, quota, routes, versions};
use crate::respond::{ResponseSettings, judge, respond};
use crate::route::{self, Action, Resource, Route, Surface, Verb, version};
use crate::sqlstate::SqlState;
use std::cell::Cell;

/// A request as SQL passes it.
pub struct Input<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub headers: Result<Headers>,
    pub body: Option<&'a [u8]>,
    pub memory: Memory,
}

/// Answers a request.
///
/// Raises the errors that must propagate to the caller: cancellation, lack of resources, failures of the transaction, and a
/// context in which roles may not be switched.
pub fn handle(input: &Input) -> Answer {
    respond_to(input, answer)
}

/// Answers a batch of requests (POST /batch), even where a relation named `batch` hides that path. The input's target is only shown in
/// errors.
///
/// Raises errors as [`handle`].
pub fn handle_batch(input: &Input) -> Answer {
    respond_to(input, |input| {
        let (surface, request) = (versions::surface(), input.parse()?);
        let (schema, negotiated) = route::schema(request.method, request.headers, &surface)?;
        let resource = Resource::Collection { relation: route::BATCH.to_owned() };
        let action = Action { verb: Verb::Create, resource, schema, negotiated };
        observe::route(&request, &Route::Batch(action.clone()));
        versions::within(&surface.versions, Some(input.target), &request, action, |action| {
            answer_batch(&request, &action.schema, input.memory, &Arrivals::default())
        })
        .or_else(|error| recovered(&request, &surface, input, error))
    })
}

fn respond_to(input: &Input, answer: impl FnOnce(&Input) -> Result<Answer>) -> Answer {
    frame::check_context();
    let observer = Observer::start(input.method, input.target, input.body.map_or(0, <[u8]>::len));
    let answer = answer(input).unwrap_or_else(|error| {
        observer.failed(&error);
        Answer::new(varied(problem(&error, input.target), input.method))
    });
    let mut response = answer.response.without_forbidden_body(input.method);
    if let Some(trace) = input.headers.as_ref().ok().and_then(Headers::trace) {
        response.set_if_absent("traceparent", trace);
    }
    let answer = Answer { response, ..answer };
    observer.answered(&answer, input.headers.as_ref().ok());
    answer
}

fn answer(input: &Input) -> Result<Answer> {
    let timing = Timing::start();
    let surface = versions::surface();
    let entered;
    let mut parsed = input.parse()?;
    if !surface.versions.is_empty()
        && !routes::takes(&parsed)
        && let Some(fields) = version::enter(&mut parsed, &surface.versions, |_| true)?
    {
        entered = fields;
        parsed.headers = &entered;
    }
    let base = Some(parsed.target.sent);
    let arrives = Arrivals::default();
    let answered = routes::routed(&parsed, &surface, base, |request, route| {
        timing.end(Stage::Parse);
        observe::route(request, &route);
        match route {
            Route::Own(endpoint) => {
                let admitted = arrives.unknown(request)?;
                let mut answer = Answer::new(oauth::answer(endpoint, request)?);
                if matches!(answer.response.status, 400 | 401) {
                    quota::count_login(request.headers)?;
                }
                admitted.answered(&mut answer);
                Ok(answer)
            }
            Route::Methods(allow) => {
                let admitted = arrives.unknown(request)?;
                let mut answer = Answer::new(Response::methods(allow));
                admitted.answered(&mut answer);
                Ok(answer)
            }
            Route::Batch(action) if !catalog::has_relation(&action.schema, route::BATCH) => {
                let run = |action: Action| answer_batch(request, &action.schema, input.memory, &arrives);
                let answer = versions::within(&surface.versions, base, request, action, run)?;
                timing.end(Stage::Transaction);
                Ok(answer)
            }
            Route::Batch(action) | Route::Action(action) => {
                let mut answer = versions::within(&surface.versions, base, request, action, |action| {
                    let (principal, schema) = (arrives.principal(request)?, action.schema.clone());
                    timing.end(Stage::Jwt);
                    let admitted = arrives.known(request, &principal)?;
                    observe::who(&principal);
                    versions::count_use(&schema, &principal);
                    // Whether two requests are the same is decided by what was sent.
                    let mut answer = admit::admit(&parsed, &principal, &schema, || {
                        hooked(request, action, &principal, input.memory, ask_settings(), &timing)
                    })?;
                    admitted.answered(&mut answer);
                    Ok(answer)
                })?;
                routes::add_methods(&parsed, &mut answer.response);
                answer.response = varied(answer.response, input.method);
                Ok(answer)
            }
        }
    });
    let answered = answered.map_err(|error| arrives.failed(&parsed, error));
    let mut answer = answered.or_else(|error| recovered(&parsed, &surface, input, error))?;
    timing.write(&mut answer.response);
    Ok(answer)
}

/// Lets requests arrive: each counts once for the limits, whatever becomes of it. Requests that a function makes belong to the request that has called
/// it.
#[derive(Default)]
struct Arrivals {
    /// The request has been counted.
    done: Cell<bool>,
}

impl Arrivals {
    /// Who asks. A request with wrong credentials counts for the limits that need no identity, and for that of log-ins.
    fn principal(&self, request: &Request) -> Result<Principal> {
        principal(request).map_err(|error| {
            if frame::is_within_request() {
                return error;
            }
            match self.unknown(request) {
                Ok(_) if error.status == 401 => quota::failed_login(request.headers, error),
                Ok(_) => error,
                Err(refused) => refused,
            }
        })
    }

    fn known(&self, request: &Request, principal: &Principal) -> Result<Admitted> {
        self.arrive(request, Asker::Known(principal))
    }

    fn unknown(&self, request: &Request) -> Result<Admitted> {
        self.arrive(request, Asker::Unknown)
    }

    fn arrive(&self, request: &Request, asker: Asker) -> Result<Admitted> {
        self.done.set(true);
        if frame::is_within_request() { Ok(Admitted::free()) } else { quota::arrive(request, asker) }
    }

    /// The error of a request, unless it has not arrived yet and a limit refuses it.
    fn failed(&self, request: &Request, error: Error) -> Error {
        if self.done.get() {
            return error;
        }
        self.unknown(request).err().unwrap_or(error)
    }
}

fn answer_batch(request: &Request, schema: &str, memory: Memory, arrives: &Arrivals) -> Result<Answer> {
    let counts = !frame::is_within_request();
    let asker = arrives.principal(request)?;
    let admitted = arrives.known(request, &asker)?;
    let run = || {
        // How the transaction ends is decided for the whole batch. The frame's role may have other settings, which do not count.
        let settings = ask::Settings { end: TransactionEnd::default(), ..ask_settings() };
        batch::answer(request, &asker, schema, memory.rows, |request, action, principal| {
            let memory = Memory { body: None, ..memory };
            let admitted = counts.then(|| quota::arrive(request, Asker::Known(&asker))).transpose()?;
            let mut answer = hooked(request, action, principal, memory, settings.clone(), &Timing::off())?;
            if let Some(admitted) = admitted {
                admitted.answered(&mut answer);
            }
            Ok(answer)
        })
    };
    let mut answer = if admit::has_key(request) { admit::admit(request, &asker, schema, run) } else { run() }?;
    admitted.answered(&mut answer);
    Ok(answer)
}

/// Answers a request, with the hooks around it. `settings`: those by which it is read, also after hooks.
fn hooked(
    request: &Request,
    action: Action,
    principal: &Principal,
    memory: Memory,
    settings: ask::Settings,
    timing: &Timing,
) -> Result<Answer> {
    let answer = |request: &Request, action: Action, principal: &Principal, left: hooks::Left| {
        let memory = Memory { body: memory.body.filter(|_| !left.is_changed), ..memory };
        let terms = Terms { settings: settings.clone(), may_nest: true, response: left.response, timing };
        answer_with(request, action, principal, memory, terms)
    };
    let route = |made: &hooks::Made, run: hooks::Run| {
        let (surface, mut request) = (versions::surface(), made.request.clone());
        let entered;
        if !routes::takes(&request)
            && let Some(fields) = version::enter(&mut request, &surface.versions, |field| made.sets(field))?
        {
            entered = fields;
            request.headers = &entered;
        }
        routes::routed(&request, &surface, None, |request, route| match route {
            Route::Action(action) => run(request, action),
            Route::Batch(action) if catalog::has_relation(&action.schema, route::BATCH) => run(request, action),
            Route::Methods(allow) => Ok(Answer::new(Response::methods(allow))),
            Route::Batch(_) | Route::Own(_) => {
                Err(crate::hooks::refused("A hook cannot make a batch of a request, or one to an endpoint of OAuth."))
            }
        })
    };
    hooks::within(request, action, principal, &hooks::Within { answer: &answer, route: &route, end: settings.end })
}

/// The answer of the hooks for errors to a request that has failed.
///
/// # Errors
/// The error itself if none has an answer, or if it is not known who asks.
fn recovered(request: &Request, surface: &Surface, input: &Input, error: Error) -> Result<Answer> {
    if !hooks::has_any_for_errors() {
        return Err(error);
    }
    let known = principal(request).and_then(|principal| {
        route::schema(request.method, request.headers, surface).map(|(schema, _)| (principal, schema))
    });
    match known {
        Ok((principal, schema)) => {
            let context = Context { request, principal: &principal, schema: &schema };
            let mut answer = hooks::on_error(&context, error, |error| problem(error, input.target))?;
            answer.response = varied(answer.response, input.method);
            Ok(answer)
        }
        Err(_) => Err(error),
    }
}

/// The response that tells of an error of the request with a target.
fn problem(error: &Error, target: &str) -> Response {
    let instance: String = target.chars().filter(|c| !c.is_control()).take(2000).collect();
    Response::problem(error, &instance, guc::is_verbose())
}

/// Adds the field Vary to the answer to a method whose answers can be cached.
fn varied(mut response: Response, method: &str) -> Response {
    if [Method::Get, Method::Head, Method::Query].iter().any(|cached| cached.as_str() == method) {
        guc::with_vary(versions::are_declared(), |fields| vary::add(&mut response.headers, fields));
    }
    response
}

/// [`answer_with`], on the terms of a request that nothing else decides about.
#[cfg(feature = "pg_test")]
pub fn answer_as(request: &Request, action: Action, principal: &Principal, memory: Memory) -> Result<Answer> {
    let timing = &Timing::off();
    let response = ResponseSettings::default();
    answer_with(
        request,
        action,
        principal,
        memory,
        Terms { settings: ask_settings(), may_nest: true, response, timing },
    )
}

/// The settings by which a request is read.
fn ask_settings() -> ask::Settings {
    let mut settings = guc::ask_settings();
    settings.plan.keyed = admit::is_keyed();
    settings
}

/// How a request is answered.
struct Terms<'a> {
    settings: ask::Settings,
    /// The body may have rows in its rows.
    may_nest: bool,
    /// What hooks before the request have set of the response.
    response: ResponseSettings,
    timing: &'a Timing,
}

/// Answers a request for a principal that is already known. It can be called again within a frame, as requests within requests do:
/// then `principal.switch_to` must be `None` and the frame's role must be taken, so that the request runs as that role. Changes that the
/// caller's own statement made earlier are visible only under a new snapshot.
///
/// # Errors
/// Why the request was refused or failed; everything it changed is undone. Errors that must propagate, such as a cancellation, are
/// raised.
fn answer_with(
    request: &Request,
    action: Action,
    principal: &Principal,
    memory: Memory,
    terms: Terms,
) -> Result<Answer> {
    let Terms { settings, may_nest, response, timing } = terms;
    // What the caller passed as the body is not the arguments of a route.
    let memory = if request.arguments.is_some() { Memory { body: None, ..memory } } else { memory };
    let mut ask = Ask::read(request, action, &settings)?;
    cursor::seal(&mut ask, principal)?;
    timing.end(Stage::Parse);
    let is_on_fast_path = Cell::new(false);
    let is_read = ask.action().verb == Verb::Read;
    let run = || {
        frame::enter(&Context::of(&ask, principal), |frame| {
            let (outcome, rows) = execution::run(&ask, frame, memory, &is_on_fast_path)?;
            let judgement = judge(&ask, outcome, || Ok(frame.response_settings()?.or(&response)))?;
            if let Some(schema) = request.arguments.as_ref().and_then(|arguments| arguments.result_schema) {
                routes::check_result(request, schema, &judgement, rows.as_ref())?;
            }
            let commit = judgement.commits;
            Ok(frame::Finished { value: (judgement, rows), commit })
        })
    };
    let (judgement, rows) = observe::executing(|| {
        Ok(match run() {
            // The message may name a type, as the search path of the request shows it, which the fast path does not set.
            Err(refused) if is_on_fast_path.get() && refused.code == SqlState::INVALID_TEXT_REPRESENTATION.as_str() => {
                run()?
            }
            // The plan named columns for a `*`, and they went while the request waited for whoever altered the table.
            Err(refused) if is_read && refused.code == SqlState::UNDEFINED_COLUMN.as_str() && catalog::is_stale() => {
                run()?
            }
            // A name that no column has may be that of a related table.
            Err(refused) if may_nest && refused.code == Code::Column.as_str() && nested::may_nest(&ask) => {
                let memory = Memory { body: None, ..memory };
                let inner = ask::Settings { end: TransactionEnd::default(), ..settings.clone() };
                let one = |request: &Request, action: Action, principal: &Principal| {
                    let response = ResponseSettings::default();
                    let terms = Terms { settings: inner.clone(), may_nest: false, response, timing: &Timing::off() };
                    answer_with(request, action, principal, memory, terms)
                };
                nested::answer(&ask, principal, memory.rows, &one)?.ok_or(refused)?
            }
            done => done?,
        })
    })?;
    timing.end(Stage::Transaction);
    Ok(Answer { commits: judgement.commits, rows, ..Answer::new(respond(&ask, judgement)) })
}

impl Input<'_> {
    fn parse(&self) -> Result<Request<'_>> {
        let headers = self.headers.as_ref().map_err(Clone::clone)?;
        let limit = guc::max_body_bytes();
        if self.body.is_some_and(|bytes| bytes.len() > limit) {
            return Err(Error::new(Code::BodyTooLarge, format!("The body is larger than {limit} bytes"))
                .hint("Send it in parts, or raise restful.max_body_bytes."));
        }
        Request::parse(self.method, self.target, headers, self.body)
    }
}
