//! Counts the rows of a read or call, ignoring its page.

use super::Statement;
use super::render::Writer;
use crate::plan::*;

/// The statement that counts the rows, stopping at `most`.
pub fn count(select: &Select, most: Option<u64>) -> Statement {
    let mut w = Writer::default();
    w.text("SELECT pg_catalog.count(*) FROM (");
    w.counted(select);
    if let Some(most) = most {
        w.put(format_args!(" LIMIT {most}"));
    }
    w.text(") AS counted");
    w.statement
}

/// The statement whose rows are counted, for an estimate by PostgreSQL's planner.
pub fn counted(select: &Select) -> Statement {
    let mut w = Writer::default();
    w.counted(select);
    w.statement
}

impl Writer {
    fn counted(&mut self, select: &Select) {
        if select.grouped {
            let whole = Select { limit: RowLimit::default(), offset: None, order: Vec::new(), ..select.clone() };
            return self.select(&whole);
        }
        // Only embedded relations that leave out rows matter here.
        self.counting = true;
        self.text("SELECT FROM ");
        self.source(select);
        self.restrictions(select);
    }

    /// Writes everything that leaves out rows, except the page. Returns whether anything was written.
    pub(super) fn restrictions(&mut self, select: &Select) -> bool {
        self.conditions(" WHERE ", &select.conditions, &select.embeds);
        self.exist(!select.conditions.is_empty(), &select.embeds);
        !select.conditions.is_empty() || select.embeds.iter().any(|embed| embed.inner)
    }
}
