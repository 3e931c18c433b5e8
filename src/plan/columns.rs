//! The columns that names of a query are looked up in: those of a relation, or of a function's result. Pure.

use crate::catalog::{Relation, Representation, ResultColumn, TypeClass};

/// Where column names are looked up.
#[derive(Clone, Copy)]
pub enum Columns<'r> {
    Relation(&'r Relation),
    Result { function: &'r str, columns: &'r [ResultColumn], row_type: Option<u32> },
}

impl<'r> Columns<'r> {
    pub(super) fn class(&self, name: &str) -> Option<TypeClass> {
        match self {
            Columns::Relation(relation) => relation.column(name).map(|c| c.class),
            Columns::Result { columns, .. } => columns.iter().find(|c| c.name == name).map(|c| c.class),
        }
    }

    pub(super) fn representation(&self, name: &str) -> Option<&'r Representation> {
        match self {
            Columns::Relation(relation) => relation.column(name)?.representation.as_ref(),
            Columns::Result { .. } => None,
        }
    }

    pub(super) fn names(&self) -> Vec<&'r str> {
        match self {
            Columns::Relation(relation) => relation.columns.iter().map(|c| c.name.as_str()).collect(),
            Columns::Result { columns, .. } => columns.iter().map(|c| c.name.as_str()).collect(),
        }
    }

    /// `pg_class.oid` of the row type that functions may compute columns of.
    pub(super) fn row_type(&self) -> Option<u32> {
        match self {
            Columns::Relation(relation) => Some(relation.oid),
            Columns::Result { row_type, .. } => *row_type,
        }
    }

    pub(super) fn label(&self) -> &'r str {
        match self {
            Columns::Relation(relation) => &relation.name.name,
            Columns::Result { function, .. } => function,
        }
    }

    /// The relation whose foreign keys can be followed.
    pub(super) fn relation(&self) -> Option<&'r Relation> {
        match self {
            Columns::Relation(relation) => Some(relation),
            Columns::Result { .. } => None,
        }
    }
}
