//! Relationships between relations, and the lateral joins that embed one in the other.

use super::*;
use crate::catalog::{ForeignKey, Relation};
use crate::plan::read::Columns;
use crate::query::{Embed, Join};
use serde_json::{Value, json};

/// A way from a relation to another.
#[derive(Clone, Debug)]
struct Relationship {
    target: QualifiedName,
    kind: Kind,
    /// Columns of the origin and, in the same order, those of the target (or of the junction) that equal them.
    origin_columns: Vec<String>,
    target_columns: Vec<String>,
    /// The foreign key's name.
    constraint: String,
}

#[derive(Clone, Debug)]
enum Kind {
    ManyToOne,
    OneToOne {
        /// The origin holds the foreign key.
        from_origin: bool,
    },
    OneToMany,
    ManyToMany(Junction),
}

#[derive(Clone, Debug)]
struct Junction {
    table: QualifiedName,
    /// Name and columns of the key that refers to the target, and the columns it refers to.
    constraint: String,
    columns: Vec<String>,
    target_columns: Vec<String>,
}

impl Relationship {
    fn is_to_many(&self) -> bool {
        matches!(self.kind, Kind::OneToMany | Kind::ManyToMany(_))
    }

    fn is_junction(&self) -> bool {
        matches!(self.kind, Kind::ManyToMany(_))
    }

    fn has_constraint(&self, name: &str) -> bool {
        !self.is_junction() && self.constraint == name
    }

    fn has_origin_column(&self, name: &str) -> bool {
        !self.is_junction() && self.origin_columns == [name]
    }

    fn has_target_column(&self, name: &str) -> bool {
        !self.is_junction() && self.target_columns == [name]
    }

    fn has_junction(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::ManyToMany(junction) if junction.table.name == name)
    }

    /// Whether `name` with `hint` means this relationship of `origin`.
    fn is_meant(&self, origin: &QualifiedName, name: &str, hint: Option<&str>) -> bool {
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
    fn describe(&self, origin: &QualifiedName) -> Value {
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

    /// What to write for this one of several.
    fn hint(&self) -> String {
        let by = match &self.kind {
            Kind::ManyToMany(junction) => &junction.table.name,
            _ => &self.constraint,
        };
        format!("'{}!{by}'", self.target.name)
    }
}

impl Planner<'_> {
    /// Plans an embedded relation: `alias` is that of the relation it is embedded in.
    pub(super) fn embed(&mut self, origin: &Relation, alias: &str, embed: &Embed) -> Result<Embedded> {
        let relationship = self.relationship(origin, &embed.name, embed.hint.as_deref())?;
        if embed.spread && relationship.is_to_many() {
            return Err(Error::new(Code::NotImplemented, "Feature not implemented")
                .details("Spreading a to-many relationship is not supported.")
                .hint(format!("Embed it without the dots: {}(...).", embed.name)));
        }
        let target = self.relation(&relationship.target.name)?;
        let child = self.alias('t');
        let lateral = self.alias('e');
        let reference =
            |alias: &str, column: &String| ColumnReference { alias: alias.to_owned(), column: column.clone() };
        let mut on = Vec::new();
        let mut junction = None;
        let beyond = match &relationship.kind {
            Kind::ManyToMany(j) => {
                let between = self.alias('j');
                for (column, target_column) in j.columns.iter().zip(&j.target_columns) {
                    on.push((reference(&between, column), reference(&child, target_column)));
                }
                junction = Some((j.table.clone(), between.clone()));
                between
            }
            _ => child.clone(),
        };
        for (origin_column, target_column) in relationship.origin_columns.iter().zip(&relationship.target_columns) {
            on.push((reference(&beyond, target_column), reference(alias, origin_column)));
        }
        let select = self.select(
            Source::Relation(target.name.clone()),
            child,
            Columns::Relation(&target),
            &embed.node,
            relationship.is_to_many(),
        )?;
        Ok(Embedded {
            alias: lateral,
            select,
            on,
            junction,
            to_many: relationship.is_to_many(),
            inner: embed.join == Some(Join::Inner),
            spread: embed.spread,
            extras: Vec::new(),
        })
    }

    fn relationship(&self, origin: &Relation, name: &str, hint: Option<&str>) -> Result<Relationship> {
        let all = self.relationships(origin)?;
        let mut meant: Vec<Relationship> = all.into_iter().filter(|r| r.is_meant(&origin.name, name, hint)).collect();
        if meant.len() > 1 {
            let details: Vec<Value> = meant.iter().map(|r| r.describe(&origin.name)).collect();
            let hints: Vec<String> = meant.iter().map(Relationship::hint).collect();
            return Err(Error::new(
                Code::AmbiguousRelationship,
                format!(
                    "Could not embed because more than one relationship was found for '{}' and '{name}'",
                    origin.name.name
                ),
            )
            .details(Value::Array(details))
            .hint(format!(
                "Try changing '{name}' to one of the following: {}. Find the desired relationship in the 'details' key.",
                hints.join(", ")
            )));
        }
        meant.pop().ok_or_else(|| self.no_relationship(&origin.name.name, name, hint))
    }

    pub(super) fn no_relationship(&self, origin: &str, name: &str, hint: Option<&str>) -> Error {
        let using = hint.map(|h| format!("' using the hint '{h}")).unwrap_or_default();
        Error::new(
            Code::Relationship,
            format!("Could not find a relationship between '{origin}' and '{name}' in the schema cache"),
        )
        .details(format!(
            "Searched for a foreign key relationship between '{origin}' and '{name}{using}' in the schema '{}', but no matches were found.",
            self.schema
        ))
    }

    /// All relationships of a relation within the request's schema. Other schemas are not the request's to see.
    fn relationships(&self, origin: &Relation) -> Result<Vec<Relationship>> {
        let keys = self.catalog.foreign_keys(origin)?;
        let mut found = Vec::new();
        for key in keys.iter() {
            if key.table == origin.name && key.referenced_table.schema == self.schema {
                found.push(Relationship {
                    target: key.referenced_table.clone(),
                    kind: if key.unique { Kind::OneToOne { from_origin: true } } else { Kind::ManyToOne },
                    origin_columns: key.columns.clone(),
                    target_columns: key.referenced_columns.clone(),
                    constraint: key.name.clone(),
                });
            }
            if key.referenced_table == origin.name && key.table.schema == self.schema {
                found.push(Relationship {
                    target: key.table.clone(),
                    kind: if key.unique { Kind::OneToOne { from_origin: false } } else { Kind::OneToMany },
                    origin_columns: key.referenced_columns.clone(),
                    target_columns: key.columns.clone(),
                    constraint: key.name.clone(),
                });
                self.through_junction(key, &mut found)?;
            }
        }
        Ok(found)
    }

    /// A table whose primary key holds two foreign keys connects the two tables they refer to.
    fn through_junction(&self, near: &ForeignKey, found: &mut Vec<Relationship>) -> Result<()> {
        let Some(table) = self.catalog.relation(&near.table.schema, &near.table.name)? else { return Ok(()) };
        let in_key = |columns: &[String]| columns.iter().all(|c| table.primary_key.contains(c));
        if !in_key(&near.columns) {
            return Ok(());
        }
        for far in self.catalog.foreign_keys(&table)?.iter() {
            let other = far.table == table.name && far.name != near.name;
            if other && far.referenced_table.schema == self.schema && in_key(&far.columns) {
                found.push(Relationship {
                    target: far.referenced_table.clone(),
                    kind: Kind::ManyToMany(Junction {
                        table: table.name.clone(),
                        constraint: far.name.clone(),
                        columns: far.columns.clone(),
                        target_columns: far.referenced_columns.clone(),
                    }),
                    origin_columns: near.referenced_columns.clone(),
                    target_columns: near.columns.clone(),
                    constraint: near.name.clone(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::*;

    /// The join of the only embedded relation: `to-many` or `to-one`, and its equal columns.
    #[track_caller]
    fn join(target: &str) -> String {
        let select = read(target).unwrap();
        let [e] = select.embeds.as_slice() else { panic!("{} embeds", select.embeds.len()) };
        let on: Vec<String> =
            e.on.iter().map(|(a, b)| format!("{}.{} = {}.{}", a.alias, a.column, b.alias, b.column)).collect();
        let Source::Relation(name) = &e.select.source else { panic!("no relation") };
        let between = e.junction.as_ref().map_or(String::new(), |(table, _)| format!(" through {}", table.name));
        format!("to-{} {}{between}: {}", if e.to_many { "many" } else { "one" }, name.name, on.join(", "))
    }

    #[test]
    fn each_kind_of_relationship_is_followed() {
        for (target, expected) in [
            ("books?select=authors(*)", "to-one authors: t1.id = t0.author_id"),
            ("authors?select=books(*)", "to-many books: t1.author_id = t0.id"),
            ("books?select=covers(*)", "to-one covers: t1.book_id = t0.id"),
            ("covers?select=books(*)", "to-one books: t1.id = t0.book_id"),
            ("books?select=topics(*)", "to-many topics through books_topics: j3.topic_id = t1.id, j3.book_id = t0.id"),
            ("loans?select=editions(*)", "to-one editions: t1.book_id = t0.book, t1.number = t0.edition"),
            ("editions?select=loans(*)", "to-many loans: t1.book = t0.book_id, t1.edition = t0.number"),
        ] {
            assert_eq!(join(target), expected, "{target}");
        }
    }

    #[test]
    fn a_relationship_is_named_by_constraint_column_or_junction() {
        let writer = "to-one people: t1.id = t0.written_by";
        for by in ["people!reviews_writer", "people!written_by", "reviews_writer", "written_by"] {
            assert_eq!(join(&format!("reviews?select=w:{by}(*)")), writer, "{by}");
        }
        for by in ["reviews!reviews_editor", "reviews!edited_by"] {
            assert_eq!(join(&format!("people?select={by}(*)")), "to-many reviews: t1.edited_by = t0.id", "{by}");
        }
        assert_eq!(
            join("books?select=subjects!reading_lists(*)"),
            "to-many subjects through reading_lists: j3.subject_id = t1.id, j3.book_id = t0.id"
        );
    }

    #[test]
    fn a_table_that_refers_to_itself_is_many_by_its_name_and_one_by_its_column() {
        let (children, parent) = ("to-many subjects: t1.parent_id = t0.id", "to-one subjects: t1.id = t0.parent_id");
        assert_eq!(join("subjects?select=subjects(*)"), children);
        assert_eq!(join("subjects?select=subjects!parent_id(*)"), children);
        assert_eq!(join("subjects?select=subjects!subjects_parent(*)"), children);
        assert_eq!(join("subjects?select=parent_id(*)"), parent);
        assert_eq!(join("subjects?select=parent:subjects_parent(*)"), parent);
    }

    #[test]
    fn of_several_relationships_the_details_tell_how_to_name_one() {
        let e = read("reviews?select=people(*)").unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST201", 300));
        assert_eq!(
            e.details.clone().unwrap(),
            json!([
                {
                    "cardinality": "many-to-one",
                    "embedding": "reviews with people",
                    "relationship": "reviews_writer using reviews(written_by) and people(id)",
                },
                {
                    "cardinality": "many-to-one",
                    "embedding": "reviews with people",
                    "relationship": "reviews_editor using reviews(edited_by) and people(id)",
                },
            ])
        );
        let hint = e.hint.clone().unwrap().to_string();
        assert!(hint.contains("'people!reviews_writer', 'people!reviews_editor'"), "{hint}");

        let e = read("books?select=subjects(*)").unwrap_err();
        assert_eq!(e.status, 300);
        let first = &e.details.clone().unwrap()[0];
        assert_eq!(first["cardinality"], "many-to-many");
        assert_eq!(
            first["relationship"],
            "books_subjects using books_subjects_book(book_id) and books_subjects_subject(subject_id)"
        );
    }

    #[test]
    fn nothing_outside_the_schema_is_embedded() {
        let e = read("books?select=scans(*)").unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST200", 400));
        assert_eq!(
            e.details.clone().unwrap(),
            "Searched for a foreign key relationship between 'books' and 'scans' in the schema 'lib', but no matches were found."
        );
        assert_eq!(refusal(read("books?select=scans_book(*)")).0, "PGRST200");
    }

    #[test]
    fn what_is_not_related_is_refused() {
        for target in ["books?select=people(*)", "books?select=nothing(*)", "books?select=authors!books_publisher(*)"] {
            assert_eq!(refusal(read(target)), ("PGRST200".to_owned(), 400), "{target}");
        }
        assert_eq!(refusal(read("authors?select=...books(*)")), ("PGRST127".to_owned(), 400));
    }
}
