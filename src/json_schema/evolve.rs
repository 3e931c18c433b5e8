//! Compares two versions of a JSON Schema: what the new one no longer accepts, and what it newly accepts.
//!
//! There are three sources of answers. A comparison keyword by keyword, and the set algebra of the `jsonschema` crate, can prove
//! that nothing is lost or gained. The algebra can also give the difference as a schema. Instances that are made from both
//! versions, and tried on both, prove that something is lost or gained: whatever the algebra says, a value that one version accepts
//! and the other rejects is a fact. If all three fail, the answer is [`Verdict::Unknown`].

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};

use jsonschema::canonical::{
    CanonicalSchema, CanonicalView, CanonicalizationError, Containment, OperandMismatch, RawReason, Satisfiability,
};
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Value, json};

use super::WHOLE;
use super::compile::{Formats, Source, patterns};
use super::example::{Generator, Part, size};
use super::inclusion::{has_integer, included, is_portable};
use super::refusal::Refusal;
use crate::limits::{
    ALGEBRA_DEPTH, ALGEBRA_LOCATION_DEPTH, ALGEBRA_MEMBERS, ALGEBRA_WAYS, CHANGES, DIFFERENCE_MEMBERS, FEWEST_TRIALS,
    ITEMS_COMPARED, TRIAL_EFFORT, TRIALS,
};

/// Which way the set of accepted values changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The old version accepts it, the new one rejects it.
    NoLongerAccepted,
    /// The old version rejects it, the new one accepts it.
    NewlyAccepted,
}

impl Direction {
    /// The name in the column `change`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoLongerAccepted => "no longer accepted",
            Self::NewlyAccepted => "newly accepted",
        }
    }
}

/// What is known about one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is proven that no such value exists.
    Nothing,
    /// Such a value exists: the example.
    Something,
    /// Neither could be proven.
    Unknown,
}

impl Verdict {
    /// The name in the column `verdict`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Something => "something",
            Self::Unknown => "unknown",
        }
    }
}

/// One difference between two versions, or the statement that none exists or is known.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The direction.
    pub direction: Direction,
    /// What is known.
    pub verdict: Verdict,
    /// These values as a schema, if it can be written. The example is one of them. Several rows may have the same schema.
    pub schema: Option<Value>,
    /// A value that one version accepts and the other rejects, according to the validators of both.
    pub example: Option<Value>,
    /// A sentence about what changed or, with [`Verdict::Unknown`], why the answer is not known.
    pub detail: Option<String>,
}

/// How to read both versions.
#[derive(Clone, Copy, Default)]
pub struct Options {
    /// Whether `format` is an assertion.
    pub formats: Formats,
    /// Called now and then, so that the caller can stop the work by unwinding.
    pub interrupt: Option<fn()>,
}

/// A version that is not a usable JSON Schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The old version, and the reason.
    Old(String),
    /// The new version, and the reason.
    New(String),
}

impl std::fmt::Display for Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (which, why) = match self {
            Self::Old(why) => ("old", why),
            Self::New(why) => ("new", why),
        };
        write!(formatter, "the {which} schema is not usable: {why}")
    }
}

impl std::error::Error for Error {}

/// What `new` no longer accepts and what it newly accepts, compared with `old`.
///
/// The answer has at least one row for each direction, those of [`Direction::NoLongerAccepted`] first. A direction has either one
/// row [`Verdict::Nothing`], or rows [`Verdict::Something`] and at most one [`Verdict::Unknown`]. A direction has at most 20 rows,
/// in a stable order. Proofs hold for whole numbers and for numbers that are doubles. The validator itself reads some other numbers
/// beyond 2^52 as whole numbers.
///
/// # Errors
///
/// A version is not a valid schema, or has a pattern that the linear engine cannot match.
pub fn changes(old: &Source, new: &Source, options: &Options) -> Result<Vec<Change>, Error> {
    let old = Version::new(old, options).map_err(|why| Error::Old(why.to_string()))?;
    let new = Version::new(new, options).map_err(|why| Error::New(why.to_string()))?;
    let algebra = LazyCell::new(|| algebra(&old, &new, options));
    let mut changes = compare(Direction::NoLongerAccepted, &old, &new, || &algebra, options);
    changes.extend(compare(Direction::NewlyAccepted, &old, &new, || &algebra, options));
    Ok(changes)
}

/// One version, ready to be tried.
struct Version<'a> {
    source: &'a Source,
    document: &'a Value,
    validator: Validator,
}

impl<'a> Version<'a> {
    fn new(source: &'a Source, options: &Options) -> Result<Self, Refusal> {
        Ok(Self { source, document: source.schema(), validator: source.validator(options.formats)? })
    }
}

/// Both versions in canonical form, or the reason why that failed.
type Algebra = Result<(CanonicalSchema, CanonicalSchema), String>;

fn algebra(old: &Version<'_>, new: &Version<'_>, options: &Options) -> Algebra {
    for (which, document) in [("old", old.document), ("new", new.document)] {
        let members = size(document);
        if members > ALGEBRA_MEMBERS {
            return Err(format!(
                "the {which} schema has {members} members, more than the {ALGEBRA_MEMBERS} that are compared"
            ));
        }
        if has_large_constant(document) {
            return Err(format!("the {which} schema has constants beyond 2^52, which are compared as doubles"));
        }
        if deeper(document, ALGEBRA_DEPTH) {
            return Err(format!("the {which} schema nests deeper than {ALGEBRA_DEPTH} levels"));
        }
        if Spread::of(document) > ALGEBRA_WAYS {
            return Err(format!(
                "the {which} schema nests too deep, or has more than {ALGEBRA_WAYS} ways to satisfy one location"
            ));
        }
    }
    let [one, other] = of_one_draft(old, new)?;
    let old = canonical(old, &one, options).map_err(|why| format!("the old schema {why}"))?;
    let new = canonical(new, &other, options).map_err(|why| format!("the new schema {why}"))?;
    Ok((old, new))
}

/// Both documents in the newer draft, if both mean the same in it.
fn of_one_draft<'v>(old: &'v Version<'_>, new: &'v Version<'_>) -> Result<[Cow<'v, Value>; 2], String> {
    let documents = [old.document, new.document];
    let [one, other] = documents.map(|document| Draft::default().detect(document));
    if one == other {
        return Ok(documents.map(Cow::Borrowed));
    }
    let keywords = is_portable(old.document, one, other) && is_portable(new.document, other, one);
    let integers = [one, other].contains(&Draft::Draft4) && documents.into_iter().any(has_integer);
    // The documents that they refer to would still be read in the older draft.
    if !keywords || integers || old.source.refers() || new.source.refers() {
        return Err("the versions use different drafts, which define some of their keywords differently".to_owned());
    }
    let newer = if one > other { old } else { new }.document.get("$schema");
    Ok(documents.map(|document| {
        let mut document = document.clone();
        if let Value::Object(members) = &mut document {
            members.shift_remove("$schema");
            members.extend(newer.map(|draft| ("$schema".to_owned(), draft.clone())));
        }
        Cow::Owned(document)
    }))
}

/// Counts the ways to satisfy the locations of a schema, which the algebra multiplies out.
struct Spread<'a> {
    root: &'a Value,
    widest: usize,
    /// The height of the schema counted last: the levels of schemas within it, references followed.
    height: usize,
    /// The ways and the height of each target of a reference, by its address. While a target is being counted, they are 1 and 0, so
    /// that recursion ends.
    targets: HashMap<usize, (usize, usize)>,
}

impl<'a> Spread<'a> {
    /// The largest number of ways of any location.
    fn of(root: &'a Value) -> usize {
        let mut spread = Self { root, widest: 0, height: 0, targets: HashMap::new() };
        spread.ways(root, 0);
        spread.widest
    }

    fn ways(&mut self, schema: &'a Value, depth: usize) -> usize {
        if depth > ALGEBRA_LOCATION_DEPTH {
            self.widest = usize::MAX;
            return 1;
        }
        let Value::Object(members) = schema else { return 1 };
        let mut ways = 1_usize;
        let outer = std::mem::take(&mut self.height);
        for (keyword, value) in members {
            let factor = match (keyword.as_str(), value) {
                ("anyOf" | "oneOf", Value::Array(branches)) => {
                    let constant = |branch: &Value| branch.get("const").or_else(|| branch.get("enum")).is_some();
                    let each: Vec<usize> = branches.iter().map(|branch| self.ways(branch, depth + 1)).collect();
                    if branches.iter().all(constant) { 1 } else { each.into_iter().fold(0, usize::saturating_add) }
                }
                ("allOf", Value::Array(all)) => {
                    all.iter().fold(1_usize, |ways, schema| ways.saturating_mul(self.ways(schema, depth + 1)))
                }
                ("$ref", Value::String(reference)) => {
                    let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
                    target.map_or(1, |target| self.target(target, depth + 1))
                }
                ("if", condition) => 1 + self.ways(condition, depth + 1).saturating_mul(2),
                ("then" | "else", branch) => self.ways(branch, depth + 1),
                ("not", Value::Object(refused)) => {
                    self.ways(value, depth + 1).saturating_add(refused.len().saturating_sub(1))
                }
                (
                    "dependentRequired" | "dependentSchemas" | "dependencies" | "patternProperties",
                    Value::Object(each),
                ) => {
                    each.values().for_each(|schema| _ = self.ways(schema, depth + 1));
                    1 + each.len()
                }
                ("properties" | "$defs" | "definitions", Value::Object(each)) => {
                    each.values().for_each(|schema| _ = self.ways(schema, depth + 1));
                    1
                }
                ("items" | "prefixItems", Value::Array(each)) => {
                    each.iter().for_each(|schema| _ = self.ways(schema, depth + 1));
                    1
                }
                ("contains" | "items" | "additionalProperties" | "additionalItems" | "propertyNames", schema) => {
                    self.ways(schema, depth + 1);
                    1
                }
                _ => 1,
            };
            ways = ways.saturating_mul(factor.max(1));
        }
        // The larger of the height of the neighbours counted so far and its own.
        self.height = outer.max(self.height + 1);
        if self.height > ALGEBRA_LOCATION_DEPTH {
            self.widest = usize::MAX;
        }
        self.widest = self.widest.max(ways);
        ways
    }

    fn target(&mut self, target: &'a Value, depth: usize) -> usize {
        let address = std::ptr::from_ref(target).addr();
        if let Some((ways, height)) = self.targets.get(&address) {
            self.height = self.height.max(*height);
            return *ways;
        }
        self.targets.insert(address, (1, 0));
        let outer = std::mem::take(&mut self.height);
        let ways = self.ways(target, depth);
        self.targets.insert(address, (ways, self.height));
        self.height = self.height.max(outer);
        ways
    }
}

fn canonical(version: &Version<'_>, document: &Value, options: &Options) -> Result<CanonicalSchema, String> {
    let registry = version.source.registry_of_others().map_err(|why| why.to_string())?;
    let mut building = jsonschema::canonical::options().offline().with_pattern_options(patterns());
    if let Some(registry) = &registry {
        building = building.with_registry(registry);
    }
    if options.formats != Formats::Draft {
        building = building.should_validate_formats(options.formats == Formats::On);
    }
    let schema = building.canonicalize(document).map_err(|_| "cannot be taken apart".to_owned())?;
    match schema.view() {
        CanonicalView::Raw(raw) => {
            let what = match raw.reason {
                RawReason::OutgrewCases | RawReason::OutgrewIntersections => "becomes too large when it is taken apart",
                _ => "has keywords that cannot be taken apart",
            };
            Err(match raw.pointer.filter(|pointer| !pointer.is_empty()) {
                Some(pointer) => format!("{what}, at {}", version.source.patterns().original_pointer(&pointer)),
                None => what.to_owned(),
            })
        }
        _ => Ok(schema),
    }
}

/// Why the algebra has no answer.
fn reason(error: &CanonicalizationError) -> &'static str {
    match error {
        CanonicalizationError::IncompatibleOperands(OperandMismatch::DocumentRoots) => {
            "both versions refer to themselves by \"#\", and not to a definition"
        }
        CanonicalizationError::IncompatibleOperands(OperandMismatch::Definitions) => {
            "the versions refer to different schemas with the same name"
        }
        CanonicalizationError::IncompatibleOperands(_) => "the versions are read in different ways",
        _ => "the difference between the versions cannot be written as a schema",
    }
}

/// Whether a document has a number, other than a bound, so large that doubles are not exact. Equality and multiples of it do not
/// follow the rules of arithmetic.
fn has_large_constant(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|number| number.abs() >= WHOLE),
        Value::Array(items) => items.iter().any(has_large_constant),
        Value::Object(members) => members.iter().any(|(keyword, member)| match keyword.as_str() {
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => {
                !member.is_number() && has_large_constant(member)
            }
            _ => has_large_constant(member),
        }),
        _ => false,
    }
}

/// Whether `value` nests deeper than `levels`.
fn deeper(value: &Value, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper(item, levels)),
        Value::Object(members) => members.values().any(|member| deeper(member, levels)),
        _ => false,
    }
}

/// What the algebra says about the values that one version accepts and the other rejects.
enum Difference {
    /// There are none.
    Empty,
    /// The values of these schemas, together. They may still be empty.
    Parts(Vec<Value>),
    /// It has no answer, for this reason.
    Unknown(String),
}

fn difference(taken: &CanonicalSchema, removed: &CanonicalSchema, members: usize) -> Difference {
    let covered = match removed.covers(taken) {
        Ok(covered) => covered,
        Err(error) => return Difference::Unknown(reason(&error).to_owned()),
    };
    match covered {
        Containment::Yes => return Difference::Empty,
        // The question was settled within a small budget, so this will be, too.
        Containment::No => {}
        Containment::Unknown if members <= DIFFERENCE_MEMBERS => {}
        Containment::Unknown => {
            return Difference::Unknown(format!(
                "the schemas have {members} members, more than the {DIFFERENCE_MEMBERS} for which the difference is worked out"
            ));
        }
    }
    match taken.subtract(removed) {
        Ok(difference) if difference.satisfiability() == Satisfiability::No => Difference::Empty,
        Ok(difference) => Difference::Parts(match difference.view() {
            CanonicalView::AnyOf(branches) => branches.iter().map(CanonicalSchema::to_json_schema).collect(),
            _ => vec![difference.to_json_schema()],
        }),
        Err(error) => Difference::Unknown(reason(&error).to_owned()),
    }
}

/// A value that shows a difference.
struct Witness {
    example: Value,
    /// How many errors the other version reports for it. With one error, the detail explains all of it.
    faults: usize,
}

/// The search for values that one version accepts and the other rejects.
struct Search<'v> {
    direction: Direction,
    old: &'v Version<'v>,
    new: &'v Version<'v>,
    options: &'v Options,
    /// The best witness of each difference, keyed by the sentence that describes it.
    found: BTreeMap<String, Witness>,
}

impl<'v> Search<'v> {
    /// The version that accepts the wanted values, and the one that rejects them.
    fn sides(&self) -> (&'v Version<'v>, &'v Version<'v>) {
        match self.direction {
            Direction::NoLongerAccepted => (self.old, self.new),
            Direction::NewlyAccepted => (self.new, self.old),
        }
    }

    /// Tries a value on both versions. Returns whether it shows a difference.
    fn try_instance(&mut self, instance: Value) -> bool {
        if let Some(interrupt) = self.options.interrupt {
            interrupt();
        }
        let (from, to) = self.sides();
        if !from.validator.is_valid(&instance) {
            return false;
        }
        let mut faults = to.validator.iter_errors(&instance);
        let Some(fault) = faults.next() else { return false };
        let detail = detail(self.direction, &fault, self.old, self.new);
        let witness = Witness { faults: 1 + faults.take(8).count(), example: instance.clone() };
        let better = self
            .found
            .get(&detail)
            .is_none_or(|known| (witness.faults, size(&witness.example)) < (known.faults, size(&known.example)));
        if better && (self.found.len() < 4 * CHANGES || self.found.contains_key(&detail)) {
            self.found.insert(detail, witness);
        }
        true
    }

    /// Instances made from a schema. The rejecting version gives hints about what is worth trying.
    fn instances_of(&self, schema: &Value, tries: usize) -> Vec<Value> {
        let hints = [Part::document(self.sides().1.document)];
        Generator::new(self.options.interrupt).instances(Part::document(schema), &hints, tries)
    }

    /// Tries instances made from the version that accepts. Returns whether any shows a difference.
    fn try_version(&mut self, tries: usize) -> bool {
        let mut instances = self.instances_of(self.sides().0.document, tries);
        instances.truncate(2 * tries);
        // 1.0 equals 1, and is not an integer in draft 4.
        let strict = [self.old, self.new]
            .iter()
            .any(|version| Draft::default().detect(version.document) == Draft::Draft4 && has_integer(version.document));
        let mut shown = false;
        for instance in instances {
            let with_fractions = strict.then(|| with_fractions(&instance));
            shown |= self.try_instance(instance);
            shown |= with_fractions.is_some_and(|instance| self.try_instance(instance));
        }
        shown
    }

    /// What is known about the difference without examples. `shown`: an example was already found. `members`: the members of both
    /// schemas.
    fn difference<'b>(&self, algebra: impl Fn() -> &'b Algebra, shown: bool, members: usize) -> Difference {
        let (from, to) = self.sides();
        if !shown && included(from.document, to.document) {
            return Difference::Empty;
        }
        if shown && members > DIFFERENCE_MEMBERS {
            return Difference::Unknown("the difference of large schemas is not written out".to_owned());
        }
        match (algebra(), self.direction) {
            (Err(why), _) => Difference::Unknown(why.clone()),
            (Ok((old, new)), Direction::NoLongerAccepted) => difference(old, new, members),
            (Ok((old, new)), Direction::NewlyAccepted) => difference(new, old, members),
        }
    }

    /// A schema with its patterns as the versions have them.
    fn written(&self, schema: &Value) -> Value {
        let (from, to) = self.sides();
        to.source.patterns().original_value(&from.source.patterns().original_value(schema))
    }

    /// The rows of this direction.
    fn rows(&mut self, difference: &Difference) -> Vec<Change> {
        let parts: &[Value] = match difference {
            Difference::Parts(parts) => parts,
            _ => &[],
        };
        let (mut rows, shown) = self.shown_rows(parts);
        let unshown: Vec<&Value> =
            parts.iter().zip(&shown).take(CHANGES).filter(|(_, shown)| !**shown).map(|(part, _)| part).collect();
        rows.extend(self.last_row(difference, &unshown, rows.is_empty()));
        rows.truncate(CHANGES);
        rows
    }

    /// One row for each witness; and for each part of the difference, whether it contains a witness.
    fn shown_rows(&mut self, parts: &[Value]) -> (Vec<Change>, Vec<bool>) {
        let (from, _) = self.sides();
        let validator_of = |part| from.source.validator_of(part, self.options.formats).ok();
        let validators: Vec<Option<Validator>> = parts.iter().take(CHANGES).map(validator_of).collect();
        let mut shown = vec![false; parts.len()];
        let found = std::mem::take(&mut self.found);
        let total = found.len();
        let mut rows = Vec::new();
        for (detail, witness) in found {
            let mut schema = None;
            for ((part, validator), shown) in parts.iter().zip(&validators).zip(&mut shown) {
                if validator.as_ref().is_some_and(|validator| validator.is_valid(&witness.example)) {
                    *shown = true;
                    schema = schema.or(Some(part));
                }
            }
            if rows.len() + 1 < CHANGES || total <= CHANGES {
                rows.push(Change {
                    direction: self.direction,
                    verdict: Verdict::Something,
                    schema: schema.map(|schema| self.written(schema)),
                    example: Some(witness.example),
                    detail: Some(detail),
                });
            }
        }
        (rows, shown)
    }

    /// The row after those with examples. `unshown`: parts of the difference without an example. `alone`: there are no examples.
    fn last_row(&self, difference: &Difference, unshown: &[&Value], alone: bool) -> Option<Change> {
        let (verdict, schema, detail) = match (difference, alone) {
            (Difference::Empty, true) => (Verdict::Nothing, None, None),
            (Difference::Parts(_), _) if !unshown.is_empty() => {
                let schema = match unshown {
                    [part] => (*part).clone(),
                    parts => json!({"anyOf": parts}),
                };
                let why = "no value of this difference was found, but it is not proven to be empty";
                (Verdict::Unknown, Some(self.written(&schema)), Some(why.to_owned()))
            }
            (Difference::Unknown(why), true) => {
                let why = format!("no example was found, but it is not proven that none exists: {why}");
                (Verdict::Unknown, None, Some(why))
            }
            _ => return None,
        };
        Some(Change { direction: self.direction, verdict, schema, example: None, detail })
    }
}

fn compare<'b>(
    direction: Direction,
    old: &Version<'_>,
    new: &Version<'_>,
    algebra: impl Fn() -> &'b Algebra,
    options: &Options,
) -> Vec<Change> {
    let members = size(old.document) + size(new.document);
    let tries = (TRIAL_EFFORT / members).clamp(FEWEST_TRIALS, TRIALS);
    let mut search = Search { direction, old, new, options, found: BTreeMap::new() };
    let shown = search.try_version(tries);
    let difference = search.difference(algebra, shown, members);
    if let Difference::Parts(parts) = &difference {
        for part in parts.iter().take(CHANGES) {
            for instance in search.instances_of(part, tries / 8) {
                search.try_instance(instance);
            }
        }
    }
    search.rows(&difference)
}

/// The same value with its whole numbers written as 1.0.
fn with_fractions(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or_else(|| value.clone(), Value::from),
        Value::Array(items) => items.iter().map(with_fractions).collect(),
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), with_fractions(member))).collect(),
        value => value.clone(),
    }
}

/// A sentence about what changed at the place of `fault`.
fn detail(direction: Direction, fault: &ValidationError<'_>, old: &Version<'_>, new: &Version<'_>) -> String {
    let pointer = fault.schema_path().as_str();
    let value = |version: &Version<'_>| {
        let value = version.document.pointer(pointer)?;
        Some(version.source.patterns().original_value(value))
    };
    let (before, after) = (value(old), value(new));
    let pointer = old.source.patterns().original_pointer(pointer);
    let pointer = new.source.patterns().original_pointer(&pointer);
    let (place, keyword) = pointer.rsplit_once('/').unwrap_or(("", &pointer));
    let place = if place.is_empty() { "the root" } else { place };
    match (&before, &after) {
        (Some(Value::Array(before)), Some(Value::Array(after)))
            if before.len().max(after.len()) <= ITEMS_COMPARED && before != after =>
        {
            let missing = |from: &[Value], other: &[Value]| {
                let missing: Vec<String> = from.iter().filter(|value| !other.contains(value)).map(short).collect();
                missing.join(", ")
            };
            let (lost, gained) = (missing(before, after), missing(after, before));
            match (lost.is_empty(), gained.is_empty()) {
                (false, true) => format!("{place}: {keyword} no longer has {lost}"),
                (true, false) => format!("{place}: {keyword} now has {gained}"),
                _ => format!("{place}: {keyword} has {gained} in place of {lost}"),
            }
        }
        (Some(before), Some(after)) if before != after => {
            format!("{place}: {keyword} {} became {}", short(before), short(after))
        }
        (None, Some(after)) => format!("{place}: {keyword} {} was added", short(after)),
        (Some(before), None) => format!("{place}: {keyword} {} was removed", short(before)),
        _ => {
            let which = match direction {
                Direction::NoLongerAccepted => "new",
                Direction::NewlyAccepted => "old",
            };
            let what = match fault.kind() {
                ValidationErrorKind::AdditionalProperties { unexpected }
                | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                    let names: Vec<String> = unexpected.iter().map(|name| format!("{name:?}")).collect();
                    format!(" has no property {}", names.join(", "))
                }
                _ => format!(" rejects the example by its {keyword}"),
            };
            format!("{place}: the {which} version{what}")
        }
    }
}

/// JSON text, truncated if it is long.
fn short(value: &Value) -> String {
    const LONGEST: usize = 60;
    match value {
        Value::Array(items) if items.len() > ITEMS_COMPARED => return format!("[{} items]", items.len()),
        Value::Object(members) if members.len() > ITEMS_COMPARED => return format!("{{{} members}}", members.len()),
        _ => {}
    }
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
#[path = "evolve_tests.rs"]
mod tests;
