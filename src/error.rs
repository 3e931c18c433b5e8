//! The one catalogue of errors: code, HTTP status, message, details and hint.
//!
//! Codes are PostgREST's `PGRSTnnn` if the situation is the same, the SQLSTATE for errors of the database, and `RESTnnn` for
//! situations that only this extension has. The body is RFC 9457's problem document with the four additional members that clients
//! of the dialect read.

use crate::sqlstate::SqlState;
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
    /// A function cannot be called with this method.
    FunctionMethod          = "PGRST101", 405;
    /// The body is not what the request requires.
    Body                    = "PGRST102", 400;
    /// The range lies outside the result, or is malformed.
    Range                   = "PGRST103", 416;
    /// The filters of a PUT must be exactly the primary key.
    PutFilters              = "PGRST105", 405;
    /// The schema asked for is not exposed.
    Schema                  = "PGRST106", 406;
    /// The client accepts no representation that can be made.
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
    /// One object was asked for, but the result has none or several.
    Singular                = "PGRST116", 406;
    /// The method is not part of the dialect.
    Method                  = "PGRST117", 405;
    /// Ordering by a relation that is not to-one.
    RelatedOrder            = "PGRST118", 400;
    /// A filter on an embedded relation other than `is.null`.
    EmbedFilter             = "PGRST120", 400;
    /// A function raised SQLSTATE PGRST with a message that is not the required JSON.
    RaiseFormat             = "PGRST121", 500;
    /// A preference is unknown or malformed, and handling is strict.
    Preference              = "PGRST122", 400;
    /// Aggregates are switched off.
    Aggregates              = "PGRST123", 400;
    /// More rows would be changed than the preference max-affected allows.
    MaxAffected             = "PGRST124", 400;
    /// Nothing exists at this path.
    Path                    = "PGRST125", 404;
    /// The root is switched off.
    RootDisabled            = "PGRST126", 404;
    /// A part of the dialect that is not implemented.
    NotImplemented          = "PGRST127", 400;
    /// max-affected on a function that returns one value.
    MaxAffectedFunction     = "PGRST128", 400;
    /// There is no relationship between two relations.
    Relationship            = "PGRST200", 400;
    /// There is more than one relationship between two relations.
    AmbiguousRelationship   = "PGRST201", 300;
    /// There is no function with this name and these arguments.
    Function                = "PGRST202", 404;
    /// More than one function fits the arguments.
    AmbiguousFunction       = "PGRST203", 300;
    /// The target of the body does not have this column.
    Column                  = "PGRST204", 400;
    /// There is no table or view with this name.
    Relation                = "PGRST205", 404;
    /// The request has a token, but no key is configured to verify it.
    NoKeys                  = "PGRST300", 500;
    /// The token cannot be decoded or verified.
    Token                   = "PGRST301", 401;
    /// Anonymous requests are disabled.
    TokenRequired           = "PGRST302", 401;
    /// The token's claims do not hold: it has expired, or is not meant for this API.
    Claims                  = "PGRST303", 401;
    /// A header or the target contains bytes that are not allowed.
    MalformedRequest        = "REST400", 400;
    /// The session's identity contradicts the claims.
    Identity                = "REST401", 401;
    /// The request may not take this role.
    Role                    = "REST403", 403;
    /// No row has this key.
    Item                    = "REST404", 404;
    /// The resource does not allow the method.
    Allow                   = "REST405", 405;
    /// The API key is malformed, unknown, revoked or has expired.
    ApiKey                  = "REST411", 401;
    /// The version of the API is gone.
    VersionGone             = "REST410", 410;
    /// A patch does not apply to the row as it is.
    PatchConflict           = "REST409", 409;
    /// The precondition of a request does not hold.
    PreconditionFailed      = "REST412", 412;
    /// A write states no precondition, and the relation requires one.
    PreconditionRequired    = "REST428", 428;
    /// A precondition cannot be decided for what the request writes.
    Precondition            = "REST430", 400;
    /// The body is larger than the setting max_body_bytes.
    BodyTooLarge            = "REST413", 413;
    /// The body has an unsupported media type or content encoding.
    ContentType             = "REST415", 415;
    /// The body, or a row, is not valid against a JSON Schema.
    InvalidBody             = "REST422", 422;
    /// A batch is not an array of requests, or one of its references leads nowhere.
    Batch                   = "REST440", 400;
    /// The request exceeds a limit of size or nesting.
    Limit                   = "REST431", 400;
    /// The client has taken all that a limit gives it.
    Quota                   = "REST429", 429;
    /// Too many requests run at the same time.
    Concurrency             = "REST503", 503;
    /// There is no shared memory in which limits are kept.
    LimitMemory             = "REST529", 503;
    /// The Idempotency-Key is malformed.
    KeyMalformed            = "REST450", 400;
    /// The resource requires an Idempotency-Key.
    KeyMissing              = "REST451", 400;
    /// A request with this Idempotency-Key still runs.
    KeyInProgress           = "REST452", 409;
    /// The Idempotency-Key belongs to another request.
    KeyReused               = "REST453", 422;
    /// The records of idempotency keys have reached their largest size.
    KeysFull                = "REST454", 503;
    /// The cursor is malformed, or was made for another request.
    Cursor                  = "REST460", 400;
    /// The rows cannot be told apart by what orders them, so they have no cursors.
    CursorOrder             = "REST461", 400;
    /// The pattern of a route is malformed.
    Route                   = "REST470", 400;
    /// The arguments of a request do not fit the function of its route.
    Argument                = "REST471", 400;
    /// The result of a route breaks its JSON Schema.
    Result                  = "REST472", 500;
    /// A response header set by a function or setting holds CR, LF or NUL.
    HeaderValue             = "REST500", 500;
    /// A hook has returned what it may not, or one for errors has failed.
    Hook                    = "REST510", 500;
    /// The settings contradict each other or the catalogue.
    Setting                 = "REST506", 500;
    /// The request exceeded the time limit of its role.
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

/// The contents of an error response.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Stable, machine-readable code.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong, in words.
    pub message: String,
    /// Details.
    pub details: Option<Value>,
    /// What the client can do.
    pub hint: Option<Value>,
    /// What is wrong with the values in the body.
    pub errors: Vec<Invalid>,
    /// Whether the pointers of `errors` lead into the body; otherwise they lead into a row.
    pub errors_are_in_body: bool,
    /// The request of a batch that failed.
    pub index: Option<usize>,
    /// JSON Pointer (RFC 6901) to what is wrong in the body of the batch, or in a body with nested rows.
    pub pointer: Option<String>,
    /// Why a row is not visible, for callers who may ask.
    pub access: Option<Value>,
    /// The names of the limits that refuse the request.
    pub violated_policies: Vec<String>,
    /// Response headers that belong to the error (`allow`, `www-authenticate`). Names are in lower case.
    pub headers: Vec<(String, String)>,
}

/// A value of the body that its JSON Schema does not allow.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// JSON Pointer (RFC 6901) to the value in the body.
    pub pointer: String,
    /// The keyword that it violates. The locations are relative to the column's value.
    pub violation: Violation,
}

/// The result of a stage.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of the catalogue.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error::with_code(code.as_str(), code.status(), message)
    }

    /// The error for a body that is not JSON: PGRST102 (400). `why`: what is wrong with it, and where.
    pub fn invalid_json(why: impl std::fmt::Display) -> Self {
        Error::new(Code::Body, "Empty or invalid json").details(why.to_string())
    }

    /// An error with a code outside the catalogue: a SQLSTATE.
    pub fn with_code(code: impl Into<String>, status: u16, message: impl Into<String>) -> Self {
        Error(Box::new(Problem {
            code: code.into(),
            status,
            message: message.into(),
            details: None,
            hint: None,
            errors: Vec::new(),
            errors_are_in_body: false,
            index: None,
            pointer: None,
            access: None,
            violated_policies: Vec::new(),
            headers: Vec::new(),
        }))
    }

    /// Names the limits that refuse the request.
    #[must_use]
    pub fn violated_policies(mut self, names: Vec<String>) -> Self {
        self.0.violated_policies = names;
        self
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

    /// Adds what is wrong with the values in the body, with pointers into it.
    #[must_use]
    pub fn errors_in_body(mut self, errors: Vec<Invalid>) -> Self {
        self.0.errors_are_in_body = true;
        self.errors(errors)
    }

    /// Adds the request of a batch that failed, and a JSON Pointer into the body of the batch.
    #[must_use]
    pub fn at(mut self, index: usize, pointer: String) -> Self {
        self.0.index = Some(index);
        self.pointer(pointer)
    }

    /// Adds a JSON Pointer to what is wrong in the body.
    #[must_use]
    pub fn pointer(mut self, pointer: String) -> Self {
        self.0.pointer = Some(pointer);
        self
    }

    /// Replaces the pointers of `errors`, if they lead into the body.
    #[must_use]
    pub fn repoint(mut self, new: impl Fn(&str) -> String) -> Self {
        if self.0.errors_are_in_body {
            for invalid in &mut self.0.errors {
                invalid.pointer = new(&invalid.pointer);
            }
        }
        self
    }

    /// Makes the error of a request one of the batch that has the request at `index`. Pointers then lead into the body of the batch.
    #[must_use]
    pub fn within(self, index: usize) -> Self {
        let in_batch = |pointer: &str| format!("/{index}/body{pointer}");
        let error = self.repoint(in_batch);
        let pointer = match (&error.pointer, error.errors.first()) {
            (Some(pointer), _) => in_batch(pointer),
            (None, Some(first)) if error.errors_are_in_body => first.pointer.clone(),
            _ => format!("/{index}"),
        };
        error.at(index, pointer)
    }

    /// Adds what is wrong with the values in a row or the body.
    #[must_use]
    pub fn errors(mut self, errors: Vec<Invalid>) -> Self {
        self.0.errors = errors;
        self
    }

    /// Adds why a row is not visible.
    #[must_use]
    pub fn access(mut self, access: Value) -> Self {
        self.0.access = Some(access);
        self
    }

    /// Adds a response header. `name` must be in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A syntax error: `what`, which has this text, could not be parsed at `column`, counted in characters from 1, because of
    /// `why`.
    pub fn parse(what: &str, text: &str, column: usize, why: impl Into<String>) -> Self {
        // A very long parameter is truncated.
        let shown: String = text.chars().take(200).collect();
        let message = format!("\"failed to parse {what} ({shown})\" (line 1, column {column})");
        Error::new(Code::QueryParameter, message).details(why.into())
    }

    /// A row that is not valid against the JSON Schema of a column, or of the table, in the database's words.
    pub fn invalid_row(message: impl Into<String>) -> Self {
        Error::new(Code::InvalidBody, message).hint("See \"errors\": each pointer (RFC 6901) leads into the row.")
    }

    /// A column that the relation does not have, with the database's words and code (42703), but without asking it.
    pub fn no_column(relation: &str, column: &str) -> Self {
        Error::with_code(SqlState::UNDEFINED_COLUMN, 400, format!("column {relation}.{column} does not exist"))
    }

    /// The same error for a row that does not exist and a row that the role may not see.
    pub fn no_item() -> Self {
        Error::new(Code::Item, "No row has this key")
            .hint("Check the key's values; composite keys are separated by commas.")
    }

    /// Whether it is a problem in the sense of RFC 9457. Statuses below 400 are not: with 300 the client is to choose (RFC 9110,
    /// section 15.4.1), and functions may end a request with any status.
    pub fn is_problem(&self) -> bool {
        self.status >= 400
    }

    /// The title of the problem document: the reason phrase of the status (RFC 9457, section 4.2.1).
    pub fn title(&self) -> &'static str {
        reason_phrase(self.status)
    }

    /// The body: the members of RFC 9457, and those that clients of the dialect read.
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
        if let (false, Some(body)) = (self.violated_policies.is_empty(), body.as_object_mut()) {
            // draft-ietf-httpapi-ratelimit-headers-11, section 6.
            let name = if self.status == 429 { "quota-exceeded" } else { "temporary-reduced-capacity" };
            body.insert("type".to_owned(), format!("https://iana.org/assignments/http-problem-types#{name}").into());
            body.insert("violated-policies".to_owned(), json!(self.violated_policies));
        }
        if let (Some(index), Some(body)) = (self.index, body.as_object_mut()) {
            body.insert("index".to_owned(), index.into());
        }
        if let (Some(pointer), Some(body)) = (&self.pointer, body.as_object_mut()) {
            body.insert("pointer".to_owned(), pointer.as_str().into());
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
pub(crate) mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes: Vec<_> = Code::ALL.iter().map(|c| c.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Code::ALL.len());
    }

    /// The rows of docs/errors.md that begin with codes: the codes, and the status.
    pub(crate) fn documented() -> Vec<(Vec<&'static str>, u16)> {
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
}
