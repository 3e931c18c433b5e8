//! What a session makes of the rows of a table of the extension, and keeps until they change.

use crate::pg::catalog::invalidation::{self, TableGroup};
use crate::pg::ffi::{catalog_scan, own_tables};
use pgrx::prelude::*;
use pgrx::{JsonB, pg_sys};
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::thread::LocalKey;

/// Where the rows come from.
pub struct Rows {
    /// The tables. Rows of the first one are needed for anything to be read.
    pub tables: &'static LocalKey<TableGroup>,
    /// A query that returns all rows as one value of type `jsonb`. It runs as the owner of the first table.
    pub query: &'static str,
    /// A number that changes whenever anything else may have changed that the query reads.
    pub others: fn() -> u64,
    /// What they are, for errors.
    pub what: &'static str,
}

/// What was made of the rows.
pub struct TableCache<T: ?Sized> {
    rows: Rows,
    made: RefCell<Option<Made<T>>>,
}

struct Made<T: ?Sized> {
    /// The generation of the tables.
    generation: u64,
    /// The generation of the others, and what was made; `None` without rows: then nothing else matters.
    of_rows: Option<(u64, Rc<T>)>,
}

impl<T: ?Sized> TableCache<T> {
    pub const fn new(rows: Rows) -> Self {
        TableCache { rows, made: RefCell::new(None) }
    }

    /// What `make` makes of the result of the query (null if there is none), or has made of it if nothing has changed since; `None` if the table has no rows. A change
    /// counts from the next statement after its transaction committed.
    ///
    /// Raises XX000 if the rows cannot be read.
    pub fn get(&self, make: impl FnOnce(Value) -> Rc<T>) -> Option<Rc<T>> {
        invalidation::accept();
        let Rows { tables, query, others, what } = self.rows;
        let generation = tables.with(TableGroup::generation);
        let known =
            self.made.borrow().as_ref().filter(|made| made.generation == generation).and_then(|made| {
                match &made.of_rows {
                    None => Some(None),
                    Some((number, value)) => (*number == others()).then(|| Some(value.clone())),
                }
            });
        if let Some(known) = known {
            return known;
        }
        let table = tables.with(TableGroup::announce);
        if table == pg_sys::InvalidOid {
            // PostgreSQL does not tell when the table comes.
            self.made.take();
            return None;
        }
        let (generation, number) = (tables.with(TableGroup::generation), others());
        // No query on an empty table, because its locks would last until the end of the transaction.
        let value = catalog_scan::has_rows(table).then(|| {
            let read = || Spi::connect(|client| client.select(query, Some(1), &[])?.first().get_one::<JsonB>());
            // SAFETY: the query is a constant.
            match unsafe { own_tables::as_owner(table, read) } {
                Some(Ok(Some(JsonB(rows)))) => make(rows),
                Some(Err(why)) => error!("the {what} cannot be read: {why}"),
                Some(Ok(None)) | None => make(Value::Null),
            }
        });
        self.made.replace(Some(Made { generation, of_rows: value.clone().map(|value| (number, value)) }));
        value
    }
}
