//! Renders writes of rows that the body names one by one.

use super::render::{WRITTEN, Writer};
use super::render_write::{RECORDS_BARE, RECORDS_REQUIRED, Records};
use super::{Ident, Statement};
use crate::json::Framing;
use crate::plan::*;

/// The statement that finds the first two elements with the same key: their numbers, from 1, with a blank between them.
pub fn repeated(write: &Write, each: &Each) -> Statement {
    let mut w = Writer { is_lines: write.framing == Framing::Lines, ..Writer::default() };
    w.text("SELECT pg_catalog.concat_ws(' ', pg_catalog.min(r.n), (pg_catalog.array_agg(r.n ORDER BY r.n))[2]) FROM ");
    w.elements(each);
    w.text(" GROUP BY ");
    w.list(0..each.keys, ", ", |w, i| w.fed_value(i, &each.columns));
    w.text(" HAVING pg_catalog.count(*) > 1 ORDER BY pg_catalog.min(r.n) LIMIT 1");
    w.statement
}

impl Writer {
    /// Updates or deletes the rows. `restful.count_element` notes which elements named a row.
    pub(super) fn each(&mut self, write: &Write, each: &Each) {
        self.put(format_args!("WITH {WRITTEN} AS ("));
        if each.deletes {
            self.put(format_args!("DELETE FROM {} AS {} USING ", write.relation, write.alias));
        } else {
            self.put(format_args!("UPDATE {} AS {} SET ", write.relation, write.alias));
            self.list(each.keys..each.columns.len(), ", ", |w, i| {
                let Some(column) = each.columns.get(i) else { return };
                w.put(format_args!("{} = ", Ident(&column.column)));
                if column.keeps {
                    w.put(format_args!("CASE WHEN r.p{} THEN ", i + 1));
                    w.fed_value(i, &each.columns);
                    w.put(format_args!(" ELSE {}.{} END", write.alias, Ident(&column.column)));
                } else {
                    w.body_value(i, &each.columns);
                }
            });
            self.text(" FROM ");
        }
        self.elements(each);
        self.counting = true;
        let has_where = self.restrictions(&each.chosen.select);
        self.counting = false;
        for (i, column) in each.columns.iter().take(each.keys).enumerate() {
            self.text(if has_where || i > 0 { " AND " } else { " WHERE " });
            self.put(format_args!("{}.{} = ", write.alias, Ident(&column.column)));
            self.fed_value(i, &each.columns);
        }
        self.text(" RETURNING ");
        let rows = match &write.returning {
            Returning::Rows(select) => Some(select),
            Returning::Nothing | Returning::Key(_) => None,
        };
        if let Some(select) = rows {
            self.returned_columns(write, select);
            self.text(", ");
        }
        self.put(format_args!("restful.count_element(r.n) AS {}", Ident(ELEMENT)));
        self.hidden_of_written(write, true);
        self.text(") ");
        match rows {
            Some(select) => self.body_of_written(write, select),
            None => self.put(format_args!("SELECT FROM {WRITTEN} WHERE false")),
        }
    }

    /// The elements of the body as rows `r`, numbered by the column `n`.
    fn elements(&mut self, each: &Each) {
        let required = i32::try_from(each.keys).unwrap_or(0).saturating_mul(RECORDS_REQUIRED);
        let bare = if each.bare { RECORDS_BARE } else { 0 };
        self.record_source_with(
            &each.columns,
            Records { others: required | bare, numbered: true, ..Records::default() },
        );
    }
}
