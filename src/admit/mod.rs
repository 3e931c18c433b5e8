//! Whether a request with an Idempotency-Key may run: the key, and what tells its request from others
//! (draft-ietf-httpapi-idempotency-key-header-07). Pure.

mod kept;
mod key;

pub use kept::Kept;
pub use key::Key;

use crate::auth::path::Path;
use crate::error::{Code, Error};
use crate::http::Request;
use aws_lc_rs::digest::{Context, SHA256};
use serde_json::{Map, Value};

/// The request field that carries the key.
pub const FIELD: &str = "idempotency-key";
/// The response field that tells a replay from the first answer.
pub const REPLAYED: &str = "idempotency-replayed";

/// The header fields that decide what a request does or how it is answered. Others differ between a request and its retry, as dates and
/// traces do.
const FIELDS: &[&str] = &[
    "content-type",
    "content-profile",
    "accept",
    "accept-profile",
    "prefer",
    "range",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
];

/// Claims that tell clients apart and that stay the same when a token is renewed: who issued it, for whom, and to which API key or OAuth
/// client (RFC 7519, section 4.1; RFC 9068, section 2.2; OpenID Connect Core 1.0, section 2).
const CLAIMS: &[&str] = &["iss", "sub", "key_id", "client_id", "azp"];

/// Who keys belong to: the role of the request, and the claims that identify the client within it. Without claims, as with anonymous
/// clients, all who share the role share its keys.
pub struct Owner<'a> {
    /// The name of the role.
    pub role: &'a str,
    pub claims: Option<&'a Map<String, Value>>,
    /// The path to the claim that names the tenant (`restful.tenant_claim`).
    pub tenant: Option<&'a str>,
}

/// What a keyed request is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The hash of owner and key.
    pub id: [u8; 16],
    /// The hash of everything: owner, key and request.
    pub fingerprint: [u8; 32],
}

impl Ticket {
    /// A number that hardly any two ids share.
    pub fn number(&self) -> u64 {
        self.id.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
    }

    /// The ticket of a request.
    pub fn of(owner: &Owner, key: &Key, request: &Request) -> Self {
        let mut hash = Context::new(&SHA256);
        put(&mut hash, Some(owner.role.as_bytes()));
        for name in CLAIMS {
            put_claim(&mut hash, owner.claims.and_then(|claims| claims.get(*name)));
        }
        let path = owner.tenant.and_then(Path::parse);
        put_claim(&mut hash, path.zip(owner.claims).and_then(|(path, claims)| path.find(claims)));
        put(&mut hash, Some(key.as_str().as_bytes()));
        let mut id = [0; 16];
        id.iter_mut().zip(hash.clone().finish().as_ref()).for_each(|(byte, hashed)| *byte = *hashed);
        put(&mut hash, Some(request.method.as_str().as_bytes()));
        put(&mut hash, Some(request.target.path.as_bytes()));
        put(&mut hash, Some(&request.target.parameters.len().to_le_bytes()));
        for (name, value) in &request.target.parameters {
            put(&mut hash, Some(name.as_bytes()));
            put(&mut hash, value.as_deref().map(str::as_bytes));
        }
        for name in FIELDS {
            put(&mut hash, request.headers.get(name).map(str::as_bytes));
        }
        put(&mut hash, request.body);
        let mut fingerprint = [0; 32];
        fingerprint.iter_mut().zip(hash.finish().as_ref()).for_each(|(byte, hashed)| *byte = *hashed);
        Ticket { id, fingerprint }
    }
}

/// Adds a part with its length, so that no two lists of parts have the same bytes.
fn put(hash: &mut Context, part: Option<&[u8]>) {
    let length = part.map_or(u64::MAX, |part| part.len() as u64);
    hash.update(&length.to_le_bytes());
    hash.update(part.unwrap_or_default());
}

fn put_claim(hash: &mut Context, claim: Option<&Value>) {
    match claim {
        None | Some(Value::Null) => put(hash, None),
        Some(Value::String(text)) => put(hash, Some(text.as_bytes())),
        Some(other) => put(hash, Some(other.to_string().as_bytes())),
    }
}

/// The request with this key still runs (section 2.6 of the draft).
pub fn in_progress() -> Error {
    Error::new(Code::KeyInProgress, "A request with this Idempotency-Key is still running")
        .hint("Send the request again later, with the same key: then its answer is there, or it can run.")
        .header("retry-after", "1")
}

/// The key belongs to another request (section 2.6 of the draft).
pub fn reused() -> Error {
    Error::new(Code::KeyReused, "The Idempotency-Key was used for another request")
        .details("The method, the target, a header field that counts or the body differs from the request that has run with this key.")
        .hint("Use a new key for each new request, such as a random UUID. A retry must repeat the request byte by byte.")
}

/// A key is required and missing (section 2.6 of the draft).
pub fn missing() -> Error {
    Error::new(Code::KeyMissing, "This request needs an Idempotency-Key")
        .hint("Send the header field Idempotency-Key with a random UUID in double quotes, and the same one if you retry the request.")
}

/// There is no room for another record.
pub fn full() -> Error {
    Error::new(Code::KeysFull, "No more idempotency keys can be kept for now")
        .hint("Try again later. Records make room when they expire: see restful.idempotency_max_size and restful.idempotency_ttl.")
        .header("retry-after", "60")
}

/// The body of the response is too large to be kept for replays. `limit` is in bytes.
pub fn too_large(limit: usize) -> Error {
    Error::new(Code::Limit, format!("The response has more than {limit} bytes, which are not kept for an Idempotency-Key"))
        .hint("Ask for less with Prefer: return=minimal or select, leave the key out, or raise restful.idempotency_max_response_bytes.")
}

/// The extension's installation has no table for records.
pub fn not_installed() -> Error {
    Error::new(Code::NotImplemented, "The database's version of pg_restful does not know Idempotency-Key")
        .hint("Run ALTER EXTENSION pg_restful UPDATE, or leave the key out.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::http::Headers;
    use serde_json::json;

    fn ticket(role: &str, claims: Value, key: &str, request: (&str, &str, &[(&str, &str)], &[u8])) -> Result<Ticket> {
        let (method, target, fields, body) = request;
        let headers: Headers = fields.iter().copied().collect();
        let request = Request::parse(method, target, &headers, Some(body))?;
        let owner = Owner { role, claims: claims.as_object(), tenant: Some("app.tenant") };
        Ok(Ticket::of(&owner, &Key::parse(key)?, &request))
    }

    const FIRST: (&str, &str, &[(&str, &str)], &[u8]) = ("POST", "/t?select=a", &[("prefer", "return=minimal")], b"{}");

    #[test]
    fn a_retry_has_the_same_ticket_after_its_token_was_renewed() -> Result<()> {
        let first = ticket("web", json!({"iss": "us", "sub": "1", "iat": 1, "jti": "a"}), "\"k\"", FIRST)?;
        let mut later = FIRST;
        later.2 = &[("traceparent", "00-1"), ("prefer", "return=minimal"), ("date", "today")];
        assert_eq!(ticket("web", json!({"iss": "us", "sub": "1", "iat": 2, "jti": "b"}), "k", later)?, first);
        Ok(())
    }

    #[test]
    fn clients_do_not_share_keys() -> Result<()> {
        let ids = [
            ("web", json!(null)),
            ("other", json!(null)),
            ("web", json!({"sub": "1"})),
            ("web", json!({"iss": "1"})),
            ("web", json!({"sub": "2"})),
            ("web", json!({"sub": ["1"]})),
            ("web", json!({"iss": "us", "sub": "1"})),
            ("web", json!({"sub": "1", "key_id": "a"})),
            ("web", json!({"sub": "1", "client_id": "a"})),
            ("web", json!({"sub": "1", "app": {"tenant": "a"}})),
            ("web", json!({"sub": "1", "app": {"tenant": "b"}})),
        ];
        let mut ids = ids
            .into_iter()
            .map(|(role, claims)| Ok(ticket(role, claims, "k", FIRST)?.id))
            .collect::<Result<Vec<_>>>()?;
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
        Ok(())
    }

    #[test]
    fn every_part_of_the_request_counts() -> Result<()> {
        let first = ticket("web", json!(null), "k", FIRST)?;
        let prefer: &[(&str, &str)] = &[("prefer", "return=minimal")];
        for other in [
            ("PATCH", "/t?select=a", prefer, b"{}".as_slice()),
            ("POST", "/t?select=b", prefer, b"{}"),
            ("POST", "/t?select=a", &[], b"{}"),
            ("POST", "/t?select=a", &[("accept", "return=minimal")], b"{}"),
            ("POST", "/t?select=a", &[("prefer", "return=minimal"), ("if-match", "\"1\"")], b"{}"),
            ("POST", "/t?select=a", prefer, b"{ }"),
            ("POST", "/t?select=a", prefer, b""),
        ] {
            let other = ticket("web", json!(null), "k", other)?;
            assert_eq!(other.id, first.id);
            assert_ne!(other.fingerprint, first.fingerprint);
        }
        Ok(())
    }
}
