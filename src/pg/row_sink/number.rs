//! Writes numbers as JSON: integers, `numeric` from its stored digits, and floating point.

use super::buffer::BodyBuffer;
use super::varlena::{Scratch, corrupted};
use pgrx::pg_sys;
use std::ffi::{CStr, c_char, c_int};

// The server exports these, but pgrx does not bind them. Neither raises errors.
unsafe extern "C" {
    fn double_to_shortest_decimal_buf(value: f64, result: *mut c_char) -> c_int;
    fn float_to_shortest_decimal_buf(value: f32, result: *mut c_char) -> c_int;
}

/// More than the longest shortest-decimal form (`DOUBLE_SHORTEST_DECIMAL_LEN` is 25).
const FLOAT_ROOM: usize = 32;

/// The four decimal digits of every number below 10000, because the digits of `numeric` are in base 10000.
pub(super) static FOUR_DIGITS: [[u8; 4]; 10_000] = {
    let mut table = [[0; 4]; 10_000];
    let mut i = 0;
    while i < 10_000 {
        table[i] =
            [b'0' + (i / 1000) as u8, b'0' + (i / 100 % 10) as u8, b'0' + (i / 10 % 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    table
};

/// The four decimal digits of `value`.
#[inline(always)]
pub(super) fn four_digits(value: usize) -> &'static [u8; 4] {
    FOUR_DIGITS.get(value).unwrap_or(&FOUR_DIGITS[0])
}

// The layout of `numeric` (utils/adt/numeric.c, "NumericShort" and "NumericLong").
const SIGN_MASK: u16 = 0xC000;
const NEGATIVE: u16 = 0x4000;
const SHORT: u16 = 0x8000;
const SPECIAL: u16 = 0xC000;
const EXTENDED_SIGN_MASK: u16 = 0xF000;
const NAN: u16 = 0xC000;
const POSITIVE_INFINITY: u16 = 0xD000;
const SHORT_NEGATIVE: u16 = 0x2000;
const SHORT_SCALE_MASK: u16 = 0x1F80;
const SHORT_SCALE_SHIFT: u32 = 7;
const SHORT_WEIGHT_SIGN: u16 = 0x0040;
const SHORT_WEIGHT_MASK: u16 = 0x003F;
const LONG_SCALE_MASK: u16 = 0x3FFF;
const DIGITS_PER_WORD: usize = 4;

impl BodyBuffer {
    /// Appends an integer.
    #[inline]
    pub(super) fn integer(&mut self, value: impl itoa::Integer) {
        self.put(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Appends an integer as a JSON string, as json.c does for types outside its list of numbers, such as oid.
    pub(super) fn quoted_integer(&mut self, value: impl itoa::Integer) {
        self.byte(b'"');
        self.integer(value);
        self.byte(b'"');
    }

    /// Appends float8 under the session's extra_float_digits.
    #[inline]
    pub(super) fn float8(&mut self, value: f64, scratch: &mut Scratch) {
        if !value.is_finite() {
            self.put(not_finite(value));
        // SAFETY: a plain C int of this process, changed only by this thread.
        } else if unsafe { pg_sys::extra_float_digits } > 0 {
            self.reserve(FLOAT_ROOM);
            // SAFETY: the room is reserved, and the result is the number of bytes written.
            unsafe {
                let written = double_to_shortest_decimal_buf(value, self.spare().cast());
                self.advance(written as usize);
            }
        } else {
            scratch.enter();
            // SAFETY: returns a palloc'd C string.
            self.put(unsafe { CStr::from_ptr(pg_sys::float8out_internal(value)) }.to_bytes());
        }
    }

    /// Appends float4 under the session's extra_float_digits.
    #[inline]
    pub(super) fn float4(&mut self, value: f32, datum: pg_sys::Datum, scratch: &mut Scratch) {
        if !value.is_finite() {
            self.put(not_finite(value.into()));
        // SAFETY: a plain C int of this process, changed only by this thread.
        } else if unsafe { pg_sys::extra_float_digits } > 0 {
            self.reserve(FLOAT_ROOM);
            // SAFETY: the room is reserved, and the result is the number of bytes written.
            unsafe {
                let written = float_to_shortest_decimal_buf(value, self.spare().cast());
                self.advance(written as usize);
            }
        } else {
            scratch.enter();
            let output = pg_sys::Oid::from(pg_sys::F_FLOAT4OUT);
            // SAFETY: `datum` is the float4 itself; the output function returns a palloc'd C string.
            self.put(unsafe { CStr::from_ptr(pg_sys::OidOutputFunctionCall(output, datum)) }.to_bytes());
        }
    }

    /// Appends a `numeric`. `stored` is its bytes after the varlena header.
    pub(super) fn numeric(&mut self, stored: &[u8]) {
        let Some((header, rest)) = stored.split_first_chunk::<2>() else { corrupted() };
        let header = u16::from_ne_bytes(*header);
        let (negative, scale, weight, digits) = match header & SIGN_MASK {
            SPECIAL => {
                self.put(match header & EXTENDED_SIGN_MASK {
                    NAN => b"\"NaN\"".as_slice(),
                    POSITIVE_INFINITY => b"\"Infinity\"",
                    _ => b"\"-Infinity\"",
                });
                return;
            }
            SHORT => {
                let weight = i32::from(header & SHORT_WEIGHT_MASK);
                let weight = if header & SHORT_WEIGHT_SIGN != 0 { weight - 64 } else { weight };
                (header & SHORT_NEGATIVE != 0, (header & SHORT_SCALE_MASK) >> SHORT_SCALE_SHIFT, weight, rest)
            }
            sign => {
                let Some((weight, digits)) = rest.split_first_chunk::<2>() else { corrupted() };
                (sign == NEGATIVE, header & LONG_SCALE_MASK, i16::from_ne_bytes(*weight).into(), digits)
            }
        };
        let scale = usize::from(scale);
        // The words before the decimal point. Trailing zero words are not stored.
        let integral = usize::try_from(weight + 1).unwrap_or(0);
        let mut words = digits.chunks_exact(2).map(|word| match word {
            [a, b] => usize::from(u16::from_ne_bytes([*a, *b])),
            _ => 0,
        });
        self.reserve(integral * DIGITS_PER_WORD + scale + DIGITS_PER_WORD + 3);
        // SAFETY: room is reserved for a sign, the integral words or a zero, the point, and `scale` digits rounded up to a word.
        unsafe {
            if negative {
                self.byte_reserved(b'-');
            }
            if integral == 0 {
                self.byte_reserved(b'0');
            } else {
                let first = words.next().unwrap_or(0);
                let zeroes = usize::from(first < 1000) + usize::from(first < 100) + usize::from(first < 10);
                let digits = u32::from_le_bytes(*four_digits(first)) >> (8 * zeroes);
                self.put_reserved(&digits.to_le_bytes());
                self.truncate(self.len() - zeroes);
                for _ in 1..integral {
                    self.put_reserved(four_digits(words.next().unwrap_or(0)));
                }
            }
            if scale > 0 {
                self.byte_reserved(b'.');
                let end = self.len() + scale;
                // A fraction below 0.0001 begins with words that are not stored.
                for _ in weight + 1..0 {
                    if self.len() >= end {
                        break;
                    }
                    self.put_reserved(b"0000");
                }
                while self.len() < end {
                    self.put_reserved(four_digits(words.next().unwrap_or(0)));
                }
                self.truncate(end);
            }
        }
    }
}

/// NaN and the infinities are not JSON numbers, so json.c quotes their text.
#[cold]
fn not_finite(value: f64) -> &'static [u8] {
    if value.is_nan() {
        b"\"NaN\""
    } else if value > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    }
}
