//! Documents that were made, kept until something that they depend on changes.
//!
//! Every change of a catalogue sends a message to all sessions when it is committed, also those that no cache is told of, such as
//! comments. PostgreSQL counts the messages that a session has received. While the count stays the same, nothing has changed. If it has
//! moved, most likely something else has changed, such as a temporary table, the statistics of a table, or another database. Then the
//! [`fingerprint`] decides.

use super::fingerprint;
use crate::limits;
use crate::openapi::{Settings, Version};
use crate::pg::ffi::{unguarded, user};
use crate::pg::guc::{self, OpenApiMode};
use pgrx::pg_sys;
use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;

/// Settings of PostgreSQL that decide how constants in defaults and checks are written.
const FORMATS: [&CStr; 8] = [
    c"DateStyle",
    c"IntervalStyle",
    c"TimeZone",
    c"bytea_output",
    c"lc_monetary",
    c"quote_all_identifiers",
    c"xmlbinary",
    c"array_nulls",
];

/// Everything but the catalogue that a document depends on.
#[derive(PartialEq, Eq)]
pub struct Key {
    role: pg_sys::Oid,
    schema: String,
    version: Version,
    mode: OpenApiMode,
    settings: Settings,
    formats: [Option<String>; FORMATS.len()],
}

impl Key {
    /// The key of a request that is made now, by the user in force.
    pub fn now(schema: &str, version: Version) -> Key {
        Key {
            role: user::current(),
            schema: schema.to_owned(),
            version,
            mode: guc::openapi_mode(),
            settings: super::settings(schema),
            formats: FORMATS.map(guc::get),
        }
    }
}

/// How many messages of changes the session has received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Moment(u64);

impl Moment {
    /// The current moment. `None` if the transaction may see a catalogue that is not the committed one: it has written, or it sees the
    /// database as it was when the transaction began.
    pub fn now() -> Option<Moment> {
        let has_written = unguarded::GetTopTransactionIdIfAny() != pg_sys::InvalidTransactionId;
        // SAFETY: reads globals.
        unsafe {
            let keeps_snapshot = pg_sys::XactIsoLevel >= pg_sys::XACT_REPEATABLE_READ as i32;
            (!has_written && !keeps_snapshot).then_some(Moment(pg_sys::SharedInvalidMessageCounter))
        }
    }
}

struct Document {
    key: Key,
    /// When it was last known to be current.
    checked: Moment,
    /// That of the catalogue which it was made from.
    fingerprint: u64,
    text: Rc<[u8]>,
}

thread_local! {
    /// The last one used is the last one.
    static KEPT: RefCell<Vec<Document>> = const { RefCell::new(Vec::new()) };
}

/// The kept document of this key, if it is current.
pub fn document(key: &Key, now: &Moment) -> Option<Rc<[u8]>> {
    let position = |kept: &[Document]| kept.iter().position(|document| document.key == *key);
    let (checked, made_from) = KEPT.with_borrow(|kept| {
        let document = kept.get(position(kept)?)?;
        Some((document.checked, document.fingerprint))
    })?;
    let is_current = checked == *now || made_from == fingerprint::now();
    KEPT.with_borrow_mut(|kept| {
        let mut document = kept.remove(position(kept)?);
        if !is_current {
            return None;
        }
        document.checked = *now;
        let text = document.text.clone();
        kept.push(document);
        Some(text)
    })
}

/// Keeps a document in place of older ones.
pub fn keep(key: Key, checked: Moment, fingerprint: u64, text: Rc<[u8]>) {
    KEPT.with_borrow_mut(|kept| {
        kept.retain(|document| document.key != key);
        kept.push(Document { key, checked, fingerprint, text });
        let bytes = |kept: &[Document]| kept.iter().map(|document| document.text.len()).sum::<usize>();
        while kept.len() > limits::DOCUMENTS || bytes(kept) > limits::DOCUMENT_BYTES {
            kept.remove(0);
        }
    });
}
