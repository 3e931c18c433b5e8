//! Reads whose page begins beside a row: region by region, until the page is full.

use super::prepared::{Done, Prepared, Values};
use super::work::Work;
use crate::ask::Ask;
use crate::error::Result;
use crate::pg::row_sink::{BodyBuffer, Extent, Paging, RowShape};
use crate::plan::{Keyset, Plan};
use crate::statement;
use std::cell::RefCell;
use std::rc::Rc;

/// The statements of the regions after the first one. Each is prepared when a page first reaches its region.
#[derive(Default)]
pub struct Regions(RefCell<Vec<Rc<Prepared>>>);

impl Work {
    fn keyset(&self) -> Option<&Keyset> {
        match &self.plan {
            Plan::Read(select) if self.representation.explain().is_none() => select.keyset.as_deref(),
            _ => None,
        }
    }

    /// The page of a request before it is read. `None` if its page does not begin beside a row.
    pub(super) fn paging(&self, ask: &Ask) -> Option<Paging> {
        let keyset = self.keyset()?;
        Some(Paging::new(ask.page.limit.unwrap_or(u64::MAX), keyset.backward, keyset.order))
    }

    /// Whether the page can have rows that the main statement does not read.
    pub(super) fn has_regions(&self) -> bool {
        self.keyset().is_some_and(|keyset| keyset.regions.len() > 1)
    }

    /// Reads a page.
    ///
    /// # Errors
    /// A statement cannot be prepared.
    pub(super) fn run_regions(
        &self,
        paging: &mut Paging,
        values: &Values,
        body: BodyBuffer,
        shape: RowShape,
    ) -> Result<(Done, BodyBuffer)> {
        let (mut done, mut body) = self.main.run_within(Extent::Page(paging), values, true, body, shape)?;
        let count = self.keyset().map_or(0, |keyset| keyset.regions.len());
        for number in 1..count {
            if paging.is_done() {
                break;
            }
            let statement = self.region(number)?;
            (done, body) = statement.run_within(Extent::Page(paging), values, true, body, shape)?;
        }
        done.rows = paging.rows();
        Ok((done, body))
    }

    /// The statement of a region after the first.
    fn region(&self, number: usize) -> Result<Rc<Prepared>> {
        let known = self.regions.0.borrow().get(number - 1).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let prepared = Rc::new(Prepared::new(statement::region(&self.plan, &self.representation, number), true)?);
        // Regions are reached in their order.
        self.regions.0.borrow_mut().push(prepared.clone());
        Ok(prepared)
    }
}
