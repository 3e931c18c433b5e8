//! Equality with the constants of a schema.

use jsonschema::json::JsonNumber;
use jsonschema::json::cmp::equal_numbers;
use serde_json::Number;

/// Whether a number of an instance equals one of `const` or `enum`.
///
/// A schema's number with a fraction or an exponent has been a double since it was read. One of an instance that is written
/// with a fraction is compared as a double too: the same text has to be the same number. Others are compared exactly.
#[inline]
pub fn equals_constant<N: JsonNumber>(number: &N, constant: &Number) -> bool {
    match constant.as_f64() {
        Some(double) if constant.is_f64() && !number.is_written_as_integer() => number.as_f64() == Some(double),
        _ => equal_numbers(number, constant),
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Unwatched;
    use crate::schema::text::{Document, TextNode};
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
    }
}
