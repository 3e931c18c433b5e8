//! What planning has to know of a body. Pure.

/// The shape of a body: everything about it that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BodyShape {
    None,
    /// Rows to write: the keys of the first object.
    Rows(BodyKeys),
    /// A call's arguments.
    Arguments(CallArguments),
}

/// The keys of the rows to write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BodyKeys {
    /// The keys of its first object, in order.
    pub keys: Vec<String>,
    /// Its values are texts: it is CSV or a form.
    pub texts: bool,
    /// Those of `columns` that none of its objects has, where what is missing stands for its default.
    pub absent: Vec<String>,
    /// Those that some of them have, and others not.
    pub partial: Vec<String>,
}

/// The arguments that a request brings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallArguments {
    /// By GET: parameters of the query.
    Query,
    /// By POST: the keys of the body's object, in order.
    Object(Vec<String>),
    /// By POST of CSV: the names of the header line. They are arguments, and never passed as a whole.
    Fields(Vec<String>),
    /// By POST: a body that is not an object of arguments; its media type's SQL types in order of preference.
    Whole(&'static [&'static str]),
}

/// The types that a JSON body can be passed as.
pub const JSON_TYPES: &[&str] = &["json", "jsonb"];
