//! Chooses how the rows of embedded relations are fetched.

use crate::catalog::{Relation, TypeClass};
use crate::error::Result;
use crate::limits;
use crate::plan::columns::Columns;
use crate::plan::{ColumnReference, Embedded, Expression, Fetch, OrderBy, Planner, Predicate, Select, Source, Test};
use crate::query::Operator;

impl Planner<'_> {
    /// Chooses how a read of `relation` fetches the rows of the relations that it embeds. `is_small_page`: its limit is a small number.
    ///
    /// # Errors
    /// The catalogue cannot be read.
    pub fn choose_fetches(&self, select: &mut Select, relation: &Relation, is_small_page: bool) -> Result<()> {
        if select.grouped {
            return Ok(());
        }
        let is_one_row = has_key(select, relation);
        let mut embeds = std::mem::take(&mut select.embeds);
        for (i, embed) in embeds.iter_mut().enumerate() {
            if tests_or_orders(select, i) || !is_plain(embed) {
                continue;
            }
            let Some(target) = self.source_relation(&embed.select.source)? else { continue };
            // So that no rows have to be formed.
            self.list_columns(&mut embed.select, Columns::Relation(&target))?;
            if embed.to_many
                && !is_one_row
                && is_apart(embed)
                && is_narrow(embed)
                && follows_one_column(embed, relation, &target)
            {
                embed.fetch = Fetch::Together;
            } else if !embed.to_many
                && (is_small_page || is_one_row)
                && target.has_unique_keys
                && !embed.select.embeds.iter().any(may_multiply)
            {
                embed.fetch = Fetch::ForEach;
            }
        }
        select.embeds = embeds;
        if select.embeds.iter().any(|e| e.fetch == Fetch::Together) {
            self.list_columns(select, Columns::Relation(relation))?;
        }
        Ok(())
    }
}

/// Whether the conditions choose a row by the primary key.
fn has_key(select: &Select, relation: &Relation) -> bool {
    let is_chosen = |key: &String| {
        select.conditions.iter().any(|condition| match condition {
            Predicate::Test {
                expression: Expression { column: Some(column), path, cast: None, .. },
                negated: false,
                test: Test::Binary { operator: Operator::Equal, quantifier: None, .. },
                ..
            } => path.is_empty() && column.function.is_none() && column.column == *key,
            _ => false,
        })
    };
    !relation.primary_key.is_empty() && relation.primary_key.iter().all(is_chosen)
}

/// Whether the rows are chosen or ordered by the embedded relation at this index.
fn tests_or_orders(select: &Select, index: usize) -> bool {
    fn tests(predicate: &Predicate, index: usize) -> bool {
        match predicate {
            Predicate::Tree { children, .. } => children.iter().any(|child| tests(child, index)),
            Predicate::Embedded { embed, .. } => *embed == index,
            Predicate::Test { .. } => false,
        }
    }
    let orders = |by: &OrderBy| match by {
        OrderBy::Expression(_) => false,
        OrderBy::Embedded { embed, .. } | OrderBy::Spread { embed, .. } => *embed == index,
    };
    select.conditions.iter().any(|condition| tests(condition, index))
        || select.order.iter().any(|term| orders(&term.by))
}

/// Whether the relation only adds one member to each row: the extension writes it, and it is found through a foreign key.
fn is_plain(e: &Embedded) -> bool {
    e.own_functions
        && !e.inner
        && e.spread.is_none()
        && e.junction.is_none()
        && !e.select.grouped
        && !e.select.outputs.is_empty()
        && matches!(e.select.source, Source::Relation(_))
}

/// Whether a parent may appear once for each row of what is embedded in it: a function that is declared with `ROWS 1` may return more.
fn may_multiply(e: &Embedded) -> bool {
    let is_joined = !e.to_many && e.fetch == Fetch::Joined;
    is_joined
        && (matches!(e.select.source, Source::Computed { is_set: true, .. })
            || e.select.embeds.iter().any(may_multiply))
}

/// Whether the rows of one parent do not depend on how many there are, or on their order.
fn is_apart(e: &Embedded) -> bool {
    !e.select.is_paged() && e.select.order.is_empty()
}

/// Whether the extension's functions can take the columns one by one, and so count the bytes of all lists.
fn is_narrow(e: &Embedded) -> bool {
    e.select.outputs.iter().map(|output| e.select.names(output).len()).sum::<usize>() <= limits::EMBEDDED_VALUES
}

/// Whether one column refers to one column of the same type, so that its values are found in an array of the others.
fn follows_one_column(e: &Embedded, relation: &Relation, target: &Relation) -> bool {
    let [(child, parent)] = e.on.as_slice() else { return false };
    let described = |relation: &Relation, reference: &ColumnReference| {
        let column = relation.column(&reference.column).filter(|c| c.class == TypeClass::Scalar);
        column.map(|column| column.data_type.clone())
    };
    let data_type = described(target, child);
    data_type.is_some() && data_type == described(relation, parent)
}
