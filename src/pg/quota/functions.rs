//! The SQL functions of limits.

use super::rules::{Limit, declared, id};
use super::{Asker, arrive, table};
use crate::auth::{AuthMethod, Identity, Principal};
use crate::error::Error;
use crate::http::{Headers, Request};
use crate::pg::catalog::invalidation;
use crate::pg::ffi::clock;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{argument, sql_function, text, v1_function};
use crate::pg::guc;
use crate::quota::{Busy, By, Rate, Rule, Unit, parse_rates};
use crate::sqlstate::SqlState;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde_json::{Map, Value, json};
use std::rc::Rc;

/// Keys that `restful.limits()` shows of a limit: the busiest ones.
const SHOWN_KEYS: usize = 10;

sql_function!(
    restful_check_limit,
    "check_limit(rate text, key_by text, unit text, burst bigint, cost bigint)",
    |call| { check(call) }
);

/// Raises 22023 for a limit that is malformed, or that no request could pass.
unsafe fn check(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a function with these five arguments, of which the burst may be null.
    let (rate, by, unit, burst, cost) = unsafe {
        let number = |i| argument(call, i).and_then(|value| i64::from_datum(value, false));
        (text(call, 0), text(call, 1), text(call, 2), number(3), number(4))
    };
    let wrong = |why: &str, hint: &str| -> ! {
        raise(SqlState::INVALID_PARAMETER_VALUE, "the limit is malformed", Some(why), Some(hint))
    };
    if By::parse(by.unwrap_or_default()).is_none() {
        wrong(
            "It is not clear what has a limit of its own.",
            "Write by => 'ip', 'role', 'subject', 'api_key', 'tenant', 'all', or 'claim ' and the path to a claim.",
        );
    }
    let unit: Result<Unit, _> = serde_json::from_value(json!(unit));
    let Ok(unit) = unit else {
        wrong("The unit is unknown.", "Write unit => 'requests', 'rows', 'bytes', 'milliseconds' or 'concurrent'.")
    };
    let rates = parse_rates(rate.unwrap_or_default(), unit == Unit::Concurrent).unwrap_or_else(|why| {
        wrong(
            &why,
            "Write a rate such as '100 per hour' or '5/second; 1000 per day', or '10' with unit => 'concurrent'.",
        )
    });
    let positive = |number: i64| u64::try_from(number).ok().filter(|number| *number > 0);
    let Some(cost) = cost.and_then(positive).filter(|cost| *cost == 1 || unit == Unit::Requests) else {
        wrong("The cost is not that of a request.", "Only requests have a cost, which is a positive number.")
    };
    let fits = |rate: &Rate| match burst {
        None => cost <= rate.amount,
        Some(burst) => {
            positive(burst).is_some_and(|burst| cost <= burst && (unit != Unit::Concurrent || burst == rate.amount))
        }
    };
    if !rates.iter().all(fits) {
        wrong(
            "No request would pass.",
            "The burst is at least the cost of one request; without it, it is the amount of the rate.",
        );
    }
    pg_sys::Datum::from(true)
}

sql_function!(restful_limit_keys, "limit_keys()", |_call| {
    // SAFETY: reads a global.
    let database = pg_sys::MyDatabaseId.to_u32();
    let now = clock::now();
    let keys = table().map_or_else(Vec::new, |table| table.busy(database, now));
    let login = Limit::of(Rule::login(super::LOGIN, guc::login_limit_text()));
    let limits = declared();
    let shown: Map<String, Value> = limits
        .iter()
        .chain([&login])
        .map(|limit| {
            let mut own: Vec<&Busy> = keys.iter().filter(|key| key.rule == limit.id).collect();
            own.sort_by_key(|key| std::cmp::Reverse((key.refused, key.held, key.level)));
            let key = |key: &&Busy| {
                json!({ "key": key.who, "refused": key.refused, "taken": key.taken, "running": key.held, "free_again_in": (key.level as f64 / 1e9 * 10.0).round() / 10.0 })
            };
            (limit.rule.name.clone(), own.iter().take(SHOWN_KEYS).map(key).collect())
        })
        .collect();
    JsonB(Value::Object(shown)).into_datum().unwrap_or(pg_sys::Datum::null())
});

sql_function!(restful_forget_limit, "forget_limit(name text)", |call| {
    if let (Some(table), Some(name)) = (table(), text(call, 0)) {
        table.forget(id(name));
    }
    pg_sys::Datum::null()
});

sql_function!(restful_limit_problem, "limit_problem(method text, path text, headers jsonb, claims jsonb)", |call| {
    problem(call)
});

/// Counts a request of another HTTP layer. Returns null if it may run, or an object with the members status, headers and problem.
unsafe fn problem(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a function with these four arguments.
    let (method, path, headers, claims) = unsafe {
        let json = |i| argument(call, i).and_then(|value| JsonB::from_datum(value, false)).map(|JsonB(value)| value);
        (text(call, 0), text(call, 1), json(2), json(3))
    };
    let refused = || -> Result<(), Error> {
        let headers = Headers::from_json(&headers.unwrap_or_default())?;
        let request = Request::parse(method.unwrap_or_default(), path.unwrap_or_default(), &headers, None)?;
        let identity = match claims {
            Some(Value::Object(claims)) if claims.contains_key("sub") || claims.contains_key("role") => {
                Identity::Claims(Rc::new(claims), AuthMethod::Postgrest)
            }
            _ => Identity::Anonymous,
        };
        let principal = Principal { identity, switch_to: None, is_authenticated: true };
        // What it costs besides is not known here.
        drop(arrive(&request, Asker::Known(&principal))?);
        Ok(())
    };
    match refused() {
        Ok(()) => {
            // SAFETY: the call frame of a running function.
            unsafe { (*call).isnull = true };
            pg_sys::Datum::null()
        }
        Err(error) => {
            let headers: Map<String, Value> =
                error.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
            let told = json!({
                "message": { "code": error.code, "message": error.message, "hint": error.hint, "details": error.details },
                "detail": { "status": error.status, "headers": headers },
            });
            JsonB(told).into_datum().unwrap_or(pg_sys::Datum::null())
        }
    }
}

v1_function!(restful_limit_changed);
/// The trigger on `restful.limit_entry`, which announces a change to all sessions.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_limit_changed(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call of a function.
    unsafe { invalidation::announce_by_trigger(call, "limit_changed") }
}
