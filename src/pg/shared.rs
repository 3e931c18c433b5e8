//! What all sessions of the server share, in one segment of memory: which place in it belongs to what.

use crate::pg::ffi::fmgr::sql_function;
use crate::pg::ffi::log;
use crate::pg::ffi::shared_memory::{self, Segment};
use crate::pg::guc;
use pgrx::{IntoDatum, JsonB, pg_sys};
use serde_json::json;
use std::cell::RefCell;

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

/// The segment; `None` if shared memory is switched off or there is no room for it. Within a transaction.
pub fn segment() -> Option<Segment> {
    STATE.with_borrow_mut(|state| {
        if matches!(state, State::Unknown) {
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

sql_function!(restful_shared_memory, "shared_memory()", |_call| {
    let bytes = segment().map(Segment::size);
    let why = STATE.with_borrow(|state| match state {
        State::Unavailable(why) => Some(why.clone()),
        State::Unknown | State::Attached(_) => None,
    });
    JsonB(json!({ "bytes": bytes, "unavailable": why })).into_datum().unwrap_or(pg_sys::Datum::null())
});
