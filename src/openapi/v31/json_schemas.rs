//! JSON Schemas of users, as parts of the document. What refers to a place in a schema of its own has to refer to that place in the document.

use super::Parts;
use crate::http::target;
use crate::json::pointer;
use serde_json::{Map, Value, json};

/// Keywords whose members are schemas.
const MAPS: [&str; 6] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];
/// Keywords whose values are data.
const DATA: [&str; 5] = ["const", "enum", "default", "examples", "example"];
/// How deep references are followed.
const DEPTH: usize = 32;

/// A schema that becomes part of the document.
pub struct Embedded<'s> {
    schema: &'s Value,
    /// The name of its component, which it has if it refers to itself.
    name: String,
    refers: bool,
}

impl<'s> Embedded<'s> {
    /// `name`: of its component.
    pub fn new(schema: &'s Value, name: String) -> Self {
        Embedded { refers: refers(schema), schema, name }
    }

    /// The whole schema: itself, or a reference to the component that it becomes.
    pub fn whole(&self, document: &mut Parts) -> Value {
        if !self.refers {
            return self.schema.clone();
        }
        self.add(document);
        super::schema(&self.name)
    }

    /// The properties of the object that it describes, and the names of those that are required.
    pub fn members(&self, document: &mut Parts) -> (Map<String, Value>, Vec<String>) {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        self.collect(self.schema, DEPTH, &mut properties, &mut required);
        if self.refers && !properties.is_empty() {
            self.add(document);
        }
        (properties, required)
    }

    fn collect(&self, schema: &Value, depth: usize, properties: &mut Map<String, Value>, required: &mut Vec<String>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            properties.entry(name.as_str()).or_insert_with(|| self.rewritten(property));
        }
        let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        required.extend(names.filter_map(Value::as_str).map(str::to_owned));
        let referred = schema.get("$ref").and_then(Value::as_str).and_then(|uri| self.place(uri));
        if let Some(next) = referred.and_then(|pointer| self.schema.pointer(&pointer)) {
            self.collect(next, depth, properties, required);
        }
        for next in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.collect(next, depth, properties, required);
        }
    }

    fn add(&self, document: &mut Parts) {
        let mut schema = self.rewritten(self.schema);
        if let Value::Object(members) = &mut schema {
            members.remove("$id");
        }
        document.schemas.entry(self.name.as_str()).or_insert(schema);
    }

    /// The JSON Pointer of what a reference leads to, if that is in the schema.
    fn place(&self, reference: &str) -> Option<String> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if !uri.is_empty() && self.schema.get("$id").and_then(Value::as_str) != Some(uri) {
            return None;
        }
        let fragment = target::decode(fragment, false)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            Some(fragment.into_owned())
        } else {
            anchor(self.schema, &fragment)
        }
    }

    /// A part of the schema, with references that lead into the component. A part with an `$id` is a document of its own.
    fn rewritten(&self, schema: &Value) -> Value {
        let Value::Object(members) = schema else { return schema.clone() };
        if members.contains_key("$id") && !std::ptr::eq(schema, self.schema) {
            return schema.clone();
        }
        let mut out = Map::new();
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("$anchor" | "$dynamicAnchor" | "$recursiveAnchor", _) => {}
                ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(uri)) => match self.place(uri) {
                    Some(place) => {
                        out.insert("$ref".to_owned(), self.reference(&place));
                    }
                    None => {
                        out.insert(keyword.clone(), value.clone());
                    }
                },
                (keyword, value) if DATA.contains(&keyword) => {
                    out.insert(keyword.to_owned(), value.clone());
                }
                (keyword, Value::Object(schemas)) if MAPS.contains(&keyword) => {
                    let schemas = schemas.iter().map(|(name, schema)| (name.clone(), self.rewritten(schema)));
                    out.insert(keyword.to_owned(), Value::Object(schemas.collect()));
                }
                (keyword, Value::Array(schemas)) => {
                    out.insert(keyword.to_owned(), schemas.iter().map(|schema| self.rewritten(schema)).collect());
                }
                (keyword, value) => {
                    out.insert(keyword.to_owned(), self.rewritten(value));
                }
            }
        }
        out.into()
    }

    fn reference(&self, place: &str) -> Value {
        let mut text = format!("#/components/schemas/{}", self.name);
        target::encode_into(&mut text, place, b"/$");
        text.into()
    }
}

/// Whether a schema has a reference that leads into itself. It may also be one of data, which does no harm.
fn refers(schema: &Value) -> bool {
    let is_own = |uri: &str, id: Option<&str>| uri.starts_with('#') || id.is_some_and(|id| uri.starts_with(id));
    fn any(schema: &Value, found: &dyn Fn(&str) -> bool) -> bool {
        match schema {
            Value::Object(members) => members.iter().any(|(keyword, value)| match value {
                Value::String(uri) => {
                    matches!(keyword.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef") && found(uri)
                }
                value => any(value, found),
            }),
            Value::Array(elements) => elements.iter().any(|element| any(element, found)),
            _ => false,
        }
    }
    let id = schema.get("$id").and_then(Value::as_str);
    any(schema, &|uri| is_own(uri, id))
}

/// The JSON Pointer of the subschema with an anchor.
fn anchor(schema: &Value, name: &str) -> Option<String> {
    let within =
        |step: &str, schema: &Value| anchor(schema, name).map(|rest| format!("/{}{rest}", pointer::escape(step)));
    match schema {
        Value::Object(members) => {
            let has = |keyword: &str| members.get(keyword).and_then(Value::as_str) == Some(name);
            if has("$anchor") || has("$dynamicAnchor") {
                return Some(String::new());
            }
            members.iter().find_map(|(step, schema)| within(step, schema))
        }
        Value::Array(elements) => elements.iter().enumerate().find_map(|(i, schema)| within(&i.to_string(), schema)),
        _ => None,
    }
}

/// The schema of a file in a form.
pub fn file(is_list: bool) -> Value {
    let file = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
    if is_list { json!({ "type": "array", "items": file }) } else { file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_lead_into_the_component() {
        let schema = json!({
            "$id": "https://example.com/order",
            "properties": {
                "a": { "$ref": "#/$defs/a~1b%25" }, "b": { "$ref": "#named" }, "c": { "$ref": "https://example.com/order#/$defs/n" },
                "d": { "$ref": "https://elsewhere.example/x#/y" }, "const": { "const": { "$ref": "#/data" } }, "e": { "$ref": "#" }
            },
            "$defs": { "a/b%": { "type": "string" }, "n": { "$anchor": "named", "items": [{ "$ref": "#/$defs/n" }] } }
        });
        let mut document = Parts::default();
        let embedded = Embedded::new(&schema, "x".to_owned());
        assert_eq!(embedded.whole(&mut document), json!({ "$ref": "#/components/schemas/x" }));
        let here = |rest: &str| json!({ "$ref": format!("#/components/schemas/x{rest}") });
        let made = &document.schemas["x"];
        assert_eq!(made["properties"]["a"], here("/$defs/a~1b%25"));
        assert_eq!(made["properties"]["b"], here("/$defs/n"));
        assert_eq!(made["properties"]["c"], here("/$defs/n"));
        assert_eq!(made["properties"]["d"], json!({ "$ref": "https://elsewhere.example/x#/y" }));
        assert_eq!(made["properties"]["const"], json!({ "const": { "$ref": "#/data" } }));
        assert_eq!(made["properties"]["e"], here(""));
        assert_eq!(made["$defs"]["n"], json!({ "items": [here("/$defs/n")] }));
        assert!(made.get("$id").is_none());
        let (members, _) = embedded.members(&mut document);
        assert_eq!(members["a"], here("/$defs/a~1b%25"));
    }

    #[test]
    fn a_schema_without_references_stays_where_it_is() {
        let schema = json!({ "allOf": [{ "properties": { "a": { "type": "integer" } }, "required": ["a"] }] });
        let mut document = Parts::default();
        let embedded = Embedded::new(&schema, "x".to_owned());
        assert_eq!(embedded.whole(&mut document), schema);
        let (members, required) = embedded.members(&mut document);
        assert_eq!((Value::Object(members), required), (json!({ "a": { "type": "integer" } }), vec!["a".to_owned()]));
        assert!(document.schemas.is_empty());
    }
}
