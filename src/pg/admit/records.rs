//! The records of keyed requests (`restful.idempotency_record`). Nobody but the extension's owner reads them.

use crate::admit::{Kept, Ticket};
use crate::limits;
use crate::pg::ffi::keyed_table::{self, KeyedTable, Row, Seen};
use crate::pg::ffi::own_tables;
use crate::pg::ffi::varlena::payload;
use crate::pg::guc;
use pgrx::{IntoDatum, pg_sys};

/// The columns of `restful.idempotency_record`.
const COLUMNS: usize = 7;
const EXPIRES_AT: i16 = 3;
const STATUS: i32 = 4;
const FINGERPRINT: i32 = 5;
const HEADERS: i32 = 6;
const BODY: i32 = 7;

/// Bytes of a small record.
const RECORD_BYTES: usize = 512;

/// The open table.
pub struct Records {
    table: KeyedTable,
    now: pg_sys::TimestampTz,
}

/// What is known of a ticket.
pub enum Found {
    Nothing,
    /// A record whose time is over.
    Expired(pg_sys::ItemPointerData),
    /// The answer to the request.
    Kept(Kept<Vec<u8>>),
    /// The record of another request.
    Other,
}

impl Records {
    /// Opens the table. `None` if the database's version of the extension does not have it.
    pub fn open() -> Option<Self> {
        let table = own_tables::table(c"idempotency_record");
        if table == pg_sys::InvalidOid {
            return None;
        }
        // SAFETY: the table is made so (sql/idempotency/idempotency_records.sql).
        let table = unsafe { KeyedTable::open(table, COLUMNS) }?;
        Some(Records { table, now: keyed_table::now() })
    }

    /// Looks for a ticket's record.
    pub fn find(&self, ticket: &Ticket, seen: Seen) -> Found {
        let read = |row: &Row| {
            let expires_at = row.value(EXPIRES_AT.into()).map_or(0, |value| value.value() as pg_sys::TimestampTz);
            if expires_at <= self.now {
                return Found::Expired(row.place());
            }
            let bytes = |column| {
                row.value(column).map(|value| {
                    // SAFETY: the column is of type text or bytea, and the row is in place.
                    unsafe { payload(value) }
                })
            };
            if bytes(FINGERPRINT) != Some(ticket.fingerprint.as_slice()) {
                return Found::Other;
            }
            let headers = bytes(HEADERS).unwrap_or_default();
            Found::Kept(Kept {
                status: row.value(STATUS).and_then(|value| u16::try_from(value.value() as i32).ok()).unwrap_or(200),
                headers: String::from_utf8_lossy(headers).into_owned(),
                body: bytes(BODY).map(<[u8]>::to_vec),
            })
        };
        self.table.find(&ticket.id, seen, read).unwrap_or(Found::Nothing)
    }

    /// Whether a ticket has a record.
    pub fn has(&self, ticket: &Ticket, seen: Seen) -> bool {
        self.table.find(&ticket.id, seen, |_| ()).is_some()
    }

    /// Deletes a record that was found. Not if another transaction does so.
    pub fn delete(&self, place: pg_sys::ItemPointerData) -> bool {
        self.table.delete(place)
    }

    /// Records an answer.
    pub fn put(&self, ticket: &Ticket, kept: &Kept<&[u8]>) {
        let expires_at = self.now.saturating_add(guc::idempotency_ttl());
        let values = [
            Some(pg_sys::Datum::from(ticket.id.as_ptr())),
            Some(pg_sys::Datum::from(self.now)),
            Some(pg_sys::Datum::from(expires_at)),
            Some(pg_sys::Datum::from(i32::from(kept.status))),
            ticket.fingerprint.as_slice().into_datum(),
            kept.headers.as_str().into_datum(),
            kept.body.and_then(IntoDatum::into_datum),
        ];
        // SAFETY: the values are of the columns' types: uuid, timestamptz twice, int4, bytea, text, bytea.
        unsafe { self.table.insert::<COLUMNS>(values) };
    }

    /// Whether another record may be added (`restful.idempotency_max_size`). Beyond that size, it has to fit where old ones were.
    pub fn has_room(&self) -> bool {
        let (rows, toast) = self.table.blocks();
        let kilobytes = (u64::from(rows) + u64::from(toast)) * u64::from(pg_sys::BLCKSZ) / 1024;
        kilobytes < guc::idempotency_max_size() || self.table.has_room(RECORD_BYTES)
    }

    /// Deletes some records that have expired, now and then. Each one falls to a block at random: the ids are hashes.
    pub fn sweep(&self, ticket: &Ticket) {
        let [chance, ..] = ticket.fingerprint;
        if chance.is_multiple_of(limits::IDEMPOTENCY_SWEEP_INTERVAL) {
            self.sweep_from(ticket, 1);
        }
    }

    /// Deletes records that have expired, in many blocks.
    pub fn sweep_many(&self, ticket: &Ticket) {
        self.sweep_from(ticket, limits::IDEMPOTENCY_SWEPT_BLOCKS);
    }

    fn sweep_from(&self, ticket: &Ticket, blocks: u32) {
        let (all, _) = self.table.blocks();
        let first = ticket.number() ^ self.now.unsigned_abs();
        for block in (first..).take(blocks.min(all) as usize) {
            let block = u32::try_from(block % u64::from(all)).unwrap_or(0);
            // SAFETY: the column is a timestamptz.
            unsafe { self.table.sweep(block, EXPIRES_AT, self.now, limits::IDEMPOTENCY_SWEPT) };
        }
    }
}
