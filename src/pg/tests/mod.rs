//! Tests that need one backend for a while: requests within requests, the plan cache, memory. pg_test/sql has the tests that need only
//! SQL.
//!
//! `tools/backend-tests` declares the two functions below and runs each test in a transaction that it rolls back:
//!
//! ```sql
//! create function names_of_tests() returns text language c as 'path of the library', 'restful_names_of_tests';
//! create function run_test(name text) returns boolean language c strict as 'path of the library', 'restful_run_test';
//! ```
#![allow(clippy::unwrap_used, clippy::panic)]

/// A test and its name.
type Test = (&'static str, fn());

/// Lists the named functions as tests.
macro_rules! tests {
    [$($test:ident),* $(,)?] => { &[$((concat!(module_path!(), "::", stringify!($test)), $test)),*] };
}

mod catalogue;
mod hidden;
mod nesting;
mod plans;
mod settings;
mod t52_memory;

use crate::pg::ffi::fmgr::{self, v1_function};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};

const TESTS: [&[Test]; 6] =
    [catalogue::TESTS, hidden::TESTS, nesting::TESTS, plans::TESTS, settings::TESTS, t52_memory::TESTS];

v1_function!(restful_names_of_tests);
/// The names of all tests, one a line.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_names_of_tests(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    let names: Vec<&str> = TESTS.iter().copied().flatten().map(|(name, _)| *name).collect();
    names.join("\n").into_datum().unwrap()
}

v1_function!(restful_run_test);
/// Runs the test of this name. A test that fails raises an error.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_run_test(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls this with the argument of the declaration above, which is not null.
    let name = unsafe { fmgr::text(call, 0) }.unwrap_or_default();
    let Some((_, test)) = TESTS.iter().copied().flatten().find(|(known, _)| *known == name) else {
        panic!("there is no test {name}");
    };
    Spi::connect(|_| test());
    true.into()
}

/// Makes a schema with a table, and a role that requests run as. The end of the test undoes it.
fn set_up() {
    Spi::run(
        "create role pgr_reader;
         create schema api;
         create table api.items (id int primary key, name text);
         insert into api.items select i, 'item ' || i from generate_series(1, 5) i;
         grant usage on schema api to pgr_reader;
         grant select, insert on api.items to pgr_reader;
         set local restful.anon_role = 'pgr_reader';
         set local restful.schemas = 'api';",
    )
    .unwrap();
}

/// Runs SQL.
#[track_caller]
fn run(sql: &str) {
    Spi::run(sql).unwrap();
}

/// The one text that a query returns.
#[track_caller]
fn text(sql: &str) -> String {
    Spi::get_one::<String>(sql).unwrap().unwrap()
}

/// Status and body of a GET.
#[track_caller]
fn get(target: &str) -> String {
    let target = target.replace('\'', "''");
    text(&format!("select concat_ws(' ', status, coalesce(body->>'code', body::text)) from restful.get('{target}')"))
}
