//! Many requests in one transaction: what a batch asks for, and how its answers are written. Pure.
//!
//! A batch is a JSON array of requests. Values of a request can be references to answers of earlier ones; they are looked up when the
//! request is about to run. Parts of the batch's body are kept as the text that was sent, so that numbers keep their digits.

mod answer;
mod read;
mod reference;
#[cfg(test)]
mod tests;

pub use answer::write_answer;
pub use reference::{Answers, Reference};

use crate::error::{Code, Error, Result};
use crate::http::{Headers, Method, target};
use crate::query::quote_always;
use reference::Place;
pub use reference::scalar;
use std::borrow::Cow;

/// The header fields that a request of a batch may have: those that are about its own body, its own answer and its conditions. All
/// others, such as those that say who asks or which way the request came, are fields of the batch.
pub const OWN_FIELDS: [&str; 10] = [
    "accept",
    "accept-profile",
    "content-profile",
    "content-type",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "prefer",
    "range",
];

/// Fields of the batch that are about its own message, and so do not count for its requests.
const FIELDS_OF_THE_MESSAGE: [&str; 8] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "idempotency-key",
    "te",
    "trailer",
    "transfer-encoding",
];

/// The requests of a batch, in order.
#[derive(Debug)]
pub struct Batch<'a> {
    pub requests: Vec<BatchedRequest<'a>>,
}

/// A request of a batch. Its references are not looked up yet.
#[derive(Debug)]
pub struct BatchedRequest<'a> {
    /// Its position in the batch, from 0.
    pub index: usize,
    pub method: Cow<'a, str>,
    target: Cow<'a, str>,
    /// Names as they were written, and values.
    fields: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// The values of the primary key.
    key: Option<Vec<Value<'a>>>,
    /// Columns and the values that they must have.
    filters: Vec<(Cow<'a, str>, Value<'a>)>,
    body: Content<'a>,
}

/// A value in a target.
#[derive(Debug)]
enum Value<'a> {
    /// The text of a scalar; `None` for null.
    Scalar(Option<Cow<'a, str>>),
    Reference(Reference),
}

/// The body of a request.
#[derive(Debug)]
enum Content<'a> {
    None,
    /// A JSON text.
    Json(&'a [u8]),
    /// A JSON text with references or literals in it, and the references in their order.
    WithReferences(&'a [u8], Vec<Reference>),
    /// The bytes themselves.
    Bytes(Cow<'a, [u8]>),
}

/// A request of a batch as it is answered: nothing in it refers to an answer any more.
#[derive(Debug)]
pub struct Resolved<'a> {
    pub target: String,
    pub headers: Headers,
    pub body: Option<Cow<'a, [u8]>>,
}

/// An error of the batch at a place in its body.
fn fault(index: usize, pointer: &str, message: impl Into<String>) -> Error {
    Error::new(Code::Batch, message).at(index, format!("/{index}{pointer}"))
}

impl<'a> BatchedRequest<'a> {
    /// Looks the references up, and builds target, header fields and body.
    ///
    /// `batch`: the header fields of the batch. `max_body`: the limit on the body in bytes.
    ///
    /// # Errors
    /// REST440 (400) for a reference that leads nowhere, and for a value that cannot be part of a target; REST413 for a body that
    /// becomes too large. All with the request's index and a pointer into the batch.
    pub fn resolve(&self, answers: &mut Answers, batch: &Headers, max_body: usize) -> Result<Resolved<'_>> {
        let body = match &self.body {
            Content::None => None,
            Content::Json(text) => Some(Cow::Borrowed(*text)),
            Content::Bytes(bytes) => Some(Cow::Borrowed(bytes.as_ref())),
            Content::WithReferences(text, references) => {
                let mut references = references.iter();
                let mut find = |_: &str, place: &Place| match references.next() {
                    Some(reference) => answers.find(reference, place),
                    None => Err(place.fault("The reference is not known")),
                };
                let body = reference::substituted(text, &mut Place::new(self.index, "/body"), max_body, &mut find)?;
                Some(Cow::Owned(body))
            }
        };
        Ok(Resolved { target: self.target(answers)?, headers: self.headers(batch)?, body })
    }

    /// The error as one of this request: with its index, and with pointers that lead into the batch.
    pub fn failed(&self, error: Error) -> Error {
        error.within(self.index)
    }

    /// Refuses the request because of one of its members, or as a whole if `member` is empty.
    pub fn refused(&self, member: &str, message: impl Into<String>) -> Error {
        let pointer = if member.is_empty() { String::new() } else { format!("/{member}") };
        fault(self.index, &pointer, message)
    }

    /// The path, with the key as its second segment, and the query with the filters.
    ///
    /// Values become text only here, encoded, so that they cannot change what the target means.
    fn target(&self, answers: &mut Answers) -> Result<String> {
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let mut text = path.to_owned();
        for (i, value) in self.key.iter().flatten().enumerate() {
            let place = Place::new(self.index, "/key").member(&i.to_string());
            let Some(value) = value.text(answers, &place)? else {
                return Err(place.fault("A value of a key cannot be null"));
            };
            text.push(if i == 0 { '/' } else { ',' });
            let is_plain = !value.is_empty() && !value.contains(['"', ',', '\\']);
            target::encode_into(&mut text, &if is_plain { value } else { quote_always(&value).into() }, b"");
        }
        let mut separator = '?';
        if !query.is_empty() {
            text.push(separator);
            text.push_str(query);
            separator = '&';
        }
        for (column, value) in &self.filters {
            let place = Place::new(self.index, "/where").member(column);
            text.push(separator);
            separator = '&';
            // A name in quotes is a column, even if a parameter has the same name.
            target::encode_into(&mut text, &quote_always(column), b"");
            match value.text(answers, &place)? {
                Some(value) => {
                    text.push_str("=eq.");
                    target::encode_into(&mut text, &value, b"");
                }
                None => text.push_str("=is.null"),
            }
        }
        Ok(text)
    }

    /// Whether the request itself has a field; `name` in lower case.
    pub fn has_field(&self, name: &str) -> bool {
        self.fields.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    }

    /// The request's own fields, and those of the batch that are not about the batch's own message.
    fn headers(&self, batch: &Headers) -> Result<Headers> {
        let is_inherited = |name: &str| {
            let is_profile = matches!(name, "accept-profile" | "content-profile");
            !FIELDS_OF_THE_MESSAGE.contains(&name)
                && (is_profile && !self.has_field(name) || !OWN_FIELDS.contains(&name))
        };
        let inherited = batch.iter().filter(|(name, _)| is_inherited(name));
        let own = self.fields.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        let headers = Headers::from_fields(inherited.chain(own).collect())
            .map_err(|error| error.at(self.index, format!("/{}/headers", self.index)))?;
        let has_json = matches!(self.body, Content::Json(_) | Content::WithReferences(..));
        // QUERY needs a Content-Type.
        Ok(if has_json && self.method == Method::Query.as_str() {
            headers.or("content-type", "application/json")
        } else {
            headers
        })
    }
}

impl<'a> Value<'a> {
    /// The text of the value; `None` for null.
    fn text<'t, 's: 't>(&'t self, answers: &mut Answers<'s>, place: &Place) -> Result<Option<Cow<'t, str>>> {
        match self {
            Value::Scalar(text) => Ok(text.as_deref().map(Cow::Borrowed)),
            Value::Reference(reference) => {
                let found = answers.find(reference, place)?;
                match scalar(found) {
                    Some(text) => Ok(text),
                    None => {
                        Err(place.fault("The reference leads to an array or object, which cannot be part of a target"))
                    }
                }
            }
        }
    }
}
