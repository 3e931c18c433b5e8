//! Writes rows as CSV, with the quoting of COPY (`CopyAttributeOutCSV` of copyto.c).

use super::Encoders;
use super::buffer::BodyBuffer;
use super::catalog;
use super::encode::{Encoder, Writer};
use super::varlena::payload;
use crate::pg::ffi::composite::{attribute, attribute_count};
use pgrx::pg_sys;
use pgrx::pg_sys::Datum;

/// In the CSV of requests, this text without quotes means null.
const NULL: &[u8] = b"NULL";

/// Appends the names of the first `count` columns, apart from dropped ones.
///
/// # Safety
/// `descriptor` must be valid.
pub(super) unsafe fn header(descriptor: pg_sys::TupleDesc, count: usize, body: &mut BodyBuffer) {
    let mut first = true;
    // SAFETY: by contract, and the indexes are below the count.
    let live = unsafe { (0..attribute_count(descriptor)).map(|i| attribute(descriptor, i)) };
    for attribute in live.filter(|attribute| !attribute.attisdropped).take(count) {
        if !std::mem::take(&mut first) {
            body.byte(b',');
        }
        field(catalog::attribute_name(attribute), body);
    }
}

/// Appends the line of a row. A null is an empty field, except in a row of one column, because readers of CSV skip empty lines.
///
/// # Safety
/// `values` and `nulls` must be those of a tuple of the description that `encoders` were made from, valid until the row ends.
pub(super) unsafe fn line(encoders: &mut Encoders, values: *const Datum, nulls: *const bool, writer: &mut Writer) {
    let is_only = encoders.columns.len() == 1;
    for (i, (column, output)) in encoders.columns.iter_mut().zip(&mut encoders.outputs).enumerate() {
        if i > 0 {
            writer.body.byte(b',');
        }
        // SAFETY: by contract; the encoder tells the type of the value.
        unsafe {
            let Some(value) = column.value((values, nulls)) else {
                if is_only {
                    writer.body.put(NULL);
                }
                continue;
            };
            match column.encoder {
                Encoder::Int2 | Encoder::Int4 | Encoder::Int8 => column.encoder.encode(value, writer),
                Encoder::Text | Encoder::Json => {
                    let text = payload(value, &mut writer.scratch);
                    field(text, &mut writer.body);
                }
                _ => {
                    column.encoder.check_layout(value, writer);
                    let text = output.output(value, writer);
                    field(text, &mut writer.body);
                }
            }
        }
    }
}

/// Appends a field that is not null, in quotes if its text needs them or would be read as null without.
fn field(text: &[u8], body: &mut BodyBuffer) {
    let is_text = !text.is_empty() && text != NULL;
    if is_text && memchr::memchr3(b',', b'\n', b'\r', text).is_none() && memchr::memchr(b'"', text).is_none() {
        return body.put(text);
    }
    body.byte(b'"');
    let mut rest = text;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        let (before, after) = rest.split_at(quote + 1);
        body.put(before);
        body.byte(b'"');
        rest = after;
    }
    body.put(rest);
    body.byte(b'"');
}
