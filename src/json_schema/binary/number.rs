//! Stored numbers (PostgreSQL's `numeric`: `NumericData` in utils/adt/numeric.c), decoded as far as needed.

use crate::json_schema::{Watch, double_of_fraction};
use jsonschema::json::JsonNumber;
use std::borrow::Cow;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

const SIGN: u16 = 0xC000;
const NEGATIVE: u16 = 0x4000;
const SHORT: u16 = 0x8000;
/// NaN and the infinities, which JSON does not have.
const SPECIAL: u16 = 0xC000;
const SCALE: u16 = 0x3FFF;
const SHORT_NEGATIVE: u16 = 0x2000;
const SHORT_SCALE: u16 = 0x1F80;
const SHORT_SCALE_SHIFT: u32 = 7;
const SHORT_WEIGHT: u16 = 0x003F;
const SHORT_WEIGHT_SIGN: u16 = 0x0040;

/// The powers of ten that a double represents exactly.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// A number in base 10000.
#[derive(Debug, Clone, Copy)]
pub struct Numeric<'a> {
    /// The digits as stored: the most significant first, without zeros at either end.
    digits: &'a [[u8; 2]],
    /// Power of 10000 of the first digit.
    weight: i32,
    /// Decimal digits after the point, as written.
    scale: u16,
    negative: bool,
}

impl<'a> Numeric<'a> {
    /// `stored`: a varlena with its header.
    #[inline(always)]
    pub(super) fn new<W: Watch>(stored: &'a [u8]) -> Self {
        Self::read(stored).unwrap_or_else(|| {
            W::malformed();
            Numeric { digits: &[], weight: 0, scale: 0, negative: false }
        })
    }

    #[inline(always)]
    fn read(stored: &'a [u8]) -> Option<Self> {
        let first = *stored.first()?;
        let is_short = if cfg!(target_endian = "little") { first & 1 == 1 } else { first & 0x80 == 0x80 };
        let (header, rest) = stored.get(if is_short { 1 } else { 4 }..)?.split_first_chunk()?;
        let header = u16::from_ne_bytes(*header);
        if header & SIGN == SHORT {
            let weight = i32::from(header & SHORT_WEIGHT);
            return Some(Numeric {
                digits: rest.as_chunks().0,
                weight: if header & SHORT_WEIGHT_SIGN == 0 { weight } else { weight - 64 },
                scale: (header & SHORT_SCALE) >> SHORT_SCALE_SHIFT,
                negative: header & SHORT_NEGATIVE != 0,
            });
        }
        if header & SIGN == SPECIAL {
            return None;
        }
        let (weight, digits) = rest.split_first_chunk()?;
        Some(Numeric {
            digits: digits.as_chunks().0,
            weight: i32::from(i16::from_ne_bytes(*weight)),
            scale: header & SCALE,
            negative: header & SIGN == NEGATIVE,
        })
    }

    /// The digit at `index`; zero where none is stored.
    #[inline(always)]
    fn digit(&self, index: i32) -> u16 {
        let stored = usize::try_from(index).ok().and_then(|index| self.digits.get(index));
        stored.map_or(0, |digit| u16::from_ne_bytes(*digit))
    }

    #[inline(always)]
    fn values(&self) -> impl DoubleEndedIterator<Item = u64> {
        self.digits.iter().map(|digit| u64::from(u16::from_ne_bytes(*digit)))
    }

    /// Digits before the point, stored or not.
    #[inline(always)]
    fn whole_digits(&self) -> usize {
        usize::try_from(self.weight + 1).unwrap_or(0)
    }

    /// Its absolute value, if that is a whole number of 64 bits.
    #[inline(always)]
    fn magnitude(&self) -> Option<u64> {
        // The most frequent case.
        let value = |digit: &[u8; 2]| u64::from(u16::from_ne_bytes(*digit));
        match (self.digits, self.weight) {
            ([digit], 0) => Some(value(digit)),
            ([first, second], 1) => Some(value(first) * 10_000 + value(second)),
            _ if self.is_whole() => self.long_magnitude(),
            _ => None,
        }
    }

    /// The absolute value without its fraction, if that fits in 64 bits.
    #[inline(never)]
    fn long_magnitude(&self) -> Option<u64> {
        let whole = self.whole_digits();
        let stored = self.digits.len().min(whole);
        let mut value =
            self.values().take(stored).try_fold(0u64, |value, digit| value.checked_mul(10_000)?.checked_add(digit))?;
        if value != 0 {
            for _ in stored..whole {
                value = value.checked_mul(10_000)?;
            }
        }
        Some(value)
    }

    #[inline(always)]
    fn is_whole(&self) -> bool {
        let whole = self.whole_digits();
        match self.digits.last() {
            Some(last) if self.digits.len() > whole => {
                // No zeros are stored at the end.
                *last == [0, 0] && self.values().skip(whole).all(|digit| digit == 0)
            }
            _ => true,
        }
    }

    /// The number without zeros at either end of its digits, which is how PostgreSQL stores it.
    fn trimmed(&self) -> Self {
        let mut trimmed = *self;
        while let Some((&[0, 0], rest)) = trimmed.digits.split_first() {
            trimmed.digits = rest;
            trimmed.weight -= 1;
        }
        while let Some((&[0, 0], rest)) = trimmed.digits.split_last() {
            trimmed.digits = rest;
        }
        if trimmed.digits.is_empty() {
            trimmed.weight = 0;
            trimmed.negative = false;
        }
        trimmed
    }
}

impl JsonNumber for Numeric<'_> {
    #[inline(always)]
    fn as_u64(&self) -> Option<u64> {
        if self.negative { None } else { self.magnitude() }
    }

    #[inline(always)]
    fn as_i64(&self) -> Option<i64> {
        let magnitude = self.magnitude()?;
        if self.negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }

    /// The nearest double, but never a whole number for a fraction; `None` beyond the largest double.
    fn as_f64(&self) -> Option<f64> {
        if let Some(magnitude) = self.magnitude() {
            return Some(if self.negative { -(magnitude as f64) } else { magnitude as f64 });
        }
        let nearest = self.nearest()?;
        if nearest.fract() != 0.0 || self.is_whole() {
            return Some(nearest);
        }
        Some(double_of_fraction(nearest, self.long_magnitude()))
    }

    /// Includes the digits after the point that were written.
    fn as_str(&self) -> Cow<'_, str> {
        let mut text = String::new();
        text.push_str(if self.negative { "-" } else { "" });
        let _ = write!(text, "{}", if self.weight < 0 { 0 } else { self.digit(0) });
        for index in 1..=self.weight {
            let _ = write!(text, "{:04}", self.digit(index));
        }
        if self.scale > 0 {
            text.push('.');
            let end = text.len() + usize::from(self.scale);
            let mut index = self.weight + 1;
            while text.len() < end {
                let _ = write!(text, "{:04}", self.digit(index));
                index += 1;
            }
            text.truncate(end);
        }
        Cow::Owned(text)
    }

    /// A number beyond the range of a double becomes the largest double of its sign: `serde_json` has nothing nearer.
    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        let exact = serde_json::from_str(&self.as_str()).ok();
        let largest = if self.negative { f64::MIN } else { f64::MAX };
        Cow::Owned(exact.or_else(|| serde_json::Number::from_f64(largest)).unwrap_or_else(|| 0.into()))
    }

    #[inline(always)]
    fn is_integer(&self) -> bool {
        self.is_whole()
    }

    /// An exponent is not stored: `1e2` reads as `100`.
    #[inline(always)]
    fn is_written_as_integer(&self) -> bool {
        self.scale == 0
    }
}

impl Numeric<'_> {
    /// The nearest double; `None` beyond the largest double.
    fn nearest(&self) -> Option<f64> {
        let count = self.digits.len();
        let exponent = 4 * (self.weight - count as i32 + 1);
        // An exact mantissa divided by an exact power of ten is rounded only once.
        if count <= 4 && exponent <= 0 {
            let mantissa = self.values().fold(0, |value, digit| value * 10_000 + digit);
            if let (true, Some(power)) = (mantissa <= 1 << 53, EXACT_POWERS.get(exponent.unsigned_abs() as usize)) {
                let value = mantissa as f64 / power;
                return Some(if self.negative { -value } else { value });
            }
        }
        let mut text = String::with_capacity(4 * count + 12);
        text.push_str(if self.negative { "-" } else { "" });
        for digit in self.values() {
            let _ = write!(text, "{digit:04}");
        }
        let _ = write!(text, "e{exponent}");
        text.parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// Whether `serde_json` can represent this number, at least approximately.
    pub(super) fn is_representable(&self) -> bool {
        serde_json::from_str::<serde_json::Number>(&self.as_str()).is_ok()
    }
}

impl PartialEq for Numeric<'_> {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.trimmed(), other.trimmed());
        (one.digits, one.weight, one.negative) == (other.digits, other.weight, other.negative)
    }
}

impl Eq for Numeric<'_> {}

impl Hash for Numeric<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Numeric { digits, weight, negative, .. } = self.trimmed();
        (digits, weight, negative).hash(state);
    }
}
