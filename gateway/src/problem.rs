//! The errors that the gateway answers itself: problem details (RFC 9457), with the members that PostgREST's clients read.

use std::borrow::Cow;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use tokio_postgres::error::SqlState;

use crate::headers::push_string;

/// A refusal. Its message is for the client and tells nothing about the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Status of the response.
    pub status: StatusCode,
    /// `RESTnnn`, or the SQLSTATE if the statement raised an error.
    pub code: Cow<'static, str>,
    /// What happened, in one sentence.
    pub message: Cow<'static, str>,
    /// What the client can do about it.
    pub hint: Option<&'static str>,
    /// Whether the connection cannot be used after this, because a part of the request was not read.
    pub close: bool,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code: Cow::Borrowed(code), message: message.into(), hint: None, close: false }
    }

    /// The same problem, with what the client can do about it.
    pub fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// 400: the request cannot be passed on.
    pub fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "REST400", message)
    }

    /// 414: the target is longer than any parser here accepts.
    pub fn target_too_long() -> Self {
        Self::new(StatusCode::URI_TOO_LONG, "REST414", "The request target is too long")
            .hint("Send long lists in the body of a QUERY.")
    }

    /// 411: a body whose length is not stated.
    pub fn length_required() -> Self {
        let problem =
            Self::new(StatusCode::LENGTH_REQUIRED, "REST400", "The request does not state the length of its body");
        Self { close: true, ..problem }.hint("Send Content-Length, also if there is no body, or HTTP/1.1.")
    }

    /// 417: an expectation other than 100-continue.
    pub fn expectation_failed() -> Self {
        let problem = Self::new(StatusCode::EXPECTATION_FAILED, "REST417", "The request expects what cannot be met");
        Self { close: true, ..problem }.hint("The only expectation supported is 100-continue.")
    }

    /// 431: there are too many header fields, or they are too long.
    pub fn fields_too_large(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "REST431", message)
    }

    /// 501: a transfer coding other than chunked.
    pub fn transfer_coding() -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "REST501", "The only Transfer-Encoding supported is chunked")
    }

    /// 505: a version of HTTP other than 1.0 and 1.1.
    pub fn http_version() -> Self {
        Self::new(StatusCode::HTTP_VERSION_NOT_SUPPORTED, "REST505", "This version of HTTP is not supported")
            .hint("Send HTTP/1.1.")
    }

    /// 400: the body ends early, or does not have the form that it announced.
    pub fn broken_body() -> Self {
        Self { close: true, ..Self::bad_request("The request body is incomplete or malformed") }
    }

    /// 404: a path below a page of the gateway that is none of its files.
    pub fn no_page() -> Self {
        Self::new(StatusCode::NOT_FOUND, "REST404", "The gateway's page has no such file")
            .hint("DOCS_PATH and DASHBOARD_PATH move the gateway's pages.")
    }

    /// 405: a method other than GET and HEAD on one of the gateway's own paths.
    pub fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "REST405", "Only GET and HEAD are allowed here")
    }

    /// 408: the client did not send its body in time.
    pub fn slow_body() -> Self {
        let problem = Self::new(StatusCode::REQUEST_TIMEOUT, "REST408", "The request body did not arrive in time");
        Self { close: true, ..problem }
    }

    /// 413: the body has more than `limit` bytes.
    pub fn body_too_large(limit: usize) -> Self {
        let message = format!("The request body is larger than {limit} bytes");
        Self { close: true, ..Self::new(StatusCode::PAYLOAD_TOO_LARGE, "REST413", message) }
    }

    /// 501: CONNECT, which asks for a tunnel.
    pub fn no_tunnel() -> Self {
        Self { close: true, ..Self::new(StatusCode::NOT_IMPLEMENTED, "REST501", "CONNECT is not supported") }
    }

    /// 502: the database's answer is not an HTTP response.
    pub fn bad_answer() -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "REST502", "The database's answer is not an HTTP response")
    }

    /// 503: no connection to the database.
    pub fn unavailable(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "REST503", message)
    }

    /// 504: the request exceeded the gateway's time limit.
    pub fn timeout() -> Self {
        Self::new(StatusCode::GATEWAY_TIMEOUT, "REST504", "The request took too long and was cancelled")
    }

    /// The statement raised `state`. The extension answers most errors itself. It lets through a cancelled statement and the classes 40,
    /// 53, 57, 58 and XX. The statuses are PostgREST's, except that a cancelled statement is 504.
    pub fn raised(state: &SqlState) -> Self {
        let code = state.code();
        let (status, message) = match code {
            // query_canceled, transaction_timeout
            "57014" | "25P04" => (StatusCode::GATEWAY_TIMEOUT, "The statement was cancelled"),
            // admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout
            "57P01" | "57P02" | "57P03" | "57P05" => (StatusCode::SERVICE_UNAVAILABLE, "The database is not available"),
            // configuration_limit_exceeded
            "53400" => (StatusCode::INTERNAL_SERVER_ERROR, "The statement failed"),
            _ if code.starts_with("53") => (StatusCode::SERVICE_UNAVAILABLE, "The database is out of resources"),
            _ if code.starts_with("08") => (StatusCode::SERVICE_UNAVAILABLE, "The database is not available"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "The statement failed"),
        };
        Self { status, code: Cow::Owned(code.to_owned()), message: Cow::Borrowed(message), hint: None, close: false }
    }

    /// The response.
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut body = Vec::with_capacity(256);
        body.extend_from_slice(b"{\"type\":\"about:blank\",\"title\":");
        push_string(&mut body, self.status.canonical_reason().unwrap_or_default());
        body.extend_from_slice(b",\"status\":");
        body.extend_from_slice(self.status.as_str().as_bytes());
        body.extend_from_slice(b",\"code\":");
        push_string(&mut body, &self.code);
        body.extend_from_slice(b",\"message\":");
        push_string(&mut body, &self.message);
        body.extend_from_slice(b",\"details\":null,\"hint\":");
        match self.hint {
            Some(hint) => push_string(&mut body, hint),
            None => body.extend_from_slice(b"null"),
        }
        body.push(b'}');

        let mut response = Response::new(Full::new(Bytes::from(body)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        match self.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            _ => {}
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_of_raised_errors() {
        for (state, status) in [
            (SqlState::T_R_SERIALIZATION_FAILURE, 500),
            (SqlState::T_R_DEADLOCK_DETECTED, 500),
            (SqlState::QUERY_CANCELED, 504),
            (SqlState::ADMIN_SHUTDOWN, 503),
            (SqlState::CANNOT_CONNECT_NOW, 503),
            (SqlState::OUT_OF_MEMORY, 503),
            (SqlState::TOO_MANY_CONNECTIONS, 503),
            (SqlState::CONFIGURATION_LIMIT_EXCEEDED, 500),
            (SqlState::CONNECTION_FAILURE, 503),
            (SqlState::INTERNAL_ERROR, 500),
            (SqlState::UNDEFINED_FUNCTION, 500),
        ] {
            let problem = Problem::raised(&state);
            assert_eq!(problem.status.as_u16(), status, "{state:?}");
            assert_eq!(problem.code, state.code());
            assert_eq!(problem.into_response().headers().contains_key(RETRY_AFTER), status == 503);
        }
    }
}
