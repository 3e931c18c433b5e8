//! What all sessions of the server share, in one segment of memory: which place in it belongs to what.

use crate::limits;
use crate::pg::ffi::fmgr::sql_function;
use crate::pg::ffi::log;
use crate::pg::ffi::shared_memory::{self, Segment, Shared};
use crate::pg::guc;
use crate::quota::{Bucket, Overflow};
use crate::statistics::{Query, Requests, Uses};
use pgrx::{IntoDatum, JsonB, pg_sys};
use serde_json::json;
use std::cell::RefCell;

// SAFETY: they consist of atomic values, and are free or empty while these are zero.
unsafe impl Shared for Requests {}
// SAFETY: as above.
unsafe impl Shared for Query {}
// SAFETY: as above.
unsafe impl Shared for Uses {}

// SAFETY: as above.
unsafe impl Shared for Bucket {}
// SAFETY: as above.
unsafe impl Shared for Overflow {}

/// The segment, as this session knows it.
enum State {
    /// Nobody has asked yet.
    Unknown,
    Attached(Segment),
    /// Why there is none.
    Unavailable(String),
}

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::Unknown) };
}

/// The segment, if this session has it already. Does nothing else, so it may be called while an error is on its way.
pub fn attached() -> Option<Segment> {
    STATE.with_borrow(|state| match state {
        State::Attached(segment) => Some(*segment),
        State::Unknown | State::Unavailable(_) => None,
    })
}

/// The segment; `None` if shared memory is switched off or there is no room for it. Within a transaction.
pub fn segment() -> Option<Segment> {
    STATE.with_borrow_mut(|state| {
        // A parallel query allows no subtransaction.
        // SAFETY: reads state of the backend.
        if matches!(state, State::Unknown) && !unsafe { pg_sys::IsInParallelMode() } {
            *state = match guc::shared_memory_bytes() {
                None => State::Unavailable("restful.shared_memory_size is 0".to_owned()),
                Some(size) => shared_memory::attach(size).map_or_else(
                    |why| {
                        log::line(&format!("pg_restful has no shared memory: {why}"));
                        State::Unavailable(why)
                    },
                    State::Attached,
                ),
            };
        }
        match state {
            State::Attached(segment) => Some(*segment),
            State::Unknown | State::Unavailable(_) => None,
        }
    })
}

// Which sixteenths of the segment hold what. Those from 13 on are free.

/// What new keys of limits share where there is no room for them.
pub fn shared_keys_of_limits(segment: Segment) -> &'static [Overflow] {
    let all = segment.part(0, 1);
    all.get(..limits::SHARED_KEYS).unwrap_or(all)
}

/// The keys of limits.
pub fn keys_of_limits(segment: Segment) -> &'static [Bucket] {
    segment.part(1, 5)
}

/// The counters of requests.
pub fn requests(segment: Segment) -> &'static [Requests] {
    segment.part(5, 11)
}

/// The statements of requests.
pub fn queries(segment: Segment) -> &'static [Query] {
    segment.part(11, 12)
}

/// The users of deprecated versions.
pub fn uses(segment: Segment) -> &'static [Uses] {
    segment.part(12, 13)
}

sql_function!(restful_shared_memory, "shared_memory()", |_call| {
    let bytes = segment().map(Segment::size);
    let why = STATE.with_borrow(|state| match state {
        State::Unavailable(why) => Some(why.clone()),
        State::Unknown | State::Attached(_) => None,
    });
    JsonB(json!({ "bytes": bytes, "unavailable": why })).into_datum().unwrap_or(pg_sys::Datum::null())
});
