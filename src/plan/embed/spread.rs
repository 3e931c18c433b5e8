//! Spread relations: the columns that they add to the row that contains them.

use crate::error::{Code, Error, Result};
use crate::plan::columns::Columns;
use crate::plan::{Embedded, Expression, Output, Planner, Select, SpreadColumn};
use crate::query::Field;

impl Planner<'_> {
    /// The columns that a spread relation adds to its parent's. Its aggregates are computed in the parent, because groups consist
    /// of parent rows.
    ///
    /// # Errors
    /// PGRST127 for aggregates of a to-many relation, whose columns are lists.
    pub(super) fn spread_columns(
        &self,
        select: &mut Select,
        columns: Columns,
        to_many: bool,
    ) -> Result<Vec<SpreadColumn>> {
        if select.grouped && to_many {
            return Err(Error::new(Code::NotImplemented, "Feature not implemented")
                .details("Aggregates are not implemented for one-to-many or many-to-many spreads."));
        }
        self.list_columns(select, columns)?;
        select.grouped = false;
        let mut spread = Vec::new();
        for output in &mut select.outputs {
            match output {
                Output::All => {}
                Output::Expression { expression, name } => {
                    let cast = expression.aggregate_cast.take();
                    let aggregate = expression.aggregate.take().map(|aggregate| (aggregate, cast));
                    spread.push(SpreadColumn { name: name.clone(), aggregate, is_json: false });
                }
                Output::Embedded { name, .. } => {
                    spread.push(SpreadColumn { name: name.clone(), aggregate: None, is_json: true });
                }
                Output::Spread { embed } => {
                    let Some(inner) = select.embeds.get_mut(*embed) else { continue };
                    let is_list = inner.to_many;
                    spread.extend(inner.spread.iter_mut().flatten().map(|column| SpreadColumn {
                        name: column.name.clone(),
                        aggregate: column.aggregate.take(),
                        is_json: column.is_json || is_list,
                    }));
                }
            }
        }
        Ok(spread)
    }
}

/// The position of the column of a spread relation that has this name in the result, or is this field.
pub(in crate::plan) fn handed_out(embedded: &Embedded, field: &Field) -> Option<usize> {
    let columns = embedded.spread.as_ref().filter(|_| field.path.is_empty())?;
    if let Some(position) = columns.iter().position(|column| column.name == field.name) {
        return Some(position);
    }
    // Before the first nested spread, positions among outputs and among columns are the same.
    let is_field = |output: &Output| {
        matches!(output, Output::Expression { expression: Expression { column: Some(c), path, cast: None, .. }, .. }
            if c.column == field.name && path.is_empty())
    };
    let mut outputs = embedded.select.outputs.iter().take_while(|output| !matches!(output, Output::Spread { .. }));
    outputs.position(is_field).filter(|i| columns.get(*i).is_some_and(|c| c.aggregate.is_none()))
}
