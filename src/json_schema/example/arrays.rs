//! Arrays: the shortest, and those with one departure from it.

use super::way::{Way, least_contained};
use super::{Generator, size};
use crate::limits::EXAMPLE_ITEMS;
use serde_json::{Value, json};

impl Generator {
    fn element<'a>(way: &Way<'a>, index: usize) -> Way<'a> {
        let mut element = Way::default();
        for (parts, into) in [(&way.must, &mut element.must), (&way.hint, &mut element.hint)] {
            for part in parts {
                let tuple = if part.get("prefixItems").is_some() { "prefixItems" } else { "items" };
                let rest = if tuple == "items" && part.get("items").is_some_and(Value::is_array) {
                    part.get("additionalItems")
                } else {
                    part.get("items")
                };
                let schema = part.list(tuple).nth(index).or_else(|| rest.map(|schema| part.within(schema)));
                into.extend(schema);
            }
            if into.is_empty() {
                into.extend(parts.iter().filter_map(|part| Some(part.within(part.get("unevaluatedItems")?))));
            }
        }
        element
    }

    /// A plain array of `count` items, which are distinct if they have to be.
    pub(super) fn array(&mut self, way: &Way<'_>, depth: usize, count: usize) -> Option<Value> {
        if count > EXAMPLE_ITEMS {
            return None;
        }
        let unique = way.must.iter().any(|part| part.get("uniqueItems") == Some(&Value::Bool(true)));
        let mut items: Vec<Value> = Vec::new();
        for part in &way.must {
            if let Some(contained) = part.get("contains") {
                let way = Way { must: vec![part.within(contained)], hint: Vec::new() };
                let wanted = part.get("minContains").and_then(Value::as_u64).unwrap_or(1);
                let found = self.varied(&way, depth + 1, if unique { 64 } else { 4 });
                let mut distinct = found.iter().filter(|value| !value.is_null());
                let first = found.first().cloned();
                for _ in 0..wanted.min(EXAMPLE_ITEMS as u64) {
                    items.extend(if unique { distinct.next().cloned() } else { first.clone() });
                }
            }
        }
        let rest = Self::element(way, usize::MAX);
        let mut spare: Option<Vec<Value>> = None;
        while items.len() < count && self.spend(1) {
            let element = Self::element(way, items.len());
            let mut plain = self.plain(&element, depth + 1).into_iter();
            let next = plain.find(|value| !unique || !items.contains(value)).or_else(|| {
                let spare = spare.get_or_insert_with(|| self.varied(&rest, depth + 1, 4 * EXAMPLE_ITEMS));
                spare.iter().find(|value| !items.contains(value)).cloned()
            });
            items.push(next?);
        }
        Some(Value::Array(items))
    }

    pub(super) fn arrays(&mut self, way: &Way<'_>, depth: usize, limit: usize, values: &mut Vec<Value>) {
        let end = values.len() + limit.max(4);
        let least = way.least("minItems").max(least_contained(way));
        for count in way.counts(["minItems", "maxItems"]).into_iter().chain([least, 2, 3]) {
            if count <= EXAMPLE_ITEMS && self.spend(count) {
                values.extend(self.array(way, depth, count));
            }
        }
        let prefixes = way.all().map(|part| part.list("prefixItems").chain(part.list("items")).count()).max();
        let places = prefixes.unwrap_or(0).min(EXAMPLE_ITEMS) + 1;
        let Some(Value::Array(base)) = self.array(way, depth, least) else { return };
        for place in 0..places {
            let mut element = Self::element(way, place);
            if place + 1 == places {
                let contained = way.all().filter_map(|part| part.get("contains").map(|schema| part.within(schema)));
                element.hint.extend(contained);
            }
            let mut found = self.plain(&element, depth + 1);
            found.extend(self.varied(&element, depth + 1, (limit / (places + 1)).max(12)));
            let Some(Value::Array(longer)) = self.array(way, depth, least.max(place)) else { continue };
            for value in found {
                if values.len() >= end || !self.spend(base.len() + size(&value)) {
                    return;
                }
                let mut items = longer.clone();
                match items.get_mut(place) {
                    Some(item) => *item = value.clone(),
                    None => items.push(value.clone()),
                }
                values.push(Value::Array(items));
                if place == 0 && depth < 3 {
                    values.push(json!([value, value]));
                }
            }
        }
    }
}
