//! The version of a row, for entity tags (RFC 9110, section 8.8.3): a hash of what PostgreSQL stores beside it, or of its contents. The
//! cluster and its timeline are part of it, so that versions from before a restore, or from a server that has diverged, match nothing.

use crate::http::condition::{VERSION_BYTES, digest};
use crate::pg::ffi::composite;
use crate::pg::ffi::fmgr::{Function, argument, sql_function};
use crate::pg::ffi::unguarded;
use crate::pg::ffi::varlena::payload;
use pgrx::{IntoDatum, pg_sys};
use std::cell::Cell;
use std::ffi::CStr;

/// The functions of this file. They read nothing of the request, and run no user code.
pub const FUNCTIONS: &[Function] =
    &[restful_row_version, restful_row_digest, restful_changed_second, restful_not_changed_since];

thread_local! {
    /// The key of versions on a primary, whose timeline stays the same.
    static PRIMARY: Cell<Option<[u64; 4]>> = const { Cell::new(None) };
}

/// The cluster and its timeline.
fn key() -> [u64; 4] {
    if let Some(known) = PRIMARY.get() {
        return known;
    }
    // SAFETY: reads the state of the server. Only a standby has a timeline that it replays.
    unsafe {
        let is_standby = pg_sys::RecoveryInProgress();
        let mut timeline = 0;
        if is_standby {
            pg_sys::GetXLogReplayRecPtr(&mut timeline);
        } else {
            timeline = insertion_timeline();
        }
        let key = [pg_sys::GetSystemIdentifier(), u64::from(timeline), 0x726f_7720_7665_7273, 0x696f_6e20_6b65_7921];
        if !is_standby {
            PRIMARY.set(Some(key));
        }
        key
    }
}

/// # Safety
/// The server is not in recovery.
unsafe fn insertion_timeline() -> pg_sys::TimeLineID {
    // SAFETY: promised by the caller.
    unsafe {
        #[cfg(feature = "pg14")]
        return pg_sys::ThisTimeLineID;
        #[cfg(not(feature = "pg14"))]
        return pg_sys::GetWALInsertionTimeLine();
    }
}

fn version<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> pg_sys::Datum {
    let hash = digest(key(), parts);
    hash.get(..VERSION_BYTES).unwrap_or_default().into_datum().unwrap_or(pg_sys::Datum::null())
}

sql_function!(restful_row_version, "row_version(\"table\" oid, writer xid, place tid)", |call| row_version(call));

unsafe fn row_version(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a strict function with these three arguments; a tid is passed by reference.
    unsafe {
        let value = |i| argument(call, i).unwrap_or(pg_sys::Datum::null());
        let place = value(2).cast_mut_ptr::<pg_sys::ItemPointerData>().read_unaligned();
        let mut bytes = [0; 14];
        let parts = [
            &(value(0).value() as u32).to_le_bytes()[..],
            &(value(1).value() as u32).to_le_bytes(),
            &place.ip_blkid.bi_hi.to_le_bytes(),
            &place.ip_blkid.bi_lo.to_le_bytes(),
            &place.ip_posid.to_le_bytes(),
        ];
        bytes.iter_mut().zip(parts.into_iter().flatten()).for_each(|(byte, part)| *byte = *part);
        version([&bytes[..]])
    }
}

sql_function!(restful_row_digest, "row_digest(\"row\" record)", |call| row_digest(call));

unsafe fn row_digest(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a strict function with a record; each value is read as what its column says.
    unsafe {
        let header = composite::header(argument(call, 0).unwrap_or(pg_sys::Datum::null()));
        let (data_type, modifier) = composite::type_of(header);
        let descriptor = pg_sys::lookup_rowtype_tupdesc_copy(data_type, modifier);
        let width = composite::attribute_count(descriptor);
        let (mut values, mut nulls) = (vec![pg_sys::Datum::null(); width], vec![true; width]);
        composite::deform(header, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        let mut bytes = Vec::with_capacity(width * 16);
        for (i, (value, is_null)) in values.into_iter().zip(nulls).enumerate() {
            let column = composite::attribute(descriptor, i);
            if is_null || column.attisdropped {
                bytes.push(0);
                continue;
            }
            let by_value;
            let content: &[u8] = match column.attlen {
                _ if column.attbyval => {
                    by_value = value.value().to_le_bytes();
                    &by_value
                }
                -1 => payload(value),
                -2 => CStr::from_ptr(value.cast_mut_ptr()).to_bytes(),
                length => std::slice::from_raw_parts(value.cast_mut_ptr::<u8>(), usize::try_from(length).unwrap_or(0)),
            };
            bytes.push(1);
            bytes.extend_from_slice(&column.atttypid.to_u32().to_le_bytes());
            bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
            bytes.extend_from_slice(content);
        }
        version([bytes.as_slice()])
    }
}

/// Seconds since 1970 of a time; `None` if it is not finite, or before 1970.
fn second(time: pg_sys::TimestampTz) -> Option<u64> {
    const FROM_1970: i64 = 10_957 * 86_400;
    let is_finite = time != i64::MIN && time != i64::MAX;
    u64::try_from(time.div_euclid(1_000_000) + FROM_1970).ok().filter(|_| is_finite)
}

sql_function!(restful_changed_second, "changed_second(changed timestamptz)", |call| changed_second(call));

/// Null in the second in which the row was changed, because it may be changed once more in it (RFC 9110, section 8.8.2.2).
unsafe fn changed_second(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a strict function with one timestamp.
    unsafe {
        let changed = argument(call, 0).and_then(|time| second(time.value() as i64));
        let now = second(unguarded::GetCurrentStatementStartTimestamp());
        match changed.filter(|changed| now.is_some_and(|now| *changed < now)) {
            Some(changed) => changed.to_string().into_datum().unwrap_or(pg_sys::Datum::null()),
            None => {
                (*call).isnull = true;
                pg_sys::Datum::null()
            }
        }
    }
}

sql_function!(restful_not_changed_since, "not_changed_since(changed timestamptz, second bigint)", |call| {
    not_changed_since(call)
});

/// True if it is not known when the row was changed: the condition is ignored then (RFC 9110, section 13.1.4).
unsafe fn not_changed_since(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the call frame of a function with these two arguments.
    let (changed, since) = unsafe { (argument(call, 0), argument(call, 1)) };
    let changed = changed.and_then(|time| second(time.value() as i64));
    let holds = match (changed, since) {
        (Some(changed), Some(since)) => changed <= since.value() as u64,
        _ => true,
    };
    holds.into()
}
