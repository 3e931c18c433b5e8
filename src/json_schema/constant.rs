//! Compares numbers of instances, which have any number of digits, with numbers of schemas, which are doubles or integers of 64
//! bits.

use jsonschema::json::JsonNumber;
use jsonschema::json::cmp::equal_numbers;
use serde_json::Number;

/// Doubles from here on are whole numbers.
pub const WHOLE: f64 = 4_503_599_627_370_496.0;

/// The double that stands for a number that is not whole. `nearest` is its nearest double; it is returned unless it is whole.
///
/// Code that compares 1.00000000000000000000001 with 1, or tests whether it is a multiple of 1, only gets a double. It gets the
/// neighbour on the same side. `whole`: the number without its fraction and its sign, if that fits in 64 bits.
pub fn double_of_fraction(nearest: f64, whole: Option<u64>) -> f64 {
    let magnitude = nearest.abs();
    if nearest.fract() != 0.0 || magnitude >= WHOLE {
        return nearest;
    }
    let beside = if whole == Some(magnitude as u64) { magnitude.next_up() } else { magnitude.next_down() };
    beside.copysign(nearest)
}

/// Whether a number of an instance equals a number of `const` or `enum`.
///
/// A number with a fraction or an exponent in a schema became a double when it was read. A number with a fraction in an instance is
/// compared as a double, too: the same text has to be the same number, unless reading the schema made it whole. All others are
/// compared exactly.
#[inline]
pub fn equals_constant<N: JsonNumber>(number: &N, constant: &Number) -> bool {
    match constant.as_f64() {
        Some(double) if constant.is_f64() && !number.is_written_as_integer() => number.as_f64() == Some(double),
        _ => equal_numbers(number, constant),
    }
}

#[cfg(test)]
mod tests {
    use crate::json_schema::Unwatched;
    use crate::json_schema::text::{Document, TextNode};
    use jsonschema::json::Node;

    fn equals(instance: &str, constant: &str) -> bool {
        let document = Document::parse(instance.as_bytes()).unwrap();
        let root: TextNode<'_, Unwatched> = document.root();
        root.equals_value(&serde_json::from_str(constant).unwrap())
    }

    #[test]
    fn a_number_equals_the_constant_of_the_same_text() {
        for text in
            ["0.1", "-922337203685477580.0", "9007199254740993.0", "1e300", "5e-324", "9007199254740993", "-0.0"]
        {
            assert!(equals(text, text), "{text}");
        }
        assert!(equals("1", "1.0") && equals("1.0", "1") && equals("100", "1e2"));
        assert!(!equals("9007199254740993", "9007199254740992") && !equals("0.1", "0.2"));
        assert!(equals("1.0", "1") && equals("10e-1", "1.0") && equals("0.10", "0.1"));
    }

    #[test]
    fn a_number_with_a_fraction_is_no_whole_one() {
        for (text, whole) in [
            ("1.00000000000000000000001", "1"),
            ("0.99999999999999999999999", "1"),
            ("-0.99999999999999999999999", "-1"),
            ("1e-400", "0"),
            ("-1e-400", "0"),
            ("4503599627370495.00000000001", "4503599627370495"),
        ] {
            assert!(!equals(text, whole) && !equals(text, &format!("{whole}.0")), "{text}");
        }
    }
}
