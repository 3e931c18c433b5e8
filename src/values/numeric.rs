//! JSON numbers as PostgreSQL's `numeric` (on-disk format: src/backend/utils/adt/numeric.c, `NumericData`).

use crate::json::{parse_integer, scan_limited_number};

/// A decimal number in base 10000. Its digits are in the vector that [`parse_decimal`] filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    /// Power of 10000 of the first digit.
    weight: i16,
    /// Decimal digits after the point, as written.
    scale: u16,
    /// Decimal digits before the point, as written; at least 0.
    whole: u16,
}

/// Parses a JSON number within the limits of [`crate::limits`] as `numeric_in` would. The base 10000 digits replace the contents of
/// `digits`. `None` for any other text.
pub fn parse_decimal(text: &[u8], digits: &mut Vec<u16>) -> Option<Decimal> {
    digits.clear();
    let (number, end) = scan_limited_number(text, 0).ok()?;
    if end != text.len() {
        return None;
    }
    let (negative, unsigned) = match number.text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, number.text),
    };
    let (mantissa, exponent) = match memchr::memchr2(b'e', b'E', unsigned).filter(|_| !number.integer) {
        None => (unsigned, 0),
        Some(e) => {
            let digits = unsigned.get(e + 1..)?;
            let exponent = parse_integer(digits.strip_prefix(b"+").unwrap_or(digits))?;
            (unsigned.get(..e)?, i32::try_from(exponent).ok()?)
        }
    };
    let (whole, fraction) = match mantissa.iter().position(|&byte| byte == b'.') {
        None => (mantissa, &[][..]),
        Some(point) => (mantissa.get(..point)?, mantissa.get(point + 1..)?),
    };
    let whole_digits = whole.len() as i32 + exponent;
    let scale = (fraction.len() as i32 - exponent).max(0);
    let mut weight = (whole_digits + 3).div_euclid(4) - 1;

    // The first base 10000 digit lacks decimal digits unless the point is at a multiple of 4.
    let mut filled = (weight + 1) * 4 - whole_digits;
    let mut group = 0;
    for &digit in whole.iter().chain(fraction) {
        group = group * 10 + u16::from(digit - b'0');
        filled += 1;
        if filled == 4 {
            // Leading zeros are not stored; the weight says where the first digit stands.
            if group == 0 && digits.is_empty() {
                weight -= 1;
            } else {
                digits.push(group);
            }
            (group, filled) = (0, 0);
        }
    }
    if group != 0 {
        digits.push(group * 10u16.pow(4 - filled as u32));
    }
    while digits.last() == Some(&0) {
        digits.pop();
    }
    let zero = digits.is_empty();
    Some(Decimal {
        negative: negative && !zero,
        weight: if zero { 0 } else { weight as i16 },
        scale: scale as u16,
        whole: whole_digits.max(0) as u16,
    })
}

impl Decimal {
    /// Bytes of the varlena that [`Decimal::write`] makes from this number and these digits.
    pub fn size(&self, digits: &[u16]) -> usize {
        4 + if self.is_short() { 2 } else { 4 } + 2 * digits.len()
    }

    fn is_short(&self) -> bool {
        self.scale <= 0x3F && (-64..=63).contains(&self.weight)
    }

    /// Appends the number as a varlena with a four-byte header.
    pub fn write(&self, digits: &[u16], out: &mut Vec<u8>) {
        let size = self.size(digits) as u32;
        let header = if cfg!(target_endian = "little") { size << 2 } else { size };
        out.extend_from_slice(&header.to_ne_bytes());
        if self.is_short() {
            let sign = if self.negative { 0xA000 } else { 0x8000 };
            let weight = self.weight as u16 & 0x3F | if self.weight < 0 { 0x40 } else { 0 };
            out.extend_from_slice(&(sign | self.scale << 7 | weight).to_ne_bytes());
        } else {
            let sign = if self.negative { 0x4000 } else { 0 };
            out.extend_from_slice(&(sign | self.scale).to_ne_bytes());
            out.extend_from_slice(&self.weight.to_ne_bytes());
        }
        for digit in digits {
            out.extend_from_slice(&digit.to_ne_bytes());
        }
    }

    /// This number as a value of `numeric(precision, scale)`, if that changes no digit; `None` if it must be rounded, may not fit,
    /// or the scale is negative.
    pub fn rescaled(mut self, precision: i32, scale: i32) -> Option<Decimal> {
        if i32::from(self.scale) > scale || i32::from(self.whole) > precision - scale {
            return None;
        }
        self.scale = scale as u16;
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(bool, i16, u16, Vec<u16>)> {
        let mut digits = Vec::new();
        let decimal = parse_decimal(text.as_bytes(), &mut digits)?;
        Some((decimal.negative, decimal.weight, decimal.scale, digits))
    }

    // The expected values come from PostgreSQL's own bytes (`numeric_send`).
    #[test]
    fn numbers_have_the_digits_weight_and_scale_of_numeric_in() {
        for (text, expected) in [
            ("0", (false, 0, 0, vec![])),
            ("-0", (false, 0, 0, vec![])),
            ("0.000", (false, 0, 3, vec![])),
            ("1", (false, 0, 0, vec![1])),
            ("-12.50", (true, 0, 2, vec![12, 5000])),
            ("10000", (false, 1, 0, vec![1])),
            ("123456789", (false, 2, 0, vec![1, 2345, 6789])),
            ("0.0001", (false, -1, 4, vec![1])),
            ("0.00001", (false, -2, 5, vec![1000])),
            ("1e5", (false, 1, 0, vec![10])),
            ("1.5e-3", (false, -1, 4, vec![15])),
            ("1.25e1", (false, 0, 1, vec![12, 5000])),
            ("1E+4", (false, 1, 0, vec![1])),
            ("1e-4", (false, -1, 4, vec![1])),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_texts_are_left_to_postgresql() {
        for text in ["", "NaN", " 1", "1 ", "+1", "01", "1_000", "0x10", "1e309"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn the_short_header_is_used_where_it_fits() {
        let bytes = |text: &str| {
            let mut digits = Vec::new();
            let mut out = Vec::new();
            let decimal = parse_decimal(text.as_bytes(), &mut digits).unwrap();
            decimal.write(&digits, &mut out);
            assert_eq!(out.len(), decimal.size(&digits));
            out.len()
        };
        assert_eq!(bytes("1.5"), 4 + 2 + 4);
        assert_eq!(bytes(&format!("0.{}1", "0".repeat(62))), 4 + 2 + 2);
        assert_eq!(bytes(&format!("0.{}1", "0".repeat(63))), 4 + 4 + 2);
        assert_eq!(bytes("1e252"), 4 + 2 + 2);
        assert_eq!(bytes("1e256"), 4 + 4 + 2);
    }

    #[test]
    fn rescaling_happens_only_without_rounding_or_overflow() {
        let rescaled = |text: &str, precision, scale| {
            let decimal = parse_decimal(text.as_bytes(), &mut Vec::new()).unwrap();
            decimal.rescaled(precision, scale).map(|decimal| decimal.scale)
        };
        assert_eq!(rescaled("1.5", 10, 2), Some(2));
        assert_eq!(rescaled("1.555", 10, 2), None);
        assert_eq!(rescaled("99", 4, 2), Some(2));
        assert_eq!(rescaled("100", 4, 2), None);
        assert_eq!(rescaled("1", 4, -2), None);
    }
}
