//! References to answers of earlier requests, and the JSON texts that they occur in.

use super::fault;
use crate::error::{Code, Error, Result};
use crate::json::{self, Reader, ValueKind, pointer};
use crate::limits;
use std::borrow::Cow;
use std::ops::Range;

/// The member of an object that is a reference, and that of one whose value is taken as it is.
const REFERENCE: &[u8] = b"$ref";
const LITERAL: &[u8] = b"$literal";

/// A reference: an earlier request of the batch, and where to look in its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The position of the request.
    pub request: usize,
    /// The tokens of a JSON Pointer (RFC 6901) into the answer, unescaped.
    pub tokens: Vec<String>,
}

impl Reference {
    /// Reads `request/status`, `request/headers/...` or `request/body/...`. The request is a position from 0, or an id.
    ///
    /// `ids`: the requests before this one, by their ids where they have one.
    ///
    /// # Errors
    /// REST440 (400) if there is no such request, or it is not an earlier one.
    pub fn parse(text: &str, ids: &[Option<Cow<str>>], place: &Place) -> Result<Self> {
        let mut tokens = text.split('/');
        let named = pointer::unescape(tokens.next().unwrap_or_default());
        let request = match named.parse::<usize>() {
            Ok(index) if is_index(&named) => Some(index).filter(|index| *index < ids.len()),
            _ => ids.iter().position(|id| id.as_deref() == Some(named.as_str())),
        };
        let Some(request) = request else {
            let shown: String = named.chars().take(63).collect();
            return Err(place
                .fault(format!("The reference names the request '{shown}', which is not an earlier one of the batch"))
                .hint("Begin with the position of an earlier request, counted from 0, or with its id: 0/body/0/id."));
        };
        Ok(Reference { request, tokens: tokens.map(pointer::unescape).collect() })
    }
}

/// Whether a text is the canonical decimal form of a position (RFC 6901, section 4).
pub(super) fn is_index(text: &str) -> bool {
    text == "0" || (!text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()))
}

/// A place in the body of the batch.
#[derive(Debug)]
pub struct Place {
    index: usize,
    /// JSON Pointer within the request.
    pointer: String,
}

impl Place {
    /// A place in a request.
    pub fn new(index: usize, pointer: &str) -> Self {
        Place { index, pointer: pointer.to_owned() }
    }

    /// Goes to a member or element.
    pub fn push(&mut self, name: &str) {
        self.pointer.push('/');
        self.pointer.push_str(&pointer::escape(name));
    }

    /// The place of a member or element.
    pub fn member(&self, name: &str) -> Self {
        let mut place = Place::new(self.index, &self.pointer);
        place.push(name);
        place
    }

    /// An error here.
    pub fn fault(&self, message: impl Into<String>) -> Error {
        fault(self.index, &self.pointer, message)
    }

    /// An error here: a limit is exceeded.
    pub fn limit(&self, message: &str) -> Error {
        Error::new(Code::Limit, message)
            .hint("Split the batch, or ask for fewer rows and columns in the requests that it refers to.")
            .at(self.index, format!("/{}{}", self.index, self.pointer))
    }

    /// An error here: the body becomes larger than `most` bytes.
    fn too_large(&self, most: usize) -> Error {
        Error::new(Code::BodyTooLarge, format!("With its references followed, the body is larger than {most} bytes"))
            .hint("Send it in parts, or raise restful.max_body_bytes.")
            .at(self.index, format!("/{}{}", self.index, self.pointer))
    }

    /// Runs `work` at a member or element.
    fn at<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        self.push(name);
        let done = work(self);
        self.pointer.truncate(length);
        done
    }
}

/// The answers so far: JSON texts one after another.
#[derive(Debug)]
pub struct Answers<'a> {
    text: &'a [u8],
    places: &'a [Range<usize>],
    followed: &'a mut usize,
}

impl<'a> Answers<'a> {
    /// The answers at these places of a text. `followed`: counts the bytes of answers that references of the batch lead through.
    pub fn new(text: &'a [u8], places: &'a [Range<usize>], followed: &'a mut usize) -> Self {
        Answers { text, places, followed }
    }

    /// The JSON text of the value that a reference leads to.
    ///
    /// # Errors
    /// REST440 (400) if the answer has no such value; REST431 if too much of the answers would have to be read.
    pub fn find(&mut self, reference: &Reference, place: &Place) -> Result<&'a [u8]> {
        let answer =
            self.places.get(reference.request).and_then(|range| self.text.get(range.clone())).unwrap_or_default();
        *self.followed = self.followed.saturating_add(answer.len());
        if *self.followed > limits::BATCH_BYTES_FOLLOWED {
            return Err(place.limit("The references of the batch lead through too much data"));
        }
        let missing = || {
            let path: String =
                reference.tokens.iter().map(|token| format!("/{}", pointer::escape(token))).collect::<String>();
            let shown: String = path.chars().take(200).collect();
            let error = place.fault(format!("The answer to request {} has no value at '{shown}'", reference.request));
            match reference.tokens.first().map(String::as_str) {
                Some("body") => {
                    error.hint("A write answers with its rows if it is sent with Prefer: return=representation.")
                }
                _ => error.hint("An answer has the members status, headers and body."),
            }
        };
        // An answer is not malformed, but it may be nested deeper than the reader goes.
        let found = follow(answer, &reference.tokens);
        let found = found.map_err(|why| place.fault("The reference cannot be followed").details(why.to_string()))?;
        found.ok_or_else(missing)
    }
}

/// The text of the value at a pointer.
fn follow<'t>(text: &'t [u8], tokens: &[String]) -> std::result::Result<Option<&'t [u8]>, json::Error> {
    let mut reader = Reader::new(text)?;
    'tokens: for token in tokens {
        match reader.kind()? {
            ValueKind::Object => {
                reader.open_object()?;
                while let Some(key) = reader.next_key()? {
                    if key.unescaped().as_ref() == token.as_bytes() {
                        continue 'tokens;
                    }
                    reader.value()?;
                }
                return Ok(None);
            }
            ValueKind::Array => {
                let Some(mut left) = token.parse::<usize>().ok().filter(|_| is_index(token)) else { return Ok(None) };
                reader.open_array()?;
                while reader.next_element()? {
                    if left == 0 {
                        continue 'tokens;
                    }
                    left -= 1;
                    reader.value()?;
                }
                return Ok(None);
            }
            _ => return Ok(None),
        }
    }
    reader.value_text().map(Some)
}

/// The text of a scalar that can be part of a target: `Some(None)` for null, `None` for an array or object.
pub fn scalar(text: &[u8]) -> Option<Option<Cow<'_, str>>> {
    match Reader::new(text).and_then(|mut reader| reader.value()).ok()? {
        json::Value::Null => Some(None),
        json::Value::String(string) => Some(Some(utf8(string.unescaped()))),
        json::Value::Number(_) | json::Value::Bool(_) => Some(Some(utf8(Cow::Borrowed(text)))),
        json::Value::Array(_) | json::Value::Object(_) => None,
    }
}

/// Whether a JSON text may have members `$ref` or `$literal`, also if their names are written with escapes.
pub(super) fn may_refer(text: &[u8]) -> bool {
    memchr::memchr(b'$', text).is_some() || memchr::memmem::find(text, b"\\u0024").is_some()
}

/// Looks up the JSON text of the value that a reference leads to, by the reference's text.
pub(super) type Find<'f, 't> = dyn FnMut(&str, &Place) -> Result<&'t [u8]> + 'f;

/// A valid JSON text with its references replaced by values, and its literals by what they contain.
///
/// `most`: the limit on the result in bytes.
///
/// # Errors
/// REST440 (400) for an object that is neither a reference nor an ordinary one; REST413 beyond the limit; the errors of `find`.
pub(super) fn substituted(text: &[u8], place: &mut Place, most: usize, find: &mut Find) -> Result<Vec<u8>> {
    let mut copy = Copy { out: Vec::with_capacity(text.len()), most };
    copy.value(&mut Reader::new(text).map_err(|why| malformed(place, why))?, place, find)?;
    Ok(copy.out)
}

struct Copy {
    out: Vec<u8>,
    most: usize,
}

impl Copy {
    /// Copies the next value. It recurses into arrays and objects, which the reader limits to [`limits::JSON_DEPTH`] levels.
    fn value(&mut self, reader: &mut Reader, place: &mut Place, find: &mut Find) -> Result<()> {
        match reader.kind().map_err(|why| malformed(place, why))? {
            ValueKind::Object => return self.object(reader, place, find),
            ValueKind::Array => {
                reader.open_array().map_err(|why| malformed(place, why))?;
                self.out.push(b'[');
                let mut count = 0;
                while reader.next_element().map_err(|why| malformed(place, why))? {
                    if count > 0 {
                        self.out.push(b',');
                    }
                    place.at(&count.to_string(), |place| self.value(reader, place, find))?;
                    count += 1;
                }
                self.out.push(b']');
            }
            _ => {
                let scalar = reader.value_text().map_err(|why| malformed(place, why))?;
                self.put(scalar, place)?;
            }
        }
        Ok(())
    }

    fn object(&mut self, reader: &mut Reader, place: &mut Place, find: &mut Find) -> Result<()> {
        reader.open_object().map_err(|why| malformed(place, why))?;
        let mut is_first = true;
        while let Some(key) = reader.next_key().map_err(|why| malformed(place, why))? {
            let name = key.unescaped();
            if name.as_ref() == REFERENCE || name.as_ref() == LITERAL {
                if !is_first {
                    return Err(not_alone(place));
                }
                if name.as_ref() == REFERENCE {
                    let reference = text_of_reference(reader, place)?;
                    let value = find(&reference, place)?;
                    return self.put(value, place);
                }
                let literal = reader.value_text().map_err(|why| malformed(place, why))?;
                alone(reader, place)?;
                return self.put(literal, place);
            }
            self.out.push(if is_first { b'{' } else { b',' });
            is_first = false;
            self.out.push(b'"');
            self.put(key.raw, place)?;
            self.out.extend(b"\":");
            place.at(&String::from_utf8_lossy(&name), |place| self.value(reader, place, find))?;
        }
        if is_first {
            self.out.push(b'{');
        }
        self.out.push(b'}');
        Ok(())
    }

    fn put(&mut self, bytes: &[u8], place: &Place) -> Result<()> {
        if self.out.len().saturating_add(bytes.len()) > self.most {
            return Err(place.too_large(self.most));
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

/// The text in an object `{"$ref": "..."}`, whose key was read.
fn text_of_reference<'t>(reader: &mut Reader<'t>, place: &Place) -> Result<Cow<'t, str>> {
    let text = match reader.value().map_err(|why| malformed(place, why))? {
        json::Value::String(text) => utf8(text.unescaped()),
        _ => return Err(place.fault("The value of $ref is not a text").hint(HOW_TO_REFER)),
    };
    alone(reader, place)?;
    Ok(text)
}

/// The text of a value that is a reference; `None` if it is another value.
///
/// # Errors
/// REST440 (400) for a malformed reference.
pub(super) fn as_reference<'t>(text: &'t [u8], place: &Place) -> Result<Option<Cow<'t, str>>> {
    let open = |why| malformed(place, why);
    let mut reader = Reader::new(text).map_err(open)?;
    if reader.kind().map_err(open)? != ValueKind::Object {
        return Ok(None);
    }
    reader.open_object().map_err(open)?;
    match reader.next_key().map_err(open)? {
        Some(key) if key.unescaped().as_ref() == REFERENCE => text_of_reference(&mut reader, place).map(Some),
        _ => Ok(None),
    }
}

const HOW_TO_REFER: &str = "Write a reference as {\"$ref\": \"0/body/0/id\"}.";

/// Refuses further members of an object.
fn alone(reader: &mut Reader, place: &Place) -> Result<()> {
    match reader.next_key().map_err(|why| malformed(place, why))? {
        None => Ok(()),
        Some(_) => Err(not_alone(place)),
    }
}

fn not_alone(place: &Place) -> Error {
    place
        .fault("An object with the member $ref or $literal cannot have other members")
        .hint("Put an object that really has such a member into {\"$literal\": ...}.")
}

fn malformed(place: &Place, why: json::Error) -> Error {
    place.fault("Malformed JSON").details(why.to_string())
}

/// A text that was checked to be UTF-8.
pub(super) fn utf8(bytes: Cow<[u8]>) -> Cow<str> {
    match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}
