//! Counts rows by functions that are called within the statement.

use std::cell::Cell;

thread_local! {
    static COUNTED: Cell<Counted> = const { Cell::new(Counted { rows: 0, updates: 0 }) };
}

/// The counts of a statement.
#[derive(Clone, Copy)]
pub struct Counted {
    /// Rows that it changes, or that its function returns, whether or not the response has them.
    pub rows: u64,
    /// Rows that an upsert found in place.
    pub updates: u64,
}

/// Counts a row that was changed, or returned by a function.
pub fn count_row() {
    let counted = COUNTED.get();
    COUNTED.set(Counted { rows: counted.rows + 1, ..counted });
}

/// Counts a row that an upsert found in place and is about to update.
pub fn count_update() {
    let counted = COUNTED.get();
    COUNTED.set(Counted { updates: counted.updates + 1, ..counted });
}

/// Holds the counts of one statement. A statement that runs within it, such as in a trigger, has its own counts.
pub struct Counts {
    outer: Counted,
}

impl Counts {
    pub fn new() -> Self {
        Counts { outer: COUNTED.replace(Counted { rows: 0, updates: 0 }) }
    }

    pub fn so_far(&self) -> Counted {
        COUNTED.get()
    }
}

impl Drop for Counts {
    fn drop(&mut self) {
        COUNTED.set(self.outer);
    }
}
