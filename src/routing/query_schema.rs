//! The query parameters as a JSON value, for a JSON Schema: the schema says which texts are numbers, booleans and lists. Pure.

use crate::http::target::{self, Parameter};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::collections::HashMap;

/// How deep references and subschemas are followed to find what a schema says of one value.
const DEPTH: usize = 32;
/// How many subschemas are looked at for that. A schema that refers to itself several times would take forever.
const SUBSCHEMAS: usize = 4096;

/// The JSON Schema of a query.
#[derive(Debug)]
pub struct QuerySchema {
    root: Value,
    /// The documents that it refers to, by their URIs.
    documents: HashMap<String, Value>,
}

/// A subschema, and the document that its references are relative to.
#[derive(Clone, Copy)]
struct Node<'s> {
    schema: &'s Value,
    document: &'s Value,
}

/// A way from a value to one within it.
#[derive(Clone, Copy)]
enum Step<'s> {
    Member(&'s str),
    Element(usize),
}

/// How much may still be looked at.
#[derive(Clone, Copy)]
struct Left<'c> {
    depth: usize,
    subschemas: &'c Cell<usize>,
}

impl Left<'_> {
    fn less_one(self) -> Option<Self> {
        self.subschemas.set(self.subschemas.get().checked_sub(1)?);
        Some(Left { depth: self.depth.checked_sub(1)?, ..self })
    }
}

/// How a value fits a schema. The later, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The schema takes no value of this type.
    None,
    /// The schema takes values of this type, but perhaps not this one.
    Type,
    Whole,
}

/// What two schemas say that must both hold; `None` says nothing.
fn both(a: Option<Fit>, b: Option<Fit>) -> Option<Fit> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl QuerySchema {
    /// `documents`: those that the schema refers to, by their URIs.
    pub fn new(root: Value, documents: HashMap<String, Value>) -> Self {
        QuerySchema { root, documents }
    }

    /// The query parameters as an object. A text is the number or boolean that it denotes if the schema takes that. A parameter is a list if
    /// it is repeated, or if the schema takes a list of its value but not the value itself.
    ///
    /// The schema says what it takes by `type`, `enum` and `const`, and where it has none of them, by the keywords that are for one type, such as
    /// `minimum`. `$ref`, `allOf`, `anyOf`, `oneOf`, `then`, `else` and `dependentSchemas` are followed.
    pub fn object(&self, parameters: &[Parameter]) -> Value {
        let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, text) in parameters {
            let text = text.as_deref().unwrap_or_default();
            match texts.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(text),
                None => texts.push((name, vec![text])),
            }
        }
        let member = |(name, texts): (&str, Vec<&str>)| (name.to_owned(), self.value(name, &texts));
        Value::Object(texts.into_iter().map(member).collect::<Map<_, _>>())
    }

    /// The value of one parameter.
    fn value(&self, name: &str, texts: &[&str]) -> Value {
        let of_element = |(i, text): (usize, &&str)| self.scalar(&[Step::Member(name), Step::Element(i)], text).0;
        let list = || Value::Array(texts.iter().enumerate().map(of_element).collect());
        let path = [Step::Member(name)];
        let [only] = texts else { return list() };
        let (value, fit) = self.scalar(&path, only);
        let list = list();
        if self.fits(&path, &list) > fit { list } else { value }
    }

    /// The number, boolean or text that fits best, in this order if they fit alike.
    fn scalar(&self, path: &[Step], text: &str) -> (Value, Option<Fit>) {
        let of_text = Value::from(text);
        let mut best = (self.fits(path, &of_text), of_text);
        let other = match serde_json::from_str::<Value>(text) {
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
            _ => return (best.1, best.0),
        };
        let fit = self.fits(path, &other);
        if fit > Some(Fit::None) && fit >= best.0 {
            best = (fit, other);
        }
        (best.1, best.0)
    }

    /// How a value fits that is at this place in the object; `None` if the schema does not say.
    fn fits(&self, path: &[Step], value: &Value) -> Option<Fit> {
        let root = Node { schema: &self.root, document: &self.root };
        self.fit(root, path, value, Left { depth: DEPTH, subschemas: &Cell::new(SUBSCHEMAS) })
    }

    /// [`Self::fits`], within a subschema.
    fn fit(&self, node: Node, path: &[Step], value: &Value, left: Left) -> Option<Fit> {
        let left = left.less_one()?;
        let Value::Object(schema) = node.schema else {
            return (*node.schema == Value::Bool(false) && path.is_empty()).then_some(Fit::None);
        };
        let next = |schema| Node { schema, ..node };
        let mut said = match path.split_first() {
            None => said_of(schema, value),
            Some((step, rest)) => inner(schema, *step).and_then(|schema| self.fit(next(schema), rest, value, left)),
        };
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let referred = schema.get(keyword).and_then(Value::as_str).and_then(|uri| self.referred(node, uri));
            said = both(said, referred.and_then(|node| self.fit(node, path, value, left)));
        }
        for all in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            said = both(said, self.fit(next(all), path, value, left));
        }
        for of_dependent in schema.get("dependentSchemas").and_then(Value::as_object).into_iter().flat_map(Map::values)
        {
            said = both(said, self.fit(next(of_dependent), path, value, left));
        }
        for keyword in ["anyOf", "oneOf"] {
            let branches = schema.get(keyword).and_then(Value::as_array).into_iter().flatten();
            said = both(said, branches.filter_map(|branch| self.fit(next(branch), path, value, left)).max());
        }
        let cases = ["then", "else"].into_iter().filter_map(|keyword| schema.get(keyword));
        said = both(said, cases.filter_map(|case| self.fit(next(case), path, value, left)).max());
        if path.is_empty() { said.or_else(|| hinted(schema, value)) } else { said }
    }

    /// What a reference leads to.
    fn referred<'s>(&'s self, from: Node<'s>, reference: &str) -> Option<Node<'s>> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let is_id = |document: &Value| document.get("$id").and_then(Value::as_str) == Some(uri);
        let document = if uri.is_empty() || is_id(from.document) {
            from.document
        } else if is_id(&self.root) {
            &self.root
        } else {
            self.documents.get(uri)?
        };
        let fragment = target::decode(fragment, false)?;
        let schema = match fragment.as_ref() {
            "" => document,
            pointer if pointer.starts_with('/') => document.pointer(pointer)?,
            anchor => anchored(document, anchor)?,
        };
        Some(Node { schema, document })
    }
}

/// The subschema of a document with an anchor.
fn anchored<'s>(document: &'s Value, anchor: &str) -> Option<&'s Value> {
    match document {
        Value::Object(members) => {
            let is_it =
                ["$anchor", "$dynamicAnchor"].iter().any(|k| members.get(*k).and_then(Value::as_str) == Some(anchor));
            if is_it { Some(document) } else { members.values().find_map(|member| anchored(member, anchor)) }
        }
        Value::Array(elements) => elements.iter().find_map(|element| anchored(element, anchor)),
        _ => None,
    }
}

/// The subschema for a value within one.
fn inner<'s>(schema: &'s Map<String, Value>, step: Step) -> Option<&'s Value> {
    match step {
        Step::Member(name) => {
            let named = schema.get("properties").and_then(|properties| properties.get(name));
            // Whether a pattern is that of the name is left to the validator.
            let others = || {
                let has_patterns = schema.contains_key("patternProperties");
                ["additionalProperties", "unevaluatedProperties"]
                    .iter()
                    .find_map(|k| schema.get(*k))
                    .filter(|_| !has_patterns)
            };
            let of_pattern = || match schema.get("patternProperties").and_then(Value::as_object) {
                Some(patterns) if patterns.len() == 1 => patterns.values().next(),
                _ => None,
            };
            // A name that the schema refuses has no type.
            named.or_else(of_pattern).or_else(others).filter(|schema| named.is_some() || **schema != Value::Bool(false))
        }
        Step::Element(i) => {
            let at = |keyword: &str| match schema.get(keyword) {
                Some(Value::Array(schemas)) => schemas.get(i),
                _ => None,
            };
            let rest = |keyword: &str| schema.get(keyword).filter(|schema| !schema.is_array());
            at("prefixItems").or_else(|| at("items")).or_else(|| rest("items")).or_else(|| rest("additionalItems"))
        }
    }
}

/// What `type`, `enum` and `const` say of a value.
fn said_of(schema: &Map<String, Value>, value: &Value) -> Option<Fit> {
    let of_type = |name: &Value| match (name.as_str(), value) {
        (Some("number"), Value::Number(_)) | (Some("boolean"), Value::Bool(_)) => Fit::Whole,
        (Some("string"), Value::String(_)) | (Some("array"), Value::Array(_)) => Fit::Whole,
        (Some("integer"), Value::Number(number)) if is_integer(number) => Fit::Whole,
        // "1.5 is not an integer" tells more than "'1.5' is not an integer".
        (Some("integer"), Value::Number(_)) => Fit::Type,
        _ => Fit::None,
    };
    let said = match schema.get("type") {
        Some(Value::Array(names)) => names.iter().map(of_type).max(),
        one => one.map(of_type),
    };
    let one_of = |values: &mut dyn Iterator<Item = &Value>| {
        let of_value = |known: &Value| {
            if are_equal(known, value) {
                Fit::Whole
            } else if std::mem::discriminant(known) == std::mem::discriminant(value) {
                Fit::Type
            } else {
                Fit::None
            }
        };
        values.map(of_value).max()
    };
    let said = both(said, schema.get("enum").and_then(Value::as_array).and_then(|known| one_of(&mut known.iter())));
    both(said, schema.get("const").and_then(|known| one_of(&mut std::iter::once(known))))
}

/// What the keywords that are for values of one type let expect.
fn hinted(schema: &Map<String, Value>, value: &Value) -> Option<Fit> {
    const NUMBERS: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
    const STRINGS: [&str; 4] = ["minLength", "maxLength", "pattern", "format"];
    const ARRAYS: [&str; 7] =
        ["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "additionalItems"];
    let has = |keywords: &[&str]| keywords.iter().any(|keyword| schema.contains_key(*keyword));
    let (numbers, strings, arrays) = (has(&NUMBERS), has(&STRINGS), has(&ARRAYS));
    let is_expected = match value {
        Value::Number(_) => numbers,
        Value::String(_) => strings,
        Value::Array(_) => arrays,
        _ => false,
    };
    (numbers || strings || arrays).then_some(if is_expected { Fit::Whole } else { Fit::None })
}

/// Whether a number has no fraction, however it is written (JSON Schema 2020-12 Core, section 6.3).
fn is_integer(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|double| double.fract() == 0.0)
}

fn are_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| are_equal(a, b)),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::target::Target;
    use serde_json::json;

    #[track_caller]
    fn read(schema: Value, query: &str, expected: Value) {
        let target = format!("/x?{query}");
        let parameters = Target::parse(&target).unwrap().parameters;
        let documents = HashMap::from([(
            "restful:page".to_owned(),
            json!({ "$defs": { "n": { "type": "integer" } }, "type": "integer" }),
        )]);
        assert_eq!(QuerySchema::new(schema.clone(), documents).object(&parameters), expected, "{schema} {query}");
    }

    fn of_p(schema: Value) -> Value {
        json!({ "properties": { "p": schema } })
    }

    #[test]
    fn texts_are_what_the_schema_takes() {
        for (schema, query, expected) in [
            (json!({ "type": "integer" }), "p=1", json!(1)),
            (json!({ "type": "integer" }), "p=x", json!("x")),
            (json!({ "type": "integer" }), "p=1.5", json!(1.5)),
            (json!({ "type": "string" }), "p=1", json!("1")),
            (json!({ "type": ["string", "integer"] }), "p=1", json!(1)),
            (json!({ "type": "boolean" }), "p=true", json!(true)),
            (json!({}), "p=1", json!("1")),
            (json!(true), "p=1", json!("1")),
            (json!(false), "p=1", json!("1")),
            (json!({ "minimum": 5 }), "p=3", json!(3)),
            (json!({ "minimum": 5 }), "p=true", json!("true")),
            (json!({ "minLength": 5 }), "p=3", json!("3")),
            (json!({ "type": "string", "minimum": 5 }), "p=3", json!("3")),
            (json!({ "enum": [1, 2] }), "p=1", json!(1)),
            (json!({ "enum": [1, 2] }), "p=3", json!(3)),
            (json!({ "enum": [1.0, "2"] }), "p=1", json!(1)),
            (json!({ "enum": [1, "2"] }), "p=2", json!("2")),
            (json!({ "enum": ["1", "a"] }), "p=1", json!("1")),
            (json!({ "const": true }), "p=true", json!(true)),
            (json!({ "const": 7 }), "p=7.0", json!(7.0)),
            (json!({ "anyOf": [{ "type": "integer" }, { "const": "all" }] }), "p=1", json!(1)),
            (json!({ "anyOf": [{ "minimum": 1 }, { "const": "all" }] }), "p=all", json!("all")),
            (json!({ "oneOf": [{ "type": "null" }, { "type": "number" }] }), "p=1e2", json!(1e2)),
            (json!({ "allOf": [{ "type": ["integer", "string"] }, { "type": "string" }] }), "p=1", json!("1")),
            (json!({ "if": {}, "then": { "type": "integer" } }), "p=1", json!(1)),
            (json!({ "$ref": "restful:page" }), "p=1", json!(1)),
            (json!({ "$ref": "restful:page#/$defs/n" }), "p=1", json!(1)),
            (json!({ "$ref": "restful:gone" }), "p=1", json!("1")),
            (json!({ "$ref": "#/properties/p" }), "p=1", json!("1")),
        ] {
            read(of_p(schema), query, json!({ "p": expected }));
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_often_ends() {
        let itself = json!({ "$ref": "#" });
        let all: Vec<Value> = (0..20).map(|_| itself.clone()).collect();
        read(
            json!({ "allOf": all.clone(), "anyOf": all, "properties": { "p": { "type": "integer" } } }),
            "p=1",
            json!({ "p": 1 }),
        );
    }

    #[test]
    fn lists_are_what_is_repeated_or_nothing_else() {
        let numbers = json!({ "type": "array", "items": { "type": "integer" } });
        for (schema, query, expected) in [
            (numbers.clone(), "p=1", json!([1])),
            (numbers.clone(), "p=1&p=x", json!([1, "x"])),
            (json!({ "anyOf": [numbers.clone(), { "type": "integer" }] }), "p=1", json!(1)),
            (json!({ "anyOf": [numbers.clone(), { "type": "integer" }] }), "p=1&p=2", json!([1, 2])),
            (json!({ "anyOf": [numbers.clone(), { "const": "all" }] }), "p=1", json!([1])),
            (json!({ "anyOf": [numbers, { "const": "all" }] }), "p=all", json!("all")),
            (json!({ "maxItems": 2 }), "p=1", json!(["1"])),
            (json!({ "type": "array", "prefixItems": [{ "type": "integer" }] }), "p=1&p=2", json!([1, "2"])),
            (
                json!({ "items": [{ "type": "integer" }], "additionalItems": { "type": "boolean" } }),
                "p=1&p=true",
                json!([1, true]),
            ),
            (json!({ "type": "integer" }), "p=1&p=2", json!(["1", "2"])),
        ] {
            read(of_p(schema), query, json!({ "p": expected }));
        }
    }

    #[test]
    fn the_schema_of_a_parameter_is_found_where_the_object_has_it() {
        let number = json!({ "type": "integer" });
        for schema in [
            json!({ "$ref": "#/$defs/q", "$defs": { "q": { "properties": { "p": { "$ref": "#/$defs/n" } } }, "n": number } }),
            json!({ "allOf": [{ "properties": { "p": number } }] }),
            json!({ "additionalProperties": number }),
            json!({ "patternProperties": { "^p": number } }),
            json!({ "anyOf": [{ "properties": { "q": {} }, "required": ["q"] }, { "properties": { "p": number } }] }),
            json!({ "$defs": { "n": { "$anchor": "n", "type": "integer" } }, "properties": { "p": { "$ref": "#n" } } }),
            json!({ "$id": "https://example.com/q", "$defs": { "n": number }, "properties": { "p": { "$ref": "https://example.com/q#/$defs/n" } } }),
            json!({ "dependentSchemas": { "q": { "properties": { "p": number } } } }),
        ] {
            read(schema, "p=1", json!({ "p": 1 }));
        }
        read(json!({ "additionalProperties": false }), "p=1&q", json!({ "p": "1", "q": "" }));
    }
}
