//! Writes rows as JSON text.
//!
//! A [`RowSink`] is a `DestReceiver`: the executor passes it each result row, and it writes the row's JSON text directly into the
//! response body. The text equals that of PostgreSQL's `row_to_json`, byte for byte.
//!
//! - `buffer`: the body, a varlena that grows
//! - `encode`: one encoder per column, by type; those of `array` and `composite` contain further encoders, because these types are
//!   recursive
//! - `text`, `number`, `datetime`, `jsonb`: turn values into text
//! - `varlena`: stored values that are short, compressed or out of line
//! - `catalog`: decides which encoder a type gets
//! - `paging`: stops behind a page that begins beside a row, and keeps the keys of the rows at its ends
//! - `embedded`: SQL functions that write the rows of embedded relations, within the statement

mod array;
mod buffer;
mod catalog;
mod composite;
mod csv;
mod datetime;
mod embedded;
mod encode;
mod jsonb;
mod number;
mod paging;
#[cfg(feature = "pg_test")]
mod test_hook;
mod text;
mod varlena;

pub use buffer::{BodyBuffer, FRONT, MAX_VARLENA};
pub use catalog::has_cast_to_json;
pub use paging::Paging;

use crate::pg::ffi::composite::{attribute, attribute_count};
use crate::pg::ffi::preserving_error_data::preserving_error_data;
use crate::respond::Captured;
use encode::{Column, Encoder, Function, Row, Writer, columns, object};
use paging::{KeyColumn, receive_in_page};
use pgrx::pg_sys::{Datum, Oid};
use pgrx::{pg_guard, pg_sys};
use std::ffi::{c_char, c_int};
use varlena::{Scratch, corrupted, payload};

/// How a row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowShape {
    /// `{"a":1,"b":2}`, rows separated by commas.
    Object {
        /// Leave out null members at every depth, as `json_strip_nulls` does.
        strip_nulls: bool,
    },
    /// Only the first column, as a JSON value, `null` if it is null; rows separated by commas.
    Value,
    /// The rows of [`RowShape::Object`] or, with `values`, of [`RowShape::Value`], each on a line of its own.
    JsonLines { values: bool },
    /// The bytes of the first column, without separators: the content of text, json and bytea, the text form of other types, and
    /// nothing for null.
    Raw,
    /// Like [`RowShape::Raw`], with rows separated by line feeds.
    Lines,
    /// One row of two columns: the body, written as bytes, and a bigint, the number of rows that the body was made of.
    Body,
    /// A header line with the names of the columns, and a line for each row, with the quoting of COPY (PostgreSQL docs, COPY, "CSV
    /// Format"). No line feed at the end.
    Csv,
}

/// Which of a query's rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many rows are skipped first.
    pub offset: u64,
    /// How many rows are written at most.
    pub limit: u64,
}

/// Which of a query's rows are written, and what is noted of them.
pub enum Extent<'p> {
    All,
    Window(Window),
    /// Those that a page beside a row still lacks.
    Page(&'p mut Paging),
    /// All whose first hidden column is none of these values: the client has the others already. They are counted, and their hidden
    /// columns are kept.
    Unless(&'p [Vec<u8>]),
}

impl RowShape {
    fn is_raw(self) -> bool {
        matches!(self, RowShape::Raw | RowShape::Lines | RowShape::Body)
    }
}

/// The encoders of a query's result columns. Kept with the query's plan. Every execution compares them with the description of the
/// result, and makes them anew if they differ.
#[derive(Default)]
pub struct Encoders {
    columns: Vec<Column>,
    /// The description that `columns` was made from: type, type modifier and name of each attribute.
    described: Vec<(Oid, i32, [c_char; NAME_LENGTH])>,
    /// The output function of the first column, for [`RowShape::Raw`].
    raw_output: Option<Box<Function>>,
    /// The output functions of all columns, for [`RowShape::Csv`].
    #[allow(clippy::vec_box)] // their addresses are handed out and must not change when another one is added
    outputs: Vec<Box<Function>>,
    /// How many of the last columns before the keys are hidden. They have no encoders.
    hidden: usize,
    /// How many of the last columns are the keys of the row.
    key_count: usize,
    keys: Vec<KeyColumn>,
    cast_generation: u64,
    executions: u64,
    /// The last time zone span, kept between executions.
    zone: datetime::ZoneSpan,
}

const NAME_LENGTH: usize = pg_sys::NAMEDATALEN as usize;

impl Encoders {
    /// Encoders for results whose last columns, of type `text` or `bytea`, are hidden, apart from the keys of the row that follow.
    pub fn hiding(hidden: usize, keys: usize) -> Self {
        Encoders { hidden, key_count: keys, ..Encoders::default() }
    }

    /// Makes the encoders for a result, unless they fit already.
    ///
    /// # Safety
    /// `descriptor` must be valid.
    unsafe fn prepare(&mut self, descriptor: pg_sys::TupleDesc, shape: RowShape) {
        self.executions += 1;
        // SAFETY: by contract, and the indexes are below the count.
        let attributes = unsafe { (0..attribute_count(descriptor)).map(|index| attribute(descriptor, index)) };
        let description = attributes.clone().map(|attribute| {
            // A dropped column has type 0.
            (attribute.atttypid, attribute.atttypmod, attribute.attname.data)
        });
        if !self.described.iter().copied().eq(description.clone()) || self.cast_generation != catalog::cast_generation()
        {
            // Look-ups in the catalogue may raise errors, and must not leave behind a description that looks complete.
            self.described.clear();
            self.raw_output = None;
            self.outputs.clear();
            // SAFETY: by contract.
            self.columns = unsafe { columns(descriptor) };
            // A result has no dropped columns.
            let keys = self.columns.split_off(self.columns.len().saturating_sub(self.key_count));
            let types = attributes.clone().skip(self.columns.len()).map(|attribute| attribute.atttypid);
            self.keys = KeyColumn::of(keys, types);
            self.columns.truncate(self.columns.len().saturating_sub(self.hidden));
            let is_captured = |attribute: &pg_sys::FormData_pg_attribute| {
                matches!(attribute.atttypid, pg_sys::TEXTOID | pg_sys::BYTEAOID)
            };
            if !attributes.clone().skip(self.columns.len()).take(self.hidden).all(is_captured) {
                corrupted();
            }
            self.described = description.collect();
            self.cast_generation = catalog::cast_generation();
        }
        if shape == RowShape::Csv && self.outputs.len() != self.columns.len() {
            let live = attributes.clone().filter(|attribute| !attribute.attisdropped).take(self.columns.len());
            self.outputs =
                live.map(|attribute| Function::new(catalog::output_function(attribute.atttypid).0)).collect();
        }
        if shape.is_raw() && self.raw_output.is_none() {
            let first = attributes.clone().find(|attribute| !attribute.attisdropped);
            self.raw_output = first.map(|attribute| Function::new(catalog::output_function(attribute.atttypid).0));
        }
    }
}

/// Writes the rows of one execution of a query into a body.
#[repr(C)]
pub struct RowSink<'e> {
    /// Must be first, because PostgreSQL knows only this part of the sink.
    receiver: pg_sys::DestReceiver,
    writer: Writer,
    shape: RowShape,
    rows: u64,
    window: Window,
    /// Rows received, if there is a window.
    seen: u64,
    captured: Captured,
    paging: Option<&'e mut Paging>,
    /// The first hidden column of rows that are not written.
    known: &'e [Vec<u8>],
    encoders: &'e mut Encoders,
}

impl<'e> RowSink<'e> {
    /// A sink that appends to `body`. Only this sink may use `encoders` until it is done. A run of the query within itself needs its own
    /// encoders.
    pub fn new(body: BodyBuffer, shape: RowShape, encoders: &'e mut Encoders) -> Self {
        Self {
            receiver: pg_sys::DestReceiver {
                receiveSlot: Some(receive),
                rStartup: Some(startup),
                rShutdown: Some(shutdown),
                rDestroy: Some(destroy),
                mydest: pg_sys::CommandDest::DestNone,
            },
            writer: Writer {
                body,
                scratch: Scratch::new(),
                zone: encoders.zone,
                strip_nulls: shape == RowShape::Object { strip_nulls: true },
                execution: 0,
            },
            shape,
            rows: 0,
            window: Window { offset: 0, limit: u64::MAX },
            seen: 0,
            captured: Captured::default(),
            paging: None,
            known: &[],
            encoders,
        }
    }

    /// The same sink, but it writes only these rows.
    pub fn to(mut self, extent: Extent<'e>) -> Self {
        match extent {
            Extent::All => {}
            Extent::Window(window) => {
                self.window = window;
                self.receiver.receiveSlot = Some(receive_within);
            }
            Extent::Page(paging) => {
                self.rows = paging.rows();
                self.paging = Some(paging);
                self.receiver.receiveSlot = Some(receive_in_page);
            }
            Extent::Unless(known) => self.known = known,
        }
        self
    }

    /// The receiver for `SPIExecuteOptions.dest` and the like. While the query runs, the sink must not move or be used otherwise.
    pub fn receiver(&mut self) -> *mut pg_sys::DestReceiver {
        std::ptr::from_mut(self).cast()
    }

    /// Rows received so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The body with the rows in it, and the hidden columns.
    pub fn into_parts(self) -> (BodyBuffer, Captured) {
        (self.writer.body, self.captured)
    }

    /// Keeps the hidden columns of a row that was written.
    ///
    /// # Safety
    /// As [`Self::row`].
    unsafe fn capture(&mut self, values: *const Datum, nulls: *const bool) {
        let kept = if self.rows == 1 { &mut self.captured.first } else { &mut self.captured.later };
        kept.resize_with(self.encoders.hidden, Default::default);
        let start = self.encoders.columns.len();
        for (i, kept) in kept.iter_mut().enumerate() {
            // SAFETY: the columns are the last of the description, which the row fits; their values are varlenas.
            unsafe {
                match (values, nulls).value(start + i) {
                    Some(value) => {
                        let bytes = kept.get_or_insert_default();
                        bytes.clear();
                        bytes.extend_from_slice(payload(value, &mut self.writer.scratch));
                    }
                    None => *kept = None,
                }
            }
        }
    }

    /// Whether the client has the row already.
    ///
    /// # Safety
    /// As [`Self::row`].
    unsafe fn is_known(&mut self, values: *const Datum, nulls: *const bool) -> bool {
        // SAFETY: the first hidden column follows the others; its values are varlenas.
        let version = unsafe {
            let value =
                (self.encoders.hidden > 0).then(|| (values, nulls).value(self.encoders.columns.len())).flatten();
            value.map(|value| payload(value, &mut self.writer.scratch))
        };
        version.is_some_and(|version| self.known.iter().any(|known| known == version))
    }

    /// # Safety
    /// `values` and `nulls` must be those of a tuple of the result, valid during the call.
    #[inline(always)]
    unsafe fn row(&mut self, values: *const Datum, nulls: *const bool) {
        match self.shape {
            RowShape::Object { .. } | RowShape::Value if self.rows > 0 => self.writer.body.byte(b','),
            RowShape::Lines if self.rows > 0 => self.writer.body.byte(b'\n'),
            RowShape::Csv => self.writer.body.byte(b'\n'),
            _ => {}
        }
        self.rows += 1;
        let start = self.writer.body.len();
        // SAFETY: the encoders were made from the result's description in `startup`.
        unsafe {
            match self.shape {
                RowShape::Object { .. } | RowShape::JsonLines { values: false } => {
                    object(&mut self.encoders.columns, (values, nulls), &mut self.writer);
                }
                RowShape::Value | RowShape::JsonLines { values: true } => match self.encoders.columns.first_mut() {
                    Some(column) => match column.value((values, nulls)) {
                        Some(value) => column.encoder.encode(value, &mut self.writer),
                        None => self.writer.body.put(b"null"),
                    },
                    None => self.writer.body.put(b"null"),
                },
                RowShape::Raw | RowShape::Lines => self.raw_row(values, nulls),
                RowShape::Body => {
                    self.raw_row(values, nulls);
                    if let Some(count) = self.encoders.columns.get(1).and_then(|column| column.value((values, nulls))) {
                        self.rows = count.value() as u64;
                    }
                }
                RowShape::Csv => csv::line(self.encoders, values, nulls, &mut self.writer),
            }
        }
        if matches!(self.shape, RowShape::JsonLines { .. }) {
            self.writer.body.end_json_line(start);
        }
    }

    /// # Safety
    /// As [`Self::row`].
    unsafe fn raw_row(&mut self, values: *const Datum, nulls: *const bool) {
        let (Some(column), Some(output)) = (self.encoders.columns.first_mut(), self.encoders.raw_output.as_mut())
        else {
            return;
        };
        // SAFETY: by contract. The encoder matches the type of the value.
        unsafe {
            let Some(value) = column.value((values, nulls)) else {
                return;
            };
            match column.encoder {
                Encoder::Text | Encoder::Json | Encoder::Bytea => {
                    self.writer.body.put(payload(value, &mut self.writer.scratch));
                }
                Encoder::Jsonb => column.encoder.encode(value, &mut self.writer),
                _ => {
                    column.encoder.check_layout(value, &mut self.writer);
                    let text = output.output(value, &mut self.writer);
                    self.writer.body.put(text);
                }
            }
        }
    }
}

unsafe extern "C-unwind" fn startup(
    receiver: *mut pg_sys::DestReceiver,
    _operation: c_int,
    descriptor: pg_sys::TupleDesc,
) {
    // SAFETY: the receiver is the first part of a sink. The executor passes a valid descriptor.
    let start = || unsafe {
        let sink = &mut *receiver.cast::<RowSink>();
        sink.encoders.prepare(descriptor, sink.shape);
        sink.writer.execution = sink.encoders.executions;
        sink.writer.scratch.start(pg_sys::CurrentMemoryContext);
        let is_begun = sink.paging.as_deref_mut().is_some_and(|paging| std::mem::replace(&mut paging.is_open, true));
        if sink.shape == RowShape::Csv && !is_begun {
            csv::header(descriptor, sink.encoders.columns.len(), &mut sink.writer.body);
        }
    };
    // SAFETY: the function does nothing else.
    unsafe { preserving_error_data(start) }
}

/// Values may be written by user functions, such as casts to json, whose errors may have any SQLSTATE.
unsafe extern "C-unwind" fn receive(slot: *mut pg_sys::TupleTableSlot, receiver: *mut pg_sys::DestReceiver) -> bool {
    // SAFETY: the receiver is the first part of a sink. The executor passes a valid slot, whose values stay in place until the next
    // row.
    let write = || unsafe {
        let sink = &mut *receiver.cast::<RowSink>();
        let outer = pg_sys::CurrentMemoryContext;
        let width = (*(*slot).tts_tupleDescriptor).natts;
        if usize::try_from(width) != Ok(sink.encoders.described.len()) {
            corrupted();
        }
        if i32::from((*slot).tts_nvalid) < width {
            pg_sys::slot_getsomeattrs_int(slot, width);
        }
        if !sink.known.is_empty() && sink.is_known((*slot).tts_values, (*slot).tts_isnull) {
            sink.rows += 1;
        } else {
            sink.row((*slot).tts_values, (*slot).tts_isnull);
        }
        if sink.encoders.hidden > 0 {
            sink.capture((*slot).tts_values, (*slot).tts_isnull);
        }
        sink.writer.scratch.leave(outer);
        sink.writer.body.check_limit();
    };
    // SAFETY: the function does nothing else.
    unsafe { preserving_error_data(write) };
    true
}

unsafe extern "C-unwind" fn receive_within(
    slot: *mut pg_sys::TupleTableSlot,
    receiver: *mut pg_sys::DestReceiver,
) -> bool {
    // SAFETY: the receiver is the first part of a sink.
    let (seen, window) = unsafe {
        let sink = receiver.cast::<RowSink>();
        let seen = (*sink).seen;
        (*sink).seen = seen.wrapping_add(1);
        (seen, (*sink).window)
    };
    if seen.checked_sub(window.offset).is_some_and(|position| position < window.limit) {
        // SAFETY: both functions have the same contract.
        return unsafe { receive(slot, receiver) };
    }
    true
}

#[pg_guard]
unsafe extern "C-unwind" fn shutdown(receiver: *mut pg_sys::DestReceiver) {
    // SAFETY: the receiver is the first part of a sink.
    unsafe {
        let sink = &mut *receiver.cast::<RowSink>();
        sink.writer.scratch.end();
        sink.encoders.zone = sink.writer.zone;
    }
}

/// Does nothing, because the sink belongs to whoever made it.
#[pg_guard]
unsafe extern "C-unwind" fn destroy(_receiver: *mut pg_sys::DestReceiver) {}
