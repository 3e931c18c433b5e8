//! The SQL functions of routes.

use super::declared::Typed;
use crate::error::{Code, Error};
use crate::pg::catalog::invalidation;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{argument, sql_function, v1_function};
use crate::pg::json_schema;
use crate::routing::arguments::{Parameter, Source};
use crate::routing::example;
use crate::routing::pattern::Pattern;
use crate::sqlstate::SqlState;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde_json::{Map, Value, json};

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
    for (name, source) in &sources {
        let read = source.as_str().map(|text| Source::try_from(text.to_owned()));
        let wrong = match read {
            _ if !types.contains_key(name) => format!("The function has no parameter {name}."),
            Some(Ok(_)) => continue,
            Some(Err(why)) => why,
            None => format!("The source of {name} is not a text."),
        };
        refuse(&Error::new(Code::Route, "The sources of a route are malformed").details(wrong));
    }
    let type_of = |name: &str| types.get(name).and_then(Value::as_str).map(str::to_owned);
    match Pattern::parse(&pattern, type_of) {
        Ok(pattern) => pattern.key().into_datum().unwrap_or(pg_sys::Datum::null()),
        Err(error) => refuse(&error),
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

sql_function!(
    restful_try_route_example,
    "try_route_example(pattern text, parameters jsonb, example jsonb, query_schema text)",
    |call| try_route_example(call)
);

/// Returns what a route makes of its example, as an object with `faults`, `arguments`, `rest` and `query`. `pattern`: with the prefix of the group.
/// `parameters`: those of the function, as `restful.route_arguments` returns them.
///
/// Raises 22023 for a malformed pattern.
unsafe fn try_route_example(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a function with these four arguments.
    let (pattern, parameters, example, schema) = unsafe {
        let text = |i| argument(call, i).and_then(|value| String::from_datum(value, false));
        let json = |i| argument(call, i).and_then(|value| JsonB::from_datum(value, false)).map(|JsonB(value)| value);
        (text(0).unwrap_or_default(), json(1).unwrap_or_default(), json(2).unwrap_or_default(), text(3))
    };
    let typed: Vec<Typed> = serde_json::from_value(parameters).unwrap_or_default();
    let type_of = |name: &str| typed.iter().find(|p| p.parameter.name == name).map(|p| p.of_type.clone());
    let pattern = Pattern::parse(&pattern, type_of).unwrap_or_else(|error| refuse(&error));
    let parameters: Vec<Parameter> = typed.into_iter().map(|typed| typed.parameter).collect();
    let schema = schema.and_then(|text| json_schema::query_schema(&text));
    let tried = example::tried(&pattern, &parameters, example.as_object().unwrap_or(&Map::new()), schema.as_ref());
    let found =
        json!({ "faults": tried.faults, "arguments": tried.arguments, "rest": tried.rest, "query": tried.query });
    JsonB(found).into_datum().unwrap_or(pg_sys::Datum::null())
}

fn refuse(error: &Error) -> ! {
    let text = |value: &Option<Value>| value.as_ref().and_then(Value::as_str).map(str::to_owned);
    raise(
        SqlState::INVALID_PARAMETER_VALUE,
        &error.message,
        text(&error.details).as_deref(),
        text(&error.hint).as_deref(),
    )
}
