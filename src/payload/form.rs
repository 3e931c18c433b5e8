//! Bodies of HTML forms: `application/x-www-form-urlencoded` (WHATWG URL, section 5.1).

use crate::error::{Code, Error, Result};
use crate::http::target;
use crate::limits;
use crate::payload::converted::{Converted, Json};

/// The names and values of a form, in order.
///
/// # Errors
/// PGRST102 (400) if the body is not percent-encoded UTF-8, or a value contains NUL; REST431 if it has more fields than a table can
/// have columns.
pub fn parse(body: &[u8]) -> Result<Vec<(String, String)>> {
    let refused = || {
        Error::new(Code::Body, "The body is not valid form data").details(
            "Names and values are UTF-8, with % and two hexadecimal digits for other bytes, and contain no NUL.",
        )
    };
    let text = std::str::from_utf8(body.trim_ascii()).map_err(|_| refused())?;
    let mut fields = Vec::new();
    for part in text.split('&').filter(|part| !part.is_empty()) {
        if fields.len() == limits::SELECT_ITEMS {
            return Err(Error::new(Code::Limit, format!("A form has at most {} fields", limits::SELECT_ITEMS)));
        }
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let decoded = |text| target::decode(text, true).filter(|text| !text.contains('\0')).ok_or_else(refused);
        fields.push((decoded(name)?.into_owned(), decoded(value)?.into_owned()));
    }
    Ok(fields)
}

/// Converts the form to one object of strings. If a name is repeated, the last value counts.
///
/// `most`: the limit on the JSON, in bytes.
///
/// # Errors
/// The errors of [`parse`], and REST413 if the JSON exceeds `most`.
pub fn to_json(body: &[u8], most: usize) -> Result<Converted> {
    let (mut keys, mut values): (Vec<String>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let mut index = std::collections::HashMap::new();
    for (name, value) in parse(body)? {
        let at = *index.entry(name.clone()).or_insert(keys.len());
        match values.get_mut(at) {
            Some(known) => *known = value.into_bytes(),
            None => {
                keys.push(name);
                values.push(value.into_bytes());
            }
        }
    }
    let mut json = Json::new(body.len(), most, &keys);
    json.open_object(false);
    for (key, value) in values.iter().enumerate() {
        json.member(key, Some(value))?;
    }
    json.close_object();
    Ok(Converted { json: json.into_bytes(), keys, rows: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_an_object_of_texts() {
        let converted = to_json(b"a=1&b%20c=x+%22y%22&a=2&empty=&bare&", 1000).unwrap();
        let json = String::from_utf8(converted.json).unwrap();
        assert_eq!(json, r#"{"a":"2","b c":"x \"y\"","empty":"","bare":""}"#);
        assert_eq!(converted.keys, ["a", "b c", "empty", "bare"]);
    }

    #[test]
    fn repeated_names_are_kept_for_calls() {
        let fields = parse("v=ä&v=b".as_bytes()).unwrap();
        assert_eq!(fields, [("v".to_owned(), "ä".to_owned()), ("v".to_owned(), "b".to_owned())]);
        assert_eq!(parse(b"").unwrap(), []);
    }

    #[test]
    fn what_is_not_encoded_text_is_refused() {
        for body in [&b"a=%00"[..], b"a=%ff", b"a=\xff"] {
            assert_eq!(parse(body).unwrap_err().code, "PGRST102", "{body:?}");
        }
        assert_eq!(parse("a&".repeat(2000).as_bytes()).unwrap_err().code, "REST431");
    }
}
