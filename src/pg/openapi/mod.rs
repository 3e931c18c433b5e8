//! The response to `/`: the description of the API for the request's role.

mod fingerprint;
mod kept;

use crate::error::Result;
use crate::openapi::{self, Schema, Version};
use crate::pg::catalog;
use crate::pg::catalog::query::{boolean, load, text};
use crate::pg::guc::{self, OpenApiMode};
use crate::pg::json_schema::schema_of;
use crate::pg::row_sink::BodyBuffer;
use crate::pg::versions;
use crate::pg::{hooks, routes};
use crate::route;
use kept::{Key, Moment};
use pgrx::pg_sys;

/// The document of a schema, allocated in `memory`. The role must have been taken.
///
/// # Errors
/// The catalogue cannot be read.
pub fn describe(schema: &str, version: Version, memory: pg_sys::MemoryContext) -> Result<BodyBuffer> {
    let write = |document: &[u8]| {
        // SAFETY: the context is the caller's and outlives the request.
        let mut body = unsafe { BodyBuffer::new(memory, document.len(), guc::max_response_bytes()) };
        body.put(document);
        body
    };
    let Some(moment) = Moment::now() else { return Ok(write(made(schema, version)?.as_bytes())) };
    let key = Key::now(schema, version);
    if let Some(document) = kept::document(&key, &moment) {
        return Ok(write(&document));
    }
    // Noted before the catalogue is read, so that what changes meanwhile counts as a change.
    let fingerprint = fingerprint::now();
    let document = made(schema, version)?;
    let body = write(document.as_bytes());
    kept::keep(key, moment, fingerprint, document.into_bytes().into());
    Ok(body)
}

/// Makes the document of a schema.
fn made(schema: &str, version: Version) -> Result<String> {
    let all = guc::openapi_mode() == OpenApiMode::IgnorePrivileges;
    let query = include_str!("../../../sql/query/openapi/exposed_objects.sql");
    let routes = routes::described();
    let functions = crate::statement::array_literal(routes.iter().map(|route| route.function.to_string()));
    let loaded: Option<Schema> = load("openapi", query, &[text(schema), boolean(all), text(&functions)])?;
    let loaded = loaded.unwrap_or_else(|| Schema { schema: schema.to_owned(), ..Schema::default() });
    let relations: Vec<pg_sys::Oid> = loaded.relation_oids().map(pg_sys::Oid::from).collect();
    let types: Vec<pg_sys::Oid> = loaded.type_oids().map(pg_sys::Oid::from).collect();
    let mut described = schema_of::load(&relations, &types, all)?;
    // The other version is PostgREST's document, which shows the database's types.
    if version == Version::V31 {
        described.types.represent_domains();
    }
    Ok(openapi::document(version, &loaded, &described, &settings(schema), &routes, &hooks::declared()).to_string())
}

/// The settings of a schema's description.
fn settings(schema: &str) -> openapi::Settings {
    openapi::Settings {
        api_version: versions::described(schema),
        ..guc::openapi_settings(!catalog::has_relation(schema, route::BATCH))
    }
}
