//! Tests of an API: `restful.expect` makes a request as somebody, compares the answer, and notes what the request has covered. What is
//! found is kept in the session's memory, where the end of a test's subtransaction does not reach.

mod measure;

use crate::http::response::Body;
use crate::http::{Headers, Request};
use crate::pg::catalog::query::load;
use crate::pg::execution::Memory;
use crate::pg::ffi::error::{Raise, refuse_context};
use crate::pg::ffi::fmgr::{argument, detoasted, sql_function, text};
use crate::pg::ffi::guc_nest::GucNest;
use crate::pg::ffi::snapshot::Earlier;
use crate::pg::ffi::touched::Noting;
use crate::pg::ffi::varlena::payload;
use crate::pg::ffi::{jsonb, setting};
use crate::pg::handle::{self, Input};
use crate::pg::identity::act_as;
use crate::pg::{frame, guc, observe};
use crate::sqlstate::SqlState;
use crate::testing::{Check, Expectation, Log, Received, excerpt, rows_faults};
use pgrx::{IntoDatum, pg_sys};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString};
use std::time::Instant;

thread_local! {
    static LOG: RefCell<Log> = RefCell::default();
    /// The log, while tests run under changed policies.
    static SAVED: RefCell<Log> = RefCell::default();
    /// When the running test function began.
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

sql_function!(
    restful_expect,
    "expect(method text, target text, send jsonb, as_role name, as_claims jsonb, with_headers jsonb, status integer, headers jsonb, body jsonb, contains jsonb, description text)",
    |call| match Asked::of(call).and_then(|asked| expect(&asked)) {
        Ok(lines) => lines.into_datum().unwrap_or(pg_sys::Datum::null()),
        Err(error) => error.raise(),
    }
);

/// The arguments of `restful.expect`.
struct Asked<'a> {
    method: &'a str,
    target: &'a str,
    send: Option<pg_sys::Datum>,
    role: Option<String>,
    claims: Map<String, Value>,
    headers: Headers,
    expectation: Expectation,
    description: Option<&'a str>,
}

fn refused(message: impl Into<String>) -> Raise {
    Raise::new(SqlState::INVALID_PARAMETER_VALUE, message)
}

impl<'a> Asked<'a> {
    unsafe fn of(call: pg_sys::FunctionCallInfo) -> Result<Self, Raise> {
        // SAFETY: the call frame of a function with these eleven arguments.
        unsafe {
            let json = |i| detoasted(call, i).map(|datum| serde_json::from_slice(payload(jsonb::to_text(datum))));
            let json = |i| json(i).transpose().map_err(|why: serde_json::Error| refused(why.to_string()));
            let object = |i, what: &str| match json(i)? {
                None => Ok(Map::new()),
                Some(Value::Object(members)) => Ok(members),
                Some(_) => Err(refused(format!("{what} must be a JSON object"))),
            };
            let role = argument(call, 3).map(|name| CStr::from_ptr(name.cast_mut_ptr()).to_string_lossy().into_owned());
            let (Some(method), Some(target)) = (text(call, 0), text(call, 1)) else {
                return Err(Raise::new(SqlState::NULL_VALUE_NOT_ALLOWED, "method and target are required"));
            };
            let headers = Headers::from_json(&Value::Object(object(5, "with_headers")?)).map_err(Raise::from)?;
            let has_key = guc::with_api_key_fields(|names| names.iter().any(|name| headers.get(name).is_some()));
            if has_key || headers.get("authorization").is_some() {
                return Err(refused("a test says who asks by as_role and as_claims, not by a token or key"));
            }
            Ok(Asked {
                method,
                target,
                send: detoasted(call, 2),
                role,
                claims: object(4, "as_claims")?,
                headers,
                expectation: Expectation {
                    status: argument(call, 6).map(|status| status.value() as i32),
                    headers: object(7, "headers")?,
                    body: json(8)?,
                    contains: json(9)?,
                },
                description: text(call, 10),
            })
        }
    }
}

/// What `sql/query/testing/login.sql` returns.
#[derive(Deserialize)]
struct Login {
    anon_role: Option<String>,
    settings: Vec<(String, String)>,
}

/// Answers a call of `restful.expect`: the lines of TAP.
fn expect(asked: &Asked) -> Result<String, Raise> {
    if frame::is_confined() {
        refuse_context(
            "restful.expect cannot be called here",
            "Call it outside of requests, SECURITY DEFINER functions and maintenance commands.",
        );
    }
    let login: Option<Login> = load("testing_login", include_str!("../../../sql/query/testing/login.sql"), &[])?;
    let login = login.ok_or_else(|| refused("the settings of roles cannot be read"))?;
    let claimed = asked.claims.get("role").and_then(Value::as_str);
    let role = asked.role.as_deref().or(claimed).or(login.anon_role.as_deref()).ok_or_else(|| {
        refused("it is not known as which role the request runs")
            .hint("Give as_role, or set restful.anon_role for the role that the HTTP layer logs in as.")
    })?;
    let name = CString::new(role).unwrap_or_default();
    let begun = Instant::now();
    // SAFETY: the argument is a jsonb.
    let body = asked.send.map(|datum| unsafe { jsonb::to_text(datum) });
    // SAFETY: the text was made just now.
    let bytes = body.map(|datum| unsafe { payload(datum) });
    let earlier = Earlier::now();
    let noting = Noting::start();
    let nest = GucNest::open();
    for (name, value) in &login.settings {
        if let (Ok(name), Ok(value)) = (CString::new(name.as_str()), CString::new(value.as_str())) {
            setting::apply_for_request(&name, &value);
        }
    }
    act_as::take(&name, asked.claims.clone());
    observe::collect();
    let answer = handle::handle(&Input {
        method: asked.method,
        target: asked.target,
        headers: Ok(asked.headers.clone()),
        body: bytes,
        // SAFETY: reads a global.
        memory: Memory { rows: unsafe { pg_sys::CurrentMemoryContext }, body },
    });
    drop(nest);
    let (touches, tried) = (noting.finish(), observe::collected());
    let is_json = answer.response.headers.iter().any(|(name, value)| name == "content-type" && value.contains("json"));
    let body = match (&answer.response.body, answer.body()) {
        (Body::Empty, _) | (_, None) => Value::Null,
        (_, Some(bytes)) => serde_json::from_slice(bytes)
            .ok()
            .filter(|_| is_json)
            .unwrap_or_else(|| Value::from(String::from_utf8_lossy(bytes))),
    };
    let headers = answer.response.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let received = Received { status: answer.response.status, headers, body };
    let request = Request::parse(asked.method, asked.target, &asked.headers, bytes).ok();
    let done = measure::Done {
        request: request.as_ref(),
        role,
        claims: &asked.claims,
        received: &received,
        tried: &tried,
        earlier: &earlier,
        touches: &touches,
    };
    LOG.with_borrow_mut(|log| measure::request(&done, &mut log.coverage));
    // The coverage is taken out meanwhile, because policies run users' code.
    let mut coverage = LOG.with_borrow_mut(|log| std::mem::take(&mut log.coverage));
    measure::policies(&done, &mut coverage);
    LOG.with_borrow_mut(|log| log.coverage = coverage);
    earlier.forget();

    let who = if asked.claims.is_empty() {
        format!("as {role}")
    } else {
        format!("as {role} {}", Value::Object(asked.claims.clone()))
    };
    let made = format!("{} {} {who}", asked.method, asked.target);
    let faults = asked.expectation.faults(&received);
    let mut context = Vec::new();
    if !faults.is_empty() {
        context.push(format!("request: {made}"));
        if let Some(sent) = bytes {
            let sent = serde_json::from_slice(sent).unwrap_or_default();
            context.push(format!("sent: {}", excerpt(&sent)));
        }
        context.push(format!("answer: {} {}", received.status, excerpt(&received.body)));
    }
    let description = asked.description.map_or(made, str::to_owned);
    Ok(LOG.with_borrow_mut(|log| log.add(Check { description, faults, context }, begun.elapsed().as_secs_f64())))
}

sql_function!(restful_test_rows, "test_rows(query text, expected jsonb, rows jsonb, description text)", |call| {
    let json = |i| detoasted(call, i).map(|datum| serde_json::from_slice(payload(jsonb::to_text(datum))));
    let json = |i| json(i).and_then(Result::ok).unwrap_or_default();
    let (expected, rows): (Value, Value) = (json(1), json(2));
    let query = text(call, 0).unwrap_or_default();
    let faults = rows_faults(&expected, &rows);
    let mut context = Vec::new();
    if !faults.is_empty() {
        context = vec![format!("query: {query}"), format!("rows: {}", excerpt(&rows))];
    }
    let description = text(call, 3).unwrap_or(query).to_owned();
    LOG.with_borrow_mut(|log| log.add(Check { description, faults, context }, 0.0))
        .into_datum()
        .unwrap_or(pg_sys::Datum::null())
});

sql_function!(restful_test_step, "test_step(step text, name text)", |call| {
    let name = text(call, 1);
    let lines = LOG.with_borrow_mut(|log| step(log, text(call, 0).unwrap_or_default(), name));
    match lines {
        Ok(lines) => lines.into_datum().unwrap_or(pg_sys::Datum::null()),
        Err(error) => error.raise(),
    }
});

/// The steps of a run, in the words of `restful.test` and its neighbours.
fn step(log: &mut Log, step: &str, name: Option<&str>) -> Result<String, Raise> {
    let seconds = || BEGUN.take().map_or(0.0, |begun| begun.elapsed().as_secs_f64());
    Ok(match step {
        "start" => {
            *log = Log::default();
            "TAP version 14".to_owned()
        }
        "begin" => {
            log.begin(name.unwrap_or_default());
            BEGUN.set(Some(Instant::now()));
            String::new()
        }
        "end" => log.end(name.map(str::to_owned), seconds()),
        "plan" => {
            log.is_planned = true;
            format!("1..{}", log.tests.len())
        }
        "done" => match (log.failed(), log.tests.len()) {
            (_, 0) => return Err(Raise::new(SqlState::ASSERT_FAILURE, "no test has run in this session")),
            (failed, 1) if failed.is_empty() && log.is_planned => "# 1 test passed".to_owned(),
            (failed, tests) if failed.is_empty() && log.is_planned => format!("# {tests} tests passed"),
            (failed, tests) if failed.is_empty() => format!("1..{tests}"),
            (failed, tests) => {
                return Err(Raise {
                    detail: Some(failed.join("\n")),
                    ..Raise::new(SqlState::ASSERT_FAILURE, format!("{} of {tests} tests failed", failed.len()))
                });
            }
        },
        "failed" => log.failed().join("\n"),
        "save" => {
            SAVED.set(std::mem::take(log));
            String::new()
        }
        "restore" => {
            *log = SAVED.take();
            String::new()
        }
        "junit" => log.junit(),
        "coverage" => log.coverage.to_json().to_string(),
        _ => String::new(),
    })
}
