//! Instances worth trying against a schema.
//!
//! Nothing here decides whether a schema accepts a value: what is made is a guess for a validator to check. So the
//! walk may read a keyword roughly, and it does, to stay small.

mod text;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Number, Value, json};

use text::{LONGEST, matching, of_format};

/// How deep an instance may nest.
const DEPTH: usize = 8;

/// The most ways to satisfy one schema (`anyOf`, `oneOf`, `if`) that are tried.
const WAYS: usize = 24;

/// The most schemas followed to read one location: `$ref`, `allOf` and their like.
const PARTS: usize = 200;

/// The most limits, and the most steps, that numbers are tried around.
const LIMITS: usize = 32;

/// The most items and properties that an array or object is filled up to.
const LONGEST_LIST: usize = 128;

/// Work done in one run: schemas read, and values built, counting every member of every array and object. It bounds time
/// and memory.
const WORK: usize = 1_500_000;

/// Work done between two questions whether to stop.
const INTERVAL: usize = 1000;

/// A schema and the document in which its references are looked up.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// The schema.
    pub schema: &'a Value,
    /// The document it is part of.
    pub root: &'a Value,
}

impl<'a> Part<'a> {
    /// A whole document.
    pub fn document(root: &'a Value) -> Self {
        Self { schema: root, root }
    }

    fn within(self, schema: &'a Value) -> Self {
        Self { schema, ..self }
    }

    fn get(self, keyword: &str) -> Option<&'a Value> {
        self.schema.get(keyword)
    }

    fn object(self, keyword: &str) -> impl Iterator<Item = (&'a String, Part<'a>)> {
        self.get(keyword)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(move |(key, schema)| (key, self.within(schema)))
    }

    fn list(self, keyword: &str) -> impl Iterator<Item = Part<'a>> {
        self.get(keyword).and_then(Value::as_array).into_iter().flatten().map(move |schema| self.within(schema))
    }

    /// The target of a reference inside the document. One to another document has none here.
    fn follow(self) -> Option<Part<'a>> {
        let reference =
            ["$ref", "$dynamicRef", "$recursiveRef"].iter().find_map(|keyword| self.get(keyword))?.as_str()?;
        let fragment = reference.strip_prefix('#')?;
        let pointer = percent_decoded(fragment);
        self.root.pointer(&pointer).map(|schema| self.within(schema))
    }
}

/// Undoes percent-encoding (RFC 3986, section 2.1) of a fragment.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One way to satisfy a location: schemas that all have to hold, and others whose limits are worth probing.
#[derive(Clone, Default)]
struct Way<'a> {
    must: Vec<Part<'a>>,
    hint: Vec<Part<'a>>,
}

impl<'a> Way<'a> {
    fn all(&self) -> impl Iterator<Item = Part<'a>> + '_ {
        self.must.iter().chain(&self.hint).copied()
    }

    /// Whether nothing is said of the location.
    fn is_open(&self) -> bool {
        self.all().all(|part| part.schema.as_object().is_none_or(Map::is_empty))
    }

    fn numbers(&self, keyword: &str) -> Vec<f64> {
        self.all().filter_map(|part| part.get(keyword).and_then(Value::as_f64)).collect()
    }

    /// The counts at and next to the limits named `keywords`.
    fn counts(&self, keywords: [&str; 2]) -> Vec<usize> {
        let mut counts = vec![0, 1];
        for keyword in keywords {
            for count in self.numbers(keyword) {
                if (0.0..=LONGEST as f64).contains(&count) {
                    let count = count as usize;
                    counts.extend([count.saturating_sub(1), count, count + 1]);
                }
            }
        }
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    fn least(&self, keyword: &str) -> usize {
        let least = self.must.iter().filter_map(|part| part.get(keyword).and_then(Value::as_u64)).max();
        least.map_or(0, |least| usize::try_from(least).unwrap_or(usize::MAX))
    }
}

/// Makes instances, within a bounded amount of work.
pub struct Generator {
    work: usize,
    interrupt: Option<fn()>,
    patterns: HashMap<String, Option<jsonschema::Validator>>,
}

impl Generator {
    /// `interrupt` is called now and then, so that the caller can stop the work by unwinding.
    pub fn new(interrupt: Option<fn()>) -> Self {
        Self { work: WORK, interrupt, patterns: HashMap::new() }
    }

    /// At most about `limit` instances that `must` is likely to accept, among them ones at and just beyond the limits
    /// of `hint`. The plainest come first.
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

    /// The ways to satisfy `way`, paid for.
    fn expand<'a>(&mut self, way: &Way<'a>) -> Vec<Way<'a>> {
        let (ways, read) = expand(way);
        self.spend(read);
        ways
    }

    /// One or two values per way: the smallest, and for objects the full one.
    fn plain(&mut self, way: &Way<'_>, depth: usize) -> Vec<Value> {
        let mut values = Vec::new();
        if depth > DEPTH || !self.spend(1) {
            return values;
        }
        for way in self.expand(way).iter().take(if depth == 0 { WAYS } else { 4 }) {
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

    /// Values around every limit, one departure from a plain value at a time.
    fn varied(&mut self, way: &Way<'_>, depth: usize, limit: usize) -> Vec<Value> {
        let mut values = Vec::new();
        if depth > DEPTH || !self.spend(1) {
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

    fn scalars(&mut self, way: &Way<'_>, kind: &str) -> Vec<Value> {
        match kind {
            "null" => vec![Value::Null],
            "boolean" => vec![json!(true), json!(false)],
            "string" => self.strings(way),
            _ => {
                let numbers = numbers(way, kind == "integer");
                self.spend(numbers.len() * (1 + way.must.len()));
                numbers
            }
        }
    }

    fn strings(&mut self, way: &Way<'_>) -> Vec<Value> {
        let lengths = way.counts(["minLength", "maxLength"]);
        let mut texts: Vec<String> = Vec::new();
        for part in way.all() {
            if let Some(format) = part.get("format").and_then(Value::as_str) {
                texts.extend(of_format(format).iter().map(ToString::to_string));
            }
            if let Some(pattern) = part.get("pattern").and_then(Value::as_str) {
                texts.extend(matching(pattern, &lengths));
            }
            texts.extend(constants(part).filter_map(|value| value.as_str().map(ToOwned::to_owned)));
        }
        texts.extend(["a", "", "A", "0", "-", "é", "a b"].map(ToOwned::to_owned));
        texts.extend(lengths.iter().map(|length| "a".repeat(*length)));
        let (least, most) = (way.least("minLength"), most(way, "maxLength"));
        let patterns: Vec<&str> = way.must.iter().filter_map(|part| part.get("pattern")?.as_str()).collect();
        let mut ranked: Vec<(bool, String)> = Vec::new();
        for text in texts {
            let length = text.chars().count();
            let fits = length >= least && length <= most && patterns.iter().all(|pattern| self.matches(pattern, &text));
            if self.spend(1 + text.len() / 16) && !ranked.iter().any(|(_, other)| *other == text) {
                ranked.push((!fits, text));
            }
        }
        ranked.sort_by_key(|(misfit, _)| *misfit);
        ranked.into_iter().map(|(_, text)| Value::String(text)).collect()
    }

    /// Whether `text` matches `pattern`; false where the pattern is none.
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

    /// What applies to the property `name`.
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

    /// The names worth having in an object: those that `must` names first.
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

    /// A plain object: with what is required only, or `full`.
    fn object(&mut self, way: &Way<'_>, depth: usize, full: bool) -> Option<Value> {
        let mut object = Map::new();
        let names = if full {
            way.must.iter().flat_map(|part| part.object("properties").map(|(name, _)| name.clone())).collect()
        } else {
            required(way)
        };
        for name in names.into_iter().take(if full { LONGEST_LIST } else { usize::MAX }) {
            self.put(&mut object, way, name, depth);
        }
        // What the properties so far ask for, and again what those ask for.
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
        let least = way.least("minProperties").min(LONGEST_LIST);
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

    fn objects(&mut self, way: &Way<'_>, depth: usize, limit: usize, values: &mut Vec<Value>) {
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
        // Full objects, without one property each, and objects at the limits of their size.
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
            if count > LONGEST_LIST || !self.spend(count) {
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

    /// A plain array of `count` items, distinct where they have to be.
    fn array(&mut self, way: &Way<'_>, depth: usize, count: usize) -> Option<Value> {
        if count > LONGEST_LIST {
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
                for _ in 0..wanted.min(LONGEST_LIST as u64) {
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
                let spare = spare.get_or_insert_with(|| self.varied(&rest, depth + 1, 4 * LONGEST_LIST));
                spare.iter().find(|value| !items.contains(value)).cloned()
            });
            items.push(next?);
        }
        Some(Value::Array(items))
    }

    fn arrays(&mut self, way: &Way<'_>, depth: usize, limit: usize, values: &mut Vec<Value>) {
        let end = values.len() + limit.max(4);
        let least = way.least("minItems").max(least_contained(way));
        for count in way.counts(["minItems", "maxItems"]).into_iter().chain([least, 2, 3]) {
            if count <= LONGEST_LIST && self.spend(count) {
                values.extend(self.array(way, depth, count));
            }
        }
        let prefixes = way.all().map(|part| part.list("prefixItems").chain(part.list("items")).count()).max();
        let places = prefixes.unwrap_or(0).min(LONGEST_LIST) + 1;
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

/// The members of `value`, itself included.
pub fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(size).sum::<usize>(),
        Value::String(text) => 1 + text.len() / 16,
        _ => 1,
    }
}

fn strings(value: Option<&Value>) -> impl Iterator<Item = String> + '_ {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(|name| name.as_str().map(ToOwned::to_owned))
}

fn required(way: &Way<'_>) -> Vec<String> {
    way.must.iter().flat_map(|part| strings(part.get("required"))).collect()
}

fn least_contained(way: &Way<'_>) -> usize {
    usize::from(way.must.iter().any(|part| part.get("contains").is_some()))
}

fn most(way: &Way<'_>, keyword: &str) -> usize {
    let most = way.must.iter().filter_map(|part| part.get(keyword).and_then(Value::as_u64)).min();
    most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX))
}

fn constants(part: Part<'_>) -> impl Iterator<Item = &Value> {
    part.get("const").into_iter().chain(part.get("enum").and_then(Value::as_array).into_iter().flatten())
}

/// The values that `way` lists, where it lists them.
fn listed(way: &Way<'_>) -> Option<Vec<Value>> {
    let part = way.must.iter().find(|part| part.get("const").is_some() || part.get("enum").is_some())?;
    Some(constants(*part).cloned().collect())
}

/// The types that `way` takes, the one its keywords speak of first.
fn kinds(way: &Way<'_>) -> Vec<&'static str> {
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

fn numbers(way: &Way<'_>, integer: bool) -> Vec<Value> {
    let mut points = vec![0.0, 1.0, -1.0];
    if !integer {
        points.extend([0.5, -0.5]);
    }
    let few = |mut numbers: Vec<f64>| {
        let mut seen = std::collections::HashSet::new();
        numbers.retain(|number| seen.insert(number.to_bits()));
        numbers.truncate(LIMITS);
        numbers
    };
    let steps = few(way.numbers("multipleOf"));
    let mut limits = Vec::new();
    for keyword in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        limits.extend(way.numbers(keyword));
    }
    limits.extend(way.all().flat_map(constants).filter_map(Value::as_f64));
    let limits = few(limits);
    for limit in &limits {
        points.extend([*limit, limit + 1.0, limit - 1.0]);
        if !integer {
            points.extend([limit + 0.5, limit - 0.5]);
        }
        for step in &steps {
            points.extend([(limit / step).ceil() * step, (limit / step).floor() * step]);
            points.extend([((limit / step).floor() + 1.0) * step, ((limit / step).ceil() - 1.0) * step]);
        }
    }
    for (number, limit) in limits.iter().enumerate() {
        points.extend(limits.iter().skip(number + 1).take(4).map(|other| f64::midpoint(*limit, *other)));
    }
    for step in &steps {
        points.extend([*step, step * 2.0, step * 3.0, step * 5.0]);
        points.extend(steps.iter().map(|other| step * other));
    }
    if integer {
        points.iter_mut().for_each(|point| *point = point.round());
    }
    let fits = |point: f64| {
        way.must.iter().all(|part| {
            let limit = |keyword: &str| part.get(keyword).and_then(Value::as_f64);
            let strict = |keyword: &str| part.get(keyword) == Some(&Value::Bool(true));
            limit("minimum").is_none_or(|least| point > least || (point == least && !strict("exclusiveMinimum")))
                && limit("maximum").is_none_or(|most| point < most || (point == most && !strict("exclusiveMaximum")))
                && limit("exclusiveMinimum").is_none_or(|least| point > least)
                && limit("exclusiveMaximum").is_none_or(|most| point < most)
                && limit("multipleOf").is_none_or(|step| (point / step).fract() == 0.0)
        })
    };
    points.sort_by(f64::total_cmp);
    points.dedup();
    let mut ranked: Vec<_> = points.into_iter().map(|point| (!fits(point), point.abs(), point < 0.0)).collect();
    ranked.sort_by(|left, right| left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal));
    let values = ranked.into_iter().map(|(_, size, below)| if below { -size } else { size });
    let mut values: Vec<Value> = values.filter_map(number).collect();
    if integer {
        // Draft 4 alone takes 1.0 for no integer.
        values.extend(Number::from_f64(1.0).map(Value::Number));
    }
    values
}

fn number(point: f64) -> Option<Value> {
    if point.fract() == 0.0 && point.abs() < 9e15 {
        return Some(json!(point as i64));
    }
    Number::from_f64(point).map(Value::Number)
}

/// The ways to satisfy `way`, its references followed, its `allOf` taken in, one branch chosen of every `anyOf`; and how
/// many schemas were read for it.
fn expand<'a>(way: &Way<'a>) -> (Vec<Way<'a>>, usize) {
    let mut ways = Vec::new();
    let mut read = 0;
    let mut pending = vec![(way.must.clone(), Way::default(), way.hint.clone(), 0_usize)];
    while let Some((mut open, mut done, mut hints, mut steps)) = pending.pop() {
        if ways.len() == WAYS || read > WAYS * PARTS {
            break;
        }
        read += 1;
        let mut dead = false;
        while let Some(part) = open.pop() {
            steps += 1;
            read += 1;
            if steps > PARTS || part.schema == &Value::Bool(false) {
                dead = true;
                break;
            }
            if done.must.iter().any(|other| std::ptr::eq(other.schema, part.schema)) {
                continue;
            }
            open.extend(part.follow());
            open.extend(part.list("allOf"));
            hints.extend(part.get("not").map(|schema| part.within(schema)));
            hints.extend(part.object("dependentSchemas").map(|(_, schema)| schema));
            hints.extend(part.object("dependencies").filter(|(_, part)| !part.schema.is_array()).map(|(_, part)| part));
            done.must.push(part);
            let mut choices: Vec<Vec<Part<'a>>> = Vec::new();
            let branches: Vec<Part<'a>> = part.list("anyOf").collect();
            let others: Vec<Part<'a>> = part.list("oneOf").collect();
            let mut conditions: Vec<Vec<Part<'a>>> = Vec::new();
            if let Some(condition) = part.get("if") {
                let holds = [Some(part.within(condition)), part.get("then").map(|schema| part.within(schema))];
                conditions.push(holds.into_iter().flatten().collect());
                conditions.push(part.get("else").map(|schema| part.within(schema)).into_iter().collect());
                hints.push(part.within(condition));
            }
            let dependent: Vec<Vec<Part<'a>>> = part
                .object("dependentSchemas")
                .chain(part.object("dependencies").filter(|(_, part)| !part.schema.is_array()))
                .map(|(_, schema)| vec![schema])
                .collect();
            let dependent = if dependent.is_empty() { dependent } else { [dependent, vec![Vec::new()]].concat() };
            for group in [
                dependent,
                branches.into_iter().map(|branch| vec![branch]).collect::<Vec<_>>(),
                others.into_iter().map(|branch| vec![branch]).collect(),
                conditions,
            ] {
                if group.is_empty() {
                    continue;
                }
                choices = if choices.is_empty() {
                    group
                } else {
                    let both =
                        choices.iter().flat_map(|left| group.iter().map(move |right| [&left[..], &right[..]].concat()));
                    both.take(WAYS).collect()
                };
            }
            let mut choices = choices.into_iter().take(WAYS);
            if let Some(first) = choices.next() {
                let rest: Vec<_> = choices.collect();
                // Later branches wait their turn in order.
                for chosen in rest.into_iter().rev() {
                    if pending.len() < 4 * WAYS {
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

/// Every schema that a hint consists of.
fn flattened<'a>(hints: &[Part<'a>]) -> Vec<Part<'a>> {
    let mut flat: Vec<Part<'a>> = Vec::new();
    let mut open: Vec<Part<'a>> = hints.iter().rev().copied().collect();
    while let Some(part) = open.pop() {
        if flat.len() == PARTS {
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
