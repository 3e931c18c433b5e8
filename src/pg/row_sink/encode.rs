//! One encoder per type. It is chosen when a query's result columns are known, so that rows need no look-ups.

use super::array::ArrayEncoder;
use super::buffer::BodyBuffer;
use super::catalog::{self, Category};
use super::composite::{self, CompositeEncoder};
use super::datetime::ZoneSpan;
use super::text::MemberKey;
use super::varlena::{self, Scratch};
use crate::pg::ffi::composite::{attribute, attribute_count};
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, NullableDatum, Oid};
use std::ffi::{CStr, c_char, c_int};

// A setting that pgrx does not bind (utils/bytea.h): 0 is `escape`, 1 is `hex`.
unsafe extern "C" {
    static bytea_output: c_int;
}
const BYTEA_OUTPUT_HEX: c_int = 1;

/// The body that rows are written to, and the state of one execution. Unlike encoders, it is made anew for every execution.
pub(super) struct Writer {
    pub body: BodyBuffer,
    pub scratch: Scratch,
    pub zone: ZoneSpan,
    /// Whether to leave out null members of objects at every depth, as `json_strip_nulls` does.
    pub strip_nulls: bool,
    /// Different for every execution of the same encoders.
    pub execution: u64,
}

/// A function of the catalogue. It is looked up again at its first call in every execution, because it may have been replaced.
pub(super) struct Function {
    oid: Oid,
    info: pg_sys::FmgrInfo,
    execution: u64,
}

impl Function {
    pub fn new(oid: Oid) -> Box<Self> {
        Box::new(Self { oid, info: pg_sys::FmgrInfo::default(), execution: 0 })
    }

    fn ready(&mut self, writer: &mut Writer) -> *mut pg_sys::FmgrInfo {
        if self.execution != writer.execution {
            // SAFETY: the function keeps its state in the execution's memory context, and the state is forgotten with it.
            unsafe { pg_sys::fmgr_info_cxt(self.oid, &mut self.info, writer.scratch.parent()) };
            self.execution = writer.execution;
        }
        writer.scratch.enter();
        &mut self.info
    }

    /// The text that the function, an output function, makes of `datum`. Valid until the row ends.
    ///
    /// # Safety
    /// `datum` must be a value of the function's type.
    pub unsafe fn output<'row>(&mut self, datum: Datum, writer: &mut Writer) -> &'row [u8] {
        // SAFETY: output functions return a C string, allocated in the scratch context.
        unsafe { CStr::from_ptr(pg_sys::OutputFunctionCall(self.ready(writer), datum)) }.to_bytes()
    }

    /// The function's result for `datum`. Valid until the row ends.
    ///
    /// # Safety
    /// `datum` must be a value of the function's argument type.
    unsafe fn call(&mut self, datum: Datum, writer: &mut Writer) -> Datum {
        // SAFETY: by contract. A null result raises an error.
        unsafe { pg_sys::FunctionCall1Coll(self.ready(writer), Oid::INVALID, datum) }
    }
}

/// Encodes values as JSON text that equals the text of `datum_to_json` (utils/adt/json.c).
pub(super) enum Encoder {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    Text,
    Name,
    Uuid,
    Bytea,
    Json,
    Jsonb,
    Date,
    Timestamp,
    TimestampTz,
    Array(Box<ArrayEncoder>),
    Composite(Box<CompositeEncoder>),
    /// The text that a cast to json returns.
    Cast(Box<Function>),
    /// The output function's text as a string.
    Output(Box<Function>),
}

impl Encoder {
    /// The encoder of a type.
    pub fn of(type_oid: Oid) -> Self {
        match catalog::categorize(type_oid) {
            Category::Text => Self::Text,
            Category::Array => Self::Array(Box::default()),
            Category::Composite => Self::Composite(Box::default()),
            Category::Cast(function) => Self::Cast(Function::new(function)),
            Category::Output(function) => Self::Output(Function::new(function)),
            Category::Builtin(base) => match base {
                pg_sys::BOOLOID => Self::Bool,
                pg_sys::INT2OID => Self::Int2,
                pg_sys::INT4OID => Self::Int4,
                pg_sys::INT8OID => Self::Int8,
                pg_sys::OIDOID => Self::Oid,
                pg_sys::FLOAT4OID => Self::Float4,
                pg_sys::FLOAT8OID => Self::Float8,
                pg_sys::NUMERICOID => Self::Numeric,
                pg_sys::NAMEOID => Self::Name,
                pg_sys::UUIDOID => Self::Uuid,
                pg_sys::BYTEAOID => Self::Bytea,
                pg_sys::JSONOID => Self::Json,
                pg_sys::JSONBOID => Self::Jsonb,
                pg_sys::DATEOID => Self::Date,
                pg_sys::TIMESTAMPOID => Self::Timestamp,
                pg_sys::TIMESTAMPTZOID => Self::TimestampTz,
                _ => Self::Text,
            },
        }
    }

    /// Whether values by reference may be unaligned, as they are inside an array with a short header.
    pub fn reads_unaligned(&self) -> bool {
        matches!(self, Self::Text | Self::Numeric | Self::Jsonb | Self::Uuid | Self::Name)
    }

    /// Raises an error for a value that is not safe to pass to the type's output function: a composite one older than its type.
    ///
    /// # Safety
    /// `datum` must be a valid value of the encoder's type until the row ends.
    pub unsafe fn check_layout(&self, datum: Datum, writer: &mut Writer) {
        if let Self::Composite(_) = self {
            // SAFETY: by contract.
            unsafe { composite::check_layout(datum, writer) };
        }
    }

    /// Appends the JSON text of a value that is not null.
    ///
    /// # Safety
    /// `datum` must be a valid value of the encoder's type until the row ends.
    #[inline(always)]
    pub unsafe fn encode(&mut self, datum: Datum, writer: &mut Writer) {
        let body = &mut writer.body;
        let scratch = &mut writer.scratch;
        // Values passed by value are in the low bits of the datum, hence the casts.
        match self {
            Self::Bool => body.put(if datum.value() as u8 != 0 { b"true" } else { b"false" }),
            Self::Int2 => body.integer(datum.value() as i16),
            Self::Int4 => body.integer(datum.value() as i32),
            Self::Int8 => body.integer(datum.value() as i64),
            Self::Oid => body.quoted_integer(datum.value() as u32),
            Self::Float4 => body.float4(f32::from_bits(datum.value() as u32), datum, scratch),
            Self::Float8 => body.float8(f64::from_bits(datum.value() as u64), scratch),
            // SAFETY: a varlena by the type, valid by contract.
            Self::Numeric => body.numeric(unsafe { varlena::payload(datum, scratch) }),
            // SAFETY: as above.
            Self::Text => body.string(unsafe { varlena::payload(datum, scratch) }),
            // SAFETY: a Name, by the type.
            Self::Name => body.string(unsafe { name(datum) }),
            // SAFETY: a uuid is 16 bytes without alignment.
            Self::Uuid => body.uuid(unsafe { &*datum.cast_mut_ptr::<[u8; 16]>() }),
            Self::Jsonb => {
                // SAFETY: as above.
                let stored = unsafe { varlena::payload(datum, scratch) };
                if writer.strip_nulls { body.jsonb::<true>(stored) } else { body.jsonb::<false>(stored) }
            }
            // SAFETY: as above.
            Self::Json => unsafe { json(datum, writer) },
            // SAFETY: as above.
            Self::Bytea => unsafe { bytea(datum, writer) },
            Self::Date => body.date(datum.value() as i32),
            Self::Timestamp => body.timestamp(datum.value() as i64),
            Self::TimestampTz => body.timestamptz(datum.value() as i64, &mut writer.zone),
            // SAFETY: by contract.
            Self::Array(array) => unsafe { array.encode(datum, writer) },
            // SAFETY: by contract.
            Self::Composite(composite) => unsafe { composite.encode(datum, writer) },
            // SAFETY: by contract; the cast returns json.
            Self::Cast(function) => unsafe {
                let text = function.call(datum, writer);
                json(text, writer);
            },
            Self::Output(function) => {
                // SAFETY: by contract.
                let text = unsafe { function.output(datum, writer) };
                writer.body.string(text);
            }
        }
    }
}

/// The characters of a Name.
///
/// # Safety
/// `datum` must point to a C string, or to as many bytes as a name can have.
#[inline]
unsafe fn name<'row>(datum: Datum) -> &'row [u8] {
    let start = datum.cast_mut_ptr::<c_char>().cast_const();
    // SAFETY: by contract. `strnlen` does not read beyond a name's size.
    unsafe { std::slice::from_raw_parts(start.cast(), libc::strnlen(start, pg_sys::NAMEDATALEN as usize)) }
}

/// Appends `json` as it is, or without null members.
///
/// # Safety
/// `datum` must be a valid json value.
#[inline]
unsafe fn json(mut datum: Datum, writer: &mut Writer) {
    // SAFETY: json_strip_nulls takes and returns json, a varlena.
    unsafe {
        if writer.strip_nulls {
            writer.scratch.enter();
            let strip = Oid::from(pg_sys::F_JSON_STRIP_NULLS);
            datum = pg_sys::OidFunctionCall1Coll(strip, Oid::INVALID, datum);
        }
        writer.body.put(varlena::payload(datum, &mut writer.scratch));
    }
}

/// Appends bytea in the format of the session's bytea_output.
///
/// # Safety
/// `datum` must be a valid bytea value.
#[inline(never)]
unsafe fn bytea(datum: Datum, writer: &mut Writer) {
    // SAFETY: by contract; the output function returns a C string.
    unsafe {
        if bytea_output == BYTEA_OUTPUT_HEX {
            writer.body.hex_string(varlena::payload(datum, &mut writer.scratch));
        } else {
            writer.scratch.enter();
            let output = Oid::from(pg_sys::F_BYTEAOUT);
            writer.body.string(CStr::from_ptr(pg_sys::OidOutputFunctionCall(output, datum)).to_bytes());
        }
    }
}

/// A member of the objects that are written.
pub(super) struct Column {
    /// Position in the tuple, from 0. Dropped columns count.
    index: usize,
    key: MemberKey,
    pub encoder: Encoder,
}

/// The columns of a descriptor, without dropped ones.
///
/// # Safety
/// `descriptor` must be valid.
pub(super) unsafe fn columns(descriptor: pg_sys::TupleDesc) -> Vec<Column> {
    // SAFETY: by contract, and the indexes are below the count.
    (0..unsafe { attribute_count(descriptor) })
        .map(|index| (index, unsafe { attribute(descriptor, index) }))
        .filter(|(_, attribute)| !attribute.attisdropped)
        .map(|(index, attribute)| Column::new(index, catalog::attribute_name(attribute), attribute.atttypid))
        .collect()
}

/// Where the values of a row lie.
pub(super) trait Row: Copy {
    /// The value at a position, unless it is null.
    ///
    /// # Safety
    /// The row must have this position.
    unsafe fn value(self, index: usize) -> Option<Datum>;
}

/// The values of a tuple, and which of them are null.
impl Row for (*const Datum, *const bool) {
    #[inline(always)]
    unsafe fn value(self, index: usize) -> Option<Datum> {
        let (values, nulls) = self;
        // SAFETY: by contract the index is within both.
        unsafe { if *nulls.add(index) { None } else { Some(*values.add(index)) } }
    }
}

/// Arguments of a function.
impl Row for *const NullableDatum {
    #[inline(always)]
    unsafe fn value(self, index: usize) -> Option<Datum> {
        // SAFETY: by contract.
        let argument = unsafe { &*self.add(index) };
        if argument.isnull { None } else { Some(argument.value) }
    }
}

impl Column {
    /// The column at a position, with the key that its values get.
    pub fn new(index: usize, name: &[u8], type_oid: Oid) -> Self {
        Column { index, key: MemberKey::new(name), encoder: Encoder::of(type_oid) }
    }

    /// The column's value in a row, unless it is null.
    ///
    /// # Safety
    /// The row must be one that the column was made for.
    #[inline(always)]
    pub unsafe fn value(&self, row: impl Row) -> Option<Datum> {
        // SAFETY: by contract.
        unsafe { row.value(self.index) }
    }
}

/// Appends a row as an object.
///
/// # Safety
/// The row must be one that the columns were made for, with values valid until the row ends.
#[inline(always)]
pub(super) unsafe fn object(columns: &mut [Column], row: impl Row, writer: &mut Writer) {
    // Every key begins with a comma. The first one becomes the opening brace.
    let start = writer.body.len();
    for column in columns {
        // SAFETY: by contract.
        match unsafe { column.value(row) } {
            Some(value) => {
                let key_at = writer.body.len();
                writer.body.member_key(&column.key);
                // SAFETY: by contract.
                unsafe { column.encoder.encode(value, writer) };
                // A json or jsonb value may hold JSON null, which is not SQL NULL.
                if writer.strip_nulls && writer.body.payload().get(key_at + column.key.len()..) == Some(b"null") {
                    writer.body.truncate(key_at);
                }
            }
            None if writer.strip_nulls => {}
            None => {
                writer.body.member_key(&column.key);
                writer.body.put(b"null");
            }
        }
    }
    if writer.body.len() == start {
        writer.body.byte(b'{');
    } else {
        writer.body.replace(start, b'{');
    }
    writer.body.byte(b'}');
}
