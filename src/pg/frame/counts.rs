//! Counts rows by functions that are called within the statement of a request. A request that runs within that statement, such as in
//! a trigger, has its own frame, and so its own counts.

use super::Frame;
use super::context::open;

/// The counts of a statement.
#[derive(Clone, Copy, Default)]
pub struct Counted {
    /// Rows that it changes, or that its function returns, whether or not the response has them.
    pub rows: u64,
    /// Rows that an upsert found in place.
    pub updates: u64,
}

/// Counts a row that was changed, or returned by a function.
pub fn count_row() {
    count(|counted| counted.rows += 1);
}

/// Counts a row that an upsert found in place and is about to update.
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
