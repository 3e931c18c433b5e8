//! The tables of keys and of OAuth, read and written with the rights of their owner.

use crate::pg::catalog::invalidation::{self, TableGroup};
use crate::pg::ffi::error::raise;
use crate::pg::ffi::own_tables;
use crate::sqlstate::SqlState;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::{SpiClient, SpiHeapTupleData, SpiTupleTable};
use std::thread::LocalKey;

/// Runs statements on the tables. Every statement is a constant, so nothing of a request can become SQL that the owner runs.
pub(in crate::pg) struct Tables<'a, 'conn>(&'a mut SpiClient<'conn>);

impl<'conn> Tables<'_, 'conn> {
    /// The rows of a SELECT.
    pub fn rows(&self, query: &'static str, arguments: &[DatumWithOid]) -> spi::Result<SpiTupleTable<'conn>> {
        self.0.select(query, None, arguments)
    }

    /// What `read` makes of the first row of a SELECT; `None` if there is no row.
    pub fn first<T>(
        &self,
        query: &'static str,
        arguments: &[DatumWithOid],
        read: impl FnOnce(&SpiHeapTupleData) -> spi::Result<T>,
    ) -> spi::Result<Option<T>> {
        first(self.0.select(query, Some(1), arguments)?, read)
    }

    /// Runs a statement that writes. Returns the number of rows that it changed.
    pub fn change(&mut self, statement: &'static str, arguments: &[DatumWithOid]) -> spi::Result<usize> {
        Ok(self.0.update(statement, None, arguments)?.len())
    }

    /// What `read` makes of the first row that a statement returns which writes or locks; `None` if there is no row.
    pub fn change_first<T>(
        &mut self,
        statement: &'static str,
        arguments: &[DatumWithOid],
        read: impl FnOnce(&SpiHeapTupleData) -> spi::Result<T>,
    ) -> spi::Result<Option<T>> {
        first(self.0.update(statement, Some(1), arguments)?, read)
    }
}

fn first<T>(rows: SpiTupleTable, read: impl FnOnce(&SpiHeapTupleData) -> spi::Result<T>) -> spi::Result<Option<T>> {
    rows.into_iter().next().map(|row| read(&row)).transpose()
}

/// Runs `work` with the rights of the owner of a group of tables and the newest snapshot: it sees what was committed a moment ago,
/// even in a transaction that began earlier. Returns `None` if the extension is not installed.
pub fn with_group<T>(
    group: &'static LocalKey<TableGroup>,
    work: impl FnOnce(&mut Tables) -> spi::Result<T>,
) -> Option<T> {
    let table = group.with(TableGroup::announce);
    let run = || Spi::connect_mut(|client| work(&mut Tables(client)));
    // SAFETY: `Tables` only runs constant statements.
    let done = unsafe { own_tables::as_owner(table, run) }?;
    Some(done.unwrap_or_else(|why| error!("the extension's tables cannot be used: {why}")))
}

/// Runs `work` like [`with_group`], on the tables of token keys and of OAuth, which have the same owner. Raises an error if the
/// extension is not installed.
pub(in crate::pg) fn with_tables<T>(work: impl FnOnce(&mut Tables) -> spi::Result<T>) -> T {
    with_group(&invalidation::KEYS, work)
        .unwrap_or_else(|| raise(SqlState::UNDEFINED_TABLE, "the extension's tables are not there", None, None))
}
