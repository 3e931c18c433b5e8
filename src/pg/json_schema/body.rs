//! Checks the body of a write against the schemas of the columns that it writes, before anything is written.

use super::bindings::{Action, Binding, Level};
use super::{Text, cache, formats, registry};
use crate::error::{Code, Error, Invalid, Result};
use crate::json::{Framing, ValueKind, pointer};
use crate::json_schema::text::{Document, TextNode};
use crate::json_schema::{Values, violations};
use crate::limits;
use crate::pg::json_schema::watch::Backend;
use crate::routing::query_schema::QuerySchema;
use serde_json::Value;
use std::collections::HashMap;

/// The schemas to check a request's body against.
#[derive(Default)]
pub struct BodySchemas {
    /// Column and schema.
    schemas: Vec<(String, String)>,
    /// Whether the body's values are texts that contain JSON.
    texts: bool,
    framing: Framing,
}

/// The part of a request that a route's JSON Schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Body,
    Query,
}

/// What a result breaks of a JSON Schema: JSON Pointers into it, with the keywords. Empty if it is valid. `counts`: whether to tell of a keyword,
/// by its location.
///
/// # Errors
/// REST506 if the schema cannot be read.
pub fn result_violations(schema: &str, result: &[u8], counts: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    match check_document(schema, result, Part::Body) {
        Ok(()) => Ok(Vec::new()),
        Err(error) if error.code == Code::InvalidBody.as_str() => {
            let found = error.errors.iter().filter(|found| counts(&found.violation.keyword_location));
            Ok(found.map(|found| format!("{} {}", found.pointer, found.violation.keyword)).collect())
        }
        // Not JSON.
        Err(error) if error.status < 500 => Ok(vec![error.message.clone()]),
        Err(error) => Err(error),
    }
}

/// The documents that a schema refers to, directly or not, by their URIs. Meta-schemas and those that are not registered are left out.
fn documents(schema: &Value) -> HashMap<String, Value> {
    let mut found = HashMap::new();
    let mut pending = references(schema);
    while let Some(uri) = pending.pop() {
        if found.len() < limits::SCHEMA_DOCUMENTS
            && !found.contains_key(&uri)
            && let Some(document) = registry::document(&uri)
        {
            pending.extend(references(&document));
            found.insert(uri, document);
        }
    }
    found
}

/// The URIs of the other documents that a schema refers to, without fragments.
fn references(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(members) => {
            let of = |(name, value): (&String, &Value)| match value.as_str() {
                Some(uri) if name == "$ref" => {
                    let uri = uri.split('#').next().unwrap_or_default();
                    if uri.is_empty() { Vec::new() } else { vec![uri.to_owned()] }
                }
                _ => references(value),
            };
            members.iter().flat_map(of).collect()
        }
        Value::Array(elements) => elements.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// The JSON Schema of a query, with what it refers to. `None` if it is not JSON.
pub fn query_schema(schema: &str) -> Option<QuerySchema> {
    let root = serde_json::from_str(schema).ok()?;
    let documents = documents(&root);
    Some(QuerySchema::new(root, documents))
}

/// Whether a schema, or what it refers to, may say something about elements at certain positions of a list.
pub fn has_positions(schema: &str) -> bool {
    let Ok(root) = serde_json::from_str::<Value>(schema) else { return true };
    let has = |document: &Value| document.to_string().contains("\"prefixItems\"");
    has(&root) || documents(&root).values().any(has)
}

/// A JSON Schema for the description of the API. One that only refers to a registered one is that one; what refers to others anywhere else is not
/// shown, because clients could not follow it.
pub fn resolved(schema: &str) -> Option<Value> {
    let schema: Value = serde_json::from_str(schema).ok()?;
    let shown = match schema.get("$ref").and_then(Value::as_str) {
        Some(uri) if uri.starts_with("restful:") => registry::document(uri)?,
        _ => schema,
    };
    (!shown.to_string().contains("\"restful:")).then_some(shown)
}

/// Checks a part of a request against a JSON Schema.
///
/// # Errors
/// REST422 with pointers into it; PGRST102 if it is not JSON; REST506 if the schema cannot be read, because what it refers to is not
/// registered any more.
pub fn check_document(schema: &str, body: &[u8], part: Part) -> Result<()> {
    let document = Document::parse(body).map_err(Error::invalid_json)?;
    let entry = cache::find::<Text, Text>(schema.as_bytes(), formats(None)).map_err(|refusal| {
        Error::new(Code::Setting, "The JSON Schema of the route cannot be read").details(refusal.message)
    })?;
    let root: TextNode<'_, Backend> = document.root();
    if entry.compiled.validator.is_valid(root) {
        return Ok(());
    }
    let found = violations(&entry.compiled, root, Values::Masked, limits::REPORTED_VIOLATIONS).into_iter();
    let found = found.map(|violation| Invalid { pointer: violation.instance_location.clone(), violation }).collect();
    let (what, hint) = match part {
        Part::Body => ("body", "See \"errors\": each pointer (RFC 6901) leads into the body."),
        Part::Query => {
            ("query", "See \"errors\": each pointer (RFC 6901) leads into the object of the query parameters.")
        }
    };
    let error = Error::new(Code::InvalidBody, format!("The {what} is not valid against the JSON Schema of the route"))
        .hint(hint);
    Err(if part == Part::Body { error.errors_in_body(found) } else { error.errors(found) })
}

impl BodySchemas {
    /// The schemas of the columns that the request writes. At level moderate, an update is left to the trigger, because the row may
    /// have been invalid before.
    pub fn of(bindings: &[Binding], columns: &[&str], is_update: bool, texts: bool, framing: Framing) -> Self {
        let refuses = |b: &&Binding| {
            b.enforced
                && b.action == Action::Error
                && (b.level == Level::Strict || (b.level == Level::Moderate && !is_update))
        };
        let written = bindings.iter().filter(refuses).filter_map(|b| {
            let column = b.column.as_deref().filter(|c| columns.contains(c))?;
            Some((column.to_owned(), b.schema.json()))
        });
        BodySchemas { schemas: written.collect(), texts, framing }
    }

    /// Whether there is nothing to check.
    pub fn is_empty(&self) -> bool {
        self.schemas.is_empty()
    }

    /// Checks an object or each object of a list.
    ///
    /// # Errors
    /// REST422 with pointers into the body. Other faults of the body are found elsewhere.
    pub fn check(&self, body: &[u8]) -> Result<()> {
        let mut found = Vec::new();
        match self.framing {
            Framing::Array => self.check_document(body, &mut found),
            Framing::Lines => {
                let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
                for (i, line) in lines.enumerate() {
                    let Ok(document) = Document::parse(line) else { return Ok(()) };
                    self.check_row(&format!("/{i}"), document.root(), &mut found);
                    if found.len() >= limits::REPORTED_VIOLATIONS {
                        break;
                    }
                }
            }
        }
        if found.is_empty() {
            return Ok(());
        }
        let at = found.first().map(|v| v.pointer.clone()).unwrap_or_default();
        Err(Error::new(Code::InvalidBody, "The body is not valid against the JSON Schema of a column")
            .details(format!("First at {at} of the body."))
            .hint("See \"errors\": each pointer (RFC 6901) leads into the body.")
            .errors_in_body(found))
    }

    fn check_document(&self, body: &[u8], found: &mut Vec<Invalid>) {
        let Ok(document) = Document::parse(body) else { return };
        let root: TextNode<'_, Backend> = document.root();
        match root.kind() {
            ValueKind::Object => self.check_row("", root, found),
            ValueKind::Array => {
                for (i, row) in root.elements().enumerate() {
                    self.check_row(&format!("/{i}"), row, found);
                    if found.len() >= limits::REPORTED_VIOLATIONS {
                        break;
                    }
                }
            }
            _ => {}
        }
    }

    fn check_row(&self, pointer: &str, row: TextNode<'_, Backend>, found: &mut Vec<Invalid>) {
        for (column, schema) in &self.schemas {
            // A JSON null becomes SQL NULL, which schemas do not apply to.
            let Some(value) = row.member(column).filter(|value| value.kind() != ValueKind::Null) else { continue };
            let text = value.string().filter(|_| self.texts);
            // The column's type refuses a text that is not JSON.
            let document = text.and_then(|text| Document::parse(text.as_bytes()).ok());
            let value = match (text, &document) {
                (None, _) => value,
                (Some(_), Some(document)) => document.root(),
                (Some(_), None) => continue,
            };
            let entry = cache::compiled::<Text, Text>(schema.as_bytes(), formats(None));
            if entry.compiled.validator.is_valid(value) {
                continue;
            }
            let room = limits::REPORTED_VIOLATIONS.saturating_sub(found.len());
            let column = pointer::escape(column);
            found.extend(violations(&entry.compiled, value, Values::Masked, room).into_iter().map(|violation| {
                Invalid { pointer: format!("{pointer}/{column}{}", violation.instance_location), violation }
            }));
        }
    }
}
