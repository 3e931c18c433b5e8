//! The error for a schema that cannot be compiled.

use std::fmt;

/// Why a schema cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// JSON Pointer (RFC 6901) to what is wrong in the schema; empty for the schema as a whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

impl Refusal {
    /// An error about the schema as a whole.
    pub fn whole(message: impl Into<String>, hint: &'static str) -> Self {
        Refusal { pointer: String::new(), message: message.into(), hint: Some(hint) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}
