//! The planner: resolves names against the catalogue for one request.

use crate::ask::PlanSettings;
use crate::catalog::{Catalog, Relation, RowFunction};
use crate::error::{Code, Error, Result};
use std::rc::Rc;

/// The context for planning one request.
pub struct Planner<'a> {
    pub catalog: &'a dyn Catalog,
    pub schema: &'a str,
    pub settings: &'a PlanSettings,
    pub(super) aliases: usize,
}

impl<'a> Planner<'a> {
    /// A planner for one request to `schema`.
    pub fn new(catalog: &'a dyn Catalog, schema: &'a str, settings: &'a PlanSettings) -> Self {
        Planner { catalog, schema, settings, aliases: 0 }
    }

    /// The function of this name that computes a column or an embedded relation of a row.
    ///
    /// # Errors
    /// PGRST203 if PostgreSQL could read a call of it as a call of another function.
    pub(super) fn row_function(&self, row_type: u32, label: &str, name: &str) -> Result<Option<RowFunction>> {
        let found = self.catalog.row_function(self.schema, row_type, name)?;
        match found {
            Some(function) if function.is_ambiguous => Err(Error::new(
                Code::AmbiguousFunction,
                format!("Could not choose the best candidate function to compute '{name}' of '{label}'"),
            )
            .details(format!(
                "Another function {}.{name} takes a row and arguments with defaults.",
                function.name.schema
            ))
            .hint("Try renaming one of the functions in the database so function overloading can be resolved")),
            found => Ok(found),
        }
    }

    /// A table alias that the statement does not use yet.
    pub(super) fn alias(&mut self, prefix: char) -> String {
        let alias = format!("{prefix}{}", self.aliases);
        self.aliases += 1;
        alias
    }

    /// The table or view of the request's schema, if requests may name it.
    pub(super) fn visible(&self, name: &str) -> Result<Option<Rc<Relation>>> {
        Ok(self.catalog.relation(self.schema, name)?.filter(|relation| !relation.is_partition))
    }

    /// The table or view of the request's schema. If it does not exist, the error suggests a similar name that the role in force
    /// may use.
    ///
    /// # Errors
    /// PGRST205 (404) if the schema has no such table or view.
    pub fn relation(&self, name: &str) -> Result<Rc<Relation>> {
        if let Some(relation) = self.visible(name)? {
            return Ok(relation);
        }
        let error = Error::new(
            Code::Relation,
            format!("Could not find the table '{}.{name}' in the schema cache", self.schema),
        );
        Err(match self.catalog.similar_relation(self.schema, name)? {
            Some(meant) => error.hint(format!("Perhaps you meant the table '{}.{meant}'", self.schema)),
            None => error,
        })
    }
}
