//! The trigger that enforces a schema on a table: `restful.enforce_schema('schema', 'level', 'action')`, AFTER INSERT OR UPDATE FOR
//! EACH ROW. It checks the column in its condition, `WHEN (NEW.column IS NOT NULL)`, or the whole row if it has no condition.

use super::bindings::{Action, Arguments, Level, SchemaSource, column_of_condition};
use super::cache::{self, Entry, Instance};
use super::{Binary, Stored, Text, formats, payload};
use crate::error::Invalid;
use crate::json::pointer;
use crate::json_schema::{Formats, Refusal, Values, violations};
use crate::limits;
use crate::pg::catalog::invalidation;
use crate::pg::ffi::captured::attach;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::fmgr::{sql_function, v1_function};
use crate::pg::ffi::result_set::ResultSet;
use crate::sqlstate::SqlState;
use crate::violation::Violation;
use pgrx::prelude::*;
use pgrx::{IntoDatum, PgLogLevel, direct_function_call_as_datum, pg_sys};
use std::ffi::{CStr, CString, c_char, c_void};
use std::rc::Rc;

/// What one trigger checks, kept in its `fn_extra` while the statement runs.
struct Site {
    schema: SchemaSource,
    level: Level,
    action: Action,
    /// `None` for the whole row.
    column: Option<pg_sys::AttrNumber>,
    is_text: bool,
    formats: Formats,
    compiled: Compiled,
    forget: pg_sys::MemoryContextCallback,
}

/// The compiled schema, for the stored form of the values.
enum Compiled {
    Binary(Rc<Entry<<Binary as Stored>::Json>>),
    Text(Rc<Entry<<Text as Stored>::Json>>),
}

impl Compiled {
    fn new(schema: &SchemaSource, is_text: bool, formats: Formats) -> Self {
        // This statement sees what other sessions have registered before it.
        invalidation::accept();
        let json = schema.json();
        if is_text {
            Compiled::Text(cache::compiled::<Text, Text>(json.as_bytes(), formats))
        } else {
            Compiled::Binary(cache::compiled::<Text, Binary>(json.as_bytes(), formats))
        }
    }

    fn is_fresh(&self) -> bool {
        match self {
            Compiled::Binary(entry) => entry.is_fresh(),
            Compiled::Text(entry) => entry.is_fresh(),
        }
    }

    /// # Safety
    /// `value` must be a json value if the schema was compiled for text, and a jsonb value otherwise.
    unsafe fn holds(&self, value: pg_sys::Datum) -> bool {
        // SAFETY: promised by the caller.
        let bytes = unsafe { payload(value) };
        match self {
            Compiled::Binary(entry) => Binary::with_node(bytes, |node| entry.compiled.validator.is_valid(node)),
            Compiled::Text(entry) => Text::with_node(bytes, |node| entry.compiled.validator.is_valid(node)),
        }
    }

    /// # Safety
    /// As above.
    unsafe fn violations(&self, value: pg_sys::Datum) -> Vec<Violation> {
        fn of<I: Instance>(entry: &Rc<Entry<I::Json>>, bytes: &[u8]) -> Vec<Violation> {
            // SAFETY: the entry outlives this call, and nothing borrows it afterwards.
            let compiled = unsafe { &(*Rc::as_ptr(entry)).compiled };
            I::with_node(bytes, |node| violations(compiled, node, Values::Masked, limits::VIOLATIONS))
        }
        // SAFETY: promised by the caller.
        let bytes = unsafe { payload(value) };
        match self {
            Compiled::Binary(entry) => of::<Binary>(entry, bytes),
            Compiled::Text(entry) => of::<Text>(entry, bytes),
        }
    }
}

sql_function!(restful_enforce_schema, "enforce_schema() RETURNS trigger", |call| enforce(call));

/// Raises 23514 (check_violation), or warns with it, if the new row violates the schema.
unsafe fn enforce(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the tag of the context is checked before it is used. The tuples live as long as the call.
    unsafe {
        let context = (*call).context.cast::<pg_sys::TriggerData>();
        let context = if is_trigger(context) { &*context } else { wrong_trigger() };
        let updates = context.tg_event & pg_sys::TRIGGER_EVENT_OPMASK == pg_sys::TRIGGER_EVENT_UPDATE;
        let new = if updates { context.tg_newtuple } else { context.tg_trigtuple };
        let site = site(call, context);
        if site.level == Level::Off {
            return pg_sys::Datum::null();
        }
        let Some(value) = site.value(context.tg_relation, new) else { return pg_sys::Datum::null() };
        if !site.is_fresh() {
            site.formats = formats(None);
            site.compiled = Compiled::new(&site.schema, site.is_text, site.formats);
        }
        if site.compiled.holds(value) {
            return pg_sys::Datum::null();
        }
        if updates && site.level == Level::Moderate {
            let old = site.value(context.tg_relation, context.tg_trigtuple);
            if old.is_some_and(|old| !site.compiled.holds(old)) {
                return pg_sys::Datum::null();
            }
        }
        report(site, context, &site.compiled.violations(value));
    }
    pg_sys::Datum::null()
}

/// Whether this is a call of an AFTER ROW trigger for INSERT or UPDATE.
unsafe fn is_trigger(context: *const pg_sys::TriggerData) -> bool {
    const KIND: u32 = pg_sys::TRIGGER_EVENT_TIMINGMASK | pg_sys::TRIGGER_EVENT_ROW;
    // SAFETY: the tag is checked first.
    unsafe {
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            return false;
        }
        let operation = (*context).tg_event & pg_sys::TRIGGER_EVENT_OPMASK;
        (*context).tg_event & KIND == pg_sys::TRIGGER_EVENT_AFTER | pg_sys::TRIGGER_EVENT_ROW
            && matches!(operation, pg_sys::TRIGGER_EVENT_INSERT | pg_sys::TRIGGER_EVENT_UPDATE)
    }
}

/// Raises 39P01 (trigger_protocol_violated).
#[cold]
fn wrong_trigger() -> ! {
    raise(
        SqlState::TRIGGER_PROTOCOL_VIOLATED,
        "the trigger of restful.enforce_schema does not have the form that restful.constrain creates",
        None,
        Some("Drop it, and call restful.constrain."),
    )
}

/// What this trigger checks. Found at the first row of the statement.
unsafe fn site<'a>(call: pg_sys::FunctionCallInfo, context: &pg_sys::TriggerData) -> &'a mut Site {
    // SAFETY: `fn_extra` of this function only ever holds a site, in the memory context of the function's state, which drops it.
    // PostgreSQL has one such state for each trigger of a statement.
    unsafe {
        let info = (*call).flinfo;
        if (*info).fn_extra.is_null() {
            let new = Site::new(context);
            let site = pg_sys::MemoryContextAlloc((*info).fn_mcxt, size_of::<Site>()).cast::<Site>();
            site.write(new);
            (*site).forget.arg = site.cast();
            pg_sys::MemoryContextRegisterResetCallback((*info).fn_mcxt, &raw mut (*site).forget);
            (*info).fn_extra = site.cast();
        }
        &mut *(*info).fn_extra.cast::<Site>()
    }
}

unsafe extern "C-unwind" fn drop_site(site: *mut c_void) {
    // SAFETY: called once, when the memory of the site is freed.
    unsafe { std::ptr::drop_in_place(site.cast::<Site>()) }
}

impl Site {
    unsafe fn new(context: &pg_sys::TriggerData) -> Self {
        // SAFETY: a trigger has as many arguments as it states. They and its condition are NUL-terminated.
        let (arguments, column) = unsafe {
            let trigger = &*context.tg_trigger;
            let texts: Vec<_> = (0..trigger.tgnargs as usize)
                .map(|i| CStr::from_ptr(*trigger.tgargs.add(i)).to_string_lossy())
                .collect();
            let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
            let column = (!trigger.tgqual.is_null()).then(|| column_of_condition(CStr::from_ptr(trigger.tgqual)));
            (Arguments::of(&texts), column)
        };
        let (Some(Arguments { schema, level, action }), None | Some(Some(_))) = (arguments, column) else {
            wrong_trigger()
        };
        let column = column.flatten();
        // SAFETY: the trigger's relation is open, and has the column.
        let data_type = column
            .map(|column| unsafe { pg_sys::getBaseType(pg_sys::get_atttype((*context.tg_relation).rd_id, column)) });
        let is_text = match data_type {
            None | Some(pg_sys::JSONBOID) => false,
            Some(pg_sys::JSONOID) => true,
            Some(_) => wrong_trigger(),
        };
        let formats = formats(None);
        let compiled = Compiled::new(&schema, is_text, formats);
        let forget = pg_sys::MemoryContextCallback {
            func: Some(drop_site),
            arg: std::ptr::null_mut(),
            next: std::ptr::null_mut(),
        };
        Site { schema, level, action, column, is_text, formats, compiled, forget }
    }

    fn is_fresh(&self) -> bool {
        self.compiled.is_fresh() && self.formats == formats(None)
    }

    /// The value of a row to check, unless it is null.
    unsafe fn value(&self, relation: pg_sys::Relation, row: pg_sys::HeapTuple) -> Option<pg_sys::Datum> {
        // SAFETY: a row of the relation. The conversions get values of their argument types, and copy them.
        unsafe {
            let descriptor = (*relation).rd_att;
            match self.column {
                Some(column) => {
                    let mut is_null = false;
                    let value = pg_sys::heap_getattr(row, column.into(), descriptor, &mut is_null);
                    (!is_null).then_some(value)
                }
                None => {
                    let row = pg_sys::heap_copy_tuple_as_datum(row, descriptor);
                    let json = direct_function_call_as_datum(pg_sys::row_to_json, &[Some(row)])?;
                    let text = pg_sys::text_to_cstring(json.cast_mut_ptr());
                    direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text.into())])
                }
            }
        }
    }
}

/// Reports what is wrong with a row, like a violated CHECK constraint.
unsafe fn report(site: &Site, context: &pg_sys::TriggerData, found: &[Violation]) {
    // SAFETY: the trigger and its relation exist while it runs. PostgreSQL copies the texts.
    unsafe {
        let relation = context.tg_relation;
        let table = (&raw const (*(*relation).rd_rel).relname.data).cast::<c_char>();
        let column = match site.column {
            Some(column) => pg_sys::get_attname((*relation).rd_id, column, true),
            None => std::ptr::null_mut(),
        };
        let schema = match &site.schema {
            SchemaSource::Inline(_) => "JSON Schema".to_owned(),
            SchemaSource::Registered(name) => format!("JSON Schema \"{name}\""),
        };
        let mut message = format!("new row for relation \"{}\" violates ", text(table));
        message += &if column.is_null() {
            format!("its {schema}")
        } else {
            format!("{schema} of column \"{}\"", text(column))
        };
        let mut data = pg_sys::ErrorData {
            elevel: match site.action {
                Action::Error => PgLogLevel::ERROR,
                Action::Warn => PgLogLevel::WARNING,
            } as i32,
            sqlerrcode: SqlState::CHECK_VIOLATION.pack(),
            message: copy(&message),
            detail: copy(&lines(found)),
            schema_name: pg_sys::get_namespace_name((*(*relation).rd_rel).relnamespace),
            table_name: table.cast_mut(),
            column_name: column,
            constraint_name: (*context.tg_trigger).tgname,
            ..Default::default()
        };
        if site.action == Action::Error {
            let at = if column.is_null() { String::new() } else { format!("/{}", pointer::escape(&text(column))) };
            let invalid = found.iter().take(limits::REPORTED_VIOLATIONS).cloned();
            let invalid: Vec<Invalid> =
                invalid.map(|v| Invalid { pointer: format!("{at}{}", v.instance_location), violation: v }).collect();
            attach(Rc::new(invalid));
        }
        pg_sys::ThrowErrorData(&mut data);
    }
}

unsafe fn text<'a>(text: *const c_char) -> std::borrow::Cow<'a, str> {
    // SAFETY: a NUL-terminated name.
    unsafe { CStr::from_ptr(text) }.to_string_lossy()
}

/// A palloc'd copy of the text up to the first NUL.
fn copy(text: &str) -> *mut c_char {
    let text = CString::new(text.split('\0').next().unwrap_or_default()).unwrap_or_default();
    // SAFETY: the text is NUL-terminated.
    unsafe { pg_sys::pstrdup(text.as_ptr()) }
}

/// One violation per line.
fn lines(found: &[Violation]) -> String {
    let mut lines: Vec<String> = found
        .iter()
        .take(limits::VIOLATIONS_IN_DETAIL)
        .map(|v| match v.instance_location.as_str() {
            "" => v.message.clone(),
            pointer => format!("{pointer}: {}", v.message),
        })
        .map(|mut line| {
            line.truncate(line.floor_char_boundary(limits::VIOLATION_BYTES_IN_DETAIL));
            line
        })
        .collect();
    if let more @ 1.. = found.len().saturating_sub(limits::VIOLATIONS_IN_DETAIL) {
        let at_least = if found.len() == limits::VIOLATIONS { "at least " } else { "" };
        lines.push(format!("and {at_least}{more} more"));
    }
    lines.join("\n")
}

v1_function!(restful_read_schema);
/// `restful.read_schema(schema text)`: reads a text that is given as a schema. Raises an error if it is not a schema, or an unknown name.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_read_schema(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: strict, with one argument of type text; returns TABLE of the columns put here.
    unsafe {
        let rows = ResultSet::start(call);
        let given = String::from_utf8_lossy(payload((*(*call).args.as_ptr()).value));
        let schema = SchemaSource::of(&given);
        let json = schema.json();
        invalidation::accept();
        let entry =
            cache::find::<Text, Binary>(json.as_bytes(), formats(None)).unwrap_or_else(|refusal| match &schema {
                SchemaSource::Inline(_) => super::refuse(&refusal),
                SchemaSource::Registered(name) => super::refuse(&unregistered(name, refusal)),
            });
        let registered = matches!(schema, SchemaSource::Registered(_));
        rows.put([json.into_datum(), entry.compiled.refers.into_datum(), registered.into_datum()]);
    }
    pg_sys::Datum::null()
}

/// The refusal for a schema that is given by name. The place "/$ref" would mean nothing to the caller.
fn unregistered(name: &str, refusal: Refusal) -> Refusal {
    if refusal.pointer != "/$ref" {
        return refusal;
    }
    Refusal::whole(
        format!("no schema is registered as \"{name}\""),
        "Give JSON that begins with {, true or false, or the name of a registered schema.",
    )
}
