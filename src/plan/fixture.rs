//! A catalogue made of plain data, for the tests of the planner: a small library.

use super::{Call, Planner, Select, Write};
use crate::ask::PlanSettings;
use crate::catalog::*;
use crate::error::Result;
use crate::http::Preferences;
use crate::http::target::Target;
use crate::payload::{BodyKeys, CallArguments};
use crate::query;
use crate::query::Query;
use crate::route::Verb;
use crate::similar;
use std::rc::Rc;

/// The exposed schema.
pub const SCHEMA: &str = "lib";
/// A name that would inject SQL if it were not quoted.
pub const ODD: &str = "o\"; drop table x; --/*";

/// A table that the role of the request may not read.
pub const UNREADABLE: &str = "reading_lists";
/// A column that the role may not read.
pub const UNREADABLE_COLUMN: &str = "due";

/// A table without a primary key, but with a unique key.
pub const UNKEYED: &str = "leaflets";

/// Columns of this name may not be updated by the role of the request.
pub const UNCHANGEABLE: &str = "written_by";

/// Columns with defaults.
const DEFAULTS: &[(&str, &str, &str)] =
    &[("authors", "id", "nextval('authors_id')"), ("books", "price", "0"), ("paints", "shade", "0")];

/// A function that the role of the request may not call.
pub const UNCALLABLE: u32 = 77;

/// The catalogue.
pub struct Library {
    relations: Vec<Rc<Relation>>,
    keys: Vec<ForeignKey>,
    functions: Vec<Function>,
    pub row_functions: Vec<(&'static str, RowFunction)>,
    pub has_postgis: bool,
}

impl Catalog for Library {
    fn relation(&self, schema: &str, name: &str) -> Result<Option<Rc<Relation>>> {
        Ok(self.relations.iter().find(|r| r.name.schema == schema && r.name.name == name).cloned())
    }

    fn foreign_keys(&self, relation: &Relation) -> Result<Rc<[ForeignKey]>> {
        let concerns = |k: &&ForeignKey| k.table == relation.name || k.referenced_table == relation.name;
        Ok(self.keys.iter().filter(concerns).cloned().collect())
    }

    fn views(&self, schema: &str, tables: &[&QualifiedName]) -> Result<Vec<String>> {
        let is_over =
            |r: &&Rc<Relation>| r.name.schema == schema && r.sources.iter().any(|s| tables.contains(&&s.table));
        Ok(self.relations.iter().filter(is_over).map(|r| r.name.name.clone()).collect())
    }

    fn row_function(&self, _schema: &str, row_type: u32, name: &str) -> Result<Option<RowFunction>> {
        let is_it = |(of, f): &&(&str, RowFunction)| oid(of) == row_type && f.name.name == name;
        Ok(self.row_functions.iter().find(is_it).map(|(_, f)| f.clone()))
    }

    fn functions(&self, schema: &str, name: &str) -> Result<Rc<[Function]>> {
        Ok(self.functions.iter().filter(|f| f.name.schema == schema && f.name.name == name).cloned().collect())
    }

    fn similar_relation(&self, schema: &str, name: &str) -> Result<Option<Rc<str>>> {
        let names = self.relations.iter().filter(|r| r.name.schema == schema).map(|r| r.name.name.as_str());
        Ok(similar::closest(name, names).map(Rc::from))
    }

    fn similar_functions(&self, schema: &str, _name: &str) -> Result<Rc<[Signature]>> {
        let signature = |f: &Function| Signature {
            name: f.name.name.clone(),
            parameters: f.parameters.iter().map(|p| p.name.clone()).collect(),
        };
        Ok(self.functions.iter().filter(|f| f.name.schema == schema).map(signature).collect())
    }

    fn media_handlers(&self, _schema: &str) -> Result<Rc<[MediaHandler]>> {
        let handler = |media: &str, relation: Option<&str>| MediaHandler {
            function: qualified(media),
            media: media.to_owned(),
            relation: relation.map(qualified),
        };
        Ok([
            handler("text/tab-separated-values", Some("books")),
            handler("*/*", Some("editions")),
            handler("text/x-lines", None),
        ]
        .into())
    }

    fn feature_function(&self) -> Result<Option<FeatureFunction>> {
        let name = qualified("geo.st_asgeojson");
        Ok(self.has_postgis.then(|| FeatureFunction { name, defaults: vec!["CAST(9 AS integer)".to_owned()] }))
    }

    fn may_tell_versions(&self) -> Result<bool> {
        Ok(true)
    }

    fn may_write_embedded(&self) -> Result<bool> {
        Ok(true)
    }

    fn may_read(&self, relation: &QualifiedName) -> Result<bool> {
        Ok(relation.name != UNREADABLE)
    }

    fn rights(&self, relation: &Relation) -> Result<Rights> {
        let may = relation.name.name != UNREADABLE;
        Ok(Rights { select: may, insert: may, update: may, delete: may })
    }

    fn may_put(&self, relation: &Relation) -> Result<bool> {
        Ok(relation.name.name != UNREADABLE)
    }

    fn may_read_column(&self, relation: &Relation, column: &str) -> Result<bool> {
        Ok(relation.name.name != UNREADABLE && column != UNREADABLE_COLUMN)
    }

    fn default_of(&self, relation: &Relation, column: &str) -> Result<Option<String>> {
        let of = |(table, name, _): &&(&str, &str, &str)| relation.name.name == *table && *name == column;
        Ok(DEFAULTS.iter().find(of).map(|(.., default)| (*default).to_owned()))
    }

    fn unique_key(&self, relation: &Relation) -> Result<Vec<String>> {
        Ok(if relation.name.name == UNKEYED { vec!["edition".to_owned(), "label".to_owned()] } else { Vec::new() })
    }

    fn may_update(&self, relation: &Relation) -> Result<Vec<String>> {
        Ok(relation.columns.iter().map(|c| c.name.clone()).filter(|name| name != UNCHANGEABLE).collect())
    }

    fn may_call(&self, function: &Function) -> Result<bool> {
        Ok(function.oid != UNCALLABLE)
    }

    fn data_type(&self, _schema: &str, name: &str) -> Result<Option<Rc<str>>> {
        Ok(match name {
            "int4" | "text" | "numeric" | "timestamptz" => Some(format!("pg_catalog.{name}").into()),
            "mood" => Some("lib.mood".into()),
            _ => None,
        })
    }
}

/// The oid of a relation or composite type, derived from its name.
fn oid(name: &str) -> u32 {
    name.bytes().fold(7, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

fn qualified(name: &str) -> QualifiedName {
    let (schema, name) = name.split_once('.').unwrap_or((SCHEMA, name));
    QualifiedName { schema: schema.to_owned(), name: name.to_owned() }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The representation of a type: the domain `colour` has a cast for each direction.
fn representation(data_type: &str) -> Option<Representation> {
    (data_type == "lib.colour").then(|| Representation {
        to_json: Some(Box::new(qualified("json"))),
        from_json: Some(Box::new(qualified("colour_of_json"))),
        from_text: Some(Box::new(qualified("colour"))),
    })
}

/// A table. Columns are written `name:type`. `primary_key` lists the key's columns.
fn table(name: &str, columns: &str, primary_key: &str) -> Rc<Relation> {
    let is_unkeyed = name == UNKEYED;
    let columns = columns.split_whitespace().map(|text| {
        let (name, data_type) = text.split_once(':').unwrap();
        let class = match data_type {
            "jsonb" => TypeClass::Json,
            "text[]" => TypeClass::Structured,
            "tsvector" => TypeClass::Tsvector,
            _ => TypeClass::Scalar,
        };
        Column {
            name: name.to_owned(),
            data_type: data_type.to_owned(),
            class,
            writable: true,
            identity: false,
            updatable: true,
            not_null: primary_key.split_whitespace().any(|key| key == name) || is_unkeyed,
            comparison: match data_type {
                "lib.note" => Comparison::Impossible,
                "lib.mood_of_day" => Comparison::As("lib.mood".to_owned()),
                _ => Comparison::Inferred,
            },
            representation: representation(data_type),
        }
    });
    Rc::new(Relation {
        oid: oid(name),
        name: qualified(name),
        columns: columns.collect(),
        primary_key: words(primary_key),
        sources: Vec::new(),
        is_partition: false,
        is_view: false,
        has_unique_keys: true,
        inherits: false,
        upsertable: true,
        insertable: true,
        updatable: true,
        deletable: true,
        settings: crate::catalog::ResourceSettings::default(),
        versions: crate::catalog::Versions::Stored,
        returns_versions: true,
    })
}

/// A view. Columns are written `name=table.column`.
fn view(name: &str, columns: &str, primary_key: &str) -> Rc<Relation> {
    let sources = columns.split_whitespace().map(|text| {
        let (column, source) = text.split_once('=').unwrap();
        let (table, source) = source.rsplit_once('.').unwrap();
        let (table, source, column) = (qualified(table), source.to_owned(), column.to_owned());
        ColumnSource { column, table, source, writable: true, identity: false, not_null: false }
    });
    let sources: Vec<ColumnSource> = sources.collect();
    let typed: Vec<String> = sources.iter().map(|s| format!("{}:int4", s.column)).collect();
    Rc::new(Relation {
        sources,
        is_view: true,
        has_unique_keys: false,
        ..(*table(name, &typed.join(" "), primary_key)).clone()
    })
}

/// A function that takes a row of a relation. `class` is the class of its value; `relation` is the relation that it returns.
fn row_function(name: &str, class: TypeClass, relation: Option<&str>, returns_one: bool) -> RowFunction {
    RowFunction {
        name: qualified(name),
        class,
        relation: relation.map(qualified),
        returns_set: relation.is_some() && !returns_one,
        returns_one,
        is_volatile: false,
        is_ambiguous: false,
    }
}

/// A foreign key from `table(columns)` to `referenced(referenced_columns)`.
fn key(name: &str, table: &str, columns: &str, referenced: &str, referenced_columns: &str) -> ForeignKey {
    ForeignKey {
        name: name.to_owned(),
        table: qualified(table),
        columns: words(columns),
        referenced_table: qualified(referenced),
        referenced_columns: words(referenced_columns),
        unique: false,
    }
}

/// A function. Parameters are written `name:type`, with `?` after those that have a default and `...` before variadic ones.
fn function(name: &str, parameters: &str, returns_set: bool, result: ResultType) -> Function {
    let is_variadic = parameters.contains("...");
    let parameters = parameters.split_whitespace().map(|text| {
        let (name, data_type) = text.split_once(':').unwrap();
        let default = data_type.ends_with('?').then(|| "'{}'".to_owned()).filter(|_| is_variadic);
        Parameter {
            name: name.trim_start_matches("...").to_owned(),
            data_type: data_type.trim_end_matches('?').to_owned(),
            is_pseudo: data_type.starts_with("any"),
            default,
            required: !data_type.ends_with('?'),
            variadic: name.starts_with("..."),
        }
    });
    Function {
        oid: 0,
        name: qualified(name),
        parameters: parameters.collect(),
        result,
        returns_set,
        callable: true,
        volatile: true,
        media: None,
    }
}

impl Default for Library {
    fn default() -> Self {
        let read_only = Relation {
            insertable: false,
            updatable: false,
            deletable: false,
            ..(*table("shelf_list", "title:text", "")).clone()
        };
        let odd = Relation {
            name: QualifiedName { schema: SCHEMA.to_owned(), name: ODD.to_owned() },
            columns: vec![Column {
                name: ODD.to_owned(),
                data_type: "int4".to_owned(),
                class: TypeClass::Scalar,
                writable: true,
                identity: false,
                updatable: true,
                not_null: true,
                comparison: Comparison::Inferred,
                representation: None,
            }],
            primary_key: vec![ODD.to_owned()],
            ..(*table("odd", "", "")).clone()
        };
        let partition =
            Relation { is_partition: true, ..(*table("old_books", "id:int4 author_id:int4", "id")).clone() };
        let columns = ["n", "label"].map(|n| ResultColumn { name: n.to_owned(), class: TypeClass::Scalar });
        let rows = |relation: &str| ResultType::Composite {
            relation: Some(qualified(relation)),
            row_type: Some(oid(relation)),
            columns: Vec::new(),
        };
        let stats = |row_type| ResultType::Composite { relation: None, row_type, columns: columns.to_vec() };
        Library {
            has_postgis: false,
            relations: vec![
                table("authors", "id:int4 name:text facts:jsonb tags:text[] bio:tsvector", "id"),
                table("books", "id:int4 title:text price:numeric(10,2) author_id:int4 publisher_id:int4", "id"),
                table("publishers", "id:int4 name:text", "id"),
                table("covers", "book_id:int4 colour:text", "book_id"),
                table("reviews", "id:int4 stars:int4 written_by:int4 edited_by:int4", "id"),
                table("people", "id:int4 name:text", "id"),
                table("friendships", "one:int4 other:int4", "one other"),
                table("subjects", "id:int4 name:text parent_id:int4", "id"),
                table("books_subjects", "book_id:int4 subject_id:int4", "book_id subject_id"),
                table("reading_lists", "book_id:int4 subject_id:int4", "book_id subject_id"),
                table("topics", "id:int4 name:text", "id"),
                table("books_topics", "book_id:int4 topic_id:int4", "book_id topic_id"),
                table("editions", "book_id:int4 number:int4 year:int4", "book_id number"),
                table("loans", "id:int4 book:int4 edition:int4 due:timestamptz", "id"),
                table("prizes", "id:int4", "id"),
                table(UNKEYED, "edition:int4 label:text note:lib.note mood:lib.mood_of_day", ""),
                table("paints", "shade:lib.colour price:int4 facts:jsonb", "shade"),
                table("archive.awards", "book_id:int4 prize_id:int4", "book_id prize_id"),
                table("archive.scans", "id:int4 book_id:int4", "id"),
                view("book_list", "book=books.id writer=books.author_id", "book"),
                view("writer_list", "writer=authors.id", "writer"),
                view("subject_list", "subject=subjects.id above=subjects.parent_id", "subject"),
                view("loan_list", "loan=loans.id b=loans.book e=loans.edition", "loan"),
                view("half_loan_list", "loan=loans.id b=loans.book", "loan"),
                view("awards", "book=archive.awards.book_id prize=archive.awards.prize_id", "book prize"),
                view("pair_list", "first=books.author_id second=books.author_id", ""),
                view("scan_list", "scan=archive.scans.id book=archive.scans.book_id", "scan"),
                Rc::new(read_only),
                Rc::new(odd),
                Rc::new(partition),
            ],
            keys: vec![
                key("books_author", "books", "author_id", "authors", "id"),
                key("old_books_author", "old_books", "author_id", "authors", "id"),
                key("books_publisher", "books", "publisher_id", "publishers", "id"),
                ForeignKey { unique: true, ..key("covers_book", "covers", "book_id", "books", "id") },
                key("reviews_writer", "reviews", "written_by", "people", "id"),
                key("reviews_editor", "reviews", "edited_by", "people", "id"),
                key("friendships_one", "friendships", "one", "people", "id"),
                key("friendships_other", "friendships", "other", "people", "id"),
                key("subjects_parent", "subjects", "parent_id", "subjects", "id"),
                key("books_subjects_book", "books_subjects", "book_id", "books", "id"),
                key("books_subjects_subject", "books_subjects", "subject_id", "subjects", "id"),
                key("reading_lists_book", "reading_lists", "book_id", "books", "id"),
                key("reading_lists_subject", "reading_lists", "subject_id", "subjects", "id"),
                key("books_topics_book", "books_topics", "book_id", "books", "id"),
                key("books_topics_topic", "books_topics", "topic_id", "topics", "id"),
                key("editions_book", "editions", "book_id", "books", "id"),
                key("loans_edition", "loans", "book edition", "editions", "book_id number"),
                key("awards_book", "archive.awards", "book_id", "books", "id"),
                key("awards_prize", "archive.awards", "prize_id", "prizes", "id"),
                key("scans_book", "archive.scans", "book_id", "books", "id"),
            ],
            row_functions: vec![
                ("books", row_function("label", TypeClass::Scalar, None, true)),
                ("stats_row", row_function("grade", TypeClass::Scalar, None, true)),
                ("books", RowFunction { is_ambiguous: true, ..row_function("rank", TypeClass::Scalar, None, true) }),
                ("books", row_function("summary", TypeClass::Structured, None, true)),
                ("books", row_function("similar", TypeClass::Structured, Some("books"), false)),
                (
                    "authors",
                    RowFunction {
                        returns_set: true,
                        ..row_function("first_book", TypeClass::Structured, Some("books"), true)
                    },
                ),
                ("books", row_function("editions", TypeClass::Structured, Some("editions"), true)),
            ],
            functions: vec![
                function("add", "a:int4 b:int4", false, ResultType::Scalar),
                function("total", "a:int4", false, ResultType::Scalar),
                function("total", "a:int4 b:int4?", false, ResultType::Scalar),
                function("pad", "a:int4", false, ResultType::Scalar),
                function("pad", "a:text b:int4?", false, ResultType::Scalar),
                function("now", "", false, ResultType::Scalar),
                function("now", "zone:text?", false, ResultType::Scalar),
                function("lend", "a:int4", false, ResultType::Scalar),
                Function { callable: false, ..function("lend", "a:int4 days:int4?", false, ResultType::Void) },
                function("load", ":json", false, ResultType::Scalar),
                function("load", "doc:json strict:bool?", false, ResultType::Scalar),
                function("first", "a:anyelement", false, ResultType::Scalar),
                function("tally", "a:int4 b:int4? ...rest:int4[]?", false, ResultType::Scalar),
                function("pick", "a:int4", false, ResultType::Scalar),
                function("pick", "a:text", false, ResultType::Scalar),
                Function { oid: UNCALLABLE, ..function("pick", "a:secret", false, ResultType::Scalar) },
                function("area", "a:int4 b:int4", false, ResultType::Scalar),
                function("area", "a:int4 b:text c:int4?", true, ResultType::Scalar),
                function("import", ":jsonb", false, ResultType::Void),
                function("upload", ":bytea", false, ResultType::Scalar),
                function("note", ":text", false, ResultType::Scalar),
                function("sum_all", "...numbers:int4[]", false, ResultType::Scalar),
                function("series", "n:int4", true, ResultType::Scalar),
                function("books_of", "author:int4", true, rows("books")),
                function("titled", "title:text", true, rows("books")),
                function("priced", "price:int4?", true, rows("books")),
                function("newest_book", "", false, rows("books")),
                function("stats", "", true, stats(None)),
                function("typed_stats", "", true, stats(Some(oid("stats_row")))),
                function("anything", "", true, ResultType::Record),
            ],
        }
    }
}

/// The target's last segment and the parsed query.
fn parsed(target: &str, is_call: bool) -> Result<(String, Query)> {
    let target = format!("/{target}");
    let target = Target::parse(&target)?;
    let name = target.segments.last().unwrap().clone().into_owned();
    Ok((name, query::parse(&target.parameters, is_call)?))
}

/// Settings under which aggregates are allowed.
pub const AGGREGATES: PlanSettings = PlanSettings { max_rows: None, aggregates: true, plans: true, keyed: false };

/// The plan of a GET.
pub fn read_with(target: &str, settings: &PlanSettings) -> Result<Select> {
    let (library, (name, query)) = (Library::default(), parsed(target, false)?);
    let mut planner = Planner::new(&library, SCHEMA, settings);
    let relation = planner.relation(&name)?;
    planner.read(&relation, &query.root)
}

/// The plan of a GET under the default settings, with the fetches of its embedded relations chosen.
pub fn read_fetched(target: &str, is_small_page: bool) -> Result<Select> {
    let (library, (name, query), settings) = (Library::default(), parsed(target, false)?, PlanSettings::default());
    let mut planner = Planner::new(&library, SCHEMA, &settings);
    let relation = planner.relation(&name)?;
    let mut select = planner.read(&relation, &query.root)?;
    planner.choose_fetches(&mut select, &relation, is_small_page)?;
    Ok(select)
}

/// The plan of a GET under the default settings.
pub fn read(target: &str) -> Result<Select> {
    read_with(target, &PlanSettings::default())
}

/// The plan of a write. `keys`: the keys of the body's objects, separated by blanks.
pub fn write(verb: Verb, target: &str, prefer: &str, keys: Option<&str>) -> Result<Write> {
    let (library, (name, query)) = (Library::default(), parsed(target, false)?);
    let settings = PlanSettings::default();
    let mut planner = Planner::new(&library, SCHEMA, &settings);
    let relation = planner.relation(&name)?;
    let keys = keys.map(|keys| BodyKeys { keys: words(keys), ..BodyKeys::default() });
    planner.write(verb, &relation, &query, &Preferences::parse(Some(prefer))?.of_write(), keys.as_ref())
}

/// The plan of a call.
pub fn call(target: &str, given: &CallArguments) -> Result<Call> {
    let (library, (name, query)) = (Library::default(), parsed(target, *given == CallArguments::Query)?);
    let settings = PlanSettings { max_rows: Some(100), ..PlanSettings::default() };
    Planner::new(&library, SCHEMA, &settings).call(
        if *given == CallArguments::Query { Verb::CallSafe } else { Verb::Call },
        &name,
        &query,
        given,
    )
}

/// The arguments of a POST, separated by blanks.
pub fn object(keys: &str) -> CallArguments {
    CallArguments::Object(words(keys))
}

/// Code and status of an error.
#[track_caller]
pub fn refusal<T>(result: Result<T>) -> (String, u16) {
    let e = result.err().expect("it was planned");
    (e.code.clone(), e.status)
}
