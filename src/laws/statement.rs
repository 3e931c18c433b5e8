//! Requests become statements: one plan makes one statement, with names of the catalogue and without the request's literals.

use super::grammar::displayed;
use super::{Message, refused};
use crate::ask::{Ask, PlanSettings, Settings};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::http::Request;
use crate::http::target::Target;
use crate::limits;
use crate::plan::action::{self, ActionPlan};
use crate::plan::fixture::{Library, SCHEMA};
use crate::plan::{CallResult, Plan, Select, Source};
use crate::query::{self, Literal};
use crate::route::{self, Route, Surface, Verb};
use crate::statement::{self, Parameter, Statement};
use std::rc::Rc;

/// A statement of a request.
pub struct Rendered {
    pub statement: Statement,
    /// The parameters with their values, without the body.
    pub bound: Vec<String>,
}

/// A request (see [`Message`]).
pub fn statement(data: &[u8]) -> bool {
    !statements(data).is_empty()
}

/// The checked statements of a request; empty if it is refused.
pub fn statements(data: &[u8]) -> Vec<Rendered> {
    let mut all = Vec::new();
    for (max_rows, aggregates) in [(None, true), (Some(100), false)] {
        match plan(data, &PlanSettings { max_rows, aggregates, plans: false, keyed: false }) {
            Some(Ok(rendered)) => all.extend(rendered),
            Some(Err(e)) => refused(&e),
            None => return Vec::new(),
        }
    }
    for Rendered { statement, .. } in &all {
        is_one_statement(statement);
    }
    all
}

fn plan(data: &[u8], settings: &PlanSettings) -> Option<Result<Vec<Rendered>>> {
    let message = Message::parse(data)?;
    let body = Some(message.body).filter(|body| !body.is_empty());
    Some(Request::parse(message.method, message.target, &message.headers, body).and_then(|request| {
        let surface = Surface { schemas: Rc::new([SCHEMA.into(), "archive".into()]), ..Surface::default() };
        let Route::Action(action) = route::route(&request, &surface)? else { return Ok(Vec::new()) };
        let settings = Settings { plan: settings.clone(), max_body_bytes: 1 << 20, ..Settings::default() };
        let ask = Ask::read(&request, action.clone(), &settings)?;
        let rendered = rendered(&ask)?;
        // The query still means the same after it is displayed and parsed again.
        let query = query::parse(&request.target.parameters, action.verb == Verb::CallSafe)?;
        let shown = displayed(&query);
        if shown.len() <= limits::TARGET_BYTES && request.range.is_none() {
            let again = Target::parse(&shown)?;
            let again = Request {
                target: Target { parameters: again.parameters, ..request.target.clone() },
                ..request.clone()
            };
            let again =
                Ask::read(&again, action, &settings).and_then(|ask| self::rendered(&ask)).expect("planned before");
            assert_eq!(rendered.len(), again.len());
            for (one, other) in rendered.iter().zip(&again) {
                assert_eq!((&one.statement.sql, &one.bound), (&other.statement.sql, &other.bound), "{shown}");
            }
        }
        Ok(rendered)
    }))
}

fn rendered(ask: &Ask) -> Result<Vec<Rendered>> {
    let ActionPlan::Statement(plan, _) = action::plan(&ask.shape, &Library::default())? else { return Ok(Vec::new()) };
    let mut statements = vec![statement::main(&plan)];
    assert_eq!(statements[0], statement::main(&plan));
    if let Some(select) = counted(&plan) {
        statements.push(statement::count(select, None));
        statements.push(statement::count(select, Some(10)));
        statements.push(statement::counted(select));
    }
    Ok(statements.into_iter().map(|statement| bind(statement, &ask.literals)).collect())
}

/// The SELECT whose rows `count` counts.
fn counted(plan: &Plan) -> Option<&Select> {
    let select = match plan {
        Plan::Read(select) => select,
        Plan::Call(call) => match &call.result {
            CallResult::Rows(select) | CallResult::ScalarSet(select) => select,
            _ => return None,
        },
        Plan::Write(_) => return None,
    };
    (!matches!(select.source, Source::Written)).then_some(select)
}

fn bind(statement: Statement, literals: &[Literal]) -> Rendered {
    let bound = statement.parameters.iter().map(|parameter| match parameter {
        Parameter::Literal(id, form) => format!("{:?} {form:?}", literals[*id]),
        Parameter::Items(ids) => format!("{:?}", ids.iter().map(|id| &literals[*id]).collect::<Vec<&Literal>>()),
        Parameter::Limit(id, most) => match &literals[*id] {
            Literal::Number(n) => format!("{n} at most {most:?}"),
            other => panic!("a limit is {other:?}"),
        },
        Parameter::Constant(text) => format!("{text:?}"),
        Parameter::Body => "body".to_owned(),
        Parameter::Member(member) => format!("member {member}"),
    });
    let bound = bound.collect();
    Rendered { statement, bound }
}

/// Outside of quoted names, nothing ends the statement or begins a comment or a text. Brackets are balanced, parameters are
/// numbered in order, and every name after a schema is in the catalogue.
fn is_one_statement(statement: &Statement) {
    let sql = &statement.sql;
    assert!(!sql.contains('\0'), "{sql:?}");
    let mut outside = String::with_capacity(sql.len());
    let mut rest = sql.as_str();
    while let Some((before, after)) = rest.split_once('"') {
        outside.push_str(before);
        let end = after.replace("\"\"", "__").find('"').unwrap_or_else(|| panic!("an open name: {sql}"));
        let name = after[..end].replace("\"\"", "\"");
        // A result column may be named after a JSON key, which PostgreSQL truncates.
        let fits = name.len() <= limits::IDENTIFIER_BYTES || before.ends_with(" AS ");
        assert!(!name.is_empty() && fits, "{name:?} in {sql}");
        rest = &after[end + 1..];
        if let Some(inner) = rest.strip_prefix(".\"")
            && [SCHEMA, "archive"].contains(&name.as_str())
        {
            let end = inner.replace("\"\"", "__").find('"').unwrap_or_else(|| panic!("an open name: {sql}"));
            let of_schema = inner[..end].replace("\"\"", "\"");
            assert!(is_known(&name, &of_schema), "{of_schema:?} in {sql}");
        }
    }
    outside.push_str(rest);
    for forbidden in [";", "--", "/*", "$$", "\\"] {
        assert!(!outside.contains(forbidden), "{forbidden} in {sql}");
    }
    let mut open = Vec::new();
    for c in outside.chars() {
        match c {
            '(' | '[' => open.push(c),
            ')' => assert_eq!(open.pop(), Some('('), "{sql}"),
            ']' => assert_eq!(open.pop(), Some('['), "{sql}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{sql}");
    let number = |rest: &str| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().ok();
    let used: Vec<Option<usize>> = outside.split('$').skip(1).map(number).collect();
    let expected: Vec<Option<usize>> = (1..=statement.parameters.len()).map(Some).collect();
    assert_eq!(used, expected, "{sql}");
}

fn is_known(schema: &str, name: &str) -> bool {
    let library = Library::default();
    let is_relation = library.relation(schema, name).is_ok_and(|relation| relation.is_some());
    let is_function = library.functions(schema, name).is_ok_and(|functions| !functions.is_empty());
    is_relation || is_function || library.row_functions.iter().any(|(_, function)| function.name.name == name)
}
