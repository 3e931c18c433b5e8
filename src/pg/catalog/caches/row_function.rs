//! Functions of a row.

use super::column::class_of_base;
use super::{class, class_form, data_type, identifier, named_relation, schema, type_form};
use crate::catalog::{QualifiedName, RowFunction};
use crate::pg::ffi::syscache::Tuples;
use pgrx::pg_sys::{self, Datum, FormData_pg_proc, Oid, SysCacheIdentifier};

/// Whether there is a function with this name.
pub fn has_function(in_schema: &str, name: &str) -> bool {
    let (Some(key), Some(in_schema)) = (identifier(name), schema(in_schema)) else { return false };
    // SAFETY: pg_proc by name; tuples of pg_proc.
    unsafe {
        let named = Tuples::find(SysCacheIdentifier::PROCNAMEARGSNSP, Datum::from(key.as_ptr()));
        named.forms::<FormData_pg_proc>().any(|function| function.pronamespace == in_schema)
    }
}

/// The function with this name of a row of the relation or composite type, of the first of the schemas that has one.
pub fn row_function<'s>(mut schemas: impl Iterator<Item = &'s str>, row_type: Oid, name: &str) -> Option<RowFunction> {
    let key = identifier(name)?;
    // SAFETY: pg_proc by name.
    let named = unsafe { Tuples::find(SysCacheIdentifier::PROCNAMEARGSNSP, Datum::from(key.as_ptr())) };
    // SAFETY: tuples of pg_proc.
    let named: Vec<&FormData_pg_proc> = unsafe { named.forms() }.collect();
    if named.is_empty() {
        return None;
    }
    let row_type = class_form(&class(row_type)?).reltype;
    schemas.find_map(|schema_name| {
        let in_schema = schema(schema_name)?;
        let takes_row = |f: &&&FormData_pg_proc| f.pronamespace == in_schema && first_argument(f) == Some(row_type);
        let function = named.iter().filter(takes_row).find(|f| {
            f.pronargs == 1
                && f.prokind as u8 == pg_sys::PROKIND_FUNCTION
                && !matches!(f.prorettype, pg_sys::VOIDOID | pg_sys::RECORDOID)
        })?;
        let result = data_type(function.prorettype)?;
        let result = type_form(&result);
        let base = if result.typtype as u8 == pg_sys::TYPTYPE_DOMAIN { result.typbasetype } else { result.oid };
        Some(RowFunction {
            name: QualifiedName { schema: schema_name.to_owned(), name: name.to_owned() },
            class: class_of_base(base),
            relation: named_relation(result.typrelid),
            returns_set: function.proretset,
            is_volatile: function.provolatile as u8 == pg_sys::PROVOLATILE_VOLATILE,
            returns_one: !function.proretset || function.prorows == 1.0,
            is_ambiguous: named.iter().filter(takes_row).any(|f| f.pronargs > 1 && f.pronargs - f.pronargdefaults <= 1),
        })
    })
}

fn first_argument(function: &FormData_pg_proc) -> Option<Oid> {
    // SAFETY: the array has as many types as the function has arguments.
    (function.pronargs > 0).then(|| unsafe { *function.proargtypes.values.as_ptr() })
}
