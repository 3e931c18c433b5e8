//! The body of QUERY (RFC 10008): the parameters of the GET that means the same.

use crate::error::{Code, Error, Result};
use crate::http::accepts;
use crate::http::target::{self, Parameter};
use crate::http::{Headers, MediaType};
use crate::json::{self, Reader, UniqueKeys, Value, ValueKind};
use crate::limits;
use std::borrow::Cow;

/// Reads the parameters in a body. A form is a target's query: it has the same grammar. JSON is an object of parameters:
///
/// - a text, number or boolean is the value: `{"order": "id", "limit": 10}`
/// - an array holds the values of a repeated parameter: `{"id": ["gt.1", "lt.9"]}`
/// - an object holds filters, an operator with its operand each: `{"id": {"gt": 1, "lt": 9}, "title": {"in": ["a", "b"]}}`
///
/// # Errors
/// PGRST102 (400) without a body or a Content-Type (RFC 10008, section 2), or if the two do not fit; REST415 (415) for another media
/// type; REST431 beyond a limit.
pub fn parameters<'a>(headers: &Headers, body: Option<&'a [u8]>) -> Result<Vec<Parameter<'a>>> {
    let hint = format!("Send the parameters in the body, as one of {}.", accepts::QUERY.types);
    let Some(content_type) = headers.get("content-type") else {
        return Err(refused("A QUERY needs a Content-Type").hint(hint));
    };
    let parameters = match MediaType::parse(content_type) {
        MediaType::Form => of_form,
        MediaType::Json => of_json,
        _ => return Err(accepts::QUERY.refuse(content_type)),
    };
    // A form without fields would have meaning. But a program on the way that does not know QUERY may have dropped the body, and the
    // answer would be all rows.
    let body = body.map(<[u8]>::trim_ascii).filter(|body| !body.is_empty());
    let Some(body) = body else { return Err(refused("A QUERY needs a body").hint(hint)) };
    parameters(body)
}

fn of_form(body: &[u8]) -> Result<Vec<Parameter<'_>>> {
    let refused = || {
        refused("The body is not valid form data").details(
            "Names and values are UTF-8, with % and two hexadecimal digits for other bytes, and contain no control characters.",
        )
    };
    let text = std::str::from_utf8(body).map_err(|_| refused())?;
    if text.bytes().any(|b| b.is_ascii_control()) {
        return Err(refused());
    }
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    if pairs.clone().nth(limits::SELECT_ITEMS).is_some() {
        return Err(too_many());
    }
    pairs.map(|pair| target::parameter(pair).ok_or_else(refused)).collect()
}

fn of_json(body: &[u8]) -> Result<Vec<Parameter<'_>>> {
    let invalid = |why: json::Error| refused("Empty or invalid json").details(why.to_string());
    let mut parameters = Vec::new();
    let mut reader = Reader::new(body).map_err(invalid)?;
    if reader.kind().map_err(invalid)? != ValueKind::Object {
        return Err(refused("The body must be a JSON object").hint(
            "Send an object whose members are parameters, such as {\"id\": {\"in\": [1, 2]}, \"order\": \"id\"}.",
        ));
    }
    reader.open_object().map_err(invalid)?;
    let mut seen = UniqueKeys::default();
    while let Some(key) = reader.next_key().map_err(invalid)? {
        if !seen.insert(key) {
            return Err(invalid(reader.duplicate_key(key)));
        }
        let name = String::from_utf8_lossy(&key.unescaped()).into_owned();
        match reader.value().map_err(invalid)? {
            Value::Array(items) => {
                each_item(items, |item| {
                    let text = scalar(&item).ok_or_else(|| {
                        malformed(&name, "The array contains something other than texts, numbers and booleans.")
                    })?;
                    parameters.push((Cow::Owned(name.clone()), Some(text.into_owned().into())));
                    Ok(())
                })?;
            }
            Value::Object(filters) => {
                let before = parameters.len();
                each_filter(filters, &name, |filter| parameters.push((Cow::Owned(name.clone()), Some(filter.into()))))?;
                if parameters.len() == before {
                    return Err(malformed(&name, "The object contains no filter."));
                }
            }
            value => {
                let text = scalar(&value).ok_or_else(|| malformed(&name, "The value is null."))?;
                parameters.push((Cow::Owned(name), Some(text.into_owned().into())));
            }
        }
        if parameters.len() > limits::SELECT_ITEMS {
            return Err(too_many());
        }
    }
    reader.finish().map_err(invalid)?;
    Ok(parameters)
}

/// Calls `take` with each item of an array that was checked.
fn each_item<'a>(array: &'a [u8], mut take: impl FnMut(Value<'a>) -> Result<()>) -> Result<()> {
    let invalid = |why: json::Error| refused("Empty or invalid json").details(why.to_string());
    let mut reader = Reader::new(array).map_err(invalid)?;
    reader.open_array().map_err(invalid)?;
    let mut count = 0;
    while reader.next_element().map_err(invalid)? {
        count += 1;
        if count > limits::LIST_ITEMS {
            return Err(Error::new(
                Code::Limit,
                format!("The request has more than {} items in a list", limits::LIST_ITEMS),
            ));
        }
        take(reader.value().map_err(invalid)?)?;
    }
    Ok(())
}

/// Calls `take` with each filter of an object that was checked, as the grammar writes it: `operator.operand`.
fn each_filter(object: &[u8], name: &str, mut take: impl FnMut(String)) -> Result<()> {
    let invalid = |why: json::Error| refused("Empty or invalid json").details(why.to_string());
    let mut reader = Reader::new(object).map_err(invalid)?;
    reader.open_object().map_err(invalid)?;
    let mut seen = UniqueKeys::default();
    while let Some(key) = reader.next_key().map_err(invalid)? {
        if !seen.insert(key) {
            return Err(invalid(reader.duplicate_key(key)));
        }
        let mut filter = String::from_utf8_lossy(&key.unescaped()).into_owned();
        let (is_list, is_null) =
            (matches!(filter.as_str(), "in" | "not.in"), matches!(filter.as_str(), "is" | "not.is"));
        filter.push('.');
        match reader.value().map_err(invalid)? {
            Value::Array(items) if is_list => {
                filter.push('(');
                let begin = filter.len();
                each_item(items, |item| {
                    let text = scalar(&item).ok_or_else(|| {
                        malformed(name, "The list contains something other than texts, numbers and booleans.")
                            .hint("Null is never equal to a value. Ask for it by {\"is\": null}.")
                    })?;
                    if filter.len() > begin {
                        filter.push(',');
                    }
                    push_item(&mut filter, &text);
                    Ok(())
                })?;
                filter.push(')');
            }
            Value::Null if is_null => filter.push_str("null"),
            Value::Null => {
                return Err(malformed(name, "An operand is null.").hint("Ask for null by {\"is\": null}."));
            }
            Value::Array(_) | Value::Object(_) => {
                return Err(malformed(name, "An operand is an array or an object.").hint(
                    "Only in and not.in take an array. Write other operands as text, such as {\"cs\": \"{a,b}\"}.",
                ));
            }
            value => filter.push_str(&scalar(&value).unwrap_or_default()),
        }
        take(filter);
    }
    Ok(())
}

/// The text of a value as it is written in a target. `None` for null, arrays and objects.
fn scalar<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    Some(match value {
        Value::Bool(true) => Cow::Borrowed("true"),
        Value::Bool(false) => Cow::Borrowed("false"),
        Value::Number(number) => String::from_utf8_lossy(number.text),
        Value::String(text) => match text.unescaped() {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Writes an item of a list, in double quotes if the grammar could read it as something else.
fn push_item(out: &mut String, item: &str) {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '+' | '@');
    if !item.is_empty() && item.chars().all(is_plain) {
        return out.push_str(item);
    }
    out.push('"');
    for c in item.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn refused(message: &str) -> Error {
    Error::new(Code::Body, message)
}

fn malformed(name: &str, why: &str) -> Error {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(200).collect();
    refused(&format!("The parameter '{shown}' of the body is malformed")).details(why.to_owned())
}

fn too_many() -> Error {
    Error::new(Code::Limit, format!("A QUERY has at most {} parameters", limits::SELECT_ITEMS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Target;

    const FORM: &str = "application/x-www-form-urlencoded";

    fn read(content_type: &str, body: &str) -> Result<Vec<(String, String)>> {
        let headers: Headers = [("content-type", content_type)].into_iter().collect();
        let owned = |(name, value): Parameter| (name.into_owned(), value.unwrap_or("-".into()).into_owned());
        Ok(parameters(&headers, Some(body.as_bytes()))?.into_iter().map(owned).collect())
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_form_is_the_query_of_a_target() {
        for query in ["a=eq.1&b=like.%25x%&a=%2B+x", "&&a=b&", "a", "select=%22x%2Cy%22", "a=ü"] {
            let target = format!("/t?{query}");
            let of_target = Target::parse(&target).unwrap().parameters;
            let headers: Headers = [("content-type", FORM)].into_iter().collect();
            assert_eq!(parameters(&headers, Some(query.as_bytes())), Ok(of_target), "{query}");
        }
        assert_eq!(read("Application/X-www-form-urlencoded; charset=utf-8", "a=b\r\n"), Ok(pairs(&[("a", "b")])));
    }

    #[test]
    fn json_has_a_member_for_each_parameter() {
        let json = r#"{"select": "id", "limit": 10, "d": true, "id": ["gt.1", "lt.9"],
            "price": {"gte": 1.50, "not.is": null, "not.in": []},
            "name": {"in": ["a", "b,c", "\"", "", "d\\", "x)", 12345678901234567890123, false, "é", " "]}}"#;
        assert_eq!(
            read("application/json", json),
            Ok(pairs(&[
                ("select", "id"),
                ("limit", "10"),
                ("d", "true"),
                ("id", "gt.1"),
                ("id", "lt.9"),
                ("price", "gte.1.50"),
                ("price", "not.is.null"),
                ("price", "not.in.()"),
                ("name", r#"in.(a,"b,c","\"","","d\\","x)",12345678901234567890123,false,é," ")"#),
            ]))
        );
        assert_eq!(read("application/json", "{}"), Ok(Vec::new()));
    }

    #[test]
    fn items_of_a_list_are_read_as_they_were_written() {
        for item in ["a", "", " ", "\"", "\\", "a\"b", "(", ")", ",", "\"a\",", "null", "\n", "{}", "a,b)c\\"] {
            let body = serde_json::json!({"a": {"in": [item, "z"]}}).to_string();
            let headers: Headers = [("content-type", "application/json")].into_iter().collect();
            let parameters = parameters(&headers, Some(body.as_bytes())).unwrap();
            let query = crate::query::parse(&parameters, false).unwrap();
            let list = vec![item.to_owned(), "z".to_owned()];
            assert_eq!(query.values, [crate::query::Literal::List(list)], "{item}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for (content_type, body, status) in [
            (FORM, "", 400),
            (FORM, " \n", 400),
            (FORM, "a=%00", 400),
            (FORM, "a=\u{1}", 400),
            (FORM, "a=%ff", 400),
            ("application/json", "", 400),
            ("application/json", "[]", 400),
            ("application/json", "{", 400),
            ("application/json", "{} {}", 400),
            ("application/json", r#"{"a": null}"#, 400),
            ("application/json", r#"{"a": [null]}"#, 400),
            ("application/json", r#"{"a": [[]]}"#, 400),
            ("application/json", r#"{"a": {}}"#, 400),
            ("application/json", r#"{"a": {"eq": null}}"#, 400),
            ("application/json", r#"{"a": {"eq": [1]}}"#, 400),
            ("application/json", r#"{"a": {"in": [null]}}"#, 400),
            ("application/json", r#"{"a": {"in": {"b": 1}}}"#, 400),
            ("application/json", r#"{"a": "b", "a": "c"}"#, 400),
            ("application/json", r#"{"a": {"eq": 1, "eq": 2}}"#, 400),
            ("text/plain", "a=b", 415),
            ("*/*", "a=b", 415),
            ("", "a=b", 415),
        ] {
            assert_eq!(read(content_type, body).map_err(|e| e.status), Err(status), "{content_type} {body}");
        }
        let none = parameters(&Headers::default(), Some(b"a=b")).unwrap_err();
        assert_eq!((none.status, none.code.as_str()), (400, "PGRST102"));
        let other = read("text/plain", "a=b").unwrap_err();
        assert_eq!(other.headers, [("accept-query".to_owned(), accepts::QUERY.types.to_owned())]);
        let many = "a=1&".repeat(limits::SELECT_ITEMS + 1);
        assert_eq!(read(FORM, &many).unwrap_err().code, "REST431");
    }
}
