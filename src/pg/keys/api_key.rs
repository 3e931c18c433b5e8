//! Verifies API keys, remembers the valid ones, and records when they were used.

use crate::auth::api_key::{self, Hash, Refusal};
use crate::auth::{AuthMethod, principal::VerifiedIdentity};
use crate::error::Result;
use crate::http;
use crate::limits;
use crate::pg::catalog::invalidation;
use crate::pg::ffi::composite;
use crate::pg::ffi::fmgr::{text, v1_function};
use crate::pg::ffi::preserving_error_data::preserving_error_data;
use crate::pg::keys::{tables, verify};
use lru::LruCache;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use pgrx::{IntoDatum, JsonB, pg_sys};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::rc::Rc;

const QUERY: &str = include_str!("../../../sql/query/keys/api_key.sql");
const WRITE_USES: &str = include_str!("../../../sql/query/keys/api_keys_used.sql");

/// A key whose secret was verified and that was not revoked.
struct Known {
    id: String,
    claims: Rc<Map<String, Value>>,
    role: Rc<str>,
    /// Seconds since 1970.
    expires_at: f64,
}

/// The last use of a key, and the last use that was written to the table, in seconds since 1970.
struct Use {
    last: f64,
    written: f64,
}

const CAPACITY: NonZeroUsize = match NonZeroUsize::new(limits::API_KEYS) {
    Some(capacity) => capacity,
    None => NonZeroUsize::MIN,
};

thread_local! {
    /// The generation of the cached keys, and the keys by their hash. Only valid keys are cached, so a bad key costs the same each time.
    static KNOWN: RefCell<(u64, LruCache<Hash, Rc<Known>>)> = RefCell::new((0, LruCache::new(CAPACITY)));
    static USES: RefCell<LruCache<String, Use>> = RefCell::new(LruCache::new(CAPACITY));
}

/// Verifies an API key and returns the identity that it stands for. Records the use if the request may write.
///
/// # Errors
/// REST411.
pub fn verify(key: &str, method: http::Method) -> Result<VerifiedIdentity> {
    let known = find(key).map_err(Refusal::into_error)?;
    note_use(&known.id, method);
    Ok(VerifiedIdentity { claims: known.claims.clone(), role: Some(known.role.clone()), method: AuthMethod::ApiKey })
}

fn find(key: &str) -> std::result::Result<Rc<Known>, Refusal> {
    if key.len() > api_key::MAX_BYTES {
        return Err(Refusal::Malformed);
    }
    let hash = api_key::hash(key);
    invalidation::accept();
    let generation = generation();
    let known = KNOWN.with_borrow_mut(|(of, known)| {
        if *of != generation {
            known.clear();
            *of = generation;
        }
        known.get(&hash).cloned()
    });
    let known = match known {
        Some(known) => known,
        None => {
            let id = api_key::id(key).ok_or(Refusal::Malformed)?;
            let known = Rc::new(read(id, &hash)?);
            // The table may have changed while it was read.
            if self::generation() == generation {
                KNOWN.with_borrow_mut(|(_, all)| all.put(hash, known.clone()));
            }
            known
        }
    };
    if verify::now() < known.expires_at { Ok(known) } else { Err(Refusal::Expired) }
}

fn generation() -> u64 {
    invalidation::API_KEYS.with(|keys| keys.generation())
}

/// Reads the key from the table. An unknown id and a wrong secret take the same path and get the same answer. Only a caller with the
/// right secret learns that the key was revoked or has expired.
fn read(id: &str, hash: &Hash) -> std::result::Result<Known, Refusal> {
    let row =
        tables::with_group(&invalidation::API_KEYS, |tables| tables.first(QUERY, &[id.into()], Row::read)).flatten();
    if !api_key::is_stored(hash, row.as_ref().map(|row| row.hash.as_slice())) {
        return Err(Refusal::Unknown);
    }
    let Row { subject, role, scopes, claims: more, expires_at, is_revoked, .. } = row.ok_or(Refusal::Unknown)?;
    if is_revoked {
        return Err(Refusal::Revoked);
    }
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), subject.into());
    claims.insert("role".to_owned(), role.as_str().into());
    claims.insert("scope".to_owned(), scopes.join(" ").into());
    claims.insert("key_id".to_owned(), id.into());
    if let Value::Object(more) = more {
        for (name, value) in more {
            claims.entry(name).or_insert(value);
        }
    }
    Ok(Known { id: id.to_owned(), claims: Rc::new(claims), role: role.into(), expires_at })
}

struct Row {
    hash: Vec<u8>,
    subject: String,
    role: String,
    scopes: Vec<String>,
    claims: Value,
    expires_at: f64,
    is_revoked: bool,
}

impl Row {
    fn read(row: &SpiHeapTupleData) -> spi::Result<Self> {
        Ok(Row {
            hash: row.get(1)?.unwrap_or_default(),
            subject: row.get(2)?.unwrap_or_default(),
            role: row.get(3)?.unwrap_or_default(),
            scopes: row.get(4)?.unwrap_or_default(),
            claims: row.get::<JsonB>(5)?.map_or(Value::Null, |JsonB(claims)| claims),
            expires_at: row.get(6)?.unwrap_or(f64::INFINITY),
            is_revoked: row.get(7)?.unwrap_or(true),
        })
    }
}

/// Notes that a key was used. If [`limits::API_KEY_USE_SECONDS`] have passed since the key's last recorded use, and the request may
/// write, this writes all uses that the session has noted, including those of reads.
fn note_use(id: &str, method: http::Method) {
    let now = verify::now();
    let is_due = USES.with_borrow_mut(|uses| {
        let of_key = uses.get_or_insert_mut_ref(id, || Use { last: now, written: f64::NEG_INFINITY });
        of_key.last = now;
        now - of_key.written >= limits::API_KEY_USE_SECONDS
    });
    if !is_due || method.is_safe() || !may_write() {
        return;
    }
    let (ids, times): (Vec<String>, Vec<f64>) = USES.with_borrow_mut(|uses| {
        uses.iter_mut()
            .filter(|(_, of_key)| of_key.last - of_key.written >= limits::API_KEY_USE_SECONDS)
            .map(|(id, of_key)| {
                of_key.written = of_key.last;
                (id.clone(), of_key.last)
            })
            .unzip()
    });
    tables::with_group(&invalidation::API_KEYS, |tables| tables.change(WRITE_USES, &[ids.into(), times.into()]));
}

/// Whether the transaction can write a row that other sessions write, too. At REPEATABLE READ and above it could fail with a
/// serialization error because of them.
fn may_write() -> bool {
    // SAFETY: reads globals.
    unsafe {
        !pg_sys::XactReadOnly
            && pg_sys::XactIsoLevel < pg_sys::XACT_REPEATABLE_READ as i32
            && !pg_sys::IsInParallelMode()
    }
}

v1_function!(restful_generate_api_key);
/// `restful.generate_api_key(environment text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_generate_api_key(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let Some(made) = text(call, 0).and_then(api_key::generate) else {
                error!(
                    "an API key cannot be made: the environment is malformed, or the operating system returned no random bytes"
                )
            };
            composite::form(call, [made.id.into_datum(), made.key.into_datum(), made.hash.as_slice().into_datum()])
        })
    }
}
