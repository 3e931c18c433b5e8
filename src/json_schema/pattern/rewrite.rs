//! Rewrites the patterns of a schema in the syntax of the engine.

use super::{Boundary, translate};
use crate::json::pointer;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// The patterns of a schema that were rewritten.
#[derive(Default)]
pub struct Patterns {
    /// The originals, by their rewritten text.
    originals: HashMap<String, String>,
    /// The rewritten texts, by their original.
    rewritten: HashMap<(Boundary, String), String>,
    /// How many originals became the same text.
    alike: HashMap<String, usize>,
    has_boundary: bool,
}

/// Matches the empty text. Only rewritten patterns end with it, so that each stands for one original.
const MARK: &str = "(?:)";

impl Patterns {
    /// Rewrites the patterns of a schema that the engine would read differently. The engine then refuses those that have no
    /// translation.
    pub fn rewrite(&mut self, schema: &mut Value, boundary: Boundary) {
        let Value::Object(members) = schema else { return };
        for (keyword, value) in members.iter_mut() {
            match (keyword.as_str(), value) {
                ("pattern", Value::String(pattern)) => {
                    if let Some(rewritten) = self.of(pattern, boundary) {
                        *pattern = rewritten;
                    }
                }
                ("enum" | "const" | "default" | "examples", _) => {}
                ("patternProperties", Value::Object(schemas)) => {
                    schemas.values_mut().for_each(|schema| self.rewrite(schema, boundary));
                    self.rewrite_names(schemas, boundary);
                }
                (
                    "properties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies",
                    Value::Object(schemas),
                ) => {
                    schemas.values_mut().for_each(|schema| self.rewrite(schema, boundary));
                }
                (_, Value::Array(schemas)) => schemas.iter_mut().for_each(|schema| self.rewrite(schema, boundary)),
                // Unknown keywords too, because a reference may lead into them.
                (_, schema) => self.rewrite(schema, boundary),
            }
        }
    }

    fn rewrite_names(&mut self, schemas: &mut Map<String, Value>, boundary: Boundary) {
        if schemas.keys().all(|name| self.of(name, boundary).is_none()) {
            return;
        }
        *schemas = std::mem::take(schemas)
            .into_iter()
            .map(|(name, schema)| (self.of(&name, boundary).unwrap_or(name), schema))
            .collect();
    }

    /// The rewritten text of a pattern, if it differs.
    fn of(&mut self, pattern: &str, boundary: Boundary) -> Option<String> {
        let key = (boundary, pattern.to_owned());
        if let Some(known) = self.rewritten.get(&key) {
            return Some(known.clone());
        }
        let translation = translate(pattern, boundary).ok().filter(|t| t.changed || pattern.contains(MARK))?;
        self.has_boundary |= translation.has_boundary;
        let mut text = translation.text + MARK;
        let alike = self.alike.entry(text.clone()).or_default();
        *alike += 1;
        if *alike > 1 {
            text += &format!("{{{alike}}}");
        }
        self.originals.insert(text.clone(), pattern.to_owned());
        self.rewritten.insert(key, text.clone());
        Some(text)
    }

    /// Whether any of them has `\b` or `\B`.
    pub fn have_boundary(&self) -> bool {
        self.has_boundary
    }

    /// The pattern as it is in the schema.
    pub fn original<'t>(&'t self, text: &'t str) -> &'t str {
        self.originals.get(text).map_or(text, String::as_str)
    }

    /// A JSON Pointer into the schema as the author wrote it.
    pub fn original_pointer<'t>(&self, pointer: &'t str) -> Cow<'t, str> {
        if self.originals.is_empty() {
            return Cow::Borrowed(pointer);
        }
        let tokens = pointer.split('/').map(|written| {
            self.originals
                .get(&pointer::unescape(written))
                .map_or_else(|| written.to_owned(), |original| pointer::escape(original))
        });
        Cow::Owned(tokens.collect::<Vec<String>>().join("/"))
    }

    /// A part of the schema as the author wrote it.
    pub fn original_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.original(text).to_owned()),
            Value::Array(elements) => elements.iter().map(|element| self.original_value(element)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, member)| (self.original(name).to_owned(), self.original_value(member)))
                .collect(),
            value => value.clone(),
        }
    }
}
