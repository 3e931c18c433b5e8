//! OAuth 2.0 (RFC 6749), as far as a database can serve it: tokens for clients, and for users who signed in on the application's
//! own page. Pure: stored data, keys and the clock are arguments.

pub mod failure;
pub mod grant;
pub mod parameters;
pub mod refresh_token;

pub use failure::{ErrorName, Failure};
pub use grant::{Client, Grant};
pub use parameters::{Credentials, Parameters};
pub use refresh_token::RefreshToken;

use crate::http::response::{Body, Response};
use referencing::Uri;
use serde_json::{Map, Value, json};

/// Seconds that public documents may be cached. It may take that long until clients know a new key.
const PUBLIC_SECONDS: &str = "public, max-age=300";

/// A response with a public document.
pub fn public(document: &Value) -> Response {
    Response::new(200, Body::Bytes(document.to_string().into_bytes()))
        .header("content-type", "application/json")
        .header("cache-control", PUBLIC_SECONDS)
}

/// A response for the client only (RFC 6749, section 5.1).
pub fn private(status: u16, document: Option<&Value>) -> Response {
    let body = document.map_or(Body::Empty, |document| Body::Bytes(document.to_string().into_bytes()));
    let mut response = Response::new(status, body).header("cache-control", "no-store").header("pragma", "no-cache");
    if document.is_some() {
        response = response.header("content-type", "application/json");
    }
    response
}

/// Whether a URL is valid for an issuer (RFC 8414, section 2). For development, the local machine may be used without TLS.
pub fn is_issuer(url: &str) -> bool {
    is_endpoint(url) && !url.contains('?')
}

/// Whether a URL is valid for an authorization endpoint (RFC 6749, section 3.1).
pub fn is_endpoint(url: &str) -> bool {
    let Ok(url) = Uri::parse(url) else { return false };
    let Some(authority) = url.authority() else { return false };
    // Names are not resolved: only these names mean the local machine.
    let is_local = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
    let is_secure = match url.scheme().as_str().to_ascii_lowercase().as_str() {
        "https" => !authority.host().is_empty(),
        "http" => is_local,
        _ => false,
    };
    is_secure && authority.userinfo().is_none() && !url.has_fragment()
}

/// The metadata of the server (RFC 8414, section 2).
///
/// `authorization`: the application's page where users sign in.
pub fn metadata(issuer: &str, authorization: Option<&str>) -> Value {
    let base = issuer.trim_end_matches('/');
    let mut grants = vec!["client_credentials", "refresh_token"];
    let mut responses: Vec<&str> = Vec::new();
    if authorization.is_some() {
        grants.insert(0, "authorization_code");
        responses.push("code");
    }
    let mut metadata = json!({
        "issuer": issuer,
        "token_endpoint": format!("{base}/oauth/token"),
        "revocation_endpoint": format!("{base}/oauth/revoke"),
        "introspection_endpoint": format!("{base}/oauth/introspect"),
        "jwks_uri": format!("{base}/.well-known/jwks.json"),
        "response_types_supported": responses,
        "grant_types_supported": grants,
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    if let (Some(page), Some(metadata)) = (authorization, metadata.as_object_mut()) {
        metadata.insert("authorization_endpoint".to_owned(), page.into());
    }
    metadata
}

/// The contents of an access token (RFC 9068, section 2.2).
pub struct AccessToken<'a> {
    pub issuer: &'a str,
    /// The audience; if empty, the issuer itself.
    pub audiences: &'a [String],
    pub subject: &'a str,
    pub client_id: &'a str,
    pub scopes: &'a [String],
    pub role: &'a str,
    /// The unique id of the token.
    pub id: String,
    /// The current time in seconds since 1970.
    pub now: i64,
    /// The lifetime in seconds.
    pub lifetime: i64,
}

impl AccessToken<'_> {
    /// The claims.
    pub fn claims(self) -> Map<String, Value> {
        let audience = match self.audiences {
            [] => Value::from(self.issuer),
            [audience] => audience.as_str().into(),
            audiences => audiences.to_vec().into(),
        };
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", self.issuer.into());
        put("aud", audience);
        put("sub", self.subject.into());
        put("client_id", self.client_id.into());
        if !self.scopes.is_empty() {
            put("scope", self.scopes.join(" ").into());
        }
        put("role", self.role.into());
        put("jti", self.id.into());
        put("iat", self.now.into());
        put("exp", self.now.saturating_add(self.lifetime).into());
        claims
    }
}

/// The response to a granted request (RFC 6749, section 5.1).
pub fn granted(access_token: &str, lifetime: i64, scopes: &[String], refresh_token: Option<&str>) -> Response {
    let mut body = json!({"access_token": access_token, "token_type": "Bearer", "expires_in": lifetime});
    if let Some(body) = body.as_object_mut() {
        if !scopes.is_empty() {
            body.insert("scope".to_owned(), scopes.join(" ").into());
        }
        if let Some(token) = refresh_token {
            body.insert("refresh_token".to_owned(), token.into());
        }
    }
    private(200, Some(&body))
}

/// The introspection response for an access token (RFC 7662, section 2.2).
pub fn introspected(claims: &Map<String, Value>) -> Value {
    let mut document = json!({"active": true, "token_type": "Bearer"});
    if let Some(document) = document.as_object_mut() {
        for name in ["iss", "aud", "sub", "client_id", "scope", "jti", "iat", "exp", "role"] {
            if let Some(value) = claims.get(name) {
                document.insert(name.to_owned(), value.clone());
            }
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_names_the_endpoints_below_the_issuer() {
        for issuer in ["https://id.example", "https://id.example/"] {
            let metadata = metadata(issuer, None);
            assert_eq!(metadata["issuer"], issuer);
            assert_eq!(metadata["token_endpoint"], "https://id.example/oauth/token");
            assert!(metadata.get("authorization_endpoint").is_none());
            assert_eq!(metadata["response_types_supported"], json!([]));
        }
        let with_page = metadata("https://id.example", Some("https://app.example/sign-in"));
        assert_eq!(with_page["authorization_endpoint"], "https://app.example/sign-in");
        assert_eq!(with_page["grant_types_supported"][0], "authorization_code");
    }

    #[test]
    fn an_issuer_is_an_https_url_without_query_and_fragment() {
        for url in [
            "https://id.example",
            "https://id.example/",
            "https://id.example:8443/tenants/1",
            "HTTPS://id.example",
            "https://[2001:db8::1]",
            "http://localhost",
            "http://localhost:3000/api",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
        ] {
            assert!(is_issuer(url), "{url}");
        }
        for url in [
            "http://id.example",
            "http://localhost.example",
            "http://localhost@id.example",
            "http://127.0.0.2",
            "https://id.example?a=b",
            "https://id.example?",
            "https://id.example/#top",
            "https://id.example#",
            "https://user@id.example",
            "https://",
            "https:///path",
            "https:id.example",
            "id.example",
            "/api",
            "ftp://id.example",
            "https://id.example/a b",
            " https://id.example",
            "https://id.example/ä",
            "https://id.example\n",
        ] {
            assert!(!is_issuer(url), "{url}");
        }
    }

    #[test]
    fn the_page_to_sign_in_may_have_a_query() {
        assert!(is_endpoint("https://app.example/sign-in?tenant=1"));
        for url in ["https://app.example/#/sign-in", "http://app.example/sign-in", "javascript:alert(1)"] {
            assert!(!is_endpoint(url), "{url}");
        }
    }
}
