//! API keys: those that this session has verified, and when they were used.

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

/// A key whose secret was right, and that was not revoked.
struct Known {
    id: String,
    claims: Rc<Map<String, Value>>,
    role: Rc<str>,
    /// Seconds since 1970.
    expires_at: f64,
}

/// When a key was used last, and the use that was last written down; seconds since 1970.
struct Use {
    last: f64,
    written: f64,
}

const CAPACITY: NonZeroUsize = match NonZeroUsize::new(limits::API_KEYS) {
    Some(capacity) => capacity,
    None => NonZeroUsize::MIN,
};

thread_local! {
    /// Keys by their hash, and the generation they are of. Only good ones: a bad one costs the same each time.
    static KNOWN: RefCell<(u64, LruCache<Hash, Rc<Known>>)> = RefCell::new((0, LruCache::new(CAPACITY)));
    static USES: RefCell<LruCache<String, Use>> = RefCell::new(LruCache::new(CAPACITY));
}

/// Whom a key speaks for. Its use is written down if the request may write.
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
            // not if the table has changed while it was read
            if self::generation() == generation {
                KNOWN.with_borrow_mut(|(_, all)| all.put(hash, known.clone()));
            }
            known
        }
    };
    match verify::now() < known.expires_at {
        true => Ok(known),
        false => Err(Refusal::Expired),
    }
}

fn generation() -> u64 {
    invalidation::API_KEYS.with(|keys| keys.generation())
}

/// The key in the table. There is one way for an id that is not known and for a wrong secret, and one answer; whether the key
/// was revoked or has expired is for those to know who have it.
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

/// Remembers that a key is used; with the first request that may write after the time that has to lie between, the uses that this
/// session remembers are written down, those of reads too.
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

/// Whether the transaction can write a row that others write too. From REPEATABLE READ on it would fail for their sake.
fn may_write() -> bool {
    // SAFETY: reads globals.
    unsafe {
        !pg_sys::XactReadOnly
            && pg_sys::XactIsoLevel < pg_sys::XACT_REPEATABLE_READ as i32
            && !pg_sys::IsInParallelMode()
    }
}

v1_function!(pg_finfo_restful_generate_api_key);
/// `restful.generate_api_key(environment text)`
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn restful_generate_api_key(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: PostgreSQL calls it with the arguments that its SQL declaration promises.
    unsafe {
        preserving_error_data(|| {
            let Some(made) = text(call, 0).and_then(api_key::generate) else {
                error!("an API key cannot be made: the environment is malformed, or the system has no random numbers")
            };
            composite::form(call, [made.id.into_datum(), made.key.into_datum(), made.hash.as_slice().into_datum()])
        })
    }
}
