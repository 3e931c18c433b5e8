//! Plans as data: names of the catalogue, with the literals of the request still apart. Pure.

use crate::catalog::QualifiedName;
use crate::query::{Aggregate, Connective, FullText, IsValue, JsonStep, Operator, Quantifier, ValueId};
use std::rc::Rc;

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
    /// Some outputs are aggregates: the others are what is grouped by, and none of them is [`Output::All`].
    pub grouped: bool,
    /// What [`Output::All`] stands for where some columns have a representation; otherwise nothing.
    pub listed: Option<Rc<Vec<Output>>>,
}

impl Source {
    /// The relation whose rows they are, of an embedded one.
    pub fn relation(&self) -> Option<&QualifiedName> {
        match self {
            Source::Relation(name) | Source::Computed { relation: name, .. } => Some(name),
            Source::Written | Source::Function(_) => None,
        }
    }
}

impl Select {
    /// Whether its rows, before the page, may be others than those of its source, or fewer.
    pub fn restricts(&self) -> bool {
        self.grouped || !self.conditions.is_empty() || self.embeds.iter().any(|embed| embed.inner)
    }

    /// Whether it has a page.
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

/// The most rows of a SELECT: the smaller of what is asked for and what is allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowLimit {
    pub value: Option<ValueId>,
    pub cap: Option<u64>,
}

impl RowLimit {
    /// Whether there is one.
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
    /// The rows of a relation that a function makes of one row.
    Computed {
        function: QualifiedName,
        row: Row,
        relation: QualifiedName,
        /// The function returns a set.
        is_set: bool,
    },
}

/// The row that a function is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// That of the source of this alias.
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

/// A column, a path into it, a cast, an aggregate of it.
#[derive(Clone, Debug)]
pub struct Expression {
    /// `None` for `count(*)`.
    pub column: Option<ColumnReference>,
    /// A path into it needs `to_jsonb`.
    pub to_jsonb: bool,
    pub path: Vec<JsonStep>,
    pub cast: Option<Rc<str>>,
    pub aggregate: Option<Aggregate>,
    pub aggregate_cast: Option<Rc<str>>,
    /// The function that makes the column's JSON, in the output of one that has a representation.
    pub to_json: Option<Box<QualifiedName>>,
}

/// A column of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnReference {
    pub alias: String,
    pub column: String,
    /// Of a computed column: the function that makes it of the source's row.
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
        /// The function that reads the values that a column with a representation is compared with.
        from_text: Option<Box<QualifiedName>>,
    },
    /// The embedded relation has a row, or has none.
    Embedded {
        embed: usize,
        is_null: bool,
    },
}

/// What a condition tests.
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
    /// `convert`: the expression is no `tsvector` yet.
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
    /// An expression that an embedded to-one relation hands out: index into [`Select::embeds`] and its extras.
    Embedded {
        embed: usize,
        extra: usize,
    },
    /// A column that a spread relation hands out: index into [`Select::embeds`] and its columns.
    Spread {
        embed: usize,
        column: usize,
    },
}

/// A relation embedded in another: a lateral join.
#[derive(Clone, Debug)]
pub struct Embedded {
    /// The alias of the lateral subquery.
    pub alias: String,
    pub select: Select,
    /// Equal columns of the join.
    pub on: Vec<(ColumnReference, ColumnReference)>,
    /// The table between, and its alias.
    pub junction: Option<(QualifiedName, String)>,
    pub to_many: bool,
    /// Parents without a related row are left out.
    pub inner: bool,
    /// Of a spread relation, the columns it adds to the parent's.
    pub spread: Option<Vec<SpreadColumn>>,
    /// Expressions that the parent orders by.
    pub extras: Vec<Expression>,
}

impl Embedded {
    /// Whether a function makes its rows, or those of a relation within.
    pub fn is_computed(&self) -> bool {
        matches!(self.select.source, Source::Computed { .. }) || self.select.embeds.iter().any(Embedded::is_computed)
    }
}

/// A column that a spread relation adds to the parent's. One of a to-many relation is the list of its rows' values.
#[derive(Clone, Debug)]
pub struct SpreadColumn {
    pub name: String,
    /// An aggregate is formed in the parent, over the parent's groups; with the cast of its result.
    pub aggregate: Option<(Aggregate, Option<Rc<str>>)>,
    /// The value is of type `json`, which has no equality to group by.
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
    /// What would come back if it had been asked for: it is prepared, and its values are read, so that the same is refused.
    pub unreturned: Option<Box<Select>>,
    /// The rows that come back may be others than the changed ones, or fewer: the statement counts the changed ones itself.
    pub counts: bool,
    /// The path names the row.
    pub is_item: bool,
}

/// What is changed.
#[derive(Clone, Debug)]
pub enum Change {
    Insert {
        columns: Vec<BodyColumn>,
        /// Every object of the body has to have the same keys.
        uniform: bool,
        /// Columns whose value the URL gives (PUT): those in `columns` have to equal it.
        key: Vec<(KeyColumn, ValueId)>,
        conflict: Option<Conflict>,
    },
    Update {
        columns: Vec<BodyColumn>,
        chosen: Box<Chosen>,
    },
    Delete {
        chosen: Box<Chosen>,
    },
}

/// The rows that PATCH and DELETE change: those that a read of the relation with the same filters shows.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// That read, without outputs.
    pub select: Select,
    /// The primary key, by which the rows of a page are found again. Empty where there is no page.
    pub key: Vec<String>,
}

/// A column of the primary key that the URL gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyColumn {
    pub column: String,
    /// Its position in the body's columns, if it stands there too.
    pub in_body: Option<usize>,
    /// The function that reads the URL's value, of a column with a representation.
    pub from_text: Option<Box<QualifiedName>>,
}

/// A column that a key of the body feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyColumn {
    pub column: String,
    pub data_type: String,
    /// The expression for rows without the key.
    pub default: Option<String>,
    /// The function that makes the value of the body's JSON, of a column with a representation.
    pub from_json: Option<Box<QualifiedName>>,
    /// The value comes as a text, and not as a JSON string.
    pub is_text: bool,
}

/// What to do with rows that exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The columns of the unique key.
    pub columns: Vec<String>,
    /// They are updated; otherwise left alone.
    pub update: bool,
    /// What they are updated to beside what the body says.
    pub resets: Vec<Reset>,
    /// Columns that stay, although the body says what they are in new rows.
    pub kept: Vec<String>,
}

/// A column that is set to its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reset {
    pub column: String,
    /// As SQL; `None` for PostgreSQL's DEFAULT.
    pub default: Option<String>,
}

/// What a write hands back.
#[derive(Clone, Debug)]
pub enum Returning {
    Nothing,
    /// The primary key, for Location: columns, and the functions that make JSON of those that filters read back from it.
    Key(Vec<(String, Option<Box<QualifiedName>>)>),
    Rows(Box<Select>),
}

/// A function call.
#[derive(Clone, Debug)]
pub struct Call {
    pub invocation: Invocation,
    pub result: CallResult,
    /// The media type that the function's value is, by its domain.
    pub media: Option<String>,
    /// The relation whose rows it returns.
    pub rows: Option<QualifiedName>,
    /// The function may write: it is `VOLATILE`.
    pub may_write: bool,
    /// It may write, and not all of its rows are in the answer: the statement calls it whatever they are, and counts them itself.
    pub counts: bool,
}

/// How a function is invoked.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub function: QualifiedName,
    pub arguments: Arguments,
    /// The parameters of a variadic function that are left out: with named arguments PostgreSQL wants all of them.
    pub left_out: Vec<LeftOut>,
}

/// A parameter whose default is passed.
#[derive(Clone, Debug)]
pub struct LeftOut {
    pub name: String,
    pub data_type: String,
    pub variadic: bool,
    /// As SQL.
    pub default: String,
}

/// Where arguments come from.
#[derive(Clone, Debug)]
pub enum Arguments {
    /// Parameters of the query: name, type, literals (several for a variadic parameter alone), variadic.
    Query(Vec<(String, String, Vec<ValueId>, bool)>),
    /// Members of the body's object: name, type, variadic; and whether they are texts.
    Body(Vec<(String, String, bool)>, bool),
    /// The whole body is the one unnamed parameter of this type.
    WholeBody(String),
}

/// What a call answers with.
#[derive(Clone, Debug)]
pub enum CallResult {
    Void,
    /// One value.
    Scalar,
    /// An array of values; of the SELECT only source and page count.
    ScalarSet(Box<Select>),
    /// One object.
    Row(Box<Select>),
    /// An array of objects.
    Rows(Box<Select>),
}
