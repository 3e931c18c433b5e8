//! Plans what preconditions need (RFC 9110, section 13): the version of a row, and tests of it within the statement that writes.

use super::{Change, ColumnReference, Hidden, Planner, Returning, RowCondition, RowVersion, Select, Write};
use crate::catalog::{Relation, Versions};
use crate::error::{Code, Error, Result};
use crate::plan::columns::Columns;
use crate::precondition::Precondition;
use crate::route::Verb;
use std::rc::Rc;

/// The refusal of a precondition that no single row decides.
pub fn undecided() -> Error {
    Error::new(Code::Precondition, "If-Match and If-None-Match need a path that names one row")
        .hint("Write to the path of the item, /table/{key}.")
}

impl Planner<'_> {
    /// Makes a write test the preconditions of its request, and return the version of the row that it has changed.
    ///
    /// # Errors
    /// REST428 (428) without a precondition where the relation requires one; REST430 (400) for one that cannot be decided.
    pub fn guard(&self, verb: Verb, relation: &Relation, given: &Precondition, write: &mut Write) -> Result<()> {
        let names_row = write.is_item || verb == Verb::Replace;
        if !names_row && given.has_tags() {
            return Err(undecided());
        }
        let changed = self.changed_column(relation, &write.alias)?;
        let is_dated = given.unmodified_since.is_some() && changed.is_some();
        let updates = match &write.change {
            Change::Insert { conflict, .. } => conflict.as_ref().is_some_and(|conflict| conflict.update),
            Change::Update { .. } | Change::Delete { .. } | Change::Each(_) => true,
        };
        if relation.settings.require_match && updates && !(names_row && (given.has_tags() || is_dated)) {
            let error = Error::new(
                Code::PreconditionRequired,
                format!("Writes to '{}' need a precondition", relation.name.name),
            );
            return Err(error.hint(if names_row {
                "Read the row, and send its ETag in If-Match."
            } else {
                "Write to the path of each item, /table/{key}, with the row's ETag in If-Match."
            }));
        }
        if !names_row {
            return Ok(());
        }
        let version = self.version(relation, &write.alias)?;
        for (tags, negated) in [(given.one_of, false), (given.none_of, true)] {
            let Some(tags) = tags else { continue };
            let Some(version) = version.clone() else {
                return Err(Error::new(Code::Precondition, "The version of this row cannot be told").hint(
                    "The role of the request must be able to read a column of it, and the extension be up to date.",
                ));
            };
            write.conditions.push(RowCondition::Version { version, tags, negated });
        }
        if let (Some(since), Some(column)) = (given.unmodified_since, changed)
            && self.catalog.may_tell_versions()?
        {
            write.conditions.push(RowCondition::Unmodified { column, since });
        }
        if let (Change::Insert { conflict: Some(conflict), .. }, true) = (&mut write.change, given.absent) {
            conflict.update = false;
        }
        // A response to PUT has a validator only if it shows what was stored (RFC 9110, section 9.3.4).
        // Aggregates show no single row.
        let is_told = match &write.returning {
            Returning::Rows(select) => matches!(verb, Verb::Update | Verb::Replace) && !select.grouped,
            Returning::Nothing | Returning::Key(_) => verb == Verb::Update,
        };
        if let (Some(version), true, true) = (version, is_told, relation.returns_versions) {
            let is_wrapped = write.returned_by_select().is_some();
            if let (Returning::Rows(select), true) = (&mut write.returning, is_wrapped) {
                // A `*` over the written rows would show the hidden column.
                self.list_columns(select, Columns::Relation(relation))?;
            }
            write.hidden = vec![Hidden::Version(version)];
        }
        Ok(())
    }

    /// Makes a read of an item return the version of the row.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn with_version(&self, relation: &Relation, select: &mut Select) -> Result<()> {
        if select.grouped {
            return Ok(());
        }
        let Some(version) = self.version(relation, &select.alias)? else { return Ok(()) };
        select.hidden = vec![Hidden::Version(version)];
        select.hidden.extend(self.changed_column(relation, &select.alias)?.map(Hidden::Changed));
        Ok(())
    }

    /// What names the version of a row. `None` if the role may read nothing of it, or the database has an older version of the extension.
    fn version(&self, relation: &Relation, alias: &str) -> Result<Option<RowVersion>> {
        if !self.catalog.may_tell_versions()? {
            return Ok(None);
        }
        let alias = alias.to_owned();
        if relation.versions == Versions::Stored {
            let mut may_read = true;
            for column in ["tableoid", "xmin", "ctid"] {
                may_read &= self.catalog.may_read_column(relation, column)?;
            }
            if may_read {
                return Ok(Some(RowVersion { alias, columns: None }));
            }
        }
        let mut columns = Vec::with_capacity(relation.columns.len());
        for column in &relation.columns {
            if self.catalog.may_read_column(relation, &column.name)? {
                columns.push(column.name.clone());
            }
        }
        Ok((!columns.is_empty()).then(|| RowVersion { alias, columns: Some(Rc::new(columns)) }))
    }

    /// The column that says when a row was last changed, if the role may read it.
    fn changed_column(&self, relation: &Relation, alias: &str) -> Result<Option<ColumnReference>> {
        let named = relation.settings.last_modified.as_deref().and_then(|name| relation.column(name));
        let is_instant = |data_type: &str| {
            let bare = data_type.trim_start_matches("pg_catalog.");
            bare.starts_with("timestamptz") || bare.starts_with("timestamp") && bare.ends_with("with time zone")
        };
        let Some(column) = named.filter(|column| is_instant(&column.data_type)) else { return Ok(None) };
        let may_read = self.catalog.may_read_column(relation, &column.name)? && self.catalog.may_tell_versions()?;
        Ok(may_read.then(|| ColumnReference::new(alias, &column.name)))
    }
}
