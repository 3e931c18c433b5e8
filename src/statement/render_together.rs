//! Renders a read whose to-many relations are fetched for all parents together. Their lists are made before the first row is answered, so
//! the functions that make them count the bytes of all.

use super::Ident;
use super::render::Writer;
use super::render_embed::Rows;
use crate::plan::*;

/// The name of the CTE that holds the parents.
const PARENTS: &str = "parents";

impl Writer {
    /// The parents come first, numbered in their order: their outputs `cN`, and `kN`, the column that the relation N refers to. Each
    /// relation is then read once, and its rows are grouped by what they refer to.
    pub(super) fn together(&mut self, select: &Select) {
        let embeds: Vec<&Embedded> = select.embeds.iter().filter(|e| e.fetch == Fetch::Together).collect();
        self.put(format_args!(
            "WITH {PARENTS} AS MATERIALIZED (SELECT p.*, pg_catalog.row_number() OVER () AS n FROM (SELECT "
        ));
        self.numbered_outputs(select);
        let has_others = select.outputs.iter().any(|output| select.fetched_together(output).is_none());
        self.text(if has_others { ", " } else { "" });
        self.list(embeds.iter().enumerate(), ", ", |w, (i, e)| {
            w.list(&e.on, "", |w, (_, parent)| w.column(parent));
            w.put(format_args!(" AS k{i}"));
        });
        self.hidden_outputs(&select.alias, &select.embeds, &select.hidden, true);
        self.key_outputs(select, true);
        self.text(" FROM ");
        self.source(select);
        self.rest(select);
        self.text(") AS p) SELECT ");
        self.named_outputs(select);
        if self.shows_hidden {
            (0..select.hidden.len()).for_each(|i| self.put(format_args!(", p.\"?h{i}\"")));
            (0..self.statement.keys).for_each(|i| self.put(format_args!(", p.\"?k{i}\"")));
        }
        self.put(format_args!(" FROM {PARENTS} AS p"));
        for (i, e) in embeds.iter().enumerate() {
            self.all_related(e, i);
        }
        self.text(" ORDER BY p.n");
    }

    /// The outputs in their order, under their names.
    fn named_outputs(&mut self, select: &Select) {
        let mut number = 0;
        self.list(&select.outputs, ", ", |w, output| {
            if let (Some(e), Output::Embedded { name, .. }) = (select.fetched_together(output), output) {
                w.handed_out(e, "j", true, false);
                return w.put(format_args!(" AS {}", Ident(name)));
            }
            w.list(select.names(output), ", ", |w, name| {
                number += 1;
                w.put(format_args!("p.c{number} AS {}", Ident(name)));
            });
        });
    }

    /// Joins the lists of all rows that refer to a parent. `number`: of the column that they refer to.
    fn all_related(&mut self, e: &Embedded, number: usize) {
        let rows = Rows::of(e);
        let child = |w: &mut Self| w.list(&e.on, "", |w, (child, _)| w.column(child));
        self.text(" LEFT JOIN (SELECT ");
        child(self);
        self.text(" AS k, ");
        self.json(&rows, e, Some(&e.select));
        self.text(" AS j FROM ");
        self.related_source(e);
        self.joins(&e.select.embeds);
        self.record(&rows, &e.select);
        // Without parents nothing is read, and no policy asked.
        self.put(format_args!(" WHERE EXISTS (SELECT FROM {PARENTS}) AND "));
        child(self);
        self.put(format_args!(" = ANY (ARRAY(SELECT p.k{number} FROM {PARENTS} AS p))"));
        self.conditions(" AND ", &e.select.conditions, &e.select.embeds);
        self.text(" GROUP BY ");
        child(self);
        self.put(format_args!(") AS {} ON {}.k = p.k{number}", e.alias, e.alias));
    }
}
