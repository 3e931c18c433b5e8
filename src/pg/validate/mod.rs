//! The SQL functions of JSON Schema: validation where the value lies, with compiled schemas that are kept.

mod bench_hook;
mod bindings;
mod body;
mod cache;
mod call_site;
mod data_type;
mod enforce;
mod functions;
mod registry;
mod watch;

pub use bindings::bindings;
pub use body::BodySchemas;
pub use enforce::take_reported;

use crate::json_schema::binary::{self, BinaryJson, BinaryNode, Lost};
use crate::json_schema::text::{Document, TextJson, TextNode};
use crate::json_schema::{Formats, Refusal};
use crate::pg::guc;
use jsonschema::json::Json;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_sys};
use serde_json::Value;
use watch::Backend;

/// How a schema or an instance is stored.
pub trait Stored: 'static {
    /// Its representation for the validator.
    type Json: Json;
    /// Tells the keys of one form from those of another.
    const TAG: u8;

    /// Reads a value in this form.
    fn with_node<T>(bytes: &[u8], work: impl FnOnce(<Self::Json as Json>::Node<'_>) -> T) -> T;

    /// The value as a tree, for a schema.
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
            Lost::Depth => too_deep(),
            Lost::Number => Refusal::whole(
                "the schema has a number beyond the range of a double",
                "Numbers of schemas reach from -1.7e308 to 1.7e308.",
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

/// Raises an error for a `json` value whose text PostgreSQL takes and which is no JSON (22P02), such as a lone surrogate.
#[cold]
fn unreadable(why: &crate::json::Error) -> ! {
    ErrorReport::new(
        PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
        format!("the json value cannot be validated: {why}"),
        "pg_restful",
    )
    .report(PgLogLevel::ERROR);
    unreachable!()
}

fn too_deep() -> Refusal {
    Refusal::whole("the schema is nested deeper than 128 levels", "Move inner schemas to \"$defs\".")
}

/// Whether `format` asserts: as asked, or as the setting says.
fn formats(asked: Option<bool>) -> Formats {
    match asked {
        Some(true) => Formats::On,
        Some(false) => Formats::Off,
        None => guc::assert_formats(),
    }
}

/// Raises the refusal of a schema (22023, invalid_parameter_value).
fn refuse(refusal: &Refusal) -> ! {
    let mut report = ErrorReport::new(
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        format!("invalid JSON Schema: {}", refusal.message),
        "pg_restful",
    );
    if !refusal.pointer.is_empty() {
        report = report.set_detail(format!("At {} of the schema.", refusal.pointer));
    }
    if let Some(hint) = refusal.hint {
        report = report.set_hint(hint);
    }
    report.report(PgLogLevel::ERROR);
    unreachable!()
}

/// The payload of a varlena, detoasted if it has to be.
///
/// # Safety
/// A varlena datum that lives as long as the result is used.
#[inline(always)]
unsafe fn payload<'a>(datum: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: promised by the caller; the headers are PostgreSQL's (varatt.h).
    unsafe {
        let start: *mut u8 = datum.cast_mut_ptr();
        let first = start.read();
        // The plain forms are told apart here: the function is behind a guard, which costs more than a small value's check.
        if cfg!(target_endian = "little") {
            if first & 3 == 0 {
                let length = (start.cast::<u32>().read_unaligned() >> 2) as usize;
                return std::slice::from_raw_parts(start.add(4), length - 4);
            }
            if first & 1 == 1 && first != 1 {
                return std::slice::from_raw_parts(start.add(1), usize::from(first >> 1) - 1);
            }
        }
        let plain = pg_sys::pg_detoast_datum_packed(start.cast());
        std::slice::from_raw_parts(pgrx::vardata_any(plain).cast(), pgrx::varsize_any_exhdr(plain))
    }
}
