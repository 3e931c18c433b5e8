//! Evaluates policies on the rows of a table, for the coverage of tests.

use super::judge::{alias, jsonb, new_row, qualified, value};
use super::statement::{Failure, Names, Parameter, Rows as Found, run};
use crate::access::{Command, Facts, Policy, RowSecurity, Value};
use crate::limits::{TESTED_PROPOSALS, TESTED_ROWS};
use pgrx::{FromDatum, pg_sys};
use serde_json::{Map, Value as Json};

/// Rows of a table: an array of its row type, or nothing.
pub struct Rows(Option<Parameter>);

/// For how many rows an expression was true, and for how many it was not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Count {
    pub allowed: u64,
    pub denied: u64,
    /// There are more rows than were looked at.
    pub is_partial: bool,
}

/// What is known of a table whose policies apply to a role. `None` if none do.
pub fn protected(table: pg_sys::Oid, role: &str) -> Option<Facts> {
    let facts = super::facts(table.to_u32(), Command::Select, role).ok()?;
    (facts.row_security() == RowSecurity::Applies).then_some(facts)
}

fn words(failure: Failure) -> String {
    failure.raised.message
}

/// The rows that the current user sees under the active snapshot, one more than are evaluated.
///
/// # Errors
/// Why they cannot be read, in words.
pub fn stored(facts: &Facts) -> Result<Rows, String> {
    read(facts, "")
}

/// The rows that the transaction has written since this command.
///
/// # Errors
/// Why they cannot be read, in words.
pub fn written_since(facts: &Facts, command: u32) -> Result<Rows, String> {
    let alias = alias(facts);
    // Rows of transactions as new as this one may be those of others, whose commands are numbered from 0.
    let condition = format!(
        "WHERE pg_catalog.age({alias}.xmin) OPERATOR(pg_catalog.<=)
            pg_catalog.age(pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.xid)
        AND {alias}.cmin::pg_catalog.text::pg_catalog.int8 OPERATOR(pg_catalog.>=) {command}"
    );
    read(facts, &condition)
}

fn read(facts: &Facts, condition: &str) -> Result<Rows, String> {
    let (alias, table, limit) = (alias(facts), qualified(facts), TESTED_ROWS + 1);
    let sql = format!(
        "SELECT pg_catalog.array_agg(s.a) FROM (SELECT {alias} AS a FROM {table} AS {alias} {condition} LIMIT {limit}) AS s"
    );
    rows(facts, &sql, Names::ByExtension, &[])
}

fn rows(facts: &Facts, sql: &str, names: Names, parameters: &[Parameter]) -> Result<Rows, String> {
    // SAFETY: looks up a type in the catalogue.
    let array = unsafe { pg_sys::get_array_type(facts.row_type.into()) };
    Ok(Rows(match run(sql, names, parameters, array).map_err(words)? {
        Found::One(Some(rows)) => Some((array, Some(rows))),
        _ => None,
    }))
}

/// Evaluates an expression of a policy on rows, as the current user.
///
/// # Errors
/// What it raised for one of the rows, in words.
pub fn count(facts: &Facts, policy: &Policy, expression: &str, rows: &Rows) -> Result<Count, String> {
    let Some(rows) = rows.0 else { return Ok(Count::default()) };
    let name = crate::statement::Ident(&facts.name);
    let sql = format!(
        "SELECT pg_catalog.concat(pg_catalog.count(*) FILTER (WHERE s.e), ' ', pg_catalog.count(*) FILTER (WHERE s.e IS NOT TRUE))
        FROM (SELECT ({expression}) AS e FROM pg_catalog.unnest($1) AS {name}) AS s"
    );
    let counted = match run(&sql, Names::of(policy.has_plain_literals), &[rows], pg_sys::TEXTOID).map_err(words)? {
        // SAFETY: the column is a text, copied from the copy.
        Found::One(Some(text)) => unsafe { String::from_datum(text, false) }.unwrap_or_default(),
        _ => String::new(),
    };
    let mut numbers = counted.split(' ').map(|number| number.parse().unwrap_or(0));
    let (allowed, denied) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    Ok(Count { allowed, denied, is_partial: allowed + denied > u64::from(TESTED_ROWS) })
}

/// Evaluates the expression with which a policy checks new rows, on the rows that an INSERT would make of these objects, as the current
/// user.
///
/// # Errors
/// Why a row cannot be made, or what the expression raised for one, in words.
pub fn count_inserts(
    facts: &Facts,
    policy: &Policy,
    expression: &str,
    objects: &[&Map<String, Json>],
) -> Result<Count, String> {
    let mut count = Count { is_partial: objects.len() > TESTED_PROPOSALS, ..Count::default() };
    for object in objects.iter().take(TESTED_PROPOSALS) {
        let row = new_row(facts, object, &mut Vec::new()).map_err(words)?;
        match value(facts, expression, Names::of(policy.has_plain_literals), row) {
            Value::True => count.allowed += 1,
            Value::Error(_, message) => return Err(message),
            _ => count.denied += 1,
        }
    }
    Ok(count)
}

/// The rows that an UPDATE with these values would make of those rows that the current user may change.
///
/// # Errors
/// Why they cannot be made, in words.
pub fn updated(facts: &Facts, values: &Map<String, Json>, stored: &Rows) -> Result<Rows, String> {
    let Some(stored) = stored.0 else { return Ok(Rows(None)) };
    let name = crate::statement::Ident(&facts.name);
    let condition = format!("{} AND {}", passes(facts, Command::Select), passes(facts, Command::Update));
    let sql = format!(
        "SELECT pg_catalog.array_agg(pg_catalog.jsonb_populate_record({name}, $2))
        FROM pg_catalog.unnest($1) AS {name} WHERE {condition}"
    );
    let names = Names::of(facts.policies.iter().all(|policy| policy.has_plain_literals));
    rows(facts, &sql, names, &[stored, jsonb(values)])
}

/// The condition for a row that is there: a permissive policy is true, and each restrictive one.
fn passes(facts: &Facts, command: Command) -> String {
    let of = |permissive: bool| {
        let policies = facts.policies.iter().filter(move |policy| policy.permissive == permissive);
        policies.filter(move |policy| policy.concerns(command)).filter_map(|policy| policy.using.as_deref())
    };
    let mut condition = of(true).fold("(false".to_owned(), |condition, using| format!("{condition} OR ({using})"));
    condition.push(')');
    of(false).fold(condition, |condition, using| format!("{condition} AND ({using})"))
}
