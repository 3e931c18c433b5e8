//! Watches requests: what each asks for, what comes of it, and how long that takes. Requests within requests, and those of a batch, count as
//! a part of the one around them.

use crate::auth::{Identity, Principal, claims};
use crate::error::Error;
use crate::http::{Headers, Method, Request};
use crate::limits;
use crate::pg::answer::Answer;
use crate::pg::ffi::fmgr::sql_function;
use crate::pg::ffi::shared_memory::Segment;
use crate::pg::ffi::{log, syscache, user};
use crate::pg::{catalog, guc, shared};
use crate::request_log::{Entry, Rule, Who};
use crate::route::{Resource, Route};
use crate::statistics::{self, BOUNDS, Class, Sample, Template, key_of};
use pgrx::{IntoDatum, JsonB, pg_sys};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Keys that are hashes already.
#[derive(Clone, Copy, Default)]
struct Unhashed(u64);

impl Hasher for Unhashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl BuildHasher for Unhashed {
    type Hasher = Unhashed;

    fn build_hasher(&self) -> Unhashed {
        Unhashed(0)
    }
}

/// A template, and its key.
#[derive(Debug)]
struct Known {
    template: Template,
    key: u64,
    names: Named,
}

/// What a template names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    /// Nothing that could be absent: `/`, an endpoint of the extension, or a declared route.
    Fixed,
    Collection,
    Item,
    Function,
}

impl Known {
    /// Whether what it names is there.
    fn exists(&self) -> bool {
        let Template { schema, route, .. } = &self.template;
        let name = |before: &str, after: &str| {
            route.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).unwrap_or_default()
        };
        match self.names {
            Named::Fixed => true,
            Named::Collection => catalog::has_relation(schema, name("/", "")),
            Named::Item => catalog::has_relation(schema, name("/", "/{key}")),
            Named::Function => catalog::has_function(schema, name("/rpc/", "")),
        }
    }
}

/// What is known of the request that is being answered.
struct Now {
    /// Whether there is one that is watched.
    is_watched: Cell<bool>,
    template: RefCell<Option<Rc<Known>>>,
    rows: Cell<u64>,
    planning: Cell<Duration>,
    execution: Cell<Duration>,
    is_planned: Cell<bool>,
    /// The statements that it has run.
    queries: RefCell<Vec<i64>>,
    /// Who asks, and the code of the error, for the log.
    who: RefCell<Option<Who>>,
    code: RefCell<Option<String>>,
}

thread_local! {
    /// The rows of all results of this session.
    static ROWS: Cell<u64> = const { Cell::new(0) };
    static NOW: Now = const {
        Now {
            is_watched: Cell::new(false),
            template: RefCell::new(None),
            rows: Cell::new(0),
            planning: Cell::new(Duration::ZERO),
            execution: Cell::new(Duration::ZERO),
            is_planned: Cell::new(false),
            queries: RefCell::new(Vec::new()),
            who: RefCell::new(None),
            code: RefCell::new(None),
        }
    };
    /// Where requests went, while that is collected.
    static TRIED: RefCell<Option<Vec<Tried>>> = const { RefCell::new(None) };
    /// The templates that this session has met, by a quicker key.
    static TEMPLATES: RefCell<HashMap<u64, Rc<Known>, Unhashed>> = RefCell::new(HashMap::default());
}

/// Watches a request until it is answered. If it is dropped before, the request was cancelled.
pub struct Observer<'a> {
    method: &'a str,
    target: &'a str,
    bytes_in: usize,
    rule: Option<Rule>,
    /// When the request came. `None` if nobody watches, or another request is around this one.
    since: Option<Instant>,
    /// The request around this one is watched.
    is_within: bool,
}

impl<'a> Observer<'a> {
    /// Begins to watch. `bytes_in`: those of the body.
    pub fn start(method: &'a str, target: &'a str, bytes_in: usize) -> Self {
        NOW.with(|now| {
            let is_within = now.is_watched.replace(false);
            let rule = guc::log_rule();
            let since = (!is_within && (rule.is_some() || guc::tracks_requests())).then(Instant::now);
            if since.is_some() {
                now.is_watched.set(true);
                now.template.take();
                now.rows.set(0);
                now.planning.set(Duration::ZERO);
                now.execution.set(Duration::ZERO);
                now.is_planned.set(false);
                now.queries.borrow_mut().clear();
                now.who.take();
                now.code.take();
            }
            Observer { method, target, bytes_in, rule, since, is_within }
        })
    }

    /// Notes that the request failed. What is not there has no template: there is no end of names that nothing has.
    pub fn failed(&self, error: &Error) {
        if self.since.is_some() {
            if self.rule.is_some() {
                NOW.with(|now| now.code.replace(Some(error.code.clone())));
            }
            NOW.with(|now| now.template.replace_with(|known| known.take().filter(|known| known.exists())));
        }
    }

    /// Counts the request, and logs it if it is one of those that are logged.
    pub fn answered(mut self, answer: &Answer, headers: Option<&Headers>) {
        let bytes_out = answer.body().map_or(0, <[u8]>::len);
        if let (Some(since), Some(rule)) = (self.since, self.rule) {
            self.log(&rule, since.elapsed(), answer.response.status, bytes_out, headers);
        }
        self.count(Class::of(answer.response.status), bytes_out, answer.response.status == 429);
    }

    fn log(&self, rule: &Rule, took: Duration, status: u16, bytes_out: usize, headers: Option<&Headers>) {
        // The fraction of a second in which a request ends is as good as a random number.
        if !rule.takes(status, took, (took.as_nanos() / 7 % 100) as u8) {
            return;
        }
        let field = |name: &str| headers.and_then(|headers| headers.get(name));
        let trace = headers.and_then(Headers::trace);
        NOW.with(|now| {
            let (template, who, code) = (now.template.borrow(), now.who.borrow(), now.code.borrow());
            let (schema, route) =
                template.as_ref().map_or(("", ""), |known| (&known.template.schema, &known.template.route));
            let entry = Entry {
                method: Method::parse(self.method).map_or("_OTHER", Method::as_str),
                schema,
                route,
                target: guc::logs_targets().then_some(self.target),
                status,
                code: code.as_deref(),
                took,
                rows: now.rows.get(),
                bytes_in: self.bytes_in as u64,
                bytes_out: bytes_out as u64,
                who: who.as_ref(),
                request_id: field("x-request-id"),
                traceparent: trace.as_deref(),
            };
            log::line(&format!("request: {}", entry.line()));
        });
    }

    fn count(&mut self, class: Class, bytes_out: usize, is_limited: bool) {
        let Some(since) = self.since.take() else { return };
        if !guc::tracks_requests() {
            return;
        }
        // Without an answer, an error is on its way.
        let segment = if class == Class::Unanswered { shared::attached() } else { shared::segment() };
        let Some(segment) = segment else { return };
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        NOW.with(|now| {
            let (planning, execution) = (now.planning.get(), now.execution.get());
            let sample = Sample {
                rows: now.rows.get(),
                bytes_in: self.bytes_in as u64,
                bytes_out: bytes_out as u64,
                total: nanoseconds(since.elapsed()),
                planning: nanoseconds(planning),
                execution: nanoseconds(execution.saturating_sub(planning)),
                is_planned: now.is_planned.get(),
                is_limited,
            };
            let known = now.template.take().unwrap_or_else(|| absent(self.method));
            let requests = shared::requests(segment);
            let make_room = || class != Class::Unanswered && forget_dropped(segment);
            statistics::count(requests, &known.template, known.key, class, &sample, make_room);
            for id in now.queries.borrow().iter() {
                statistics::count_query(shared::queries(segment), known.template.database, known.key, *id);
            }
        });
    }
}

impl Drop for Observer<'_> {
    fn drop(&mut self) {
        self.count(Class::Unanswered, 0, false);
        NOW.with(|now| now.is_watched.set(self.is_within));
    }
}

/// Frees what was counted in databases that do not exist any more. Whether there was anything.
fn forget_dropped(segment: Segment) -> bool {
    let (requests, queries) = (shared::requests(segment), shared::queries(segment));
    let dropped: Vec<u32> =
        statistics::databases(requests).into_iter().filter(|database| !syscache::has_database(*database)).collect();
    dropped.iter().for_each(|database| statistics::forget(requests, queries, *database));
    !dropped.is_empty()
}

/// Where a request went, for tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// GET also for HEAD and QUERY.
    pub method: Method,
    pub schema: String,
    /// `/table`, `/rpc/function`, or the path of a declared route.
    pub path: String,
}

/// Begins to collect where requests go, those of batches and those that functions make too.
pub fn collect() {
    TRIED.set(Some(Vec::new()));
}

/// What was collected. Nothing is collected any more.
pub fn collected() -> Vec<Tried> {
    TRIED.take().unwrap_or_default()
}

/// Notes where a request goes, if that is collected.
pub fn tried(method: Method, schema: &str, path: impl FnOnce() -> String) {
    TRIED.with_borrow_mut(|tried| {
        let Some(tried) = tried else { return };
        let method = if matches!(method, Method::Head | Method::Query) { Method::Get } else { method };
        tried.push(Tried { method, schema: schema.to_owned(), path: path() });
    });
}

/// Notes where a request of a batch goes.
pub fn batched(request: &Request, route: &Route) {
    let (None, Route::Action(action) | Route::Batch(action)) = (&request.arguments, route) else { return };
    tried(request.method, &action.schema, || match &action.resource {
        Resource::Root => "/".to_owned(),
        Resource::Collection { relation } | Resource::Item { relation, .. } => format!("/{relation}"),
        Resource::Function { name } => format!("/rpc/{name}"),
    });
}

/// Notes where a request goes.
pub fn route(request: &Request, route: &Route) {
    batched(request, route);
    NOW.with(|now| {
        if !now.is_watched.get() {
            return;
        }
        let method = request.method.as_str();
        let (names, schema, name) = match (&request.arguments, route) {
            (Some(arguments), Route::Action(action)) => (Named::Fixed, &*action.schema, arguments.route),
            (_, Route::Batch(action)) => (Named::Fixed, &*action.schema, "/batch"),
            (_, Route::Action(action)) => match &action.resource {
                Resource::Root => (Named::Fixed, &*action.schema, "/"),
                Resource::Collection { relation } => (Named::Collection, &*action.schema, relation.as_str()),
                Resource::Item { relation, .. } => (Named::Item, &*action.schema, relation.as_str()),
                Resource::Function { name } => (Named::Function, &*action.schema, name.as_str()),
            },
            (_, Route::Own(_)) => (Named::Fixed, "", request.target.path),
            // The path is that of a declared route, with values in it.
            (_, Route::Methods(_)) => return,
        };
        now.template.replace(Some(known(names, [schema, name, method])));
    });
}

/// The template of requests for nothing that is there.
fn absent(method: &str) -> Rc<Known> {
    // As OpenTelemetry's conventions have it, other methods have one name.
    let method = Method::parse(method).map_or("_OTHER", Method::as_str);
    known(Named::Fixed, ["", "", method])
}

/// The template with these parts: schema, name and method.
fn known(names: Named, parts: [&str; 3]) -> Rc<Known> {
    // SAFETY: reads a global.
    let database = unsafe { pg_sys::MyDatabaseId }.to_u32();
    let quick = key_of(u64::from(database) << 8 | names as u64, parts);
    TEMPLATES.with_borrow_mut(|templates| {
        if let Some(known) = templates.get(&quick) {
            return known.clone();
        }
        if templates.len() >= limits::TEMPLATES {
            templates.clear();
        }
        let [schema, name, method] = parts;
        let route = match names {
            Named::Fixed => name.to_owned(),
            Named::Collection => format!("/{name}"),
            Named::Item => format!("/{name}/{{key}}"),
            Named::Function => format!("/rpc/{name}"),
        };
        let template = Template { database, schema: schema.to_owned(), route, method: method.to_owned() };
        let known = Rc::new(Known { key: template.key(), template, names });
        templates.insert(quick, known.clone());
        known
    })
}

/// Notes who asks, if the request may be logged.
pub fn who(principal: &Principal) {
    NOW.with(|now| {
        if !now.is_watched.get() || guc::log_rule().is_none() {
            return;
        }
        let claims = match &principal.identity {
            Identity::Claims(claims, _) => Some(claims),
            Identity::Anonymous | Identity::SessionUser => None,
        };
        let text = |name: &str| claims.and_then(|claims| claims.get(name)).and_then(Value::as_str).map(str::to_owned);
        let role = principal.switch_to.as_deref().map_or_else(|| user::name(user::current()), str::to_owned);
        let subject = claims.and_then(|claims| claims::user_id(claims)).map(str::to_owned);
        let method = principal.method().as_str();
        now.who.replace(Some(Who { subject, role, method, key: text("key_id") }));
    });
}

/// Runs `work`, which executes a request, and notes the time.
pub fn executing<T>(work: impl FnOnce() -> T) -> T {
    if !NOW.with(|now| now.is_watched.get()) {
        return work();
    }
    let since = Instant::now();
    let done = work();
    NOW.with(|now| now.execution.set(now.execution.get() + since.elapsed()));
    done
}

/// The rows of all results of this session.
pub fn rows_of_session() -> u64 {
    ROWS.get()
}

/// Notes the rows of a result.
pub fn returned(rows: u64) {
    ROWS.set(ROWS.get().wrapping_add(rows));
    NOW.with(|now| {
        if now.is_watched.get() {
            now.rows.set(now.rows.get() + rows);
        }
    });
}

/// Notes that a statement has run. `query`: its identifier; 0 if PostgreSQL computes none.
pub fn ran(query: i64) {
    if query == 0 {
        return;
    }
    NOW.with(|now| {
        let mut queries = now.queries.borrow_mut();
        if now.is_watched.get() && queries.len() < limits::NOTED_QUERIES && !queries.contains(&query) {
            queries.push(query);
        }
    });
}

/// Notes time that planning has taken outside of the executions that are measured.
pub fn planned_here(time: Duration) {
    NOW.with(|now| {
        if now.is_watched.get() {
            now.planning.set(now.planning.get() + time);
        }
    });
}

/// Notes that a statement was planned, and the time that it took.
pub fn planned(time: Duration) {
    NOW.with(|now| {
        if now.is_watched.get() {
            now.is_planned.set(true);
            now.planning.set(now.planning.get() + time);
        }
    });
}

sql_function!(restful_stat_entries, "stat_entries()", |_call| {
    // SAFETY: reads a global.
    let database = pg_sys::MyDatabaseId.to_u32();
    let milliseconds = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    let entries = shared::segment().map_or_else(Vec::new, |segment| {
        statistics::read(shared::requests(segment), database)
            .iter()
            .map(|entry| {
                let class = match entry.class {
                    Class::Status(first) => format!("{first}xx"),
                    Class::Unanswered => "none".to_owned(),
                };
                json!({
                    "template": entry.template.key().cast_signed(),
                    "schema": (!entry.template.schema.is_empty()).then_some(&entry.template.schema),
                    "route": (!entry.template.route.is_empty()).then_some(&entry.template.route),
                    "method": entry.template.method,
                    "status_class": class,
                    "calls": entry.calls,
                    "rows": entry.rows,
                    "bytes_in": entry.bytes_in,
                    "bytes_out": entry.bytes_out,
                    "planned": entry.planned,
                    "rate_limited": entry.limited,
                    "plan_time": milliseconds(entry.planning),
                    "execution_time": milliseconds(entry.execution),
                    "total_time": milliseconds(entry.total),
                    "max_time": milliseconds(entry.longest),
                    "p50": milliseconds(entry.quantile(0.5)),
                    "p95": milliseconds(entry.quantile(0.95)),
                    "p99": milliseconds(entry.quantile(0.99)),
                    "buckets": entry.cumulative(),
                })
            })
            .collect()
    });
    JsonB(json!(entries)).into_datum().unwrap_or(pg_sys::Datum::null())
});

sql_function!(restful_stat_bounds, "stat_bounds()", |_call| {
    let seconds: Vec<f64> = BOUNDS.iter().map(|bound| *bound as f64 / 1e9).collect();
    seconds.into_datum().unwrap_or(pg_sys::Datum::null())
});

sql_function!(restful_stat_queries, "stat_queries()", |_call| {
    // SAFETY: reads a global.
    let database = pg_sys::MyDatabaseId.to_u32();
    let queries = shared::segment().map_or_else(Vec::new, |segment| {
        let read = statistics::read_queries(shared::queries(segment), database);
        read.iter()
            .map(|(template, id, calls)| json!({ "template": template.cast_signed(), "queryid": id, "calls": calls }))
            .collect()
    });
    JsonB(json!(queries)).into_datum().unwrap_or(pg_sys::Datum::null())
});

sql_function!(restful_stat_reset, "stat_reset()", |_call| {
    // SAFETY: reads a global.
    let database = pg_sys::MyDatabaseId.to_u32();
    if let Some(segment) = shared::segment() {
        statistics::forget(shared::requests(segment), shared::queries(segment), database);
    }
    pg_sys::Datum::null()
});
