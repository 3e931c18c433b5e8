//! Reads a body that is one object into values, without being called in FROM.

use super::cell::Cells;
use super::column::{Column, Strings};
use super::memory::RowMemory;
use super::rows::{Layout, Row, refuse_missing};
use crate::pg::ffi::unguarded::switch_to;
use pgrx::pg_sys::{self, Datum, Oid};

/// A column to fill: the key, the type and its modifier.
pub struct Member<'a> {
    pub key: &'a str,
    pub data_type: Oid,
    pub typmod: i32,
}

/// Makes of an object the values that `record_source` would return as its row.
pub struct OneObject {
    layout: Layout,
}

impl OneObject {
    /// `texts`: the strings are texts that come from CSV or a form. `uniform`: the object must have exactly these keys.
    ///
    /// # Safety
    /// `memory` must outlive the value, which keeps its caches there. The types exist.
    pub unsafe fn new<'m>(
        members: impl Iterator<Item = Member<'m>>,
        texts: bool,
        uniform: bool,
        memory: pg_sys::MemoryContext,
    ) -> Self {
        let strings = || if texts { Strings::Texts } else { Strings::Json };
        // SAFETY: promised by the caller.
        let columns = unsafe {
            let before = switch_to(memory);
            let column = |m: Member| Column::new(m.data_type, m.typmod, m.key.as_bytes().to_vec(), strings());
            let columns = members.map(column).collect();
            switch_to(before);
            columns
        };
        OneObject { layout: Layout { columns, presence: Vec::new(), uniform, ..Layout::default() } }
    }

    /// Reads a body, and calls `put` with the number of each column, from 0, and its value. `None` is NULL. The values are allocated in
    /// the current context.
    ///
    /// Raises the errors of `record_source`.
    pub fn read(&mut self, body: Option<&[u8]>, mut put: impl FnMut(usize, Option<Datum>)) {
        let Some(body) = body else { refuse_missing() };
        // SAFETY: the memory is below the current context, which outlives the values.
        unsafe {
            pg_sys::check_stack_depth();
            let memory = RowMemory::new(body.len());
            let before = switch_to(memory.context());
            let mut row = Row::new(&mut self.layout, Cells::new(memory));
            row.read_one(body);
            switch_to(before);
            for (i, (value, null)) in row.values.iter().zip(&row.nulls).enumerate() {
                put(i, (!null).then_some(*value));
            }
        }
    }
}
