//! The errors of OAuth 2.0, which have their own names and format (RFC 6749, section 5.2).

use crate::http::response::Response;
use crate::oauth::private;
use serde_json::json;

/// The registered name of an error (RFC 6749, section 5.2; RFC 7009, section 2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorName {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    UnsupportedTokenType,
    ServerError,
    TemporarilyUnavailable,
}

impl ErrorName {
    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorName::InvalidRequest => "invalid_request",
            ErrorName::InvalidClient => "invalid_client",
            ErrorName::InvalidGrant => "invalid_grant",
            ErrorName::UnauthorizedClient => "unauthorized_client",
            ErrorName::UnsupportedGrantType => "unsupported_grant_type",
            ErrorName::InvalidScope => "invalid_scope",
            ErrorName::UnsupportedTokenType => "unsupported_token_type",
            ErrorName::ServerError => "server_error",
            ErrorName::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            ErrorName::InvalidClient => 401,
            ErrorName::ServerError => 500,
            ErrorName::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

/// A refused or failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub kind: ErrorName,
    /// A text for the developer of the client.
    pub description: String,
}

impl Failure {
    /// A failure with a description. RFC 6749 allows printable ASCII without `"` and `\` in it; other characters are removed.
    pub fn new(kind: ErrorName, description: impl AsRef<str>) -> Self {
        let is_allowed = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        Failure { kind, description: description.as_ref().chars().filter(is_allowed).collect() }
    }

    /// The client is unknown, or did not authenticate. The two are indistinguishable.
    pub fn invalid_client() -> Self {
        Failure::new(ErrorName::InvalidClient, "The client is unknown, or did not authenticate as required")
    }

    /// The response.
    pub fn response(&self) -> Response {
        let body = json!({"error": self.kind.as_str(), "error_description": self.description});
        let response = private(self.kind.status(), Some(&body));
        match self.kind {
            ErrorName::InvalidClient => response.header("www-authenticate", "Basic realm=\"oauth\""),
            _ => response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_did_not_authenticate_is_challenged() {
        let response = Failure::invalid_client().response();
        assert_eq!(response.status, 401);
        assert!(response.headers.iter().any(|(n, v)| n == "www-authenticate" && v.starts_with("Basic ")));
        assert!(response.headers.iter().any(|(n, v)| n == "cache-control" && v == "no-store"));
    }

    #[test]
    fn a_description_has_the_characters_that_it_may() {
        assert_eq!(Failure::new(ErrorName::ServerError, "a \"b\"\\\u{e9}\n~").description, "a b~");
    }
}
