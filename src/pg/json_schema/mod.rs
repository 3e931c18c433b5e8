//! The SQL functions of JSON Schema. They validate values where they are stored, with cached compiled schemas.

#[cfg(feature = "bench")]
mod bench_hook;
mod bindings;
mod body;
mod cache;
mod call_site;
mod data_type;
mod enforce;
mod functions;
mod registry;
pub mod schema_of;
mod watch;

pub use bindings::bindings;
pub use body::{BodySchemas, Part, check_document, has_positions, query_schema, resolved, result_violations};

use crate::json_schema::binary::{self, BinaryJson, BinaryNode, Loss};
use crate::json_schema::text::{Document, TextJson, TextNode};
use crate::json_schema::{Formats, Refusal};
use crate::pg::ffi::error::raise;
use crate::pg::ffi::varlena::payload;
use crate::pg::guc;
use crate::sqlstate::SqlState;
use jsonschema::json::Json;
use serde_json::Value;
use watch::Backend;

/// How a schema or an instance is stored.
pub trait Stored: 'static {
    /// Its representation for the validator.
    type Json: Json;
    /// Distinguishes this form in cache keys.
    const TAG: u8;

    /// Reads a value in this form.
    fn with_node<T>(bytes: &[u8], work: impl FnOnce(<Self::Json as Json>::Node<'_>) -> T) -> T;

    /// The value as a tree, to be compiled as a schema.
    fn schema(bytes: &[u8]) -> Result<Value, Refusal>;
}

/// `jsonb`: read in place.
pub struct Binary;
/// `json`, and the text of a `jsonschema`.
pub struct Text;

impl Stored for Binary {
    type Json = BinaryJson<Backend>;
    const TAG: u8 = b'b';

    #[inline(always)]
    fn with_node<T>(bytes: &[u8], work: impl FnOnce(BinaryNode<'_, Backend>) -> T) -> T {
        watch::begin();
        work(BinaryNode::root(bytes))
    }

    fn schema(bytes: &[u8]) -> Result<Value, Refusal> {
        binary::tree(BinaryNode::<Backend>::root(bytes)).map_err(|lost| match lost {
            Loss::Depth => too_deep(),
            Loss::Number => Refusal::whole(
                "the schema has a number beyond the range of a double",
                "Numbers in schemas must lie between -1.7e308 and 1.7e308.",
            ),
        })
    }
}

impl Stored for Text {
    type Json = TextJson<Backend>;
    const TAG: u8 = b't';

    fn with_node<T>(bytes: &[u8], work: impl FnOnce(TextNode<'_, Backend>) -> T) -> T {
        match Document::parse(bytes) {
            Ok(document) => {
                watch::begin();
                work(document.root())
            }
            Err(why) => unreadable(&why),
        }
    }

    fn schema(bytes: &[u8]) -> Result<Value, Refusal> {
        serde_json::from_slice(bytes).map_err(|why| match why.classify() {
            serde_json::error::Category::Syntax if why.to_string().starts_with("recursion limit") => too_deep(),
            _ => Refusal { pointer: String::new(), message: format!("the schema is not JSON: {why}"), hint: None },
        })
    }
}

/// Raises an error (22P02) for a `json` value that PostgreSQL accepts but that is not valid JSON, such as one with a lone surrogate.
#[cold]
fn unreadable(why: &crate::json::Error) -> ! {
    raise(SqlState::INVALID_TEXT_REPRESENTATION, &format!("the json value cannot be validated: {why}"), None, None)
}

fn too_deep() -> Refusal {
    Refusal::whole("the schema is nested deeper than 128 levels", "Move inner schemas to \"$defs\".")
}

/// Whether `format` asserts: as the call asks, or else as the setting says.
fn formats(asked: Option<bool>) -> Formats {
    match asked {
        Some(true) => Formats::On,
        Some(false) => Formats::Off,
        None => guc::assert_formats(),
    }
}

/// Raises the refusal of a schema (22023, invalid_parameter_value).
fn refuse(refusal: &Refusal) -> ! {
    let place = (!refusal.pointer.is_empty()).then(|| format!("At {} of the schema.", refusal.pointer));
    let message = format!("invalid JSON Schema: {}", refusal.message);
    raise(SqlState::INVALID_PARAMETER_VALUE, &message, place.as_deref(), refusal.hint)
}
