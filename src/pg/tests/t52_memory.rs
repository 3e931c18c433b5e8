//! What requests leave behind in memory.

use super::{Test, run, set_up};
use pgrx::prelude::*;

pub(super) const TESTS: &[Test] = tests![twenty_thousand_requests_leave_nothing_behind,];

/// Bytes used by the memory contexts that live as long as the session.
fn used() -> i64 {
    Spi::get_one::<i64>(
        "select sum(used_bytes)::bigint from pg_backend_memory_contexts
         where name in ('TopMemoryContext', 'CacheMemoryContext') or name like 'CachedPlan%'",
    )
    .unwrap()
    .unwrap()
}

fn requests(times: usize) {
    run(&format!(
        "select count(r.*) from generate_series(1, {times}) i, lateral restful.get('/items?id=eq.' || i % 7) r;
         select count(r.*) from generate_series(1, {times}) i, lateral restful.get('/items?nothing=eq.' || i % 7) r"
    ));
}

/// A leak of one small allocation per request would be about 64 bytes each, far more than the tolerance of 10.
fn twenty_thousand_requests_leave_nothing_behind() {
    set_up();
    requests(500);
    let before = used();
    requests(10_000);
    let grown = used() - before;
    assert!(grown < 200_000, "{grown} bytes were left behind");
}
