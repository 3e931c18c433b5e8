//! Aggregates that make bodies.

use super::{data_type, named_relation, schema, type_form};
use crate::catalog::{MediaHandler, QualifiedName};
use crate::pg::ffi::catalog_scan;
use crate::pg::ffi::syscache::{Tuple, name};
use pgrx::pg_sys::{self, Oid, SysCacheIdentifier};

/// pg_aggregate and the number of the column that refers to pg_proc (pg_aggregate.h). It has few rows, however many tables and functions
/// there are.
const PG_AGGREGATE: u32 = 2600;
const AGGFNOID: i16 = 1;

/// The aggregates of a schema that make bodies of rows: one argument, a row or anyelement, and a result that is a domain named like a
/// media type.
pub fn media_handlers(in_schema: &str) -> Vec<MediaHandler> {
    let Some(schema) = schema(in_schema) else { return Vec::new() };
    let mut aggregates: Vec<Oid> = Vec::new();
    // SAFETY: all rows of pg_aggregate.
    unsafe {
        catalog_scan::rows(PG_AGGREGATE, 0, [], |row| {
            let aggregate = row.oid(AGGFNOID);
            // PostgreSQL's own return no such type.
            if aggregate.to_u32() >= pg_sys::FirstNormalObjectId {
                aggregates.push(aggregate);
            }
        });
    }
    aggregates.sort_unstable_by_key(|aggregate| aggregate.to_u32());
    aggregates.into_iter().filter_map(|aggregate| media_handler(aggregate, schema, in_schema)).collect()
}

fn media_handler(aggregate: Oid, schema: Oid, schema_name: &str) -> Option<MediaHandler> {
    // SAFETY: pg_proc by OID; the array has as many types as there are arguments.
    let (function, argument) = unsafe {
        let tuple = Tuple::of_oid(SysCacheIdentifier::PROCOID, aggregate)?;
        let form = tuple.form::<pg_sys::FormData_pg_proc>();
        if form.pronamespace != schema || form.pronargs != 1 {
            return None;
        }
        let argument = *form.proargtypes.values.as_ptr();
        ((name(&form.proname), form.prorettype), argument)
    };
    let (function, result) = function;
    let result = data_type(result)?;
    let result = type_form(&result);
    let media = name(&result.typname);
    if result.typtype as u8 != pg_sys::TYPTYPE_DOMAIN || !is_media_type(&media) {
        return None;
    }
    let relation = named_relation(type_form(&data_type(argument)?).typrelid);
    (relation.is_some() || argument == pg_sys::ANYELEMENTOID).then(|| MediaHandler {
        function: QualifiedName { schema: schema_name.to_owned(), name: function },
        media: media.to_ascii_lowercase(),
        relation,
    })
}

/// Whether a domain is named like a media type, or `*/*`.
fn is_media_type(name: &str) -> bool {
    let is_part = |part: &str, more: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c) || more.contains(c))
    };
    name == "*/*" || name.split_once('/').is_some_and(|(kind, rest)| is_part(kind, "") && is_part(rest, "+"))
}
