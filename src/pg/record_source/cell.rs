//! Turns one JSON value into one datum.

use super::column::{Column, Conversion, Strings};
use super::memory::RowMemory;
use crate::json::{self, Reader, Text, Value};
use crate::limits::JSONB_BUILD_BYTES;
use crate::values::{self, JsonbBuilder};
use pgrx::pg_sys::{self, Datum};
use std::ffi::c_char;

const HEADER: usize = pg_sys::VARHDRSZ;

/// Makes cells, and keeps the buffers for that. The context of `memory` must be the current one when it makes a cell.
pub struct Cells<'a> {
    pub memory: RowMemory,
    /// Whether the server's encoding differs from UTF-8, the encoding of bodies.
    recode: bool,
    digits: Vec<u16>,
    buffer: Vec<u8>,
    jsonb: JsonbBuilder<'a>,
}

impl<'a> Cells<'a> {
    pub fn new(memory: RowMemory) -> Self {
        // SAFETY: reads a variable of this backend.
        let encoding = unsafe { pg_sys::GetDatabaseEncoding() } as u32;
        let recode = encoding != pg_sys::pg_enc::PG_UTF8;
        Cells { memory, recode, digits: Vec::new(), buffer: Vec::new(), jsonb: JsonbBuilder::default() }
    }

    /// Reads the next value as a value of the column's type. `None` for NULL. Does not check constraints of a domain.
    ///
    /// Raises PostgreSQL's own error for a value that the type refuses.
    ///
    /// # Errors
    /// The text is not JSON.
    #[inline]
    pub fn read(&mut self, column: &mut Column, reader: &mut Reader<'a>) -> Result<Option<Datum>, json::Error> {
        if column.kind == Conversion::Jsonb
            && column.strings == Strings::Json
            && !self.recode
            && reader.length() <= JSONB_BUILD_BYTES
            && reader.kind()? != json::ValueKind::Null
        {
            let built = self.jsonb.build(reader)?;
            return Ok(Some(Datum::from(self.memory.copy(built))));
        }
        let value = reader.value()?;
        if value == Value::Null {
            return Ok(None);
        }
        if let Some(datum) = self.direct(column, value) {
            return Ok(Some(datum));
        }
        Ok(self.slow(column, value))
    }

    /// Makes the value without PostgreSQL's input functions, for the forms in which their result is certain.
    #[inline]
    fn direct(&mut self, column: &Column, value: Value<'a>) -> Option<Datum> {
        // The characters of a number, or of a string without escapes.
        let plain = match value {
            Value::Number(number) => number.text,
            Value::String(Text { raw, escaped: false }) => raw,
            _ => &[],
        };
        match column.kind {
            Conversion::Bool => match value {
                Value::Bool(value) => Some(Datum::from(value)),
                _ => None,
            },
            Conversion::Int2 => i16::try_from(json::parse_integer(plain)?).ok().map(Datum::from),
            Conversion::Int4 => i32::try_from(json::parse_integer(plain)?).ok().map(Datum::from),
            Conversion::Int8 => json::parse_integer(plain).map(Datum::from),
            Conversion::Float4 | Conversion::Float8 => float(column.kind, value),
            Conversion::Numeric => self.numeric(column.typmod, plain),
            Conversion::Text => Some(self.text(scalar_text(value))),
            Conversion::Varchar => self.varchar(column.typmod, scalar_text(value)),
            Conversion::Bpchar => self.bpchar(column.typmod, scalar_text(value)),
            Conversion::Uuid => Some(Datum::from(self.memory.copy(&values::parse_uuid(plain)?))),
            Conversion::Date => values::parse_date(plain).map(Datum::from),
            Conversion::Timestamp | Conversion::Timestamptz => timestamp(column, plain),
            Conversion::Json => match (value, column.strings) {
                (Value::String(_), Strings::Texts) => None,
                (Value::String(text), Strings::MaybeTexts) => Some(self.json_of_text(text)),
                (value, _) => Some(self.json(value)),
            },
            Conversion::Jsonb | Conversion::Input | Conversion::Populate => None,
        }
    }

    #[inline(never)]
    fn slow(&mut self, column: &mut Column, value: Value<'a>) -> Option<Datum> {
        match column.kind {
            Conversion::Populate => {
                let json = self.json_text(value);
                let (json, recode) = (self.server(json), self.recode);
                // SAFETY: checked JSON in the server's encoding.
                unsafe { column.populate(json, |key| server_text(key, recode).to_vec()) }
            }
            Conversion::Jsonb if column.strings == Strings::Json || !matches!(value, Value::String(_)) => {
                let json = self.json_text(value);
                let json = self.c_string(Text { raw: json, escaped: false });
                // SAFETY: a C string in the server's encoding.
                Some(unsafe { column.input(json) })
            }
            _ => {
                let text = self.c_string(scalar_text(value));
                // SAFETY: a C string in the server's encoding.
                Some(unsafe { column.input(text) })
            }
        }
    }

    fn numeric(&mut self, typmod: i32, text: &[u8]) -> Option<Datum> {
        let decimal = values::parse_decimal(text, &mut self.digits)?;
        let decimal = if typmod < HEADER as i32 {
            decimal
        } else {
            // numeric.c: the precision is in the upper half, and the scale in the lower one, as eleven bits with a sign.
            let packed = typmod - HEADER as i32;
            decimal.rescaled(packed >> 16 & 0xFFFF, (packed & 0x7FF ^ 1024) - 1024)?
        };
        self.buffer.clear();
        decimal.write(&self.digits, &mut self.buffer);
        Some(Datum::from(self.memory.copy(&self.buffer)))
    }

    /// A varlena of the text's characters.
    #[inline]
    fn text(&mut self, text: Text<'_>) -> Datum {
        if self.recode {
            let plain = self.unescaped(text);
            return self.varlena(&[self.server(plain)]);
        }
        if !text.escaped {
            return self.varlena(&[text.raw]);
        }
        let place = self.memory.allocate(HEADER + text.raw.len());
        // SAFETY: zeroed memory of that size, which nothing else can reach. The header is set to the size that was filled.
        unsafe {
            place.write_bytes(0, HEADER + text.raw.len());
            let out = std::slice::from_raw_parts_mut(place.add(HEADER), text.raw.len());
            let length = json::unescape(text.raw, out);
            pgrx::varlena::set_varsize_4b(place.cast(), (HEADER + length) as i32);
        }
        Datum::from(place)
    }

    /// A varlena of all parts.
    #[inline]
    fn varlena(&mut self, parts: &[&[u8]]) -> Datum {
        let size = HEADER + parts.iter().map(|part| part.len()).sum::<usize>();
        let start = self.memory.allocate(size);
        // SAFETY: fresh memory of the size that is filled.
        unsafe {
            let mut place = start.add(HEADER);
            for part in parts {
                std::ptr::copy_nonoverlapping(part.as_ptr(), place, part.len());
                place = place.add(part.len());
            }
            pgrx::varlena::set_varsize_4b(start.cast(), size as i32);
        }
        Datum::from(start)
    }

    fn varchar(&mut self, typmod: i32, text: Text<'_>) -> Option<Datum> {
        // A character takes at least one byte. A longer text may still fit, or end in spaces that are cut off.
        let fits = typmod < HEADER as i32 || text.raw.len() <= (typmod as usize) - HEADER;
        fits.then(|| self.text(text))
    }

    fn bpchar(&mut self, typmod: i32, text: Text<'_>) -> Option<Datum> {
        if typmod < HEADER as i32 {
            return Some(self.text(text));
        }
        let width = typmod as usize - HEADER;
        if text.escaped || !text.raw.is_ascii() {
            return None;
        }
        let missing = width.checked_sub(text.raw.len())?;
        const SPACES: &[u8] = &[b' '; 64];
        Some(self.varlena(&[text.raw, SPACES.get(..missing)?]))
    }

    /// The text of a `json` value: as it is in the body, but without unnecessary escapes in strings.
    fn json(&mut self, value: Value<'_>) -> Datum {
        let json = self.json_text(value);
        let json = self.server(json);
        self.varlena(&[json])
    }

    /// The text itself if it is JSON, or else the text as a JSON string.
    fn json_of_text(&mut self, text: Text<'_>) -> Datum {
        let plain = self.unescaped(text);
        match json::check(plain) {
            Ok(_) => self.varlena(&[self.server(plain)]),
            Err(_) => self.json(Value::String(text)),
        }
    }

    /// A value as JSON text. If it differs from the body, it is copied to the row's memory.
    fn json_text<'r>(&mut self, value: Value<'r>) -> &'r [u8] {
        match value {
            Value::String(text) => {
                self.buffer.clear();
                json::escape(&text.unescaped(), &mut self.buffer);
                let place = self.memory.copy(&self.buffer);
                // SAFETY: a copy of that length, which lives until the row is stored. Nothing that is made of it lives longer.
                unsafe { std::slice::from_raw_parts(place, self.buffer.len()) }
            }
            value => scalar_text(value).raw,
        }
    }

    /// The characters of a text in UTF-8. If they differ from the body, they are copied to the row's memory.
    fn unescaped<'r>(&mut self, text: Text<'r>) -> &'r [u8] {
        match text.unescaped() {
            std::borrow::Cow::Borrowed(raw) => raw,
            std::borrow::Cow::Owned(plain) => {
                let place = self.memory.copy(&plain);
                // SAFETY: as in `json_text`.
                unsafe { std::slice::from_raw_parts(place, plain.len()) }
            }
        }
    }

    fn server<'r>(&self, utf8: &'r [u8]) -> &'r [u8] {
        server_text(utf8, self.recode)
    }

    /// The characters as a C string in the server's encoding. They contain no NUL, because the reader refuses it.
    fn c_string(&mut self, text: Text<'_>) -> *mut c_char {
        let plain = self.unescaped(text);
        let plain = self.server(plain);
        let place = self.memory.allocate(plain.len() + 1);
        // SAFETY: fresh memory of that size.
        unsafe {
            std::ptr::copy_nonoverlapping(plain.as_ptr(), place, plain.len());
            place.add(plain.len()).write(0);
        }
        place.cast()
    }
}

/// `utf8` in the server's encoding, allocated in the current context if the encoding differs.
fn server_text(utf8: &[u8], recode: bool) -> &[u8] {
    if !recode || utf8.is_ascii() {
        return utf8;
    }
    // SAFETY: the text and its length, which fits an int because the body's length does. The result is another C string or the same
    // text.
    unsafe {
        let converted =
            pg_sys::pg_any_to_server(utf8.as_ptr().cast(), utf8.len() as i32, pg_sys::pg_enc::PG_UTF8 as i32);
        if converted.cast_const().cast() == utf8.as_ptr() {
            return utf8;
        }
        std::ffi::CStr::from_ptr(converted).to_bytes()
    }
}

/// The text that `json_to_recordset` passes to a type's input function.
#[inline]
fn scalar_text(value: Value<'_>) -> Text<'_> {
    let raw: &[u8] = match value {
        Value::String(text) => return text,
        Value::Null => b"null",
        Value::Bool(true) => b"true",
        Value::Bool(false) => b"false",
        Value::Number(number) => number.text,
        Value::Array(raw) | Value::Object(raw) => raw,
    };
    Text { raw, escaped: false }
}

/// A number as a float. Numbers that overflow or underflow are left to PostgreSQL and its own error.
fn float(kind: Conversion, value: Value<'_>) -> Option<Datum> {
    let Value::Number(number) = value else { return None };
    let text = std::str::from_utf8(number.text).ok()?;
    if kind == Conversion::Float4 {
        let float: f32 = text.parse().ok()?;
        float.is_normal().then(|| Datum::from(float.to_bits()))
    } else {
        let float: f64 = text.parse().ok()?;
        float.is_normal().then(|| Datum::from(float.to_bits()))
    }
}

/// `timestamp` ignores an offset, as its input function does. `timestamptz` needs one.
fn timestamp(column: &Column, text: &[u8]) -> Option<Datum> {
    let stamp = values::parse_timestamp(text)?;
    if stamp.fraction && column.typmod >= 0 {
        return None;
    }
    let offset = if column.kind == Conversion::Timestamptz { stamp.offset? } else { 0 };
    Some(Datum::from(stamp.local - offset))
}
