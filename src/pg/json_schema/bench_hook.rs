//! Functions only for benchmarks: the same validator without our shortcuts.
//!
//! ```sql
//! create function by_value(schema jsonb, instance jsonb) returns boolean
//!   language c immutable strict as 'path of the library', 'restful_bench_by_value';
//! ```

use super::{Binary, Stored, Text, payload};
use crate::json_schema::patterns;
use crate::pg::ffi::fmgr::v1_function;
use jsonschema::Validator;
use pgrx::prelude::*;
use pgrx::{FromDatum, JsonB, pg_sys};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

thread_local! {
    static COMPILED: RefCell<HashMap<Vec<u8>, Rc<Validator>>> = RefCell::new(HashMap::new());
}

fn compile(schema: &Value) -> Validator {
    let options = jsonschema::options().offline().with_pattern_options(patterns());
    options.build(schema).unwrap_or_else(|why| error!("{why}"))
}

/// Validates with a cached compiled schema.
fn holds<S: Stored>(schema: &[u8], instance: &Value) -> bool {
    let known = COMPILED.with_borrow(|compiled| compiled.get(schema).cloned());
    let validator = known.unwrap_or_else(|| {
        let compiled = Rc::new(compile(&S::schema(schema).unwrap_or_default()));
        COMPILED.with_borrow_mut(|kept| kept.insert(schema.to_vec(), compiled.clone()));
        compiled
    });
    validator.is_valid(instance)
}

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident = |$schema:ident, $instance:ident| $body:expr;)*) => {$(
        v1_function!($name);
        $(#[$doc])*
        #[unsafe(no_mangle)]
        #[pg_guard]
        pub unsafe extern "C-unwind" fn $name(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
            // SAFETY: called by PostgreSQL with the arguments of the declaration above, none of them null.
            unsafe {
                let [schema, instance] = (*call).args.as_slice(2) else { return pg_sys::Datum::null() };
                let ($schema, $instance) = (payload(schema.value), instance.value);
                $body.into()
            }
        }
    )*};
}

functions! {
    /// `jsonb` as pgrx passes it to a function: its text, parsed.
    restful_bench_by_value = |schema, instance| {
        let JsonB(value) = JsonB::from_datum(instance, false).unwrap_or(JsonB(Value::Null));
        holds::<Binary>(schema, &value)
    };
    /// The same, but compiles the schema for each row.
    restful_bench_recompiled = |schema, instance| {
        let JsonB(value) = JsonB::from_datum(instance, false).unwrap_or(JsonB(Value::Null));
        compile(&Binary::schema(schema).unwrap_or_default()).is_valid(&value)
    };
    /// `json`, parsed.
    restful_bench_json_by_value = |schema, instance| {
        holds::<Text>(schema, &serde_json::from_slice(payload(instance)).unwrap_or_default())
    };
}
