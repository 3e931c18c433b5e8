//! Counting the rows of a read or call, without its page.

use super::Statement;
use super::render::Writer;
use crate::plan::*;

/// The statement that counts the rows; at most `most` of them.
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

/// The statement whose rows are counted, for the planner's estimate.
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
        // Of embedded relations, only those matter that leave rows out.
        self.counting = true;
        self.text("SELECT FROM ");
        self.source(select);
        self.restrictions(select);
    }

    /// All that leaves rows out but the page. Whether there is anything.
    pub(super) fn restrictions(&mut self, select: &Select) -> bool {
        self.conditions(" WHERE ", &select.conditions, &select.embeds);
        self.exist(!select.conditions.is_empty(), &select.embeds);
        !select.conditions.is_empty() || select.embeds.iter().any(|embed| embed.inner)
    }
}
