//! The endpoints of OAuth 2.0: what they read and write in the extension's tables.

use crate::auth::jwk;
use crate::auth::token;
use crate::error::{Code, Error, Result};
use crate::http::response::{Body, Response};
use crate::http::{Method, Request};
use crate::oauth::grant::{self, hash};
use crate::oauth::{self, AccessToken, Client, Credentials, Failure, Grant, Kind, Parameters, RefreshToken};
use crate::pg::frame::{self, Context, Finished};
use crate::pg::guc;
use crate::pg::identity::principal::unidentified;
use crate::pg::keys::functions;
use crate::pg::keys::verify::{self, CheckedToken};
use crate::route::Endpoint;
use pgrx::pg_sys;
use pgrx::spi::{self, SpiTupleTable};
use serde_json::{Value, json};

const SIGNING_KEY: &str = include_str!("../../../sql/query/oauth/issuer_signing_key.sql");
const CLIENT: &str = "\
    SELECT c.grant_types, c.scopes, c.role::pg_catalog.text, c.confidential, s.secret_hash
    FROM restful.oauth_client c LEFT JOIN restful.oauth_client_secret s ON s.client_id OPERATOR(pg_catalog.=) c.client_id
    WHERE c.client_id OPERATOR(pg_catalog.=) $1";
const TAKE_CODE: &str = "\
    DELETE FROM restful.oauth_code c
    WHERE c.code_hash OPERATOR(pg_catalog.=) $1 AND c.client_id OPERATOR(pg_catalog.=) $2
    RETURNING c.subject, c.redirect_uri, c.code_challenge, c.scopes, c.expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()";
const REVOKE_BY_CODE: &str = "\
    DELETE FROM restful.oauth_grant g
    WHERE g.code_hash OPERATOR(pg_catalog.=) $1 AND g.client_id OPERATOR(pg_catalog.=) $2";
/// By the time of the statement, which is stable, so that an index finds them.
const DROP_EXPIRED: &str = "\
    DELETE FROM restful.oauth_grant g
    WHERE g.grant_id OPERATOR(pg_catalog.=) ANY (ARRAY(
        SELECT e.grant_id FROM restful.oauth_grant e WHERE e.expires_at OPERATOR(pg_catalog.<) pg_catalog.statement_timestamp()
        LIMIT 100 FOR UPDATE SKIP LOCKED))";
const PUT_GRANT: &str = "\
    INSERT INTO restful.oauth_grant (grant_id, client_id, subject, scopes, code_hash, family_hash, token_hash, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => $8))";
const LOCK_GRANT: &str = "\
    SELECT g.subject, g.scopes, g.token_hash OPERATOR(pg_catalog.=) $4
    FROM restful.oauth_grant g
    WHERE g.grant_id OPERATOR(pg_catalog.=) $1 AND g.family_hash OPERATOR(pg_catalog.=) $2 AND g.client_id OPERATOR(pg_catalog.=) $3
      AND g.expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()
    FOR UPDATE";
const REPLACE_TOKEN: &str = "\
    UPDATE restful.oauth_grant g SET token_hash = $2,
        expires_at = pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => $3)
    WHERE g.grant_id OPERATOR(pg_catalog.=) $1";
const REVOKE: &str = "\
    DELETE FROM restful.oauth_grant g
    WHERE g.grant_id OPERATOR(pg_catalog.=) $1 AND g.family_hash OPERATOR(pg_catalog.=) $2 AND g.client_id OPERATOR(pg_catalog.=) $3";
const READ_GRANT: &str = "\
    SELECT g.subject, g.scopes, EXTRACT(epoch FROM g.expires_at)::pg_catalog.int8
    FROM restful.oauth_grant g
    WHERE g.grant_id OPERATOR(pg_catalog.=) $1 AND g.family_hash OPERATOR(pg_catalog.=) $2 AND g.client_id OPERATOR(pg_catalog.=) $3
      AND g.token_hash OPERATOR(pg_catalog.=) $4 AND g.expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()";
const HOLDS: &str = "\
    SELECT EXISTS (SELECT FROM restful.oauth_client c WHERE c.client_id OPERATOR(pg_catalog.=) $1)
        AND ($2 IS NULL OR EXISTS (SELECT FROM restful.oauth_grant g
            WHERE g.grant_id OPERATOR(pg_catalog.=) $2 AND g.client_id OPERATOR(pg_catalog.=) $1))";

/// Answers a request to an endpoint. It needs no token: clients prove by themselves who they are.
///
/// What a refused request has changed is kept: a code that came with the wrong proof is used up, and a refresh token that came
/// twice revokes its grant. `Prefer: tx=rollback` and `restful.tx_end` do not apply.
///
/// # Errors
/// REST405; every other is answered as OAuth has it.
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
            Endpoint::Keys | Endpoint::Metadata => Ok(oauth::public(&functions::public_keys())),
            Endpoint::Token => token_response(request, issuer),
            Endpoint::Revocation => revoke(request),
            Endpoint::Introspection => introspect(request, issuer),
        };
        // What failed by our fault, as without a key to sign with, has used nothing up.
        let commit = !matches!(&response, Err(failure) if failure.kind == Kind::ServerError);
        Ok(Finished { value: response.unwrap_or_else(|failure| failure.response()), commit })
    });
    done.unwrap_or_else(|error| {
        // lock_not_available, as by lock_timeout, passes as well.
        let kind = match (error.status, error.code.as_ref()) {
            (503 | 504, _) | (_, "55P03") => Kind::TemporarilyUnavailable,
            _ => Kind::ServerError,
        };
        Failure::new(kind, &error.message).response()
    })
}

/// Refuses what writes where nothing can be written, as on a standby, or where what is written may not last: the code around a
/// request within a request can undo it, and would have used a code or refresh token without using it up.
fn check_writable() -> std::result::Result<(), Failure> {
    if frame::is_within_request() {
        return Err(Failure::new(
            Kind::InvalidRequest,
            "A request within a request cannot ask for tokens or revoke them",
        ));
    }
    // SAFETY: reads the state of the server and of the transaction.
    match unsafe { pg_sys::RecoveryInProgress() || pg_sys::XactReadOnly } {
        true => Err(Failure::new(Kind::TemporarilyUnavailable, "Nothing can be written here, such as on a standby")),
        false => Ok(()),
    }
}

/// The client of a request, proven.
fn client(request: &Request, parameters: &Parameters) -> std::result::Result<(Credentials, Client), Failure> {
    let credentials = Credentials::read(request.headers, parameters)?;
    let known = functions::with_tables(|tables| {
        one(tables.select(CLIENT, Some(1), &[credentials.client_id.as_str().into()])?, |row| {
            Ok(Client {
                grant_types: row.get(1)?.unwrap_or_default(),
                scopes: row.get(2)?.unwrap_or_default(),
                role: row.get(3)?.unwrap_or_default(),
                is_confidential: row.get(4)?.unwrap_or_default(),
                secret_hash: row.get(5)?,
            })
        })
    });
    let client = Client::authenticate(known, &credentials)?;
    Ok((credentials, client))
}

/// What `read` makes of the first row, if there is one.
fn one<T>(rows: SpiTupleTable, read: impl FnOnce(&spi::SpiHeapTupleData) -> spi::Result<T>) -> spi::Result<Option<T>> {
    rows.into_iter().next().map(|row| read(&row)).transpose()
}

/// Whom tokens are to be made for.
struct TokenGrant {
    subject: String,
    scopes: Vec<String>,
    /// The name of the grant, unless the client asks for itself.
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
    let key = signing_key(issuer)?;
    let mut id = jwk::random_kid().ok_or_else(no_randomness)?;
    if let Some(grant_id) = &granted.grant_id {
        // By it, introspection knows of what grant the token is.
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
        .ok_or_else(|| Failure::new(Kind::ServerError, "The key to sign with cannot be used"))?;
    Ok(oauth::granted(&token, lifetime, &granted.scopes, granted.refresh_token.as_deref()))
}

/// The newest key that signs for the issuer; one with a public half, if there is one.
fn signing_key(issuer: &str) -> std::result::Result<functions::SigningKey, Failure> {
    let key = functions::with_tables(|tables| {
        one(tables.select(SIGNING_KEY, Some(1), &[issuer.into()])?, functions::SigningKey::of)
    });
    key.ok_or_else(|| {
        Failure::new(Kind::ServerError, "There is no key to sign with: restful.create_signing_key() makes one")
    })
}

fn by_code(
    client_id: &str,
    client: &Client,
    code: &str,
    redirect_uri: &str,
    verifier: &str,
) -> std::result::Result<TokenGrant, Failure> {
    let code_hash = hash(code.as_bytes());
    let taken = functions::with_tables(|tables| {
        one(tables.update(TAKE_CODE, Some(1), &[code_hash.clone().into(), client_id.into()])?, |row| {
            Ok((
                row.get::<String>(1)?.unwrap_or_default(),
                row.get::<String>(2)?.unwrap_or_default(),
                row.get::<String>(3)?.unwrap_or_default(),
                row.get::<Vec<String>>(4)?.unwrap_or_default(),
                row.get::<bool>(5)?.unwrap_or_default(),
            ))
        })
    });
    let Some((subject, redirect, challenge, scopes, holds)) = taken else {
        // A code that comes twice was stolen: what it was exchanged for is revoked (RFC 6749, section 4.1.2).
        functions::with_tables(|tables| {
            tables.update(REVOKE_BY_CODE, None, &[code_hash.into(), client_id.into()]).map(|_| ())
        });
        return Err(grant::invalid());
    };
    if !holds || redirect != redirect_uri || !grant::verifies(verifier, &challenge) {
        return Err(grant::invalid());
    }
    let scopes = still_allowed(scopes, client);
    let token = RefreshToken::new(random()?);
    let may_refresh = client.may("refresh_token");
    // Without a refresh token it is there for what a code that comes twice revokes.
    let lifetime = grant_lifetime(may_refresh);
    functions::with_tables(|tables| {
        let arguments = &[
            token.grant().to_vec().into(),
            client_id.into(),
            subject.as_str().into(),
            scopes.clone().into(),
            code_hash.into(),
            token.family_hash().into(),
            token.own_hash().into(),
            lifetime.into(),
        ];
        tables.update(DROP_EXPIRED, None, &[])?;
        tables.update(PUT_GRANT, None, arguments).map(|_| ())
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
    let (grant_id, family_hash) = (token.grant().to_vec(), token.family_hash());
    let found = functions::with_tables(|tables| {
        let arguments =
            &[grant_id.clone().into(), family_hash.clone().into(), client_id.into(), token.own_hash().into()];
        one(tables.update(LOCK_GRANT, Some(1), arguments)?, |row| {
            Ok((
                row.get::<String>(1)?.unwrap_or_default(),
                row.get::<Vec<String>>(2)?.unwrap_or_default(),
                row.get::<bool>(3)?.unwrap_or_default(),
            ))
        })
    });
    let (subject, scopes, is_newest) = found.ok_or_else(grant::invalid)?;
    if !is_newest {
        // It was replaced: its client or somebody else has the newer one, and which of both this is nobody knows
        // (RFC 9700, section 4.14.2).
        drop_grant(&token, client_id);
        return Err(grant::invalid());
    }
    // What is asked for now does not change what was granted (RFC 6749, section 6).
    let scopes = grant::scopes(asked, &still_allowed(scopes, client))?;
    let next = token.next(random()?);
    functions::with_tables(|tables| {
        let arguments = &[grant_id.clone().into(), next.own_hash().into(), grant_lifetime(true).into()];
        tables.update(REPLACE_TOKEN, None, arguments).map(|_| ())
    });
    Ok(TokenGrant { subject, scopes, grant_id: Some(grant_id), refresh_token: Some(next.text()) })
}

/// Of the scopes that were granted, those that the client still has.
fn still_allowed(mut scopes: Vec<String>, client: &Client) -> Vec<String> {
    scopes.retain(|scope| client.scopes.contains(scope));
    scopes
}

/// How long a grant is kept, in seconds: as long as its newest tokens hold.
fn grant_lifetime(may_refresh: bool) -> f64 {
    let access = guc::oauth_access_token_lifetime();
    let refresh = if may_refresh { guc::oauth_refresh_token_lifetime() } else { 0 };
    access.max(refresh) as f64
}

fn drop_grant(token: &RefreshToken, client_id: &str) {
    functions::with_tables(|tables| {
        let arguments = &[token.grant().to_vec().into(), token.family_hash().into(), client_id.into()];
        tables.update(REVOKE, None, arguments).map(|_| ())
    });
}

fn random() -> std::result::Result<[u8; RefreshToken::BYTES], Failure> {
    jwk::random::<{ RefreshToken::BYTES }>().and_then(|bytes| bytes.try_into().ok()).ok_or_else(no_randomness)
}

fn no_randomness() -> Failure {
    Failure::new(Kind::ServerError, "The operating system gives no random bytes")
}

/// Revokes the grant of a refresh token. A token that is nobody's is revoked already (RFC 7009, section 2.2).
fn revoke(request: &Request) -> std::result::Result<Response, Failure> {
    check_writable()?;
    let parameters = Parameters::parse(request.headers, request.body)?;
    let (credentials, _) = client(request, &parameters)?;
    let token = parameters.need("token")?;
    if token.contains('.') {
        return Err(Failure::new(
            Kind::UnsupportedTokenType,
            "Access tokens are valid until they expire: revoke the refresh token",
        ));
    }
    if let Some(token) = RefreshToken::read(token) {
        drop_grant(&token, &credentials.client_id);
    }
    Ok(oauth::private(200, None))
}

/// Tells a client that can keep a secret what a token stands for: any access token of this issuer, its own refresh tokens.
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
    let holds = functions::with_tables(|tables| {
        tables.select(HOLDS, Some(1), &[client_id.into(), grant_id.into()])?.first().get_one::<bool>()
    });
    (holds == Some(true)).then(|| oauth::introspected(&signed.claims))
}

fn of_refresh_token(token: &RefreshToken, client_id: &str, issuer: &str) -> Option<Value> {
    let (subject, scopes, expires_at) = functions::with_tables(|tables| {
        let arguments =
            &[token.grant().to_vec().into(), token.family_hash().into(), client_id.into(), token.own_hash().into()];
        one(tables.select(READ_GRANT, Some(1), arguments)?, |row| {
            Ok((
                row.get::<String>(1)?.unwrap_or_default(),
                row.get::<Vec<String>>(2)?.unwrap_or_default(),
                row.get::<i64>(3)?.unwrap_or_default(),
            ))
        })
    })?;
    let document = json!({
        "active": true, "iss": issuer, "sub": subject, "client_id": client_id, "scope": scopes.join(" "), "exp": expires_at,
    });
    Some(document)
}
