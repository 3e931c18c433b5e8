//! Adds what the validator's errors leave out: which member, how many, for which reason.

use super::place::{Place, follow};
use super::{Values, text};
use crate::json::pointer;
use crate::json_schema::compile::Compiled;
use crate::limits::{DUPLICATE_COMPARISONS, ITEMS_LISTED};
use jsonschema::error::ValidationErrorKind;
use jsonschema::json::{Array, Json, Node, Object};
use jsonschema::{Draft, Registry, ValidationError, Validator};
use serde_json::Value;
use std::cell::OnceCell;
use std::fmt::{self, Display};

/// The explanation of a violation.
pub enum Explanation<'i, F: Json> {
    /// A message about the keyword at the end of an evaluation path.
    Message { keyword: String, evaluation: String, message: String },
    /// Parts of the value fail a schema of the keyword.
    Parts(Vec<Part<'i, F>>),
}

/// A member or element that fails a schema.
pub struct Part<'i, F: Json> {
    /// Its name or index, as a JSON Pointer token.
    pub token: String,
    pub instance: F::Node<'i>,
    /// The schema.
    pub validator: Option<&'i Validator<F>>,
    /// The message if the schema finds nothing wrong.
    pub otherwise: String,
}

/// A schema and the instance that fails it.
pub struct Scope<'i, F: Json> {
    pub compiled: &'i Compiled<F>,
    pub instance: F::Node<'i>,
    values: Values,
    registry: OnceCell<Option<Registry<'i>>>,
}

/// The subject of a message.
enum Subject<'s> {
    /// The value, which must not be shown.
    Masked,
    Value(&'s Value),
    /// The name of a property.
    Name(&'s Value),
}

impl Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Masked => f.write_str("value"),
            Subject::Value(value) => value.fmt(f),
            Subject::Name(name) => write!(f, "property name {name}"),
        }
    }
}

impl<'i, F: Json> Scope<'i, F> {
    pub fn new(compiled: &'i Compiled<F>, instance: F::Node<'i>, values: Values) -> Self {
        Scope { compiled, instance, values, registry: OnceCell::new() }
    }

    /// Explains an error about the part of the instance at `at`. `evaluation` is the evaluation path.
    pub fn explain(&self, error: &ValidationError<'_>, at: &str, evaluation: &str) -> Explanation<'i, F> {
        let subject = match self.values {
            Values::Masked => Subject::Masked,
            Values::Shown => Subject::Value(error.instance()),
        };
        let mut keyword = error.kind().keyword().to_owned();
        let mut evaluation = evaluation.to_owned();
        let message = match error.kind() {
            ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                match self.unevaluated(at, &evaluation, unexpected) {
                    Some(parts) => return Explanation::Parts(parts),
                    None => None,
                }
            }
            ValidationErrorKind::UnevaluatedItems { unexpected } => {
                let indices = self.unevaluated_indices(at, unexpected);
                match indices.as_ref().and_then(|indices| self.unevaluated_items(at, &evaluation, indices)) {
                    Some(parts) => return Explanation::Parts(parts),
                    None => indices.map(|indices| unexpected_items("Unevaluated", &indices)),
                }
            }
            ValidationErrorKind::AdditionalItems { limit } => self
                .array(at)
                .map(|array| unexpected_items("Additional", &(*limit..array.len()).collect::<Vec<usize>>())),
            ValidationErrorKind::Contains => self.contains(at, &evaluation, &subject).map(|(bound, message)| {
                // The last part of the path is the keyword that the validator was made for.
                let place = evaluation.rsplit_once('/').map_or("", |(place, _)| place);
                evaluation = format!("{place}/{bound}");
                keyword = bound.to_owned();
                message
            }),
            ValidationErrorKind::FalseSchema => {
                let place = self.follow(&evaluation);
                if let Some(place) = &place {
                    keyword.clone_from(&place.keyword);
                }
                Some(self.nothing_is_allowed(place.as_ref(), at, &subject))
            }
            ValidationErrorKind::PropertyNames { error } => {
                Some(self.message(error, &Subject::Name(error.instance()), at, &evaluation))
            }
            ValidationErrorKind::Required { property } => {
                self.dependent(at, &evaluation, property).map(|(by, message)| {
                    keyword = by;
                    message
                })
            }
            _ => None,
        };
        let message = message.unwrap_or_else(|| self.message(error, &subject, at, &evaluation));
        Explanation::Message { keyword, evaluation, message }
    }

    /// The message of an error that only concerns its instance.
    fn message(&self, error: &ValidationError<'_>, subject: &Subject<'_>, at: &str, evaluation: &str) -> String {
        match error.kind() {
            ValidationErrorKind::FalseSchema => self.nothing_is_allowed(self.follow(evaluation).as_ref(), at, subject),
            ValidationErrorKind::Not { schema } => {
                let schema = self.compiled.source.patterns().original_value(schema);
                text(format_args!("{subject} is valid under the schema in 'not': {schema}"))
            }
            ValidationErrorKind::OneOfMultipleValid { context } => {
                let valid: Vec<usize> =
                    (0..).zip(context).filter(|(_, errors)| errors.is_empty()).map(|(i, _)| i).collect();
                text(format_args!(
                    "{subject} is valid under more than one of the schemas listed in the 'oneOf' keyword ({})",
                    listed(&valid, "and")
                ))
            }
            ValidationErrorKind::Enum { options } => text(format_args!(
                "{subject} is not one of {}",
                listed(options.as_array().map_or(&[], Vec::as_slice), "or")
            )),
            ValidationErrorKind::UniqueItems => match self.equal_items(at) {
                Some((one, other)) => {
                    text(format_args!("{subject} has non-unique elements (items {one} and {other} are equal)"))
                }
                None => text(format_args!("{subject} has non-unique elements")),
            },
            ValidationErrorKind::Pattern { pattern } => {
                let pattern = self.compiled.source.patterns().original(pattern);
                text(format_args!("{subject} does not match \"{pattern}\""))
            }
            _ => match subject {
                Subject::Value(_) => text(error),
                subject => text(error.masked_with(subject.to_string())),
            },
        }
    }

    fn registry(&self) -> Option<&Registry<'i>> {
        self.registry.get_or_init(|| self.compiled.source.registry().ok()).as_ref()
    }

    fn follow(&self, evaluation: &str) -> Option<Place<'_>> {
        let registry = self.registry()?;
        let (id, schema, draft) = self.compiled.source.root();
        follow(registry, schema, id, draft, evaluation)
    }

    /// The part of the instance at a location.
    fn node(&self, at: &str) -> Option<F::Node<'i>> {
        at.split('/').skip(1).try_fold(self.instance.clone(), |node, token| match node.as_object() {
            Some(object) => object.get(&F::prepare_key(&pointer::unescape(token))),
            None => node.as_array()?.elements().nth(token.parse().ok()?),
        })
    }

    fn array(&self, at: &str) -> Option<<F::Node<'i> as Node<'i, F>>::Array> {
        self.node(at)?.as_array()
    }

    /// The members that fail the schema of `unevaluatedProperties`; `None` if the schema is false.
    fn unevaluated(&self, at: &str, evaluation: &str, names: &[String]) -> Option<Vec<Part<'i, F>>> {
        let validator = self.unevaluated_schema(evaluation)?;
        let object = self.node(at)?.as_object()?;
        let part = |name: &String| {
            Some(Part {
                token: pointer::escape(name),
                instance: object.get(&F::prepare_key(name))?,
                validator,
                otherwise: text(format_args!(
                    "property {} does not match 'unevaluatedProperties'",
                    Value::from(name.as_str())
                )),
            })
        };
        Some(names.iter().filter_map(part).collect())
    }

    /// The elements that fail the schema of `unevaluatedItems`; `None` if the schema is false.
    fn unevaluated_items(&self, at: &str, evaluation: &str, indices: &[usize]) -> Option<Vec<Part<'i, F>>> {
        let validator = self.unevaluated_schema(evaluation)?;
        let mut indices = indices.iter().copied().peekable();
        let elements = (0..).zip(self.array(at)?.elements()).filter(|(i, _)| indices.next_if_eq(i).is_some());
        let part = |(i, instance): (usize, F::Node<'i>)| Part {
            token: i.to_string(),
            instance,
            validator,
            otherwise: format!("item {i} does not match 'unevaluatedItems'"),
        };
        Some(elements.map(part).collect())
    }

    /// The schema of an `unevaluated` keyword, compiled if possible; `None` if it is false.
    fn unevaluated_schema(&self, evaluation: &str) -> Option<Option<&'i Validator<F>>> {
        let target = self.follow(evaluation)?.target.filter(|target| target.is_object())?;
        Some(self.compiled.part(self.registry()?, target))
    }

    /// The indices of the unevaluated elements. The validator only reports their values.
    ///
    /// Among equal elements, only those in front can have been evaluated by position. So the last ones are unevaluated.
    fn unevaluated_indices(&self, at: &str, values: &[String]) -> Option<Vec<usize>> {
        let elements: Vec<F::Node<'i>> = self.array(at)?.elements().collect();
        let mut values = values.iter().rev().peekable();
        let mut indices = Vec::new();
        for (i, element) in elements.iter().enumerate().rev() {
            if values.peek().is_some_and(|value| **value == element.to_value().to_string()) {
                values.next();
                indices.push(i);
            }
        }
        indices.reverse();
        values.next().is_none().then_some(indices)
    }

    /// What violates `contains` and its bounds, and the keyword that says so.
    fn contains(&self, at: &str, evaluation: &str, subject: &Subject<'_>) -> Option<(&'static str, String)> {
        let place = self.follow(evaluation)?;
        let bound = |keyword: &str| {
            let bound = place
                .schema
                .get(keyword)
                .filter(|_| place.draft >= Draft::Draft201909 || place.draft == Draft::Unknown);
            bound.and_then(|bound| bound.as_u64().or_else(|| bound.as_f64().map(|bound| bound as u64)))
        };
        let (least, most) = (bound("minContains"), bound("maxContains"));
        let array = self.array(at)?;
        let counted = place.schema.get("contains").and_then(|schema| match schema {
            Value::Bool(all) => Some(if *all { array.len() as u64 } else { 0 }),
            schema => {
                let validator = self.compiled.part(self.registry()?, schema)?;
                Some(array.elements().filter(|element| validator.is_valid(element.clone())).count() as u64)
            }
        });
        let Some(found) = counted else {
            let bounds = match (least, most) {
                (None, None) => {
                    return Some(("contains", text(format_args!("{subject} has no item that matches 'contains'"))));
                }
                (Some(least), None) => format!("at least {least}"),
                (least, Some(most)) => format!("at least {} and at most {most}", least.unwrap_or(1)),
            };
            let keyword = if place.keyword == "maxContains" { "maxContains" } else { "minContains" };
            return Some((
                keyword,
                text(format_args!("the items of {subject} that match 'contains' are not {bounds}")),
            ));
        };
        let items = match found {
            0 => "no item that matches".to_owned(),
            1 => "1 item that matches".to_owned(),
            found => format!("{found} items that match"),
        };
        match (least, most) {
            (_, Some(most)) if found > most => Some((
                "maxContains",
                text(format_args!("{subject} has {items} 'contains', more than the maximum of {most}")),
            )),
            (Some(least), _) if found < least => Some((
                "minContains",
                text(format_args!("{subject} has {items} 'contains', fewer than the minimum of {least}")),
            )),
            (None, _) if found == 0 => Some(("contains", text(format_args!("{subject} has {items} 'contains'")))),
            _ => None,
        }
    }

    /// The message for a schema that is `false`.
    fn nothing_is_allowed(&self, place: Option<&Place<'_>>, at: &str, subject: &Subject<'_>) -> String {
        let last = at.rsplit_once('/').map(|(_, last)| pointer::unescape(last));
        let key = place.and_then(|place| place.key.as_deref());
        match (place.map_or("", |place| place.keyword.as_str()), last) {
            (keyword @ ("additionalProperties" | "propertyNames"), _)
                if self.node(at).is_some_and(|node| node.as_object().is_some()) =>
            {
                let what = if keyword == "propertyNames" { "Properties" } else { "Additional properties" };
                text(UnexpectedProperties {
                    what,
                    object: self.node(at),
                    format: std::marker::PhantomData::<fn() -> F>,
                })
            }
            ("properties" | "patternProperties", Some(name)) => {
                text(format_args!("property {} is not allowed", Value::from(name)))
            }
            ("dependentSchemas" | "dependencies", _) if key.is_some() => {
                text(format_args!("property {} is not allowed", Value::from(key)))
            }
            ("items" | "prefixItems" | "additionalItems", Some(index)) => format!("item {index} is not allowed"),
            ("then", _) => text(format_args!("{subject} is valid under 'if', but 'then' allows nothing")),
            ("else", _) => text(format_args!("{subject} is not valid under 'if', but 'else' allows nothing")),
            _ => text(format_args!("{subject} is not allowed")),
        }
    }

    /// For a property that other properties require: the keyword that says so, and a message that names them.
    fn dependent(&self, at: &str, evaluation: &str, property: &Value) -> Option<(String, String)> {
        if !(evaluation.ends_with("/dependentRequired") || evaluation.ends_with("/dependencies")) {
            return None;
        }
        let place = self.follow(evaluation)?;
        let object = self.node(at)?.as_object()?;
        let asks = |(name, wanted): &(&String, &Value)| {
            wanted.as_array().is_some_and(|wanted| wanted.contains(property))
                && object.get(&F::prepare_key(name)).is_some()
        };
        let names = place.schema.get(&place.keyword)?.as_object()?.iter().filter(asks);
        let names: Vec<Value> = names.map(|(name, _)| Value::from(name.as_str())).collect();
        let (verb, names) = (if names.len() == 1 { "is" } else { "are" }, listed(&names, "and"));
        Some((place.keyword, text(format_args!("{property} is a required property when {names} {verb} present"))))
    }

    /// Two elements that are equal.
    fn equal_items(&self, at: &str) -> Option<(usize, usize)> {
        let elements: Vec<F::Node<'i>> =
            self.array(at).filter(|array| array.len() <= DUPLICATE_COMPARISONS)?.elements().collect();
        let values: Vec<_> = elements.iter().map(Node::to_value).collect();
        (0..).zip(&elements).find_map(|(one, element)| {
            let others = (0..).zip(&values).skip(one + 1);
            others.filter(|(_, value)| element.equals_value(value)).map(|(other, _)| (one, other)).next()
        })
    }
}

fn unexpected_items(what: &str, indices: &[usize]) -> String {
    match indices {
        [index] => format!("{what} items are not allowed (item {index} was unexpected)"),
        indices => format!("{what} items are not allowed (items {} were unexpected)", listed(indices, "and")),
    }
}

/// A list for a sentence, limited to some items.
fn listed(items: &[impl Display], last: &str) -> String {
    let texts = |items: &[_]| items.iter().map(|item: &_| format!("{item}")).collect::<Vec<String>>().join(", ");
    match items {
        [] => String::new(),
        [item] => item.to_string(),
        [items @ .., item] if items.len() < ITEMS_LISTED => format!("{} {last} {item}", texts(items)),
        items => {
            let shown = items.get(..ITEMS_LISTED).unwrap_or(items);
            format!("{} {last} {} more", texts(shown), items.len() - shown.len())
        }
    }
}

/// The error that an object has members with these names.
struct UnexpectedProperties<'i, F: Json> {
    what: &'static str,
    object: Option<F::Node<'i>>,
    format: std::marker::PhantomData<fn() -> F>,
}

impl<'i, F: Json> Display for UnexpectedProperties<'i, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} are not allowed (", self.what)?;
        let Some(object) = self.object.as_ref().and_then(Node::as_object) else { return f.write_str(")") };
        for (i, (name, _)) in object.members().enumerate() {
            write!(f, "{}'{}'", if i == 0 { "" } else { ", " }, name.as_ref())?;
        }
        f.write_str(if object.len() == 1 { " was unexpected)" } else { " were unexpected)" })
    }
}
