//! The rows of `restful.route_entry`, as a table of routes.

use crate::http::Request;
use crate::pg::catalog::invalidation::{self, Generation, TableGroup};
use crate::pg::json_schema;
use crate::pg::table_cache::{Rows, TableCache};
use crate::routing::arguments::Parameter;
use crate::routing::pattern::Pattern;
use crate::routing::query_schema::QuerySchema;
use crate::routing::table::{Match, Table};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;
use std::rc::Rc;

/// A route, as it was declared.
#[derive(Debug, Deserialize)]
struct Declared {
    /// `pg_proc.oid`
    function: u32,
    pattern: String,
    schema: String,
    /// The function.
    name: String,
    host: Option<String>,
    of_group: Option<String>,
    /// The JSON Schemas of bodies, of the query and of results, as text.
    body_schema: Option<String>,
    query_schema: Option<String>,
    result_schema: Option<String>,
    example: Option<Value>,
    parameters: Vec<Typed>,
}

/// A parameter of a function, with its type.
#[derive(Debug, Deserialize)]
pub struct Typed {
    /// `pg_type.typname`, below domains.
    pub of_type: String,
    #[serde(flatten)]
    pub parameter: Parameter,
}

/// Where a route leads to.
#[derive(Debug)]
pub struct Handler {
    pub pattern: Pattern,
    /// The path, as it was declared.
    pub path: String,
    /// `pg_proc.oid`
    pub function: u32,
    pub schema: Rc<str>,
    /// The function.
    pub name: String,
    pub host: Option<String>,
    pub group: Option<String>,
    /// The JSON Schema of bodies, as text.
    pub body_schema: Option<String>,
    /// That of the query, as text, and as what makes values of texts.
    pub query_schema: Option<(String, QuerySchema)>,
    /// That of results, as text.
    pub result_schema: Option<String>,
    pub example: Option<Value>,
    pub parameters: Vec<Parameter>,
}

/// All routes.
#[derive(Debug, Default)]
pub struct Routes {
    /// Those for any host.
    anywhere: Table<Handler>,
    /// Those for one host, by its name.
    by_host: HashMap<String, Table<Handler>>,
}

impl Routes {
    pub fn is_empty(&self) -> bool {
        self.anywhere.is_empty() && self.by_host.is_empty()
    }

    /// Finds the route that takes a request. One for its host comes before one for any.
    pub fn find<'t, 'p>(&'t self, request: &'p Request) -> Match<'t, 'p, Handler> {
        let find = |table: &'t Table<Handler>| table.find(request.method, &request.target.segments);
        let anywhere = || find(&self.anywhere);
        let table = if self.by_host.is_empty() {
            None
        } else {
            request.headers.host().and_then(|host| self.by_host.get(&host))
        };
        match table.map(find) {
            None | Some(Match::None) => anywhere(),
            Some(Match::OtherMethods(mut methods)) => match anywhere() {
                Match::OtherMethods(others) => {
                    methods.extend(others);
                    Match::OtherMethods(methods)
                }
                Match::None => Match::OtherMethods(methods),
                found @ Match::Found(_) => found,
            },
            Some(found @ Match::Found(_)) => found,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Handler> {
        self.anywhere.iter().chain(self.by_host.values().flat_map(Table::iter))
    }

    fn of(declared: Vec<Declared>) -> Self {
        let mut routes = Routes::default();
        for declared in declared {
            let Declared { function, pattern, schema, name, host, of_group, example, .. } = declared;
            let types: HashMap<&str, &str> =
                declared.parameters.iter().map(|p| (p.parameter.name.as_str(), p.of_type.as_str())).collect();
            let path = pattern.split_once(' ').map_or_else(String::new, |(_, path)| path.to_owned());
            // What was declared can be read, unless by a newer version of the extension.
            let type_of = |parameter: &str| types.get(parameter).map(|name| (*name).to_owned());
            let Ok(pattern) = Pattern::parse(&pattern, type_of) else { continue };
            let handler = Handler {
                pattern: pattern.clone(),
                path,
                function,
                schema: schema.into(),
                name,
                host: host.clone(),
                group: of_group,
                body_schema: declared.body_schema,
                query_schema: declared
                    .query_schema
                    .and_then(|text| Some((json_schema::query_schema(&text)?, text)))
                    .map(|(schema, text)| (text, schema)),
                result_schema: declared.result_schema,
                example,
                parameters: declared.parameters.into_iter().map(|typed| typed.parameter).collect(),
            };
            let table = match host {
                Some(host) => routes.by_host.entry(host).or_default(),
                None => &mut routes.anywhere,
            };
            table.add(&pattern, handler);
        }
        routes
    }
}

thread_local! {
    static ROUTES: TableCache<Routes> = const {
        TableCache::new(Rows {
            tables: &invalidation::ROUTES,
            query: include_str!("../../../sql/query/routes/all.sql"),
            others,
            what: "routes",
        })
    };
}

/// Changes with the functions that routes lead to, and with registered schemas, which may be those of queries.
fn others() -> u64 {
    invalidation::FUNCTIONS.with(Generation::get) + invalidation::JSON_SCHEMAS.with(TableGroup::generation)
}

/// The routes. A change counts from the next statement after its transaction committed.
pub fn table() -> Rc<Routes> {
    let make = |rows| Rc::new(Routes::of(serde_json::from_value(rows).unwrap_or_default()));
    ROUTES.with(|routes| routes.get(make)).unwrap_or_default()
}
