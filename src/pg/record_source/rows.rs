//! Turns a body into rows of datums.

use super::cell::Cells;
use super::column::Column;
use super::refuse::refuse_body;
use crate::json::{self, Reader, Text, UniqueKeys, ValueKind};
use crate::pg::ffi::captured::ReadingPlace;
use pgrx::pg_sys::Datum;
use std::collections::HashMap;

/// PostgREST's message for a body that it cannot read.
const INVALID: &str = "Empty or invalid json";

/// How objects become rows.
#[derive(Default)]
pub struct Layout {
    pub columns: Vec<Column>,
    /// For each boolean presence column after them, the index of the column whose key it reports.
    pub presence: Vec<usize>,
    /// Whether each object must have exactly the keys of the columns.
    pub uniform: bool,
    /// Whether objects must be empty. Rows then have one column, whose key no object can have.
    pub keyless: bool,
    /// Whether each line of the body is an element.
    pub lines: bool,
    /// Whether the elements are values of the first column, and not objects.
    pub bare: bool,
    /// How many of the columns, from the first, each object must have: those of the primary key.
    pub required: usize,
}

/// The row under construction.
pub struct Row<'a, 'l> {
    layout: &'l mut Layout,
    /// Built when a key is not where it is expected.
    by_key: Option<HashMap<Vec<u8>, usize>>,
    cells: Cells<'a>,
    /// The number of the last row that had the column's key.
    seen: Vec<u64>,
    /// Whether the column has a presence column.
    marked: Vec<bool>,
    number: u64,
    /// Where it is, for errors.
    place: ReadingPlace,
    /// The objects are elements of a list.
    is_list: bool,
    unknown: UniqueKeys<'a>,
    pub values: Vec<Datum>,
    pub nulls: Vec<bool>,
}

impl<'a, 'l> Row<'a, 'l> {
    pub fn new(layout: &'l mut Layout, cells: Cells<'a>) -> Self {
        let columns = layout.columns.len();
        let width = columns + layout.presence.len();
        let mut marked = vec![false; columns];
        for &index in &layout.presence {
            if let Some(mark) = marked.get_mut(index) {
                *mark = true;
            }
        }
        Row {
            layout,
            by_key: None,
            cells,
            seen: vec![0; columns],
            marked,
            number: 0,
            place: ReadingPlace::default(),
            is_list: false,
            unknown: UniqueKeys::default(),
            values: vec![Datum::null(); width],
            nulls: vec![true; width],
        }
    }

    /// Reads the body and calls `store` with each row. The memory that the row points to lives until `store` returns.
    pub fn read_all(&mut self, body: &'a [u8], mut store: impl FnMut(&mut Self)) {
        if let Err(error) = self.read_body(body, &mut store) {
            refuse_body(INVALID, Some(&error.to_string()), None);
        }
    }

    /// Reads a body that is one object, or an array of one. The memory that the row points to lives as long as the row's context.
    pub fn read_one(&mut self, body: &'a [u8]) {
        let mut read = || {
            let mut reader = Reader::new(body)?;
            let is_array = reader.kind()? == ValueKind::Array;
            if is_array {
                self.is_list = true;
                reader.open_array()?;
                reader.next_element()?;
            }
            self.read(&mut reader)?;
            if is_array && reader.next_element()? {
                return Err(reader.unexpected("the end of the array"));
            }
            reader.finish()
        };
        if let Err(error) = read() {
            refuse_body(INVALID, Some(&error.to_string()), None);
        }
    }

    fn read_body(&mut self, body: &'a [u8], store: &mut impl FnMut(&mut Self)) -> Result<(), json::Error> {
        if self.layout.lines {
            self.is_list = true;
            let mut reader = Reader::lines(body)?;
            while reader.next_line()? {
                self.read(&mut reader)?;
                store(self);
                self.cells.memory.reset();
                pgrx::check_for_interrupts!();
            }
            return Ok(());
        }
        let mut reader = Reader::new(body)?;
        match reader.kind()? {
            ValueKind::Array => {
                self.is_list = true;
                reader.open_array()?;
                while reader.next_element()? {
                    self.read(&mut reader)?;
                    store(self);
                    self.cells.memory.reset();
                    pgrx::check_for_interrupts!();
                }
            }
            ValueKind::Object => {
                self.read(&mut reader)?;
                store(self);
            }
            _ => return Err(reader.unexpected("an array of objects, or an object")),
        }
        reader.finish()
    }

    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), json::Error> {
        let place = std::mem::take(&mut self.place);
        place.at_object(self.is_list.then_some(self.number));
        let read = place.during(|| self.read_object(reader, &place));
        self.place = place;
        read
    }

    fn read_object(&mut self, reader: &mut Reader<'a>, place: &ReadingPlace) -> Result<(), json::Error> {
        self.number += 1;
        self.nulls.fill(true);
        self.unknown.clear();
        if self.layout.bare {
            return self.read_bare(reader);
        }
        reader.open_object()?;
        let mut known = 0;
        let mut guess = 0;
        while let Some(key) = reader.next_key()? {
            // Most objects have the same keys as the first one, in the same order.
            let guessed = self.layout.columns.get(guess).is_some_and(|column| !key.escaped && column.key == key.raw);
            let Some(index) = (if guessed { Some(guess) } else { self.find(key) }) else {
                self.skip_unknown(key, reader)?;
                continue;
            };
            guess = index + 1;
            let (Some(column), Some(seen)) = (self.layout.columns.get_mut(index), self.seen.get_mut(index)) else {
                continue;
            };
            if *seen == self.number {
                return Err(reader.duplicate_key(key));
            }
            *seen = self.number;
            known += 1;
            place.at_member(&column.key);
            let value = self.cells.read(column, reader)?;
            self.set(index, value);
        }
        place.past_members();
        if self.layout.uniform && known < self.layout.columns.len() {
            self.refuse_missing_key(reader);
        }
        if self.layout.required > 0 {
            self.require_key(reader);
        }
        self.check_domains();
        self.mark_presence();
        Ok(())
    }

    #[inline(never)]
    fn find(&mut self, key: Text<'a>) -> Option<usize> {
        let columns = &self.layout.columns;
        let by_key = self.by_key.get_or_insert_with(|| {
            columns.iter().enumerate().map(|(index, column)| (column.key.clone(), index)).collect()
        });
        by_key.get(key.unescaped().as_ref()).copied()
    }

    #[inline]
    fn set(&mut self, index: usize, value: Option<Datum>) {
        if let (Some(place), Some(null)) = (self.values.get_mut(index), self.nulls.get_mut(index)) {
            *null = value.is_none();
            *place = value.unwrap_or(Datum::null());
        }
    }

    #[cold]
    fn skip_unknown(&mut self, key: Text<'a>, reader: &mut Reader<'a>) -> Result<(), json::Error> {
        if self.layout.uniform || self.layout.keyless {
            refuse_keys(&self.place(reader), &key.unescaped(), true);
        }
        if !self.unknown.insert(key) {
            return Err(reader.duplicate_key(key));
        }
        reader.value()?;
        Ok(())
    }

    #[cold]
    fn refuse_missing_key(&self, reader: &Reader) -> ! {
        let is_missing = |(_, seen): &(&Column, &u64)| **seen != self.number;
        let missing = self.layout.columns.iter().zip(&self.seen).find(is_missing);
        refuse_keys(&self.place(reader), missing.map_or(&[], |(column, _)| column.key.as_slice()), false)
    }

    /// How errors name the object: by its line, or by its number in the array, from 1.
    #[cold]
    fn place(&self, reader: &Reader) -> String {
        if self.layout.lines { format!("Line {}", reader.line_number()) } else { format!("Object {}", self.number) }
    }

    /// Reads an element that is the value of the first column.
    fn read_bare(&mut self, reader: &mut Reader<'a>) -> Result<(), json::Error> {
        let (Some(column), Some(seen)) = (self.layout.columns.first_mut(), self.seen.first_mut()) else {
            return Err(reader.unexpected("no value"));
        };
        *seen = self.number;
        let value = self.cells.read(column, reader)?;
        self.set(0, value);
        self.check_domains();
        Ok(())
    }

    /// Refuses an object without one of the columns that each must have.
    fn require_key(&self, reader: &Reader) {
        let mut columns = self.layout.columns.iter().zip(&self.seen).take(self.layout.required);
        if let Some((column, _)) = columns.find(|(_, seen)| **seen != self.number) {
            refuse_body(
                "Every object of the list must have the whole primary key",
                Some(&format!(
                    "{} does not have the key '{}'.",
                    self.place(reader),
                    String::from_utf8_lossy(&column.key)
                )),
                Some("Give the key of each row, or choose the rows by filters in the URL."),
            );
        }
    }

    /// Checks the values of domains. A domain may refuse NULL, too. But the NULL of a missing key is not checked if the key has a
    /// presence column, because it is not used then.
    fn check_domains(&mut self) {
        for (index, column) in self.layout.columns.iter_mut().enumerate().filter(|(_, column)| column.is_domain()) {
            let missing = self.seen.get(index) != Some(&self.number);
            if missing && self.marked.get(index) == Some(&true) {
                continue;
            }
            let null = self.nulls.get(index).copied().unwrap_or(true);
            let value = self.values.get(index).copied().filter(|_| !null);
            // SAFETY: the value was made for this column.
            unsafe { column.check_domain(value) };
        }
    }

    fn mark_presence(&mut self) {
        let first = self.layout.columns.len();
        for at in 0..self.layout.presence.len() {
            let index = self.layout.presence.get(at).copied().unwrap_or_default();
            let present = self.seen.get(index) == Some(&self.number);
            self.set(first + at, Some(Datum::from(present)));
        }
    }
}

/// Refuses an object at `place` whose keys differ from those of the first one: it `has` another key, or lacks one.
#[cold]
fn refuse_keys(place: &str, key: &[u8], has: bool) -> ! {
    let key = String::from_utf8_lossy(key);
    let details = if has {
        format!("{place} has the key '{key}', which the first object does not have.")
    } else {
        format!("{place} does not have the key '{key}', which the first object has.")
    };
    refuse_body(
        "All object keys must match",
        Some(&details),
        Some("Give all objects the same keys, or list the keys to use: ?columns=a,b"),
    )
}

/// Refuses a call without a body, like a body that cannot be read.
pub fn refuse_missing() -> ! {
    refuse_body(INVALID, Some("expected a body"), None)
}
