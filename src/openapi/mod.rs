//! The API description, which `/` returns. Pure: the catalogue comes in as data, and a JSON document goes out.

mod api_version;
mod negotiate;
#[cfg(test)]
mod tests;
mod v2;
mod v31;

pub use api_version::ApiVersion;
pub use negotiate::{negotiate, root_spec_media};

use crate::hooks::Hook;
use crate::json_schema::of_table::{Relations, Table, TypeUse, Types};
use crate::routing::arguments;
use crate::routing::pattern::Pattern;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// A version of the OpenAPI specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// 3.1
    #[default]
    V31,
    /// 2.0, also called Swagger: the document that clients of PostgREST read.
    V2,
}

/// The described objects of a schema, as the query `sql/query/openapi/exposed_objects.sql` returns them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Schema {
    pub schema: String,
    pub comment: Option<String>,
    pub relations: Vec<Access>,
    pub functions: Vec<Function>,
}

impl Schema {
    /// The relations whose columns are described.
    pub fn relation_oids(&self) -> impl Iterator<Item = u32> {
        self.relations.iter().map(|access| access.oid)
    }

    /// The types that functions take and return, except the row types of described relations.
    pub fn type_oids(&self) -> impl Iterator<Item = u32> {
        let described: std::collections::HashSet<u32> = self.relation_oids().collect();
        self.functions.iter().flat_map(move |function| {
            let result = function.relation.is_none_or(|oid| !described.contains(&oid)).then_some(function.result);
            let parameters = function.parameters.iter().map(|p| p.data_type.type_oid);
            parameters.chain(function.columns.iter().map(|c| c.data_type.type_oid)).chain(result)
        })
    }
}

/// What can be done with a relation, given its kind and, if privileges count, the role.
#[derive(Clone, Debug, Deserialize)]
pub struct Access {
    /// `pg_class.oid`
    pub oid: u32,
    pub readable: bool,
    pub insertable: bool,
    pub updatable: bool,
    pub deletable: bool,
    /// Those with a single column, to relations of the same schema.
    pub foreign_keys: Vec<ForeignKey>,
}

/// A foreign key of one column.
#[derive(Clone, Debug, Deserialize)]
pub struct ForeignKey {
    pub column: String,
    pub table: String,
    pub referenced: String,
}

/// A function.
#[derive(Clone, Debug, Deserialize)]
pub struct Function {
    /// `pg_proc.oid`
    #[serde(default)]
    pub oid: u32,
    pub name: String,
    /// It is in the schema, so that it can be called under `/rpc/`. Others have routes.
    #[serde(default = "yes")]
    pub is_exposed: bool,
    pub comment: Option<String>,
    pub volatile: bool,
    pub returns_set: bool,
    /// The input parameters in order.
    pub parameters: Vec<Parameter>,
    /// `pg_proc.prorettype`
    pub result: u32,
    /// Its OUT parameters, or the columns of the table that it returns.
    pub columns: Vec<OutColumn>,
    /// The relation whose rows it returns.
    pub relation: Option<u32>,
}

fn yes() -> bool {
    true
}

/// A route: which function answers a method and a path.
#[derive(Clone, Debug)]
pub struct Route {
    pub pattern: Pattern,
    /// Where the function's arguments come from.
    pub parameters: Vec<arguments::Parameter>,
    /// `pg_proc.oid`
    pub function: u32,
    /// The JSON Schemas of bodies, of the query parameters as an object, and of results.
    pub body_schema: Option<Value>,
    pub query_schema: Option<Value>,
    pub result_schema: Option<Value>,
    /// An example of a request and its result: an object with the members query, body and result.
    pub example: Option<Value>,
    /// The host that it is for.
    pub host: Option<String>,
    /// The group that it belongs to.
    pub group: Option<String>,
}

/// A parameter of a function. A parameter without a name takes the whole body.
#[derive(Clone, Debug, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(flatten)]
    pub data_type: TypeUse,
    /// It has no default.
    pub required: bool,
    pub variadic: bool,
}

/// A column of a function's result.
#[derive(Clone, Debug, Deserialize)]
pub struct OutColumn {
    pub name: String,
    #[serde(flatten)]
    pub data_type: TypeUse,
}

/// Settings of the description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The URL at which clients reach the API (`restful.openapi_server_proxy_uri`).
    pub server: Option<String>,
    /// Every request must have a token (`restful.openapi_security_active`).
    pub security_active: bool,
    /// The URL under which the OAuth endpoints are (`restful.oauth_issuer`).
    pub oauth_issuer: Option<String>,
    /// The largest number of requests in a batch, if `/batch` takes batches (`restful.max_batch_requests`).
    pub batch_requests: Option<usize>,
    /// The declared version that the schema is.
    pub api_version: Option<ApiVersion>,
}

/// A relation with what can be done with it.
#[derive(Clone, Copy)]
struct Relation<'a> {
    table: &'a Table,
    access: &'a Access,
}

/// Everything that a description is made from.
struct Api<'a> {
    schema: &'a Schema,
    relations: Vec<Relation<'a>>,
    types: &'a Types,
    settings: &'a Settings,
    routes: &'a [Route],
    hooks: &'a [Hook],
}

impl Api<'_> {
    fn relation(&self, oid: u32) -> Option<Relation<'_>> {
        self.relations.iter().find(|r| r.access.oid == oid).copied()
    }

    /// The functions, grouped by name.
    fn functions(&self) -> impl Iterator<Item = &[Function]> {
        self.schema
            .functions
            .chunk_by(|a, b| a.name == b.name && a.is_exposed == b.is_exposed)
            .filter(|f| f.iter().all(|f| f.is_exposed))
    }
}

/// Makes the document. `described`: the columns and types of `schema`. `routes`: those of all functions; the role may not call each. `hooks`: those that may answer requests.
pub fn document(
    version: Version,
    schema: &Schema,
    described: &Relations,
    settings: &Settings,
    routes: &[Route],
    hooks: &[Hook],
) -> Value {
    let access: HashMap<u32, &Access> = schema.relations.iter().map(|access| (access.oid, access)).collect();
    let relations = described
        .tables
        .iter()
        .filter_map(|table| Some(Relation { table, access: access.get(&table.oid).copied()? }))
        .collect();
    let api = Api { schema, relations, types: &described.types, settings, routes, hooks };
    let mut document = match version {
        Version::V31 => v31::document(&api),
        Version::V2 => v2::document(&api),
    };
    if let Some(api_version) = &settings.api_version {
        api_version.describe(&mut document);
    }
    document
}

/// Whether a parameter with this name is a filter on a column.
fn can_be_filtered(name: &str) -> bool {
    !["select", "order", "limit", "offset", "and", "or", "columns", "on_conflict"].contains(&name)
}

/// Splits a comment into a summary, which is its first line, and a description, which is the rest.
fn summary(comment: Option<&str>) -> (Option<&str>, Option<&str>) {
    let Some(comment) = comment.filter(|c| !c.is_empty()) else { return (None, None) };
    match comment.split_once('\n') {
        None => (Some(comment), None),
        Some((first, rest)) => (Some(first), Some(rest.trim_start_matches('\n')).filter(|rest| !rest.is_empty())),
    }
}
