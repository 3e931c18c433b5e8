//! What is wrong with a value according to a JSON Schema. Validation puts it into errors.

/// A keyword that an instance violates (JSON Schema 2020-12 Core, section 12.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer to the value.
    pub instance_location: String,
    /// JSON Pointer to the keyword, through the `$ref`s that led to it.
    pub keyword_location: String,
    /// The keyword.
    pub keyword: String,
    /// What the keyword requires.
    pub message: String,
}
