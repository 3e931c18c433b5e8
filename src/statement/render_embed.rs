//! Renders embedded relations, each as a subquery.

use super::Parameter;
use super::render::Writer;
use crate::plan::read::aggregate_name;
use crate::plan::*;
use crate::{json, limits};

/// What turns the rows of an embedded relation into JSON.
pub(super) enum Rows {
    /// The extension's functions, which take the columns of a row one by one. These are their names.
    Columns(Vec<String>),
    /// The extension's functions, which take a row of the subquery `r` as one value.
    Records,
    /// PostgreSQL's functions, which take a row of the subquery `r`.
    Foreign,
}

impl Rows {
    pub(super) fn of(e: &Embedded) -> Self {
        let names = names(&e.select).filter(|names| (1..=limits::EMBEDDED_VALUES).contains(&names.len()));
        match names {
            _ if !e.own_functions => Rows::Foreign,
            Some(names) => Rows::Columns(names),
            None => Rows::Records,
        }
    }
}

/// The names of the columns of a SELECT, if all of them are known.
fn names(select: &Select) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for output in select.listed_outputs() {
        if matches!(output, Output::All) {
            return None;
        }
        names.extend(select.names(output));
    }
    // PostgreSQL cuts names that are longer.
    let cut = |name: &str| name.get(..name.floor_char_boundary(limits::IDENTIFIER_BYTES)).unwrap_or(name).to_owned();
    Some(names.into_iter().map(cut).collect())
}

/// A JSON array of strings.
fn json_array(names: &[String]) -> String {
    let mut text = vec![b'['];
    for (i, name) in names.iter().enumerate() {
        text.extend_from_slice(if i > 0 { b"," } else { b"" });
        json::escape(name.as_bytes(), &mut text);
    }
    text.push(b']');
    String::from_utf8(text).unwrap_or_default()
}

impl Writer {
    /// The JSON of an embedded relation in the outputs of its parent.
    pub(super) fn embedded_json(&mut self, e: &Embedded, as_jsonb: bool) {
        if e.fetch == Fetch::ForEach {
            self.text("(");
            self.embedded(e);
            self.text(")");
        } else {
            self.handed_out(e, "j", e.to_many, as_jsonb);
        }
    }

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

    /// The outputs, numbered so that their names are unique. Those of relations that are fetched for all parents together are left out.
    pub(super) fn numbered_outputs(&mut self, select: &Select) {
        let mut number = 0;
        self.values(select, |w, write| {
            number += 1;
            w.text(if number > 1 { ", " } else { "" });
            write(w);
            w.put(format_args!(" AS c{number}"));
        });
    }

    /// Calls `each` for each column of the outputs, with what writes its value.
    fn values(&mut self, select: &Select, mut each: impl FnMut(&mut Self, &dyn Fn(&mut Self))) {
        for output in select.listed_outputs() {
            match output {
                Output::All => {}
                Output::Expression { expression, .. } => each(self, &|w| w.expression(expression)),
                Output::Embedded { .. } if select.fetched_together(output).is_some() => {}
                Output::Embedded { embed, .. } => {
                    if let Some(e) = select.embeds.get(*embed) {
                        each(self, &|w| w.embedded_json(e, false));
                    }
                }
                Output::Spread { embed } => {
                    let Some(e) = select.embeds.get(*embed) else { continue };
                    for (i, column) in e.spread.iter().flatten().enumerate() {
                        each(self, &|w| w.spread_column(e, i, column, false));
                    }
                }
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
        for e in embeds.iter().filter(|e| e.fetch == Fetch::Joined) {
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
            let aggregate = if e.own_functions { "restful.embedded_values" } else { "pg_catalog.json_agg" };
            for number in 1..=columns {
                self.put(format_args!(", {aggregate}(r.c{number}) AS c{number}"));
            }
            self.text(" FROM (SELECT ");
            self.numbered_outputs(&e.select);
            self.related_rows(e);
            self.text(") AS r");
        } else if e.spread.is_some() || e.select.outputs.is_empty() {
            self.text("SELECT true AS j");
            self.text(if columns > 0 { ", " } else { "" });
            self.numbered_outputs(&e.select);
            self.extras(e);
            self.related_rows(e);
        } else {
            self.objects(e);
        }
    }

    /// The JSON of the only row, or the list of all rows.
    fn objects(&mut self, e: &Embedded) {
        let rows = Rows::of(e);
        self.text("SELECT ");
        if e.select.grouped || e.to_many && (e.select.is_paged() || !e.select.order.is_empty()) {
            // The rows have to be there before they are listed.
            self.json(&rows, e, None);
            self.text(" AS j FROM (SELECT ");
            self.outputs(&e.select);
            self.related_rows(e);
            self.text(") AS ");
            self.row_alias(&rows);
            return;
        }
        self.json(&rows, e, Some(&e.select));
        self.text(" AS j");
        self.extras(e);
        self.text(" FROM ");
        self.related_source(e);
        self.joins(&e.select.embeds);
        self.record(&rows, &e.select);
        self.related_conditions(e);
        self.order_by(&e.select);
        self.page(&e.select);
    }

    /// The row `r`, where functions take the row as one value.
    pub(super) fn record(&mut self, rows: &Rows, select: &Select) {
        if !matches!(rows, Rows::Columns(_)) {
            // Beside the row and not around it, so that extras can be taken from it. PostgreSQL folds it away.
            self.text(" CROSS JOIN LATERAL (SELECT ");
            self.outputs(select);
            self.text(") AS r");
        }
    }

    /// The JSON of a row, or the list of all rows. The columns are those of this SELECT, if it is given, or else those of `r`.
    pub(super) fn json(&mut self, rows: &Rows, e: &Embedded, select: Option<&Select>) {
        match (rows, e.to_many) {
            (Rows::Columns(names), is_list) => {
                self.text(if is_list { "restful.embedded_objects(" } else { "restful.embedded_object(" });
                let (count, names) = (names.len(), json_array(names));
                self.parameter(Parameter::Constant(match e.fetch {
                    Fetch::Together => format!("{{\"all\":{names}}}"),
                    Fetch::Joined | Fetch::ForEach => names,
                }));
                match select {
                    Some(select) => self.values(select, |w, write| {
                        w.text(", ");
                        write(w);
                    }),
                    None => (1..=count).for_each(|number| self.put(format_args!(", r.c{number}"))),
                }
                self.text(")");
            }
            (Rows::Records, false) => self.text("restful.embedded_object(r.*)"),
            (Rows::Records, true) => self.text("restful.embedded_values(r.*)"),
            (Rows::Foreign, false) => self.text("pg_catalog.row_to_json(r.*)"),
            (Rows::Foreign, true) => self.text("pg_catalog.json_agg(pg_catalog.row_to_json(r.*))"),
        }
    }

    /// The alias of the row. Its columns are numbered where they are used, because several may have the same name.
    fn row_alias(&mut self, rows: &Rows) {
        self.text("r");
        if let Rows::Columns(names) = rows {
            self.text("(");
            self.list(1..=names.len(), ", ", |w, number| w.put(format_args!("c{number}")));
            self.text(")");
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

    pub(super) fn related_source(&mut self, e: &Embedded) {
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
