//! A proof, keyword by keyword, that one schema accepts all that another does.
//!
//! It takes time in proportion to the schemas, reads through recursion and does not mind a keyword it does not know, as
//! long as that did not change: what the set algebra cannot do. It pairs branches and knows little of negation, so that
//! it often has no proof where there is one.

use std::cmp::Ordering;

use super::WHOLE;
use jsonschema::Draft;
use serde_json::{Map, Number, Value};

/// Keywords without influence on what is accepted.
const ANNOTATIONS: [&str; 15] = [
    "title",
    "description",
    "default",
    "examples",
    "$comment",
    "readOnly",
    "writeOnly",
    "deprecated",
    "$schema",
    "$defs",
    "definitions",
    "$id",
    "id",
    "then",
    "else",
];

/// Keywords that give references, or all keywords, another meaning.
const SCOPES: [&str; 9] = [
    "$id",
    "$schema",
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveRef",
    "$recursiveAnchor",
    "$vocabulary",
    "id",
];

/// How deep a proof goes, and how many steps it takes, before it is given up.
const DEPTH: usize = 20;
const STEPS: usize = 100_000;

/// Whether every value that `narrow` accepts is proven to be accepted by `wide`. Both are valid schemas, whole documents
/// read with the same options. `false` says nothing.
pub fn included(narrow: &Value, wide: &Value) -> bool {
    let (one, other) = (Draft::default().detect(narrow), Draft::default().detect(wide));
    if one == Draft::Unknown || other == Draft::Unknown || scoped(narrow, 0) || scoped(wide, 0) {
        return false;
    }
    if one != other && !(is_portable(narrow, one, other) && is_portable(wide, other, one)) {
        return false;
    }
    let based = |document: &Value| document.get("$id").or_else(|| document.get("id")).is_some();
    let mut proof = Proof { based: based(narrow) || based(wide), assumed: Vec::new(), steps: STEPS };
    let side = |document, draft| Side { schema: document, root: document, draft: level(draft) };
    proof.includes(side(narrow, one), side(wide, other), 0, 0)
}

/// The draft as a number that grows with its age.
fn level(draft: Draft) -> u8 {
    match draft {
        Draft::Draft4 => 4,
        Draft::Draft6 => 6,
        Draft::Draft7 => 7,
        Draft::Draft201909 => 8,
        _ => 9,
    }
}

/// The first draft that has a keyword, and the last.
fn drafts_of(keyword: &str) -> (u8, u8) {
    let since = match keyword {
        "const" | "contains" | "propertyNames" | "$id" | "examples" => 6,
        "if" | "then" | "else" | "contentEncoding" | "contentMediaType" | "$comment" | "readOnly" | "writeOnly" => 7,
        "dependentRequired"
        | "dependentSchemas"
        | "minContains"
        | "maxContains"
        | "unevaluatedProperties"
        | "unevaluatedItems"
        | "$defs"
        | "deprecated" => 8,
        "prefixItems" => 9,
        _ => 4,
    };
    let until = match keyword {
        "id" => 4,
        "dependencies" | "contentEncoding" | "contentMediaType" => 7,
        "additionalItems" => 8,
        _ => 9,
    };
    (since, until)
}

/// Whether a keyword below the root gives references another base or meaning, or keywords another draft. Also where the word
/// is a property's name: that costs a proof, not its soundness.
fn scoped(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth > 6 * DEPTH => true,
        Value::Array(items) => items.iter().any(|item| scoped(item, depth + 1)),
        Value::Object(members) => members.iter().any(|(key, member)| {
            let root = matches!(key.as_str(), "$id" | "id" | "$schema");
            let scope = SCOPES.contains(&key.as_str()) && !(root && (depth == 0 || !member.is_string()));
            scope || scoped(member, depth + 1)
        }),
        _ => false,
    }
}

/// Whether a document of draft `from` means the same in draft `to`, but for `integer`, which takes 1.0 from draft 6 on.
pub fn is_portable(document: &Value, from: Draft, to: Draft) -> bool {
    let levels = (level(from).min(level(to)), level(from).max(level(to)));
    from != Draft::Unknown && to != Draft::Unknown && portable(document, levels)
}

fn portable(value: &Value, (oldest, newest): (u8, u8)) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| portable(item, (oldest, newest))),
        Value::Object(members) => {
            let lone = !members.contains_key("$ref")
                || oldest >= 8
                || members.keys().all(|key| key == "$ref" || ANNOTATIONS.contains(&key.as_str()));
            lone && members.iter().all(|(key, member)| {
                let (since, until) = drafts_of(key);
                // Also where the word is the name of a property: that costs a proof, not its soundness.
                let same = match key.as_str() {
                    // Each draft has formats of its own.
                    "format" | "unevaluatedProperties" | "unevaluatedItems" => false,
                    "items" => newest < 9 || !member.is_array(),
                    "exclusiveMinimum" | "exclusiveMaximum" => oldest > 4,
                    key => ANNOTATIONS.contains(&key) || (since <= oldest && newest <= until),
                };
                same && portable(member, (oldest, newest))
            })
        }
        _ => true,
    }
}

/// Whether a document has the type `integer`, of which draft 4 thinks otherwise than later ones.
pub fn has_integer(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_integer),
        Value::Object(members) => members.iter().any(|(key, member)| match (key.as_str(), member) {
            ("type", Value::String(kind)) => kind == "integer",
            ("type", Value::Array(kinds)) => kinds.iter().any(|kind| kind == "integer"),
            (_, member) => has_integer(member),
        }),
        _ => false,
    }
}

/// A schema, its document and its draft.
#[derive(Clone, Copy)]
struct Side<'a> {
    schema: &'a Value,
    root: &'a Value,
    draft: u8,
}

impl<'a> Side<'a> {
    fn within(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }
}

/// Two schemas, by their place in memory.
struct Pair {
    schemas: (usize, usize),
    /// How deep in the value it was met.
    level: usize,
    proven: bool,
}

struct Proof {
    /// Whether a document has a name of its own, which a reference could use, and one in what it refers to.
    based: bool,
    /// Pairs under proof or proven. Deeper in the value, a pair under proof may be taken as proven, because a value nests
    /// finitely deep; a proven one may be used again as deep as it was met, or deeper.
    assumed: Vec<Pair>,
    steps: usize,
}

impl Proof {
    /// The value of `keyword` in `side`, where it means anything there.
    fn get<'a>(&self, side: Side<'a>, keyword: &str) -> Option<&'a Value> {
        let (since, until) = drafts_of(keyword);
        let ignored = side.draft < 8 && keyword != "$ref" && side.schema.get("$ref").is_some();
        side.schema.get(keyword).filter(|_| !ignored && (since..=until).contains(&side.draft))
    }

    fn follow<'a>(side: Side<'a>, reference: &str) -> Option<Side<'a>> {
        // An encoded pointer is looked up by nobody here.
        let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.contains('%'))?;
        side.root.pointer(pointer).map(|schema| side.within(schema))
    }

    /// Schemas that all hold where `side` does.
    fn parts<'a>(&self, side: Side<'a>) -> Vec<Side<'a>> {
        let mut parts: Vec<Side<'a>> = Vec::new();
        let mut open = vec![side];
        while let Some(part) = open.pop() {
            if parts.len() > DEPTH || parts.iter().any(|known| std::ptr::eq(known.schema, part.schema)) {
                continue;
            }
            let reference = self.get(part, "$ref").and_then(Value::as_str);
            open.extend(reference.and_then(|reference| Self::follow(part, reference)));
            let all = self.get(part, "allOf").and_then(Value::as_array).into_iter().flatten();
            open.extend(all.map(|schema| part.within(schema)));
            parts.push(part);
        }
        parts
    }

    /// Whether `narrow` is included in `wide`, `depth` levels into the proof and `level` levels into the value.
    fn includes(&mut self, narrow: Side<'_>, wide: Side<'_>, depth: usize, level: usize) -> bool {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 || depth > DEPTH {
            return false;
        }
        let members = match wide.schema {
            Value::Bool(true) => return true,
            Value::Object(members) => members,
            _ => return self.parts(narrow).iter().any(|part| part.schema == &Value::Bool(false)),
        };
        let pair = (std::ptr::from_ref(narrow.schema).addr(), std::ptr::from_ref(wide.schema).addr());
        let known = |known: &&Pair| known.schemas == pair;
        if self.assumed.iter().filter(known).any(|known| level > known.level || (known.proven && level == known.level))
        {
            return true;
        }
        if self.assumed.iter().filter(known).any(|known| !known.proven) {
            return false;
        }
        let before = self.assumed.len();
        self.assumed.push(Pair { schemas: pair, level, proven: false });
        let proven = self.by_keywords(narrow, wide, members, depth + 1, level)
            || self.by_branches(narrow, wide, depth + 1, level);
        if !proven {
            self.assumed.truncate(before);
        } else if let Some(pair) = self.assumed.get_mut(before) {
            pair.proven = true;
        }
        proven
    }

    /// Every branch of a union in `narrow` is included.
    fn by_branches(&mut self, narrow: Side<'_>, wide: Side<'_>, depth: usize, level: usize) -> bool {
        self.parts(narrow).into_iter().any(|part| {
            ["anyOf", "oneOf"].into_iter().any(|keyword| {
                let branches = self.get(part, keyword).and_then(Value::as_array);
                branches.is_some_and(|branches| {
                    branches.iter().all(|branch| self.includes(part.within(branch), wide, depth, level))
                })
            })
        })
    }

    fn by_keywords(
        &mut self,
        narrow: Side<'_>,
        wide: Side<'_>,
        members: &Map<String, Value>,
        depth: usize,
        level: usize,
    ) -> bool {
        let parts = self.parts(narrow);
        if parts.iter().any(|part| part.schema == &Value::Bool(false)) {
            return true;
        }
        members.iter().all(|(keyword, value)| {
            ANNOTATIONS.contains(&keyword.as_str())
                || self.excludes(&parts, keyword)
                || self.implied(narrow, &parts, wide, keyword, value, depth, level)
        })
    }

    /// Whether `parts` take no value of the type that `keyword` speaks of.
    fn excludes(&self, parts: &[Side<'_>], keyword: &str) -> bool {
        let kinds: &[&str] = match keyword {
            "minLength" | "maxLength" | "pattern" => &["string"],
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => &["number", "integer"],
            "minItems" | "maxItems" | "uniqueItems" | "items" | "prefixItems" | "additionalItems" | "contains" => {
                &["array"]
            }
            "minProperties"
            | "maxProperties"
            | "required"
            | "properties"
            | "patternProperties"
            | "additionalProperties"
            | "propertyNames"
            | "dependentRequired"
            | "dependentSchemas"
            | "dependencies" => &["object"],
            _ => return false,
        };
        parts.iter().any(|part| match self.get(*part, "type") {
            Some(Value::String(kind)) => !kinds.contains(&kind.as_str()),
            Some(Value::Array(found)) => !found.iter().any(|kind| kinds.iter().any(|known| kind == known)),
            _ => false,
        })
    }

    #[allow(clippy::too_many_arguments, reason = "one step of the walk, which all of these describe")]
    fn implied(
        &mut self,
        narrow: Side<'_>,
        parts: &[Side<'_>],
        wide: Side<'_>,
        keyword: &str,
        value: &Value,
        depth: usize,
        level: usize,
    ) -> bool {
        let child = level + 1;
        let within = |schema| wide.within(schema);
        match keyword {
            "$ref" => {
                let Some(reference) = value.as_str() else { return false };
                if let Some(target) = Self::follow(wide, reference) {
                    return self.includes(narrow, target, depth, level);
                }
                let same = |one: &str| one.trim_end_matches('#') == reference.trim_end_matches('#');
                // What has no `$schema` is of the draft of who refers to it.
                let has = |part: &Side<'_>| {
                    part.draft == wide.draft && self.get(*part, "$ref").and_then(Value::as_str).is_some_and(same)
                };
                // Of a relative one, and of what a document without a name is called, nobody knows where it leads.
                let is_absolute = reference.contains(':') && !reference.starts_with("json-schema:");
                is_absolute && !self.based && parts.iter().any(has)
            }
            "allOf" => list(value).iter().all(|schema| self.includes(narrow, within(schema), depth, level)),
            "anyOf" => {
                list(value).iter().any(|schema| self.includes(narrow, within(schema), depth, level))
                    || parts.iter().any(|part| {
                        let branches = self.get(*part, "anyOf").or_else(|| self.get(*part, "oneOf"));
                        branches.and_then(Value::as_array).is_some_and(|branches| {
                            branches.iter().all(|branch| {
                                let branch = part.within(branch);
                                list(value).iter().any(|schema| self.includes(branch, within(schema), depth, level))
                            })
                        })
                    })
            }
            "oneOf" => parts.iter().any(|part| {
                let branches = self.get(*part, "oneOf").and_then(Value::as_array);
                branches.is_some_and(|branches| {
                    branches.len() == list(value).len()
                        && branches
                            .iter()
                            .zip(list(value))
                            .all(|(branch, schema)| self.equivalent(part.within(branch), within(schema), depth, level))
                })
            }),
            "not" => parts.iter().any(|part| {
                let refused = self.get(*part, "not");
                refused.is_some_and(|refused| self.includes(within(value), part.within(refused), depth, level))
            }),
            "if" => parts.iter().any(|part| {
                const TRUE: &Value = &Value::Bool(true);
                let Some(condition) = self.get(*part, "if") else { return false };
                self.equivalent(part.within(condition), within(value), depth, level)
                    && ["then", "else"].into_iter().all(|branch| {
                        let (one, other) = (self.get(*part, branch), self.get(wide, branch));
                        let (one, other) = (part.within(one.unwrap_or(TRUE)), wide.within(other.unwrap_or(TRUE)));
                        self.includes(one, other, depth, level)
                    })
            }),
            "type" => {
                let kinds = match value {
                    Value::Array(kinds) => kinds.as_slice(),
                    one => std::slice::from_ref(one),
                };
                let has = |kind: &str| kinds.iter().any(|known| known == kind);
                // 1.0 is no integer of draft 4, and equals 1 there too.
                let strict = wide.draft == 4;
                let covers = |part: &Side<'_>, kind: &Value| match kind.as_str() {
                    Some("integer") => has("number") || (has("integer") && (!strict || part.draft == 4)),
                    Some(kind) => has(kind),
                    None => false,
                };
                parts.iter().any(|part| match self.get(*part, "type") {
                    Some(Value::Array(found)) => found.iter().all(|kind| covers(part, kind)),
                    Some(found) => covers(part, found),
                    None => self.constants(*part).is_some_and(|values| {
                        values.iter().all(|value| {
                            has(match value {
                                Value::Null => "null",
                                Value::Bool(_) => "boolean",
                                Value::Number(_) if has("number") => "number",
                                // A number with a fraction is near enough to a large one to be taken for it.
                                Value::Number(number) if strict || !is_exact(number) => "number",
                                Value::Number(_) => "integer",
                                Value::String(_) => "string",
                                Value::Array(_) => "array",
                                Value::Object(_) => "object",
                            })
                        })
                    }),
                })
            }
            "const" | "enum" => {
                let allowed = if keyword == "enum" { list(value) } else { std::slice::from_ref(value) };
                parts.iter().any(|part| {
                    // Large numbers are compared in the one way by `const`, and in the other by `enum`.
                    let alike = (keyword == "const") == self.get(*part, "const").is_some();
                    let same = |value: &Value| alike || value.as_f64().is_none_or(|value| value.abs() < WHOLE);
                    let values = self.constants(*part);
                    values.is_some_and(|values| values.iter().all(|value| allowed.contains(value) && same(value)))
                })
            }
            "exclusiveMinimum" | "exclusiveMaximum" | "minimum" | "maximum" => {
                self.bounded(parts, wide, keyword, value)
            }
            "minLength" | "minItems" | "minProperties" => {
                self.some(parts, keyword, |known| order(known, value).is_some_and(Ordering::is_ge))
            }
            "maxLength" | "maxItems" | "maxProperties" => {
                self.some(parts, keyword, |known| order(known, value).is_some_and(Ordering::is_le))
            }
            "multipleOf" => self.some(parts, keyword, |known| match (known.as_u64(), value.as_u64()) {
                // Of larger ones the validator has a double.
                (Some(known), Some(step)) if known < 1 << 53 => known.checked_rem(step) == Some(0),
                _ => known == value,
            }),
            "uniqueItems" => value == &Value::Bool(false) || self.some(parts, keyword, |known| known == value),
            "required" => list(value).iter().all(|name| self.some(parts, keyword, |known| list(known).contains(name))),
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                value.as_object().into_iter().flatten().all(|(name, wanted)| {
                    parts.iter().any(|part| {
                        let Some(known) = self.get(*part, keyword).and_then(|known| known.get(name)) else {
                            return false;
                        };
                        match (known, wanted) {
                            (Value::Array(known), Value::Array(wanted)) => {
                                wanted.iter().all(|name| known.contains(name))
                            }
                            (Value::Array(_), _) | (_, Value::Array(_)) => false,
                            _ => self.includes(part.within(known), within(wanted), depth, level),
                        }
                    })
                })
            }
            "properties" => value.as_object().into_iter().flatten().all(|(name, schema)| {
                let schema = within(schema);
                self.includes(wide.within(&Value::Bool(true)), schema, depth, child)
                    || parts.iter().any(|part| {
                        let named = self.get(*part, keyword).and_then(|members| members.get(name));
                        let other = || {
                            let patterns = self.get(*part, "patternProperties").is_some();
                            self.get(*part, "additionalProperties").filter(|_| !patterns)
                        };
                        let known = named.or_else(other);
                        known.is_some_and(|known| self.includes(part.within(known), schema, depth, child))
                    })
            }),
            "patternProperties" => value.as_object().into_iter().flatten().all(|(pattern, schema)| {
                parts.iter().any(|part| {
                    let known = self.get(*part, keyword).and_then(|patterns| patterns.get(pattern));
                    known.is_some_and(|known| self.includes(part.within(known), within(schema), depth, child))
                })
            }),
            "additionalProperties" => parts.iter().any(|part| {
                let declared = |keyword: &str, name: &str| {
                    wide.schema.get(keyword).is_some_and(|declared| declared.get(name).is_some())
                };
                let listed = ["properties", "patternProperties"].into_iter().all(|keyword| {
                    let members = self.get(*part, keyword).and_then(Value::as_object);
                    members.into_iter().flatten().all(|(name, known)| {
                        declared(keyword, name) || self.includes(part.within(known), within(value), depth, child)
                    })
                });
                let other = self.get(*part, keyword).unwrap_or(&Value::Bool(true));
                listed && self.includes(part.within(other), within(value), depth, child)
            }),
            "propertyNames" => parts.iter().any(|part| {
                let known = self.get(*part, keyword);
                known.is_some_and(|known| self.includes(part.within(known), within(value), depth, child))
            }),
            "items" | "prefixItems" | "additionalItems" => {
                let (wanted, beyond) = self.tuple(wide);
                parts.iter().any(|part| {
                    const TRUE: &Value = &Value::Bool(true);
                    let (known, rest) = self.tuple(*part);
                    let (rest, beyond) = (rest.unwrap_or(TRUE), beyond.unwrap_or(TRUE));
                    (0..known.len().max(wanted.len())).all(|index| {
                        let one = known.get(index).unwrap_or(rest);
                        let other = wanted.get(index).unwrap_or(beyond);
                        self.includes(part.within(one), within(other), depth, child)
                    }) && self.includes(part.within(rest), within(beyond), depth, child)
                })
            }
            "contains" => parts.iter().any(|part| {
                let counted =
                    |side: Side<'_>| ["minContains", "maxContains"].iter().any(|key| side.schema.get(key).is_some());
                let Some(known) = self.get(*part, keyword) else { return false };
                !counted(*part) && !counted(wide) && self.includes(part.within(known), within(value), depth, child)
            }),
            // These look at what their neighbours did: only a schema equal as a whole is sure to mean the same.
            "unevaluatedProperties" | "unevaluatedItems" | "minContains" | "maxContains" => {
                narrow.schema == wide.schema && !references(narrow.schema)
            }
            _ => self.some(parts, keyword, |known| known == value && !references(known)),
        }
    }

    fn equivalent(&mut self, one: Side<'_>, other: Side<'_>, depth: usize, level: usize) -> bool {
        self.includes(one, other, depth, level) && self.includes(other, one, depth, level)
    }

    fn some(&self, parts: &[Side<'_>], keyword: &str, holds: impl Fn(&Value) -> bool) -> bool {
        parts.iter().any(|part| self.get(*part, keyword).is_some_and(&holds))
    }

    fn constants<'a>(&self, part: Side<'a>) -> Option<&'a [Value]> {
        self.get(part, "const")
            .map(std::slice::from_ref)
            .or_else(|| self.get(part, "enum")?.as_array().map(Vec::as_slice))
    }

    /// The schemas of the first items, and that of the others.
    fn tuple<'a>(&self, part: Side<'a>) -> (&'a [Value], Option<&'a Value>) {
        if part.draft >= 9 {
            return (self.get(part, "prefixItems").map(list).unwrap_or_default(), self.get(part, "items"));
        }
        match self.get(part, "items") {
            Some(Value::Array(items)) => (items, self.get(part, "additionalItems")),
            items => (&[], items),
        }
    }

    fn bounded(&self, parts: &[Side<'_>], wide: Side<'_>, keyword: &str, value: &Value) -> bool {
        let (inclusive, exclusive, beyond) = if keyword.ends_with("inimum") {
            ("minimum", "exclusiveMinimum", Ordering::Greater)
        } else {
            ("maximum", "exclusiveMaximum", Ordering::Less)
        };
        // Draft 4 writes a flag beside the bound.
        let flagged = |side: Side<'_>| side.schema.get(exclusive) == Some(&Value::Bool(true));
        let (bound, open) = match value {
            Value::Bool(false) => return true,
            Value::Bool(true) => match wide.schema.get(inclusive) {
                Some(bound) => (bound, true),
                None => return true,
            },
            bound => (bound, keyword == exclusive || flagged(wide)),
        };
        parts.iter().any(|part| {
            let compared = |keyword: &str| self.get(*part, keyword).and_then(|known| order(known, bound));
            let at_least = |found: Option<Ordering>| found.is_some_and(|found| found == beyond || found.is_eq());
            at_least(compared(exclusive))
                || compared(inclusive) == Some(beyond)
                || (at_least(compared(inclusive)) && (!open || flagged(*part)))
        })
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Whether nothing but this whole number is taken for it.
fn is_exact(number: &Number) -> bool {
    !number.is_f64() && number.as_f64().is_some_and(|value| value.abs() < WHOLE)
}

/// How two numbers compare, where 64 bits tell.
fn order(one: &Value, other: &Value) -> Option<Ordering> {
    if let (Some(one), Some(other)) = (one.as_i64(), other.as_i64()) {
        return Some(one.cmp(&other));
    }
    let (one, other) = (one.as_f64()?, other.as_f64()?);
    (one.abs() < WHOLE && other.abs() < WHOLE).then(|| one.partial_cmp(&other))?
}

/// Whether a reference occurs in `value`.
fn references(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(references),
        Value::Object(members) => members.iter().any(|(key, member)| key == "$ref" || references(member)),
        _ => false,
    }
}
