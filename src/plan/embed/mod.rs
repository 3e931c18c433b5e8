//! Embedded relations.

mod fetch;
mod link;
mod lookup;
mod relationship;
mod spread;
#[cfg(test)]
mod tests;

use crate::catalog::QualifiedName;
use crate::catalog::{Relation, RowFunction};
use crate::error::Result;
use crate::plan::columns::Columns;
use crate::plan::{ColumnReference, Embedded, Fetch, Planner, Row, Source};
use crate::query::{Embed, Join};
pub use link::Link;
use relationship::Cardinality;
pub(super) use spread::handed_out;

impl Planner<'_> {
    /// Plans an embedded relation. `alias`: the alias of the relation that contains it.
    pub(super) fn embed(&mut self, origin: &Relation, alias: &str, embed: &Embed) -> Result<Embedded> {
        if let Some(function) = self.row_function(origin.oid, &origin.name.name, &embed.name)?
            && let Some(target) = &function.relation
            // A function that takes precedence over a foreign key must be in the API's schema.
            && function.name.schema == self.schema
        {
            return self.embed_computed(&function, target, alias, embed);
        }
        let relationship = self.relationship(origin, &embed.name, &embed.hints)?;
        let to_many = relationship.is_to_many();
        let Some(target) = self.visible(&relationship.target.name)? else {
            return Err(self.no_relationship(&origin.name.name, &embed.name, &embed.hints));
        };
        let child = self.alias('t');
        let lateral = self.alias('e');
        let mut on = Vec::new();
        let mut junction = None;
        let beyond = match &relationship.kind {
            Cardinality::ManyToMany(j) => {
                let between = self.alias('j');
                for (column, target_column) in j.columns.iter().zip(&j.target_columns) {
                    on.push((ColumnReference::new(&between, column), ColumnReference::new(&child, target_column)));
                }
                junction = Some((j.table.clone(), between.clone()));
                between
            }
            _ => child.clone(),
        };
        for (origin_column, target_column) in relationship.origin_columns.iter().zip(&relationship.target_columns) {
            on.push((ColumnReference::new(&beyond, target_column), ColumnReference::new(alias, origin_column)));
        }
        let source = Source::Relation(target.name.clone());
        let embedded = self.embedded(lateral, source, child, Columns::Relation(&target), to_many, embed)?;
        Ok(Embedded { on, junction, ..embedded })
    }

    /// Plans an embedded relation that a function computes from the row.
    fn embed_computed(
        &mut self,
        function: &RowFunction,
        target: &QualifiedName,
        alias: &str,
        embed: &Embed,
    ) -> Result<Embedded> {
        let to_many = !function.returns_one;
        let Some(relation) = self.catalog.relation(&target.schema, &target.name)? else {
            return Err(self.no_relationship(&function.name.name, &target.name, &[]));
        };
        let child = self.alias('t');
        let lateral = self.alias('e');
        let source = Source::Computed {
            function: function.name.clone(),
            row: Row::Of(alias.to_owned()),
            relation: target.clone(),
            is_set: function.returns_set,
        };
        self.embedded(lateral, source, child, Columns::Relation(&relation), to_many, embed)
    }

    /// An embedded relation without a join condition yet. `child`: the alias of its source.
    fn embedded(
        &mut self,
        alias: String,
        source: Source,
        child: String,
        columns: Columns,
        to_many: bool,
        embed: &Embed,
    ) -> Result<Embedded> {
        let mut select = self.select(source, child, columns, &embed.node, to_many)?;
        let spread = if embed.spread { Some(self.spread_columns(&mut select, columns, to_many)?) } else { None };
        Ok(Embedded {
            alias,
            select,
            on: Vec::new(),
            junction: None,
            to_many,
            inner: embed.join == Some(Join::Inner),
            spread,
            extras: Vec::new(),
            own_functions: self.catalog.may_write_embedded()?,
            fetch: Fetch::Joined,
        })
    }
}
