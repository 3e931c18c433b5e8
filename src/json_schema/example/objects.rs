//! Objects: with required members only, with all members, and with one departure from those.

use super::part::Part;
use super::text::matching;
use super::way::{Way, listed, required, strings};
use super::{Generator, size};
use crate::limits::EXAMPLE_ITEMS;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

impl Generator {
    /// The requirements for the property `name`.
    fn member<'a>(&mut self, way: &Way<'a>, name: &str) -> Way<'a> {
        let mut member = Way::default();
        for (parts, into) in [(&way.must, &mut member.must), (&way.hint, &mut member.hint)] {
            for part in parts {
                let named = part.object("properties").find(|(key, _)| *key == name);
                let found = into.len();
                into.extend(named.map(|(_, schema)| schema));
                for (pattern, schema) in part.object("patternProperties") {
                    if self.matches(pattern, name) {
                        into.push(schema);
                    }
                }
                if into.len() == found {
                    into.extend(part.get("additionalProperties").map(|schema| part.within(schema)));
                }
            }
            if into.is_empty() {
                let other = parts.iter().filter_map(|part| Some(part.within(part.get("unevaluatedProperties")?)));
                into.extend(other);
            }
        }
        member
    }

    /// The names worth having in an object. Those that `must` mentions come first.
    fn names(&mut self, way: &Way<'_>) -> Vec<String> {
        let mut names = required(way);
        for part in way.all() {
            names.extend(part.object("properties").map(|(name, _)| name.clone()));
            names.extend(strings(part.get("required")));
            for keyword in ["dependentRequired", "dependencies", "dependentSchemas"] {
                for (name, wanted) in part.object(keyword) {
                    names.push(name.clone());
                    names.extend(strings(Some(wanted.schema)));
                }
            }
            for (pattern, _) in part.object("patternProperties") {
                names.extend(matching(pattern, &[]).into_iter().take(4));
            }
        }
        for schemas in [&way.must, &way.hint] {
            let named: Vec<Part<'_>> =
                schemas.iter().filter_map(|part| part.get("propertyNames").map(|names| part.within(names))).collect();
            if !named.is_empty() {
                for way in self.expand(&Way { must: named, hint: Vec::new() }) {
                    let texts = listed(&way).unwrap_or_else(|| self.strings(&way));
                    names.extend(texts.iter().filter_map(Value::as_str).take(12).map(ToOwned::to_owned));
                }
            }
        }
        names.extend(["x", "A"].map(ToOwned::to_owned));
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        names
    }

    /// A plain object, with required members only or `full`.
    pub(super) fn object(&mut self, way: &Way<'_>, depth: usize, full: bool) -> Option<Value> {
        let mut object = Map::new();
        let names = if full {
            way.must.iter().flat_map(|part| part.object("properties").map(|(name, _)| name.clone())).collect()
        } else {
            required(way)
        };
        for name in names.into_iter().take(if full { EXAMPLE_ITEMS } else { usize::MAX }) {
            self.put(&mut object, way, name, depth);
        }
        // The properties so far may require others, and those others again.
        for _ in 0..4 {
            let mut wanted = required(way);
            for part in &way.must {
                for keyword in ["dependentRequired", "dependencies"] {
                    for (name, names) in part.object(keyword) {
                        if object.contains_key(name) {
                            wanted.extend(strings(Some(names.schema)));
                        }
                    }
                }
            }
            wanted.retain(|name| !object.contains_key(name));
            if wanted.is_empty() {
                break;
            }
            wanted.into_iter().for_each(|name| self.put(&mut object, way, name, depth));
        }
        let least = way.least("minProperties").min(EXAMPLE_ITEMS);
        if object.len() < least {
            let names = self.names(way);
            for name in names.into_iter().chain((0..least).map(|number| format!("x{number}"))) {
                if object.len() >= least || !self.spend(1) {
                    break;
                }
                self.put(&mut object, way, name, depth);
            }
        }
        Some(Value::Object(object))
    }

    fn put(&mut self, object: &mut Map<String, Value>, way: &Way<'_>, name: String, depth: usize) {
        if object.contains_key(&name) {
            return;
        }
        let member = self.member(way, &name);
        if let Some(value) = self.plain(&member, depth + 1).into_iter().next() {
            object.insert(name, value);
        }
    }

    pub(super) fn objects(&mut self, way: &Way<'_>, depth: usize, limit: usize, values: &mut Vec<Value>) {
        let Some(Value::Object(small)) = self.object(way, depth, false) else { return };
        let end = values.len() + limit.max(4);
        values.push(Value::Object(small.clone()));
        let names = self.names(way);
        let share = (limit / names.len().max(1)).max(12);
        let mut fillers = BTreeMap::new();
        for name in &names {
            if values.len() >= end {
                return;
            }
            if small.contains_key(name) {
                let mut object = small.clone();
                object.remove(name);
                values.push(Value::Object(object));
            }
            let member = self.member(way, name);
            let mut plain = self.plain(&member, depth + 1);
            fillers.extend(plain.first().map(|value| (name.clone(), value.clone())));
            plain.extend(self.varied(&member, depth + 1, share));
            for value in plain {
                if values.len() >= end || !self.spend(small.len() + size(&value)) {
                    return;
                }
                let mut object = small.clone();
                object.insert(name.clone(), value);
                values.push(Value::Object(object));
            }
        }
        // Full objects, full objects without one property, and objects at the limits of their size.
        if let Some(Value::Object(full)) = self.object(way, depth, true) {
            values.push(Value::Object(full.clone()));
            for name in full.keys() {
                if values.len() >= end || !self.spend(full.len()) {
                    return;
                }
                let mut object = full.clone();
                object.remove(name);
                values.push(Value::Object(object));
            }
        }
        for count in way.counts(["minProperties", "maxProperties"]) {
            if count > EXAMPLE_ITEMS || !self.spend(count) {
                break;
            }
            let mut object = small.clone();
            let numbered: Vec<String> = (0..count).map(|number| format!("x{number}")).collect();
            for name in names.iter().chain(&numbered) {
                if object.len() >= count {
                    break;
                }
                if !object.contains_key(name) {
                    let value = fillers.get(name).or_else(|| fillers.get("x")).cloned().unwrap_or(Value::Null);
                    object.insert(name.clone(), value);
                }
            }
            values.push(Value::Object(object));
        }
    }
}
