//! The JSON Schema of one value, while it is assembled.

use super::check::{Bound, Class, Fact};
use serde_json::{Map, Number, Value, json};
use std::cmp::Ordering;
use std::collections::HashSet;

/// Values that JSON numbers cannot express. PostgreSQL writes them as strings.
pub const NOT_A_NUMBER: &str = "NaN";
pub const INFINITY: &str = "Infinity";
pub const MINUS_INFINITY: &str = "-Infinity";

/// The schema of a value that is not NULL.
#[derive(Clone, Debug)]
pub struct Shape {
    pub class: Class,
    /// JSON Schema's types; empty if any value is allowed.
    pub types: Vec<String>,
    /// The keywords that do not depend on CHECK constraints.
    pub keywords: Map<String, Value>,
    /// The schema of an array's elements.
    pub items: Option<Box<Shape>>,
    /// Strings that stand for numbers.
    pub specials: Vec<&'static str>,
    pub lower: Option<Bound>,
    pub upper: Option<Bound>,
    pub min_length: Option<u64>,
    pub max_length: Option<u64>,
    pub min_items: Option<u64>,
    pub max_items: Option<u64>,
    pub one_of: Option<Vec<Value>>,
    pub patterns: Vec<String>,
    /// The elements of an array are not arrays. PostgreSQL does not enforce the declared number of dimensions.
    pub one_dimension: bool,
}

impl Shape {
    pub fn new(class: Class, types: &[&str]) -> Self {
        Shape {
            class,
            types: types.iter().map(|t| (*t).to_owned()).collect(),
            keywords: Map::new(),
            items: None,
            specials: Vec::new(),
            lower: None,
            upper: None,
            min_length: None,
            max_length: None,
            min_items: None,
            max_items: None,
            one_of: None,
            patterns: Vec::new(),
            one_dimension: false,
        }
    }

    /// Any JSON value.
    pub fn anything() -> Self {
        Shape::new(Class::Other, &[])
    }

    /// A string with a format.
    pub fn formatted(format: &str) -> Self {
        Shape::new(Class::Other, &["string"]).with("format", format)
    }

    /// A string that matches a pattern.
    pub fn matching(pattern: &str) -> Self {
        let mut shape = Shape::new(Class::Other, &["string"]);
        shape.patterns.push(pattern.to_owned());
        shape
    }

    pub fn with(mut self, keyword: &str, value: impl Into<Value>) -> Self {
        self.keywords.insert(keyword.to_owned(), value.into());
        self
    }

    /// Applies a fact of a CHECK constraint.
    pub fn narrow(&mut self, fact: Fact) {
        match fact {
            Fact::NotNull => {}
            Fact::Lower(bound) => {
                self.specials.retain(|s| *s != MINUS_INFINITY);
                tighten(&mut self.lower, bound, Ordering::Greater);
            }
            // PostgreSQL sorts NaN behind infinity.
            Fact::Upper(bound) => {
                self.specials.retain(|s| *s == MINUS_INFINITY);
                tighten(&mut self.upper, bound, Ordering::Less);
            }
            Fact::OneOf(values) => {
                self.specials.clear();
                match &mut self.one_of {
                    // in the order of the type, or of the first constraint
                    Some(known) => known.retain(|v| values.contains(v)),
                    None => {
                        let mut seen = HashSet::new();
                        self.one_of = Some(values.into_iter().filter(|v| seen.insert(v.to_string())).collect());
                    }
                }
            }
            Fact::Pattern(pattern) if !self.patterns.contains(&pattern) => self.patterns.push(pattern),
            Fact::Pattern(_) => {}
            Fact::MinLength(n) => self.min_length = self.min_length.max(Some(n)),
            Fact::MaxLength(n) => self.max_length = Some(self.max_length.map_or(n, |m| m.min(n))),
            Fact::MinItems(n) => self.min_items = self.min_items.max(Some(n)),
            Fact::MaxItems(n) => self.max_items = Some(self.max_items.map_or(n, |m| m.min(n))),
            Fact::OneDimension => self.one_dimension = true,
            Fact::Types(types) => {
                if self.types.is_empty() {
                    self.types = types;
                } else {
                    self.types.retain(|t| types.contains(t));
                }
            }
        }
    }

    /// The schema. `nullable`: it also accepts NULL, which JSON writes as `null`.
    pub fn render(self, nullable: bool) -> Map<String, Value> {
        let mut schema = Map::new();
        let mut types = self.types;
        if !self.specials.is_empty() {
            types.push("string".to_owned());
        }
        if nullable && !types.is_empty() && !types.iter().any(|t| t == "null") {
            types.push("null".to_owned());
        }
        let mut seen = HashSet::new();
        types.retain(|t| seen.insert(t.clone()));
        if types.len() > 1 {
            schema.insert("type".to_owned(), types.into());
        } else if let Some(only) = types.pop() {
            schema.insert("type".to_owned(), only.into());
        }
        if let Some(mut values) = self.one_of {
            if nullable {
                values.push(Value::Null);
            }
            // Drafts before 2019-09 refuse an empty `enum`. It only occurs if no value can be stored.
            schema.insert("enum".to_owned(), values.into());
        }
        schema.extend(self.keywords);
        insert_bound(&mut schema, self.lower, "minimum", "exclusiveMinimum");
        insert_bound(&mut schema, self.upper, "maximum", "exclusiveMaximum");
        let mut patterns = self.patterns;
        if !self.specials.is_empty() {
            patterns.push(match self.specials.as_slice() {
                [only] => format!("^{only}$"),
                several => format!("^({})$", several.join("|")),
            });
        }
        let counts = [
            ("minLength", self.min_length),
            ("maxLength", self.max_length),
            ("minItems", self.min_items),
            ("maxItems", self.max_items),
        ];
        for (keyword, count) in counts {
            if let Some(count) = count {
                schema.insert(keyword.to_owned(), count.into());
            }
        }
        let mut patterns = patterns.into_iter();
        if let Some(pattern) = patterns.next() {
            schema.insert("pattern".to_owned(), pattern.into());
        }
        let more: Vec<Value> = patterns.map(|pattern| json!({ "pattern": pattern })).collect();
        if !more.is_empty() {
            schema.insert("allOf".to_owned(), more.into());
        }
        if let Some(items) = self.items {
            schema.insert("items".to_owned(), items.into_items(self.one_dimension));
        }
        schema
    }

    /// The schema of an array's elements. They may be NULL, and arrays unless a CHECK restricts the array to one dimension. The
    /// elements of inner arrays are not restricted.
    fn into_items(self, one_dimension: bool) -> Value {
        let is_plain = self.one_of.is_none() && self.class != Class::Array;
        let is_open = self.types.is_empty();
        let mut schema = self.render(true);
        if one_dimension || is_open {
            return schema.into();
        }
        match schema.get_mut("type") {
            Some(Value::Array(types)) if is_plain => {
                types.push("array".into());
                schema.into()
            }
            _ => json!({ "anyOf": [schema, { "type": "array" }] }),
        }
    }
}

fn insert_bound(schema: &mut Map<String, Value>, bound: Option<Bound>, inclusive: &str, exclusive: &str) {
    if let Some(bound) = bound {
        let keyword = if bound.exclusive { exclusive } else { inclusive };
        schema.insert(keyword.to_owned(), bound.value.into());
    }
}

/// Replaces a bound by a tighter one: one that lies in the direction `inward` of it.
fn tighten(known: &mut Option<Bound>, bound: Bound, inward: Ordering) {
    let is_tighter = known.as_ref().is_none_or(|known| {
        let order = compare(&bound.value, &known.value);
        order == inward || order == Ordering::Equal && bound.exclusive
    });
    if is_tighter {
        *known = Some(bound);
    }
}

fn compare(a: &Number, b: &Number) -> Ordering {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}
