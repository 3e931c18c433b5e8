//! The endpoints of the extension: paths that do not name a resource of a schema. Pure.

use crate::http::Method;

/// An endpoint of OAuth 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/oauth/token` (RFC 6749, section 3.2)
    Token,
    /// `/oauth/revoke` (RFC 7009)
    Revocation,
    /// `/oauth/introspect` (RFC 7662)
    Introspection,
    /// `/.well-known/oauth-authorization-server` (RFC 8414)
    Metadata,
    /// `/.well-known/jwks.json` (RFC 7517)
    Keys,
}

impl Endpoint {
    /// The endpoint at a path.
    pub fn at(path: &[&str]) -> Option<Self> {
        Some(match path {
            ["oauth", "token"] => Endpoint::Token,
            ["oauth", "revoke"] => Endpoint::Revocation,
            ["oauth", "introspect"] => Endpoint::Introspection,
            [".well-known", "oauth-authorization-server"] => Endpoint::Metadata,
            [".well-known", "jwks.json"] => Endpoint::Keys,
            _ => return None,
        })
    }

    /// The methods that it supports, in the form of the Allow field.
    pub fn allow(self) -> &'static str {
        match self {
            Endpoint::Metadata | Endpoint::Keys => "OPTIONS,GET,HEAD",
            _ => "OPTIONS,POST",
        }
    }

    /// Whether it supports a method, other than OPTIONS.
    pub fn allows(self, method: Method) -> bool {
        match self {
            Endpoint::Metadata | Endpoint::Keys => matches!(method, Method::Get | Method::Head),
            _ => method == Method::Post,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_paths_are_endpoints() {
        assert_eq!(Endpoint::at(&["oauth", "token"]), Some(Endpoint::Token));
        for path in [&["oauth"][..], &["oauth", "token", "x"], &["oauth", "authorize"], &[".well-known"]] {
            assert_eq!(Endpoint::at(path), None);
        }
    }
}
