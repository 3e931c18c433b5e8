//! What a statement counts by functions that are part of it.

use std::cell::Cell;

thread_local! {
    static COUNTED: Cell<Counted> = const { Cell::new(Counted { rows: 0, updates: 0 }) };
}

/// What a statement counts by functions that are part of it.
#[derive(Clone, Copy)]
pub struct Counted {
    /// Rows that it changes, or that its function returns, whatever it answers with.
    pub rows: u64,
    /// Rows that were there already when an upsert came.
    pub updates: u64,
}

/// A row has been changed, or returned by a function.
pub fn count_row() {
    let counted = COUNTED.get();
    COUNTED.set(Counted { rows: counted.rows + 1, ..counted });
}

/// A row that was there already is about to be updated by an upsert.
pub fn count_update() {
    let counted = COUNTED.get();
    COUNTED.set(Counted { updates: counted.updates + 1, ..counted });
}

/// The counts of one statement. One that runs within it, by way of a trigger, has counts of its own.
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
