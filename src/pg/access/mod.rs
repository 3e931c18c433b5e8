//! `restful.explain_access`: why a role can or cannot read or write a row.
//!
//! Users' expressions, such as policies, defaults and checks of domains, run as the role in question, never with more rights. The
//! row is read with the rights of the caller.

mod judge;
pub mod rows;
mod statement;

use crate::access::{self, Command, Facts, Report, RowSecurity, Statement, Stored};
use crate::ask::Ask;
use crate::auth::claims::check_registered;
use crate::auth::{self, Identity, Principal};
use crate::error::{Error, Result};
use crate::http::{Headers, Method, Request};
use crate::pg::catalog::query::{load, names, oid, text as text_argument};
use crate::pg::ffi::error::{Raise, refuse_context};
use crate::pg::ffi::fmgr::{argument, detoasted, sql_function, text};
use crate::pg::ffi::result_set::ResultSet;
use crate::pg::ffi::varlena::payload;
use crate::pg::ffi::{jsonb, privileges, user};
use crate::pg::frame::{self, Context, Finished, Frame};
use crate::pg::guc;
use crate::route::Resource;
use crate::sqlstate::SqlState;
use judge::{Findings, Row, judge};
use pgrx::{IntoDatum, pg_sys};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::ffi::CStr;

sql_function!(
    restful_explain_access,
    "explain_access(rel regclass, command text, role name, claims jsonb, key jsonb, new_row jsonb)",
    |call| {
        match Question::of(call).and_then(|question| explain(&question, |report| report.to_json())) {
            Ok(report) => jsonb::of_text(&report.to_string()),
            Err(error) => error.raise(),
        }
    }
);

sql_function!(
    restful_explain_access_text,
    "explain_access_text(rel regclass, command text, role name, claims jsonb, key jsonb, new_row jsonb)",
    |call| {
        let rows = ResultSet::start(call);
        match Question::of(call).and_then(|question| explain(&question, |report| report.to_lines())) {
            Ok(lines) => lines.iter().for_each(|line| rows.put([line.as_str().into_datum()])),
            Err(error) => error.raise(),
        }
        pg_sys::Datum::null()
    }
);

/// The arguments of the SQL functions.
struct Question {
    relation: u32,
    statement: Statement,
    role: String,
    claims: Map<String, Json>,
    key: Option<Json>,
    row: Option<Map<String, Json>>,
}

impl Question {
    unsafe fn of(call: pg_sys::FunctionCallInfo) -> std::result::Result<Self, Raise> {
        // SAFETY: the call frame of a function with these six arguments.
        unsafe {
            let refuse = |message: &str| Raise::new(SqlState::INVALID_PARAMETER_VALUE, message);
            let (Some(relation), Some(command), Some(role)) = (argument(call, 0), text(call, 1), argument(call, 2))
            else {
                return Err(Raise::new(SqlState::NULL_VALUE_NOT_ALLOWED, "relation, command and role are required"));
            };
            let json = |i| {
                let value =
                    detoasted(call, i).map(|datum| serde_json::from_slice::<Json>(payload(jsonb::to_text(datum))));
                value.transpose().map_err(|why| refuse(&why.to_string()))
            };
            let object = |i, what: &str| match json(i)? {
                None => Ok(None),
                Some(Json::Object(members)) => Ok(Some(members)),
                Some(_) => Err(refuse(&format!("{what} must be a JSON object"))),
            };
            let statement = Statement::parse(command).ok_or_else(|| {
            refuse("the command must be SELECT, INSERT, UPDATE or DELETE").hint(
                "INSERT may be followed by ON CONFLICT DO NOTHING or ON CONFLICT DO UPDATE, with the columns of the key before \
                 DO, and by RETURNING.",
            )
        })?;
            let claims = object(3, "claims")?.unwrap_or_default();
            check_registered(&claims).map_err(|flaw| refuse(&format!("the {}", flaw.words())))?;
            Ok(Question {
                // A regclass is an OID.
                relation: relation.value() as u32,
                statement,
                role: CStr::from_ptr(role.cast_mut_ptr()).to_string_lossy().into_owned(),
                claims,
                key: json(4)?.filter(|key| !key.is_null()),
                row: object(5, "values of a row")?,
            })
        }
    }
}

/// A role, as `sql/query/access/asked_role.sql` returns it.
#[derive(Deserialize)]
struct RoleInQuestion {
    oid: u32,
    is_of_requests: bool,
}

/// Answers a call of the SQL functions. EXECUTE on the function is the right to ask with any claims. The role must be one that the
/// caller can SET ROLE to, or that requests run as.
fn explain<T>(question: &Question, render: impl FnOnce(&Report) -> T) -> std::result::Result<T, Raise> {
    frame::check_context();
    if frame::is_within_request() {
        refuse_context(
            "access cannot be explained by a function call within a request",
            "Send the header field Prefer: explain-access instead.",
        );
    }
    let query = include_str!("../../../sql/query/access/asked_role.sql");
    let asked: Option<RoleInQuestion> = load("access_role", query, &[text_argument(&question.role)])?;
    let refused = || {
        Raise::new(SqlState::INSUFFICIENT_PRIVILEGE, "access cannot be explained for this role")
            .hint("The role must exist, and you must be able to SET ROLE to it, or requests must run as it.")
    };
    let asked = asked.ok_or_else(refused)?;
    let taken = pg_sys::Oid::from(asked.oid);
    let caller = user::current();
    if !asked.is_of_requests && !privileges::may_set_role(caller, taken) {
        return Err(refused());
    }
    let statement = &question.statement;
    let facts = facts(question.relation, statement.command, &question.role)?;
    check_row(&facts, question.row.as_ref())?;
    let not_asked = || Row { stored: Stored::NotAsked, value: None };
    let read = |key: Option<&Json>| judge::read(&facts, key, !facts.active_for_caller);
    let row = match (statement.command, &statement.conflict) {
        (Command::Insert, None) => not_asked(),
        _ if facts.kind != "table" => not_asked(),
        // Unless the caller gives a key, the conflicting row is the one with the new row's key.
        (Command::Insert, Some(_)) if question.key.is_none() => {
            read(key_of(&facts, question.row.as_ref()).as_ref()).unwrap_or_else(|_| not_asked())
        }
        _ => read(question.key.as_ref())?,
    };
    let judged = match facts.row_security() {
        RowSecurity::Applies => in_frame(question, &facts, taken, row.value)?,
        _ => Findings::default(),
    };
    let key = question.key.as_ref();
    Ok(render(&report(&facts, statement, key, question.row.as_ref(), row.stored, judged, user::name(caller))))
}

/// The primary key from the values of a row, if they contain all of it.
fn key_of(facts: &Facts, row: Option<&Map<String, Json>>) -> Option<Json> {
    let values: Option<Vec<Json>> =
        facts.primary_key.iter().map(|name| row?.get(name).filter(|value| !value.is_null()).cloned()).collect();
    values.filter(|values| !values.is_empty()).map(Json::Array)
}

/// Evaluates the policies as the role, with the claims, in a read-only frame.
fn in_frame(question: &Question, facts: &Facts, taken: pg_sys::Oid, row: Option<pg_sys::Datum>) -> Result<Findings> {
    let headers = Headers::default();
    let request = Request::parse("GET", "/", &headers, None)?;
    let mut claims = question.claims.clone();
    let identity = if claims.is_empty() {
        Identity::Anonymous
    } else {
        claims.insert("role".to_owned(), Json::from(question.role.as_str()));
        Identity::Claims(claims.into(), auth::AuthMethod::Jwt)
    };
    let is_authenticated = identity != Identity::Anonymous;
    let principal = Principal { identity, switch_to: None, is_authenticated };
    let context = Context { request: &request, principal: &principal, schema: &facts.schema };
    frame::enter_as(&context, Some(taken), |frame| {
        frame.publish();
        frame.take_role();
        let judged = judge(facts, &question.statement, row, question.row.as_ref());
        Ok(Finished { value: judged, commit: false })
    })
}

/// The answer to `GET /table/{key}` with `Prefer: explain-access`. `None` if the request does not ask for it, its role may not ask,
/// or the relation does not exist. Calls `pre_request` before it looks at anything.
///
/// # Errors
/// The problem document for a row that the role cannot see, with the report.
pub fn explained(ask: &Ask, frame: &Frame, pre_request: impl FnOnce() -> Result<()>) -> Result<Option<Json>> {
    let request = ask.request;
    let (Resource::Item { relation, .. }, Method::Get | Method::Query) = (&ask.action().resource, request.method)
    else {
        return Ok(None);
    };
    if !request.preferences.explain_access {
        return Ok(None);
    }
    if !guc::has_explain_roles() {
        return Ok(None);
    }
    let role = user::name(frame.role());
    if !guc::may_ask_for_access(&role) {
        return Ok(None);
    }
    let query = include_str!("../../../sql/query/access/relation_oid.sql");
    let Some(arguments) = names(&ask.action().schema, relation) else { return Ok(None) };
    let Some(oid) = load("access_relation", query, &arguments)? else { return Ok(None) };
    frame.take_role();
    frame.publish();
    pre_request()?;
    let statement = Statement::of(Command::Select);
    let facts = facts(oid, Command::Select, &role)?;
    let key = Json::from(ask.item_key());
    let row = if facts.kind == "table" {
        read_for(frame, &facts, &key)?
    } else {
        Row { stored: Stored::NotAsked, value: None }
    };
    let judged = match facts.row_security() {
        RowSecurity::Applies => judge(&facts, &statement, row.value, None),
        _ => Findings::default(),
    };
    let report = report(&facts, &statement, Some(&key), None, row.stored, judged, role);
    access::document(&report, frame.is_authenticated()).map(Some)
}

/// Reads the row as the request's role, or as `restful.explain_reader` if the role may execute `restful.explain_access`. The reader
/// only reads tables. There, a reader with BYPASSRLS runs only PostgreSQL's own code and, in a restricted operation, immutable
/// functions without arguments in indexes.
fn read_for(frame: &Frame, facts: &Facts, key: &Json) -> Result<Row> {
    if let Some(name) = guc::explain_reader() {
        let query = include_str!("../../../sql/query/access/reader.sql");
        let reader: Option<u32> = load("access_reader", query, &[text_argument(&name)])?;
        if let Some(reader) = reader {
            return frame.with_reader(reader.into(), || judge::read(facts, Some(key), true));
        }
    }
    judge::read(facts, Some(key), !facts.active_for_caller)
}

fn facts(relation: u32, command: Command, role: &str) -> Result<Facts> {
    let query = include_str!("../../../sql/query/access/facts.sql");
    let facts: Option<Facts> =
        load("access", query, &[oid(relation), text_argument(command.as_str()), text_argument(role)])?;
    facts.filter(|facts| facts.kind != "other").ok_or_else(|| {
        Error::with_code(SqlState::WRONG_OBJECT_TYPE, 400, "access can be explained only for tables and views")
    })
}

/// Refuses values for columns that do not exist.
fn check_row(facts: &Facts, row: Option<&Map<String, Json>>) -> Result<()> {
    let mut names = row.into_iter().flat_map(Map::keys);
    match names.find(|name| !facts.columns.iter().any(|c| c.name == **name)) {
        Some(name) => Err(Error::no_column(&facts.name, name)),
        None => Ok(()),
    }
}

fn report<'a>(
    facts: &'a Facts,
    statement: &'a Statement,
    key: Option<&'a Json>,
    row: Option<&'a Map<String, Json>>,
    stored: Stored,
    judged: Findings,
    caller: String,
) -> Report<'a> {
    let Findings { steps, unmakeable, without_default, readers } = judged;
    Report { facts, statement, key, row, stored, steps, unmakeable, without_default, readers, caller }
}

impl From<Error> for Raise {
    /// The error of a response, with its SQLSTATE.
    fn from(error: Error) -> Self {
        let sqlstate = SqlState::parse(&error.code).unwrap_or(match error.status {
            // The request exceeded the time limit of its role.
            504 => SqlState::QUERY_CANCELED,
            _ => SqlState::INTERNAL_ERROR,
        });
        let hint = error.hint.as_ref().and_then(Json::as_str).map(str::to_owned);
        Raise { hint, ..Raise::new(sqlstate, error.message.as_str()) }
    }
}
