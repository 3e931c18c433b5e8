//! A function only for tests. It chooses the ways of the requests to come, so that tests can compare their answers.
//!
//! ```sql
//! create function restful_test_ways(choice text) returns text
//!   language c strict as 'path of the library', 'restful_test_ways';
//! ```
//! `choice`: `general` forbids the faster ways; with `fastest` a request takes them at once if it qualifies; anything else is what happens
//! without the hook. It returns how often each of the faster ways was taken in this session, as a JSON object.

use super::ways::Way;
use crate::pg::ffi::fmgr::{text, v1_function};
use pgrx::IntoDatum;
use pgrx::prelude::*;
use std::cell::Cell;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    AsUsual,
    General,
    Fastest,
}

const WAYS: [(Way, &str); 5] = [
    (Way::Read, "read"),
    (Way::Write, "write"),
    (Way::Call, "call"),
    (Way::KeptPlan, "kept"),
    (Way::Unpublished, "unpublished"),
];

thread_local! {
    static CHOICE: Cell<Choice> = const { Cell::new(Choice::AsUsual) };
    /// How often each way was taken.
    static TAKEN: Cell<[u32; WAYS.len()]> = const { Cell::new([0; WAYS.len()]) };
}

impl Way {
    /// Whether requests may take it.
    pub fn is_open(self) -> bool {
        CHOICE.get() != Choice::General
    }

    /// Whether a request takes it as soon as it is prepared, and not only the next one.
    pub fn is_taken_at_once(self) -> bool {
        CHOICE.get() == Choice::Fastest
    }

    /// Notes that a request has taken it.
    pub fn note(self) {
        let mut taken = TAKEN.get();
        for ((way, _), count) in WAYS.iter().zip(&mut taken) {
            *count += u32::from(*way == self);
        }
        TAKEN.set(taken);
    }
}

v1_function!(restful_test_ways);
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn restful_test_ways(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: called by PostgreSQL with the argument of the declaration above, which is not null.
    CHOICE.set(match unsafe { text(call, 0) } {
        Some("general") => Choice::General,
        Some("fastest") => Choice::Fastest,
        _ => Choice::AsUsual,
    });
    let counts: Vec<String> =
        WAYS.iter().zip(TAKEN.get()).map(|((_, name), count)| format!(r#""{name}": {count}"#)).collect();
    format!("{{{}}}", counts.join(", ")).into_datum().unwrap_or(pg_sys::Datum::null())
}
