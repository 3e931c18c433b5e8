//! Relationships between two relations, and the names that identify them.

use crate::catalog::{ForeignKey, QualifiedName};
use crate::limits;
use serde_json::{Value, json};
use std::rc::Rc;

/// A relationship from one relation to another.
#[derive(Clone, Debug)]
pub(super) struct Relationship {
    pub(super) target: QualifiedName,
    pub(super) kind: Cardinality,
    /// Columns of the origin and, in the same order, the columns of the target (or the junction) that equal them.
    pub(super) origin_columns: Vec<String>,
    pub(super) target_columns: Vec<String>,
    /// The foreign key's name.
    pub(super) constraint: String,
}

#[derive(Clone, Debug)]
pub(super) enum Cardinality {
    ManyToOne,
    OneToOne {
        /// The origin has the foreign key.
        from_origin: bool,
    },
    OneToMany,
    ManyToMany(Junction),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Junction {
    pub(super) table: QualifiedName,
    /// Name and columns of the key that refers to the target, and the columns that it refers to.
    pub(super) constraint: String,
    pub(super) columns: Vec<String>,
    pub(super) target_columns: Vec<String>,
}

impl Relationship {
    /// The junction table of a many-to-many relationship.
    pub(super) fn junction(&self) -> Option<&QualifiedName> {
        match &self.kind {
            Cardinality::ManyToMany(junction) => Some(&junction.table),
            _ => None,
        }
    }

    pub(super) fn is_to_many(&self) -> bool {
        matches!(self.kind, Cardinality::OneToMany | Cardinality::ManyToMany(_))
    }

    fn is_junction(&self) -> bool {
        matches!(self.kind, Cardinality::ManyToMany(_))
    }

    fn has_constraint(&self, name: &str) -> bool {
        !self.is_junction() && self.constraint == name
    }

    fn has_origin_column(&self, name: &str) -> bool {
        !self.is_junction() && self.origin_columns == [name]
    }

    /// Whether the origin has the key and refers to itself. Then the table's name means the to-many direction, and the column or
    /// key the to-one direction.
    fn is_to_itself(&self, origin: &QualifiedName) -> bool {
        self.target == *origin
            && matches!(self.kind, Cardinality::ManyToOne | Cardinality::OneToOne { from_origin: true })
    }

    /// Whether the target's name identifies this relationship of `origin`.
    fn is_named_by_target(&self, origin: &QualifiedName, name: &str) -> bool {
        self.target.name == name && !self.is_to_itself(origin)
    }

    /// Whether the name of a key, or of a column of the origin, identifies this relationship of `origin`.
    fn is_named_by_key(&self, origin: &QualifiedName, name: &str) -> bool {
        (self.has_origin_column(name) || self.has_constraint(name))
            && (self.target != *origin || self.is_to_itself(origin))
    }

    /// The relationships of `origin`, among those found, that `name` and the hints identify.
    pub(super) fn meant<'a>(
        origin: &QualifiedName,
        found: &'a [Relationship],
        name: &str,
        hints: &[impl AsRef<str>],
    ) -> Vec<&'a Relationship> {
        let by_target = found.iter().filter(|r| r.is_named_by_target(origin, name));
        let by_key = found.iter().filter(|r| r.is_named_by_key(origin, name));
        if hints.is_empty() {
            // A many-to-many relationship of a table with itself has two directions, which only hints tell apart.
            let by_target = by_target.filter(|r| r.target != *origin || !r.is_junction());
            return by_target.chain(by_key.filter(|r| !r.is_named_by_target(origin, name))).collect();
        }
        let meant = narrow(by_target.collect(), hints);
        if meant.is_empty() { narrow(by_key.collect(), hints) } else { meant }
    }

    /// The names that hints may use, each with the part that it names. Preferred names come first.
    fn names(&self) -> Vec<(Part, &str)> {
        fn each(part: Part, names: &[String]) -> impl Iterator<Item = (Part, &str)> {
            names.iter().map(move |name| (part, name.as_str()))
        }
        let (origin, target) = (&self.origin_columns, &self.target_columns);
        let only = |only, several| if origin.len() == 1 { only } else { several };
        match &self.kind {
            Cardinality::ManyToMany(j) => [
                (Part::Junction, j.table.name.as_str()),
                (Part::FarConstraint, j.constraint.as_str()),
                (Part::NearConstraint, self.constraint.as_str()),
            ]
            .into_iter()
            .chain(each(Part::FarColumn, &j.columns))
            .chain(each(Part::NearColumn, target))
            .chain(each(Part::SomeOrigin, origin))
            .chain(each(Part::SomeTarget, &j.target_columns))
            .collect(),
            _ => std::iter::once((Part::Constraint, self.constraint.as_str()))
                .chain(each(only(Part::Origin, Part::SomeOrigin), origin))
                .chain(each(only(Part::Target, Part::SomeTarget), target))
                .collect(),
        }
    }

    /// The names that can precede hints for this relationship.
    pub(super) fn bases(&self, origin: &QualifiedName) -> Vec<String> {
        if self.is_to_itself(origin) {
            std::iter::once(&self.constraint).chain(&self.origin_columns).cloned().collect()
        } else {
            vec![self.target.name.clone()]
        }
    }

    /// The fewest hints after `base` that identify this relationship and no other of those found.
    pub(super) fn hints(&self, origin: &QualifiedName, found: &[Relationship], base: &str) -> Option<Vec<&str>> {
        let names: Vec<&str> = self.names().into_iter().map(|(_, name)| name).take(limits::HINTS).collect();
        let mut choices: Vec<u32> = (0..1 << names.len()).collect();
        choices.sort_by_key(|choice| (choice.count_ones(), std::cmp::Reverse(choice.reverse_bits())));
        choices.into_iter().find_map(|choice| {
            let chosen = names.iter().enumerate().filter(|(i, _)| choice >> i & 1 == 1);
            let hints: Vec<&str> = chosen.map(|(_, name)| *name).collect();
            let meant = Relationship::meant(origin, found, base, &hints);
            (is_one(&meant) && meant.iter().all(|one| one.is_same(self))).then_some(hints)
        })
    }

    /// The pairs of equal columns, sorted.
    fn equal_columns(&self) -> Vec<(&String, &String)> {
        let mut columns: Vec<(&String, &String)> = self.origin_columns.iter().zip(&self.target_columns).collect();
        columns.sort_unstable();
        columns
    }

    /// Whether both lead to the same rows by the same key. For one-to-one, it does not matter which end has the key.
    fn is_same(&self, other: &Relationship) -> bool {
        let junction = |r: &Relationship| match &r.kind {
            Cardinality::ManyToMany(junction) => Some(junction.clone()),
            _ => None,
        };
        self.target == other.target
            && self.constraint == other.constraint
            && self.is_to_many() == other.is_to_many()
            && self.equal_columns() == other.equal_columns()
            && junction(self) == junction(other)
    }

    /// A description of the relationship, for the details of PGRST201.
    pub(super) fn describe(&self, origin: &QualifiedName) -> Value {
        let columns = |names: &[String]| format!("({})", names.join(", "));
        let (cardinality, relationship) = match &self.kind {
            Cardinality::ManyToMany(j) => (
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
                    Cardinality::ManyToOne => "many-to-one",
                    Cardinality::OneToMany => "one-to-many",
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

    /// The sort key that orders several relationships.
    pub(super) fn rank(&self) -> (u8, &str, &str, &[String], &[String]) {
        let (kind, junction) = match &self.kind {
            Cardinality::OneToMany => (0, ""),
            Cardinality::ManyToOne => (1, ""),
            Cardinality::OneToOne { .. } => (2, ""),
            Cardinality::ManyToMany(junction) => (3, junction.table.name.as_str()),
        };
        (kind, junction, &self.constraint, &self.origin_columns, &self.target_columns)
    }
}

/// The part of a relationship that a hint names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Constraint,
    Junction,
    /// The key's only column.
    Origin,
    Target,
    /// The junction's key that refers to the target (far) or to the origin (near).
    FarConstraint,
    NearConstraint,
    /// One of several columns.
    SomeOrigin,
    SomeTarget,
    /// Columns of the junction.
    FarColumn,
    NearColumn,
}

const PARTS: &[Part] = &[
    Part::Constraint,
    Part::Junction,
    Part::Origin,
    Part::Target,
    Part::FarConstraint,
    Part::NearConstraint,
    Part::SomeOrigin,
    Part::SomeTarget,
    Part::FarColumn,
    Part::NearColumn,
];

/// The relationships that all hints identify. If a hint names different kinds of parts in different relationships, it is taken for
/// the kind that leaves the fewest relationships. If several kinds leave the same number, the first one is taken.
fn narrow<'a>(mut relationships: Vec<&'a Relationship>, hints: &[impl AsRef<str>]) -> Vec<&'a Relationship> {
    let is_named =
        |r: &&Relationship| hints.iter().all(|hint| r.names().iter().any(|(_, name)| *name == hint.as_ref()));
    relationships.retain(is_named);
    for hint in hints {
        if is_one(&relationships) {
            break;
        }
        let by_part = PARTS.iter().map(|part| {
            let name = (*part, hint.as_ref());
            relationships.iter().copied().filter(|r| r.names().contains(&name)).collect::<Vec<&Relationship>>()
        });
        relationships = by_part.filter(|named| !named.is_empty()).min_by_key(Vec::len).unwrap_or_default();
    }
    relationships
}

/// Whether all of them are the same relationship, found once or several times.
pub(super) fn is_one(relationships: &[&Relationship]) -> bool {
    relationships.split_first().is_some_and(|(one, others)| others.iter().all(|other| other.is_same(one)))
}

/// The end of a foreign key at a relation.
pub(super) struct End {
    /// The keys of a table, of which `place` is this one's. They are shared, because a table may have hundreds.
    keys: Rc<[ForeignKey]>,
    place: usize,
    /// This end refers, and the other end is referred to.
    pub(super) refers: bool,
    /// The relation's columns, in the order of the key.
    pub(super) columns: Vec<String>,
}

impl End {
    /// The end of the key at this place, with the relation's columns.
    pub(super) fn new(keys: &Rc<[ForeignKey]>, place: usize, refers: bool, columns: Vec<String>) -> Self {
        End { keys: keys.clone(), place, refers, columns }
    }

    pub(super) fn key(&self) -> &ForeignKey {
        &self.keys[self.place]
    }

    /// Whether a relationship is named by the key or by its only column.
    pub(super) fn is_named(&self, name: &str) -> bool {
        self.key().name == name || self.columns == [name]
    }

    /// The table at the other end, and its columns.
    pub(super) fn other(&self) -> (&QualifiedName, &[String]) {
        if self.refers {
            (&self.key().referenced_table, &self.key().referenced_columns)
        } else {
            (&self.key().table, &self.key().columns)
        }
    }

    /// The relationship to the other end.
    pub(super) fn relationship(&self, target: &QualifiedName, target_columns: Vec<String>) -> Relationship {
        let kind = match (self.key().unique, self.refers) {
            (true, from_origin) => Cardinality::OneToOne { from_origin },
            (false, true) => Cardinality::ManyToOne,
            (false, false) => Cardinality::OneToMany,
        };
        Relationship {
            target: target.clone(),
            kind,
            origin_columns: self.columns.clone(),
            target_columns,
            constraint: self.key().name.clone(),
        }
    }
}
