//! The value of a route's function, as it is in the body of an answer, whatever its representation is. Pure.

use crate::http::Request;
use crate::plan::media::Holds;
use std::borrow::Cow;

/// The result as JSON; `None` if the body does not have it.
pub fn value(holds: Holds, body: &[u8]) -> Option<Cow<'_, [u8]>> {
    match holds {
        Holds::Derived => None,
        Holds::Json => Some(Cow::Borrowed(body)),
        Holds::OnlyElement => Some(Cow::Owned([b"[", body, b"]"].concat())),
        Holds::Lines => {
            let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
            Some(Cow::Owned([b"[", lines.join(&b',').as_slice(), b"]"].concat()))
        }
    }
}

/// Whether a request asks for other columns than those of the result.
pub fn is_reshaped(request: &Request) -> bool {
    request.target.parameters.iter().any(|(name, value)| name == "select" && value.as_deref() != Some("*"))
}

/// Whether a request may leave out rows of the result, or change their order.
pub fn is_cut(request: &Request) -> bool {
    request.range.is_some() || request.target.parameters.iter().any(|(name, _)| name != "select")
}

/// Whether a keyword of a JSON Schema is one that each element of an array has to satisfy, wherever it stands and whichever others there are.
/// `location`: a JSON Pointer to the keyword through the references that led to it. The schema has no `prefixItems`.
pub fn is_of_every_element(location: &str) -> bool {
    let mut steps = location.split('/').skip(1).peekable();
    while let Some(step) = steps.next() {
        match step {
            "$ref" | "allOf" if steps.peek().is_some() => {
                if step == "allOf" {
                    steps.next();
                }
            }
            // In older drafts, a list of schemas is for the elements at its positions.
            "items" => return steps.peek().is_none_or(|step| step.parse::<usize>().is_err()),
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_is_the_same_in_each_representation() {
        let value =
            |holds, body: &'static str| value(holds, body.as_bytes()).map(|v| String::from_utf8_lossy(&v).into_owned());
        let list = Some(r#"[{"a":1},{"a":2}]"#.to_owned());
        assert_eq!(value(Holds::Json, r#"[{"a":1},{"a":2}]"#), list);
        assert_eq!(value(Holds::Lines, "{\"a\":1}\n{\"a\":2}"), list);
        assert_eq!(value(Holds::Lines, "{\"a\":1}\n{\"a\":2}\n"), list);
        assert_eq!(value(Holds::Lines, ""), Some("[]".to_owned()));
        assert_eq!(value(Holds::OnlyElement, r#"{"a":1}"#), Some(r#"[{"a":1}]"#.to_owned()));
        assert_eq!(value(Holds::Derived, "a\n1"), None);
    }

    #[test]
    fn what_every_element_has_to_satisfy_is_told_from_what_the_whole_has_to() {
        for (location, expected) in [
            ("/items/required", true),
            ("/items", true),
            ("/$ref/items/properties/a/type", true),
            ("/allOf/1/$ref/items/anyOf", true),
            ("/items/0/type", false),
            ("/minItems", false),
            ("/anyOf/0/items/type", false),
            ("/contains", false),
            ("/prefixItems/0/type", false),
            ("/additionalItems/type", false),
            ("", false),
        ] {
            assert_eq!(is_of_every_element(location), expected, "{location}");
        }
    }
}
