//! Relationships between relations, and the lateral joins that embed one in the other.

use super::*;
use crate::catalog::{ForeignKey, Relation, RowFunction};
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

    /// Where it stands among several.
    fn rank(&self) -> (u8, &str, &str, &[String], &[String]) {
        let (kind, junction) = match &self.kind {
            Kind::OneToMany => (0, ""),
            Kind::ManyToOne => (1, ""),
            Kind::OneToOne { .. } => (2, ""),
            Kind::ManyToMany(junction) => (3, junction.table.name.as_str()),
        };
        (kind, junction, &self.constraint, &self.origin_columns, &self.target_columns)
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
        if let Some(function) = self.catalog.row_function(self.schema, origin, &embed.name)?
            && let Some(target) = &function.relation
            // What is preferred to a foreign key has to come from where the API is.
            && function.name.schema == self.schema
        {
            return self.embed_computed(&function, target, alias, embed);
        }
        let relationship = self.relationship(origin, &embed.name, embed.hint.as_deref())?;
        let to_many = relationship.is_to_many();
        refuse_spread_of_many(embed, to_many)?;
        let target = self.relation(&relationship.target.name)?;
        let child = self.alias('t');
        let lateral = self.alias('e');
        let mut on = Vec::new();
        let mut junction = None;
        let beyond = match &relationship.kind {
            Kind::ManyToMany(j) => {
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
        let select = self.select(source, child, Columns::Relation(&target), &embed.node, to_many)?;
        Ok(Embedded { on, junction, ..embedded(lateral, select, to_many, embed) })
    }

    /// Plans what a function makes of the row it is embedded in.
    fn embed_computed(
        &mut self,
        function: &RowFunction,
        target: &QualifiedName,
        alias: &str,
        embed: &Embed,
    ) -> Result<Embedded> {
        let to_many = !function.returns_one;
        refuse_spread_of_many(embed, to_many)?;
        let Some(relation) = self.catalog.relation(&target.schema, &target.name)? else {
            return Err(self.no_relationship(&function.name.name, &target.name, None));
        };
        let child = self.alias('t');
        let lateral = self.alias('e');
        let source = Source::Computed {
            function: function.name.clone(),
            row: Row::Of(alias.to_owned()),
            relation: target.clone(),
            is_set: function.returns_set,
        };
        let select = self.select(source, child, Columns::Relation(&relation), &embed.node, to_many)?;
        Ok(embedded(lateral, select, to_many, embed))
    }

    /// The one relationship that `name` and `hint` mean.
    fn relationship(&self, origin: &Relation, name: &str, hint: Option<&str>) -> Result<Relationship> {
        let mut meant = self.relationships(origin, name, hint)?;
        if meant.len() > 1 {
            meant.sort_by(|a, b| a.rank().cmp(&b.rank()));
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

    /// The relationships that are meant, within the request's schema: other schemas are not the request's to see. Looked at are
    /// the relation of that name, the tables that the origin's keys refer to, and what may connect the two, not the whole schema.
    fn relationships(&self, origin: &Relation, name: &str, hint: Option<&str>) -> Result<Vec<Relationship>> {
        let ends = self.ends(origin)?;
        let target = self.catalog.relation(self.schema, name)?;
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
            let Some(junction) = self.catalog.relation(self.schema, &name)? else { continue };
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

/// An embedded relation that nothing joins yet.
fn embedded(alias: String, select: Select, to_many: bool, embed: &Embed) -> Embedded {
    Embedded {
        alias,
        select,
        on: Vec::new(),
        junction: None,
        to_many,
        inner: embed.join == Some(Join::Inner),
        spread: embed.spread,
        extras: Vec::new(),
    }
}

fn refuse_spread_of_many(embed: &Embed, to_many: bool) -> Result<()> {
    if !embed.spread || !to_many {
        return Ok(());
    }
    Err(Error::new(Code::NotImplemented, "Feature not implemented")
        .details("Spreading a to-many relationship is not supported.")
        .hint(format!("Embed it without the dots: {}(...).", embed.name)))
}

/// The end of a foreign key that is at a relation.
struct End {
    key: ForeignKey,
    /// It refers; the other end is referred to.
    refers: bool,
    /// The relation's columns, in the order of the key.
    columns: Vec<String>,
}

impl End {
    /// The table at the other end, and its columns.
    fn other(&self) -> (&QualifiedName, &[String]) {
        match self.refers {
            true => (&self.key.referenced_table, &self.key.referenced_columns),
            false => (&self.key.table, &self.key.columns),
        }
    }

    /// The relationship to what is at the other end.
    fn relationship(&self, target: &QualifiedName, target_columns: Vec<String>) -> Relationship {
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

/// The tables of which many rows may refer to one of these ends.
fn referring(ends: &[End]) -> Vec<&QualifiedName> {
    let mut tables: Vec<&QualifiedName> =
        ends.iter().filter(|end| !end.refers && !end.key.unique).map(|end| &end.key.table).collect();
    tables.sort_unstable_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    tables.dedup();
    tables
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
                    "relationship": "reviews_editor using reviews(edited_by) and people(id)",
                },
                {
                    "cardinality": "many-to-one",
                    "embedding": "reviews with people",
                    "relationship": "reviews_writer using reviews(written_by) and people(id)",
                },
            ])
        );
        let hint = e.hint.clone().unwrap().to_string();
        assert!(hint.contains("'people!reviews_editor', 'people!reviews_writer'"), "{hint}");

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
    fn views_have_the_keys_of_the_columns_they_show() {
        for (target, expected) in [
            ("book_list?select=authors(*)", "to-one authors: t1.id = t0.writer"),
            ("book_list?select=writer(*)", "to-one authors: t1.id = t0.writer"),
            ("book_list?select=books_author(*)", "to-one authors: t1.id = t0.writer"),
            ("authors?select=book_list(*)", "to-many book_list: t1.writer = t0.id"),
            ("authors?select=book_list!books_author(*)", "to-many book_list: t1.writer = t0.id"),
            ("authors?select=book_list!writer(*)", "to-many book_list: t1.writer = t0.id"),
            ("book_list?select=writer_list(*)", "to-one writer_list: t1.writer = t0.writer"),
            ("writer_list?select=book_list(*)", "to-many book_list: t1.writer = t0.writer"),
            // by the key's name, the table
            ("writer_list?select=books_author(*)", "to-many books: t1.author_id = t0.writer"),
            ("subject_list?select=subject_list(*)", "to-many subject_list: t1.above = t0.subject"),
            ("subject_list?select=above(*)", "to-one subject_list: t1.subject = t0.above"),
            ("subject_list?select=subjects!above(*)", "to-one subjects: t1.id = t0.above"),
            ("loan_list?select=editions(*)", "to-one editions: t1.book_id = t0.b, t1.number = t0.e"),
            // the table is in another schema
            ("scan_list?select=books(*)", "to-one books: t1.id = t0.book"),
        ] {
            assert_eq!(join(target), expected, "{target}");
        }
        // without a column of the key there is no relationship
        assert_eq!(refusal(read("half_loan_list?select=editions(*)")).0, "PGRST200");
    }

    #[test]
    fn a_view_connects_the_two_that_its_key_refers_to() {
        let through = "through awards: j3.prize = t1.id, j3.book = t0.";
        assert_eq!(join("books?select=prizes(*)"), format!("to-many prizes {through}id"));
        assert_eq!(join("books?select=prizes!awards(*)"), format!("to-many prizes {through}id"));
        assert_eq!(join("book_list?select=prizes(*)"), format!("to-many prizes {through}book"));
    }

    #[test]
    fn a_view_that_shows_a_key_twice_is_ambiguous() {
        let e = read("pair_list?select=authors(*)").unwrap_err();
        assert_eq!((e.code.as_str(), e.status), ("PGRST201", 300));
        let details = e.details.clone().unwrap();
        let told: Vec<&str> = details.as_array().unwrap().iter().map(|d| d["relationship"].as_str().unwrap()).collect();
        assert_eq!(
            told,
            [
                "books_author using pair_list(first) and authors(id)",
                "books_author using pair_list(second) and authors(id)"
            ]
        );
        assert_eq!(join("pair_list?select=authors!second(*)"), "to-one authors: t1.id = t0.second");
    }

    #[test]
    fn a_function_of_the_row_is_a_relationship() {
        let computed = |target: &str| {
            let select = read(target).unwrap();
            let e = &select.embeds[0];
            let Source::Computed { function, row: Row::Of(alias), relation, .. } = &e.select.source else {
                panic!("{:?}", e.select.source)
            };
            format!("{} {}({alias}) {}", e.to_many, function.name, relation.name)
        };
        assert_eq!(computed("books?select=similar(title)"), "true similar(t0) books");
        assert_eq!(computed("books?select=s:similar!inner(title)"), "true similar(t0) books");
        // it is preferred to keys
        assert_eq!(computed("books?select=editions(year)"), "false editions(t0) editions");
        // and is the row's, wherever that comes from
        assert_eq!(read("authors?select=books(similar(id))").unwrap().embeds[0].select.embeds.len(), 1);
        assert_eq!(refusal(read("authors?select=similar(id)")).0, "PGRST200");
        assert_eq!(refusal(read("books?select=...similar(id)")).0, "PGRST127");
        // a value is no relation
        assert_eq!(refusal(read("books?select=label(id)")).0, "PGRST200");
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
