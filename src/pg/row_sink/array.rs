//! Encodes arrays of any dimension, as `array_to_json_internal` of utils/adt/json.c does.

use super::catalog;
use super::encode::{Encoder, Writer};
use super::varlena::{aligned, check_stack, corrupted, packed, payload, size_of_first};
use pgrx::pg_sys;
use pgrx::pg_sys::{Datum, Oid};

// The layout of an array (utils/array.h). Offsets count from the beginning of the varlena, header included.
const VARLENA_HEADER: usize = 4;
const DIMENSIONS_AT: usize = size_of::<pg_sys::ArrayType>();
const MAX_DIMENSIONS: usize = pg_sys::MAXDIM as usize;

/// The encoder of an array's elements, found at the first value. Each value states its element type, because a column of type
/// `anyarray` may hold several.
pub(super) struct ArrayEncoder {
    element_type: Oid,
    /// Below 0: a varlena (-1) or a C string (-2).
    length: i16,
    by_value: bool,
    alignment: usize,
    element: Encoder,
}

impl Default for ArrayEncoder {
    fn default() -> Self {
        Self { element_type: Oid::INVALID, length: 0, by_value: false, alignment: 1, element: Encoder::Bool }
    }
}

/// An array's bytes after the varlena header.
#[derive(Clone, Copy)]
struct Stored<'a>(&'a [u8]);

impl<'a> Stored<'a> {
    /// The bytes from an offset, counted from the beginning of the varlena.
    #[inline(always)]
    fn from(self, offset: usize) -> &'a [u8] {
        match offset.checked_sub(VARLENA_HEADER).and_then(|at| self.0.get(at..)) {
            Some(bytes) => bytes,
            None => corrupted(),
        }
    }

    #[inline(always)]
    fn word(self, offset: usize) -> u32 {
        match self.from(offset).first_chunk() {
            Some(bytes) => u32::from_ne_bytes(*bytes),
            None => corrupted(),
        }
    }
}

impl ArrayEncoder {
    /// # Safety
    /// `datum` must be a valid array until the row ends.
    #[inline(never)]
    pub unsafe fn encode(&mut self, datum: Datum, writer: &mut Writer) {
        check_stack();
        // SAFETY: a varlena by the type, valid by contract.
        let (datum, mut stored) = unsafe {
            let datum = packed(datum, &mut writer.scratch);
            (datum, Stored(payload(datum, &mut writer.scratch)))
        };
        let dimension_count = stored.word(4) as usize;
        if dimension_count > MAX_DIMENSIONS {
            corrupted();
        }
        // How many elements a bracket of each depth contains. At depth 0, all of them.
        let mut sizes = [0; MAX_DIMENSIONS];
        let mut count = usize::from(dimension_count > 0);
        for depth in (0..dimension_count).rev() {
            count = count.saturating_mul(stored.word(DIMENSIONS_AT + 4 * depth) as usize);
            sizes[depth] = count;
        }
        if count == 0 {
            writer.body.put(b"[]");
            return;
        }

        let element_type = Oid::from(stored.word(12));
        if self.element_type != element_type {
            let (length, by_value, alignment) = catalog::element_layout(element_type);
            *self = Self { element_type, length, by_value, alignment, element: Encoder::of(element_type) };
        }
        if !self.by_value && !self.element.reads_unaligned() {
            // SAFETY: valid by contract, and so is the copy.
            stored = unsafe { Stored(payload(aligned(datum, &mut writer.scratch), &mut writer.scratch)) };
        }
        // SAFETY: the element type is that of the array.
        unsafe { self.elements(stored, sizes.get(..dimension_count).unwrap_or_default(), count, writer) };
    }

    /// # Safety
    /// `stored` must hold `count` elements of this encoder's type.
    #[inline(always)]
    unsafe fn elements(&mut self, stored: Stored, sizes: &[usize], count: usize, writer: &mut Writer) {
        let nulls_at = DIMENSIONS_AT + 8 * sizes.len();
        // An offset of 0 means that there is no null bitmap.
        let (nulls, mut offset) = match stored.word(8) as usize {
            0 => (None, nulls_at.next_multiple_of(pg_sys::MAXIMUM_ALIGNOF as usize)),
            data_at => (Some(stored.from(nulls_at)), data_at),
        };
        for index in 0..count {
            if index > 0 {
                writer.body.byte(b',');
            }
            brackets(index, sizes, b'[', writer);
            let is_null =
                nulls.is_some_and(|bitmap| bitmap.get(index / 8).is_none_or(|byte| byte & (1 << (index % 8)) == 0));
            if is_null {
                writer.body.put(b"null");
            } else {
                offset = offset.next_multiple_of(self.alignment);
                let bytes = stored.from(offset);
                let (datum, size) = self.first_of(bytes);
                offset += size;
                // SAFETY: by contract, an element begins here. `first_of` has checked that it ends within the array.
                unsafe { self.element.encode(datum, writer) };
            }
            brackets(index + 1, sizes, b']', writer);
        }
    }

    /// The element at the beginning of `bytes`, and its size.
    #[inline(always)]
    fn first_of(&self, bytes: &[u8]) -> (Datum, usize) {
        let by_reference = Datum::from(bytes.as_ptr());
        let element = match self.length {
            1 if self.by_value => bytes.first().map(|byte| (Datum::from(*byte), 1)),
            2 if self.by_value => bytes.first_chunk().map(|word| (Datum::from(i16::from_ne_bytes(*word)), 2)),
            4 if self.by_value => bytes.first_chunk().map(|word| (Datum::from(i32::from_ne_bytes(*word)), 4)),
            8 if self.by_value => bytes.first_chunk().map(|word| (Datum::from(i64::from_ne_bytes(*word)), 8)),
            -1 => size_of_first(bytes).map(|size| (by_reference, size)),
            -2 => bytes.iter().position(|&byte| byte == 0).map(|length| (by_reference, length + 1)),
            length => usize::try_from(length).ok().filter(|size| *size <= bytes.len()).map(|size| (by_reference, size)),
        };
        element.unwrap_or_else(|| corrupted())
    }
}

/// Appends the brackets that open or close between two elements, after `index` elements.
#[inline(always)]
fn brackets(index: usize, sizes: &[usize], bracket: u8, writer: &mut Writer) {
    if let [size] = sizes {
        if index == 0 || index == *size {
            writer.body.byte(bracket);
        }
        return;
    }
    for size in sizes {
        if index.is_multiple_of(*size) {
            writer.body.byte(bracket);
        }
    }
}
