//! The log of requests: which are written, and what a line says. Pure.

use crate::http::target;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Which requests are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Requests without an error of the server, too.
    pub all: bool,
    /// How many of a hundred of these.
    pub per_cent: u8,
    /// Requests that take at least this long, whatever their status is. `None` for no such rule.
    pub slow: Option<Duration>,
}

impl Rule {
    /// Whether a request is written. `draw`: a number below 100, each as likely as the others.
    pub fn takes(&self, status: u16, took: Duration, draw: u8) -> bool {
        status >= 500 || self.slow.is_some_and(|slow| took >= slow) || self.all && draw < self.per_cent
    }
}

/// Who has asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub subject: Option<String>,
    pub role: String,
    /// How the identity was established.
    pub method: &'static str,
    /// The identifier of the API key.
    pub key: Option<String>,
}

/// What is told of a request.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    pub method: &'a str,
    pub schema: &'a str,
    /// The path without its values; empty if there is nothing at the path.
    pub route: &'a str,
    /// The target as it was sent, if it is to be told.
    pub target: Option<&'a str>,
    pub status: u16,
    /// The code of the error.
    pub code: Option<&'a str>,
    pub took: Duration,
    pub rows: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub who: Option<&'a Who>,
    /// The fields `x-request-id` and `traceparent`.
    pub request_id: Option<&'a str>,
    pub traceparent: Option<&'a str>,
}

impl Entry<'_> {
    /// The line: a JSON object with OpenTelemetry's names where it has them. Without what is not known. As JSON, nothing that a client sends can
    /// begin a line of its own.
    pub fn line(&self) -> String {
        let mut line = Map::new();
        let mut add = |name: &str, value: Value| {
            if !value.is_null() {
                line.insert(name.to_owned(), value);
            }
        };
        let known = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        add("http.request.method", self.method.into());
        add("http.route", known(self.route));
        add("db.namespace.schema", known(self.schema));
        if let Some(sent) = self.target {
            let (path, query) = redacted(sent);
            add("url.path", path.into());
            add("url.query", query.map_or(Value::Null, Value::from));
        }
        add("http.response.status_code", self.status.into());
        add("error.type", self.code.map_or(Value::Null, Value::from));
        add("http.server.request.duration", json!((self.took.as_secs_f64() * 1e6).round() / 1e6));
        add("db.response.returned_rows", self.rows.into());
        add("http.request.body.size", self.bytes_in.into());
        add("http.response.body.size", self.bytes_out.into());
        if let Some(who) = self.who {
            add("enduser.id", who.subject.as_deref().map_or(Value::Null, Value::from));
            add("enduser.role", known(&who.role));
            add("auth.method", who.method.into());
            add("auth.key_id", who.key.as_deref().map_or(Value::Null, Value::from));
        }
        add("http.request.header.x-request-id", self.request_id.map_or(Value::Null, Value::from));
        // version-trace-parent-flags (W3C Trace Context).
        let mut trace = self.traceparent.unwrap_or_default().split('-').skip(1);
        add("trace_id", trace.next().map_or(Value::Null, Value::from));
        add("span_id", trace.next().map_or(Value::Null, Value::from));
        Value::Object(line).to_string()
    }
}

/// Parameters whose values are not told, by a part of their names.
const SECRET: [&str; 8] = ["token", "secret", "password", "passwd", "apikey", "api_key", "authorization", "session"];

/// The path and the query of a target, without the values of parameters that look like secrets.
fn redacted(sent: &str) -> (&str, Option<String>) {
    let Some((path, query)) = sent.split_once('?') else { return (sent, None) };
    let shown = query.split('&').map(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default();
        let decoded = target::decode(name, true).unwrap_or_default().to_lowercase();
        if SECRET.iter().any(|secret| decoded.contains(secret)) {
            format!("{name}=REDACTED")
        } else {
            parameter.to_owned()
        }
    });
    (path, Some(shown.collect::<Vec<_>>().join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_slow_requests_are_always_written() {
        let second = Duration::from_secs(1);
        let rule = Rule { all: false, per_cent: 100, slow: Some(second) };
        assert!(rule.takes(500, Duration::ZERO, 99) && rule.takes(200, second, 99));
        assert!(!rule.takes(200, Duration::ZERO, 0) && !rule.takes(404, Duration::ZERO, 0));
        let sampled = Rule { all: true, per_cent: 10, slow: None };
        assert_eq!((0..100).filter(|draw| sampled.takes(200, second, *draw)).count(), 10);
        assert!(!Rule::default().takes(200, second, 0));
    }

    #[test]
    fn a_line_is_one_line_and_has_what_is_known() {
        let who = Who { subject: Some("ann\nbea".to_owned()), role: "reader".to_owned(), method: "jwt", key: None };
        let entry = Entry {
            method: "GET",
            schema: "shop",
            route: "/orders",
            target: Some("/orders?id=eq.1&access_token=abc&API%5Fkey=x&flag"),
            status: 503,
            code: Some("53300"),
            took: Duration::from_micros(1500),
            rows: 3,
            bytes_in: 0,
            bytes_out: 20,
            who: Some(&who),
            request_id: Some("r-1"),
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        };
        let line = entry.line();
        assert!(!line.contains('\n'));
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(told["url.query"], "id=eq.1&access_token=REDACTED&API%5Fkey=REDACTED&flag");
        assert_eq!(told["http.server.request.duration"], 0.0015);
        assert_eq!(told["enduser.id"], "ann\nbea");
        assert_eq!(told["trace_id"], "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(told["span_id"], "b7ad6b7169203331");
        let absent = Entry {
            route: "",
            schema: "",
            target: None,
            code: None,
            who: None,
            request_id: None,
            traceparent: None,
            ..entry
        };
        let told: Value = serde_json::from_str(&absent.line()).unwrap();
        let names: Vec<&str> = told.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names.len(), 6, "{names:?}");
    }
}
