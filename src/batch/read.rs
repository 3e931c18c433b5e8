//! Reads the body of a batch.

use super::reference::{self, Place, Reference, as_reference, is_index, may_refer, utf8};
use super::{Batch, BatchedRequest, Content, OWN_FIELDS, Value, answer, fault, scalar};
use crate::error::{Code, Error, Result};
use crate::json::{self, Reader, UniqueKeys, ValueKind};
use crate::limits;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// The members of a request, as the texts of their values.
#[derive(Default)]
struct Members<'a> {
    id: Option<&'a [u8]>,
    method: Option<&'a [u8]>,
    target: Option<&'a [u8]>,
    headers: Option<&'a [u8]>,
    key: Option<&'a [u8]>,
    filters: Option<&'a [u8]>,
    body: Option<&'a [u8]>,
    base64: Option<&'a [u8]>,
}

impl<'a> Batch<'a> {
    /// Reads a batch: an array of requests. Everything is checked here that does not depend on the answers.
    ///
    /// `most`: the largest number of requests.
    ///
    /// # Errors
    /// PGRST102 (400) for a body that is not JSON; REST440 (400) for one that is not an array of requests, with the request's index
    /// and a pointer; REST431 (400) for too many requests or references.
    pub fn read(body: &'a [u8], most: usize) -> Result<Self> {
        let mut reader = Reader::new(body).map_err(Error::invalid_json)?;
        if reader.kind().map_err(Error::invalid_json)? != ValueKind::Array {
            return Err(Error::new(Code::Batch, "A batch is a JSON array of requests").hint(HOW_TO_WRITE));
        }
        if most == 0 {
            return Err(Error::new(Code::Batch, "Batches are switched off").hint("Set restful.max_batch_requests."));
        }
        reader.open_array().map_err(Error::invalid_json)?;
        let (mut requests, mut ids) = (Vec::new(), Vec::new());
        let mut references = 0;
        while reader.next_element().map_err(Error::invalid_json)? {
            if requests.len() == most {
                return Err(Error::new(Code::Limit, format!("A batch has at most {most} requests"))
                    .hint("Split the batch, send several rows in one request, or raise restful.max_batch_requests."));
            }
            let index = requests.len();
            let members = Members::read(&mut reader, index)?;
            let (request, id) = members.request(index, &ids, &mut references)?;
            ids.push(id);
            requests.push(request);
        }
        reader.finish().map_err(Error::invalid_json)?;
        Ok(Batch { requests })
    }
}

const HOW_TO_WRITE: &str = "Write [{\"method\": \"POST\", \"target\": \"/table\", \"body\": {...}}, ...]. Each request may also have id, headers, key, where and base64.";

impl<'a> Members<'a> {
    fn read(reader: &mut Reader<'a>, index: usize) -> Result<Self> {
        let mut members = Members::default();
        if reader.kind().map_err(Error::invalid_json)? != ValueKind::Object {
            return Err(fault(index, "", "A request of a batch is a JSON object").hint(HOW_TO_WRITE));
        }
        reader.open_object().map_err(Error::invalid_json)?;
        let mut seen = UniqueKeys::default();
        while let Some(name) = reader.next_key().map_err(Error::invalid_json)? {
            if !seen.insert(name) {
                return Err(Error::invalid_json(reader.duplicate_key(name)));
            }
            let name = utf8(name.unescaped());
            let member = match name.as_ref() {
                "id" => &mut members.id,
                "method" => &mut members.method,
                "target" => &mut members.target,
                "headers" => &mut members.headers,
                "key" => &mut members.key,
                "where" => &mut members.filters,
                "body" => &mut members.body,
                "base64" => &mut members.base64,
                _ => {
                    let place = Place::new(index, "").member(&name);
                    return Err(place.fault("A request of a batch has no such member").hint(HOW_TO_WRITE));
                }
            };
            *member = Some(reader.value_text().map_err(Error::invalid_json)?);
        }
        Ok(members)
    }

    /// The request and its id. `ids`: those of the requests before it.
    fn request(
        self,
        index: usize,
        ids: &[Option<Cow<'a, str>>],
        references: &mut usize,
    ) -> Result<(BatchedRequest<'a>, Option<Cow<'a, str>>)> {
        let mut refer = |text: &str, place: &Place| {
            *references += 1;
            if *references > limits::BATCH_REFERENCES {
                return Err(place.limit(&format!("A batch has at most {} references", limits::BATCH_REFERENCES)));
            }
            Reference::parse(text, ids, place)
        };
        let required = |member: Option<&'a [u8]>, name: &str| match member {
            Some(value) => string(value, &Place::new(index, &format!("/{name}"))),
            None => Err(fault(index, "", format!("The request has no {name}")).hint(HOW_TO_WRITE)),
        };
        let method = required(self.method, "method")?;
        let target = required(self.target, "target")?;
        let id = self.id.map(|id| self::id(id, ids, &Place::new(index, "/id"))).transpose()?;
        let fields = self.headers.map(|headers| fields(headers, index)).transpose()?.unwrap_or_default();
        let key = self.key.map(|key| values(key, index, &mut refer)).transpose()?;
        let filters = self.filters.map(|filters| named_values(filters, index, &mut refer)).transpose()?;
        let filters = filters.unwrap_or_default();
        let segments = target.split_once('?').map_or(&*target, |(path, _)| path).matches('/').count();
        if (key.is_some() || !filters.is_empty()) && (segments != 1 || target.starts_with("/?") || target.len() < 2) {
            let member = if key.is_some() { "/key" } else { "/where" };
            return Err(fault(index, member, "Only the target /table can have a key or filters beside it")
                .hint("Write the path of a table or view. Give a function its arguments in the body."));
        }
        let content_type = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let is_json = answer::is_json(content_type.map(|(_, value)| value.as_ref()));
        let body = match (self.body, self.base64) {
            (None, None) => Content::None,
            (Some(_), Some(_)) => {
                return Err(fault(index, "/base64", "A request has either a body or base64, not both"));
            }
            (None, Some(base64)) => {
                let place = Place::new(index, "/base64");
                let text = string(base64, &place)?;
                let bytes = STANDARD.decode(text.as_bytes()).map_err(|why| {
                    place.fault("The text is not base64 (RFC 4648, section 4)").details(why.to_string())
                })?;
                Content::Bytes(Cow::Owned(bytes))
            }
            (Some(body), None) if !is_json => {
                let text = string(body, &Place::new(index, "/body")).map_err(|error| {
                    error.hint("The Content-Type is not JSON, so the body is a text, or base64 in its place.")
                })?;
                Content::Bytes(match text {
                    Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                    Cow::Owned(text) => Cow::Owned(text.into_bytes()),
                })
            }
            (Some(body), None) if may_refer(body) => {
                let mut found = Vec::new();
                let mut find = |text: &str, place: &Place| -> Result<&[u8]> {
                    found.push(refer(text, place)?);
                    Ok(b"null")
                };
                reference::substituted(body, &mut Place::new(index, "/body"), usize::MAX, &mut find)?;
                Content::WithReferences(body, found)
            }
            (Some(body), None) => Content::Json(body),
        };
        Ok((BatchedRequest { index, method, target, fields, key, filters, body }, id))
    }
}

/// A string.
fn string<'a>(text: &'a [u8], place: &Place) -> Result<Cow<'a, str>> {
    match Reader::new(text).and_then(|mut reader| reader.value()) {
        Ok(json::Value::String(text)) => Ok(utf8(text.unescaped())),
        _ => Err(place.fault("The value is not a text")),
    }
}

/// An id: a text that no request before has, and that is not taken for a position.
fn id<'a>(text: &'a [u8], ids: &[Option<Cow<'a, str>>], place: &Place) -> Result<Cow<'a, str>> {
    let id = string(text, place)?;
    if id.is_empty() || id.bytes().all(|b| b.is_ascii_digit()) || is_index(&id) {
        return Err(place.fault("An id is a text that is not a number"));
    }
    if ids.iter().any(|other| other.as_deref() == Some(&*id)) {
        return Err(place.fault("An earlier request of the batch has the same id"));
    }
    Ok(id)
}

/// The header fields of a request.
fn fields<'a>(text: &'a [u8], index: usize) -> Result<Vec<(Cow<'a, str>, Cow<'a, str>)>> {
    let mut fields: Vec<(Cow<str>, Cow<str>)> = Vec::new();
    each_member(text, &Place::new(index, "/headers"), |name, value, place| {
        if !OWN_FIELDS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(place.fault(format!("A request of a batch cannot have the header field {name}")).hint(
                format!(
                    "It can have {}. Send other fields with the batch: they count for all of its requests.",
                    OWN_FIELDS.join(", ")
                ),
            ));
        }
        if fields.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            return Err(place.fault("The header field is given twice"));
        }
        fields.push((name, string(value, place)?));
        Ok(())
    })?;
    Ok(fields)
}

/// The values of a key.
fn values<'a>(
    text: &'a [u8],
    index: usize,
    refer: &mut dyn FnMut(&str, &Place) -> Result<Reference>,
) -> Result<Vec<Value<'a>>> {
    let place = Place::new(index, "/key");
    let malformed = |why: json::Error| place.fault("Malformed JSON").details(why.to_string());
    let wrong = || place.fault("A key is an array with the values of the primary key's columns, in their order");
    let mut reader = Reader::new(text).map_err(malformed)?;
    if reader.kind().map_err(malformed)? != ValueKind::Array {
        return Err(wrong());
    }
    reader.open_array().map_err(malformed)?;
    let mut values = Vec::new();
    while reader.next_element().map_err(malformed)? {
        let place = place.member(&values.len().to_string());
        values.push(value(reader.value_text().map_err(malformed)?, &place, refer)?);
    }
    if values.is_empty() { Err(wrong()) } else { Ok(values) }
}

/// The columns and values of filters.
fn named_values<'a>(
    text: &'a [u8],
    index: usize,
    refer: &mut dyn FnMut(&str, &Place) -> Result<Reference>,
) -> Result<Vec<(Cow<'a, str>, Value<'a>)>> {
    let mut values = Vec::new();
    each_member(text, &Place::new(index, "/where"), |name, text, place| {
        values.push((name, value(text, place, refer)?));
        Ok(())
    })?;
    Ok(values)
}

/// A value in a target: a scalar or a reference.
fn value<'a>(
    text: &'a [u8],
    place: &Place,
    refer: &mut dyn FnMut(&str, &Place) -> Result<Reference>,
) -> Result<Value<'a>> {
    if let Some(reference) = as_reference(text, place)? {
        return Ok(Value::Reference(refer(&reference, place)?));
    }
    match scalar(text) {
        Some(text) => Ok(Value::Scalar(text)),
        None => Err(place.fault("A value in a target is a text, a number, true, false, null or a reference")),
    }
}

/// Calls `take` with the name, value and place of each member of an object.
fn each_member<'a>(
    text: &'a [u8],
    at: &Place,
    mut take: impl FnMut(Cow<'a, str>, &'a [u8], &Place) -> Result<()>,
) -> Result<()> {
    let malformed = |why: json::Error| at.fault("Malformed JSON").details(why.to_string());
    let mut reader = Reader::new(text).map_err(malformed)?;
    if reader.kind().map_err(malformed)? != ValueKind::Object {
        return Err(at.fault("The value is not an object"));
    }
    reader.open_object().map_err(malformed)?;
    let mut seen = UniqueKeys::default();
    while let Some(name) = reader.next_key().map_err(malformed)? {
        if !seen.insert(name) {
            return Err(malformed(reader.duplicate_key(name)));
        }
        let name = utf8(name.unescaped());
        let place = at.member(&name);
        take(name, reader.value_text().map_err(malformed)?, &place)?;
    }
    Ok(())
}
