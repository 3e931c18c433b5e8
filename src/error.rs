//! The one catalogue of errors: code, HTTP status, message, details and hint.
//!
//! Codes are PostgREST's `PGRSTnnn` where the situation is the same, the SQLSTATE for errors of the database, and
//! `RESTnnn` for what only this extension has. The body is RFC 9457's problem document with the four members that
//! clients of the dialect read.

use crate::http::field::{is_field_value, is_token};
use crate::stumble;
use crate::violation::Violation;
use serde_json::{Value, json};
use std::fmt;
use std::ops::Deref;

/// What went wrong: one line per code of the catalogue.
macro_rules! catalogue {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal;)*) => {
        /// A situation that the extension itself refuses, with its stable code and HTTP status.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($(#[$doc])* $name,)* }
        impl Code {
            /// Every code, in the order of the catalogue.
            pub const ALL: &[Code] = &[$(Code::$name,)*];
            /// The stable, machine-readable code.
            pub fn as_str(self) -> &'static str { match self { $(Code::$name => $code,)* } }
            /// The HTTP status (RFC 9110, section 15).
            pub fn status(self) -> u16 { match self { $(Code::$name => $status,)* } }
        }
    };
}

catalogue! {
    /// The query string does not follow the grammar.
    QueryParameter          = "PGRST100", 400;
    /// The method has no meaning on a function.
    FunctionMethod          = "PGRST101", 405;
    /// The body is not what the request needs.
    Body                    = "PGRST102", 400;
    /// The range lies outside the result, or is none.
    Range                   = "PGRST103", 416;
    /// PUT needs exactly the primary key in its filters.
    PutFilters              = "PGRST105", 405;
    /// The schema asked for is not exposed.
    Schema                  = "PGRST106", 406;
    /// No representation that the client accepts can be made.
    MediaType               = "PGRST107", 406;
    /// A filter, order or limit names a relation that the request does not embed.
    NotEmbedded             = "PGRST108", 400;
    /// The setting `response.headers` is malformed.
    ResponseHeaders         = "PGRST111", 500;
    /// The setting `response.status` is malformed.
    ResponseStatus          = "PGRST112", 500;
    /// PUT with limit or offset.
    PutLimit                = "PGRST114", 400;
    /// PUT whose body and URL name different rows.
    PutKey                  = "PGRST115", 400;
    /// One object was asked for, and the result has none or several.
    Singular                = "PGRST116", 406;
    /// The method is not one of the dialect's.
    Method                  = "PGRST117", 405;
    /// Ordering by a relation that is not to-one.
    RelatedOrder            = "PGRST118", 400;
    /// A filter on an embedded relation other than `is.null`.
    EmbedFilter             = "PGRST120", 400;
    /// A function raised SQLSTATE PGRST with a message that is not the JSON it should be.
    RaiseFormat             = "PGRST121", 500;
    /// A preference is unknown or malformed, and handling is strict.
    Preference              = "PGRST122", 400;
    /// Aggregates are switched off.
    Aggregates              = "PGRST123", 400;
    /// More rows would be changed than the preference max-affected allows.
    MaxAffected             = "PGRST124", 400;
    /// The path has no meaning.
    Path                    = "PGRST125", 404;
    /// The root is switched off.
    RootDisabled            = "PGRST126", 404;
    /// A part of the dialect that is not built.
    NotImplemented          = "PGRST127", 400;
    /// max-affected on a function that returns one value.
    MaxAffectedFunction     = "PGRST128", 400;
    /// No relationship between two relations.
    Relationship            = "PGRST200", 400;
    /// More than one relationship between two relations.
    AmbiguousRelationship   = "PGRST201", 300;
    /// No such function with these arguments.
    Function                = "PGRST202", 404;
    /// More than one function fits the arguments.
    AmbiguousFunction       = "PGRST203", 300;
    /// No such column in the body's target.
    Column                  = "PGRST204", 400;
    /// No such table or view.
    Relation                = "PGRST205", 404;
    /// A token came, and there is no key to verify it with.
    NoKeys                  = "PGRST300", 500;
    /// The token cannot be decoded or verified.
    Token                   = "PGRST301", 401;
    /// Requests without identity are not answered.
    TokenRequired           = "PGRST302", 401;
    /// The token's claims do not hold: it has expired, or is not meant for this API.
    Claims                  = "PGRST303", 401;
    /// A header, or the target, holds bytes that it may not hold.
    MalformedRequest        = "REST400", 400;
    /// The session's identity does not fit the claims it brings.
    Identity                = "REST401", 401;
    /// The role may not be taken.
    Role                    = "REST403", 403;
    /// No row has this key.
    Item                    = "REST404", 404;
    /// The resource does not allow the method.
    Allow                   = "REST405", 405;
    /// The API key is malformed, unknown, revoked or has expired.
    ApiKey                  = "REST411", 401;
    /// The body is larger than the setting max_body_bytes.
    BodyTooLarge            = "REST413", 413;
    /// The body is encoded in a way that is not understood.
    ContentEncoding         = "REST415", 415;
    /// The body, or a row, is not valid against a JSON Schema.
    InvalidBody             = "REST422", 422;
    /// A limit of the request's size or nesting.
    Limit                   = "REST431", 400;
    /// A response header set by a function or setting holds CR, LF or NUL.
    HeaderValue             = "REST500", 500;
    /// The settings contradict each other or the catalogue.
    Setting                 = "REST506", 500;
    /// The request ran into the time limit of its role.
    Timeout                 = "REST504", 504;
}

/// A refused or failed request. Boxed, so that results stay small.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(Box<Problem>);

impl Deref for Error {
    type Target = Problem;
    fn deref(&self) -> &Problem {
        &self.0
    }
}

/// What the response says of an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Stable, machine-readable code.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong, in words.
    pub message: String,
    /// More about it.
    pub details: Option<Value>,
    /// What to do next.
    pub hint: Option<Value>,
    /// What is wrong with the body, value by value.
    pub errors: Vec<Invalid>,
    /// Why a row is not seen, for those who may ask.
    pub access: Option<Value>,
    /// Response headers that belong to the error (`allow`, `www-authenticate`), names in lower case.
    pub headers: Vec<(String, String)>,
}

/// A value of the body that its JSON Schema does not allow.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// JSON Pointer (RFC 6901) to it in the body.
    pub pointer: String,
    /// The keyword it fails, in terms of the column's own value.
    pub violation: Violation,
}

/// What a stage returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the catalogue.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error::with_code(code.as_str(), code.status(), message)
    }

    /// An error under a code that is not the catalogue's: a SQLSTATE.
    pub fn with_code(code: impl Into<String>, status: u16, message: impl Into<String>) -> Self {
        Error(Box::new(Problem {
            code: code.into(),
            status,
            message: message.into(),
            details: None,
            hint: None,
            errors: Vec::new(),
            access: None,
            headers: Vec::new(),
        }))
    }

    /// Adds details.
    #[must_use]
    pub fn details(mut self, details: impl Into<Value>) -> Self {
        self.0.details = Some(details.into());
        self
    }

    /// Adds a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Value>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a hint to an error that has none.
    #[must_use]
    pub fn hint_if_none(mut self, hint: impl FnOnce() -> Option<String>) -> Self {
        if self.0.hint.is_none() {
            self.0.hint = hint().map(Value::from);
        }
        self
    }

    /// Adds what is wrong with the body.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Invalid>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Adds why a row is not seen.
    #[must_use]
    pub fn access(mut self, access: Value) -> Self {
        self.0.access = Some(access);
        self
    }

    /// Adds a response header; `name` in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.headers.push((name.to_owned(), value.into()));
        self
    }

    /// An error of the grammar: `what` could not be parsed from the character `column` on, counted from 1, because of `why`.
    pub fn parse(what: &str, text: &str, column: usize, why: impl Into<String>) -> Self {
        // An absurdly long parameter is not sent back whole.
        let shown: String = text.chars().take(200).collect();
        let message = format!("\"failed to parse {what} ({shown})\" (line 1, column {column})");
        Error::new(Code::QueryParameter, message).details(why.into())
    }

    /// A row that is not valid against the JSON Schema of a column, or against its own: in the database's words.
    pub fn invalid_row(message: impl Into<String>) -> Self {
        Error::new(Code::InvalidBody, message).hint("See \"errors\": each pointer (RFC 6901) leads into the row.")
    }

    /// A column that the relation does not have: the database's own words and code (42703), without asking it.
    pub fn no_column(relation: &str, column: &str) -> Self {
        Error::with_code("42703", 400, format!("column {relation}.{column} does not exist"))
    }

    /// Turns an error that the database raised into one of ours.
    ///
    /// `authenticated`: whether the request has an identity (42501 is 401 without one, 403 with one).
    pub fn database(raised: Raised, authenticated: bool) -> Self {
        if raised.sqlstate == "PGRST" {
            return raised.as_response();
        }
        let status = status_of_sqlstate(&raised, authenticated);
        let hint = stumble::hint(&raised.sqlstate, &raised.message);
        let message =
            if raised.sqlstate.starts_with("42") { stumble::without_aliases(&raised.message) } else { raised.message };
        let mut error = Error::with_code(raised.sqlstate, status, message);
        error.0.details = raised.detail.map(Value::String);
        error.0.hint = raised.hint.map(Value::String).or(hint.map(Value::from));
        if status == 401 {
            error = error.header("www-authenticate", "Bearer");
        }
        error
    }

    /// Whether it is a problem in the sense of RFC 9457. No other status is: with 300 the client is to choose (RFC 9110, section
    /// 15.4.1), and functions may end a request with any.
    pub fn is_problem(&self) -> bool {
        self.status >= 400
    }

    /// The title of the problem document: the reason phrase of the status (RFC 9457, section 4.2.1).
    pub fn title(&self) -> &'static str {
        reason_phrase(self.status)
    }

    /// The body: RFC 9457 members, and those that clients of the dialect read.
    pub fn body(&self, instance: &str, verbose: bool) -> Value {
        let mut body = if self.is_problem() {
            json!({
                "type": "about:blank",
                "title": self.title(),
                "status": self.status,
                "instance": instance,
                "code": self.code,
                "message": self.message,
            })
        } else {
            json!({ "code": self.code, "message": self.message })
        };
        if verbose && let Some(body) = body.as_object_mut() {
            body.insert("details".to_owned(), self.details.clone().unwrap_or(Value::Null));
            body.insert("hint".to_owned(), self.hint.clone().unwrap_or(Value::Null));
        }
        if let (Some(access), Some(body)) = (&self.access, body.as_object_mut()) {
            body.insert("access".to_owned(), access.clone());
        }
        if !self.errors.is_empty()
            && let Some(body) = body.as_object_mut()
        {
            let errors = self.errors.iter().map(|Invalid { pointer, violation }| {
                json!({
                    "pointer": pointer,
                    "instance_location": violation.instance_location,
                    "keyword_location": violation.keyword_location,
                    "keyword": violation.keyword,
                    "message": violation.message,
                })
            });
            body.insert("errors".to_owned(), errors.collect());
        }
        body
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Error {}

/// An error as the database raised it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Raised {
    /// Five characters.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// DETAIL, if it may be shown.
    pub detail: Option<String>,
    /// HINT, if it may be shown.
    pub hint: Option<String>,
}

impl Raised {
    /// Removes what discloses rows or names that the role may not see: DETAIL of integrity violations (class 23)
    /// prints column values of rows, its HINT is harmless.
    #[must_use]
    pub fn without_disclosure(mut self, expose_details: bool) -> Self {
        if !expose_details && self.sqlstate.starts_with("23") {
            self.detail = None;
        }
        self
    }

    /// `RAISE SQLSTATE 'PGRST'` gives full control: MESSAGE is a JSON object with code, message, details, hint; DETAIL
    /// one with status and headers.
    fn as_response(&self) -> Error {
        let malformed = |details: String, hint: &str| {
            Error::new(Code::RaiseFormat, "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error")
                .details(details)
                .hint(hint)
        };
        let text = |v: &Value, key: &str| v.get(key).and_then(Value::as_str).map(str::to_owned);
        let message_hint = "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', 'hint'.";
        let detail_hint =
            "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: 'status_text'.";
        let bad_message = || malformed(format!("Invalid JSON value for MESSAGE: '{}'", self.message), message_hint);
        let Ok(message) = serde_json::from_str::<Value>(&self.message) else { return bad_message() };
        let (Some(code), Some(words)) = (text(&message, "code"), text(&message, "message")) else {
            return bad_message();
        };
        let Some(detail) = &self.detail else {
            return malformed("DETAIL is missing in the RAISE statement".to_owned(), detail_hint);
        };
        let bad_detail = || malformed(format!("Invalid JSON value for DETAIL: '{detail}'"), detail_hint);
        let Ok(value) = serde_json::from_str::<Value>(detail) else { return bad_detail() };
        let status = value.get("status").and_then(Value::as_u64).and_then(|s| u16::try_from(s).ok());
        let (Some(status @ 300..=599), Some(headers)) = (status, value.get("headers").and_then(Value::as_object))
        else {
            return bad_detail();
        };
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, v)| (name.to_ascii_lowercase(), v.as_str().map_or_else(|| v.to_string(), str::to_owned)))
            .collect();
        if headers.iter().any(|(name, value)| !is_token(name) || !is_field_value(value)) {
            return Error::new(
                Code::HeaderValue,
                "The headers of a \"RAISE SQLSTATE 'PGRST'\" error hold a name or value that no header can have",
            )
            .hint("A name is a token; a value holds no control characters such as CR and LF.");
        }
        let mut error = Error::with_code(code, status, words);
        error.0.details = text(&message, "details").map(Value::String);
        error.0.hint = text(&message, "hint").map(Value::String);
        error.0.headers = headers;
        error
    }
}

/// PostgREST's map from SQLSTATE to status, so that its clients need not change.
fn status_of_sqlstate(raised: &Raised, authenticated: bool) -> u16 {
    let state = raised.sqlstate.as_str();
    match state {
        "23503" | "23505" => 409,
        "25006" => 405,
        "21000" if raised.message.ends_with("requires a WHERE clause") => 400,
        // an upsert whose body has a key twice
        "21000" if raised.message.starts_with("ON CONFLICT DO UPDATE command cannot affect row") => 400,
        "22023" if raised.message.starts_with("role") && raised.message.ends_with("does not exist") => 401,
        "42883" if raised.message.starts_with("function xmlagg(") => 406,
        "42883" | "42P01" => 404,
        "42P17" => 500,
        "42501" if authenticated => 403,
        "42501" => 401,
        "53400" => 500,
        // what is too large is a value of the request, or the answer to it
        "54000" => 400,
        "57P01" => 503,
        "P0001" => 400,
        _ => match state.get(..2).unwrap_or_default() {
            "08" | "53" => 503,
            "0L" | "0P" | "28" => 403,
            "09" | "21" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV" | "P0"
            | "XX" => 500,
            "PT" => state.get(2..).and_then(|n| n.parse().ok()).filter(|n| (300..=599).contains(n)).unwrap_or(500),
            _ => 400,
        },
    }
}

/// The reason phrase of a status (RFC 9110, section 15; IANA's registry).
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        418 => "I'm a teapot",
        422 => "Unprocessable Content",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        n if n < 200 => "Informational",
        n if n < 300 => "Success",
        n if n < 400 => "Redirection",
        n if n < 500 => "Client Error",
        _ => "Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(sqlstate: &str, message: &str) -> Raised {
        Raised { sqlstate: sqlstate.into(), message: message.into(), ..Raised::default() }
    }

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }

    #[test]
    fn a_denied_statement_is_401_without_identity_and_403_with_one() {
        assert_eq!(Error::database(raised("42501", "permission denied"), false).status, 401);
        assert_eq!(Error::database(raised("42501", "permission denied"), true).status, 403);
        let anonymous = Error::database(raised("42501", "permission denied"), false);
        assert_eq!(anonymous.headers, [("www-authenticate".to_owned(), "Bearer".to_owned())]);
    }

    #[test]
    fn sqlstates_map_to_the_statuses_that_clients_know() {
        for (state, status) in [
            ("23505", 409),
            ("23503", 409),
            ("23502", 400),
            ("23514", 400),
            ("22P02", 400),
            ("42P01", 404),
            ("42703", 400),
            ("25006", 405),
            ("57014", 500),
            ("40001", 500),
            ("53300", 503),
            ("53400", 500),
            ("P0001", 400),
            ("P0002", 500),
            ("PT402", 402),
            ("PT999", 500),
            ("PTxyz", 500),
            ("0L000", 403),
        ] {
            assert_eq!(Error::database(raised(state, ""), true).status, status, "{state}");
        }
    }

    /// The rows of docs/errors.md that begin with codes: these, and the status.
    fn documented() -> Vec<(Vec<&'static str>, u16)> {
        let rows = include_str!("../docs/errors.md").lines().filter_map(|line| line.strip_prefix("| `"));
        rows.filter_map(|row| {
            let (codes, rest) = row.split_once(" | ")?;
            let status = rest.split(" | ").next()?.parse().ok()?;
            Some((codes.split(' ').map(|code| code.trim_matches('`')).collect(), status))
        })
        .collect()
    }

    #[test]
    fn every_code_is_documented_with_its_status() {
        let documented = documented();
        for code in Code::ALL {
            let statuses: Vec<u16> =
                documented.iter().filter(|(codes, _)| codes == &[code.as_str()]).map(|(_, status)| *status).collect();
            assert_eq!(statuses, [code.status()], "docs/errors.md on {}", code.as_str());
        }
        for (codes, _) in &documented {
            for code in codes.iter().filter(|c| c.starts_with("REST") || c.starts_with("PGRST")) {
                assert!(Code::ALL.iter().any(|c| c.as_str() == *code), "docs/errors.md has {code}");
            }
        }
    }

    #[test]
    fn sqlstates_are_documented_with_their_status() {
        let mut checked = 0;
        for (codes, status) in documented() {
            for state in codes.iter().filter(|c| c.len() == 5) {
                // No condition has the subclass 999, so no more specific row is about it.
                let state = state.replace("***", "999");
                let given = |authenticated| Error::database(raised(&state, ""), authenticated).status;
                assert!(given(true) == status || given(false) == status, "docs/errors.md on {state}: {status}");
                checked += 1;
            }
        }
        assert!(checked > 20, "the table has only {checked} states");
    }

    #[test]
    fn raised_pgrst_controls_the_whole_response() {
        let mut e = raised("PGRST", r#"{"code":"123","message":"ABC","details":"DEF","hint":"XYZ"}"#);
        e.detail = Some(r#"{"status":332,"headers":{"X-Header":"str"}}"#.into());
        let error = Error::database(e, true);
        assert_eq!((error.status, error.code.as_str(), error.message.as_str()), (332, "123", "ABC"));
        assert_eq!(error.headers, [("x-header".to_owned(), "str".to_owned())]);
    }

    #[test]
    fn raised_pgrst_without_json_says_so() {
        let error = Error::database(raised("PGRST", "no json"), true);
        assert_eq!((error.status, error.code.as_str()), (500, "PGRST121"));
    }

    #[test]
    fn row_values_of_integrity_violations_are_hidden() {
        let mut e = raised("23514", "new row violates check constraint");
        e.detail = Some("Failing row contains (1, secret)".into());
        assert_eq!(e.clone().without_disclosure(false).detail, None);
        assert!(e.without_disclosure(true).detail.is_some());
    }
}
