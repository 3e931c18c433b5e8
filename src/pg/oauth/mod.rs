//! Answers requests to the endpoints of OAuth 2.0.

mod store;

use crate::admit;
use crate::auth::jwk;
use crate::auth::token;
use crate::error::{Code, Error, Result};
use crate::http::response::{Body, Response};
use crate::http::{Method, Request};
use crate::oauth::grant::{self, hash};
use crate::oauth::{self, AccessToken, Client, Credentials, ErrorName, Failure, Grant, Parameters, RefreshToken};
use crate::pg::frame::{self, Context, Finished};
use crate::pg::guc;
use crate::pg::identity::principal::unidentified;
use crate::pg::keys::signing::{SigningKey, public_keys};
use crate::pg::keys::verify::{self, CheckedToken};
use crate::pg::oauth::store::NewGrant;
use crate::route::Endpoint;
use pgrx::pg_sys;
use serde_json::{Value, json};

/// Answers a request to an endpoint. The request needs no token, because clients authenticate with their own credentials.
///
/// A refused request keeps its changes: a code that came with the wrong proof is used up, and a refresh token that came twice
/// revokes its grant. `Prefer: tx=rollback` and `restful.tx_end` do not apply.
///
/// # Errors
/// REST405. All other errors become responses of the form that OAuth defines.
pub fn answer(endpoint: Endpoint, request: &Request) -> Result<Response> {
    let issuer = &guc::oauth_issuer().unwrap_or_default();
    if request.method == Method::Options {
        return Ok(Response::new(200, Body::Empty).header("allow", endpoint.allow()));
    }
    if !endpoint.allows(request.method) {
        let allow = endpoint.allow();
        return Err(Error::new(Code::Allow, format!("The resource does not allow {}", request.method.as_str()))
            .hint(format!("It allows {allow}."))
            .header("allow", allow));
    }
    if !request.method.is_safe() && request.headers.get(admit::FIELD).is_some() {
        // Answers with tokens are not kept. Codes and refresh tokens are used once anyway.
        let refused = Failure::new(ErrorName::InvalidRequest, "The OAuth endpoints take no Idempotency-Key");
        return Ok(refused.response());
    }
    Ok(match endpoint {
        Endpoint::Metadata => oauth::public(&oauth::metadata(issuer, guc::oauth_authorization_endpoint().as_deref())),
        _ => in_frame(endpoint, request, issuer),
    })
}

fn in_frame(endpoint: Endpoint, request: &Request, issuer: &str) -> Response {
    let principal = unidentified();
    let context = Context { request, principal: &principal, schema: "pg_catalog" };
    let done = frame::enter(&context, |_| {
        let response = match endpoint {
            Endpoint::Keys | Endpoint::Metadata => Ok(oauth::public(&public_keys())),
            Endpoint::Token => token_response(request, issuer),
            Endpoint::Revocation => revoke(request),
            Endpoint::Introspection => introspect(request, issuer),
        };
        // A request that fails through our fault, such as a missing signing key, must not use up a code or token.
        let commit = !matches!(&response, Err(failure) if failure.kind == ErrorName::ServerError);
        Ok(Finished { value: response.unwrap_or_else(|failure| failure.response()), commit })
    });
    done.unwrap_or_else(|error| {
        // 55P03 is lock_not_available, as after lock_timeout. Trying again later helps.
        let kind = match (error.status, error.code.as_ref()) {
            (503 | 504, _) | (_, "55P03") => ErrorName::TemporarilyUnavailable,
            _ => ErrorName::ServerError,
        };
        Failure::new(kind, &error.message).response()
    })
}

/// Refuses to write where that is impossible, as on a standby, and within another request: the outer request could roll the change
/// back, so a code or refresh token could be used without being used up.
fn check_writable() -> std::result::Result<(), Failure> {
    if frame::is_within_request() {
        return Err(Failure::new(
            ErrorName::InvalidRequest,
            "A request within a request cannot ask for tokens or revoke them",
        ));
    }
    // SAFETY: reads the state of the server and of the transaction.
    if unsafe { pg_sys::RecoveryInProgress() || pg_sys::XactReadOnly } {
        return Err(Failure::new(ErrorName::TemporarilyUnavailable, "The database is read-only here, as on a standby"));
    }
    Ok(())
}

/// Authenticates the client of a request.
fn client(request: &Request, parameters: &Parameters) -> std::result::Result<(Credentials, Client), Failure> {
    let credentials = Credentials::read(request.headers, parameters)?;
    let client = Client::authenticate(store::client(&credentials.client_id), &credentials)?;
    Ok((credentials, client))
}

/// What the tokens of a response stand for.
struct TokenGrant {
    subject: String,
    scopes: Vec<String>,
    /// The id of the stored grant; `None` if the client asks for a token for itself.
    grant_id: Option<Vec<u8>>,
    refresh_token: Option<String>,
}

fn token_response(request: &Request, issuer: &str) -> std::result::Result<Response, Failure> {
    check_writable()?;
    let parameters = Parameters::parse(request.headers, request.body)?;
    let (credentials, client) = client(request, &parameters)?;
    let client_id = credentials.client_id.as_str();
    let asked = parameters.get("scope");
    let granted = match Grant::read(&parameters, &client)? {
        Grant::ClientCredentials => TokenGrant {
            subject: client_id.to_owned(),
            scopes: grant::scopes(asked, &client.scopes)?,
            grant_id: None,
            refresh_token: None,
        },
        Grant::AuthorizationCode { code, redirect_uri, verifier } => {
            by_code(client_id, &client, code, redirect_uri, verifier)?
        }
        Grant::RefreshToken(token) => by_refresh_token(client_id, &client, token, asked)?,
    };
    let lifetime = guc::oauth_access_token_lifetime();
    let key = SigningKey::newest_of_issuer(issuer).ok_or_else(|| {
        Failure::new(ErrorName::ServerError, "There is no signing key: create one with restful.create_signing_key()")
    })?;
    let mut id = jwk::random_kid().ok_or_else(no_randomness)?;
    if let Some(grant_id) = &granted.grant_id {
        // Introspection reads the grant of the token from its id.
        id = format!("{}.{id}", jwk::encode(grant_id));
    }
    let claims = AccessToken {
        issuer,
        audiences: &key.audiences,
        subject: &granted.subject,
        client_id,
        scopes: &granted.scopes,
        role: &client.role,
        id,
        now: verify::now() as i64,
        lifetime,
    };
    let token = jwk::algorithm(&key.algorithm)
        .and_then(|algorithm| token::signed(&claims.claims(), "at+jwt", &key.kid, &key.secret, algorithm))
        .ok_or_else(|| Failure::new(ErrorName::ServerError, "The signing key cannot be used"))?;
    Ok(oauth::granted(&token, lifetime, &granted.scopes, granted.refresh_token.as_deref()))
}

fn by_code(
    client_id: &str,
    client: &Client,
    code: &str,
    redirect_uri: &str,
    verifier: &str,
) -> std::result::Result<TokenGrant, Failure> {
    let code_hash = hash(code.as_bytes());
    let Some(code) = store::take_code(&code_hash, client_id) else {
        // A code that is presented twice may have been stolen, so its grant is revoked (RFC 6749, section 4.1.2).
        store::revoke_grant_of_code(&code_hash, client_id);
        return Err(grant::invalid());
    };
    if !code.is_current || code.redirect_uri != redirect_uri || !grant::verifies(verifier, &code.challenge) {
        return Err(grant::invalid());
    }
    let scopes = still_allowed(code.scopes, client);
    let token = RefreshToken::new(random()?);
    let may_refresh = client.may("refresh_token");
    // The grant is stored even without a refresh token, so that presenting the code again can revoke it.
    let lifetime = grant_lifetime(may_refresh);
    let subject = code.subject;
    store::put_grant(&NewGrant {
        token: &token,
        client_id,
        subject: &subject,
        scopes: &scopes,
        code_hash: &code_hash,
        lifetime,
    });
    Ok(TokenGrant {
        subject,
        scopes,
        grant_id: Some(token.grant().to_vec()),
        refresh_token: may_refresh.then(|| token.text()),
    })
}

fn by_refresh_token(
    client_id: &str,
    client: &Client,
    token: &str,
    asked: Option<&str>,
) -> std::result::Result<TokenGrant, Failure> {
    let token = RefreshToken::read(token).ok_or_else(grant::invalid)?;
    let stored = store::lock_grant(&token, client_id).ok_or_else(grant::invalid)?;
    if !stored.is_newest {
        // A replaced token is presented either by the client or by a thief, and nobody can tell which
        // (RFC 9700, section 4.14.2).
        store::revoke_grant(&token, client_id);
        return Err(grant::invalid());
    }
    // Asking for fewer scopes now does not reduce the grant (RFC 6749, section 6).
    let scopes = grant::scopes(asked, &still_allowed(stored.scopes, client))?;
    let next = token.next(random()?);
    store::replace_token(&next, grant_lifetime(true));
    Ok(TokenGrant {
        subject: stored.subject,
        scopes,
        grant_id: Some(token.grant().to_vec()),
        refresh_token: Some(next.text()),
    })
}

/// The granted scopes that the client is still registered for.
fn still_allowed(mut scopes: Vec<String>, client: &Client) -> Vec<String> {
    scopes.retain(|scope| client.scopes.contains(scope));
    scopes
}

/// How long a grant is kept, in seconds: until its newest tokens expire.
fn grant_lifetime(may_refresh: bool) -> f64 {
    let access = guc::oauth_access_token_lifetime();
    let refresh = if may_refresh { guc::oauth_refresh_token_lifetime() } else { 0 };
    access.max(refresh) as f64
}

fn random() -> std::result::Result<[u8; RefreshToken::BYTES], Failure> {
    jwk::random::<{ RefreshToken::BYTES }>().and_then(|bytes| bytes.try_into().ok()).ok_or_else(no_randomness)
}

fn no_randomness() -> Failure {
    Failure::new(ErrorName::ServerError, "The operating system returned no random bytes")
}

/// Revokes the grant of a refresh token. An unknown token is not an error: it is already invalid (RFC 7009, section 2.2).
fn revoke(request: &Request) -> std::result::Result<Response, Failure> {
    check_writable()?;
    let parameters = Parameters::parse(request.headers, request.body)?;
    let (credentials, _) = client(request, &parameters)?;
    let token = parameters.need("token")?;
    if token.contains('.') {
        return Err(Failure::new(
            ErrorName::UnsupportedTokenType,
            "Access tokens are valid until they expire: revoke the refresh token",
        ));
    }
    if let Some(token) = RefreshToken::read(token) {
        store::revoke_grant(&token, &credentials.client_id);
    }
    Ok(oauth::private(200, None))
}

/// Tells a confidential client what a token stands for. The token is any access token of this issuer, or one of the client's own
/// refresh tokens.
fn introspect(request: &Request, issuer: &str) -> std::result::Result<Response, Failure> {
    let parameters = Parameters::parse(request.headers, request.body)?;
    let (credentials, client) = client(request, &parameters)?;
    if !client.is_confidential {
        return Err(Failure::invalid_client());
    }
    let token = parameters.need("token")?;
    let found = match RefreshToken::read(token) {
        Some(token) => of_refresh_token(&token, &credentials.client_id, issuer),
        None => of_access_token(token, issuer),
    };
    let document = found.unwrap_or_else(|| json!({"active": false}));
    Ok(oauth::private(200, Some(&document)))
}

fn of_access_token(token: &str, issuer: &str) -> Option<Value> {
    let Ok(CheckedToken { signed, refusal: None }) = verify::check(token) else { return None };
    let claim = |name: &str| signed.claims.get(name).and_then(Value::as_str);
    let client_id = claim("client_id").filter(|_| claim("iss") == Some(issuer))?;
    let grant_id = claim("jti").and_then(|id| id.split_once('.')).and_then(|(grant_id, _)| jwk::decode(grant_id));
    store::is_active(client_id, grant_id.as_deref()).then(|| oauth::introspected(&signed.claims))
}

fn of_refresh_token(token: &RefreshToken, client_id: &str, issuer: &str) -> Option<Value> {
    let grant = store::active_grant(token, client_id)?;
    Some(json!({
        "active": true,
        "iss": issuer,
        "sub": grant.subject,
        "client_id": client_id,
        "scope": grant.scopes.join(" "),
        "exp": grant.expires_at,
    }))
}
