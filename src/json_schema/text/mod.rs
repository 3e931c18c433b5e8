//! JSON texts as the validator reads them: values of type `json`, and request bodies.
//!
//! A text is read once, from front to back, into a tape of its values, and the validator walks the tape. Strings and numbers stay
//! where they are in the text. Only strings with escapes are copied, all into one buffer.
//!
//! A text means what `serde_json` with `preserve_order` reads: of members with the same key, the last value counts, in the place of
//! the first. Numbers are not converted: `1e400` and integers of any length keep their value.

mod compare;
mod number;
mod parse;
mod representation;
mod tape;

pub use number::TextNumber;
pub use representation::{Elements, Key, Members, TextArray, TextJson, TextNode, TextObject};
pub use tape::Document;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
pub mod random;
#[cfg(test)]
mod tests;
