//! Columns and their types.

use super::{data_type, identifier, schema, type_form};
use crate::catalog::{Column, Comparison, QualifiedName, Representation, TypeClass};
use crate::pg::ffi::syscache::{Tuple, name, schema_name};
use pgrx::pg_sys::{self, FormData_pg_attribute, Oid, SysCacheIdentifier};
use std::ffi::{CStr, c_char};

/// `"char"`s of the catalogue (pg_attribute.h).
const ALWAYS_IDENTITY: c_char = pg_sys::ATTRIBUTE_IDENTITY_ALWAYS as c_char;

/// Whether a column takes values, and whether it is an identity column.
pub fn writable_and_identity(column: &FormData_pg_attribute) -> (bool, bool) {
    (column.attgenerated == 0 && column.attidentity != ALWAYS_IDENTITY, column.attidentity != 0)
}

/// A column. `updatable`: whether UPDATE can set it. `not_null`: whether the relation enforces NOT NULL for all the rows that a read shows.
pub fn column(column: &FormData_pg_attribute, updatable: bool, not_null: bool) -> Column {
    let (writable, identity) = writable_and_identity(column);
    Column {
        name: name(&column.attname),
        data_type: spelled(column.atttypid, column.atttypmod),
        class: class_of(column.atttypid),
        writable,
        identity,
        updatable,
        not_null: not_null && column.attnotnull,
        comparison: comparison(column.atttypid),
        representation: representation(column.atttypid),
    }
}

/// A type with its modifier, as SQL spells it: with its schema, if that is not PostgreSQL's own.
fn spelled(type_oid: Oid, modifier: i32) -> String {
    // SAFETY: look-ups in system caches; the result is a NUL-terminated text.
    unsafe {
        let element = pg_sys::get_element_type(type_oid);
        let named = if element == pg_sys::InvalidOid { type_oid } else { element };
        let is_own = data_type(named).is_some_and(|tuple| is_postgresqls(type_form(&tuple).typnamespace));
        let mut flags = pg_sys::FORMAT_TYPE_TYPEMOD_GIVEN | pg_sys::FORMAT_TYPE_ALLOW_INVALID;
        if !is_own {
            flags |= pg_sys::FORMAT_TYPE_FORCE_QUALIFY;
        }
        let text = pg_sys::format_type_extended(type_oid, modifier, flags as pg_sys::bits16);
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}

fn is_postgresqls(schema: Oid) -> bool {
    schema.to_u32() == pg_sys::PG_CATALOG_NAMESPACE
}

/// How values of a type are compared.
fn comparison(type_oid: Oid) -> Comparison {
    // SAFETY: look-ups in system caches.
    let (base, kind) = unsafe {
        let base = pg_sys::getBaseType(type_oid);
        (base, pg_sys::get_typtype(base) as u8)
    };
    match kind {
        pg_sys::TYPTYPE_COMPOSITE => Comparison::Impossible,
        pg_sys::TYPTYPE_ENUM if base != type_oid => Comparison::As(spelled(base, -1)),
        _ => Comparison::Inferred,
    }
}

/// The class of a type, below all domains.
pub fn class_of(type_oid: Oid) -> TypeClass {
    // SAFETY: a look-up in a system cache.
    class_of_base(unsafe { pg_sys::getBaseType(type_oid) })
}

/// The class of a type that is taken as it is.
pub fn class_of_base(base: Oid) -> TypeClass {
    match base {
        pg_sys::JSONOID | pg_sys::JSONBOID => TypeClass::Json,
        pg_sys::TSVECTOROID => TypeClass::Tsvector,
        _ => {
            let is_structured = |tuple: &Tuple| {
                let form = type_form(tuple);
                form.typtype as u8 == pg_sys::TYPTYPE_COMPOSITE || form.typcategory as u8 == pg_sys::TYPCATEGORY_ARRAY
            };
            if data_type(base).as_ref().is_some_and(is_structured) { TypeClass::Structured } else { TypeClass::Scalar }
        }
    }
}

/// The casts that determine how values of a domain come in and go out; `None` for other types, and without such casts.
fn representation(type_oid: Oid) -> Option<Representation> {
    if type_form(&data_type(type_oid)?).typtype as u8 != pg_sys::TYPTYPE_DOMAIN {
        return None;
    }
    let function = |source, target| cast_function(source, target).map(Box::new);
    let found = Representation {
        to_json: function(type_oid, pg_sys::JSONOID),
        from_json: function(pg_sys::JSONOID, type_oid),
        from_text: function(pg_sys::TEXTOID, type_oid),
    };
    (found != Representation::default()).then_some(found)
}

/// Numbers of columns of pg_cast.
const CAST_FUNCTION: i16 = 4;
const CAST_CONTEXT: i16 = 5;
const CAST_METHOD: i16 = 6;

/// The function of one argument by which PostgreSQL casts implicitly from one type to another.
fn cast_function(source: Oid, target: Oid) -> Option<QualifiedName> {
    // SAFETY: pg_cast by both types, and pg_proc by OID.
    unsafe {
        let cast = Tuple::find(SysCacheIdentifier::CASTSOURCETARGET, [source.into(), target.into()])?;
        let letter = |column| cast.value(column).map(|value| value.value() as u8);
        if letter(CAST_CONTEXT) != Some(b'i') || letter(CAST_METHOD) != Some(b'f') {
            return None;
        }
        let function = Oid::from(cast.value(CAST_FUNCTION)?.value() as u32);
        let function = Tuple::of_oid(SysCacheIdentifier::PROCOID, function)?;
        let form = function.form::<pg_sys::FormData_pg_proc>();
        let is_unary = form.pronargs == 1;
        is_unary
            .then(|| Some(QualifiedName { schema: schema_name(form.pronamespace)?, name: name(&form.proname) }))
            .flatten()
    }
}

/// The spelling in SQL of the type with this name in pg_catalog, or else in the schema. Left out are types whose input or output looks
/// into the catalogue (regclass and its like), and pseudo-types.
pub fn named_data_type(in_schema: &str, type_name: &str) -> Option<String> {
    let element = type_name.strip_prefix('_').unwrap_or(type_name);
    let looks_into_catalogue =
        element.starts_with("reg") || element.starts_with("pg_") || matches!(element, "cstring" | "xml" | "aclitem");
    if looks_into_catalogue {
        return None;
    }
    let key = identifier(type_name)?;
    [Some(Oid::from(pg_sys::PG_CATALOG_NAMESPACE)), schema(in_schema)].into_iter().flatten().find_map(|namespace| {
        // SAFETY: pg_type by name and schema.
        unsafe {
            let key = pg_sys::Datum::from(key.as_ptr());
            let tuple = Tuple::find(SysCacheIdentifier::TYPENAMENSP, [key, namespace.into()])?;
            let form = type_form(&tuple);
            let is_value = form.typtype as u8 != pg_sys::TYPTYPE_PSEUDO && form.typisdefined;
            let schema = schema_name(namespace)?;
            is_value.then(|| QualifiedName { schema, name: type_name.to_owned() }.to_string())
        }
    })
}
