//! How much work one value can make of a schema.
//!
//! `allOf`, `$ref` and their like apply schemas to the same value again. Their chains take stack, and where they branch
//! and meet again the number of ways through them grows exponentially: thirty definitions that each refer twice to the
//! next make a billion. The validator could not be stopped in there, so such schemas are refused before they are compiled.

use super::compile::Refusal;
use crate::limits;
use jsonschema::Draft;
use jsonschema::uri;
use jsonschema::{ReferencingError, Registry};
use serde_json::Value;
use std::collections::HashMap;

type Resolver<'r> = referencing::Resolver<'r>;

/// Schemas applied to one value.
#[derive(Clone, Copy)]
struct Cost {
    /// In one chain.
    depth: usize,
    /// Along all ways.
    ways: usize,
}

struct Costs<'r> {
    /// By the schema's address; `None` while it is being found out.
    known: HashMap<*const Value, Option<Cost>>,
    /// Schemas that a `$dynamicRef` may lead to, by `$dynamicAnchor`; `$recursiveAnchor` has the empty name.
    anchors: HashMap<&'r str, Vec<(&'r Value, Resolver<'r>, Draft)>>,
}

/// Refuses a schema whose in-place applicators (JSON Schema 2020-12 Core, section 10.2) are too many or go in circles.
///
/// `documents` are the schema and what it refers to, with their URIs, all of them in the registry.
pub fn check<'r, 'd: 'r>(
    registry: &'r Registry<'_>,
    documents: impl Iterator<Item = (&'d str, &'d Value)>,
) -> Result<(), Refusal> {
    let mut costs = Costs { known: HashMap::new(), anchors: HashMap::new() };
    let mut roots = Vec::new();
    for (uri, document) in documents {
        let Ok(base) = uri::from_str(uri) else { continue };
        let draft = Draft::default().detect(document);
        let resolver = registry.resolver(base);
        let resolver = resolver.in_subresource(draft.create_resource_ref(document)).unwrap_or(resolver);
        roots.push((document, resolver, draft));
    }
    let mut schemas = Vec::new();
    while let Some((schema, resolver, draft)) = roots.pop() {
        for part in draft.subresources_of(schema) {
            let draft = draft.detect(part);
            if let Ok(resolver) = resolver.in_subresource(draft.create_resource_ref(part)) {
                roots.push((part, resolver, draft));
            }
        }
        if let Some(name) = schema.get("$dynamicAnchor").and_then(Value::as_str) {
            costs.anchors.entry(name).or_default().push((schema, resolver.clone(), draft));
        }
        if schema.get("$recursiveAnchor").and_then(Value::as_bool) == Some(true) {
            costs.anchors.entry("").or_default().push((schema, resolver.clone(), draft));
        }
        schemas.push((schema, resolver, draft));
    }
    for (schema, resolver, draft) in &schemas {
        let cost = costs.of(schema, resolver, *draft, 0)?;
        if cost.ways > limits::SCHEMAS_PER_VALUE {
            return Err(Refusal::whole(
                format!("the schema applies more than {} schemas to one value", limits::SCHEMAS_PER_VALUE),
                "Definitions that refer to others several times multiply: refer to each once.",
            ));
        }
    }
    Ok(())
}

impl<'r> Costs<'r> {
    fn of(&mut self, schema: &'r Value, resolver: &Resolver<'r>, draft: Draft, above: usize) -> Result<Cost, Refusal> {
        let Some(members) = schema.as_object() else { return Ok(Cost { depth: 1, ways: 1 }) };
        match self.known.get(&std::ptr::from_ref(schema)) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => {
                return Err(Refusal::whole(
                    "the schema applies itself to the same value, without end",
                    "A recursive $ref has to lead through \"properties\", \"items\" or another keyword that steps into the value.",
                ));
            }
            None => {}
        }
        if above >= limits::SCHEMA_CHAIN {
            return Err(Refusal::whole(
                format!("the schema chains more than {} schemas on one value", limits::SCHEMA_CHAIN),
                "Shorten the chain of $ref and allOf.",
            ));
        }
        self.known.insert(schema, None);
        let mut cost = Cost { depth: 1, ways: 1 };
        for (keyword, member) in members {
            let parts: &mut dyn Iterator<Item = &'r Value> = match (keyword.as_str(), member) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                    for (target, resolver, draft) in self.targets(keyword, reference, resolver) {
                        cost.add(self.of(target, &resolver, draft, above + 1)?);
                    }
                    continue;
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => &mut schemas.iter(),
                ("not" | "if" | "then" | "else", Value::Object(_)) => &mut std::iter::once(member),
                ("dependentSchemas" | "dependencies", Value::Object(schemas)) => &mut schemas.values(),
                _ => continue,
            };
            for part in parts {
                let draft = draft.detect(part);
                let Ok(resolver) = resolver.in_subresource(draft.create_resource_ref(part)) else { continue };
                cost.add(self.of(part, &resolver, draft, above + 1)?);
            }
        }
        if above + cost.depth > limits::SCHEMA_CHAIN {
            return Err(Refusal::whole(
                format!("the schema chains more than {} schemas on one value", limits::SCHEMA_CHAIN),
                "Shorten the chain of $ref and allOf.",
            ));
        }
        self.known.insert(schema, Some(cost));
        Ok(cost)
    }

    /// Where a reference may lead; nowhere if it cannot be resolved, which compiling will tell.
    fn targets(
        &self,
        keyword: &str,
        reference: &str,
        resolver: &Resolver<'r>,
    ) -> Vec<(&'r Value, Resolver<'r>, Draft)> {
        let anchors = match keyword {
            "$ref" => None,
            "$recursiveRef" => self.anchors.get(""),
            _ => reference.split_once('#').and_then(|(_, name)| self.anchors.get(name)),
        };
        let mut targets = anchors.cloned().unwrap_or_default();
        let resolved: Result<_, ReferencingError> = resolver.lookup(reference);
        if let Ok(resolved) = resolved {
            let (target, resolver, draft) = resolved.into_inner();
            if !targets.iter().any(|(other, _, _)| std::ptr::eq(*other, target)) {
                targets.push((target, resolver, draft));
            }
        }
        targets
    }
}

impl Cost {
    fn add(&mut self, part: Cost) {
        self.depth = self.depth.max(part.depth + 1);
        self.ways = self.ways.saturating_add(part.ways);
    }
}
