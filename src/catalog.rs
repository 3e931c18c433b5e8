//! What the database's catalogue says, as plain data. It is loaded relation by relation, when a request first names
//! one; see `pg::catalog`.

use crate::error::Result;
use serde::Deserialize;
use std::rc::Rc;

/// Where the planner looks names up.
///
/// # Errors
/// Every method fails if the catalogue cannot be read.
#[allow(clippy::missing_errors_doc, reason = "said once for all methods")]
pub trait Catalog {
    /// The table or view of this name.
    fn relation(&self, schema: &str, name: &str) -> Result<Option<Rc<Relation>>>;
    /// The foreign keys of a table and those that refer to it; a view has none of its own.
    fn foreign_keys(&self, relation: &Relation) -> Result<Rc<[ForeignKey]>>;
    /// The views of a schema whose rows are made of those of any of the tables, by way of other views too.
    fn views(&self, schema: &str, tables: &[&QualifiedName]) -> Result<Vec<String>>;
    /// The function of this name whose only argument is a row of the relation or composite type with this `pg_class.oid`: the
    /// first one in the search path of requests to the schema.
    fn row_function(&self, schema: &str, row_type: u32, name: &str) -> Result<Option<RowFunction>>;
    /// The functions of this name, and what else is called as they are.
    fn functions(&self, schema: &str, name: &str) -> Result<Rc<[Function]>>;
    /// The tables and views that the role in force may use, of those whose names may be similar to this one.
    fn similar_relations(&self, schema: &str, name: &str) -> Result<Vec<String>>;
    /// The functions that the role in force may call, of those whose names may be similar to this one.
    fn similar_functions(&self, schema: &str, name: &str) -> Result<Vec<Signature>>;
    /// The aggregates of a schema that make bodies of rows.
    fn media_handlers(&self, schema: &str) -> Result<Rc<[MediaHandler]>>;
    /// PostGIS's function that makes a Feature of GeoJSON (RFC 7946, section 3.2) of a row. `None` where the database has no
    /// PostGIS, or one older than 3.0.
    fn feature_function(&self) -> Result<Option<FeatureFunction>>;
    /// How SQL spells the data type of this name: one of `pg_catalog` or of the schema. `None` when there is none, or
    /// it is one that discloses catalogue contents (`regclass` and its like).
    fn data_type(&self, schema: &str, name: &str) -> Result<Option<Rc<str>>>;
    /// Whether the role of the request may read any column of a relation: what it may not is not proposed to it.
    fn may_read(&self, relation: &QualifiedName) -> Result<bool>;
    /// Whether the role of the request may read a column of a relation.
    fn may_read_column(&self, relation: &Relation, column: &str) -> Result<bool>;
    /// The columns of a relation that the role of the request may update.
    fn may_update(&self, relation: &Relation) -> Result<Vec<String>>;
    /// Whether the role of the request may call a function.
    fn may_call(&self, function: &Function) -> Result<bool>;
}

/// The name of an object in its schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub struct QualifiedName {
    pub schema: String,
    pub name: String,
}

/// A table or view.
#[derive(Clone, Debug, Deserialize)]
pub struct Relation {
    /// `pg_class.oid`
    pub oid: u32,
    #[serde(flatten)]
    pub name: QualifiedName,
    pub columns: Vec<Column>,
    /// The primary key's columns in its order; empty without a primary key. That of a view is made of the keys of the tables that
    /// it shows, as far as all their columns are there.
    #[serde(default)]
    pub primary_key: Vec<String>,
    /// Of a view: its columns that are columns of tables.
    #[serde(default)]
    pub sources: Vec<ColumnSource>,
    /// A partition: what it holds is the partitioned table's, and requests see that alone.
    #[serde(default)]
    pub is_partition: bool,
    #[serde(default)]
    pub is_view: bool,
    /// Rows can be inserted or else updated by its primary key.
    pub upsertable: bool,
    pub insertable: bool,
    pub updatable: bool,
    pub deletable: bool,
}

impl Relation {
    /// The tables whose foreign keys are those of the relation: itself, or those that a view shows.
    pub fn tables(&self) -> Vec<&QualifiedName> {
        let mut tables = Vec::new();
        for source in &self.sources {
            if !tables.contains(&&source.table) {
                tables.push(&source.table);
            }
        }
        if tables.is_empty() {
            tables.push(&self.name);
        }
        tables
    }

    /// What the relation calls these columns of a table. A view may show one several times, so there may be several answers;
    /// empty if one of them is not shown.
    pub fn shows(&self, table: &QualifiedName, columns: &[String]) -> Vec<Vec<String>> {
        if self.name == *table {
            return vec![columns.to_vec()];
        }
        if self.sources.is_empty() {
            return Vec::new();
        }
        let mut shown = vec![Vec::with_capacity(columns.len())];
        for column in columns {
            let names = self.sources.iter().filter(|s| s.table == *table && s.source == *column);
            let names: Vec<&String> = names.map(|s| &s.column).collect();
            let longer = shown.iter().flat_map(|head: &Vec<String>| {
                names.iter().map(move |name| head.iter().chain([*name]).cloned().collect())
            });
            shown = longer.take(crate::limits::KEY_READINGS).collect();
        }
        shown
    }

    /// Whether casts say how some column of it stands in JSON or in filters.
    pub fn is_represented(&self) -> bool {
        self.columns.iter().any(|c| c.representation.is_some())
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Whether one row can be replaced: it is named by a primary key, whose columns take values.
    pub fn is_replaceable(&self) -> bool {
        let takes_value = |name: &String| self.column(name).is_some_and(|c| c.writable);
        self.insertable
            && self.updatable
            && self.upsertable
            && !self.primary_key.is_empty()
            && self.primary_key.iter().all(takes_value)
    }

    /// Of a view that PostgreSQL updates by itself: its columns have the defaults of those that they are, where they have none of
    /// their own, and take values as those do.
    pub fn inherit_from_sources(&mut self) {
        for source in &self.sources {
            let Some(column) = self.columns.iter_mut().find(|c| c.name == source.column) else { continue };
            (column.writable, column.identity) = (source.writable, source.identity);
            if column.default.is_none() {
                column.default.clone_from(&source.default);
            }
        }
    }

    /// The methods that the relation supports by its kind, as Allow lists them (RFC 9110, section 10.2.1). What the role
    /// may do is another question.
    pub fn allow(&self) -> String {
        let mut methods = vec!["OPTIONS", "GET", "HEAD"];
        for (method, supported) in [
            ("POST", self.insertable),
            ("PUT", self.is_replaceable()),
            ("PATCH", self.updatable),
            ("DELETE", self.deletable),
        ] {
            if supported {
                methods.push(method);
            }
        }
        methods.join(",")
    }
}

/// A column of a view that is a column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ColumnSource {
    pub column: String,
    pub table: QualifiedName,
    /// The table's name for it.
    pub source: String,
    /// What is said of the table's column, as of [`Column`].
    #[serde(default)]
    pub default: Option<String>,
    pub writable: bool,
    pub identity: bool,
}

/// A column.
#[derive(Clone, Debug, Deserialize)]
pub struct Column {
    pub name: String,
    /// The type as SQL spells it, qualified, with its modifier: `numeric(10,2)`, `api.mood`.
    pub data_type: String,
    /// What the type is to the grammar.
    pub class: TypeClass,
    /// The expression that a missing value gets: the default, or the next value of an identity column.
    pub default: Option<String>,
    /// A value for it can be given: it is neither a generated column nor `GENERATED ALWAYS AS IDENTITY`.
    pub writable: bool,
    /// It is an identity column.
    pub identity: bool,
    /// UPDATE can set it.
    pub updatable: bool,
    /// How casts say that its values, which are of a domain, come in and go out.
    #[serde(default)]
    pub representation: Option<Representation>,
}

/// The functions of the implicit casts of a domain: what its values are in JSON and in filters. What has none is as
/// the domain's base type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Representation {
    /// From the domain to `json`: values of answers.
    pub to_json: Option<Box<QualifiedName>>,
    /// From `json` to the domain: values of bodies.
    pub from_json: Option<Box<QualifiedName>>,
    /// From `text` to the domain: values of filters.
    pub from_text: Option<Box<QualifiedName>>,
}

/// What a type is to the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TypeClass {
    /// `json` or `jsonb`: paths go into it.
    Json,
    /// An array or composite: paths go into it by way of `to_jsonb`.
    Structured,
    /// `tsvector`: full-text search needs no conversion.
    Tsvector,
    /// Any other.
    Scalar,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ForeignKey {
    pub name: String,
    pub table: QualifiedName,
    pub columns: Vec<String>,
    pub referenced_table: QualifiedName,
    pub referenced_columns: Vec<String>,
    /// The columns are unique, so that at most one row refers to one.
    pub unique: bool,
}

/// A function whose only argument is a row of a relation or composite type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RowFunction {
    #[serde(flatten)]
    pub name: QualifiedName,
    /// What the type of its result is to the grammar.
    pub class: TypeClass,
    /// The table or view whose rows it returns.
    pub relation: Option<QualifiedName>,
    pub returns_set: bool,
    /// It returns one row at most: no set, or one that is declared with `ROWS 1`.
    pub returns_one: bool,
    /// A call of it may be one of another function, whose other arguments have defaults.
    #[serde(default)]
    pub is_ambiguous: bool,
}

impl RowFunction {
    /// Whether it computes a column.
    pub fn is_column(&self) -> bool {
        !self.returns_set
    }
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Function {
    /// `pg_proc.oid`
    pub oid: u32,
    #[serde(flatten)]
    pub name: QualifiedName,
    /// The input parameters in order.
    pub parameters: Vec<Parameter>,
    pub result: ResultType,
    /// Whether it returns a set.
    pub returns_set: bool,
    /// It is a function, and no trigger's. What is not is here because PostgreSQL may take a call for one of it.
    pub callable: bool,
    /// Whether it is VOLATILE.
    pub volatile: bool,
    /// The media type of its result, which is a domain of that name, in lower case.
    #[serde(default)]
    pub media: Option<String>,
}

/// A function by the names that it is called with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Signature {
    pub name: String,
    /// The names of its input parameters.
    pub parameters: Vec<String>,
}

/// An aggregate whose result is a domain named like a media type: it makes a body of rows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MediaHandler {
    pub function: QualifiedName,
    /// The name of the domain in lower case: `text/csv`, `*/*`.
    pub media: String,
    /// The relation whose rows it takes; `None` if it takes any rows.
    pub relation: Option<QualifiedName>,
}

/// A function that makes a Feature of GeoJSON of any row.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FeatureFunction {
    #[serde(flatten)]
    pub name: QualifiedName,
    /// The defaults of the arguments behind the row, each as SQL of its argument's type. They are written out, because a call with
    /// fewer arguments could mean another function of the schema.
    pub defaults: Vec<String>,
}

/// An input parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Parameter {
    /// Empty when it has none.
    #[serde(default)]
    pub name: String,
    /// The type as SQL spells it, qualified.
    pub data_type: String,
    /// It is a pseudo-type, as the polymorphic ones are: what is given decides the type.
    #[serde(default)]
    pub is_pseudo: bool,
    /// It has no default.
    pub required: bool,
    pub variadic: bool,
    /// Of a variadic function, the default as SQL.
    #[serde(default)]
    pub default: Option<String>,
}

/// What a function returns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum ResultType {
    Void,
    Scalar,
    /// Rows of a table or composite type, or OUT parameters; `relation` when the type is that of a table or view.
    Composite {
        relation: Option<QualifiedName>,
        /// `pg_class.oid` of the type; none for OUT parameters.
        #[serde(default)]
        row_type: Option<u32>,
        columns: Vec<ResultColumn>,
    },
    /// `record` without OUT parameters: only the call itself tells the columns.
    Record,
}

/// A column of a function's result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ResultColumn {
    pub name: String,
    pub class: TypeClass,
}
