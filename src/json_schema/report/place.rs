//! Finds the place of a keyword in a schema by the evaluation path that led to it.

use crate::json::pointer;
use jsonschema::{Draft, Registry, uri};
use referencing::Resolver;
use serde_json::Value;

/// The place that an evaluation path ends at.
pub struct Place<'s> {
    /// The schema that contains the keyword.
    pub schema: &'s Value,
    /// Its draft.
    pub draft: Draft,
    /// The last keyword on the path.
    pub keyword: String,
    /// The name or index after the keyword.
    pub key: Option<String>,
    /// The schema that the path leads to, if it leads to one.
    pub target: Option<&'s Value>,
}

/// Follows a path (JSON Schema 2020-12 Core, section 12.3.2) through a schema. `None` if it cannot be followed or is empty.
pub fn follow<'s>(
    registry: &'s Registry<'_>,
    schema: &'s Value,
    id: &str,
    draft: Draft,
    path: &str,
) -> Option<Place<'s>> {
    let resolver = registry.resolver(uri::from_str(id).ok()?);
    let resolver = resolver.in_subresource(draft.create_resource_ref(schema)).ok()?;
    let mut tokens = path.split('/').skip(1).map(pointer::unescape).peekable();
    let mut at = Step { schema, resolver, draft };
    loop {
        let keyword = tokens.next()?;
        let value = at.schema.get(&keyword);
        let takes_key = match keyword.as_str() {
            "properties" | "patternProperties" | "dependentSchemas" | "dependencies" | "$defs" | "definitions" => true,
            _ => value.is_some_and(Value::is_array),
        };
        let key = if takes_key { tokens.next() } else { None };
        let next = match (keyword.as_str(), value) {
            ("$ref" | "$dynamicRef", Some(Value::String(reference))) => {
                Some(at.resolver.lookup(reference).ok()?.into())
            }
            ("$recursiveRef", _) => Some(at.resolver.lookup_recursive_ref().ok()?.into()),
            (_, Some(Value::Object(schemas))) => match &key {
                Some(key) => schemas.get(key).and_then(|schema| at.part(schema)),
                None => value.and_then(|schema| at.part(schema)),
            },
            (_, Some(Value::Array(schemas))) => {
                let index = key.as_ref().and_then(|key| key.parse::<usize>().ok());
                index.and_then(|index| schemas.get(index)).and_then(|schema| at.part(schema))
            }
            (_, Some(schema @ Value::Bool(_))) => at.part(schema),
            _ => None,
        };
        if tokens.peek().is_none() {
            let target = next.as_ref().map(|next: &Step<'_>| next.schema);
            return Some(Place { schema: at.schema, draft: at.draft, keyword, key, target });
        }
        at = next?;
    }
}

/// A schema on the way.
struct Step<'s> {
    schema: &'s Value,
    resolver: Resolver<'s>,
    draft: Draft,
}

impl<'s> Step<'s> {
    fn part(&self, schema: &'s Value) -> Option<Self> {
        let draft = self.draft.detect(schema);
        let resolver = self.resolver.in_subresource(draft.create_resource_ref(schema)).ok()?;
        Some(Step { schema, resolver, draft })
    }
}

impl<'s> From<referencing::Resolved<'s>> for Step<'s> {
    fn from(resolved: referencing::Resolved<'s>) -> Self {
        let (schema, resolver, draft) = resolved.into_inner();
        Step { schema, resolver, draft }
    }
}
