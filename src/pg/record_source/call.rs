//! The function call: reads the arguments and returns the rows.

use super::cell::Cells;
use super::column::{Column, Strings};
use super::memory::RowMemory;
use super::rows::{Layout, Row, refuse_missing};
use crate::pg::ffi::composite::attribute;
use crate::pg::ffi::error::raise;
use crate::pg::ffi::result_set::ResultSet;
use crate::pg::ffi::varlena::payload;
use crate::sqlstate::SqlState;
use crate::statement::{
    RECORDS_BARE, RECORDS_KEYLESS, RECORDS_LINES, RECORDS_REQUIRED, RECORDS_TEXTS, RECORDS_UNIFORM,
};
use pgrx::FromDatum;
use pgrx::pg_sys;
use std::collections::HashSet;

/// Runs `record_source`.
///
/// # Safety
/// The call frame of `record_source(bytea, text[], int, int[], int[])`.
pub unsafe fn run(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the frame has the declared arguments. The result descriptor is checked before it is used. The memory contexts are those
    // of a set-returning function in materialize mode (src/backend/utils/fmgr/README).
    unsafe {
        let [body, keys, mode, presence, lenient] = *(*fcinfo).args.as_slice(5) else { return pg_sys::Datum::null() };
        let Some(rows) = ResultSet::with_column_definitions(fcinfo) else {
            raise(
                SqlState::FEATURE_NOT_SUPPORTED,
                "record_source needs a column definition list",
                None,
                Some("Call it in FROM: restful.record_source(...) AS r(c1 type, ...)."),
            )
        };
        let caller = pg_sys::CurrentMemoryContext;
        let work = pg_sys::AllocSetContextCreateInternal(
            caller,
            c"restful.record_source".as_ptr(),
            pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
            pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
            pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
        );
        pg_sys::MemoryContextSwitchTo(work);
        let mut layout = layout(rows.descriptor(), keys, mode, presence, lenient);
        if body.isnull {
            refuse_missing();
        }
        let body = payload(body.value);
        // A body may nest as deep as its limit allows, and some functions recurse with it, so they need room on the stack.
        pg_sys::check_stack_depth();
        let memory = RowMemory::new(body.len());
        pg_sys::MemoryContextSwitchTo(memory.context());
        Row::new(&mut layout, Cells::new(memory)).read_all(body, |row| {
            rows.put_columns(&mut row.values, &mut row.nulls);
        });
        pg_sys::MemoryContextSwitchTo(caller);
        pg_sys::MemoryContextDelete(work);
        pg_sys::Datum::null()
    }
}

/// Checks the arguments against the column definition list.
///
/// # Safety
/// A live descriptor, and datums of the declared types.
unsafe fn layout(
    descriptor: pg_sys::TupleDesc,
    keys: pg_sys::NullableDatum,
    mode: pg_sys::NullableDatum,
    presence: pg_sys::NullableDatum,
    lenient: pg_sys::NullableDatum,
) -> Layout {
    // SAFETY: a live descriptor, with as many attributes as it says.
    let attributes: Vec<_> =
        unsafe { (0..(*descriptor).natts as usize).map(|index| attribute(descriptor, index)).collect() };
    // SAFETY: a text[], a live one.
    let keys = unsafe { text_array(keys) };
    // SAFETY: an int[] and an int.
    let (presence, lenient, mode) = unsafe {
        (
            Vec::<Option<i32>>::from_datum(presence.value, presence.isnull).unwrap_or_default(),
            Vec::<Option<i32>>::from_datum(lenient.value, lenient.isnull).unwrap_or_default(),
            i32::from_datum(mode.value, mode.isnull).unwrap_or(0),
        )
    };

    let count = keys.len();
    if count + presence.len() != attributes.len() {
        misuse(&format!(
            "{count} keys and {} presence columns do not add up to the {} columns of the column definition list",
            presence.len(),
            attributes.len()
        ));
    }
    if keys.iter().collect::<HashSet<_>>().len() < count {
        misuse("a key is listed twice");
    }
    let presence = presence
        .into_iter()
        .map(|column| match column.and_then(|column| usize::try_from(column).ok()) {
            Some(column @ 1..) if column <= count => column - 1,
            _ => misuse("presence must hold numbers of data columns, from 1"),
        })
        .collect();
    if attributes.iter().skip(count).any(|attribute| attribute.atttypid != pg_sys::BOOLOID) {
        misuse("presence columns must be boolean");
    }
    let keyless = mode & RECORDS_KEYLESS != 0;
    // A byte that is not UTF-8, so no key of an object can equal it.
    let keys = keys.into_iter().map(|key| if keyless { vec![0xff] } else { key });
    let columns = attributes.into_iter().zip(keys).enumerate();
    let text = |index: usize| match mode & RECORDS_TEXTS {
        0 => Strings::Json,
        _ if lenient.contains(&i32::try_from(index + 1).ok()) => Strings::MaybeTexts,
        _ => Strings::Texts,
    };
    // SAFETY: the current context is that of the whole call.
    let columns = columns
        .map(|(i, (attribute, key))| unsafe { Column::new(attribute.atttypid, attribute.atttypmod, key, text(i)) })
        .collect();
    Layout {
        columns,
        presence,
        uniform: mode & RECORDS_UNIFORM != 0,
        keyless,
        lines: mode & RECORDS_LINES != 0,
        bare: mode & RECORDS_BARE != 0,
        required: usize::try_from(mode / RECORDS_REQUIRED).unwrap_or(0),
    }
}

/// The elements of a text[], in UTF-8.
///
/// # Safety
/// A text[] datum.
unsafe fn text_array(array: pg_sys::NullableDatum) -> Vec<Vec<u8>> {
    if array.isnull {
        return Vec::new();
    }
    let (mut elements, mut nulls, mut count) = (std::ptr::null_mut(), std::ptr::null_mut(), 0);
    // SAFETY: promised by the caller; element type text is a varlena aligned as int.
    unsafe {
        let array = pg_sys::pg_detoast_datum(array.value.cast_mut_ptr()) as *mut pg_sys::ArrayType;
        let align = b'i' as std::ffi::c_char;
        pg_sys::deconstruct_array(array, pg_sys::TEXTOID, -1, false, align, &mut elements, &mut nulls, &mut count);
        (0..count as usize)
            .map(|index| {
                if *nulls.add(index) {
                    misuse("a key is NULL");
                }
                let text = payload(*elements.add(index));
                let utf8 =
                    pg_sys::pg_server_to_any(text.as_ptr().cast(), text.len() as i32, pg_sys::pg_enc::PG_UTF8 as i32);
                if utf8.cast_const().cast() == text.as_ptr() {
                    text.to_vec()
                } else {
                    std::ffi::CStr::from_ptr(utf8).to_bytes().to_vec()
                }
            })
            .collect()
    }
}

/// Raises the error for a call whose arguments do not fit together.
fn misuse(message: &str) -> ! {
    raise(SqlState::INVALID_PARAMETER_VALUE, &format!("record_source: {message}"), None, None)
}
