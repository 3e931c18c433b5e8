//! The functions as PostgreSQL calls them.

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

/// Declares and defines functions of one kind for their combinations of stored forms.
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

/// Argument `i`, if it is not null.
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

/// Argument 0. A null schema is an error and not a null result, with which a CHECK constraint would pass.
#[inline(always)]
unsafe fn schema_argument(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: every function here has a schema first.
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
    // SAFETY: compares addresses; a payload elsewhere is a copy that detoasting made, right behind its header.
    unsafe {
        let header = bytes.as_ptr().offset_from(start);
        if !(0..=4).contains(&header) {
            pg_sys::pfree(bytes.as_ptr().sub(4).cast_mut().cast());
        }
    }
}

/// Detoasted values of at least this many bytes are freed at once; their copies have a header of four bytes. Smaller ones
/// go with the memory of the row.
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

/// The messages, with the values: what pg_jsonschema returns.
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

/// What the schema in argument 1 accepts otherwise than the one in argument 0.
unsafe fn schema_changes<S: Stored, I: Instance>(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: arguments (old, new); returns TABLE of text, text, jsonb, jsonb and text.
    unsafe {
        let rows = ResultSet::start(call);
        let old = payload(schema_argument(call));
        let new = payload(argument(call, 1).unwrap_or_else(|| no_schema()));
        // Refuses with the place what is no schema, or too much of one.
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
