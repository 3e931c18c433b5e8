//! Proves, keyword by keyword, that one schema accepts everything that another accepts.
//!
//! Unlike the set algebra, it follows recursion, and it accepts keywords that it does not know if they did not change. The number of
//! its steps is limited. It only pairs branches and knows little about negation, so it often finds no proof where one exists.

use std::cmp::Ordering;

use super::WHOLE;
use crate::limits::{PROOF_DEPTH, PROOF_STEPS};
use jsonschema::Draft;
use serde_json::{Map, Number, Value};

/// The schema that accepts everything.
const TRUE: &Value = &Value::Bool(true);

/// Keywords that do not affect what is accepted on their own. `then` and `else` are read together with `if`.
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

/// Keywords that change the meaning of references, or of all keywords.
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

/// Whether it is proven that `wide` accepts every value that `narrow` accepts. Both must be valid schemas, and whole documents that
/// are read with the same options. `false` proves nothing.
pub fn included(narrow: &Value, wide: &Value) -> bool {
    let (one, other) = (Draft::default().detect(narrow), Draft::default().detect(wide));
    if one == Draft::Unknown || other == Draft::Unknown || scoped(narrow, 0) || scoped(wide, 0) {
        return false;
    }
    if one != other && !(is_portable(narrow, one, other) && is_portable(wide, other, one)) {
        return false;
    }
    let based = |document: &Value| document.get("$id").or_else(|| document.get("id")).is_some();
    let mut proof = Proof { based: based(narrow) || based(wide), assumed: Vec::new(), steps: PROOF_STEPS };
    let side = |document, draft| Side { schema: document, root: document, draft: level(draft) };
    proof.includes(side(narrow, one), side(wide, other), 0, 0)
}

/// The draft as a number. Later drafts have larger ones.
fn level(draft: Draft) -> u8 {
    match draft {
        Draft::Draft4 => 4,
        Draft::Draft6 => 6,
        Draft::Draft7 => 7,
        Draft::Draft201909 => 8,
        _ => 9,
    }
}

/// The first and the last draft that have a keyword.
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

/// Whether a keyword changes the base or the meaning of references, or the draft of keywords. `$id`, `id` and `$schema` at the root
/// do not count. Properties named like the other keywords do, which can prevent a proof but never makes one wrong.
fn scoped(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth > 6 * PROOF_DEPTH => true,
        Value::Array(items) => items.iter().any(|item| scoped(item, depth + 1)),
        Value::Object(members) => members.iter().any(|(key, member)| {
            let root = matches!(key.as_str(), "$id" | "id" | "$schema");
            let scope = SCOPES.contains(&key.as_str()) && !(root && (depth == 0 || !member.is_string()));
            scope || scoped(member, depth + 1)
        }),
        _ => false,
    }
}

/// Whether a document of draft `from` means the same in draft `to`, except for `integer`, which accepts 1.0 from draft 6 on.
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
                // Properties with these names count too, which can prevent a proof but never makes one wrong.
                let same = match key.as_str() {
                    // Each draft has its own formats and its own meaning of the other two.
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

/// Whether a document has the type `integer`, which draft 4 reads differently from later ones.
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

/// The question whether one schema is included in another.
struct Asked<'a> {
    narrow: Side<'a>,
    /// Schemas that must all hold if `narrow` does.
    parts: &'a [Side<'a>],
    wide: Side<'a>,
    /// The depth of the proof.
    depth: usize,
    /// The depth in the value.
    level: usize,
}

/// Two schemas, identified by their addresses.
struct Pair {
    schemas: (usize, usize),
    /// The depth in the value at which the pair occurred.
    level: usize,
    proven: bool,
}

struct Proof {
    /// One of the documents has an identifier, so references may lead back to it, even from documents that it refers to.
    based: bool,
    /// Pairs that are proven, or being proven. Deeper in the value, a pair being proven may be taken as proven, because values have
    /// finite depth. A proven pair may be used again at its own depth in the value or deeper.
    assumed: Vec<Pair>,
    steps: usize,
}

impl Proof {
    /// The value of `keyword` in `side`, if it has a meaning there.
    fn get<'a>(&self, side: Side<'a>, keyword: &str) -> Option<&'a Value> {
        let (since, until) = drafts_of(keyword);
        let ignored = side.draft < 8 && keyword != "$ref" && side.schema.get("$ref").is_some();
        side.schema.get(keyword).filter(|_| !ignored && (since..=until).contains(&side.draft))
    }

    fn follow<'a>(side: Side<'a>, reference: &str) -> Option<Side<'a>> {
        // Pointers with percent-encoding are not followed.
        let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.contains('%'))?;
        side.root.pointer(pointer).map(|schema| side.within(schema))
    }

    /// Schemas that must all hold if `side` does.
    fn parts<'a>(&self, side: Side<'a>) -> Vec<Side<'a>> {
        let mut parts: Vec<Side<'a>> = Vec::new();
        let mut open = vec![side];
        while let Some(part) = open.pop() {
            if parts.len() > PROOF_DEPTH || parts.iter().any(|known| std::ptr::eq(known.schema, part.schema)) {
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

    /// Whether `narrow` is included in `wide`, at `depth` levels of the proof and `level` levels of the value.
    fn includes(&mut self, narrow: Side<'_>, wide: Side<'_>, depth: usize, level: usize) -> bool {
        self.steps = self.steps.saturating_sub(1);
        if self.steps == 0 || depth > PROOF_DEPTH {
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

    /// Whether every branch of a union in `narrow` is included.
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
        let asked = Asked { narrow, parts: &parts, wide, depth, level };
        members.iter().all(|(keyword, value)| {
            ANNOTATIONS.contains(&keyword.as_str())
                || self.excludes(&parts, keyword)
                || self.implied(&asked, keyword, value)
        })
    }

    /// Whether `parts` accept no value of the type that `keyword` is about.
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

    /// Whether `keyword` of `wide`, with this value, holds for every value that `narrow` accepts.
    fn implied(&mut self, asked: &Asked<'_>, keyword: &str, value: &Value) -> bool {
        let parts = asked.parts;
        match keyword {
            "$ref" => self.implies_reference(asked, value),
            "allOf" => list(value).iter().all(|schema| self.includes_here(asked, asked.narrow, schema)),
            "anyOf" => self.implies_any_of(asked, value),
            "oneOf" => self.implies_one_of(asked, value),
            "not" => self.implies_not(asked, value),
            "if" => self.implies_condition(asked, value),
            "type" => self.implies_type(asked, value),
            "const" | "enum" => self.implies_constants(asked, keyword, value),
            "exclusiveMinimum" | "exclusiveMaximum" | "minimum" | "maximum" => {
                self.bounded(parts, asked.wide, keyword, value)
            }
            "minLength" | "minItems" | "minProperties" => {
                self.some(parts, keyword, |known| order(known, value).is_some_and(Ordering::is_ge))
            }
            "maxLength" | "maxItems" | "maxProperties" => {
                self.some(parts, keyword, |known| order(known, value).is_some_and(Ordering::is_le))
            }
            "multipleOf" => self.some(parts, keyword, |known| match (known.as_u64(), value.as_u64()) {
                // The validator compares larger ones as doubles.
                (Some(known), Some(step)) if known < 1 << 53 => known.checked_rem(step) == Some(0),
                _ => known == value,
            }),
            "uniqueItems" => value == &Value::Bool(false) || self.some(parts, keyword, |known| known == value),
            "required" => list(value).iter().all(|name| self.some(parts, keyword, |known| list(known).contains(name))),
            "dependentRequired" | "dependentSchemas" | "dependencies" => {
                self.implies_dependencies(asked, keyword, value)
            }
            "properties" => self.implies_properties(asked, value),
            "patternProperties" => self.implies_pattern_properties(asked, value),
            "additionalProperties" => self.implies_additional_properties(asked, value),
            "propertyNames" => parts.iter().any(|part| {
                let known = self.get(*part, keyword);
                known.is_some_and(|known| self.includes_below(asked, part.within(known), value))
            }),
            "items" | "prefixItems" | "additionalItems" => self.implies_items(asked),
            "contains" => self.implies_contains(asked, value),
            // These depend on neighbouring keywords, so only an equal schema is sure to mean the same.
            "unevaluatedProperties" | "unevaluatedItems" | "minContains" | "maxContains" => {
                asked.narrow.schema == asked.wide.schema && !references(asked.narrow.schema)
            }
            _ => self.some(parts, keyword, |known| known == value && !references(known)),
        }
    }

    /// Whether `narrow` is included in a subschema of the wide schema that applies to the same value.
    fn includes_here(&mut self, asked: &Asked<'_>, narrow: Side<'_>, wide: &Value) -> bool {
        self.includes(narrow, asked.wide.within(wide), asked.depth, asked.level)
    }

    /// Whether `narrow` is included in a subschema of the wide schema that applies to a member or an element of the value.
    fn includes_below(&mut self, asked: &Asked<'_>, narrow: Side<'_>, wide: &Value) -> bool {
        self.includes(narrow, asked.wide.within(wide), asked.depth, asked.level + 1)
    }

    /// Whether `one` and a subschema of the wide schema for the same value accept the same values.
    fn is_equivalent_here(&mut self, asked: &Asked<'_>, one: Side<'_>, wide: &Value) -> bool {
        self.includes_here(asked, one, wide) && self.includes(asked.wide.within(wide), one, asked.depth, asked.level)
    }

    fn implies_reference(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        let Some(reference) = value.as_str() else { return false };
        if let Some(target) = Self::follow(asked.wide, reference) {
            return self.includes(asked.narrow, target, asked.depth, asked.level);
        }
        let same = |one: &str| one.trim_end_matches('#') == reference.trim_end_matches('#');
        // A document without `$schema` takes the draft of the document that refers to it.
        let has = |part: &Side<'_>| {
            part.draft == asked.wide.draft && self.get(*part, "$ref").and_then(Value::as_str).is_some_and(same)
        };
        // The target of a relative reference is unknown, and so is that of a reference to the name that a document without a name
        // is given.
        let is_absolute = reference.contains(':') && !reference.starts_with("json-schema:");
        is_absolute && !self.based && asked.parts.iter().any(has)
    }

    fn implies_any_of(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        list(value).iter().any(|schema| self.includes_here(asked, asked.narrow, schema))
            || asked.parts.iter().any(|part| {
                let branches = self.get(*part, "anyOf").or_else(|| self.get(*part, "oneOf"));
                branches.and_then(Value::as_array).is_some_and(|branches| {
                    branches.iter().all(|branch| {
                        list(value).iter().any(|schema| self.includes_here(asked, part.within(branch), schema))
                    })
                })
            })
    }

    fn implies_one_of(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        asked.parts.iter().any(|part| {
            let branches = self.get(*part, "oneOf").and_then(Value::as_array);
            branches.is_some_and(|branches| {
                branches.len() == list(value).len()
                    && branches
                        .iter()
                        .zip(list(value))
                        .all(|(branch, schema)| self.is_equivalent_here(asked, part.within(branch), schema))
            })
        })
    }

    fn implies_not(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        asked.parts.iter().any(|part| {
            let refused = self.get(*part, "not");
            refused.is_some_and(|refused| {
                self.includes(asked.wide.within(value), part.within(refused), asked.depth, asked.level)
            })
        })
    }

    fn implies_condition(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        asked.parts.iter().any(|part| {
            let Some(condition) = self.get(*part, "if") else { return false };
            self.is_equivalent_here(asked, part.within(condition), value)
                && ["then", "else"].into_iter().all(|branch| {
                    let (one, other) = (self.get(*part, branch), self.get(asked.wide, branch));
                    self.includes_here(asked, part.within(one.unwrap_or(TRUE)), other.unwrap_or(TRUE))
                })
        })
    }

    fn implies_type(&self, asked: &Asked<'_>, value: &Value) -> bool {
        let kinds = match value {
            Value::Array(kinds) => kinds.as_slice(),
            one => std::slice::from_ref(one),
        };
        let has = |kind: &str| kinds.iter().any(|known| known == kind);
        // In draft 4, 1.0 is not an integer, but equals 1.
        let strict = asked.wide.draft == 4;
        let covers = |part: &Side<'_>, kind: &Value| match kind.as_str() {
            Some("integer") => has("number") || (has("integer") && (!strict || part.draft == 4)),
            Some(kind) => has(kind),
            None => false,
        };
        let type_of = |value: &Value| match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) if has("number") => "number",
            // A number with a fraction may be so close to a large one that it is taken for it.
            Value::Number(number) if strict || !is_exact(number) => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        asked.parts.iter().any(|part| match self.get(*part, "type") {
            Some(Value::Array(found)) => found.iter().all(|kind| covers(part, kind)),
            Some(found) => covers(part, found),
            None => self.constants(*part).is_some_and(|values| values.iter().all(|value| has(type_of(value)))),
        })
    }

    fn implies_constants(&self, asked: &Asked<'_>, keyword: &str, value: &Value) -> bool {
        let allowed = if keyword == "enum" { list(value) } else { std::slice::from_ref(value) };
        asked.parts.iter().any(|part| {
            // `const` and `enum` compare large numbers in different ways.
            let alike = (keyword == "const") == self.get(*part, "const").is_some();
            let same = |value: &Value| alike || value.as_f64().is_none_or(|value| value.abs() < WHOLE);
            let values = self.constants(*part);
            values.is_some_and(|values| values.iter().all(|value| allowed.contains(value) && same(value)))
        })
    }

    fn implies_dependencies(&mut self, asked: &Asked<'_>, keyword: &str, value: &Value) -> bool {
        value.as_object().into_iter().flatten().all(|(name, wanted)| {
            asked.parts.iter().any(|part| {
                let Some(known) = self.get(*part, keyword).and_then(|known| known.get(name)) else {
                    return false;
                };
                match (known, wanted) {
                    (Value::Array(known), Value::Array(wanted)) => wanted.iter().all(|name| known.contains(name)),
                    (Value::Array(_), _) | (_, Value::Array(_)) => false,
                    _ => self.includes_here(asked, part.within(known), wanted),
                }
            })
        })
    }

    fn implies_properties(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        value.as_object().into_iter().flatten().all(|(name, schema)| {
            self.includes_below(asked, asked.wide.within(TRUE), schema)
                || asked.parts.iter().any(|part| {
                    let named = self.get(*part, "properties").and_then(|members| members.get(name));
                    let other = || {
                        let patterns = self.get(*part, "patternProperties").is_some();
                        self.get(*part, "additionalProperties").filter(|_| !patterns)
                    };
                    let known = named.or_else(other);
                    known.is_some_and(|known| self.includes_below(asked, part.within(known), schema))
                })
        })
    }

    fn implies_pattern_properties(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        value.as_object().into_iter().flatten().all(|(pattern, schema)| {
            asked.parts.iter().any(|part| {
                let known = self.get(*part, "patternProperties").and_then(|patterns| patterns.get(pattern));
                known.is_some_and(|known| self.includes_below(asked, part.within(known), schema))
            })
        })
    }

    fn implies_additional_properties(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        let declared = |keyword: &str, name: &str| {
            asked.wide.schema.get(keyword).is_some_and(|declared| declared.get(name).is_some())
        };
        asked.parts.iter().any(|part| {
            let listed = ["properties", "patternProperties"].into_iter().all(|keyword| {
                let members = self.get(*part, keyword).and_then(Value::as_object);
                members.into_iter().flatten().all(|(name, known)| {
                    declared(keyword, name) || self.includes_below(asked, part.within(known), value)
                })
            });
            let other = self.get(*part, "additionalProperties").unwrap_or(TRUE);
            listed && self.includes_below(asked, part.within(other), value)
        })
    }

    /// Compares all keywords about elements together, position by position: the wide schema may require for one position what the
    /// narrow schema requires for all.
    fn implies_items(&mut self, asked: &Asked<'_>) -> bool {
        let (wanted, beyond) = self.tuple(asked.wide);
        let beyond = beyond.unwrap_or(TRUE);
        asked.parts.iter().any(|part| {
            let (known, rest) = self.tuple(*part);
            let rest = rest.unwrap_or(TRUE);
            (0..known.len().max(wanted.len())).all(|index| {
                let one = known.get(index).unwrap_or(rest);
                let other = wanted.get(index).unwrap_or(beyond);
                self.includes_below(asked, part.within(one), other)
            }) && self.includes_below(asked, part.within(rest), beyond)
        })
    }

    fn implies_contains(&mut self, asked: &Asked<'_>, value: &Value) -> bool {
        let counted = |side: Side<'_>| ["minContains", "maxContains"].iter().any(|key| side.schema.get(key).is_some());
        asked.parts.iter().any(|part| {
            let Some(known) = self.get(*part, "contains") else { return false };
            !counted(*part) && !counted(asked.wide) && self.includes_below(asked, part.within(known), value)
        })
    }

    fn some(&self, parts: &[Side<'_>], keyword: &str, holds: impl Fn(&Value) -> bool) -> bool {
        parts.iter().any(|part| self.get(*part, keyword).is_some_and(&holds))
    }

    fn constants<'a>(&self, part: Side<'a>) -> Option<&'a [Value]> {
        self.get(part, "const")
            .map(std::slice::from_ref)
            .or_else(|| self.get(part, "enum")?.as_array().map(Vec::as_slice))
    }

    /// The schemas of the first items, and the schema of the rest.
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

/// Whether the validator never takes another number for this one: it is written as an integer, and small enough.
fn is_exact(number: &Number) -> bool {
    !number.is_f64() && number.as_f64().is_some_and(|value| value.abs() < WHOLE)
}

/// The order of two numbers. `None` if one of them is too large to be compared exactly.
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
