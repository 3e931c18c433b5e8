//! Tests that need one backend for long: requests within requests, the plan cache, memory. What SQL alone shows is tested
//! by pg_test/sql.
#![allow(clippy::unwrap_used)]

mod nesting;
mod plans;
mod settings;
mod t52_memory;

use pgrx::prelude::*;

/// Makes a schema with a table, and a role that requests run as. The test's end undoes it.
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
