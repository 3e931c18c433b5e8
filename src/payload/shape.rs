//! The part of a body that planning needs. Pure.

use crate::json::Framing;

/// The shape of a body: everything about it that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BodyShape {
    None,
    /// Rows to write, described by the keys of the first object.
    Rows(BodyKeys),
    /// The arguments of a call.
    Arguments(CallArguments),
}

/// The keys of the rows to write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct BodyKeys {
    /// The keys of the first object, in order.
    pub keys: Vec<String>,
    /// The values are texts, because the body is CSV or a form.
    pub texts: bool,
    /// The columns among `columns` that no object has, if missing values become defaults.
    pub absent: Vec<String>,
    /// The columns that some objects have and others do not.
    pub partial: Vec<String>,
    /// How the objects are written.
    pub framing: Framing,
    /// Set if the body is a patch of each row. `keys` are the columns that it sets.
    pub patch: Option<PatchOf>,
    /// Set if the body is a list that may name the rows of a PATCH or DELETE one by one.
    pub list: Option<List>,
}

/// A patch of rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PatchOf {
    /// It is a JSON Merge Patch (RFC 7396), otherwise a JSON Patch (RFC 6902).
    pub is_merge: bool,
    /// The columns that it looks at.
    pub reads: Vec<String>,
}

/// A body that is a list, all of whose elements have been read. `keys` are then the keys of all objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct List {
    /// How many elements it has: none, one, or several.
    pub length: Length,
    /// The elements are values of a key that has one column, and not objects.
    pub bare: bool,
}

/// As much of a number of elements as a plan depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    None,
    One,
    Several,
}

impl Length {
    /// That of so many elements.
    pub fn of(elements: usize) -> Self {
        match elements {
            0 => Length::None,
            1 => Length::One,
            _ => Length::Several,
        }
    }
}

/// The arguments of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CallArguments {
    /// By GET: parameters of the query.
    Query,
    /// By POST: the keys of the body's object, in order.
    Object(Vec<String>),
    /// By POST of CSV: the names in the header line. They are always arguments; CSV is never passed as a whole.
    Fields(Vec<String>),
    /// By POST of any other body: the SQL types that its media type can be passed as, the preferred one first.
    Whole(&'static [&'static str]),
}

/// The types that a JSON body can be passed as.
pub const JSON_TYPES: &[&str] = &["json", "jsonb"];
