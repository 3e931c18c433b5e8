//! Hints that say why a write was denied (42501) where PostgreSQL's message does not: a column that the database fills in, or
//! rights and policies of reading, which also apply to a write that returns rows or compares them with others.

use crate::pg::catalog::query::{load, oid, text};
use crate::pg::ffi::user;
use crate::plan::{BodyColumn, Change, Returning, Write};
use pgrx::pg_sys;
use serde::Deserialize;
use std::rc::Rc;

/// The columns that a write sets, and what it reads.
pub struct Writing {
    relation: u32,
    is_insert: bool,
    sets: Vec<String>,
    /// The columns that it reads to find out what to write.
    reads: Vec<String>,
    reader: Reader,
    /// Whether it updates rows that already exist.
    merges: bool,
    returns: bool,
    /// Whether it selects the rows to change by their values.
    finds: bool,
}

/// What reads columns in order to write.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// ON CONFLICT compares the key.
    Upsert,
    /// The body names the rows by their key, and rows keep what their objects leave out.
    Each,
    /// A patch is applied to the values that are there.
    Patch,
}

impl Writing {
    /// Takes what is needed from a plan. `None` for DELETE, where PostgreSQL's message says it all.
    pub fn of(write: &Write) -> Option<Rc<Self>> {
        let returns = !matches!(write.returning, Returning::Nothing);
        let (relation, is_insert) = (write.relation_oid, matches!(write.change, Change::Insert { .. }));
        let names = |columns: &[BodyColumn]| columns.iter().map(|column| column.column.clone()).collect::<Vec<_>>();
        let (sets, reads, reader, finds) = match &write.change {
            Change::Insert { columns, conflict, .. } => {
                let key = conflict.as_ref().map(|conflict| conflict.columns.clone());
                (names(columns), key.unwrap_or_default(), Reader::Upsert, false)
            }
            Change::Update { columns, patch, chosen } => {
                let document = patch.iter().flat_map(|patch| &patch.document).map(|(name, _)| name.clone());
                let finds = chosen.select.restricts() || !chosen.key.is_empty();
                (names(columns), document.collect(), Reader::Patch, finds)
            }
            Change::Each(each) if !each.deletes => {
                let read = each.columns.iter().enumerate().filter(|(i, column)| *i < each.keys || column.keeps);
                let read = read.map(|(_, column)| column.column.clone()).collect();
                (names(each.columns.get(each.keys..).unwrap_or_default()), read, Reader::Each, true)
            }
            Change::Delete { .. } | Change::Each(_) => return None,
        };
        let merges = matches!(&write.change, Change::Insert { conflict: Some(conflict), .. } if conflict.update);
        Some(Rc::new(Writing { relation, is_insert, sets, reads, reader, merges, returns, finds }))
    }

    /// The hint for an error with this message, for the role that wrote. `None` if there is nothing to add.
    pub fn hint(&self, message: &str, role: Option<pg_sys::Oid>) -> Option<String> {
        if message.contains("row-level security policy") {
            return self.of_policies().map(str::to_owned);
        }
        let read = || {
            let list = |names: &[String]| serde_json::Value::from(names).to_string();
            let command = if self.is_insert { "INSERT" } else { "UPDATE" };
            let (sets, reads) = (list(&self.sets), list(&self.reads));
            let query = include_str!("../../../sql/query/access/denied_write.sql");
            load("denied_write", query, &[oid(self.relation), text(&sets), text(command), text(&reads)])
        };
        let found: Option<Rights> = match role {
            // SAFETY: a query of the catalogue. An error that it raises goes to the caller and ends the transaction.
            Some(role) => unsafe { user::run_as(role, user::security_context(), read) },
            None => read(),
        }
        .ok()?;
        let Rights { presets, may_set, may_read, may_compare } = found?;
        if !presets.is_empty() {
            let them = if presets.len() == 1 { "it" } else { "them" };
            return Some(format!(
                "The database fills in \"{}\": leave {them} out of the body.",
                presets.join("\", \"")
            ));
        }
        let hint = if may_set && self.returns && !may_read {
            "The request returns what it wrote, which requires SELECT on these columns. Send Prefer: return=minimal to avoid this."
        } else if may_set && !may_compare {
            match self.reader {
                Reader::Upsert => "An upsert must read the key, so the role needs SELECT on it.",
                Reader::Each => {
                    "The request reads the key, and columns that only some of the objects set, so the role needs SELECT on them. Give all objects the same columns."
                }
                Reader::Patch => {
                    "A patch reads the values that it changes or tests, so the role needs SELECT on their columns."
                }
            }
        } else {
            return None;
        };
        Some(hint.to_owned())
    }

    /// The hint that names the policies that apply besides the obvious ones.
    fn of_policies(&self) -> Option<&'static str> {
        Some(match (self.is_insert, self.merges, self.reads.is_empty(), self.returns) {
            (true, true, ..) => {
                "The new row must pass the policies for INSERT and those for SELECT. A row that already has its key must pass \
                 those for UPDATE and SELECT, before and after it is changed."
            }
            (true, false, false, _) => {
                "The new row must pass the policies for SELECT as well as those for INSERT, because the request looks for a row \
                 with the same key."
            }
            (true, false, true, true) => {
                "The new row must pass the policies for SELECT as well as those for INSERT, because the request returns \
                 it. Send Prefer: return=minimal to avoid this."
            }
            (false, ..) if self.returns || self.finds => {
                "The changed row must pass the policies for SELECT as well as those for UPDATE."
            }
            _ => return None,
        })
    }
}

/// The result of `sql/query/access/denied_write.sql`.
#[derive(Deserialize)]
struct Rights {
    presets: Vec<String>,
    may_set: bool,
    may_read: bool,
    may_compare: bool,
}
