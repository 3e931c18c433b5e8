//! Finds the relationship that a request names.

use super::relationship::{End, Junction, Kind, Relationship};
use super::*;
use serde_json::Value;

impl Planner<'_> {
    /// The one relationship that `name` and `hint` mean.
    pub(super) fn relationship(&self, origin: &Relation, name: &str, hint: Option<&str>) -> Result<Relationship> {
        let mut meant = self.relationships(origin, name, hint)?;
        if meant.len() > 1 {
            meant.sort_by(|a, b| a.rank().cmp(&b.rank()));
            let mut readable = Vec::new();
            for relationship in &meant {
                let junction = relationship.junction().map_or(Ok(true), |table| self.catalog.may_read(table));
                if junction? && self.catalog.may_read(&relationship.target)? {
                    readable.push(relationship);
                }
            }
            let details: Vec<Value> = readable.iter().map(|r| r.describe(&origin.name)).collect();
            let hints: Vec<String> = readable.iter().map(|r| r.hint()).collect();
            let error = Error::new(
                Code::AmbiguousRelationship,
                format!(
                    "Could not embed because more than one relationship was found for '{}' and '{name}'",
                    origin.name.name
                ),
            )
            .details(Value::Array(details));
            return Err(if hints.is_empty() {
                error
            } else {
                error.hint(format!(
                    "Try changing '{name}' to one of the following: {}. Find the desired relationship in the 'details' key.",
                    hints.join(", ")
                ))
            });
        }
        meant.pop().ok_or_else(|| self.no_relationship(&origin.name.name, name, hint))
    }

    pub(in crate::plan) fn no_relationship(&self, origin: &str, name: &str, hint: Option<&str>) -> Error {
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

    /// The relationships that are meant, within the request's schema: other schemas are not the request's to see. Looked at are
    /// the relation of that name, the tables that the origin's keys refer to, and what may connect the two, not the whole schema.
    fn relationships(&self, origin: &Relation, name: &str, hint: Option<&str>) -> Result<Vec<Relationship>> {
        let ends = self.ends(origin)?;
        let target = self.visible(name)?;
        let mut found = Vec::new();
        for end in &ends {
            let (table, columns) = end.other();
            if let Some(target) = &target {
                found.extend(target.shows(table, columns).into_iter().map(|c| end.relationship(&target.name, c)));
            }
            if name == origin.name.name {
                continue;
            }
            // By the key's name or column a table is found; or the view that is asked, if it shows both ends of the key.
            let own = if origin.sources.is_empty() { Vec::new() } else { origin.shows(table, columns) };
            if own.is_empty() && table.schema == self.schema && table.name != name {
                found.push(end.relationship(table, columns.to_vec()));
            }
            found.extend(own.into_iter().map(|c| end.relationship(&origin.name, c)));
        }
        if let Some(target) = &target {
            self.through_junctions(&ends, target, &mut found)?;
        }
        found.retain(|r| r.is_meant(&origin.name, name, hint));
        Ok(found)
    }

    /// The ends of foreign keys that are at a relation: its own, or of a view those of its tables whose columns it shows.
    fn ends(&self, relation: &Relation) -> Result<Vec<End>> {
        let mut ends = Vec::new();
        for table in relation.tables() {
            let keys = if relation.name == *table {
                self.catalog.foreign_keys(relation)?
            } else {
                let Some(table) = self.catalog.relation(&table.schema, &table.name)? else { continue };
                self.catalog.foreign_keys(&table)?
            };
            for key in keys.iter() {
                let end = |refers: bool| move |columns| End { key: key.clone(), refers, columns };
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

    /// A relation whose primary key holds two foreign keys connects the relations they refer to.
    fn through_junctions(&self, near: &[End], target: &Relation, found: &mut Vec<Relationship>) -> Result<()> {
        let far = self.ends(target)?;
        let (near_tables, far_tables) = (referring(near), referring(&far));
        if near_tables.is_empty() || far_tables.is_empty() {
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
                end.refers && !end.key.unique && end.columns.iter().all(|c| junction.primary_key.contains(c))
            };
            let ends = self.ends(&junction)?;
            let ends: Vec<&End> = ends.iter().filter(in_key).collect();
            for (to_near, to_far) in ends.iter().flat_map(|a| ends.iter().map(move |b| (a, b))) {
                if to_near.key.name == to_far.key.name {
                    continue;
                }
                for from in near.iter().filter(|end| !end.refers && end.key == to_near.key) {
                    for to in far.iter().filter(|end| !end.refers && end.key == to_far.key) {
                        found.push(Relationship {
                            target: target.name.clone(),
                            kind: Kind::ManyToMany(Junction {
                                table: junction.name.clone(),
                                constraint: to_far.key.name.clone(),
                                columns: to_far.columns.clone(),
                                target_columns: to.columns.clone(),
                            }),
                            origin_columns: from.columns.clone(),
                            target_columns: to_near.columns.clone(),
                            constraint: to_near.key.name.clone(),
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

/// The tables of which many rows may refer to one of these ends.
fn referring(ends: &[End]) -> Vec<&QualifiedName> {
    let mut tables: Vec<&QualifiedName> =
        ends.iter().filter(|end| !end.refers && !end.key.unique).map(|end| &end.key.table).collect();
    tables.sort_unstable_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    tables.dedup();
    tables
}
