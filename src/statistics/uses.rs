//! Who uses a deprecated version.

use super::label::Label;
use super::slots::{Slot, claim, key_of};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who uses what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The database (`pg_database.oid`).
    pub database: u32,
    pub version: String,
    /// The subject of the claims; empty without one.
    pub subject: String,
    pub role: String,
    /// How the identity was established.
    pub method: String,
}

/// The uses of one user. All zeroes is a free one.
#[derive(Debug)]
#[repr(C)]
pub struct Uses {
    key: AtomicU64,
    /// Its labels are written.
    ready: AtomicU64,
    database: AtomicU64,
    version: Label<8>,
    subject: Label<16>,
    role: Label<8>,
    method: Label<2>,
    calls: AtomicU64,
    /// Microseconds since 2000.
    first: AtomicU64,
    last: AtomicU64,
}

impl Slot for Uses {
    fn key(&self) -> &AtomicU64 {
        &self.key
    }
}

/// Counts a use at a time in microseconds since 2000. Whether there was room for the user.
pub fn count_use(table: &[Uses], seed: u64, user: &User, now: u64) -> bool {
    let parts = [user.version.as_str(), &user.subject, &user.role, &user.method];
    let Some((uses, is_new)) = claim(table, key_of(seed ^ u64::from(user.database), parts)) else { return false };
    if is_new {
        uses.database.store(user.database.into(), Ordering::Relaxed);
        uses.version.set(&user.version);
        uses.subject.set(&user.subject);
        uses.role.set(&user.role);
        uses.method.set(&user.method);
        uses.first.store(now, Ordering::Relaxed);
        uses.ready.store(1, Ordering::Release);
    }
    uses.calls.fetch_add(1, Ordering::Relaxed);
    uses.last.fetch_max(now, Ordering::Relaxed);
    true
}

/// The uses of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    pub user: User,
    pub calls: u64,
    /// Microseconds since 2000.
    pub first: u64,
    pub last: u64,
}

/// The uses in a database, in no order.
pub fn read_uses(table: &[Uses], database: u32) -> Vec<Use> {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let is_wanted =
        |uses: &&Uses| uses.ready.load(Ordering::Acquire) == 1 && get(&uses.database) == u64::from(database);
    let read = |uses: &Uses| Use {
        user: User {
            database,
            version: uses.version.get(),
            subject: uses.subject.get(),
            role: uses.role.get(),
            method: uses.method.get(),
        },
        calls: get(&uses.calls),
        first: get(&uses.first),
        last: get(&uses.last),
    };
    table.iter().filter(is_wanted).map(read).collect()
}
