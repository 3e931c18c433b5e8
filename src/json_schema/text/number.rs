//! Numbers as they are written. They are compared by value.

use super::tape::{Document, Entry, EntryKind};
use crate::json_schema::double_of_fraction;
use jsonschema::json::JsonNumber;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};

/// A JSON number.
#[derive(Debug, Clone, Copy)]
pub struct TextNumber<'a> {
    text: &'a str,
    /// It has neither a fraction nor an exponent.
    integer: bool,
}

impl<'a> TextNumber<'a> {
    /// `text`: a JSON number. `integer`: it consists of an optional sign and digits.
    #[inline(always)]
    pub(super) fn new(text: &'a str, integer: bool) -> Self {
        TextNumber { text, integer }
    }

    /// The number at an entry of the tape; `None` if the entry is not a number.
    #[inline]
    pub(super) fn of(document: &'a Document<'_>, entry: &Entry) -> Option<Self> {
        match entry.kind {
            EntryKind::Integer => Some(TextNumber::new(document.characters(entry), true)),
            EntryKind::Decimal => Some(TextNumber::new(document.characters(entry), false)),
            _ => None,
        }
    }

    /// Its absolute value, if that is a whole number of 64 bits.
    #[inline]
    fn magnitude(&self) -> Option<u64> {
        let text = self.text.as_bytes();
        if self.integer {
            return small(text.strip_prefix(b"-").unwrap_or(text));
        }
        // Without an exponent, a number whose last decimal is not 0 is not whole.
        if text.last() != Some(&b'0') && !text.iter().any(|&byte| byte | 0x20 == b'e') {
            return None;
        }
        Decimal::new(self.text).magnitude()
    }

    fn negative(&self) -> bool {
        self.text.starts_with('-')
    }
}

/// The value of digits; `None` beyond 64 bits.
#[inline]
fn small(digits: &[u8]) -> Option<u64> {
    if digits.len() < 20 {
        return Some(digits.iter().fold(0, |value, digit| value * 10 + u64::from(digit.wrapping_sub(b'0'))));
    }
    digits.iter().try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))))
}

impl JsonNumber for TextNumber<'_> {
    #[inline]
    fn as_u64(&self) -> Option<u64> {
        self.magnitude().filter(|&magnitude| magnitude == 0 || !self.negative())
    }

    #[inline]
    fn as_i64(&self) -> Option<i64> {
        let magnitude = self.magnitude()?;
        if self.negative() { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
    }

    fn as_f64(&self) -> Option<f64> {
        let nearest = self.text.parse().ok().filter(|value: &f64| value.is_finite())?;
        if self.integer || nearest.fract() != 0.0 {
            return Some(nearest);
        }
        let decimal = Decimal::new(self.text);
        Some(if decimal.is_whole() { nearest } else { double_of_fraction(nearest, decimal.whole()) })
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.text)
    }

    /// A number beyond the range of a double becomes the largest double of its sign: `serde_json` has nothing nearer.
    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        let exact = serde_json::from_str(self.text).ok();
        let largest = if self.negative() { f64::MIN } else { f64::MAX };
        Cow::Owned(exact.or_else(|| serde_json::Number::from_f64(largest)).unwrap_or_else(|| 0.into()))
    }

    fn is_integer(&self) -> bool {
        self.integer || Decimal::new(self.text).is_whole()
    }

    fn is_written_as_integer(&self) -> bool {
        self.integer
    }
}

/// A number as `digits × 10^exponent` without zeros at either end of the digits. Two numbers are equal if all parts are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decimal<'a> {
    text: &'a str,
    negative: bool,
    /// The digits are `head` followed by `tail`. Zero has no digits.
    head: &'a [u8],
    tail: &'a [u8],
    /// [`i128::MAX`] and [`i128::MIN`] stand for exponents beyond the supported range.
    exponent: i128,
}

impl<'a> Decimal<'a> {
    /// `text`: a JSON number.
    pub fn new(text: &'a str) -> Self {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
        let (head, tail) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let (mut head, mut tail) = (head.as_bytes(), tail.as_bytes());
        tail = strip_end(tail);
        // Moves the point behind the last digit.
        let mut places = -(tail.len() as i128);
        if tail.is_empty() {
            let whole = head.len();
            head = strip_end(head);
            places = (whole - head.len()) as i128;
        }
        head = strip_start(head);
        if head.is_empty() {
            tail = strip_start(tail);
        }
        let exponent = match exponent.parse::<i64>() {
            Ok(exponent) => i128::from(exponent) + places,
            Err(_) if exponent.starts_with('-') => i128::MIN,
            Err(_) => i128::MAX,
        };
        let zero = head.is_empty() && tail.is_empty();
        Decimal {
            text,
            negative: !zero && unsigned.len() < text.len(),
            head,
            tail,
            exponent: if zero { 0 } else { exponent },
        }
    }

    fn digits(&self) -> impl Iterator<Item = &'a u8> {
        self.head.iter().chain(self.tail)
    }

    fn count(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    fn is_whole(&self) -> bool {
        self.exponent >= 0
    }

    /// The digits before the point, if they form a number of 64 bits.
    fn whole(&self) -> Option<u64> {
        let places = (self.count() as i128).saturating_add(self.exponent).clamp(0, 20) as usize;
        self.digits()
            .take(places)
            .try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(digit.wrapping_sub(b'0').into()))
    }

    /// The absolute value, if it is a whole number of 64 bits.
    fn magnitude(&self) -> Option<u64> {
        // 64 bits need at most 20 digits.
        if !(0..20).contains(&self.exponent) || self.count() > 20 {
            return None;
        }
        let digits = self.digits().map(|digit| digit.wrapping_sub(b'0'));
        let zeros = (0..self.exponent).map(|_| 0);
        digits.chain(zeros).try_fold(0u64, |value, digit| value.checked_mul(10)?.checked_add(digit.into()))
    }
}

fn strip_end(digits: &[u8]) -> &[u8] {
    let end = digits.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    digits.get(..end).unwrap_or_default()
}

fn strip_start(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
    digits.get(start..).unwrap_or_default()
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        if self.exponent != other.exponent || self.negative != other.negative || self.count() != other.count() {
            return false;
        }
        if matches!(self.exponent, i128::MIN | i128::MAX) {
            return self.text == other.text;
        }
        self.digits().eq(other.digits())
    }
}

impl Eq for Decimal<'_> {}

impl Hash for Decimal<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.negative, self.exponent).hash(state);
        self.digits().for_each(|&digit| state.write_u8(digit));
    }
}
