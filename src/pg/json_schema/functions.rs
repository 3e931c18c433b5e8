//! The SQL functions of JSON Schema.

use super::cache::{self, Entry, Instance};
use super::{Binary, Stored, Text, call_site, formats, payload, refuse, registry};
use crate::json_schema::{Options, Source, Values, changes, violations};
use crate::limits;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::v1_function;
use crate::pg::ffi::result_set::ResultSet;
use crate::sqlstate::SqlState;
use pgrx::prelude::*;
use pgrx::{IntoDatum, JsonB, pg_sys};

/// Declares and defines the functions of one kind, one for each combination of stored forms.
macro_rules! functions {
    ($($name:ident = $body:ident::<$schema:ty, $instance:ty>;)*) => {$(
        v1_function!($name);
        #[unsafe(no_mangle)]
        #[pg_guard]
        pub unsafe extern "C-unwind" fn $name(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
            // SAFETY: called by PostgreSQL with the arguments that sql/json_schema/validation.sql declares.
            unsafe { $body::<$schema, $instance>(call) }
        }
    )*};
}

functions! {
    restful_json_matches_schema = matches::<Text, Text>;
    restful_jsonb_matches_schema = matches::<Text, Binary>;
    restful_is_valid = is_valid::<Binary, Binary>;
    restful_jsonschema_validation_errors = messages::<Text, Text>;
    restful_jsonb_validation_errors = messages::<Text, Binary>;
    restful_jsonschema_is_valid = schema_is_valid::<Text, Text>;
    restful_validate = validate::<Binary, Binary>;
    restful_schema_changes = schema_changes::<Binary, Binary>;
}

/// Argument `i`, unless it is null.
#[inline(always)]
unsafe fn argument(call: pg_sys::FunctionCallInfo, i: usize) -> Option<pg_sys::Datum> {
    // SAFETY: the function has more than `i` arguments.
    let argument = unsafe { &*(*call).args.as_ptr().add(i) };
    (!argument.isnull).then_some(argument.value)
}

unsafe fn null(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a running function.
    unsafe { (*call).isnull = true };
    pg_sys::Datum::null()
}

/// Argument 0. A null schema is an error instead of a null result, because a CHECK constraint would pass with null.
#[inline(always)]
unsafe fn schema_argument(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the first argument of every function here is a schema.
    unsafe { argument(call, 0) }.unwrap_or_else(|| no_schema())
}

#[cold]
fn no_schema() -> ! {
    raise(SqlState::NULL_VALUE_NOT_ALLOWED, "the JSON Schema is null", None, Some("The schema {} accepts everything."))
}

/// Frees a value that was detoasted for this call.
#[inline(always)]
unsafe fn done_with(bytes: &[u8], datum: pg_sys::Datum) {
    if bytes.len() > LARGE {
        // SAFETY: the payload of that value.
        unsafe { free_copy(bytes, datum) };
    }
}

#[inline(never)]
unsafe fn free_copy(bytes: &[u8], datum: pg_sys::Datum) {
    let start: *const u8 = datum.cast_mut_ptr();
    // SAFETY: compares addresses. A payload elsewhere is a copy that detoasting made, directly after its header.
    unsafe {
        let header = bytes.as_ptr().offset_from(start);
        if !(0..=4).contains(&header) {
            pg_sys::pfree(bytes.as_ptr().sub(4).cast_mut().cast());
        }
    }
}

/// Detoasted values of at least this many bytes are freed at once. Their copies have a four-byte header. Smaller ones are freed with
/// the memory of the row.
const LARGE: usize = 8192;

unsafe fn matches<S: Stored, I: Instance>(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: arguments (schema, instance).
    unsafe {
        let schema = schema_argument(call);
        let Some(instance) = argument(call, 1) else { return null(call) };
        let entry = call_site::compiled::<S, I>(call, schema, formats(None));
        holds::<I>(entry, instance).into()
    }
}

unsafe fn is_valid<S: Stored, I: Instance>(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: arguments (schema, instance, formats).
    unsafe {
        let schema = schema_argument(call);
        let Some(instance) = argument(call, 1) else { return null(call) };
        let asked = argument(call, 2).map(|asked| asked.value() != 0);
        let entry = call_site::compiled::<S, I>(call, schema, formats(asked));
        holds::<I>(entry, instance).into()
    }
}

#[inline(always)]
unsafe fn holds<I: Instance>(entry: &Entry<I::Json>, instance: pg_sys::Datum) -> bool {
    // SAFETY: a value of the form `I`.
    unsafe {
        let bytes = payload(instance);
        let holds = I::with_node(bytes, |node| entry.compiled.validator.is_valid(node));
        done_with(bytes, instance);
        holds
    }
}

/// The messages, with values, as pg_jsonschema returns them.
unsafe fn messages<S: Stored, I: Instance>(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: arguments (schema, instance).
    unsafe {
        let schema = schema_argument(call);
        let Some(instance) = argument(call, 1) else { return null(call) };
        let entry = call_site::compiled::<S, I>(call, schema, formats(None));
        let messages: Vec<String> = I::with_node(payload(instance), |node| {
            crate::json_schema::messages(&entry.compiled, node, limits::VIOLATIONS)
        });
        messages.into_datum().unwrap_or(pg_sys::Datum::null())
    }
}

unsafe fn schema_is_valid<S: Stored, I: Instance>(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: argument (schema).
    let schema = unsafe { payload(schema_argument(call)) };
    match cache::find::<S, I>(schema, formats(None)) {
        Ok(_) => true.into(),
        Err(refusal) => {
            notice!("invalid JSON Schema: {refusal}");
            false.into()
        }
    }
}

unsafe fn validate<S: Stored, I: Instance>(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: arguments (schema, instance, formats, masked); returns TABLE of four texts.
    unsafe {
        let rows = ResultSet::start(call);
        let schema = schema_argument(call);
        let Some(instance) = argument(call, 1) else { return pg_sys::Datum::null() };
        let asked = argument(call, 2).map(|asked| asked.value() != 0);
        let values =
            if argument(call, 3).is_some_and(|masked| masked.value() == 0) { Values::Shown } else { Values::Masked };
        let entry = call_site::compiled::<S, I>(call, schema, formats(asked));
        let found =
            I::with_node(payload(instance), |node| violations(&entry.compiled, node, values, limits::VIOLATIONS));
        for v in &found {
            rows.put([&v.instance_location, &v.keyword_location, &v.keyword, &v.message].map(|text| text.into_datum()));
        }
        pg_sys::Datum::null()
    }
}

/// The differences in what the schemas in arguments 0 (old) and 1 (new) accept.
unsafe fn schema_changes<S: Stored, I: Instance>(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: arguments (old, new); returns TABLE of text, text, jsonb, jsonb and text.
    unsafe {
        let rows = ResultSet::start(call);
        let old = payload(schema_argument(call));
        let new = payload(argument(call, 1).unwrap_or_else(|| no_schema()));
        // Raises an error with the place if a document is not a schema, or too large or costly.
        cache::compiled::<S, I>(old, formats(None));
        cache::compiled::<S, I>(new, formats(None));
        let options = Options { formats: formats(None), interrupt: Some(check_for_interrupts) };
        let found = changes(&source::<S>(old), &source::<S>(new), &options).unwrap_or_else(|why| error!("{why}"));
        for change in found {
            rows.put([
                change.direction.as_str().into_datum(),
                change.verdict.as_str().into_datum(),
                change.schema.and_then(|schema| JsonB(schema).into_datum()),
                change.example.and_then(|example| JsonB(example).into_datum()),
                change.detail.into_datum(),
            ]);
        }
        pg_sys::Datum::null()
    }
}

fn check_for_interrupts() {
    pgrx::check_for_interrupts!();
}

fn source<S: Stored>(schema: &[u8]) -> Source {
    let source = S::schema(schema).and_then(|schema| Source::read(&schema, &mut registry::document));
    source.unwrap_or_else(|refusal| refuse(&refusal))
}
