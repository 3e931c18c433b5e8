//! Finds where a request goes: to an endpoint of the extension, or to an action on a resource. One table. Pure.

mod endpoint;
pub mod version;

pub use endpoint::Endpoint;
pub use version::Version;

use crate::error::{Code, Error, Result};
use crate::http::target::Target;
use crate::http::{Headers, Method, Request};
use std::rc::Rc;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// To an endpoint of the extension.
    Own(Endpoint),
    /// To a batch of requests, unless the schema has a relation of that name, which comes first: then the action is meant.
    Batch(Action),
    /// To a resource of an exposed schema.
    Action(Action),
    /// Nowhere: OPTIONS asks for the methods of a path, which are these (RFC 9110, section 10.2.1).
    Methods(String),
}

/// What the server exposes.
#[derive(Clone, Debug, Default)]
pub struct Surface {
    /// The exposed schemas; the first is the default (`restful.schemas`).
    pub schemas: Rc<[Rc<str>]>,
    /// The declared versions; their schemas are exposed too.
    pub versions: Rc<[Version]>,
    pub root: Root,
    /// The OAuth endpoints exist (`restful.oauth_issuer`).
    pub has_endpoints: bool,
    /// `/batch` exists (`restful.max_batch_requests`).
    pub has_batches: bool,
}

/// The name in the path of batches.
pub const BATCH: &str = "batch";

/// What `/` answers with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Root {
    /// The API description.
    #[default]
    Document,
    /// A function that replaces it (`restful.root_spec`). Without a schema, it is looked up in the request's schema.
    Function { schema: Option<Rc<str>>, name: String },
    /// Nothing (`restful.openapi_mode = disabled`).
    Disabled,
}

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `/`
    Root,
    /// `/table`
    Collection { relation: String },
    /// `/table/{key}`: the values of the primary key, in its order.
    Item { relation: String, key: Vec<String> },
    /// `/rpc/function`
    Function { name: String },
}

/// What to do with the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Read,
    Create,
    /// PUT: create or replace the named row.
    Replace,
    Update,
    Delete,
    /// Call by GET, HEAD or QUERY: arguments from the parameters, read-only.
    CallSafe,
    /// Call by POST: arguments from the body.
    Call,
    /// OPTIONS: list the allowed methods.
    Describe,
    /// Read the API description.
    ReadRoot,
}

/// A resource of a schema, and what to do with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Action {
    pub verb: Verb,
    pub resource: Resource,
    pub schema: Rc<str>,
    /// The client could choose among several schemas, so the response names this one.
    pub negotiated: bool,
}

/// Finds the route of a request.
///
/// # Errors
/// PGRST125 (404) for an unknown path, PGRST126 (404) for `/` if it is disabled, PGRST106 (406) for a schema that is not exposed,
/// PGRST101 and REST405 (405) for a method that the resource never supports.
pub fn route(request: &Request, surface: &Surface) -> Result<Route> {
    // The endpoints belong to no schema, and take precedence over tables.
    if let [first, second] = request.target.segments.as_slice()
        && surface.has_endpoints
        && request.target.prefix.is_empty()
        && let Some(endpoint) = Endpoint::at(&[first, second])
    {
        return Ok(Route::Own(endpoint));
    }
    let action = action(request.method, &request.target, request.headers, surface)?;
    let is_batch =
        surface.has_batches && matches!(&action.resource, Resource::Collection { relation } if relation == BATCH);
    Ok(if is_batch { Route::Batch(action) } else { Route::Action(action) })
}

fn action(method: Method, target: &Target, headers: &Headers, surface: &Surface) -> Result<Action> {
    let mut resource = resource(target)?;
    let (mut schema, negotiated) = schema(method, headers, surface)?;
    let mut verb = verb(method, &resource)?;
    if resource == Resource::Root {
        match &surface.root {
            Root::Document => {}
            Root::Disabled => return Err(Error::new(Code::RootDisabled, "Root endpoint metadata is disabled")),
            Root::Function { schema: named, name } => {
                resource = Resource::Function { name: name.clone() };
                schema = named.clone().unwrap_or(schema);
                if verb == Verb::ReadRoot {
                    verb = Verb::CallSafe;
                }
            }
        }
    }
    Ok(Action { verb, resource, schema, negotiated })
}

#[rustfmt::skip]
fn verb(method: Method, resource: &Resource) -> Result<Verb> {
    use {Method::*, Resource::*};
    Ok(match (resource, method) {
        (Collection { .. }, Get | Head | Query) => Verb::Read,
        (Collection { .. }, Post)       => Verb::Create,
        (Collection { .. }, Put)        => Verb::Replace,
        (Collection { .. }, Patch)      => Verb::Update,
        (Collection { .. }, Delete)     => Verb::Delete,
        (Collection { .. }, Options)    => Verb::Describe,

        (Item { .. }, Get | Head | Query) => Verb::Read,
        (Item { .. }, Put)              => Verb::Replace,
        (Item { .. }, Patch)            => Verb::Update,
        (Item { .. }, Delete)           => Verb::Delete,
        (Item { .. }, Options)          => Verb::Describe,
        (Item { .. }, Post)             => return Err(not_allowed(method, "OPTIONS,GET,HEAD,QUERY,PUT,PATCH,DELETE")),

        (Function { .. }, Get | Head | Query) => Verb::CallSafe,
        (Function { .. }, Post)         => Verb::Call,
        (Function { .. }, Options)      => Verb::Describe,
        (Function { .. }, _)            => return Err(Error::new(
            Code::FunctionMethod, format!("Cannot use the {} method on RPC", method.as_str()),
        ).hint("Call a function by POST, or by GET or QUERY if it only reads.").header("allow", "OPTIONS,GET,HEAD,QUERY,POST")),

        (Root, Get | Head)              => Verb::ReadRoot,
        (Root, Options)                 => Verb::Describe,
        (Root, _)                       => return Err(not_allowed(method, "OPTIONS,GET,HEAD")),
    })
}

/// The error for a method that a resource does not have: REST405 (405). `allow`: those that it has.
pub fn not_allowed(method: Method, allow: &str) -> Error {
    Error::new(Code::Allow, format!("The resource does not allow {}", method.as_str()))
        .hint(format!("It allows {allow}."))
        .header("allow", allow)
}

fn resource(target: &Target) -> Result<Resource> {
    let mut segments = target.segments.iter().map(|s| s.as_ref());
    Ok(match (segments.next(), segments.next(), segments.next()) {
        (None, _, _) => Resource::Root,
        (Some(relation), None, _) if !relation.is_empty() => Resource::Collection { relation: relation.to_owned() },
        // Refuse an empty key: the client probably lacked a value. An empty string as a key is written as two quotes.
        (_, Some(""), None) => {
            return Err(Error::new(Code::Path, "The path ends with '/', but no key follows")
                .hint("Leave the '/' out for all rows. Write %22%22 for a key that is the empty string."));
        }
        (Some("rpc"), Some(name), None) => Resource::Function { name: name.to_owned() },
        (Some(relation), Some(key), None) if !relation.is_empty() => {
            Resource::Item { relation: relation.to_owned(), key: key_values(key) }
        }
        _ => {
            return Err(Error::new(Code::Path, "Invalid path specified in request URL")
                .hint("Paths are /table, /table/{key} and /rpc/function."));
        }
    })
}

/// The values of a key. They are separated by commas, and each may be in double quotes.
fn key_values(key: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut quoted = false;
    let mut characters = key.chars();
    while let Some(c) = characters.next() {
        let Some(last) = values.last_mut() else { break };
        match c {
            '"' if quoted => quoted = false,
            '"' if last.is_empty() => quoted = true,
            '\\' if quoted => last.extend(characters.next()),
            ',' if !quoted => values.push(String::new()),
            c => last.push(c),
        }
    }
    values
}

/// The schema of a request, and whether the client could choose it: from Accept-Profile for reads and from Content-Profile for writes,
/// else the default (W3C, Content Negotiation by Profile). A profile is a schema, or a version by its name.
///
/// # Errors
/// PGRST106 (406) for a schema that is not exposed; REST506 (500) if none is.
pub fn schema(method: Method, headers: &Headers, surface: &Surface) -> Result<(Rc<str>, bool)> {
    let Surface { schemas, versions, .. } = surface;
    let name = if method.is_safe() { "accept-profile" } else { "content-profile" };
    match headers.get(name) {
        Some(profile) => match schemas.iter().find(|schema| ***schema == *profile) {
            Some(schema) => Ok((schema.clone(), true)),
            None => match version::of_profile(versions, profile) {
                Some(version) => Ok((version.schema.clone(), true)),
                None => {
                    let names = schemas.iter().chain(versions.iter().map(|version| &version.name));
                    let names: Vec<&str> = names.map(AsRef::as_ref).collect();
                    Err(Error::new(Code::Schema, format!("Invalid schema: {profile}"))
                        .hint(format!("Only the following schemas are exposed: {}", names.join(", "))))
                }
            },
        },
        None => match schemas.first() {
            Some(schema) => Ok((schema.clone(), schemas.len() > 1 || !versions.is_empty())),
            None => Err(Error::new(Code::Setting, "No schema is exposed")
                .hint("Set restful.schemas to the schemas of the API, the default one first.")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(method: Method, path: &str) -> Result<Action> {
        at_with(method, path, &Headers::default(), &["api"])
    }

    fn at_with(method: Method, path: &str, headers: &Headers, schemas: &[&str]) -> Result<Action> {
        let surface = Surface { schemas: schemas.iter().map(|s| Rc::from(*s)).collect(), ..Surface::default() };
        action(method, &Target::parse(path)?, headers, &surface)
    }

    #[test]
    fn paths_name_resources() {
        let item =
            |key: &[&str]| Resource::Item { relation: "t".into(), key: key.iter().map(|k| (*k).to_owned()).collect() };
        for (path, resource) in [
            ("/", Resource::Root),
            ("/t", Resource::Collection { relation: "t".into() }),
            ("/t/%22%22", item(&[""])),
            ("/t/1", item(&["1"])),
            ("/t/1,2", item(&["1", "2"])),
            ("/t/%22a,b%22,c", item(&["a,b", "c"])),
            ("/rpc/f", Resource::Function { name: "f".into() }),
        ] {
            assert_eq!(at(Method::Get, path).map(|a| a.resource), Ok(resource), "{path}");
        }
        for path in ["/a/b/c", "//", "/rpc/f/g", "//x", "/t/", "/t//", "/rpc/", "/rpc/f/", "/t?", "/t/?id=eq.1"] {
            for method in Method::ALL {
                let got = at(*method, path).err().map(|e| e.status);
                assert_eq!(got, Some(404).filter(|_| path != "/t?"), "{path}");
            }
        }
    }

    #[test]
    fn methods_that_a_resource_never_has_are_405_with_allow() {
        for (method, path) in
            [(Method::Post, "/t/1"), (Method::Put, "/rpc/f"), (Method::Delete, "/"), (Method::Patch, "/rpc/f")]
        {
            let e = at(method, path).unwrap_err();
            assert_eq!(e.status, 405);
            assert!(e.headers.iter().any(|(n, _)| n == "allow"), "{path}");
        }
    }

    #[test]
    fn a_profile_has_to_be_an_exposed_schema() -> Result<()> {
        let schemas = ["v1", "v2"];
        let headers: Headers = [("accept-profile", "v2")].into_iter().collect();
        let action = at_with(Method::Get, "/t", &headers, &schemas)?;
        assert_eq!((&*action.schema, action.negotiated), ("v2", true));
        // Content-Profile decides for a write
        assert_eq!(at_with(Method::Post, "/t", &headers, &schemas)?.schema.as_ref(), "v1");
        let headers: Headers = [("accept-profile", "pg_catalog")].into_iter().collect();
        assert_eq!(at_with(Method::Get, "/t", &headers, &schemas).unwrap_err().status, 406);
        Ok(())
    }

    #[test]
    fn the_root_is_a_description_a_function_or_nothing() {
        let headers = Headers::default();
        let at = |method: &str, root: Root| {
            let request = Request::parse(method, "/", &headers, None)?;
            let schemas = Rc::new(["api".into()]);
            route(&request, &Surface { schemas, root, has_endpoints: true, has_batches: true, ..Surface::default() })
        };
        let action = |method, root| match at(method, root) {
            Ok(Route::Action(action)) => (action.verb, action.resource, action.schema.to_string()),
            other => panic!("{other:?}"),
        };
        let named = |schema: Option<&str>| Root::Function { schema: schema.map(Rc::from), name: "f".into() };
        let function = Resource::Function { name: "f".into() };
        assert_eq!(action("GET", Root::Document), (Verb::ReadRoot, Resource::Root, "api".into()));
        assert_eq!(action("HEAD", named(None)), (Verb::CallSafe, function.clone(), "api".into()));
        assert_eq!(action("OPTIONS", named(Some("docs"))), (Verb::Describe, function, "docs".into()));
        assert_eq!(at("GET", Root::Disabled).unwrap_err().code, "PGRST126");
        assert_eq!(at("POST", named(None)).unwrap_err().status, 405);
    }

    #[test]
    fn batches_have_a_path_unless_they_are_switched_off() {
        let headers = Headers::default();
        let is_batch = |method: &str, path: &str, has_batches| {
            let request = Request::parse(method, path, &headers, None).unwrap();
            let surface = Surface { schemas: Rc::new(["api".into()]), has_batches, ..Surface::default() };
            matches!(route(&request, &surface), Ok(Route::Batch(_)))
        };
        assert!(is_batch("POST", "/batch", true) && is_batch("GET", "/batch?a=eq.1", true));
        for other in ["/batch/1", "/batches", "/rpc/batch", "/Batch", "/"] {
            assert!(!is_batch("GET", other, true), "{other}");
        }
        assert!(!is_batch("POST", "/batch", false));
    }

    #[test]
    fn endpoints_come_before_tables_where_there_are_any() {
        let headers = Headers::default();
        let request = Request::parse("POST", "/oauth/token", &headers, None).unwrap();
        let surface = |has_endpoints| Surface { schemas: Rc::new(["api".into()]), has_endpoints, ..Surface::default() };
        assert_eq!(route(&request, &surface(true)), Ok(Route::Own(Endpoint::Token)));
        // a row of the table oauth
        assert_eq!(route(&request, &surface(false)).unwrap_err().status, 405);
    }
}
