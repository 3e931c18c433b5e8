//! Clients, codes and grants, as they are stored in the extension's tables.

use crate::oauth::{Client, RefreshToken};
use crate::pg::keys::tables::with_tables;

const CLIENT: &str = "\
    SELECT c.grant_types, c.scopes, c.role::pg_catalog.text, c.confidential, s.secret_hash
    FROM restful.oauth_client c LEFT JOIN restful.oauth_client_secret s ON s.client_id OPERATOR(pg_catalog.=) c.client_id
    WHERE c.client_id OPERATOR(pg_catalog.=) $1";
const TAKE_CODE: &str = "\
    DELETE FROM restful.oauth_code c
    WHERE c.code_hash OPERATOR(pg_catalog.=) $1 AND c.client_id OPERATOR(pg_catalog.=) $2
    RETURNING c.subject, c.redirect_uri, c.code_challenge, c.scopes, c.expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()";
const REVOKE_GRANT_OF_CODE: &str = "\
    DELETE FROM restful.oauth_grant g
    WHERE g.code_hash OPERATOR(pg_catalog.=) $1 AND g.client_id OPERATOR(pg_catalog.=) $2";
/// `statement_timestamp()` is stable, so this uses an index. `clock_timestamp()` would not.
const DELETE_EXPIRED: &str = "\
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
const REVOKE_GRANT: &str = "\
    DELETE FROM restful.oauth_grant g
    WHERE g.grant_id OPERATOR(pg_catalog.=) $1 AND g.family_hash OPERATOR(pg_catalog.=) $2 AND g.client_id OPERATOR(pg_catalog.=) $3";
const READ_GRANT: &str = "\
    SELECT g.subject, g.scopes, EXTRACT(epoch FROM g.expires_at)::pg_catalog.int8
    FROM restful.oauth_grant g
    WHERE g.grant_id OPERATOR(pg_catalog.=) $1 AND g.family_hash OPERATOR(pg_catalog.=) $2 AND g.client_id OPERATOR(pg_catalog.=) $3
      AND g.token_hash OPERATOR(pg_catalog.=) $4 AND g.expires_at OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()";
const IS_ACTIVE: &str = "\
    SELECT EXISTS (SELECT FROM restful.oauth_client c WHERE c.client_id OPERATOR(pg_catalog.=) $1)
        AND ($2 IS NULL OR EXISTS (SELECT FROM restful.oauth_grant g
            WHERE g.grant_id OPERATOR(pg_catalog.=) $2 AND g.client_id OPERATOR(pg_catalog.=) $1))";

/// The registered client with this id.
pub fn client(client_id: &str) -> Option<Client> {
    with_tables(|tables| {
        tables.first(CLIENT, &[client_id.into()], |row| {
            Ok(Client {
                grant_types: row.get(1)?.unwrap_or_default(),
                scopes: row.get(2)?.unwrap_or_default(),
                role: row.get(3)?.unwrap_or_default(),
                is_confidential: row.get(4)?.unwrap_or_default(),
                secret_hash: row.get(5)?,
            })
        })
    })
}

/// An authorization code.
pub struct Code {
    pub subject: String,
    pub redirect_uri: String,
    /// The `code_challenge` of PKCE.
    pub challenge: String,
    pub scopes: Vec<String>,
    /// Whether the code has not expired yet.
    pub is_current: bool,
}

/// Deletes a code and returns it. `None` if the code is unknown or was already used.
pub fn take_code(code_hash: &[u8], client_id: &str) -> Option<Code> {
    with_tables(|tables| {
        tables.change_first(TAKE_CODE, &[code_hash.into(), client_id.into()], |row| {
            Ok(Code {
                subject: row.get(1)?.unwrap_or_default(),
                redirect_uri: row.get(2)?.unwrap_or_default(),
                challenge: row.get(3)?.unwrap_or_default(),
                scopes: row.get(4)?.unwrap_or_default(),
                is_current: row.get(5)?.unwrap_or_default(),
            })
        })
    })
}

/// A grant to be stored.
pub struct NewGrant<'a> {
    /// The first refresh token of the grant.
    pub token: &'a RefreshToken,
    pub client_id: &'a str,
    pub subject: &'a str,
    pub scopes: &'a [String],
    /// The hash of the code that the grant was made for.
    pub code_hash: &'a [u8],
    /// How long the grant is kept, in seconds.
    pub lifetime: f64,
}

/// Stores a grant, and deletes some that have expired.
pub fn put_grant(grant: &NewGrant) {
    let arguments = &[
        grant.token.grant().into(),
        grant.client_id.into(),
        grant.subject.into(),
        grant.scopes.to_vec().into(),
        grant.code_hash.into(),
        grant.token.family_hash().into(),
        grant.token.own_hash().into(),
        grant.lifetime.into(),
    ];
    with_tables(|tables| {
        tables.change(DELETE_EXPIRED, &[])?;
        tables.change(PUT_GRANT, arguments)
    });
}

/// A grant, locked until the end of the transaction.
pub struct LockedGrant {
    pub subject: String,
    pub scopes: Vec<String>,
    /// Whether the token is the newest one of the grant. If not, it has been replaced.
    pub is_newest: bool,
}

/// Locks the grant that a refresh token belongs to. `None` if it has expired or was revoked, or belongs to another client.
pub fn lock_grant(token: &RefreshToken, client_id: &str) -> Option<LockedGrant> {
    let arguments = &[token.grant().into(), token.family_hash().into(), client_id.into(), token.own_hash().into()];
    with_tables(|tables| {
        tables.change_first(LOCK_GRANT, arguments, |row| {
            Ok(LockedGrant {
                subject: row.get(1)?.unwrap_or_default(),
                scopes: row.get(2)?.unwrap_or_default(),
                is_newest: row.get(3)?.unwrap_or_default(),
            })
        })
    })
}

/// Makes `next` the newest token of its grant, which is kept for another `lifetime` seconds.
pub fn replace_token(next: &RefreshToken, lifetime: f64) {
    let arguments = &[next.grant().into(), next.own_hash().into(), lifetime.into()];
    with_tables(|tables| tables.change(REPLACE_TOKEN, arguments));
}

/// Revokes the grant that a refresh token belongs to.
pub fn revoke_grant(token: &RefreshToken, client_id: &str) {
    let arguments = &[token.grant().into(), token.family_hash().into(), client_id.into()];
    with_tables(|tables| tables.change(REVOKE_GRANT, arguments));
}

/// Revokes the grant that a code was exchanged for.
pub fn revoke_grant_of_code(code_hash: &[u8], client_id: &str) {
    with_tables(|tables| tables.change(REVOKE_GRANT_OF_CODE, &[code_hash.into(), client_id.into()]));
}

/// A grant, and when it expires.
pub struct ActiveGrant {
    pub subject: String,
    pub scopes: Vec<String>,
    /// Seconds since 1970.
    pub expires_at: i64,
}

/// The grant whose newest token this is. `None` if the token is not valid for the client.
pub fn active_grant(token: &RefreshToken, client_id: &str) -> Option<ActiveGrant> {
    let arguments = &[token.grant().into(), token.family_hash().into(), client_id.into(), token.own_hash().into()];
    with_tables(|tables| {
        tables.first(READ_GRANT, arguments, |row| {
            Ok(ActiveGrant {
                subject: row.get(1)?.unwrap_or_default(),
                scopes: row.get(2)?.unwrap_or_default(),
                expires_at: row.get(3)?.unwrap_or_default(),
            })
        })
    })
}

/// Whether the client is registered and the grant, if there is one, was not revoked.
pub fn is_active(client_id: &str, grant_id: Option<&[u8]>) -> bool {
    let found =
        with_tables(|tables| tables.first(IS_ACTIVE, &[client_id.into(), grant_id.into()], |row| row.get::<bool>(1)));
    found.flatten() == Some(true)
}
