//! What was done, as an HTTP response. Pure.

mod raised;

pub use raised::Raised;

use crate::access::{Report, Verdict};
use crate::error::{Code, Error, Result};
use crate::http::field::{is_field_value, is_token};
use crate::http::prefer::{Preferences, Resolution, Return};
use crate::http::range::Page;
use crate::http::response::{Body, Response};
use crate::http::{MediaType, Method, Request, range, target};
use crate::route::{Action, Resource, Verb};
use serde_json::Value;
use std::borrow::Cow;

/// What the statements of a request did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Rows in the body.
    pub rows: u64,
    /// Rows changed, or returned by a function, whatever is in the body.
    pub affected: u64,
    /// The called function may write.
    pub may_write: bool,
    /// Of these, rows that existed before an upsert.
    pub updated: u64,
    /// Rows there are in all, if it was asked for.
    pub total: Option<u64>,
    /// The primary key of the one created row: columns and values.
    pub key: Option<Vec<(String, Value)>>,
    /// The function returns nothing.
    pub is_void: bool,
    /// The page that was asked for.
    pub page: Page,
    /// The relation has a key to upsert by.
    pub has_conflict_target: bool,
    /// The representation.
    pub media: MediaType,
    /// What OPTIONS answers.
    pub allow: Option<String>,
}

impl Outcome {
    /// The rows that a POST shows, or would show: its page may hold fewer than it creates.
    fn shown(&self) -> u64 {
        let behind = self.affected.saturating_sub(self.page.offset);
        self.page.limit.map_or(behind, |limit| behind.min(limit))
    }
}

/// The response of an action that was done.
///
/// Errors: those that show only in the result: a range behind the end (416), not one row where one was asked for (404,
/// 406), more rows changed than allowed (400). The request is rolled back then.
pub fn respond(action: &Action, request: &Request, media: &MediaType, outcome: &Outcome) -> Result<Response> {
    let preferences = &request.preferences;
    if matches!(media, MediaType::Plan(_)) && !matches!(action.verb, Verb::Describe | Verb::ReadRoot) {
        let body = if request.method == Method::Head { Body::Empty } else { Body::Rows };
        return Ok(with_content(Response::new(200, body), action, media));
    }
    let is_item = matches!(action.resource, Resource::Item { .. });
    let representation = preferences.representation == Some(Return::Representation);
    if let Some(most) = preferences.max_affected()
        && matches!(action.verb, Verb::Update | Verb::Delete | Verb::Call)
        && outcome.affected > most
    {
        return Err(Error::new(Code::MaxAffected, "Query result exceeds max-affected preference constraint")
            .details(format!("The query affects {} rows", outcome.affected)));
    }
    if is_item {
        let found = if action.verb == Verb::Read { outcome.rows } else { outcome.affected };
        if found == 0 && action.verb != Verb::Replace && action.verb != Verb::Describe {
            return Err(no_item());
        }
        if found > 1 {
            return Err(Error::new(Code::Singular, "Cannot coerce the result to a single JSON object")
                .details(format!("{found} rows have this key")));
        }
    }
    if action.verb == Verb::Replace && outcome.affected == 0 {
        return Err(Error::new(Code::PutKey, "Payload values do not match URL in primary key column(s)"));
    }
    let singular = matches!(media, MediaType::Object { .. });
    // What may be changed is one row, whatever comes back of it; and what comes back is one.
    let (changed, shown) = match action.verb {
        Verb::Read | Verb::CallSafe => (None, Some(outcome.rows)),
        Verb::Call => (Some(outcome.affected).filter(|_| outcome.may_write), Some(outcome.rows)),
        Verb::Create => (Some(outcome.affected), Some(outcome.shown())),
        Verb::Replace | Verb::Update | Verb::Delete => (Some(outcome.affected), None),
        Verb::Describe | Verb::ReadRoot => (None, None),
    };
    let is_not_one = |rows: &u64| *rows != 1;
    if singular
        && !outcome.is_void
        && let Some(rows) = changed.filter(is_not_one).or(shown.filter(is_not_one))
    {
        return Err(Error::new(Code::Singular, "Cannot coerce the result to a single JSON object")
            .details(format!("The result contains {rows} rows")));
    }
    let counted = preferences.count.is_some();
    let total_of_write = || if counted { outcome.affected.to_string() } else { "*".to_owned() };
    let response = match action.verb {
        Verb::Read | Verb::CallSafe | Verb::Call => {
            if outcome.is_void {
                Response::new(204, Body::Empty).header("content-range", "*/*")
            } else {
                let (status, content_range) = if is_item {
                    (200, None)
                } else {
                    let (status, range) = range::content_range(outcome.page.offset, outcome.rows, outcome.total)?;
                    (status, Some(range))
                };
                let mut response = Response::new(status, Body::Rows);
                if let Some(content_range) = content_range {
                    response = response.header("content-range", content_range);
                }
                if action.verb == Verb::Read {
                    response = response.header("content-location", content_location(request));
                }
                response
            }
        }
        Verb::Create => {
            let merged = preferences.resolution == Some(Resolution::MergeDuplicates) && outcome.has_conflict_target;
            let created = outcome.affected.saturating_sub(outcome.updated);
            let status = if merged && created == 0 { 200 } else { 201 };
            let mut response = Response::new(status, if representation { Body::Rows } else { Body::Empty });
            if let Some(key) = &outcome.key {
                response = response.header("location", location(&action.resource, key));
            }
            response.header("content-range", format!("*/{}", total_of_write()))
        }
        Verb::Replace => match (representation, outcome.updated) {
            (true, 0) => Response::new(201, Body::Rows),
            (true, _) => Response::new(200, Body::Rows),
            (false, _) => Response::new(204, Body::Empty),
        },
        Verb::Update | Verb::Delete => {
            let (status, body) = if representation { (200, Body::Rows) } else { (204, Body::Empty) };
            let range = match outcome.affected {
                n @ 1.. if action.verb == Verb::Update => format!("0-{}/{}", n - 1, total_of_write()),
                _ => format!("*/{}", total_of_write()),
            };
            Response::new(status, body).header("content-range", range)
        }
        Verb::Describe => {
            let allow = outcome.allow.clone().unwrap_or_else(|| "OPTIONS,GET,HEAD".to_owned());
            return Ok(Response::new(200, Body::Empty).header("allow", allow));
        }
        Verb::ReadRoot => Response::new(200, Body::Rows),
    };
    let mut response = response;
    if response.body == Body::Rows {
        response = with_content(response, action, media);
        if request.method == Method::Head {
            response.body = Body::Empty;
        }
    }
    if *preferences != Preferences::default()
        && let Some(applied) = applied_preferences(action, preferences, outcome).applied()
    {
        response = response.header("preference-applied", applied);
    }
    Ok(response)
}

/// The answer to `Prefer: explain-access`: under the status that the request would have had, the report as the member
/// `access`.
///
/// Errors: all but a row that is seen, as the problem that it is.
pub fn access(report: &Report, authenticated: bool) -> Result<Response> {
    let (verdict, sentence) = report.verdict();
    let applied = "explain-access";
    let error = match verdict {
        Verdict::Visible => {
            let body = serde_json::json!({ "access": report.to_json() }).to_string();
            return Ok(Response::new(200, Body::Bytes(body.into_bytes()))
                .header("content-type", "application/vnd.restful.access+json; charset=utf-8")
                .header("preference-applied", applied));
        }
        Verdict::Denied => {
            Raised { sqlstate: "42501".to_owned(), message: sentence, ..Raised::default() }.into_error(authenticated)
        }
        Verdict::Error => Error::with_code(report.sqlstate().unwrap_or("XX000"), 500, sentence),
        _ => no_item(),
    };
    Err(error.access(report.to_json()).header("preference-applied", applied))
}

/// The fields that describe the body.
fn with_content(response: Response, action: &Action, media: &MediaType) -> Response {
    let response = response.header("content-type", media.content_type());
    match action.negotiated {
        true => response.header("content-profile", action.schema.to_string()),
        false => response,
    }
}

/// One answer for a row that does not exist and one that the role may not see.
fn no_item() -> Error {
    Error::new(Code::Item, "No row has this key")
        .hint("Check the key's values; composite keys are separated by commas.")
}

/// The preferences that had a meaning for the action (RFC 7240, section 3).
fn applied_preferences(action: &Action, asked: &Preferences, outcome: &Outcome) -> Preferences {
    let mut applied = asked.clone();
    // What was asked for so is answered by `access`.
    applied.explain_access = false;
    let is_create = action.verb == Verb::Create;
    let is_write = matches!(action.verb, Verb::Create | Verb::Replace | Verb::Update | Verb::Delete);
    applied.resolution = applied.resolution.filter(|_| is_create && outcome.has_conflict_target);
    applied.representation = applied.representation.filter(|_| is_write);
    applied.missing = applied.missing.filter(|_| is_create || action.verb == Verb::Update);
    applied.max_affected =
        applied.max_affected.filter(|_| matches!(action.verb, Verb::Update | Verb::Delete | Verb::Call));
    applied
}

/// Content-Location (RFC 9110, section 8.7): the path with its parameters sorted, one text for one question.
fn content_location(request: &Request) -> String {
    let mut parameters: Vec<(&str, &str)> =
        request.target.parameters.iter().map(|(n, v)| (n.as_ref(), v.as_deref().unwrap_or_default())).collect();
    parameters.sort_unstable();
    let mut location = String::with_capacity(request.target.path.len() + 64);
    location.push_str(request.target.path);
    for (i, (name, value)) in parameters.iter().enumerate() {
        location.push(if i == 0 { '?' } else { '&' });
        target::encode_into(&mut location, name, b"*");
        location.push('=');
        target::encode_into(&mut location, value, b"*()!:,");
    }
    location
}

/// Location of a created row (RFC 9110, section 10.2.2).
fn location(resource: &Resource, key: &[(String, Value)]) -> String {
    let relation = match resource {
        Resource::Collection { relation } | Resource::Item { relation, .. } => relation.as_str(),
        Resource::Function { .. } | Resource::Root => "",
    };
    let mut location = format!("/{}", target::encode(relation, b""));
    for (i, (column, value)) in key.iter().enumerate() {
        location.push(if i == 0 { '?' } else { '&' });
        let filter = match value {
            Value::Null => "is.null".to_owned(),
            Value::String(text) => format!("eq.{text}"),
            other => format!("eq.{other}"),
        };
        location.push_str(&format!("{}={}", target::encode(column, b""), target::encode(&filter, b"")));
    }
    location
}

/// Applies what functions said through the settings `response.status` and `response.headers`.
///
/// Errors: PGRST111, PGRST112 (500) when they are malformed; REST500 when a value holds CR, LF or NUL.
pub fn apply_settings(response: &mut Response, status: Option<&str>, headers: Option<&str>) -> Result<()> {
    if let Some(text) = status.filter(|t| !t.is_empty()) {
        response.status = text
            .trim()
            .parse()
            .ok()
            // A final status: those below announce an answer that is still to come (RFC 9110, section 15.2).
            .filter(|s| (200..=599).contains(s))
            .ok_or_else(|| Error::new(Code::ResponseStatus, "response.status guc must be a valid status code"))?;
    }
    let Some(text) = headers.filter(|t| !t.is_empty()) else { return Ok(()) };
    let malformed = || {
        Error::new(
            Code::ResponseHeaders,
            "response.headers guc must be a JSON array composed of objects with a single key and a string value",
        )
    };
    let Ok(Value::Array(items)) = serde_json::from_str::<Value>(text) else { return Err(malformed()) };
    let mut fields: Vec<(Cow<'static, str>, Cow<'static, str>)> = Vec::with_capacity(items.len());
    for item in &items {
        let single = item.as_object().filter(|o| o.len() == 1).and_then(|o| o.iter().next());
        let Some((name, Value::String(value))) = single else { return Err(malformed()) };
        if !is_token(name) || !is_field_value(value) {
            return Err(Error::new(
                Code::HeaderValue,
                "response.headers holds a name or value that no header can have",
            )
            .hint("A name is a token; a value holds no control characters such as CR and LF."));
        }
        fields.push((name.to_ascii_lowercase().into(), value.clone().into()));
    }
    response.headers.retain(|(name, _)| !fields.iter().any(|(n, _)| n == name));
    response.headers.extend(fields);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Headers;

    fn action(verb: Verb) -> Action {
        Action {
            verb,
            resource: Resource::Collection { relation: "t".into() },
            schema: "api".into(),
            negotiated: false,
        }
    }

    fn ask(method: &str, target: &str, prefer: &str, verb: Verb, outcome: Outcome) -> Result<Response> {
        let headers: Headers = [("prefer", prefer)].into_iter().collect();
        let request = Request::parse(method, target, &headers, None)?;
        respond(&action(verb), &request, &MediaType::Json, &outcome)
    }

    fn field<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_ref())
    }

    #[test]
    fn a_read_tells_its_range_and_place() {
        let outcome = Outcome { rows: 2, total: Some(5), ..Outcome::default() };
        let r = ask("GET", "/t?select=*&id=gt.1", "count=exact", Verb::Read, outcome).unwrap();
        assert_eq!((r.status, field(&r, "content-range")), (206, Some("0-1/5")));
        assert_eq!(field(&r, "content-location"), Some("/t?id=gt.1&select=*"));
        assert_eq!(field(&r, "preference-applied"), Some("count=exact"));
    }

    #[test]
    fn head_has_the_headers_of_get_and_no_body() {
        let r = ask("HEAD", "/t", "", Verb::Read, Outcome { rows: 2, ..Outcome::default() }).unwrap();
        assert_eq!((r.body.clone(), field(&r, "content-range")), (Body::Empty, Some("0-1/*")));
        assert!(field(&r, "content-type").is_some());
    }

    #[test]
    fn a_merge_that_created_nothing_is_200() {
        let outcome = |updated| Outcome { affected: 2, updated, has_conflict_target: true, ..Outcome::default() };
        let status =
            |updated| ask("POST", "/t", "resolution=merge-duplicates", Verb::Create, outcome(updated)).unwrap().status;
        assert_eq!((status(0), status(1), status(2)), (201, 201, 200));
    }

    #[test]
    fn a_write_that_is_to_be_of_one_object_changes_one_row() {
        let headers: Headers = [("prefer", "")].into_iter().collect();
        let write = |method, verb, affected| {
            let request = Request::parse(method, "/t", &headers, None).unwrap();
            let media = MediaType::Object { nulls_stripped: false };
            respond(&action(verb), &request, &media, &Outcome { affected, ..Outcome::default() })
        };
        for (method, verb) in [("POST", Verb::Create), ("PATCH", Verb::Update), ("DELETE", Verb::Delete)] {
            assert!(write(method, verb, 1).is_ok(), "{method}");
            for affected in [0, 2] {
                let e = write(method, verb, affected).unwrap_err();
                assert_eq!((e.status, e.code.as_str()), (406, "PGRST116"), "{method} of {affected}");
            }
        }
    }

    #[test]
    fn more_changes_than_allowed_are_refused() {
        let outcome = Outcome { affected: 3, ..Outcome::default() };
        let e = ask("PATCH", "/t", "handling=strict, max-affected=2", Verb::Update, outcome.clone()).unwrap_err();
        assert_eq!(e.code, "PGRST124");
        assert!(ask("PATCH", "/t", "handling=strict, max-affected=3", Verb::Update, outcome).is_ok());
    }

    #[test]
    fn settings_control_the_response_but_cannot_split_it() {
        let mut r = Response::new(200, Body::Empty).header("content-type", "a");
        apply_settings(&mut r, Some("201"), Some(r#"[{"Content-Type":"b"},{"Set-Cookie":"x"},{"Set-Cookie":"y"}]"#))
            .unwrap();
        assert_eq!((r.status, field(&r, "content-type")), (201, Some("b")));
        assert_eq!(r.headers.iter().filter(|(n, _)| n == "set-cookie").count(), 2);
        for (status, headers, code) in [
            ("abc", "", "PGRST112"),
            ("999", "", "PGRST112"),
            ("", "{}", "PGRST111"),
            ("", "[1]", "PGRST111"),
            ("", r#"[{"a":1}]"#, "PGRST111"),
            ("", "[{\"a\":\"x\\r\\nb: c\"}]", "REST500"),
            ("", r#"[{"a b":"c"}]"#, "REST500"),
        ] {
            let e = apply_settings(&mut r, Some(status), Some(headers)).unwrap_err();
            assert_eq!((e.status, e.code.as_str()), (500, code), "{status}{headers}");
        }
    }
}
