//! What a request is answered with.

use crate::error::Error;
use crate::http::response::{Body, Response};
use crate::pg::row_sink::BodyBuffer;
use crate::raised::Raised;
use crate::sqlstate::SqlState;

/// A response, and the rows that are its body if its body is [`Body::Rows`].
pub struct Answer {
    pub response: Response,
    pub rows: Option<BodyBuffer>,
    /// Its changes are kept, if the caller's transaction commits.
    pub commits: bool,
    /// It refuses the request in its place: the request has not run, so a retry runs anew.
    pub refuses: bool,
}

impl Answer {
    /// An answer whose body does not consist of rows.
    pub fn new(response: Response) -> Self {
        Answer { response, rows: None, commits: false, refuses: false }
    }

    /// The bytes of the body; `None` without a body.
    pub fn body(&self) -> Option<&[u8]> {
        match &self.response.body {
            Body::Empty => None,
            Body::Rows => Some(self.rows.as_ref().map_or(b"", BodyBuffer::payload)),
            Body::Bytes(bytes) => Some(bytes),
        }
    }
}

/// The error for a body that is larger than `restful.max_response_bytes`: 54000, as PostgreSQL raises for rows. `what`: such as `the answers are`.
/// `limit`: in bytes.
pub fn too_large(what: &str, limit: usize, hint: &str) -> Error {
    let raised = Raised {
        sqlstate: SqlState::PROGRAM_LIMIT_EXCEEDED,
        message: format!("{what} larger than {limit} bytes, the limit set by restful.max_response_bytes"),
        hint: Some(hint.to_owned()),
        ..Raised::default()
    };
    raised.into_error(true)
}
