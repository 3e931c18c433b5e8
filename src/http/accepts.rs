//! The media types of bodies that requests may have: one table. Answers list them in a field of their own.

use crate::error::{Code, Error};

/// The media types that one kind of request takes as its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    /// The field of an answer that lists them, in lower case.
    pub field: &'static str,
    /// Its value.
    pub types: &'static str,
}

/// QUERY (RFC 10008, section 3). The value is a structured field, a list of tokens.
pub const QUERY: Accepts = accepts("accept-query", "application/x-www-form-urlencoded, application/json");
/// POST to a collection (Linked Data Platform 1.0, section 7.1).
pub const POST: Accepts =
    accepts("accept-post", "application/json, application/x-ndjson, text/csv, application/x-www-form-urlencoded");
/// POST to a function.
pub const CALL: Accepts = accepts(
    "accept-post",
    "application/json, application/x-ndjson, text/csv, application/x-www-form-urlencoded, text/plain, text/xml, application/octet-stream",
);
/// POST to `/batch`.
pub const BATCH: Accepts = accepts("accept-post", "application/json");
/// PATCH (RFC 5789, section 3.1).
pub const PATCH: Accepts = accepts(
    "accept-patch",
    "application/json, application/x-ndjson, text/csv, application/x-www-form-urlencoded, \
     application/merge-patch+json, application/json-patch+json",
);
/// DELETE with a list of keys. It has no field of its own.
pub const DELETE: Accepts = accepts("accept", "application/json, application/x-ndjson, text/csv");
/// PUT. It has no field of its own, and `accept` says the same (RFC 9110, section 12.5.1).
pub const PUT: Accepts =
    accepts("accept", "application/json, application/x-ndjson, text/csv, application/x-www-form-urlencoded");

/// A route whose function takes members of the body.
pub const ROUTE: Accepts =
    accepts("accept", "application/json, application/x-www-form-urlencoded, multipart/form-data");
/// A route whose function takes the body as JSON.
pub const JSON_ARGUMENT: Accepts = accepts("accept", "application/json");

const fn accepts(field: &'static str, types: &'static str) -> Accepts {
    Accepts { field, types }
}

impl Accepts {
    /// The refusal of a body of another media type (RFC 9110, section 15.5.16): REST415 (415).
    ///
    /// `media_type`: the value of Content-Type.
    pub fn refuse(self, media_type: &str) -> Error {
        let shown: String = media_type.chars().filter(|c| !c.is_control()).take(200).collect();
        Error::new(Code::ContentType, format!("The body's Content-Type is not supported: {shown}"))
            .hint(format!("Send one of {}.", self.types))
            .header(self.field, self.types)
    }
}
