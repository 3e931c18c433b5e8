//! Makes instances that are worth trying against a schema.
//!
//! Nothing here decides whether a schema accepts a value: instances are guesses that a validator checks. So keywords may be read
//! approximately, which keeps the code small.

mod arrays;
mod objects;
mod part;
mod scalars;
mod text;
mod way;

pub use part::Part;

use crate::limits::{EXAMPLE_DEPTH, EXAMPLE_WAYS, EXAMPLE_WORK};
use serde_json::{Value, json};
use std::collections::HashMap;
use way::{Way, expand, kinds, least_contained, listed};

/// Work between two calls of `interrupt`.
const INTERVAL: usize = 1000;

/// Makes instances within a bounded amount of work.
pub struct Generator {
    work: usize,
    interrupt: Option<fn()>,
    patterns: HashMap<String, Option<jsonschema::Validator>>,
}

impl Generator {
    /// `interrupt` is called now and then, so that the caller can stop the work by unwinding.
    pub fn new(interrupt: Option<fn()>) -> Self {
        Self { work: EXAMPLE_WORK, interrupt, patterns: HashMap::new() }
    }

    /// At most about `limit` instances that `must` is likely to accept, including some at and just beyond the limits of `hint`. The
    /// plainest come first.
    pub fn instances(&mut self, must: Part<'_>, hint: &[Part<'_>], limit: usize) -> Vec<Value> {
        let way = Way { must: vec![must], hint: hint.to_vec() };
        let mut values = self.plain(&way, 0);
        values.extend(self.varied(&way, 0, limit));
        values
    }

    fn spend(&mut self, work: usize) -> bool {
        let left = self.work.saturating_sub(work);
        if left / INTERVAL != self.work / INTERVAL
            && let Some(interrupt) = self.interrupt
        {
            interrupt();
        }
        self.work = left;
        left > 0
    }

    /// The ways to satisfy `way`. Counts the work.
    fn expand<'a>(&mut self, way: &Way<'a>) -> Vec<Way<'a>> {
        let (ways, read) = expand(way);
        self.spend(read);
        ways
    }

    /// One or two values per way: the smallest, and for objects the full one, too.
    fn plain(&mut self, way: &Way<'_>, depth: usize) -> Vec<Value> {
        let mut values = Vec::new();
        if depth > EXAMPLE_DEPTH || !self.spend(1) {
            return values;
        }
        for way in self.expand(way).iter().take(if depth == 0 { EXAMPLE_WAYS } else { 4 }) {
            if way.is_open() {
                values.push(json!("a"));
                continue;
            }
            if let Some(listed) = listed(way) {
                values.extend(listed.into_iter().take(2));
                continue;
            }
            for kind in kinds(way).into_iter().take(if depth == 0 { 7 } else { 2 }) {
                match kind {
                    "object" => {
                        if let Some(base) = self.object(way, depth, false) {
                            values.push(base);
                        }
                        if depth < 2 {
                            values.extend(self.object(way, depth, true));
                        }
                    }
                    "array" => values.extend(self.array(way, depth, way.least("minItems").max(least_contained(way)))),
                    _ => values.extend(self.scalars(way, kind).into_iter().take(2)),
                }
            }
        }
        values
    }

    /// Values around every limit, each with one departure from a plain value.
    fn varied(&mut self, way: &Way<'_>, depth: usize, limit: usize) -> Vec<Value> {
        let mut values = Vec::new();
        if depth > EXAMPLE_DEPTH || !self.spend(1) {
            return values;
        }
        let ways = self.expand(way);
        let share = (limit / ways.len().max(1)).max(8);
        for way in &ways {
            if way.is_open() {
                values.extend([
                    json!("a"),
                    json!(0),
                    json!(0.5),
                    json!(true),
                    json!(null),
                    json!({}),
                    json!([]),
                    json!(""),
                ]);
                continue;
            }
            let start = values.len();
            if let Some(listed) = listed(way) {
                values.extend(listed.into_iter().take(share));
                continue;
            }
            for kind in kinds(way) {
                let room = share.saturating_sub(values.len() - start);
                match kind {
                    "object" => self.objects(way, depth, room, &mut values),
                    "array" => self.arrays(way, depth, room, &mut values),
                    _ => values.extend(self.scalars(way, kind).into_iter().take(room.max(4))),
                }
            }
        }
        values
    }

    /// Whether `text` matches `pattern`; false if the pattern is invalid.
    fn matches(&mut self, pattern: &str, text: &str) -> bool {
        if !self.patterns.contains_key(pattern) {
            let schema = json!({"pattern": pattern});
            let compiled = jsonschema::options()
                .offline()
                .with_pattern_options(jsonschema::PatternOptions::regex())
                .build(&schema);
            self.patterns.insert(pattern.to_owned(), compiled.ok());
        }
        let compiled = self.patterns.get(pattern).and_then(Option::as_ref);
        compiled.is_some_and(|compiled| compiled.is_valid(&Value::String(text.to_owned())))
    }
}

/// The number of members of `value`, including itself.
pub fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 16,
        _ => 1,
    }
}
