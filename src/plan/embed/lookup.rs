//! Finds the relationship that a request names.

use super::relationship::{Cardinality, End, Junction, Relationship, is_one};
use crate::catalog::{QualifiedName, Relation};
use crate::error::{Code, Error, Result};
use crate::limits;
use crate::plan::Planner;
use crate::query;
use serde_json::Value;

impl Planner<'_> {
    /// The only relationship that `name` and the hints identify.
    pub(super) fn relationship(&self, origin: &Relation, name: &str, hints: &[String]) -> Result<Relationship> {
        let found = self.relationships(origin, name)?;
        let meant = Relationship::meant(&origin.name, &found, name, hints);
        match meant.as_slice() {
            [] => Err(self.no_relationship(&origin.name.name, name, hints)),
            [one, ..] if is_one(&meant) => Ok((*one).clone()),
            several => Err(self.ambiguous_relationship(origin, name, several.to_vec())?),
        }
    }

    /// The error for an ambiguous relationship. For each candidate that the role may read, it says how to name it.
    fn ambiguous_relationship(&self, origin: &Relation, name: &str, mut meant: Vec<&Relationship>) -> Result<Error> {
        meant.sort_by(|a, b| a.rank().cmp(&b.rank()));
        let mut different: Vec<&Relationship> = Vec::new();
        for relationship in meant.into_iter().take(limits::KEY_READINGS) {
            if !different.iter().any(|known| is_one(&[known, relationship])) {
                different.push(relationship);
            }
        }
        let (mut details, mut hints) = (Vec::new(), Vec::new());
        for relationship in different {
            let junction = relationship.junction().map_or(Ok(true), |table| self.catalog.may_read(table));
            if !junction? || !self.catalog.may_read(&relationship.target)? {
                continue;
            }
            details.push(relationship.describe(&origin.name));
            let mut shortest: Option<(String, Vec<&str>)> = None;
            for base in relationship.bases(&origin.name) {
                let found = self.relationships(origin, &base)?;
                if let Some(hints) = relationship.hints(&origin.name, &found, &base)
                    && shortest.as_ref().is_none_or(|(_, known)| hints.len() < known.len())
                {
                    shortest = Some((base, hints));
                }
            }
            hints.extend(shortest.map(|(base, hints)| {
                let hints: Vec<String> =
                    hints.into_iter().map(|hint| format!("!{}", query::quote_hint(hint))).collect();
                format!("'{}{}'", query::quote(&base), hints.concat())
            }));
        }
        let error = Error::new(
            Code::AmbiguousRelationship,
            format!(
                "Could not embed because more than one relationship was found for '{}' and '{name}'",
                origin.name.name
            ),
        )
        .details(Value::Array(details));
        Ok(match hints.as_slice() {
            [] => error,
            hints => error.hint(format!(
                "Try changing '{name}' to one of the following: {}. Find the desired relationship in the 'details' key.",
                hints.join(", ")
            )),
        })
    }

    pub(in crate::plan) fn no_relationship(&self, origin: &str, name: &str, hints: &[String]) -> Error {
        let using = match hints {
            [] => String::new(),
            hints => format!("' using the hint '{}", hints.join("!")),
        };
        Error::new(
            Code::Relationship,
            format!("Could not find a relationship between '{origin}' and '{name}' in the schema cache"),
        )
        .details(format!(
            "Searched for a foreign key relationship between '{origin}' and '{name}{using}' in the schema '{}', but no matches were found.",
            self.schema
        ))
    }

    /// The possible relationships within the request's schema. Other schemas must stay invisible to the request. Only the relation
    /// of that name, the tables that the origin's keys refer to, and their junctions are loaded, and not the whole schema.
    fn relationships(&self, origin: &Relation, name: &str) -> Result<Vec<Relationship>> {
        let ends = self.ends(origin)?;
        let target = self.visible(name)?;
        let mut found = Vec::new();
        for end in &ends {
            let (table, columns) = end.other();
            if let Some(target) = &target {
                found.extend(target.shows(table, columns).into_iter().map(|c| end.relationship(&target.name, c)));
            }
            if name == origin.name.name || !end.is_named(name) {
                continue;
            }
            // The name of a key or column finds a table; or the view that is read, if it shows both ends of the key.
            let own = if origin.sources.is_empty() { Vec::new() } else { origin.shows(table, columns) };
            if own.is_empty() && table.schema == self.schema && table.name != name {
                found.push(end.relationship(table, columns.to_vec()));
            }
            found.extend(own.into_iter().map(|c| end.relationship(&origin.name, c)));
        }
        if let Some(target) = &target {
            self.through_junctions(&ends, target, &mut found)?;
        }
        Ok(found)
    }

    /// The ends of foreign keys at a relation: its own, or for a view those of its tables whose columns it shows.
    fn ends(&self, relation: &Relation) -> Result<Vec<End>> {
        let mut ends = Vec::new();
        for table in relation.tables() {
            let keys = &if relation.name == *table {
                self.catalog.foreign_keys(relation)?
            } else {
                let Some(table) = self.catalog.relation(&table.schema, &table.name)? else { continue };
                self.catalog.foreign_keys(&table)?
            };
            for (place, key) in keys.iter().enumerate() {
                let end = |refers: bool| move |columns| End::new(keys, place, refers, columns);
                if key.table == *table {
                    ends.extend(relation.shows(table, &key.columns).into_iter().map(end(true)));
                }
                if key.referenced_table == *table {
                    ends.extend(relation.shows(table, &key.referenced_columns).into_iter().map(end(false)));
                }
            }
        }
        Ok(ends)
    }

    /// A relation whose primary key contains two foreign keys connects the relations that they refer to.
    fn through_junctions(&self, near: &[End], target: &Relation, found: &mut Vec<Relationship>) -> Result<()> {
        let near_tables = referring(near);
        if near_tables.is_empty() {
            return Ok(());
        }
        let far = self.ends(target)?;
        let far_tables = referring(&far);
        if far_tables.is_empty() {
            return Ok(());
        }
        let is_in_both = |table: &&&QualifiedName| table.schema == self.schema && far_tables.contains(*table);
        let mut names: Vec<String> = near_tables.iter().filter(is_in_both).map(|table| table.name.clone()).collect();
        let views = self.catalog.views(self.schema, &near_tables)?;
        if near_tables == far_tables || views.is_empty() {
            names.extend(views);
        } else {
            let others = self.catalog.views(self.schema, &far_tables)?;
            names.extend(views.into_iter().filter(|view| others.contains(view)));
        }
        for name in names {
            let Some(junction) = self.visible(&name)? else { continue };
            let in_key = |end: &&End| {
                end.refers && !end.key().unique && end.columns.iter().all(|c| junction.primary_key.contains(c))
            };
            let ends = self.ends(&junction)?;
            let ends: Vec<&End> = ends.iter().filter(in_key).collect();
            for (to_near, to_far) in ends.iter().flat_map(|a| ends.iter().map(move |b| (a, b))) {
                if to_near.key().name == to_far.key().name {
                    continue;
                }
                for from in near.iter().filter(|end| !end.refers && end.key() == to_near.key()) {
                    for to in far.iter().filter(|end| !end.refers && end.key() == to_far.key()) {
                        found.push(Relationship {
                            target: target.name.clone(),
                            kind: Cardinality::ManyToMany(Junction {
                                table: junction.name.clone(),
                                constraint: to_far.key().name.clone(),
                                columns: to_far.columns.clone(),
                                target_columns: to.columns.clone(),
                            }),
                            origin_columns: from.columns.clone(),
                            target_columns: to_near.columns.clone(),
                            constraint: to_near.key().name.clone(),
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

/// The tables whose rows refer to one of these ends as the many side.
fn referring(ends: &[End]) -> Vec<&QualifiedName> {
    let mut tables: Vec<&QualifiedName> =
        ends.iter().filter(|end| !end.refers && !end.key().unique).map(|end| &end.key().table).collect();
    tables.sort_unstable_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    tables.dedup();
    tables
}
