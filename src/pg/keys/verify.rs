//! Verifies tokens. Caches the keys of token issuers, and the tokens that were verified with them.

use crate::auth::jwk::{self, Verifier};
use crate::auth::path::Path;
use crate::auth::token::{Issuer, Key, KeySet, Refusal, SignedToken};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::pg::catalog::invalidation;
use crate::pg::ffi::fmgr::v1_function;
use crate::pg::guc;
use crate::pg::keys::tables;
use aws_lc_rs::digest;
use lru::LruCache;
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde_json::Value;
use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::rc::Rc;

const QUERY: &str = include_str!("../../../sql/query/keys/verification_keys.sql");

thread_local! {
    /// The cached keys and their generation.
    static KEYS: RefCell<Option<(u64, Rc<KeySet>)>> = const { RefCell::new(None) };
    /// Tokens whose signature was verified with the cached keys, by their SHA-256. Their times and audiences are checked at each use.
    static SIGNED: RefCell<LruCache<[u8; 32], Rc<SignedToken>>> = RefCell::new(LruCache::new(
        NonZeroUsize::new(limits::TOKENS).unwrap_or(NonZeroUsize::MIN),
    ));
}

/// Verifies a token: its signature and its claims.
///
/// # Errors
/// PGRST300 when there are no keys, PGRST301 and PGRST303 for a bad token.
pub fn verify(token: &str) -> Result<Rc<SignedToken>> {
    let CheckedToken { signed, refusal } = check(token).map_err(|refusal| match refusal {
        Some(refusal) => refusal.into_error(),
        None => Error::new(Code::NoKeys, "Server lacks JWT secret"),
    })?;
    refusal.map_or(Ok(signed), |refusal| Err(refusal.into_error()))
}

/// A token whose signature was verified.
pub struct CheckedToken {
    pub signed: Rc<SignedToken>,
    /// Why the claims are not acceptable now; `None` if they are.
    pub refusal: Option<Refusal>,
}

/// Verifies the signature of a token, and checks its claims.
///
/// # Errors
/// Why the signature could not be verified; `None` if there are no keys.
pub fn check(token: &str) -> std::result::Result<CheckedToken, Option<Refusal>> {
    if token.len() > limits::TOKEN_BYTES {
        return Err(Some(Refusal::TooLong));
    }
    let keys = keys();
    if keys.0.is_empty() {
        return Err(None);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    let known = SIGNED.with_borrow_mut(|signed| signed.get(&hash).cloned());
    let signed = match known {
        Some(signed) => signed,
        None => {
            let signed = Rc::new(keys.verify(token)?);
            SIGNED.with_borrow_mut(|known| known.put(hash, signed.clone()));
            signed
        }
    };
    let refusal = signed.check(guc::token_policy(), now()).err();
    Ok(CheckedToken { signed, refusal })
}

/// Seconds since 1970, by the clock.
pub fn now() -> f64 {
    // PostgreSQL counts microseconds since 2000.
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() as f64 / 1e6 + 946_684_800.0 }
}

/// The current keys.
fn keys() -> Rc<KeySet> {
    invalidation::accept();
    let generation = invalidation::KEYS.with(|keys| keys.generation());
    let known =
        KEYS.with_borrow(|keys| keys.as_ref().filter(|(of, _)| *of == generation).map(|(_, keys)| keys.clone()));
    if let Some(keys) = known {
        return keys;
    }
    SIGNED.with_borrow_mut(LruCache::clear);
    let keys = Rc::new(read().unwrap_or_default());
    KEYS.set(Some((generation, keys.clone())));
    keys
}

fn read() -> Option<KeySet> {
    tables::with_group(&invalidation::KEYS, |tables| collect(tables.rows(QUERY, &[])?))
}

fn collect(rows: spi::SpiTupleTable) -> spi::Result<KeySet> {
    let mut keys: Vec<Key> = Vec::with_capacity(rows.len());
    for row in rows {
        let name = row.get::<String>(1)?.unwrap_or_default();
        let issuer = match keys.iter().find(|key| key.issuer.name == name) {
            Some(key) => key.issuer.clone(),
            None => {
                let path = row.get::<String>(3)?.unwrap_or_default();
                let Some(role_path) = Path::parse(&path) else { continue };
                Rc::new(Issuer { name, audiences: row.get::<Vec<String>>(2)?.unwrap_or_default(), role_path })
            }
        };
        let kid = row.get::<String>(4)?.unwrap_or_default();
        let verifier = match row.get::<JsonB>(5)? {
            Some(JsonB(Value::Object(jwk))) => Verifier::of_public(&jwk).ok(),
            _ => {
                let algorithm = row.get::<String>(6)?.as_deref().and_then(jwk::algorithm);
                let secret = row.get::<Vec<u8>>(7)?.unwrap_or_default();
                algorithm.and_then(|algorithm| Verifier::of_secret(&secret, algorithm).ok())
            }
        };
        // Keys are checked when they are loaded. A row that somebody has changed by hand since may not hold a valid key.
        keys.extend(verifier.map(|verifier| Key { issuer, kid, verifier }));
    }
    Ok(KeySet(keys))
}

v1_function!(restful_keys_changed);
/// The trigger of the tables: announces their change to all sessions.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_keys_changed(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call of a function.
    unsafe { invalidation::announce_by_trigger(call, "keys_changed") }
}
