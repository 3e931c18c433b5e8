//! Plans as data: resolved names of the catalogue. The literals of the request are still kept apart. Pure.

use crate::catalog::QualifiedName;
use crate::json::Framing;
use crate::query::{Aggregate, Connective, FullText, IsValue, JsonStep, Operator, Quantifier, ValueId};
use std::rc::Rc;

pub use super::keyset::KeyTest;

/// A plan.
#[derive(Clone, Debug)]
pub enum Plan {
    Read(Select),
    Write(Write),
    Call(Call),
}

/// A SELECT.
#[derive(Clone, Debug)]
pub struct Select {
    pub source: Source,
    /// The alias of the source.
    pub alias: String,
    pub outputs: Vec<Output>,
    pub conditions: Vec<Predicate>,
    pub embeds: Vec<Embedded>,
    pub order: Vec<Ordering>,
    pub limit: RowLimit,
    pub offset: Option<ValueId>,
    /// Some outputs are aggregates. The others form the groups, and none of them is [`Output::All`].
    pub grouped: bool,
    /// The columns of [`Output::All`] if some of them have a representation; otherwise `None`.
    pub listed: Option<Rc<Vec<Output>>>,
    /// How its page begins beside a row, instead of after a number of rows. Its order then tells any two rows apart, and the terms of the
    /// order are result columns behind all others.
    pub keyset: Option<Box<Keyset>>,
    /// Columns after the outputs that are not part of the body. A statement whose rows a handler turns into the body, and one that is
    /// only explained or counted, does not have them.
    pub hidden: Vec<Hidden>,
    /// The directives of Cache-Control for its rows.
    pub cache_control: Option<Rc<str>>,
}

/// A page that begins beside a row, or at the first or last one.
#[derive(Clone, Debug)]
pub struct Keyset {
    /// The rows are read from the last to the first, and the order of the SELECT is the reverse of the one that was asked for.
    pub backward: bool,
    /// What [`crate::keyset::order_identity`] says of the order that was asked for.
    pub order: u32,
    /// The keys of the row that the page lies beside: a literal for each term of the order, `None` for null. Empty for the first and the
    /// last page.
    pub values: Vec<Option<ValueId>>,
    /// The types that the keys are compared as, if PostgreSQL does not find them, for each term of the order.
    pub casts: Vec<Option<String>>,
    /// The rows of the page: those of the first region, then those of the second, and so on until the page is full. The rows of a region
    /// are those that all of its tests let through.
    pub regions: Vec<Vec<KeyTest>>,
}

/// A result column that the row sink does not write into the body. It keeps its bytes, of the first and of the last row. It is of type
/// `text` or `bytea`.
#[derive(Clone, Debug)]
pub enum Hidden {
    /// A term that the rows can be ordered by, as text.
    Text(OrderBy),
    /// The hidden column with this number, from 0, of the write whose rows are read.
    Written(usize),
    /// The version of the row.
    Version(RowVersion),
    /// When the row was last changed, in seconds since 1970; null if that is not known for certain.
    Changed(ColumnReference),
}

/// What names the version of a row of the source with an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowVersion {
    pub alias: String,
    /// The columns whose values are the version. `None`: PostgreSQL's own version of the stored row.
    pub columns: Option<Rc<Vec<String>>>,
}

/// A test of a row that a write is about to change, as a call of a function: PostgreSQL makes it again on a row that another
/// transaction has just changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowCondition {
    /// The row has one of these versions; or none of them, if negated.
    Version { version: RowVersion, tags: ValueId, negated: bool },
    /// The row was not changed after this second.
    Unmodified { column: ColumnReference, since: ValueId },
}

impl Source {
    /// The relation whose rows an embedded SELECT reads.
    pub fn relation(&self) -> Option<&QualifiedName> {
        match self {
            Source::Relation(name) | Source::Computed { relation: name, .. } => Some(name),
            Source::Written | Source::Function(_) => None,
        }
    }
}

impl Select {
    /// Whether its rows, ignoring the page, may differ from those of its source, or be fewer.
    pub fn restricts(&self) -> bool {
        self.grouped || !self.conditions.is_empty() || self.embeds.iter().any(|embed| embed.inner)
    }

    /// The embedded relation of an output, if its rows are fetched for all parents together.
    pub fn fetched_together(&self, output: &Output) -> Option<&Embedded> {
        let Output::Embedded { embed, .. } = output else { return None };
        self.embeds.get(*embed).filter(|e| e.fetch == Fetch::Together)
    }

    /// The names of an output's columns. Empty for [`Output::All`].
    pub fn names<'a>(&'a self, output: &'a Output) -> Vec<&'a str> {
        match output {
            Output::All => Vec::new(),
            Output::Expression { name, .. } | Output::Embedded { name, .. } => vec![name],
            Output::Spread { embed } => {
                let spread = self.embeds.get(*embed).and_then(|e| e.spread.as_ref());
                spread.into_iter().flatten().map(|column| column.name.as_str()).collect()
            }
        }
    }

    /// Its outputs, with the columns of [`Output::All`] one by one if they are listed.
    pub fn listed_outputs(&self) -> impl Iterator<Item = &Output> {
        self.outputs.iter().flat_map(|output| match (output, &self.listed) {
            (Output::All, Some(listed)) => listed.as_slice(),
            _ => std::slice::from_ref(output),
        })
    }

    /// Whether it has a limit or an offset.
    pub fn is_paged(&self) -> bool {
        self.limit.is_set() || self.offset.is_some()
    }

    /// Whether functions compute columns or embedded relations of its rows.
    pub fn computes(&self) -> bool {
        let is_computed = |e: &Expression| e.column.as_ref().is_some_and(|column| column.function.is_some());
        self.outputs.iter().any(|o| matches!(o, Output::Expression { expression, .. } if is_computed(expression)))
            || self.order.iter().any(|o| matches!(&o.by, OrderBy::Expression(e) if is_computed(e)))
            || self.embeds.iter().any(|e| matches!(e.select.source, Source::Computed { .. }))
    }
}

/// The limit on rows of a SELECT: the smaller of what is asked for and what is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowLimit {
    pub value: Option<ValueId>,
    pub cap: Option<u64>,
}

impl RowLimit {
    /// Whether there is a limit.
    pub fn is_set(self) -> bool {
        self.value.is_some() || self.cap.is_some()
    }
}

/// Where rows come from.
#[derive(Clone, Debug)]
pub enum Source {
    Relation(QualifiedName),
    /// The rows that the statement's write returned.
    Written,
    /// The rows that the function returned.
    Function(Invocation),
    /// The related rows that a function computes from one row.
    Computed {
        function: QualifiedName,
        row: Row,
        relation: QualifiedName,
        /// The function returns a set.
        is_set: bool,
    },
}

/// The row that a function gets as its argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// The row of the source with this alias.
    Of(String),
    /// The value of a column.
    In(ColumnReference),
}

/// An output column.
#[derive(Clone, Debug)]
pub enum Output {
    /// All columns of the source.
    All,
    /// An expression, under this name.
    Expression { expression: Expression, name: String },
    /// The JSON of an embedded relation: index into [`Select::embeds`].
    Embedded { embed: usize, name: String },
    /// The columns of a spread relation.
    Spread { embed: usize },
}

/// A column, optionally with a path into it, a cast and an aggregate.
#[derive(Clone, Debug)]
pub struct Expression {
    /// `None` for `count(*)`.
    pub column: Option<ColumnReference>,
    /// The path needs `to_jsonb` first.
    pub to_jsonb: bool,
    pub path: Vec<JsonStep>,
    pub cast: Option<Rc<str>>,
    pub aggregate: Option<Aggregate>,
    pub aggregate_cast: Option<Rc<str>>,
    /// The function that converts the column to JSON, for an output column with a representation.
    pub to_json: Option<Box<QualifiedName>>,
}

impl Expression {
    /// The value of a column; `None` for `count(*)`.
    pub fn of(column: Option<ColumnReference>) -> Self {
        Expression {
            column,
            to_jsonb: false,
            path: Vec::new(),
            cast: None,
            aggregate: None,
            aggregate_cast: None,
            to_json: None,
        }
    }
}

/// A column of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnReference {
    pub alias: String,
    pub column: String,
    /// For a computed column, the function that computes it from the source's row.
    pub function: Option<QualifiedName>,
}

impl ColumnReference {
    /// A stored column.
    pub fn new(alias: &str, column: &str) -> Self {
        ColumnReference { alias: alias.to_owned(), column: column.to_owned(), function: None }
    }
}

/// A condition.
#[derive(Clone, Debug)]
pub enum Predicate {
    Tree {
        negated: bool,
        connective: Connective,
        children: Vec<Predicate>,
    },
    Test {
        expression: Expression,
        negated: bool,
        test: Test,
        /// The function that converts the compared values, for a column with a representation.
        from_text: Option<Box<QualifiedName>>,
    },
    /// The embedded relation has a row, or does not have one.
    Embedded {
        embed: usize,
        is_null: bool,
    },
}

/// The test of a condition.
#[derive(Clone, Debug)]
pub enum Test {
    Binary {
        operator: Operator,
        quantifier: Option<Quantifier>,
        value: ValueId,
    },
    In(ValueId),
    Is(IsValue),
    IsDistinct(ValueId),
    /// `convert`: the expression is not a `tsvector` yet.
    FullText {
        function: FullText,
        configuration: Option<String>,
        value: ValueId,
        convert: bool,
    },
}

/// A term of ORDER BY.
#[derive(Clone, Debug)]
pub struct Ordering {
    pub by: OrderBy,
    pub descending: Option<bool>,
    pub nulls_first: Option<bool>,
}

/// What rows are ordered by.
#[derive(Clone, Debug)]
pub enum OrderBy {
    Expression(Expression),
    /// An expression that an embedded to-one relation provides: index into [`Select::embeds`] and into its extras.
    Embedded {
        embed: usize,
        extra: usize,
    },
    /// A column that a spread relation provides: index into [`Select::embeds`] and into its columns.
    Spread {
        embed: usize,
        column: usize,
    },
}

/// A relation embedded in another.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// The alias of the subquery with its rows.
    pub alias: String,
    pub select: Select,
    /// The join condition: pairs of equal columns.
    pub on: Vec<(ColumnReference, ColumnReference)>,
    /// The junction table and its alias.
    pub junction: Option<(QualifiedName, String)>,
    pub to_many: bool,
    /// Parents without a related row are left out.
    pub inner: bool,
    /// For a spread relation, the columns that it adds to the parent's.
    pub spread: Option<Vec<SpreadColumn>>,
    /// Expressions that the parent orders by.
    pub extras: Vec<Expression>,
    /// The extension's functions write its rows as JSON. If not, PostgreSQL's do.
    pub own_functions: bool,
    pub fetch: Fetch,
}

/// How the rows of an embedded relation are fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fetch {
    /// By a lateral join.
    #[default]
    Joined,
    /// The one row of a to-one relation by a subquery for each row of a small page, without a join's preparations.
    ForEach,
    /// The rows of a to-many relation for all parents together: a page of many rows is read once, and without an index on the foreign
    /// key the table is.
    Together,
}

impl Embedded {
    /// Whether a function computes its rows, or the rows of a relation within it.
    pub fn is_computed(&self) -> bool {
        matches!(self.select.source, Source::Computed { .. }) || self.select.embeds.iter().any(Embedded::is_computed)
    }
}

/// A column that a spread relation adds to the parent's. A to-many relation adds a list of its rows' values.
#[derive(Clone, Debug)]
pub struct SpreadColumn {
    pub name: String,
    /// The aggregate is computed in the parent, over the parent's groups. It may have a cast of its result.
    pub aggregate: Option<(Aggregate, Option<Rc<str>>)>,
    /// The value has type `json`, which has no equality operator to group by.
    pub is_json: bool,
}

/// A change of one relation.
#[derive(Clone, Debug)]
pub struct Write {
    pub relation: QualifiedName,
    /// `pg_class.oid`
    pub relation_oid: u32,
    pub alias: String,
    pub change: Change,
    pub returning: Returning,
    /// The rows that would be returned if the client had asked for them. They are planned and prepared, so that an invalid `select`
    /// is refused in either case.
    pub unreturned: Option<Box<Select>>,
    /// The returned rows may differ from the changed ones, or be fewer, so the statement counts the changed ones itself.
    pub counts: bool,
    /// The path names the row.
    pub is_item: bool,
    /// Columns of the changed rows that are not part of the body, whatever else is returned. See [`Select::hidden`].
    pub hidden: Vec<Hidden>,
    /// How the objects of the body are written.
    pub framing: Framing,
    /// The tests of rows that are changed. An insert makes them of a row that it finds in place.
    pub conditions: Vec<RowCondition>,
}

impl Write {
    /// The SELECT over the written rows that returns what RETURNING cannot.
    pub fn returned_by_select(&self) -> Option<&Select> {
        let Returning::Rows(select) = &self.returning else { return None };
        let is_needed = !select.embeds.is_empty()
            || !select.order.is_empty()
            || select.limit.is_set()
            || select.offset.is_some()
            || select.grouped
            || select.outputs.is_empty();
        is_needed.then_some(select)
    }
}

/// The change that a write makes.
#[derive(Clone, Debug)]
pub enum Change {
    Insert {
        columns: Vec<BodyColumn>,
        /// Every object of the body must have the same keys.
        uniform: bool,
        /// Columns whose values the URL gives (PUT). If they are also in `columns`, the values must agree.
        key: Vec<(KeyColumn, ValueId)>,
        conflict: Option<Conflict>,
    },
    Update {
        columns: Vec<BodyColumn>,
        /// The columns get the values that a patch makes of each row's.
        patch: Option<Patched>,
        chosen: Box<Chosen>,
    },
    Delete {
        chosen: Box<Chosen>,
    },
    /// Updates or deletes the rows that the elements of the body name.
    Each(Box<Each>),
}

/// A patch that is applied to each row.
#[derive(Clone, Debug)]
pub struct Patched {
    /// It is a JSON Merge Patch, otherwise a JSON Patch.
    pub is_merge: bool,
    /// The columns of the document, each with the function that converts it to JSON.
    pub document: Vec<(String, Option<Box<QualifiedName>>)>,
}

/// Rows that the elements of the body name by their primary key, one by one.
#[derive(Clone, Debug)]
pub struct Each {
    /// The columns of the primary key, and after them those that an update sets.
    pub columns: Vec<BodyColumn>,
    /// How many of the columns are the key.
    pub keys: usize,
    /// The rows are deleted. Otherwise they are updated.
    pub deletes: bool,
    /// The elements are values of the only column of the key, and not objects.
    pub bare: bool,
    /// Conditions that the rows must fulfil besides.
    pub chosen: Chosen,
}

/// The column of the written rows that holds the number of the element that named the row, from 1.
pub const ELEMENT: &str = "?element";

/// The rows that PATCH and DELETE change: the same rows that a read with these filters returns.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// That read, without outputs.
    pub select: Select,
    /// The primary key, which finds the rows of a page again. Empty without a page.
    pub key: Vec<String>,
}

/// A column of the primary key whose value the URL gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    pub column: String,
    /// Its position in the body's columns, if the body has it too.
    pub in_body: Option<usize>,
    /// The function that converts the URL's value, for a column with a representation.
    pub from_text: Option<Box<QualifiedName>>,
}

/// A column that gets its value from a key of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyColumn {
    pub column: String,
    pub data_type: String,
    /// The expression for rows without the key.
    pub default: Option<String>,
    /// Rows without the key keep the column's value.
    pub keeps: bool,
    /// The function that converts the body's JSON, for a column with a representation.
    pub from_json: Option<Box<QualifiedName>>,
    /// The value is passed as text, and not as a JSON string.
    pub is_text: bool,
}

/// What to do with existing rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The columns of the unique key.
    pub columns: Vec<String>,
    /// Existing rows are updated; otherwise they are left alone.
    pub update: bool,
    /// Columns that an update resets to their defaults, in addition to the columns of the body.
    pub resets: Vec<Reset>,
    /// Columns that an update keeps, although the body sets them in new rows.
    pub kept: Vec<String>,
}

/// A column that is set to its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    pub column: String,
    /// As SQL; `None` for PostgreSQL's DEFAULT.
    pub default: Option<String>,
}

/// What a write returns.
#[derive(Clone, Debug)]
pub enum Returning {
    Nothing,
    /// The primary key, for Location: the columns, each with the function that converts it to JSON if filters convert it back.
    Key(Vec<(String, Option<Box<QualifiedName>>)>),
    Rows(Box<Select>),
}

/// A function call.
#[derive(Clone, Debug)]
pub struct Call {
    pub invocation: Invocation,
    pub result: CallResult,
    /// The media type of the function's value, taken from its domain.
    pub media: Option<String>,
    /// The relation whose rows it returns.
    pub rows: Option<QualifiedName>,
    /// The function may write: it is `VOLATILE`.
    pub may_write: bool,
    /// It may write, and the response may not show all of its rows. The statement then calls it in any case, and counts the rows
    /// itself.
    pub counts: bool,
    /// The value is a `restful.http_response`, which becomes the response.
    pub sends: bool,
}

/// How a function is invoked.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub function: QualifiedName,
    pub arguments: Arguments,
    /// The omitted parameters of a variadic function. With named arguments PostgreSQL requires all of them.
    pub left_out: Vec<LeftOut>,
}

/// A parameter that is passed its default.
#[derive(Clone, Debug)]
pub struct LeftOut {
    pub name: String,
    pub data_type: String,
    pub variadic: bool,
    /// The default as SQL.
    pub default: String,
}

/// Where arguments come from.
#[derive(Clone, Debug)]
pub enum Arguments {
    /// Parameters of the query: name, type, literals (several only for a variadic parameter), variadic.
    Query(Vec<(String, String, Vec<ValueId>, bool)>),
    /// Members of the body's object: name, type, variadic; and whether the values are texts.
    Body(Vec<(String, String, bool)>, bool),
    /// The whole body is passed as the only parameter, which has no name and this type.
    WholeBody(String),
}

/// The result of a call.
#[derive(Clone, Debug)]
pub enum CallResult {
    Void,
    /// One value.
    Scalar,
    /// An array of values. Only the source and the page of the SELECT count.
    ScalarSet(Box<Select>),
    /// One object.
    Row(Box<Select>),
    /// An array of objects.
    Rows(Box<Select>),
}
