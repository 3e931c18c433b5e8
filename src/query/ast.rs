//! The parameters of a request as data. Nothing here has been checked against the catalogue yet.
//!
//! Literals are kept apart, in [`Query::values`]. The rest is the *shape* of a request; prepared statements are cached by it.
//! Requests of the same shape hold their literals in the same order.

/// Index into [`Query::values`].
pub type ValueId = usize;

/// A literal of a request. It only ever becomes a parameter of the statement.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Literal {
    /// The text after an operator.
    Text(String),
    /// The items of `in.(...)`.
    List(Vec<String>),
    /// A limit or offset.
    Number(u64),
}

/// The parameters of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// What is asked of the resource itself.
    pub root: QueryNode,
    /// The values of the primary key if the path names a single row, in the key's order; otherwise `None`.
    pub item: Option<Vec<ValueId>>,
    /// `columns`: the body keys that are used.
    pub columns: Option<Vec<String>>,
    /// `on_conflict`: the columns of the unique key for an upsert.
    pub on_conflict: Option<Vec<String>>,
    /// `cursor`: where the page begins, as it was sent. Not yet read.
    pub cursor: Option<ValueId>,
    /// Arguments of a function call by GET.
    pub arguments: Vec<(String, ValueId)>,
    /// Filters of a function call by GET that could also be arguments whose values look like filters.
    pub filter_texts: Vec<FilterText>,
    /// The literals.
    pub values: Vec<Literal>,
}

/// A filter in its original form, as a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FilterText {
    /// The name of a column or argument.
    pub name: String,
    /// The whole text of the value.
    pub value: ValueId,
    /// Its index among the conditions of [`Query::root`].
    pub condition: usize,
    /// The number of arguments before it.
    pub arguments: usize,
}

/// What is asked of one relation: the resource, or a relation embedded in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct QueryNode {
    /// `select`; `None` selects all columns.
    pub select: Option<Vec<SelectItem>>,
    /// Filters and logic trees. All of them must hold.
    pub conditions: Vec<Condition>,
    /// `order`.
    pub order: Vec<OrderTerm>,
    /// `limit`.
    pub limit: Option<ValueId>,
    /// `offset`.
    pub offset: Option<ValueId>,
}

/// An item of `select`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SelectItem {
    /// `*`
    Star,
    /// `alias:field::cast.aggregate()::cast`
    Field(SelectField),
    /// `alias:relation!hint!inner(...)`, or `...relation(...)`
    Embed(Embed),
}

/// A selected field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SelectField {
    /// What is selected; `None` for `count()`.
    pub field: Option<Field>,
    pub alias: Option<String>,
    /// Cast of the field.
    pub cast: Option<String>,
    pub aggregate: Option<Aggregate>,
    /// Cast of the aggregate's result.
    pub aggregate_cast: Option<String>,
}

/// An aggregate function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Avg,
    Count,
    Max,
    Min,
    Sum,
}

/// An embedded relation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Embed {
    /// The name of a relation, foreign key or column that identifies the relationship.
    pub name: String,
    pub alias: Option<String>,
    /// Hints that choose among several relationships. All of them must fit.
    pub hints: Vec<String>,
    pub join: Option<Join>,
    /// `...`: the embedded columns are placed among the parent's.
    pub spread: bool,
    pub node: QueryNode,
}

impl Embed {
    /// The name of the relation in the result and in filters.
    pub fn label(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.name)
    }
}

/// Whether parents without a related row are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Join {
    Inner,
    Left,
}

/// A column, with a path into it if it holds JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Field {
    pub name: String,
    pub path: Vec<JsonStep>,
}

/// A step into JSON: `->key`, `->0`, `->>key`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct JsonStep {
    /// `->>`: the result is text.
    pub as_text: bool,
    pub key: JsonKey,
}

/// What a step selects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum JsonKey {
    Member(String),
    Index(i32),
}

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `field=operator.value`
    Filter(Filter),
    /// `and(...)`, `or(...)`
    Tree { negated: bool, connective: Connective, children: Vec<Condition> },
}

/// How the children of a tree are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connective {
    And,
    Or,
}

/// A filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    pub field: Field,
    pub negated: bool,
    pub operation: Operation,
}

/// What a filter tests.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A binary operator.
    Binary { operator: Operator, quantifier: Option<Quantifier>, value: ValueId },
    /// `in.(...)`
    In(ValueId),
    /// `is.null`, ...
    Is(IsValue),
    /// `isdistinct.value`
    IsDistinct(ValueId),
    /// `fts(configuration).value`, ...
    FullText { function: FullText, configuration: Option<String>, value: ValueId },
}

macro_rules! tokens {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $token:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($variant,)* }
        impl $name {
            /// All of them.
            pub const ALL: &[$name] = &[$($name::$variant,)*];
            /// Reads the token.
            pub fn parse(token: &str) -> Option<Self> { match token { $($token => Some($name::$variant),)* _ => None } }
            /// The token.
            pub fn token(self) -> &'static str { match self { $($name::$variant => $token,)* } }
        }
    };
}

tokens! {
    /// A binary operator of the dialect.
    Operator {
        Equal = "eq", NotEqual = "neq", Greater = "gt", GreaterOrEqual = "gte", Less = "lt", LessOrEqual = "lte",
        Like = "like", ILike = "ilike", Match = "match", IMatch = "imatch",
        Contains = "cs", ContainedIn = "cd", Overlaps = "ov",
        StrictlyLeft = "sl", StrictlyRight = "sr", NotExtendsRight = "nxr", NotExtendsLeft = "nxl", Adjacent = "adj",
    }
}
tokens! {
    /// How a full-text query is parsed.
    FullText { Query = "fts", Plain = "plfts", Phrase = "phfts", Websearch = "wfts", }
}
tokens! {
    /// The operand of IS.
    IsValue { Null = "null", NotNull = "not_null", True = "true", False = "false", Unknown = "unknown", }
}
tokens! {
    /// Whether an operator has to hold for any or for all elements of its array.
    Quantifier { Any = "any", All = "all", }
}

impl Operator {
    /// Whether the operator can be followed by `(any)` or `(all)`.
    pub fn takes_quantifier(self) -> bool {
        use Operator::*;
        match self {
            Equal | Greater | GreaterOrEqual | Less | LessOrEqual | Like | ILike | Match | IMatch => true,
            NotEqual | Contains | ContainedIn | Overlaps => false,
            StrictlyLeft | StrictlyRight | NotExtendsRight | NotExtendsLeft | Adjacent => false,
        }
    }

    /// What the operator compares the field with.
    pub fn operand(self) -> Operand {
        use Operator::*;
        match self {
            Like | ILike => Operand::LikePattern,
            Match | IMatch => Operand::RegularExpression,
            Equal | NotEqual | Greater | GreaterOrEqual | Less | LessOrEqual => Operand::Value,
            Contains | ContainedIn | Overlaps => Operand::Value,
            StrictlyLeft | StrictlyRight | NotExtendsRight | NotExtendsLeft | Adjacent => Operand::Value,
        }
    }
}

/// What an operator compares a field with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A value, in the text form of its type.
    Value,
    /// A pattern of LIKE, in which `*` stands for `%`.
    LikePattern,
    /// A POSIX regular expression.
    RegularExpression,
}

/// A term of `order`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrderTerm {
    /// The embedded to-one relation that has the field.
    pub relation: Option<String>,
    pub field: Field,
    pub descending: Option<bool>,
    pub nulls_first: Option<bool>,
}

impl QueryNode {
    /// Whether this level has filters or limits of its own, or an inner join to a level that has.
    pub fn filters(&self) -> bool {
        let is_filtered = |item: &SelectItem| matches!(item, SelectItem::Embed(embed) if embed.join == Some(Join::Inner) && embed.node.filters());
        !self.conditions.is_empty()
            || self.limit.is_some()
            || self.offset.is_some()
            || self.select.iter().flatten().any(is_filtered)
    }
}

impl Query {
    /// Stores a literal.
    pub fn add_value(&mut self, value: Literal) -> ValueId {
        self.values.push(value);
        self.values.len() - 1
    }

    /// The number of a limit or offset.
    pub fn number(&self, id: Option<ValueId>) -> Option<u64> {
        match self.values.get(id?) {
            Some(Literal::Number(n)) => Some(*n),
            _ => None,
        }
    }
}
