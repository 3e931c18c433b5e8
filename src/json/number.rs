//! JSON numbers (RFC 8259, section 6).

use super::error::Problem;
use crate::limits::{JSON_NUMBER_DIGITS, JSON_NUMBER_EXPONENT};

/// A checked JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Number<'a> {
    /// Its text: ASCII.
    pub text: &'a [u8],
    /// It consists of an optional sign and digits.
    pub integer: bool,
}

#[inline]
fn digits(body: &[u8], mut at: usize) -> usize {
    while body.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Scans a number of any length that begins at `start` with a digit or a minus sign. Returns it, and the index after it.
#[inline]
pub(crate) fn scan_any(body: &[u8], start: usize) -> Result<(Number<'_>, usize), (usize, Problem)> {
    let first = start + usize::from(body.get(start) == Some(&b'-'));
    let mut at = digits(body, first);
    match body.get(first) {
        Some(b'0') if at > first + 1 => return Err((first + 1, Problem::Expected("no digit after a leading zero"))),
        Some(b'0'..=b'9') => {}
        _ => return Err((first, Problem::Expected("a digit"))),
    }
    let mut integer = true;
    if body.get(at) == Some(&b'.') {
        integer = false;
        let fraction = at + 1;
        at = digits(body, fraction);
        if at == fraction {
            return Err((at, Problem::Expected("a digit")));
        }
    }
    if let Some(b'e' | b'E') = body.get(at) {
        integer = false;
        let sign = usize::from(matches!(body.get(at + 1), Some(b'+' | b'-')));
        let exponent = at + 1 + sign;
        at = digits(body, exponent);
        if at == exponent {
            return Err((at, Problem::Expected("a digit")));
        }
    }
    let text = body.get(start..at).unwrap_or_default();
    Ok((Number { text, integer }, at))
}

/// [`scan_any`] within the limits on digits and exponents.
#[inline]
pub(crate) fn scan(body: &[u8], start: usize) -> Result<(Number<'_>, usize), (usize, Problem)> {
    let (number, end) = scan_any(body, start)?;
    match beyond(number) {
        Some(problem) => Err((start, problem)),
        None => Ok((number, end)),
    }
}

/// The limit that a number exceeds.
#[inline]
fn beyond(number: Number<'_>) -> Option<Problem> {
    let (mantissa, exponent) = if number.integer {
        (number.text, &[][..])
    } else {
        let e = memchr::memchr2(b'e', b'E', number.text).unwrap_or(number.text.len());
        number.text.split_at(e)
    };
    if mantissa.len() > JSON_NUMBER_DIGITS {
        let count = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count();
        if count > JSON_NUMBER_DIGITS {
            return Some(Problem::Digits);
        }
    }
    let digits = exponent.iter().filter(|byte| byte.is_ascii_digit());
    let value = digits.fold(0u32, |sum, digit| sum.saturating_mul(10).saturating_add((digit - b'0').into()));
    (value > JSON_NUMBER_EXPONENT).then_some(Problem::Exponent)
}

/// The value of an optional sign and digits; `None` for any other text, and for a value beyond 64 bits.
#[inline]
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    // 19 digits fit into 64 bits without a sign.
    let mut value = 0u64;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(bool, usize), Problem> {
        scan(text.as_bytes(), 0).map(|(number, end)| (number.integer, end)).map_err(|(_, problem)| problem)
    }

    #[test]
    fn the_grammar() {
        for (text, integer) in
            [("0", true), ("-0", true), ("120", true), ("1.5", false), ("-1e5", false), ("0.0E-12", false)]
        {
            assert_eq!(read(text), Ok((integer, text.len())), "{text}");
        }
        for text in ["-", "01", "-01", "1.", "1.e5", "1e", "1e+", ".5", "+1"] {
            assert!(matches!(read(text), Err(Problem::Expected(_))), "{text}");
        }
        assert_eq!(read("1]"), Ok((true, 1)));
    }

    #[test]
    fn numbers_that_would_explode_are_refused() {
        assert_eq!(read("1e308"), Ok((false, 5)));
        assert_eq!(read("1e309"), Err(Problem::Exponent));
        assert_eq!(read("1e-309"), Err(Problem::Exponent));
        assert_eq!(read("1e99999999999999999999"), Err(Problem::Exponent));
        assert_eq!(read(&"9".repeat(400)), Ok((true, 400)));
        assert_eq!(read(&"9".repeat(401)), Err(Problem::Digits));
        assert_eq!(read(&format!("0.{}", "0".repeat(400))), Err(Problem::Digits));
    }

    #[test]
    fn integers_up_to_their_bounds() {
        assert_eq!(parse_integer(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(parse_integer(b"-9223372036854775808"), Some(i64::MIN));
        for text in ["9223372036854775808", "-9223372036854775809", "99999999999999999999", "", "-", "1.0", "+1", " 1"]
        {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
        }
    }
}
