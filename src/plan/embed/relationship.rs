//! What connects two relations, and what it is called.

use super::*;
use crate::catalog::ForeignKey;
use serde_json::{Value, json};

/// A way from a relation to another.
#[derive(Clone, Debug)]
pub(super) struct Relationship {
    pub(super) target: QualifiedName,
    pub(super) kind: Kind,
    /// Columns of the origin and, in the same order, those of the target (or of the junction) that equal them.
    pub(super) origin_columns: Vec<String>,
    pub(super) target_columns: Vec<String>,
    /// The foreign key's name.
    pub(super) constraint: String,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    ManyToOne,
    OneToOne {
        /// The origin holds the foreign key.
        from_origin: bool,
    },
    OneToMany,
    ManyToMany(Junction),
}

#[derive(Clone, Debug)]
pub(super) struct Junction {
    pub(super) table: QualifiedName,
    /// Name and columns of the key that refers to the target, and the columns it refers to.
    pub(super) constraint: String,
    pub(super) columns: Vec<String>,
    pub(super) target_columns: Vec<String>,
}

impl Relationship {
    /// The table between the two, of a many-to-many relationship.
    pub(super) fn junction(&self) -> Option<&QualifiedName> {
        match &self.kind {
            Kind::ManyToMany(junction) => Some(&junction.table),
            _ => None,
        }
    }

    pub(super) fn is_to_many(&self) -> bool {
        matches!(self.kind, Kind::OneToMany | Kind::ManyToMany(_))
    }

    pub(super) fn is_junction(&self) -> bool {
        matches!(self.kind, Kind::ManyToMany(_))
    }

    pub(super) fn has_constraint(&self, name: &str) -> bool {
        !self.is_junction() && self.constraint == name
    }

    pub(super) fn has_origin_column(&self, name: &str) -> bool {
        !self.is_junction() && self.origin_columns == [name]
    }

    pub(super) fn has_target_column(&self, name: &str) -> bool {
        !self.is_junction() && self.target_columns == [name]
    }

    pub(super) fn has_junction(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::ManyToMany(junction) if junction.table.name == name)
    }

    /// Whether `name` with `hint` means this relationship of `origin`.
    pub(super) fn is_meant(&self, origin: &QualifiedName, name: &str, hint: Option<&str>) -> bool {
        let names_target = self.target.name == name;
        if self.target == *origin {
            // One key of a table to itself makes two relationships: the table's name means the many, the column the one.
            return match (hint, &self.kind) {
                (None, Kind::OneToMany) => names_target,
                (None, Kind::ManyToOne) => self.has_origin_column(name) || self.has_constraint(name),
                (None, Kind::OneToOne { from_origin }) => {
                    if *from_origin {
                        self.has_origin_column(name)
                    } else {
                        names_target
                    }
                }
                (None, Kind::ManyToMany(_)) => false,
                (Some(hint), Kind::ManyToMany(_)) => names_target && self.has_junction(hint),
                // the one is asked for by its column: parent(*)
                (Some(_), Kind::ManyToOne) => false,
                (Some(hint), _) => names_target && (self.has_target_column(hint) || self.has_constraint(hint)),
            };
        }
        match hint {
            None => names_target || self.has_constraint(name) || self.has_origin_column(name),
            Some(hint) => {
                names_target
                    && (self.has_constraint(hint)
                        || self.has_origin_column(hint)
                        || self.has_target_column(hint)
                        || self.has_junction(hint))
            }
        }
    }

    /// The relationship in words, for the details of PGRST201.
    pub(super) fn describe(&self, origin: &QualifiedName) -> Value {
        let columns = |names: &[String]| format!("({})", names.join(", "));
        let (cardinality, relationship) = match &self.kind {
            Kind::ManyToMany(j) => (
                "many-to-many",
                format!(
                    "{} using {}{} and {}{}",
                    j.table.name,
                    self.constraint,
                    columns(&self.target_columns),
                    j.constraint,
                    columns(&j.columns)
                ),
            ),
            kind => (
                match kind {
                    Kind::ManyToOne => "many-to-one",
                    Kind::OneToMany => "one-to-many",
                    _ => "one-to-one",
                },
                format!(
                    "{} using {}{} and {}{}",
                    self.constraint,
                    origin.name,
                    columns(&self.origin_columns),
                    self.target.name,
                    columns(&self.target_columns)
                ),
            ),
        };
        json!({
            "cardinality": cardinality,
            "embedding": format!("{} with {}", origin.name, self.target.name),
            "relationship": relationship,
        })
    }

    /// Where it stands among several.
    pub(super) fn rank(&self) -> (u8, &str, &str, &[String], &[String]) {
        let (kind, junction) = match &self.kind {
            Kind::OneToMany => (0, ""),
            Kind::ManyToOne => (1, ""),
            Kind::OneToOne { .. } => (2, ""),
            Kind::ManyToMany(junction) => (3, junction.table.name.as_str()),
        };
        (kind, junction, &self.constraint, &self.origin_columns, &self.target_columns)
    }

    /// What to write for this one of several.
    pub(super) fn hint(&self) -> String {
        let by = match &self.kind {
            Kind::ManyToMany(junction) => &junction.table.name,
            _ => &self.constraint,
        };
        format!("'{}!{by}'", self.target.name)
    }
}

/// The end of a foreign key that is at a relation.
pub(super) struct End {
    pub(super) key: ForeignKey,
    /// It refers; the other end is referred to.
    pub(super) refers: bool,
    /// The relation's columns, in the order of the key.
    pub(super) columns: Vec<String>,
}

impl End {
    /// The table at the other end, and its columns.
    pub(super) fn other(&self) -> (&QualifiedName, &[String]) {
        match self.refers {
            true => (&self.key.referenced_table, &self.key.referenced_columns),
            false => (&self.key.table, &self.key.columns),
        }
    }

    /// The relationship to what is at the other end.
    pub(super) fn relationship(&self, target: &QualifiedName, target_columns: Vec<String>) -> Relationship {
        let kind = match (self.key.unique, self.refers) {
            (true, from_origin) => Kind::OneToOne { from_origin },
            (false, true) => Kind::ManyToOne,
            (false, false) => Kind::OneToMany,
        };
        Relationship {
            target: target.clone(),
            kind,
            origin_columns: self.columns.clone(),
            target_columns,
            constraint: self.key.name.clone(),
        }
    }
}
