//! What the sink does for a page that begins beside a row: it stops behind the page, and keeps the keys of the rows at its ends.

use super::encode::{Column, Function, Writer};
use super::{RowShape, RowSink, catalog, receive};
use crate::error::{Code, Error, Result};
use crate::keyset::{Ends, Keys};
use crate::pg::ffi::canonical_text::CanonicalText;
use crate::pg::ffi::preserving_error_data::preserving_error_data;
use pgrx::pg_sys::{self, Datum, Oid};

/// A page while it is read, by one statement or by several.
pub struct Paging {
    /// How many rows it has at most.
    limit: u64,
    /// Rows received, of which one more than the limit may be.
    pub(super) seen: u64,
    /// Where the text of each row begins, if the rows come from the last to the first.
    starts: Option<Vec<usize>>,
    /// How many bytes are between the texts of two rows.
    between: usize,
    /// A statement has written what comes before the rows.
    pub(super) is_open: bool,
    ends: Ends,
    /// The row behind the page has the keys of the last row in it.
    is_ambiguous: bool,
}

impl Paging {
    /// A page without rows. `backward`: its rows come from the last to the first. `order`: see [`Ends::order`].
    pub fn new(limit: u64, backward: bool, order: u32) -> Self {
        let ends = Ends { order, ..Ends::default() };
        let starts = backward.then(Vec::new);
        Paging { limit, seen: 0, starts, between: 1, is_open: false, ends, is_ambiguous: false }
    }

    /// Whether it is known that the page is full, and whether there is a row behind it.
    pub fn is_done(&self) -> bool {
        self.seen > self.limit
    }

    /// How many rows are in the page.
    pub fn rows(&self) -> u64 {
        self.seen.min(self.limit)
    }

    /// The rows at its ends. Turns the rows of the body around, if they came from the last to the first.
    ///
    /// # Errors
    /// REST461 if two rows have the same keys, so that a page cannot begin between them.
    pub fn finish(self, body: &mut super::BodyBuffer) -> Result<Ends> {
        if self.is_ambiguous {
            return Err(Error::new(Code::CursorOrder, "Two rows have the same key, so no page can begin between them")
                .hint("Add columns to 'order' that tell the rows apart, or ask for pages with 'limit' and 'offset'."));
        }
        if let Some(starts) = &self.starts {
            body.turn_around(starts, self.between);
        }
        Ok(self.ends)
    }
}

/// Turns the keys of a row into texts.
pub(super) struct KeyColumn {
    column: Column,
    /// `None` for a type whose values name objects: its number is the text.
    output: Option<Box<Function>>,
}

impl KeyColumn {
    /// The last columns of a result. `types`: of these columns.
    pub fn of(columns: Vec<Column>, types: impl Iterator<Item = Oid>) -> Vec<Self> {
        let output =
            |data_type| (!is_object_name(data_type)).then(|| Function::new(catalog::output_function(data_type).0));
        columns
            .into_iter()
            .zip(types)
            .map(|(column, data_type)| KeyColumn { column, output: output(data_type) })
            .collect()
    }

    /// # Safety
    /// `row` is a row of the result.
    unsafe fn text(&mut self, row: (*const Datum, *const bool), writer: &mut Writer) -> Option<String> {
        let KeyColumn { column, output } = self;
        // SAFETY: by contract.
        let value = unsafe { column.value(row) }?;
        let Some(output) = output else { return Some((value.value() as u32).to_string()) };
        // SAFETY: by contract; the encoder and the function are those of the value's type.
        let text = unsafe {
            column.encoder.check_layout(value, writer);
            output.output(value, writer)
        };
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

/// Whether values of a type are numbers that its output function shows as names, which may mean something else tomorrow.
fn is_object_name(data_type: Oid) -> bool {
    // SAFETY: a look-up in a system cache.
    let base = unsafe { pg_sys::getBaseType(data_type) };
    matches!(
        base,
        pg_sys::REGPROCOID
            | pg_sys::REGPROCEDUREOID
            | pg_sys::REGOPEROID
            | pg_sys::REGOPERATOROID
            | pg_sys::REGCLASSOID
            | pg_sys::REGTYPEOID
            | pg_sys::REGROLEOID
            | pg_sys::REGNAMESPACEOID
            | pg_sys::REGCONFIGOID
            | pg_sys::REGDICTIONARYOID
            | pg_sys::REGCOLLATIONOID
    )
}

impl RowSink<'_> {
    /// # Safety
    /// As [`RowSink::row`].
    unsafe fn keys(&mut self, values: *const Datum, nulls: *const bool) -> Keys {
        // Texts that mean the same in every session, whatever its settings.
        let _settings = CanonicalText::set();
        let writer = &mut self.writer;
        // SAFETY: by contract.
        self.encoders.keys.iter_mut().map(|key| unsafe { key.text((values, nulls), writer) }).collect()
    }
}

/// Receives a row of a page.
pub(super) unsafe extern "C-unwind" fn receive_in_page(
    slot: *mut pg_sys::TupleTableSlot,
    receiver: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: the receiver is the first part of a sink with a page.
    let sink = unsafe { &mut *receiver.cast::<RowSink>() };
    let Some(paging) = sink.paging.as_deref_mut() else { return false };
    paging.seen += 1;
    let (number, limit) = (paging.seen, paging.limit);
    if number <= limit {
        if let Some(starts) = &mut paging.starts {
            // A line feed ends a line of JSON; it is part of the row. In CSV there is one before each row, behind the header line.
            let before = match sink.shape {
                RowShape::JsonLines { .. } => {
                    paging.between = 0;
                    0
                }
                RowShape::Csv => 1,
                _ => usize::from(sink.rows > 0),
            };
            starts.push(sink.writer.body.len() + before);
        }
        // SAFETY: both functions have the same contract.
        unsafe { receive(slot, receiver) };
    }
    if number > 1 && number < limit {
        return true;
    }
    // SAFETY: the executor passes a valid slot. `receive` may have taken it apart, which the last row still needs.
    let keep = || unsafe {
        let sink = &mut *receiver.cast::<RowSink>();
        let outer = pg_sys::CurrentMemoryContext;
        let width = (*(*slot).tts_tupleDescriptor).natts;
        if i32::from((*slot).tts_nvalid) < width {
            pg_sys::slot_getsomeattrs_int(slot, width);
        }
        let keys = sink.keys((*slot).tts_values, (*slot).tts_isnull);
        sink.writer.scratch.leave(outer);
        let Some(paging) = sink.paging.as_deref_mut() else { return };
        if number > limit {
            paging.ends.more = true;
            paging.is_ambiguous = paging.ends.last.as_ref() == Some(&keys);
            return;
        }
        if number == limit {
            paging.ends.last = Some(keys.clone());
        }
        if number == 1 {
            paging.ends.first = Some(keys);
        }
    };
    // SAFETY: the function does nothing else.
    unsafe { preserving_error_data(keep) };
    number <= limit
}
