//! The trigger that notes what happens to the rows of a table: `restful.note_row('audit')`, AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW, and AFTER
//! TRUNCATE FOR EACH STATEMENT.
//!
//! A row is written as JSON with the rights of whoever changes it, because that may run a cast of theirs. Only the texts are handed to the owner
//! of the history.

use crate::pg::ffi::canonical_text::CanonicalText;
use crate::pg::ffi::fmgr::{argument, sql_function, text, v1_function};
use crate::pg::ffi::{own_tables, relcache, user};
use pgrx::prelude::*;
use pgrx::{FromDatum, pg_sys};
use std::ffi::CStr;

const ADD: &str = include_str!("../../sql/query/history/add.sql");

const ADD_MANY: &str = include_str!("../../sql/query/history/add_many.sql");

/// Rows that are noted at once when an audit begins.
const BATCH: i64 = 1000;

/// `row_to_json(record)` in pg_proc.dat.
const ROW_TO_JSON: u32 = 3155;

v1_function!(restful_note_row);
/// The trigger.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_note_row(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the tag of the context is checked before it is used. The tuples live as long as the call.
    unsafe {
        let context = (*call).context.cast::<pg_sys::TriggerData>();
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            error!("note_row is a trigger function");
        }
        let context = &*context;
        let trigger = &*context.tg_trigger;
        let argument = if trigger.tgnargs == 1 { CStr::from_ptr(*trigger.tgargs).to_str().ok() } else { None };
        let Some(audit) = argument.and_then(|text| text.parse::<i32>().ok()) else {
            error!("note_row needs the number of an audit: use restful.audit");
        };
        let row = |tuple| Some(as_json(context.tg_relation, tuple));
        let (operation, before, after) = match context.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_INSERT => ("INSERT", None, row(context.tg_trigtuple)),
            pg_sys::TRIGGER_EVENT_UPDATE => ("UPDATE", row(context.tg_trigtuple), row(context.tg_newtuple)),
            pg_sys::TRIGGER_EVENT_DELETE => ("DELETE", row(context.tg_trigtuple), None),
            _ => ("TRUNCATE", None, None),
        };
        let key = if operation == "TRUNCATE" { Vec::new() } else { relcache::primary_key(context.tg_relation) };
        let role = user::name(user::current());
        let add = || {
            Spi::connect_mut(|client| {
                let arguments = [
                    audit.into(),
                    operation.into(),
                    before.as_deref().into(),
                    after.as_deref().into(),
                    key.into(),
                    role.as_str().into(),
                ];
                client.update(ADD, None, &arguments).map(|_| ())
            })
        };
        match own_tables::as_owner(own_tables::table(c"row_history"), add) {
            Some(Ok(())) => {}
            Some(Err(why)) => error!("the history of rows cannot be written: {why}"),
            None => error!("the table restful.row_history is not there"),
        }
    }
    pg_sys::Datum::null()
}

/// A row as a JSON object, whose values any session reads back.
unsafe fn as_json(table: pg_sys::Relation, tuple: pg_sys::HeapTuple) -> String {
    // SAFETY: the tuple is one of the table, which is open.
    unsafe {
        let _canonical = CanonicalText::set();
        let record = pg_sys::heap_copy_tuple_as_datum(tuple, (*table).rd_att);
        let json = pg_sys::OidFunctionCall1Coll(pg_sys::Oid::from(ROW_TO_JSON), pg_sys::InvalidOid, record);
        String::from_datum(json, false).unwrap_or_default()
    }
}

sql_function!(restful_note_rows, "note_rows(rel regclass, name text, audit integer)", |call| note_rows(call));

/// Notes the rows that a table has. They are written as JSON with the rights of its owner.
unsafe fn note_rows(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a strict function with these three arguments. The statements that run as the owner of the table read it.
    unsafe {
        let table = argument(call, 0).and_then(|value| pg_sys::Oid::from_datum(value, false)).unwrap_or_default();
        let audit = argument(call, 2).and_then(|value| i32::from_datum(value, false)).unwrap_or_default();
        let Some(relation) = relcache::Relation::open(table) else { error!("the table is not there") };
        let (owner, key) = (relation.class().relowner, relation.primary_key());
        let name = text(call, 1).unwrap_or_default();
        let role = user::name(user::session());
        let select = format!("SELECT pg_catalog.row_to_json(noted)::pg_catalog.text FROM {name} AS noted");
        let done = Spi::connect_mut(|client| -> spi::Result<()> {
            let as_table_owner = user::security_context() | user::LOCKED;
            let cursor = user::run_as(owner, as_table_owner, || {
                client.try_open_cursor(&select, &[]).map(|cursor| cursor.detach_into_name())
            })?;
            loop {
                let rows: Vec<String> = user::run_as(owner, as_table_owner, || -> spi::Result<_> {
                    let _canonical = CanonicalText::set();
                    let mut cursor = client.find_cursor(&cursor)?;
                    let rows = cursor.fetch(BATCH)?.filter_map(|row| row.get::<String>(1).ok().flatten()).collect();
                    cursor.detach_into_name();
                    Ok(rows)
                })?;
                if rows.is_empty() {
                    return Ok(());
                }
                let arguments = [audit.into(), rows.into(), key.clone().into(), role.as_str().into()];
                let add = || client.update(ADD_MANY, None, &arguments).map(|_| ());
                own_tables::as_owner(own_tables::table(c"row_history"), add).unwrap_or(Ok(()))?;
            }
        });
        if let Err(why) = done {
            error!("the rows cannot be noted: {why}");
        }
    }
    pg_sys::Datum::null()
}
