//! Builds the HTTP response. Pure.

mod judge;
mod link;
mod named;
mod outcome;
mod precondition;
mod raised;
pub mod result;
mod settings;

pub use judge::{Judgement, judge};
pub use named::Named;
pub use outcome::{Captured, Effect, Outcome};
pub use precondition::{body_digest, known_versions};
pub use settings::ResponseSettings;

use crate::ask::Ask;
use crate::http::condition::{Validators, date_text};
use crate::http::prefer::{Preferences, Return};
use crate::http::response::{Body, Response};
use crate::http::{MediaType, Method, Request, target};
use crate::limits;
use crate::plan::allow::Description;
use crate::route::{Action, Resource, Verb};
use serde_json::Value;
use std::borrow::Cow;

/// Builds the response to a request.
pub fn respond(ask: &Ask, judgement: Judgement) -> Response {
    let Judgement { outcome, status, body, content_range, link, settings, validators, commits: _ } = judgement;
    let action = ask.action();
    let mut response = Response::new(status, body);
    if let Some(range) = content_range {
        response = response.header("content-range", range);
    }
    if let Some(link) = link {
        response = response.header("link", link);
    }
    response = match &outcome {
        Outcome::Described(description) => described(response, description),
        Outcome::Explained(_) => response
            .header("content-type", "application/vnd.restful.access+json; charset=utf-8")
            .header("preference-applied", "explain-access"),
        Outcome::Document => {
            let media = ask.media.as_ref().unwrap_or(&MediaType::Json);
            with_applied(with_content(response, action, media), ask, None)
        }
        Outcome::Effect(effect) => {
            let media = ask.media.as_ref().unwrap_or(&effect.media);
            if effect.is_plan() {
                with_content(response, action, media)
            } else {
                with_validators(of_effect(response, ask, effect, media), effect, validators)
            }
        }
    };
    settings.apply(&mut response);
    response
}

/// Adds the methods of a resource, and the media types that they take.
fn described(response: Response, description: &Description) -> Response {
    let response = response.header("allow", description.allow.clone());
    description.accepts.iter().fold(response, |response, accepts| response.header(accepts.field, accepts.types))
}

/// Adds the header fields that depend on a statement.
fn of_effect(mut response: Response, ask: &Ask, effect: &Effect, media: &MediaType) -> Response {
    let action = ask.action();
    if action.verb == Verb::Read {
        let location = content_location(ask.request);
        if ask.request.method != Method::Query || location.len() <= limits::LOCATION_OF_QUERY {
            response = response.header("content-location", location);
        }
    }
    if response.status == 304 {
        return response;
    }
    if let Some(key) = &effect.key {
        response = response.header("location", location(ask.request.target.prefix, &action.resource, key));
    }
    match &response.body {
        Body::Rows => response = with_content(response, action, media),
        Body::Bytes(_) => {
            let media = if matches!(media, MediaType::NdJson(_)) { media } else { &MediaType::Json };
            response = with_content(response, action, media);
        }
        Body::Empty => {}
    }
    with_applied(response, ask, Some(effect))
}

/// ETag, Last-Modified (RFC 9110, section 8.8) and Cache-Control (RFC 9111, section 5.2).
fn with_validators(mut response: Response, effect: &Effect, validators: Validators) -> Response {
    if let Some(tag) = &validators.tag {
        response = response.header("etag", ["\"", tag, "\""].concat());
    }
    let last_modified = validators.last_modified.and_then(date_text);
    // Without directives, a cache may guess from Last-Modified how long the answer stays fresh (RFC 9111, section 4.2.2).
    let guarded = last_modified.is_some().then_some(Cow::Borrowed("no-cache"));
    if let Some(date) = last_modified {
        response = response.header("last-modified", date);
    }
    match effect.cache_control.as_ref().map(|directives| Cow::Owned(directives.to_string())).or(guarded) {
        Some(directives) => response.header("cache-control", directives),
        None => response,
    }
}

/// The fields that describe the body.
fn with_content(response: Response, action: &Action, media: &MediaType) -> Response {
    let response = response.header("content-type", media.content_type());
    if action.negotiated { response.header("content-profile", action.schema.to_string()) } else { response }
}

/// Preference-Applied (RFC 7240, section 3).
fn with_applied(response: Response, ask: &Ask, effect: Option<&Effect>) -> Response {
    if ask.request.preferences == Preferences::default() {
        return response;
    }
    let has_conflict_target = effect.is_some_and(|effect| effect.has_conflict_target);
    match applied_preferences(ask, has_conflict_target, effect).applied() {
        Some(applied) => response.header("preference-applied", applied),
        None => response,
    }
}

/// The preferences that had an effect on the action (RFC 7240, section 3).
fn applied_preferences(ask: &Ask, has_conflict_target: bool, effect: Option<&Effect>) -> Preferences {
    let mut applied = ask.request.preferences.clone();
    // The answer to `explain-access` names that preference itself.
    applied.explain_access = false;
    applied.transaction = ask.transaction;
    let verb = ask.action().verb;
    let is_create = verb == Verb::Create;
    let is_write = matches!(verb, Verb::Create | Verb::Replace | Verb::Update | Verb::Delete);
    applied.resolution = applied.resolution.filter(|_| is_create && has_conflict_target);
    let is_named = effect.is_some_and(|effect| effect.named.is_some());
    applied.representation = applied.representation.filter(|r| is_write && (*r != Return::Report || is_named));
    applied.missing = applied.missing.filter(|_| is_create || verb == Verb::Update);
    applied.max_affected = applied.max_affected.filter(|_| matches!(verb, Verb::Update | Verb::Delete | Verb::Call));
    applied
}

/// Content-Location (RFC 9110, section 8.7): the path with its parameters sorted, so that equal requests have equal texts. That of
/// QUERY names the GET that means the same (RFC 10008, section 2).
fn content_location(request: &Request) -> String {
    let mut parameters: Vec<(&str, &str)> =
        request.target.parameters.iter().map(|(n, v)| (n.as_ref(), v.as_deref().unwrap_or_default())).collect();
    parameters.sort_unstable();
    let mut location = String::with_capacity(request.target.sent.len() + 64);
    location.push_str(request.target.prefix);
    location.push_str(request.target.path);
    for (i, (name, value)) in parameters.iter().enumerate() {
        location.push(if i == 0 { '?' } else { '&' });
        target::encode_into(&mut location, name, b"*");
        location.push('=');
        target::encode_into(&mut location, value, b"*()!:,");
    }
    location
}

/// Location of a created row (RFC 9110, section 10.2.2). `prefix`: that of the request's path.
fn location(prefix: &str, resource: &Resource, key: &[(String, Value)]) -> String {
    let relation = match resource {
        Resource::Collection { relation } | Resource::Item { relation, .. } => relation.as_str(),
        Resource::Function { .. } | Resource::Root => "",
    };
    let mut location = format!("{prefix}/{}", target::encode(relation, b""));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Settings;
    use crate::error::Result;
    use crate::http::Headers;
    use crate::route::{Route, Surface, route};

    /// The response to a request whose statement had this effect.
    fn answer(method: &str, target: &str, prefer: &str, accept: &str, effect: Effect) -> Result<Response> {
        let headers: Headers = [("prefer", prefer), ("accept", accept)].into_iter().collect();
        let request = Request::parse(method, target, &headers, Some(&b"{\"a\":1}"[..]).filter(|_| method != "DELETE"))?;
        let surface = Surface { schemas: std::rc::Rc::new(["api".into()]), ..Surface::default() };
        let Route::Action(action) = route(&request, &surface)? else { panic!("{target} is an endpoint") };
        let ask = Ask::read(&request, action, &Settings::default())?;
        let judgement = judge(&ask, Outcome::Effect(effect), || Ok(ResponseSettings::default()))?;
        Ok(respond(&ask, judgement))
    }

    fn field<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_ref())
    }

    #[test]
    fn a_read_tells_its_range_and_place() {
        let effect = Effect { rows: 2, total: Some(5), ..Effect::default() };
        let r = answer("GET", "/t?select=*&id=gt.1", "count=exact", "", effect).unwrap();
        assert_eq!((r.status, field(&r, "content-range")), (206, Some("0-1/5")));
        assert_eq!(field(&r, "content-location"), Some("/t?id=gt.1&select=*"));
        assert_eq!(field(&r, "preference-applied"), Some("count=exact"));
    }

    #[test]
    fn head_has_the_fields_of_get() {
        let effect = Effect { rows: 2, ..Effect::default() };
        let r = answer("HEAD", "/t", "", "", effect).unwrap().without_forbidden_body("HEAD");
        assert_eq!((r.body.clone(), field(&r, "content-range")), (Body::Empty, Some("0-1/*")));
        assert!(field(&r, "content-type").is_some());
    }

    #[test]
    fn a_merge_that_created_nothing_is_200() {
        let effect = |updated| Effect { affected: 2, updated, has_conflict_target: true, ..Effect::default() };
        let status = |updated| answer("POST", "/t", "resolution=merge-duplicates", "", effect(updated)).unwrap().status;
        assert_eq!((status(0), status(1), status(2)), (201, 201, 200));
    }

    #[test]
    fn a_write_that_is_to_be_of_one_object_changes_one_row() {
        let object = "application/vnd.pgrst.object+json";
        let write = |method, affected| {
            let effect = Effect { affected, media: MediaType::parse(object), ..Effect::default() };
            answer(method, "/t", "", object, effect)
        };
        for method in ["POST", "PATCH", "DELETE"] {
            assert!(write(method, 1).is_ok(), "{method}");
            for affected in [0, 2] {
                let e = write(method, affected).unwrap_err();
                assert_eq!((e.status, e.code.as_str()), (406, "PGRST116"), "{method} of {affected}");
            }
        }
    }

    #[test]
    fn more_changes_than_allowed_are_refused() {
        let effect = Effect { affected: 3, ..Effect::default() };
        let e = answer("PATCH", "/t", "handling=strict, max-affected=2", "", effect.clone()).unwrap_err();
        assert_eq!(e.code, "PGRST124");
        assert!(answer("PATCH", "/t", "handling=strict, max-affected=3", "", effect).is_ok());
    }

    #[test]
    fn an_item_that_is_not_there_is_404_and_two_of_one_key_are_406() {
        let read = |rows| answer("GET", "/t/1", "", "", Effect { rows, ..Effect::default() });
        assert_eq!(read(0).unwrap_err().status, 404);
        assert_eq!(field(&read(1).unwrap(), "content-range"), None);
        assert_eq!(read(2).unwrap_err().code, "PGRST116");
    }

    /// The targets of Link by their relations, for a page of so many rows.
    fn links(target: &str, prefer: &str, rows: u64, total: Option<u64>) -> Vec<String> {
        let effect = Effect { rows, total, is_list: true, ..Effect::default() };
        let r = answer("GET", target, prefer, "", effect).unwrap();
        let link = field(&r, "link").unwrap_or_default().to_owned();
        link.split(", ").filter(|l| !l.is_empty()).map(|l| l.replace(">; rel=", " ").replace(['<', '"'], "")).collect()
    }

    #[test]
    fn a_page_by_offset_has_links_to_its_neighbours() {
        let counted = "count=exact";
        assert_eq!(links("/t?a=gt.1&limit=2", "", 2, None), ["?a=gt.1&limit=2 first", "?a=gt.1&limit=2&offset=2 next"]);
        assert_eq!(
            links("/t?limit=2&offset=5&x=eq.a%20%3E%22%2Cb", counted, 2, Some(9)),
            [
                "?x=eq.a%20%3E%22,b&limit=2 first",
                "?x=eq.a%20%3E%22,b&limit=2&offset=3 prev",
                "?x=eq.a%20%3E%22,b&limit=2&offset=7 next",
                "?x=eq.a%20%3E%22,b&limit=2&offset=7 last"
            ]
        );
        // the last page, by the total and without one
        assert_eq!(
            links("/t?limit=2&offset=2", counted, 2, Some(4)),
            ["?limit=2 first", "?limit=2 prev", "?limit=2&offset=2 last"]
        );
        assert_eq!(links("/t?limit=2&offset=2", "", 1, None), ["?limit=2 first", "?limit=2 prev"]);
        assert_eq!(links("/t?limit=2", counted, 0, Some(0)), ["?limit=2 first", "?limit=2 last"]);
        // an estimate says nothing of the last page
        assert_eq!(links("/t?limit=2", "count=planned", 2, Some(2)), ["?limit=2 first", "?limit=2&offset=2 next"]);
        assert_eq!(links("/t?offset=2", "", 9, None), ["? first"]);
    }

    #[test]
    fn what_is_no_page_has_no_links() {
        for target in ["/t", "/t?limit=0", &format!("/t?limit=1&a=eq.{}", "x".repeat(600))] {
            assert_eq!(links(target, "count=exact", 1, Some(9)), [""; 0], "{target}");
        }
        let one = answer("GET", "/t?limit=1", "", "", Effect { rows: 1, ..Effect::default() }).unwrap();
        assert_eq!(field(&one, "link"), None);
    }

    #[test]
    fn explain_never_commits() {
        let headers = Headers::default();
        let request = Request::parse("DELETE", "/t", &headers, None).unwrap();
        let surface = Surface { schemas: std::rc::Rc::new(["api".into()]), ..Surface::default() };
        let Ok(Route::Action(action)) = route(&request, &surface) else { panic!("no action") };
        let ask = Ask::read(&request, action, &Settings::default()).unwrap();
        let commits = |media: &str| {
            let effect = Effect { media: MediaType::parse(media), ..Effect::default() };
            judge(&ask, Outcome::Effect(effect), || Ok(ResponseSettings::default())).unwrap().commits
        };
        assert!(commits("application/json"));
        assert!(!commits("application/vnd.pgrst.plan+json"));
    }
}
