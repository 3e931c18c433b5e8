//! Renders embedded relations as lateral joins.

use super::render::Writer;
use crate::plan::read::aggregate_name;
use crate::plan::*;

impl Writer {
    /// A column of an embedded relation. `is_list`: it is a list, which is empty if there are no rows.
    pub(super) fn handed_out(&mut self, e: &Embedded, column: &str, is_list: bool, as_jsonb: bool) {
        if is_list && !e.inner {
            self.put(format_args!("coalesce({}.{column}, '[]'::pg_catalog.json)", e.alias))
        } else {
            self.put(format_args!("{}.{column}", e.alias))
        }
        // json has no equality operator to group by
        self.text(if as_jsonb { "::pg_catalog.jsonb" } else { "" });
    }

    pub(super) fn spread_column(&mut self, e: &Embedded, i: usize, column: &SpreadColumn, grouped: bool) {
        let name = format!("c{}", i + 1);
        match &column.aggregate {
            None => self.handed_out(e, &name, e.to_many, grouped && (column.is_json || e.to_many)),
            Some((aggregate, cast)) => {
                self.text(if cast.is_some() { "CAST(" } else { "" });
                self.put(format_args!("pg_catalog.{}({}.{name})", aggregate_name(*aggregate), e.alias));
                if let Some(cast) = cast {
                    self.put(format_args!(" AS {cast})"));
                }
            }
        }
    }

    /// The outputs of a spread relation, numbered so that their names are unique.
    fn numbered_outputs(&mut self, select: &Select) {
        let mut number = 0;
        for output in &select.outputs {
            let width = match output {
                Output::Spread { embed } => {
                    select.embeds.get(*embed).and_then(|e| e.spread.as_ref()).map_or(0, Vec::len)
                }
                _ => 1,
            };
            for i in 0..width {
                number += 1;
                self.text(if number > 1 { ", " } else { "" });
                match output {
                    Output::All => {}
                    Output::Expression { expression, .. } => self.expression(expression),
                    Output::Embedded { embed, .. } => {
                        if let Some(e) = select.embeds.get(*embed) {
                            self.handed_out(e, "j", e.to_many, false);
                        }
                    }
                    Output::Spread { embed } => {
                        if let Some(e) = select.embeds.get(*embed)
                            && let Some(column) = e.spread.as_ref().and_then(|columns| columns.get(i))
                        {
                            self.spread_column(e, i, column, false);
                        }
                    }
                }
                self.put(format_args!(" AS c{number}"));
            }
        }
    }

    fn extras(&mut self, e: &Embedded) {
        for (i, extra) in e.extras.iter().enumerate() {
            self.text(", ");
            self.expression(extra);
            self.put(format_args!(" AS o{i}"));
        }
    }

    pub(super) fn joins(&mut self, embeds: &[Embedded]) {
        for e in embeds {
            self.text(if e.inner { " INNER JOIN LATERAL (" } else { " LEFT JOIN LATERAL (" });
            self.embedded(e);
            self.put(format_args!(") AS {} ON ", e.alias));
            if e.inner && e.to_many {
                self.put(format_args!("{}.j IS NOT NULL", e.alias));
            } else {
                self.text("true");
            }
        }
    }

    /// The subquery of an embedded relation. Its column `j` holds the JSON, or null if there is no row. For a relation that outputs
    /// nothing, or is spread into columns `cN`, `j` only tells whether a row exists.
    fn embedded(&mut self, e: &Embedded) {
        let columns = e.spread.as_ref().map_or(0, Vec::len);
        if e.to_many && (e.spread.is_some() || e.select.outputs.is_empty()) {
            self.text("SELECT nullif(pg_catalog.count(*), 0) AS j");
            for number in 1..=columns {
                self.put(format_args!(", pg_catalog.json_agg(r.c{number}) AS c{number}"));
            }
            self.text(" FROM (SELECT ");
            self.numbered_outputs(&e.select);
            self.related_rows(e);
            self.text(") AS r");
        } else if e.to_many || e.select.grouped {
            self.text(if e.to_many { "SELECT pg_catalog.json_agg(" } else { "SELECT (" });
            self.text("pg_catalog.row_to_json(r.*)) AS j FROM (SELECT ");
            self.outputs(&e.select);
            self.related_rows(e);
            self.text(") AS r");
        } else if e.spread.is_some() || e.select.outputs.is_empty() {
            self.text("SELECT true AS j");
            self.text(if columns > 0 { ", " } else { "" });
            self.numbered_outputs(&e.select);
            self.extras(e);
            self.related_rows(e);
        } else {
            self.text("SELECT pg_catalog.row_to_json(r.*) AS j");
            self.extras(e);
            self.text(" FROM ");
            self.related_source(e);
            self.joins(&e.select.embeds);
            // Beside the row and not around it, so that extras can be taken from it. PostgreSQL folds it away.
            self.text(" CROSS JOIN LATERAL (SELECT ");
            self.outputs(&e.select);
            self.text(") AS r");
            self.related_conditions(e);
            self.order_by(&e.select);
            self.page(&e.select);
        }
    }

    /// Everything in the SELECT of the rows after its columns.
    fn related_rows(&mut self, e: &Embedded) {
        self.text(" FROM ");
        self.related_source(e);
        self.joins(&e.select.embeds);
        self.related_conditions(e);
        if e.select.grouped {
            self.group_by(&e.select);
        }
        self.order_by(&e.select);
        self.page(&e.select);
    }

    fn related_source(&mut self, e: &Embedded) {
        self.source(&e.select);
        if let Some((table, alias)) = &e.junction {
            self.put(format_args!(" CROSS JOIN {table} AS {alias}"));
        }
    }

    /// The conditions that select the rows. Returns whether anything was written.
    fn related_conditions(&mut self, e: &Embedded) -> bool {
        // In FROM, a function that returns no set turns null into a row of nulls.
        let is_null = matches!(e.select.source, Source::Computed { is_set: false, .. });
        if is_null {
            self.put(format_args!(" WHERE NOT ({}.* IS NULL)", e.select.alias));
        }
        self.text(if e.on.is_empty() { "" } else { " WHERE " });
        self.list(&e.on, " AND ", |w, (a, b)| {
            w.column(a);
            w.text(" = ");
            w.column(b);
        });
        let is_first = e.on.is_empty() && !is_null;
        self.conditions(if is_first { " WHERE " } else { " AND " }, &e.select.conditions, &e.select.embeds);
        !is_first || !e.select.conditions.is_empty()
    }

    /// Whether a row exists. The search stops at the first one.
    pub(super) fn exists(&mut self, e: &Embedded) {
        if e.select.grouped {
            // Groups have to be formed first: without grouping columns there is a group even if there are no rows.
            let counting = std::mem::replace(&mut self.counting, false);
            self.text("EXISTS (SELECT ");
            self.outputs(&e.select);
            self.related_rows(e);
            self.counting = counting;
        } else {
            self.text("EXISTS (SELECT FROM ");
            self.related_source(e);
            let has_where = self.related_conditions(e);
            self.exist(has_where, &e.select.embeds);
            self.page(&e.select);
        }
        self.text(")");
    }

    /// Inner joins as conditions. `has_where`: other conditions precede them.
    pub(super) fn exist(&mut self, has_where: bool, embeds: &[Embedded]) {
        let mut between = if has_where { " AND " } else { " WHERE " };
        for e in embeds.iter().filter(|e| e.inner) {
            self.text(between);
            self.exists(e);
            between = " AND ";
        }
    }
}
