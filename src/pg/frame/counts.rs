//! What the statement of a request counts, by functions that are part of it. A request that runs within the statement, by way of a
//! trigger, has a frame and therefore counts of its own.

use super::Frame;
use super::context::open;

/// What a statement has counted.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    /// Rows that it changes, or that its function returns, whatever it answers with.
    pub rows: u64,
    /// Rows that were there already when an upsert came.
    pub updates: u64,
}

/// Counts a row that has been changed, or returned by a function.
pub fn count_row() {
    count(|counted| counted.rows += 1);
}

/// Counts a row that was there already, and which an upsert is about to update.
pub fn count_update() {
    count(|counted| counted.updates += 1);
}

fn count(add: impl FnOnce(&mut Counted)) {
    if let Some(open) = open() {
        let mut counted = open.counted.get();
        add(&mut counted);
        open.counted.set(counted);
    }
}

impl Frame<'_> {
    /// Starts to count from zero, for a statement that is about to run under the role.
    pub fn start_counting(&self) {
        self.open.counted.set(Counted::default());
    }

    /// What the statement has counted so far.
    pub fn counted(&self) -> Counted {
        self.open.counted.get()
    }
}
