//! The database's catalogue as plain data. It is loaded relation by relation, when a request first names one; see `pg::catalog`.

use crate::error::Result;
use serde::Deserialize;
use std::rc::Rc;

/// Looks up names for the planner.
///
/// # Errors
/// Every method fails if the catalogue cannot be read.
#[allow(clippy::missing_errors_doc, reason = "said once for all methods")]
pub trait Catalog {
    /// The table or view with this name.
    fn relation(&self, schema: &str, name: &str) -> Result<Option<Rc<Relation>>>;
    /// The foreign keys of a table, and those that refer to it. Views have no foreign keys.
    fn foreign_keys(&self, relation: &Relation) -> Result<Rc<[ForeignKey]>>;
    /// The views of a schema that read any of the tables, directly or through other views.
    fn views(&self, schema: &str, tables: &[&QualifiedName]) -> Result<Vec<String>>;
    /// The function with this name whose only argument is a row of the relation or composite type with this `pg_class.oid`: the
    /// first one in the search path of requests to the schema.
    fn row_function(&self, schema: &str, row_type: u32, name: &str) -> Result<Option<RowFunction>>;
    /// The functions with this name, and other objects that are called like functions.
    fn functions(&self, schema: &str, name: &str) -> Result<Rc<[Function]>>;
    /// The table or view with the most similar name that the role in force may use, if the name is similar enough.
    fn similar_relation(&self, schema: &str, name: &str) -> Result<Option<Rc<str>>>;
    /// The functions with possibly similar names that the role in force may call.
    fn similar_functions(&self, schema: &str, name: &str) -> Result<Rc<[Signature]>>;
    /// The aggregates of a schema that turn rows into bodies.
    fn media_handlers(&self, schema: &str) -> Result<Rc<[MediaHandler]>>;
    /// PostGIS's function that turns a row into a GeoJSON Feature (RFC 7946, section 3.2). `None` if PostGIS is not installed, or
    /// is older than 3.0.
    fn feature_function(&self) -> Result<Option<FeatureFunction>>;
    /// The spelling in SQL of the data type with this name, in `pg_catalog` or in the schema. `None` if there is no such type, or
    /// if it discloses the contents of the catalogue (`regclass` and its like).
    fn data_type(&self, schema: &str, name: &str) -> Result<Option<Rc<str>>>;
    /// Whether the role of the request may read any column of a relation. Names of other relations are not suggested to it.
    fn may_read(&self, relation: &QualifiedName) -> Result<bool>;
    /// What the role of the request may do with a relation, or with any column of it.
    fn rights(&self, relation: &Relation) -> Result<Rights>;
    /// Whether the role of the request may put a row: it may read and insert all columns of the primary key, which the body has, and
    /// update another column, or all of these.
    fn may_put(&self, relation: &Relation) -> Result<bool>;
    /// Whether the role of the request may read a column of a relation.
    fn may_read_column(&self, relation: &Relation, column: &str) -> Result<bool>;
    /// The expression for a missing value of a column: its default, or the next value of an identity column. A column of a view without
    /// a default has that of its table's column, if rows can be inserted through the view.
    fn default_of(&self, relation: &Relation, column: &str) -> Result<Option<String>>;
    /// The columns of a unique key of a table that has no primary key. None of them is nullable, and rows have no equal ones at any time.
    /// Empty if there is none.
    fn unique_key(&self, relation: &Relation) -> Result<Vec<String>>;
    /// The columns of a relation that the role of the request may update.
    fn may_update(&self, relation: &Relation) -> Result<Vec<String>>;
    /// Whether the role of the request may call the extension's functions that write embedded rows. A database that has an older
    /// version of the extension does not have them.
    fn may_write_embedded(&self) -> Result<bool>;
    /// Whether the role of the request may call the extension's functions that tell versions of rows. A database that has an older version
    /// of the extension does not have them.
    fn may_tell_versions(&self) -> Result<bool>;
    /// Whether the role of the request may call a function.
    fn may_call(&self, function: &Function) -> Result<bool>;
}

/// The privileges of a role on a relation, or on any column of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    pub select: bool,
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
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
    /// The columns of the primary key in its order; empty without a primary key. For a view, it consists of the keys of its tables,
    /// if the view shows all their columns.
    #[serde(default)]
    pub primary_key: Vec<String>,
    /// For a view: its columns that are columns of tables.
    #[serde(default)]
    pub sources: Vec<ColumnSource>,
    /// It is a partition. Its rows belong to the partitioned table, and requests only see that.
    #[serde(default)]
    pub is_partition: bool,
    #[serde(default)]
    pub is_view: bool,
    /// A unique key is unique among the rows that a read shows, at any time: it is a table, no other table inherits from it, and its
    /// indexes are complete and cannot be deferred.
    pub has_unique_keys: bool,
    /// It is a view that PostgreSQL itself writes through, so its columns are written like those of its tables.
    #[serde(default)]
    pub inherits: bool,
    /// Rows can be inserted or updated by its primary key.
    pub upsertable: bool,
    pub insertable: bool,
    pub updatable: bool,
    pub deletable: bool,
    pub settings: ResourceSettings,
    pub versions: Versions,
    /// A write can return the version of the row as a later read tells it.
    pub returns_versions: bool,
}

/// What the versions of a relation's rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Versions {
    /// Those that PostgreSQL stores: all rows are in one heap.
    Stored,
    /// The contents of the rows.
    #[default]
    Contents,
}

/// What `restful.resource` says about a relation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ResourceSettings {
    /// A write of a row has to state a condition (RFC 6585, section 3).
    pub require_match: bool,
    /// A write has to have an Idempotency-Key.
    pub require_idempotency_key: bool,
    /// The directives of Cache-Control (RFC 9111, section 5.2).
    pub cache_control: Option<String>,
    /// The column that says when a row was last changed.
    pub last_modified: Option<String>,
}

impl Relation {
    /// The tables whose foreign keys the relation has: itself, or for a view its tables.
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

    /// The relation's names for these columns of a table. A view may show a column several times, so there may be several answers.
    /// Empty if one of the columns is not shown.
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

    /// Whether any of its columns has a representation, so that casts determine its form in JSON or in filters.
    pub fn is_represented(&self) -> bool {
        self.columns.iter().any(|c| c.representation.is_some())
    }

    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|c| c.name == name)
    }

    /// Whether a single row can be replaced: it has a primary key whose columns can be written.
    pub fn is_replaceable(&self) -> bool {
        let takes_value = |name: &String| self.column(name).is_some_and(|c| c.writable);
        self.insertable
            && self.updatable
            && self.upsertable
            && !self.primary_key.is_empty()
            && self.primary_key.iter().all(takes_value)
    }

    /// For a view that PostgreSQL itself writes through: its columns are writable if their table columns are, and inherit their
    /// defaults, unless they have their own.
    pub fn inherit_from_sources(&mut self) {
        self.inherits = true;
        for source in &self.sources {
            let Some(column) = self.columns.iter_mut().find(|c| c.name == source.column) else { continue };
            (column.writable, column.identity) = (source.writable, source.identity);
            // Such a view has one table, whose rows are its rows.
            column.not_null = source.not_null;
        }
    }
}

/// A column of a view that is a column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ColumnSource {
    pub column: String,
    pub table: QualifiedName,
    /// The name of the column in the table.
    pub source: String,
    /// Properties of the table's column, as in [`Column`].
    pub writable: bool,
    pub identity: bool,
    pub not_null: bool,
}

/// A column.
#[derive(Clone, Debug, Deserialize)]
pub struct Column {
    pub name: String,
    /// The qualified type as SQL spells it, with its modifier: `numeric(10,2)`, `api.mood`.
    pub data_type: String,
    /// The class of the type in the grammar.
    pub class: TypeClass,
    /// It can be given a value: it is neither a generated column nor `GENERATED ALWAYS AS IDENTITY`.
    pub writable: bool,
    /// It is an identity column.
    pub identity: bool,
    /// UPDATE can set it.
    pub updatable: bool,
    /// No row that a read shows has null in it.
    pub not_null: bool,
    /// How its values are compared with those of a cursor.
    pub comparison: Comparison,
    /// The casts of its domain that determine how values come in and go out.
    #[serde(default)]
    pub representation: Option<Representation>,
}

/// How PostgreSQL compares the values of a column with a parameter, as it orders them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Comparison {
    /// It infers the type of the parameter.
    #[default]
    Inferred,
    /// Both are cast to this type: the enum below a domain, for which it has no operators.
    As(String),
    /// It does not: a composite value whose members are all null is null to a condition, and a value to an order.
    Impossible,
}

/// The functions of a domain's implicit casts: what its values are in JSON and in filters. Without a cast, the base type determines
/// that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Representation {
    /// From the domain to `json`: values in responses.
    pub to_json: Option<Box<QualifiedName>>,
    /// From `json` to the domain: values in bodies.
    pub from_json: Option<Box<QualifiedName>>,
    /// From `text` to the domain: values in filters.
    pub from_text: Option<Box<QualifiedName>>,
}

/// The class of a type in the grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TypeClass {
    /// `json` or `jsonb`: paths can go into it.
    Json,
    /// An array or composite: paths go into it through `to_jsonb`.
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
    /// The columns are unique, so at most one row refers to a row.
    pub unique: bool,
}

/// A function whose only argument is a row of a relation or composite type.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RowFunction {
    #[serde(flatten)]
    pub name: QualifiedName,
    /// The class of its result type in the grammar.
    pub class: TypeClass,
    /// The table or view whose rows it returns.
    pub relation: Option<QualifiedName>,
    pub returns_set: bool,
    /// It returns at most one row: it returns no set, or is declared with `ROWS 1`.
    pub returns_one: bool,
    /// It is VOLATILE.
    pub is_volatile: bool,
    /// PostgreSQL could read a call of it as a call of another function, whose other arguments have defaults.
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
    /// It can be called: it is a function, and not a trigger function. The others are listed because PostgreSQL may read a call as
    /// a call of one of them.
    pub callable: bool,
    /// Whether it is VOLATILE.
    pub volatile: bool,
    /// The media type of its result, if the result is a domain named like one. In lower case.
    #[serde(default)]
    pub media: Option<String>,
}

/// A function, as it is called by name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Signature {
    pub name: String,
    /// The names of its input parameters.
    pub parameters: Vec<String>,
}

/// An aggregate whose result is a domain named like a media type. It turns rows into a body.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MediaHandler {
    pub function: QualifiedName,
    /// The name of the domain in lower case: `text/csv`, `*/*`.
    pub media: String,
    /// The relation whose rows it takes; `None` if it takes any rows.
    pub relation: Option<QualifiedName>,
}

/// A function that turns any row into a GeoJSON Feature.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FeatureFunction {
    #[serde(flatten)]
    pub name: QualifiedName,
    /// The defaults of the arguments after the row, each as SQL with the argument's type. They are passed explicitly, because a
    /// call with fewer arguments could mean another function of the schema.
    pub defaults: Vec<String>,
}

/// An input parameter.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Parameter {
    /// Empty if it has no name.
    #[serde(default)]
    pub name: String,
    /// The qualified type as SQL spells it.
    pub data_type: String,
    /// It is a pseudo-type, such as the polymorphic types: the argument determines the type.
    #[serde(default)]
    pub is_pseudo: bool,
    /// It has no default.
    pub required: bool,
    pub variadic: bool,
    /// For a variadic function, the default as SQL.
    #[serde(default)]
    pub default: Option<String>,
}

/// What a function returns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum ResultType {
    Void,
    Scalar,
    /// Rows of a table or composite type, or OUT parameters. `relation`: the table or view whose row type it is.
    Composite {
        relation: Option<QualifiedName>,
        /// `pg_class.oid` of the type; `None` for OUT parameters.
        #[serde(default)]
        row_type: Option<u32>,
        columns: Vec<ResultColumn>,
    },
    /// `record` without OUT parameters: the columns are only known from the call.
    Record,
    /// `restful.http_response`, which is the response.
    Response,
}

/// A column of a function's result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ResultColumn {
    pub name: String,
    pub class: TypeClass,
}
