//! Versions of the API: what `restful.api_version` declares, what answers of a version tell, and who uses a deprecated one.

mod used;

pub use used::count_use;

use crate::error::{Error, Result};
use crate::http::{Request, target};
use crate::openapi::ApiVersion;
use crate::pg::answer::Answer;
use crate::pg::catalog::{self, invalidation};
use crate::pg::ffi::catalog_scan::{self, Row};
use crate::pg::ffi::fmgr::{sql_function, text, v1_function};
use crate::pg::ffi::varlena::payload;
use crate::pg::guc;
use crate::route::version::{self, Notice, Version};
use crate::route::{self, Action, Resource, Surface};
use pgrx::prelude::*;
use pgrx::{IntoDatum, pg_sys};
use std::borrow::Cow;
use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;

v1_function!(restful_api_version_changed);
/// The trigger on `restful.api_version`, which announces a change to all sessions.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_api_version_changed(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call of a function.
    unsafe { invalidation::announce_by_trigger(call, "api_version_changed") }
}

sql_function!(restful_exposed_schemas, "exposed_schemas(setting text)", |call| {
    let schemas = match text(call, 0) {
        Some(setting) => guc::exposed(setting),
        None => {
            let Surface { schemas, versions, .. } = surface();
            let mut names: Vec<String> = schemas.iter().map(|schema| schema.to_string()).collect();
            for version in versions.iter().filter(|version| !schemas.contains(&version.schema)) {
                names.push(version.schema.to_string());
            }
            names
        }
    };
    schemas.into_datum().unwrap_or(pg_sys::Datum::null())
});

thread_local! {
    /// The declared versions, and the generation of their table.
    static DECLARED: RefCell<Option<(u64, Rc<[Version]>)>> = const { RefCell::new(None) };
}

/// What routing needs to know.
pub fn surface() -> Surface {
    Surface { versions: declared(), ..guc::surface() }
}

/// The declared versions, by name. They are read again when their table has changed.
pub fn declared() -> Rc<[Version]> {
    invalidation::accept();
    let generation = invalidation::VERSIONS.with(|table| table.generation());
    let known = DECLARED.with_borrow(|known| match known {
        Some((of, versions)) if *of == generation => Some(versions.clone()),
        _ => None,
    });
    if let Some(known) = known {
        return known;
    }
    let table = invalidation::VERSIONS.with(|table| table.announce());
    if table == pg_sys::InvalidOid {
        // PostgreSQL does not tell when the table comes.
        DECLARED.take();
        return Rc::default();
    }
    let mut versions = read(table);
    versions.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let versions: Rc<[Version]> = versions.into();
    DECLARED.set(Some((generation, versions.clone())));
    versions
}

/// The rows of the table, as they are now.
fn read(table: pg_sys::Oid) -> Vec<Version> {
    // SAFETY: a look-up in the system cache; an unknown column has the number 0.
    let column = |name: &CStr| unsafe { pg_sys::get_attnum(table, name.as_ptr()) };
    let [name, schema, deprecated, sunset, successor, docs] =
        [c"name", c"schema", c"deprecated_at", c"sunset_at", c"successor", c"docs"].map(column);
    let mut versions = Vec::new();
    // SAFETY: all rows of the extension's own table; each value is read as what its column holds.
    unsafe {
        catalog_scan::rows(table.to_u32(), pg_sys::InvalidOid.to_u32(), [], |row| {
            let text = |column| value(row, column).map(|value| String::from_utf8_lossy(payload(value)).into());
            let time = |column| value(row, column).and_then(|value| seconds(value.value() as i64));
            let schema = value(row, schema).map(|value| CStr::from_ptr(value.cast_mut_ptr()).to_string_lossy());
            versions.push(Version {
                name: text(name).unwrap_or_default(),
                schema: schema.unwrap_or_default().into(),
                deprecated: time(deprecated),
                sunset: time(sunset),
                successor: text(successor),
                docs: text(docs),
            });
        });
    }
    versions
}

/// The value of a column, if there is such a column.
fn value(row: &Row, column: i16) -> Option<pg_sys::Datum> {
    if column > 0 { row.value(column) } else { None }
}

/// The whole seconds since 1970 of a timestamp, which counts microseconds since 2000; `None` before 1970.
fn seconds(timestamp: i64) -> Option<u64> {
    const FROM_1970_TO_2000: i64 = 946_684_800;
    u64::try_from(timestamp.div_euclid(1_000_000) + FROM_1970_TO_2000).ok()
}

/// The current time, in seconds since 1970.
fn now() -> u64 {
    // SAFETY: reads the clock.
    seconds(unsafe { pg_sys::GetCurrentTimestamp() }).unwrap_or_default()
}

/// What the description of a schema's API tells of its version.
pub fn described(schema: &str) -> Option<ApiVersion> {
    let versions = declared();
    let version = version::of_schema(&versions, schema)?;
    Some(ApiVersion { name: version.name.clone(), deprecated: version.is_deprecated(now()) })
}

/// Whether the first segment of a target is the name of a version.
pub fn is_named_by(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let first = path.split('/').nth(1).and_then(|segment| target::decode(segment, false));
    first.is_some_and(|first| declared().iter().any(|version| *version.name == *first))
}

/// Whether versions are declared, as far as the last request has read them.
pub fn are_declared() -> bool {
    DECLARED.with_borrow(|known| known.as_ref().is_some_and(|(_, versions)| !versions.is_empty()))
}

/// Answers a request, and tells with the answer that its version is deprecated or goes. Answers name the version as their profile if the
/// request does.
///
/// `base`: the path that links are relative to; `None` for a request of a batch, whose answer is not at the URL that the client has sent the
/// batch to.
///
/// # Errors
/// REST410 if the version is gone; those of `answer`.
pub fn within(
    versions: &[Version],
    base: Option<&str>,
    request: &Request,
    action: Action,
    answer: impl FnOnce(Action) -> Result<Answer>,
) -> Result<Answer> {
    let Some(version) = version::of_request(versions, request, &action.schema) else { return answer(action) };
    let notice = notice(version, versions, base, request, &action.resource)?;
    let mut answer = answer(action).map_err(|error| notice.add_to(error))?;
    notice.add(&mut answer.response);
    let field = if request.method.is_safe() { "accept-profile" } else { "content-profile" };
    if !request.target.prefix.is_empty() || request.headers.get(field) == Some(&version.name) {
        for (name, value) in &mut answer.response.headers {
            if name == "content-profile" && **value == *version.schema {
                *value = version.name.to_string().into();
            }
        }
    }
    Ok(answer)
}

/// The error of a request that has no route, as one of its version. `base`: as of [`within`].
pub fn refused(surface: &Surface, base: Option<&str>, request: &Request, error: Error) -> Error {
    let schema = match &*surface.versions {
        [] => None,
        _ => route::schema(request.method, request.headers, surface).ok(),
    };
    let version = schema.and_then(|(schema, _)| version::of_schema(&surface.versions, &schema));
    match version.map(|version| notice(version, &surface.versions, base, request, &Resource::Root)) {
        None => error,
        Some(Ok(notice)) => notice.add_to(error),
        Some(Err(gone)) => gone,
    }
}

/// What answers of a version tell of its end.
///
/// # Errors
/// REST410 if the version is gone.
fn notice(
    version: &Version,
    versions: &[Version],
    base: Option<&str>,
    request: &Request,
    resource: &Resource,
) -> Result<Notice> {
    if version.deprecated.is_none() && version.sunset.is_none() {
        return Ok(Notice::default());
    }
    let successor = version.successor.as_deref().and_then(|name| versions.iter().find(|other| *other.name == *name));
    let path = successor.map(|successor| {
        let has = match resource {
            Resource::Collection { relation } | Resource::Item { relation, .. } => {
                catalog::has_relation(&successor.schema, relation)
            }
            Resource::Function { .. } | Resource::Root => false,
        };
        version::path_in(successor, &request.target, has)
    });
    let reference = path.as_deref().map(|path| match base {
        Some(base) => version::relative_to(base, path).into(),
        None => Cow::Borrowed(path),
    });
    let notice = version.notice(reference.as_deref());
    if version.sunset.is_some() && version.is_gone(now()) {
        return Err(notice.add_to(version.gone(path.as_deref())));
    }
    Ok(notice)
}

/// The name of the version that a schema is, if it is deprecated.
fn deprecated(schema: &str) -> Option<Rc<str>> {
    let versions = declared();
    version::of_schema(&versions, schema).filter(|version| version.is_deprecated(now())).map(|v| v.name.clone())
}
