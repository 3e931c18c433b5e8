//! Reads or makes the row in question, and evaluates the expressions of policies on it.

use super::statement::{Failure, Names, Parameter, Rows, run};
use crate::access::expression::{operands, readers};
use crate::access::{self, Command, Evaluation, Facts, OnConflict, Policy, Statement, Step, Stored, Subject, Value};
use crate::error::{Error, Result};
use crate::sqlstate::SqlState;
use crate::statement::Ident;
use pgrx::{FromDatum, IntoDatum, pg_sys};
use serde_json::{Map, Value as Json};
use std::fmt::Write;

/// How deep nested ANDs and ORs are taken apart.
const DEPTH: usize = 6;
/// The most expressions that one explanation evaluates, parts of expressions included.
const EXPRESSIONS: usize = 1000;

/// A row that a statement made, or why it failed.
pub(super) type MadeRow = std::result::Result<Option<pg_sys::Datum>, Failure>;

/// A row, and what is known of it.
pub struct Row {
    pub stored: Stored,
    pub value: Option<pg_sys::Datum>,
}

/// Reads the row of a key, as the current user.
///
/// `sees_all`: the user is not subject to row-level security, so a row that is not found does not exist.
///
/// # Errors
/// 22023 for a key that does not fit the relation.
pub fn read(facts: &Facts, key: Option<&Json>, sees_all: bool) -> Result<Row> {
    let Some(key) = key else { return Ok(Row { stored: Stored::NotAsked, value: None }) };
    let mut condition = String::new();
    let mut parameters = Vec::new();
    let alias = alias(facts);
    for (column, value) in key_columns(facts, key)? {
        if !column.is_plain {
            let message =
                format!("the key cannot hold the column {}, because its type may run a user's code", column.name);
            return Err(
                Error::with_code(SqlState::FEATURE_NOT_SUPPORTED, 400, message).hint("Use another column in the key.")
            );
        }
        let base = &column.base_type;
        let and = if parameters.is_empty() { "" } else { " AND " };
        let (name, number) = (Ident(&column.name), parameters.len() + 1);
        let _ = write!(condition, "{and}{alias}.{name}::{base} OPERATOR(pg_catalog.=) ${number}::{base}");
        parameters.push((pg_sys::TEXTOID, value.into_datum()));
    }
    let sql = format!("SELECT {alias} FROM {} AS {alias} WHERE {condition}", qualified(facts));
    let absent = if sees_all { Stored::Absent } else { Stored::NotSeen };
    Ok(match run(&sql, Names::ByExtension, &parameters, facts.row_type.into()) {
        Ok(Rows::One(value)) => Row { stored: Stored::Found, value },
        Ok(Rows::Nothing) => Row { stored: absent, value: None },
        Ok(Rows::Several) => {
            return Err(Error::with_code(SqlState::CARDINALITY_VIOLATION, 400, "the key matches several rows")
                .hint("Give the primary key."));
        }
        Err(Failure { raised, .. }) if raised.sqlstate == SqlState::INSUFFICIENT_PRIVILEGE => {
            Row { stored: Stored::NotReadable(raised.message), value: None }
        }
        Err(Failure { raised, .. }) => return Err(raised.into_error(true)),
    })
}

/// The columns of a key, with their values as text.
fn key_columns<'a>(facts: &'a Facts, key: &Json) -> Result<Vec<(&'a access::Column, String)>> {
    let refuse = |message: String| Error::with_code(SqlState::INVALID_PARAMETER_VALUE, 400, message);
    let column = |name: &str| {
        let found = facts.columns.iter().find(|c| c.name == name);
        found.ok_or_else(|| Error::no_column(&facts.name, name))
    };
    let given: Vec<(&str, &Json)> = match key {
        Json::Object(columns) if !columns.is_empty() => columns.iter().map(|(n, v)| (n.as_str(), v)).collect(),
        key => {
            let values = match key {
                Json::Array(values) => values.iter().collect(),
                value => vec![value],
            };
            if values.len() != facts.primary_key.len() || values.is_empty() {
                let columns = facts.primary_key.join(", ");
                return Err(refuse(format!("the key must give the values of ({columns})"))
                    .hint("You can also give an object of columns and values that identify one row."));
            }
            facts.primary_key.iter().map(String::as_str).zip(values).collect()
        }
    };
    given
        .into_iter()
        .map(|(name, value)| match value {
            Json::Null => Err(refuse(format!("the key's value for {name} is null"))),
            Json::String(text) => Ok((column(name)?, text.clone())),
            value => Ok((column(name)?, value.to_string())),
        })
        .collect()
}

/// The results of an evaluation.
#[derive(Default)]
pub struct Findings {
    pub steps: Vec<Step>,
    pub unmakeable: Option<(String, String)>,
    pub without_default: Vec<String>,
    pub readers: Vec<(String, Json)>,
}

/// Evaluates the policies as the current user, which is the role in question.
///
/// `row`: the stored row. `given`: the values to be written.
pub fn judge(
    facts: &Facts,
    statement: &Statement,
    row: Option<pg_sys::Datum>,
    given: Option<&Map<String, Json>>,
) -> Findings {
    let mut judged = Findings::default();
    let proposed = match (statement.command, given, row) {
        (Command::Insert, Some(given), _) => Some(new_row(facts, given, &mut judged.without_default)),
        (Command::Update, Some(given), Some(row)) => Some(changed_row(facts, given, row)),
        _ => None,
    };
    let merged = match (&statement.conflict, given, row) {
        (Some(OnConflict::Update { .. }), Some(given), Some(row)) => Some(changed_row(facts, given, row)),
        _ => None,
    };
    let mut made = |row: Option<MadeRow>| match row {
        Some(Ok(row)) => row,
        Some(Err(failure)) => {
            judged.unmakeable = Some((failure.raised.sqlstate.into(), failure.raised.message));
            None
        }
        None => None,
    };
    let (proposed, merged) = (made(proposed), made(merged));
    let mut known: Vec<(String, Subject, Names, Evaluation)> = Vec::new();
    let mut left = EXPRESSIONS;
    judged.steps =
        access::steps(facts, statement, given.is_some(), row.is_some(), |policy: &Policy, expression, subject| {
            if let Some((.., evaluated)) = known.iter().find(|(e, s, ..)| e == expression && *s == subject) {
                return evaluated.clone();
            }
            let row = match subject {
                Subject::Stored => row,
                Subject::Proposed => proposed,
                Subject::Merged => merged,
            };
            let names = Names::of(policy.has_plain_literals);
            let evaluated = evaluate(facts, expression, names, row, DEPTH, &mut left);
            known.push((expression.to_owned(), subject, names, evaluated.clone()));
            evaluated
        });
    let mut asked: Vec<(&str, Names)> = Vec::new();
    for (expression, _, names, _) in &known {
        for reader in readers(expression) {
            if !asked.iter().any(|(known, _)| *known == reader) {
                asked.push((reader, *names));
            }
        }
    }
    judged.readers = asked.into_iter().map(|(reader, names)| (reader.to_owned(), answer(reader, names))).collect();
    judged
}

/// The value of an expression for a row, and the values of its operands.
fn evaluate(
    facts: &Facts,
    expression: &str,
    names: Names,
    row: Option<pg_sys::Datum>,
    depth: usize,
    left: &mut usize,
) -> Evaluation {
    let value = value(facts, expression, names, row);
    *left = left.saturating_sub(1);
    let operands = if depth == 0 || *left == 0 { Vec::new() } else { operands(expression) };
    let parts = operands.into_iter().map(|part| evaluate(facts, part, names, row, depth - 1, left)).collect();
    Evaluation { expression: expression.to_owned(), value, parts }
}

pub(super) fn value(facts: &Facts, expression: &str, names: Names, row: Option<pg_sys::Datum>) -> Value {
    let found = match row {
        Some(row) => {
            // The FROM item has the table's row type, so that whole-row references in the expression have the same type as in the table.
            let name = Ident(&facts.name);
            let sql = format!("SELECT ({expression}) FROM pg_catalog.unnest(ARRAY[$1]) AS {name}");
            run(&sql, names, &[of_row_type(facts, row)], pg_sys::BOOLOID)
        }
        None => run(&format!("SELECT ({expression})"), names, &[], pg_sys::BOOLOID),
    };
    match found {
        Ok(Rows::One(Some(value))) => {
            if value.value() != 0 {
                Value::True
            } else {
                Value::False
            }
        }
        Ok(_) => Value::Null,
        // Without a row, names of columns cannot be resolved.
        Err(f)
            if row.is_none()
                && f.in_analysis
                && matches!(f.raised.sqlstate, SqlState::UNDEFINED_COLUMN | SqlState::UNDEFINED_TABLE) =>
        {
            Value::Open
        }
        Err(f) => Value::Error(f.raised.sqlstate.into(), f.raised.message),
    }
}

/// The result of a function that does not depend on a row: its value, or an array of the rows of a set.
fn answer(reader: &str, names: Names) -> Json {
    let sql = format!("SELECT pg_catalog.jsonb_agg(v)::pg_catalog.text FROM (SELECT {reader} AS v LIMIT 20) AS s");
    let text = match run(&sql, names, &[], pg_sys::TEXTOID) {
        // SAFETY: the column is a text, copied from the copy.
        Ok(Rows::One(Some(text))) => unsafe { String::from_datum(text, false) },
        Ok(_) => return Json::Array(Vec::new()),
        Err(failure) => return Json::from(format!("error: {} ({})", failure.raised.message, failure.raised.sqlstate)),
    };
    match text.and_then(|text| serde_json::from_str(&text).ok()) {
        Some(Json::Array(mut values)) if values.len() == 1 => values.pop().unwrap_or_default(),
        Some(values) => values,
        None => Json::Null,
    }
}

/// The row that INSERT would make of the given values, with defaults and generated columns.
pub(super) fn new_row(facts: &Facts, given: &Map<String, Json>, without_default: &mut Vec<String>) -> MadeRow {
    let mut columns = Vec::new();
    for column in &facts.columns {
        let default = column.expression.as_ref().filter(|_| !column.generated);
        columns.push(match default {
            _ if given.contains_key(&column.name) => format!("(s.r).{}", Ident(&column.name)),
            Some(default) => {
                match run(&format!("SELECT pg_catalog.num_nulls({default})"), names(column), &[], pg_sys::INT4OID) {
                    Ok(_) => format!("({default})"),
                    Err(_) => {
                        without_default.push(column.name.clone());
                        "NULL".to_owned()
                    }
                }
            }
            None => "NULL".to_owned(),
        });
    }
    let (table, columns) = (qualified(facts), columns.join(", "));
    let sql = format!(
        "SELECT ROW({columns})::{table} FROM (SELECT pg_catalog.jsonb_populate_record(NULL::{table}, $1) AS r) AS s"
    );
    generated(facts, run(&sql, all_names(facts), &[jsonb(given)], facts.row_type.into())?)
}

/// The row that UPDATE would make of another.
fn changed_row(facts: &Facts, given: &Map<String, Json>, row: pg_sys::Datum) -> MadeRow {
    let sql = "SELECT pg_catalog.jsonb_populate_record($2, $1)";
    generated(facts, run(sql, Names::ByExtension, &[jsonb(given), of_row_type(facts, row)], facts.row_type.into())?)
}

/// The row with its generated columns.
fn generated(facts: &Facts, found: Rows) -> MadeRow {
    let Rows::One(Some(row)) = found else { return Ok(None) };
    if !facts.columns.iter().any(|column| column.generated) {
        return Ok(Some(row));
    }
    let name = Ident(&facts.name);
    let columns: Vec<String> = facts
        .columns
        .iter()
        .map(|column| match column.expression.as_ref().filter(|_| column.generated) {
            Some(expression) => format!("({expression})"),
            None => format!("{name}.{}", Ident(&column.name)),
        })
        .collect();
    let (table, columns) = (qualified(facts), columns.join(", "));
    let sql = format!("SELECT ROW({columns})::{table} FROM pg_catalog.unnest(ARRAY[$1]) AS {name}");
    match run(&sql, all_names(facts), &[of_row_type(facts, row)], facts.row_type.into())? {
        Rows::One(row) => Ok(row),
        _ => Ok(None),
    }
}

fn names(column: &access::Column) -> Names {
    Names::of(column.has_plain_literals)
}

/// Who resolves the names in a statement that contains the expressions of columns.
fn all_names(facts: &Facts) -> Names {
    Names::of(facts.columns.iter().all(|column| column.has_plain_literals))
}

fn of_row_type(facts: &Facts, row: pg_sys::Datum) -> Parameter {
    (facts.row_type.into(), Some(row))
}

pub(super) fn jsonb(object: &Map<String, Json>) -> Parameter {
    (pg_sys::JSONBOID, pgrx::JsonB(Json::Object(object.clone())).into_datum())
}

pub(super) fn qualified(facts: &Facts) -> String {
    format!("{}.{}", Ident(&facts.schema), Ident(&facts.name))
}

/// A name for the table that differs from the names of its columns.
pub(super) fn alias(facts: &Facts) -> String {
    let mut alias = "r".to_owned();
    while facts.columns.iter().any(|c| c.name == alias) {
        alias.push('_');
    }
    alias
}
