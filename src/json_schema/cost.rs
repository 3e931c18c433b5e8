//! Estimates how much work a schema can cause for one value.
//!
//! `allOf`, `$ref` and their like apply schemas to the same value again. Their chains take stack. Where they branch and meet again,
//! the number of paths grows exponentially: thirty definitions that each refer twice to the next make a billion. The validator
//! cannot be interrupted there, so such schemas are refused before they are compiled.

use super::pattern;
use super::references::Named;
use super::refusal::Refusal;
use crate::limits;
use jsonschema::Draft;
use jsonschema::uri;
use jsonschema::{ReferencingError, Registry};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

type Resolver<'r> = referencing::Resolver<'r>;

/// The schemas that apply to one value.
#[derive(Clone, Copy)]
struct Cost {
    /// Schemas in the longest chain.
    depth: usize,
    /// Schemas on all paths together.
    ways: usize,
}

struct Costs<'r> {
    /// Known costs, by the schema's address; `None` while the cost is being computed.
    known: HashMap<*const Value, Option<Cost>>,
    /// The schemas that a `$dynamicRef` may lead to, by `$dynamicAnchor`. `$recursiveAnchor` has the empty name.
    anchors: HashMap<&'r str, Vec<(&'r Value, Resolver<'r>, Draft)>>,
}

/// Memory per state of a pattern's automaton, and of a compiled schema without its patterns, approximately.
const STATE_BYTES: usize = 80;
const SCHEMA_BYTES: usize = 1000;

/// Refuses a schema that has too many in-place applicators (JSON Schema 2020-12 Core, section 10.2), whose applicators form a
/// cycle, or that takes too long to compile. Returns the bytes that it takes once compiled, approximately.
///
/// `documents`: the schema and the documents that it refers to, all of them in the registry.
pub fn check<'r>(registry: &'r Registry<'_>, documents: &[Named<'r>]) -> Result<usize, Refusal> {
    let mut costs = Costs { known: HashMap::new(), anchors: HashMap::new() };
    let mut roots = Vec::new();
    for (uri, document, draft) in documents.iter().copied() {
        let Ok(base) = uri::from_str(uri) else { continue };
        let resolver = registry.resolver(base);
        let resolver = resolver.in_subresource(draft.create_resource_ref(document)).unwrap_or(resolver);
        roots.push((document, resolver, draft));
    }
    let documents = roots.len();
    let root = roots.first().cloned();
    let mut resources = 0;
    let mut schemas = Vec::new();
    while let Some((schema, resolver, draft)) = roots.pop() {
        resources += usize::from(draft.create_resource_ref(schema).id().is_some());
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
    let mut unevaluated = 0_usize;
    for (schema, resolver, draft) in &schemas {
        let cost = costs.of(schema, resolver, *draft, 0)?;
        if cost.ways > limits::SCHEMAS_PER_VALUE {
            return Err(Refusal::whole(
                format!("the schema applies more than {} schemas to one value", limits::SCHEMAS_PER_VALUE),
                "Definitions that refer to others several times multiply: refer to each once.",
            ));
        }
        if ["unevaluatedProperties", "unevaluatedItems"].iter().any(|keyword| schema.get(keyword).is_some()) {
            unevaluated = unevaluated.saturating_add(cost.ways);
        }
    }
    if unevaluated > limits::UNEVALUATED_SCHEMAS {
        return Err(Refusal::whole(
            format!("the schema has more than {} schemas beside \"unevaluated\" keywords", limits::UNEVALUATED_SCHEMAS),
            "Use unevaluatedProperties and unevaluatedItems once, in the outermost schema.",
        ));
    }
    let states = check_names_and_patterns(&schemas)?;
    let compiled = match root {
        Some((schema, resolver, draft)) if documents > 1 || resources > 1 => {
            check_scopes(schema, resolver, draft, schemas.len())?
        }
        _ => schemas.len(),
    };
    Ok(states.saturating_mul(STATE_BYTES).saturating_add(compiled.max(schemas.len()).saturating_mul(SCHEMA_BYTES)))
}

/// Refuses long URIs. Every relative URI within them is resolved against them before anything else can be checked.
pub fn check_ids(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, member)| match (name.as_str(), member) {
            ("$id" | "id", Value::String(id)) if id.len() > limits::SCHEMA_NAME_BYTES => Err(Refusal::whole(
                format!(
                    "the schema has an $id of {} bytes, but at most {} are allowed",
                    id.len(),
                    limits::SCHEMA_NAME_BYTES
                ),
                "Use a shorter URI.",
            )),
            _ => check_ids(member),
        }),
        Value::Array(elements) => elements.iter().try_for_each(check_ids),
        _ => Ok(()),
    }
}

/// Refuses names that would make locations long, and patterns that together take long to compile. Returns the number of states.
fn check_names_and_patterns(schemas: &[(&Value, Resolver<'_>, Draft)]) -> Result<usize, Refusal> {
    let mut patterns = HashSet::new();
    for (schema, _, _) in schemas {
        let Value::Object(members) = schema else { continue };
        patterns.extend(members.get("pattern").and_then(Value::as_str));
        let named = members.get("patternProperties").and_then(Value::as_object);
        patterns.extend(named.into_iter().flatten().map(|(pattern, _)| pattern.as_str()));
        let names = members.values().filter_map(Value::as_object).flat_map(|members| members.keys());
        if let Some(name) = names.into_iter().find(|name| name.len() > limits::SCHEMA_NAME_BYTES) {
            return Err(Refusal::whole(
                format!(
                    "the schema has a name of {} bytes, but at most {} are allowed",
                    name.len(),
                    limits::SCHEMA_NAME_BYTES
                ),
                "Names are repeated in the locations of everything below them: use shorter ones.",
            ));
        }
    }
    let states = patterns.into_iter().map(pattern::cost::states).fold(0, usize::saturating_add);
    if states > limits::PATTERN_STATES {
        return Err(Refusal::whole(
            "the schema has too many patterns, or they repeat too much",
            "Use fewer and shorter patterns, lower counts in braces, and classes of ASCII in place of \\p{...}.",
        ));
    }
    Ok(states)
}

impl<'r> Costs<'r> {
    fn of(&mut self, schema: &'r Value, resolver: &Resolver<'r>, draft: Draft, above: usize) -> Result<Cost, Refusal> {
        let Some(members) = schema.as_object() else { return Ok(Cost { depth: 1, ways: 1 }) };
        match self.known.get(&std::ptr::from_ref(schema)) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => {
                return Err(Refusal::whole(
                    "the schema applies itself to the same value endlessly",
                    "A recursive $ref must lead through \"properties\", \"items\" or another keyword that steps into the value.",
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

    /// Where a reference may lead; empty if it cannot be resolved, which compiling reports.
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

/// A schema to compile in one dynamic scope.
struct Visit<'r> {
    address: usize,
    /// The targets of its references, each of which is visited next.
    targets: Vec<(&'r Value, Resolver<'r>, Draft)>,
}

/// Refuses schemas whose resources refer to each other on too many paths.
///
/// The target of a reference is compiled anew in every dynamic scope (2020-12 Core, section 7.1). The dynamic scope is the list of
/// resources on the path, so the number of paths between a few that refer to each other grows exponentially. `once`: the number of
/// schemas. Returns how many are compiled.
fn check_scopes<'r>(schema: &'r Value, resolver: Resolver<'r>, draft: Draft, once: usize) -> Result<usize, Refusal> {
    let mut compiled = 0;
    let mut seen: HashSet<(usize, u64)> = HashSet::new();
    let mut path: Vec<Visit<'r>> = Vec::new();
    let mut under_way: HashSet<usize> = HashSet::new();
    let hasher = RandomState::new();
    let mut next = Some((schema, resolver, draft));
    loop {
        if let Some((schema, resolver, draft)) = next.take() {
            let address = std::ptr::from_ref(schema).addr();
            let scope = hasher.hash_one((resolver.base_uri(), resolver.dynamic_scope()));
            if !under_way.contains(&address) && seen.insert((address, scope)) {
                let targets = references(schema, resolver, draft, &mut compiled);
                if compiled > once + limits::SCHEMAS_COMPILED_AGAIN {
                    return Err(Refusal::whole(
                        format!(
                            "the schema's documents refer to each other in more than {} ways",
                            limits::SCHEMAS_COMPILED_AGAIN
                        ),
                        "Put what refers to each other into one schema, under \"$defs\" without \"$id\".",
                    ));
                }
                under_way.insert(address);
                path.push(Visit { address, targets });
            }
        }
        let Some(visit) = path.last_mut() else { return Ok(compiled) };
        next = visit.targets.pop();
        if next.is_none() {
            under_way.remove(&visit.address);
            path.pop();
        }
    }
}

/// The targets of the references in a schema and in its subschemas. Counts the subschemas.
fn references<'r>(
    schema: &'r Value,
    resolver: Resolver<'r>,
    draft: Draft,
    compiled: &mut usize,
) -> Vec<(&'r Value, Resolver<'r>, Draft)> {
    let mut targets = Vec::new();
    let mut pending = vec![(schema, resolver, draft)];
    while let Some((schema, resolver, draft)) = pending.pop() {
        *compiled += 1;
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(reference) = schema.get(keyword).and_then(Value::as_str) else { continue };
            let resolved =
                if keyword == "$recursiveRef" { resolver.lookup_recursive_ref() } else { resolver.lookup(reference) };
            targets.extend(resolved.map(|resolved| resolved.into_inner()));
        }
        for part in draft.subresources_of(schema) {
            let draft = draft.detect(part);
            if let Ok(resolver) = resolver.in_subresource(draft.create_resource_ref(part)) {
                pending.push((part, resolver, draft));
            }
        }
    }
    targets
}
