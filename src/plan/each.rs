//! Plans PATCH and DELETE whose body names the rows one by one: each element of a list has the whole primary key of its row.

use super::{BodyColumn, ColumnReference, Expression, OrderBy, Ordering, Planner, Select, absent};
use crate::catalog::Relation;
use crate::error::{Code, Error, Result};
use crate::http::prefer::WritePreferences;
use crate::payload::{BodyKeys, Length, List};
use crate::plan::ast::ELEMENT;
use crate::plan::columns::Columns;
use crate::query::Query;
use crate::route::Verb;

impl Planner<'_> {
    /// The columns of a list that names rows: the primary key, and after it those that are set. `None` if the list is to be read as one
    /// object, which changes all rows that the filters choose.
    ///
    /// # Errors
    /// PGRST102 (400) if the elements do not have the primary key, or nothing else to set; PGRST100 for a page; PGRST204 for a column
    /// that the relation does not have.
    pub(super) fn named(
        &self,
        verb: Verb,
        relation: &Relation,
        query: &Query,
        preferences: &WritePreferences,
        body: &BodyKeys,
        list: List,
    ) -> Result<Option<Vec<BodyColumn>>> {
        let key = &relation.primary_key;
        let deletes = verb == Verb::Delete;
        if !deletes && list.length == Length::None {
            return Ok(None);
        }
        let missing = key.iter().find(|column| !list.bare && !body.keys.contains(column));
        let is_empty = list.length == Length::None;
        if key.is_empty() || missing.is_some() && !is_empty {
            // An array of one object without the key is that object.
            let is_object = !deletes && list.length == Length::One;
            if is_object && (body.keys.is_empty() || query.root.filters()) {
                return Ok(None);
            }
            return Err(self.refuse_key(relation, missing, deletes)?);
        }
        if list.bare && key.len() != 1 {
            return Err(Error::new(
                Code::Body,
                format!("The primary key has {} columns, so a value does not name a row", key.len()),
            )
            .hint("Give each key as an object of its columns."));
        }
        if query.root.limit.is_some() || query.root.offset.is_some() {
            return Err(Error::new(
                Code::QueryParameter,
                "limit, offset and Range do not go with a list that names the rows",
            )
            .hint("Leave them out: the list says which rows are meant."));
        }
        if let Some(other) = body.keys.iter().find(|name| deletes && !key.contains(name)) {
            return Err(Error::new(Code::Body, format!("'{other}' is not a column of the primary key"))
                .hint("Give only the columns of the primary key, or filter by other columns in the URL."));
        }
        let columns = self.named_columns(relation, query, preferences, body)?;
        if !deletes && columns.len() == key.len() {
            return Err(Error::new(Code::Body, "The objects have no column to change besides the primary key")
                .hint("Give each object the columns to change; the key itself is not changed."));
        }
        Ok(Some(columns))
    }

    /// The columns of the key, and those that are set.
    fn named_columns(
        &self,
        relation: &Relation,
        query: &Query,
        preferences: &WritePreferences,
        body: &BodyKeys,
    ) -> Result<Vec<BodyColumn>> {
        let key = &relation.primary_key;
        let others = query.columns.as_ref().unwrap_or(&body.keys).iter().filter(|name| !key.contains(name));
        let names = Query { columns: Some(key.iter().chain(others).cloned().collect()), ..query.clone() };
        let mut columns = self.body_columns(relation, &names, preferences, body)?;
        for (i, column) in columns.iter_mut().enumerate() {
            let is_missing =
                i >= key.len() && (body.partial.contains(&column.column) || !body.keys.contains(&column.column));
            if !is_missing {
                column.default = None;
            }
            // With `columns`, or a preference for what is missing, each object sets all of them.
            column.keeps = is_missing && query.columns.is_none() && preferences.missing.is_none();
        }
        absent::take(Verb::Update, relation, &mut columns, &body.absent);
        Ok(columns)
    }

    /// The error for objects that do not name rows by the primary key. Columns are disclosed only to a role that may read the relation.
    fn refuse_key(&self, relation: &Relation, missing: Option<&String>, deletes: bool) -> Result<Error> {
        let name = &relation.name.name;
        let Some(missing) = missing else {
            let error = Error::new(Code::Body, format!("'{name}' has no primary key that a list could name rows by"));
            return Ok(error.hint(if deletes {
                "Choose the rows by filters in the URL, without a body."
            } else {
                "Send one object, and choose the rows by filters in the URL."
            }));
        };
        let error = Error::new(Code::Body, "Every object of the list must have the whole primary key");
        let error = if self.catalog.may_read(&relation.name)? {
            error.details(format!("Object 1 does not have the key '{missing}'."))
        } else {
            error.details("Object 1 does not have all of its columns.")
        };
        Ok(error.hint(if deletes {
            "Give the key of each row, or choose the rows by filters in the URL, without a body."
        } else {
            "Give the key of each row, or send one object, and choose the rows by filters in the URL."
        }))
    }

    /// Puts the written rows in the order of the elements that named them, where `order` leaves them equal.
    pub(super) fn in_order_of_body(&self, written: &mut Select, alias: &str, relation: &Relation) -> Result<()> {
        self.list_columns(written, Columns::Relation(relation))?;
        if !written.grouped {
            let expression = Expression::of(Some(ColumnReference::new(alias, ELEMENT)));
            written.order.push(Ordering { by: OrderBy::Expression(expression), descending: None, nulls_first: None });
        }
        Ok(())
    }
}

/// The error for a report of a write whose body does not name rows.
pub(super) fn no_report() -> Error {
    Error::new(Code::Preference, "return=report needs a body that lists the rows to change by their keys")
        .hint("Send PATCH or DELETE to the table with an array of objects that have the primary key, or prefer return=minimal.")
}
