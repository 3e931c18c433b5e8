//! What a schema requires at one location.

use super::part::Part;
use crate::limits::{EXAMPLE_PARTS, EXAMPLE_STRING_BYTES, EXAMPLE_WAYS};
use serde_json::{Map, Value};

/// One way to satisfy a location: schemas that must all hold, and others whose limits are worth trying.
#[derive(Clone, Default)]
pub(super) struct Way<'a> {
    pub must: Vec<Part<'a>>,
    pub hint: Vec<Part<'a>>,
}

impl<'a> Way<'a> {
    pub(super) fn all(&self) -> impl Iterator<Item = Part<'a>> + '_ {
        self.must.iter().chain(&self.hint).copied()
    }

    /// Whether nothing is required at the location.
    pub(super) fn is_open(&self) -> bool {
        self.all().all(|part| part.schema.as_object().is_none_or(Map::is_empty))
    }

    pub(super) fn numbers(&self, keyword: &str) -> Vec<f64> {
        self.all().filter_map(|part| part.get(keyword).and_then(Value::as_f64)).collect()
    }

    /// The numbers at and next to the limits in `keywords`.
    pub(super) fn counts(&self, keywords: [&str; 2]) -> Vec<usize> {
        let mut counts = vec![0, 1];
        for keyword in keywords {
            for count in self.numbers(keyword) {
                if (0.0..=EXAMPLE_STRING_BYTES as f64).contains(&count) {
                    let count = count as usize;
                    counts.extend([count.saturating_sub(1), count, count + 1]);
                }
            }
        }
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    pub(super) fn least(&self, keyword: &str) -> usize {
        let least = self.must.iter().filter_map(|part| part.get(keyword).and_then(Value::as_u64)).max();
        least.map_or(0, |least| usize::try_from(least).unwrap_or(usize::MAX))
    }
}

pub(super) fn strings(value: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|name| name.as_str().map(ToOwned::to_owned))
}

pub(super) fn required(way: &Way<'_>) -> Vec<String> {
    way.must.iter().flat_map(|part| strings(part.get("required"))).collect()
}

pub(super) fn least_contained(way: &Way<'_>) -> usize {
    usize::from(way.must.iter().any(|part| part.get("contains").is_some()))
}

pub(super) fn most(way: &Way<'_>, keyword: &str) -> usize {
    let most = way.must.iter().filter_map(|part| part.get(keyword).and_then(Value::as_u64)).min();
    most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX))
}

pub(super) fn constants(part: Part<'_>) -> impl Iterator<Item = &Value> {
    part.get("const").into_iter().chain(part.get("enum").and_then(Value::as_array).into_iter().flatten())
}

/// The values that `way` lists, if it lists them.
pub(super) fn listed(way: &Way<'_>) -> Option<Vec<Value>> {
    let part = way.must.iter().find(|part| part.get("const").is_some() || part.get("enum").is_some())?;
    Some(constants(*part).cloned().collect())
}

/// The types that `way` accepts; the type that its keywords are about comes first.
pub(super) fn kinds(way: &Way<'_>) -> Vec<&'static str> {
    const KINDS: [(&str, &[&str]); 7] = [
        ("object", &["properties", "required", "patternProperties", "additionalProperties", "propertyNames"]),
        ("array", &["items", "prefixItems", "contains", "minItems", "uniqueItems", "maxItems"]),
        ("string", &["minLength", "maxLength", "pattern", "format"]),
        ("integer", &[]),
        ("number", &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]),
        ("boolean", &[]),
        ("null", &[]),
    ];
    let allowed = |kind: &str| {
        way.must.iter().all(|part| match part.get("type") {
            None => true,
            Some(Value::String(name)) => name == kind || (name == "number" && kind == "integer"),
            Some(Value::Array(names)) => {
                names.iter().any(|name| name == kind || (name == "number" && kind == "integer"))
            }
            Some(_) => false,
        })
    };
    let mut kinds: Vec<_> = KINDS.iter().filter(|(kind, _)| allowed(kind)).collect();
    kinds.sort_by_key(|(_, keywords)| {
        let spoken = keywords.iter().any(|keyword| way.must.iter().any(|part| part.get(keyword).is_some()));
        let hinted = keywords.iter().any(|keyword| way.hint.iter().any(|part| part.get(keyword).is_some()));
        (!spoken, !hinted)
    });
    kinds.into_iter().map(|(kind, _)| *kind).collect()
}

/// The ways to satisfy `way`, with references followed, `allOf` merged, and one branch chosen for every `anyOf`; and how many
/// schemas were read.
pub(super) fn expand<'a>(way: &Way<'a>) -> (Vec<Way<'a>>, usize) {
    let mut ways = Vec::new();
    let mut read = 0;
    let mut pending = vec![(way.must.clone(), Way::default(), way.hint.clone(), 0_usize)];
    while let Some((mut open, mut done, mut hints, mut steps)) = pending.pop() {
        if ways.len() == EXAMPLE_WAYS || read > EXAMPLE_WAYS * EXAMPLE_PARTS {
            break;
        }
        read += 1;
        let mut dead = false;
        while let Some(part) = open.pop() {
            steps += 1;
            read += 1;
            if steps > EXAMPLE_PARTS || part.schema == &Value::Bool(false) {
                dead = true;
                break;
            }
            if done.must.iter().any(|other| std::ptr::eq(other.schema, part.schema)) {
                continue;
            }
            open.extend(part.follow());
            open.extend(part.list("allOf"));
            hints.extend(hints_of(part));
            done.must.push(part);
            let mut choices = choices_of(part).into_iter().take(EXAMPLE_WAYS);
            if let Some(first) = choices.next() {
                let rest: Vec<_> = choices.collect();
                // Later branches are tried in order.
                for chosen in rest.into_iter().rev() {
                    if pending.len() < 4 * EXAMPLE_WAYS {
                        pending.push(([&open[..], &chosen[..]].concat(), done.clone(), hints.clone(), steps));
                    }
                }
                open.extend(first);
            }
        }
        if !dead {
            done.hint = flattened(&hints);
            read += done.hint.len();
            ways.push(done);
        }
    }
    (ways, read)
}

/// The schemas that a value must satisfy because another keyword of `part` says so: those listed under the names of members.
fn dependent<'a>(part: Part<'a>) -> impl Iterator<Item = Part<'a>> {
    part.object("dependentSchemas")
        .chain(part.object("dependencies").filter(|(_, part)| !part.schema.is_array()))
        .map(|(_, schema)| schema)
}

/// Schemas of `part` that need not hold, but suggest values to try.
fn hints_of<'a>(part: Part<'a>) -> Vec<Part<'a>> {
    let mut hints: Vec<Part<'a>> = part.get("not").map(|schema| part.within(schema)).into_iter().collect();
    hints.extend(dependent(part));
    hints.extend(part.get("if").map(|condition| part.within(condition)));
    hints
}

/// The ways to choose among the alternatives in `part`, each as the schemas to satisfy.
fn choices_of<'a>(part: Part<'a>) -> Vec<Vec<Part<'a>>> {
    let branches = |keyword| part.list(keyword).map(|branch| vec![branch]).collect();
    let mut conditions: Vec<Vec<Part<'a>>> = Vec::new();
    if let Some(condition) = part.get("if") {
        let holds = [Some(part.within(condition)), part.get("then").map(|schema| part.within(schema))];
        conditions.push(holds.into_iter().flatten().collect());
        conditions.push(part.get("else").map(|schema| part.within(schema)).into_iter().collect());
    }
    let mut dependent: Vec<Vec<Part<'a>>> = dependent(part).map(|schema| vec![schema]).collect();
    if !dependent.is_empty() {
        dependent.push(Vec::new());
    }
    let mut choices: Vec<Vec<Part<'a>>> = Vec::new();
    for group in [dependent, branches("anyOf"), branches("oneOf"), conditions] {
        if group.is_empty() {
            continue;
        }
        choices = if choices.is_empty() {
            group
        } else {
            let both = choices.iter().flat_map(|left| group.iter().map(move |right| [&left[..], &right[..]].concat()));
            both.take(EXAMPLE_WAYS).collect()
        };
    }
    choices
}

/// All the schemas in a hint.
fn flattened<'a>(hints: &[Part<'a>]) -> Vec<Part<'a>> {
    let mut flat: Vec<Part<'a>> = Vec::new();
    let mut open: Vec<Part<'a>> = hints.iter().rev().copied().collect();
    while let Some(part) = open.pop() {
        if flat.len() == EXAMPLE_PARTS {
            break;
        }
        if !part.schema.is_object() || flat.iter().any(|other| std::ptr::eq(other.schema, part.schema)) {
            continue;
        }
        flat.push(part);
        open.extend(part.follow());
        for keyword in ["allOf", "anyOf", "oneOf"] {
            open.extend(part.list(keyword));
        }
        for keyword in ["not", "if", "then", "else"] {
            open.extend(part.get(keyword).map(|schema| part.within(schema)));
        }
        open.extend(part.object("dependentSchemas").map(|(_, schema)| schema));
    }
    flat
}
