//! What `/` answers: the description of the API as its role may use it, or what `restful.root_spec` names.

use crate::error::{Code, Error, Result};
use crate::http::{MediaType, Request};
use crate::openapi::{self, Schema, Version};
use crate::pg::catalog::query::{boolean, load, text};
use crate::pg::guc::{self, OpenApiMode};
use crate::pg::row_sink::BodyBuffer;
use crate::pg::schema_of;
use crate::route::{Action, Resource, Verb};
use pgrx::pg_sys;

/// Turns a request of the root into one of the function that `restful.root_spec` names, if it names one; `name` or
/// `schema.name`.
///
/// Errors: PGRST126 (404) when descriptions are disabled.
pub fn route_root(action: &mut Action) -> Result<()> {
    if guc::openapi_mode() == OpenApiMode::Disabled {
        return Err(Error::new(Code::RootDisabled, "Root endpoint metadata is disabled"));
    }
    let Some(name) = guc::root_spec() else { return Ok(()) };
    let name = match name.split_once('.') {
        Some((schema, name)) => {
            action.schema = schema.into();
            name.to_owned()
        }
        None => name,
    };
    action.resource = Resource::Function { name };
    if action.verb == Verb::ReadRoot {
        action.verb = Verb::CallSafe;
    }
    Ok(())
}

/// Which version is answered, and the media type.
///
/// Errors: PGRST107 (406) when none is accepted.
pub fn negotiate(request: &Request) -> Result<(Version, MediaType)> {
    openapi::negotiate(request.headers.get("accept"), guc::openapi_version())
}

/// The document of a schema, written to `memory`; the role is taken.
pub fn describe(schema: &str, version: Version, memory: pg_sys::MemoryContext) -> Result<BodyBuffer> {
    let all = guc::openapi_mode() == OpenApiMode::IgnorePrivileges;
    let query = include_str!("../../sql/query/openapi/exposed_objects.sql");
    let loaded: Option<Schema> = load("openapi", query, &[text(schema), boolean(all)])?;
    let loaded = loaded.unwrap_or_else(|| Schema { schema: schema.to_owned(), ..Schema::default() });
    let relations: Vec<pg_sys::Oid> = loaded.relation_oids().map(pg_sys::Oid::from).collect();
    let types: Vec<pg_sys::Oid> = loaded.type_oids().map(pg_sys::Oid::from).collect();
    let mut described = schema_of::load(&relations, &types, all)?;
    // The other version is PostgREST's document, which has the types of the database.
    if version == Version::V31 {
        described.types.represent_domains();
    }
    let document = openapi::document(version, &loaded, &described, &guc::openapi_settings()).to_string();
    // SAFETY: the context is the caller's and outlives the request.
    let mut body = unsafe { BodyBuffer::new(memory, document.len(), guc::max_response_bytes()) };
    body.put(document.as_bytes());
    Ok(body)
}
