//! Plans what a verb does with a resource. Pure.

use crate::ask::Shape;
use crate::catalog::{Catalog, Relation};
use crate::error::{Code, Error, Result};
use crate::http::target;
use crate::openapi::Version;
use crate::payload::{BodyShape, CallArguments};
use crate::plan::allow::Description;
use crate::plan::media::Representation;
use crate::plan::{Plan, Planner, condition};
use crate::query::{Condition, Field, Filter, Operation, Operator, Query};
use crate::route::{Resource, Verb};
use std::borrow::Cow;

/// The plan of an action.
#[derive(Clone, Debug)]
pub enum ActionPlan {
    /// OPTIONS: what can be done with the resource.
    Describe(Description),
    /// `/`: the description of the API in this version of OpenAPI.
    Document(Version),
    /// A statement, and the representation of its rows.
    Statement(Box<Plan>, Representation),
}

/// Plans a request. The role of the request must be in force.
///
/// # Errors
/// Names that the catalogue does not have, operations that its objects do not allow; PGRST125 (404) and PGRST100 (400) for a key
/// that does not fit the relation.
pub fn plan(shape: &Shape, catalog: &dyn Catalog) -> Result<ActionPlan> {
    let Shape { action, query, .. } = shape;
    let mut planner = Planner::new(catalog, &action.schema, &shape.settings);
    let mut read = None;
    let mut plan = match (action.verb, &action.resource) {
        (Verb::Describe, resource) => {
            if let Resource::Item { relation, .. } = resource {
                with_key(catalog, &*planner.relation(relation)?, query)?;
            }
            return Ok(ActionPlan::Describe(planner.describe(resource)?));
        }
        (_, Resource::Root) => return Ok(ActionPlan::Document(shape.version)),
        (verb, Resource::Function { name }) => {
            refuse_unused(verb, query)?;
            let given = match &shape.body {
                BodyShape::Arguments(given) => given,
                BodyShape::None | BodyShape::Rows(_) => &CallArguments::Query,
            };
            if verb == Verb::Call && shape.precondition.has_tags() {
                return Err(condition::undecided());
            }
            Plan::Call(planner.call(verb, name, query, given)?)
        }
        (verb, Resource::Collection { relation } | Resource::Item { relation, .. }) => {
            refuse_unused(verb, query)?;
            let relation = planner.relation(relation)?;
            let query = &*with_key(catalog, &relation, query)?;
            let keys = match &shape.body {
                BodyShape::Rows(keys) => Some(keys),
                BodyShape::None | BodyShape::Arguments(_) => None,
            };
            match verb {
                Verb::Read => {
                    let mut select = planner.read(&relation, &query.root)?;
                    if let Some(seek) = &shape.seek {
                        planner.keyset(&mut select, &relation, &query.root, seek)?;
                    }
                    read = Some(relation);
                    Plan::Read(select)
                }
                verb => {
                    let mut write = planner.write(verb, &relation, query, &shape.preferences, keys)?;
                    planner.guard(verb, &relation, &shape.precondition, &mut write)?;
                    Plan::Write(write)
                }
            }
        }
    };
    let representation = planner.representation(&plan, query, &shape.accepted)?;
    if shape.seek.is_some() && representation.handler.is_some() {
        return Err(Error::new(Code::CursorOrder, "Bodies that a function of the database makes have no cursors")
            .hint("Ask for JSON or CSV, or for pages with 'limit' and 'offset'."));
    }
    if let (Plan::Read(select), Some(relation)) = (&mut plan, read) {
        select.cache_control = relation.settings.cache_control.as_deref().map(Into::into);
        if representation.handler.is_none() {
            if query.item.is_some() && representation.explain().is_none() {
                planner.with_version(&relation, select)?;
            }
            planner.choose_fetches(select, &relation, shape.is_small_page)?;
        }
    }
    Ok(ActionPlan::Statement(Box::new(plan), representation))
}

/// The query with the filters of `/table/{key}`, one for each column of the primary key.
fn with_key<'q>(catalog: &dyn Catalog, relation: &Relation, query: &'q Query) -> Result<Cow<'q, Query>> {
    let Some(values) = &query.item else { return Ok(Cow::Borrowed(query)) };
    if relation.primary_key.is_empty() {
        return Err(Error::new(Code::Path, format!("'{}' has no primary key to name a row by", relation.name.name))
            .hint(format!("Filter instead: /{}?column=eq.value", target::encode(&relation.name.name, b""))));
    }
    if relation.primary_key.len() != values.len() {
        let (values, columns) = (values.len(), relation.primary_key.len());
        return Err(Error::new(
            Code::MalformedRequest,
            format!("The key has {values} values, but the primary key has {columns} columns"),
        )
        // The columns are disclosed only to a role that may read the table.
        .hint(if catalog.may_read(&relation.name)? {
            format!(
                "Give the values of ({}) in this order, separated by commas; put a value with a comma in double quotes.",
                relation.primary_key.join(", ")
            )
        } else {
            "Give the values of the primary key's columns in its order, separated by commas.".to_owned()
        }));
    }
    let mut query = query.clone();
    for (column, value) in relation.primary_key.iter().zip(values) {
        query.root.conditions.push(Condition::Filter(Filter {
            field: Field { name: column.clone(), path: Vec::new() },
            negated: false,
            operation: Operation::Binary { operator: Operator::Equal, quantifier: None, value: *value },
        }));
    }
    Ok(Cow::Owned(query))
}

/// Refuses parameters that name columns if the verb does not use them. A client that meant a filter on a column of that name would
/// otherwise lose it.
///
/// # Errors
/// PGRST100 (400).
fn refuse_unused(verb: Verb, query: &Query) -> Result<()> {
    let takes_columns = matches!(verb, Verb::Create | Verb::Replace | Verb::Update | Verb::Call);
    let unused = match query {
        Query { columns: Some(_), .. } if !takes_columns => "columns",
        Query { on_conflict: Some(_), .. } if verb != Verb::Create => "on_conflict",
        Query { cursor: Some(_), .. } if verb != Verb::Read => "cursor",
        Query { cursor: Some(_), item: Some(_), .. } => {
            return Err(Error::new(Code::QueryParameter, "A row that is named by its key has no pages")
                .hint("Leave 'cursor' out."));
        }
        _ => return Ok(()),
    };
    Err(Error::new(Code::QueryParameter, format!("The parameter '{unused}' is not allowed with this method")).hint(
        format!(
            "Leave it out; to filter by a column of that name, put the name in double quotes: \"{unused}\"=eq.value"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::{Ask, Settings};
    use crate::http::{Headers, Request};
    use crate::plan::fixture::{Library, SCHEMA, UNREADABLE};
    use crate::plan::{CallResult, Change};
    use crate::route::{Route, Surface, route};
    use crate::statement;
    use std::rc::Rc;

    fn planned(method: &str, target: &str, body: Option<&[u8]>) -> Result<ActionPlan> {
        let body = body.filter(|_| method != "DELETE");
        let headers = Headers::default();
        let request = Request::parse(method, target, &headers, body)?;
        let surface = Surface { schemas: Rc::new([SCHEMA.into()]), ..Surface::default() };
        let Route::Action(action) = route(&request, &surface)? else { panic!("{target} is an endpoint") };
        let ask = Ask::read(&request, action, &Settings::default())?;
        plan(&ask.shape, &Library::default())
    }

    fn statement_of(method: &str, target: &str, body: Option<&[u8]>) -> Plan {
        match planned(method, target, body) {
            Ok(ActionPlan::Statement(plan, _)) => *plan,
            other => panic!("{method} {target}: {other:?}"),
        }
    }

    #[test]
    fn a_verb_on_a_resource_is_one_kind_of_plan() {
        let row = Some(&br#"{"title":"a"}"#[..]);
        assert!(matches!(statement_of("GET", "/books?id=eq.1", None), Plan::Read(_)));
        assert!(matches!(statement_of("HEAD", "/books", None), Plan::Read(_)));
        let change = |method, target| match statement_of(method, target, row) {
            Plan::Write(write) => (write.change, write.is_item),
            other => panic!("{method} {target}: {other:?}"),
        };
        assert!(matches!(change("POST", "/books"), (Change::Insert { conflict: None, .. }, false)));
        assert!(matches!(change("PUT", "/books/1"), (Change::Insert { conflict: Some(_), .. }, true)));
        assert!(matches!(change("PATCH", "/books/1"), (Change::Update { .. }, true)));
        assert!(matches!(change("PATCH", "/books?id=eq.1"), (Change::Update { .. }, false)));
        assert!(matches!(change("DELETE", "/books?id=eq.1"), (Change::Delete { .. }, false)));
        match statement_of("POST", "/rpc/add", Some(br#"{"a":1,"b":2}"#)) {
            Plan::Call(call) => assert!(matches!(call.result, CallResult::Scalar)),
            other => panic!("{other:?}"),
        }
        assert!(matches!(planned("GET", "/", None), Ok(ActionPlan::Document(_))));
        let allow = |target| match planned("OPTIONS", target, None) {
            Ok(ActionPlan::Describe(description)) => description.allow,
            other => panic!("{other:?}"),
        };
        assert_eq!(allow("/"), "OPTIONS,GET,HEAD");
        assert_eq!(allow("/books"), "OPTIONS,GET,HEAD,QUERY,POST,PUT,PATCH,DELETE");
        assert_eq!(allow("/books/1"), "OPTIONS,GET,HEAD,QUERY,PUT,PATCH,DELETE");
        assert_eq!(allow("/rpc/add"), "OPTIONS,POST");
    }

    #[test]
    fn the_key_of_a_path_is_a_filter_of_each_column() {
        let sql = |target| statement::main(&statement_of("GET", target, None)).sql;
        // Of an item, the version of the row is returned, too.
        let version = r#", restful.row_version(t0.tableoid, t0.xmin, t0.ctid) AS "?h0""#;
        assert_eq!(sql("/books/7?select=id").replacen(version, "", 1), sql("/books?select=id&id=eq.7"));
    }

    #[test]
    fn a_key_that_does_not_fit_is_refused_without_telling_columns_to_strangers() {
        let refused = |target: &str| {
            let error = planned("GET", target, None).unwrap_err();
            let hint = error.hint.as_ref().and_then(|hint| hint.as_str()).unwrap_or_default().to_owned();
            (error.status, error.message.clone(), hint)
        };
        let (status, message, hint) = refused("/books/1,2");
        assert_eq!((status, message.as_str()), (400, "The key has 2 values, but the primary key has 1 columns"));
        assert!(hint.contains("(id)"), "{hint}");
        let (_, _, hint) = refused(&format!("/{UNREADABLE}/1,2,3,4"));
        assert!(!hint.is_empty() && !hint.contains('('), "{hint}");
        assert_eq!(planned("GET", "/no_such/1", None).unwrap_err().status, 404);
    }

    #[test]
    fn parameters_that_a_method_does_not_use_are_refused() {
        let row = Some(&br#"{"title":"a"}"#[..]);
        for (method, target) in [
            ("GET", "/books?columns=title"),
            ("DELETE", "/books?columns=title&id=eq.1"),
            ("PATCH", "/books?on_conflict=id&id=eq.1"),
            ("GET", "/rpc/add?on_conflict=id&a=1&b=2"),
        ] {
            assert_eq!(planned(method, target, row).unwrap_err().code, "PGRST100", "{method} {target}");
        }
        assert!(planned("POST", "/books?columns=title&on_conflict=id", row).is_ok());
    }
}
