//! Writes dates and timestamps as ISO 8601 strings, like `JsonEncodeDateTime` (utils/adt/json.c).

use super::buffer::BodyBuffer;
use super::number::four_digits;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::ptr::{null, null_mut};

const MICROSECONDS: i64 = 1_000_000;
const MICROSECONDS_PER_DAY: i64 = 86_400 * MICROSECONDS;
/// 2000-01-01, from which PostgreSQL counts, in seconds since 1970-01-01.
const EPOCH_SINCE_1970: i64 = 10_957 * 86_400;
/// The same in days since 0000-03-01. Years that begin in March have the leap day at their end.
const EPOCH_SINCE_MARCH_OF_YEAR_0: i64 = 10_957 + 719_468;
/// The days whose years have exactly four digits, 0001-01-01 to 9999-12-31. Others are left to PostgreSQL.
const PLAIN_DAYS: std::ops::RangeInclusive<i64> = -730_119..=2_921_939;
/// Room for the longest form, quotes included.
const ROOM: usize = pg_sys::MAXDATELEN as usize + 8;

/// A span of time in which a time zone keeps one offset from UTC. Finding it costs more than using it, so it is kept between
/// executions. PostgreSQL never frees a time zone, so its address identifies it.
#[derive(Clone, Copy)]
pub(super) struct ZoneSpan {
    zone: *mut pg_sys::pg_tz,
    /// Microseconds since 2000-01-01 UTC: the first one, and one past the last.
    from: i64,
    until: i64,
    /// Minutes east of Greenwich. `None` if it is not a whole number of minutes, which is left to PostgreSQL.
    offset: Option<i64>,
}

impl Default for ZoneSpan {
    /// Nothing is known yet.
    fn default() -> Self {
        Self { zone: null_mut(), from: 0, until: 0, offset: None }
    }
}

impl ZoneSpan {
    /// The offset of the session's time zone at `timestamp` (microseconds since 2000-01-01 UTC), in minutes east.
    #[inline(always)]
    fn offset_at(&mut self, timestamp: i64) -> Option<i64> {
        // SAFETY: a pointer of this process, which only this thread changes. A query may change it between two rows.
        let zone = unsafe { pg_sys::session_timezone };
        if self.zone != zone || timestamp < self.from || timestamp >= self.until {
            self.find(zone, timestamp);
        }
        self.offset
    }

    #[inline(never)]
    fn find(&mut self, zone: *mut pg_sys::pg_tz, timestamp: i64) {
        let second = timestamp.div_euclid(MICROSECONDS);
        let offset =
            offset_of(zone, second + EPOCH_SINCE_1970).and_then(|seconds| (seconds % 60 == 0).then_some(seconds / 60));
        let until = match next_change(zone, second + EPOCH_SINCE_1970) {
            Some(change) => change.saturating_sub(EPOCH_SINCE_1970).saturating_mul(MICROSECONDS),
            // At the exact second of the last tabulated change, none is reported, although computed changes may follow.
            None if next_change(zone, second + 1 + EPOCH_SINCE_1970).is_some() => (second + 1) * MICROSECONDS,
            None => i64::MAX,
        };
        let from = second * MICROSECONDS;
        // Values that go backwards in time widen the span instead of moving it.
        let widens = self.zone == zone && self.until == until && self.offset == offset;
        *self = Self { zone, from: if widens { self.from.min(from) } else { from }, until, offset };
    }
}

/// Seconds east of Greenwich at a Unix time.
fn offset_of(zone: *mut pg_sys::pg_tz, unix: i64) -> Option<i64> {
    // SAFETY: the session's zone is valid as long as the process lives. The result is a static of the server, or null.
    unsafe { pg_sys::pg_localtime(&unix, zone).as_ref() }.map(|local| local.tm_gmtoff)
}

/// The Unix time of the first change of offset after `unix`.
fn next_change(zone: *mut pg_sys::pg_tz, unix: i64) -> Option<i64> {
    let (mut offset_before, mut offset_after, mut dst_before, mut dst_after, mut at) = (0, 0, 0, 0, 0);
    // SAFETY: the session's zone is valid as long as the process lives. The other pointers point to locals.
    let found = unsafe {
        pg_sys::pg_next_dst_boundary(
            &unix,
            &mut offset_before,
            &mut dst_before,
            &mut at,
            &mut offset_after,
            &mut dst_after,
            zone,
        )
    };
    (found > 0).then_some(at)
}

impl BodyBuffer {
    /// Appends a date (days since 2000-01-01).
    #[inline]
    pub(super) fn date(&mut self, days: i32) {
        if PLAIN_DAYS.contains(&i64::from(days)) {
            self.reserve(ROOM);
            // SAFETY: just reserved.
            unsafe {
                self.byte_reserved(b'"');
                self.plain_date(days.into());
                self.byte_reserved(b'"');
            }
        } else {
            self.unusual(pg_sys::Datum::from(days), pg_sys::DATEOID);
        }
    }

    /// Appends a timestamp without time zone (microseconds since 2000-01-01).
    #[inline]
    pub(super) fn timestamp(&mut self, timestamp: i64) {
        let days = timestamp.div_euclid(MICROSECONDS_PER_DAY);
        if PLAIN_DAYS.contains(&days) {
            self.reserve(ROOM);
            // SAFETY: just reserved.
            unsafe {
                self.byte_reserved(b'"');
                self.plain_date(days);
                self.plain_time(timestamp.rem_euclid(MICROSECONDS_PER_DAY));
                self.byte_reserved(b'"');
            }
        } else {
            self.unusual(pg_sys::Datum::from(timestamp), pg_sys::TIMESTAMPOID);
        }
    }

    /// Appends a timestamp with time zone (microseconds since 2000-01-01 UTC) in the session's time zone.
    #[inline]
    pub(super) fn timestamptz(&mut self, timestamp: i64, zone: &mut ZoneSpan) {
        // Check this before the zone, so that arithmetic on the offset cannot overflow.
        if PLAIN_DAYS.contains(&timestamp.div_euclid(MICROSECONDS_PER_DAY))
            && let Some(offset) = zone.offset_at(timestamp)
        {
            let local = timestamp + offset * 60 * MICROSECONDS;
            let days = local.div_euclid(MICROSECONDS_PER_DAY);
            if PLAIN_DAYS.contains(&days) {
                self.reserve(ROOM);
                // SAFETY: just reserved.
                unsafe {
                    self.byte_reserved(b'"');
                    self.plain_date(days);
                    self.plain_time(local.rem_euclid(MICROSECONDS_PER_DAY));
                    self.byte_reserved(if offset < 0 { b'-' } else { b'+' });
                    let minutes = offset.unsigned_abs() as usize;
                    self.two_digits(minutes / 60);
                    self.byte_reserved(b':');
                    self.two_digits(minutes % 60);
                    self.byte_reserved(b'"');
                }
                return;
            }
        }
        self.unusual(pg_sys::Datum::from(timestamp), pg_sys::TIMESTAMPTZOID);
    }

    /// `YYYY-MM-DD` of a day in [`PLAIN_DAYS`].
    ///
    /// # Safety
    /// Ten bytes must have been reserved.
    #[inline(always)]
    unsafe fn plain_date(&mut self, days: i64) {
        let (year, month, day) = civil((days + EPOCH_SINCE_MARCH_OF_YEAR_0) as u32);
        // SAFETY: reserved by the caller.
        unsafe {
            self.put_reserved(four_digits(year as usize));
            self.byte_reserved(b'-');
            self.two_digits(month as usize);
            self.byte_reserved(b'-');
            self.two_digits(day as usize);
        }
    }

    /// `THH:MM:SS` and the fraction, without trailing zeros.
    ///
    /// # Safety
    /// Eighteen bytes must have been reserved.
    #[inline(always)]
    unsafe fn plain_time(&mut self, microseconds: i64) {
        let seconds = (microseconds / MICROSECONDS) as usize;
        let fraction = (microseconds % MICROSECONDS) as usize;
        // SAFETY: reserved by the caller.
        unsafe {
            self.byte_reserved(b'T');
            self.two_digits(seconds / 3600);
            self.byte_reserved(b':');
            self.two_digits(seconds / 60 % 60);
            self.byte_reserved(b':');
            self.two_digits(seconds % 60);
            if fraction != 0 {
                self.byte_reserved(b'.');
                self.two_digits(fraction / 10_000);
                self.put_reserved(four_digits(fraction % 10_000));
                let zeroes = self.payload().iter().rev().take_while(|&&digit| digit == b'0').count();
                self.truncate(self.len() - zeroes);
            }
        }
    }

    /// # Safety
    /// Two bytes must have been reserved.
    #[inline(always)]
    unsafe fn two_digits(&mut self, value: usize) {
        let [_, _, tens, ones] = four_digits(value);
        // SAFETY: reserved by the caller.
        unsafe { self.put_reserved(&[*tens, *ones]) };
    }

    /// PostgreSQL's own encoding, for infinities, years before 1 and after 9999, and offsets with seconds.
    #[cold]
    #[inline(never)]
    fn unusual(&mut self, value: pg_sys::Datum, type_oid: pg_sys::Oid) {
        self.reserve(ROOM);
        // SAFETY: the text has at most MAXDATELEN bytes and a terminating zero, and the quotes fit as well.
        unsafe {
            self.byte_reserved(b'"');
            let text = pg_sys::JsonEncodeDateTime(self.spare().cast(), value, type_oid, null());
            let length = CStr::from_ptr(text).to_bytes().len();
            self.advance(length);
            self.byte_reserved(b'"');
        }
    }
}

/// Year, month and day of a day counted from 0000-03-01, by the method of C. Neri and L. Schneider, "Euclidean affine
/// functions and their application to calendar algorithms" (2022).
#[inline(always)]
fn civil(day: u32) -> (u32, u32, u32) {
    let quarter_days = 4 * day + 3;
    let century = quarter_days / 146_097;
    let of_century = 4 * (quarter_days % 146_097 / 4) + 3;
    let product = 2_939_745 * u64::from(of_century);
    let year = 100 * century + (product >> 32) as u32;
    let of_year = product as u32 / 2_939_745 / 4;
    let month_and_day = 2141 * of_year + 197_913;
    let (month, day) = (month_and_day >> 16, (month_and_day & 0xffff) / 2141 + 1);
    // January and February belong to the year that began in the previous March.
    if of_year >= 306 { (year + 1, month - 12, day) } else { (year, month, day) }
}
