//! From a schema to its validator.

use super::cost;
use crate::limits;
use jsonschema::error::ValidationErrorKind;
use jsonschema::json::Json;
use jsonschema::{Draft, PatternOptions, Registry, Retrieve, Uri, ValidationError, Validator, uri};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a schema without `$id` is called: it cannot be referred to from outside.
const ANONYMOUS: &str = "json-schema:///";

/// Whether `format` is an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Formats {
    /// As the draft says: drafts 4, 6 and 7 assert, 2019-09 and 2020-12 annotate.
    #[default]
    Draft,
    /// It always is.
    On,
    /// It never is.
    Off,
}

/// A compiled schema.
pub struct Compiled<F: Json> {
    /// What validates.
    pub validator: Validator<F>,
    /// Whether the schema refers to others, by their registered names or URIs: then a change of those changes this one.
    pub refers: bool,
    /// Memory that it takes, about.
    pub bytes: usize,
}

/// Why a schema was not compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// JSON Pointer (RFC 6901) to what is wrong in the schema; empty for the schema as a whole.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<&'static str>,
}

impl Refusal {
    /// A refusal of the schema as a whole.
    pub fn whole(message: impl Into<String>, hint: &'static str) -> Self {
        Refusal { pointer: String::new(), message: message.into(), hint: Some(hint) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.pointer, self.message)
        }
    }
}

/// Finds the document that an absolute URI (RFC 3986) without fragment names.
pub type Lookup<'l> = &'l mut dyn FnMut(&str) -> Option<Value>;

/// Compiles a schema. Its `$schema` decides the draft, 2020-12 without one.
///
/// `lookup` is asked for every document that the schema refers to and that is not a meta-schema. Nothing is ever fetched
/// from a network or a file.
///
/// # Errors
/// The schema does not conform to its meta-schema, refers to what `lookup` does not know, has a pattern that the linear
/// engine cannot match, or exceeds a limit.
pub fn compile<F: Json>(schema: &Value, formats: Formats, lookup: Lookup<'_>) -> Result<Compiled<F>, Refusal> {
    let documents = resolve(schema, lookup)?;
    let refers = !documents.found().documents.is_empty();
    let bytes = documents.found().bytes;
    let mut options = jsonschema::options_for::<F>().with_retriever(documents).with_pattern_options(patterns());
    if formats != Formats::Draft {
        options = options.should_validate_formats(formats == Formats::On);
    }
    let validator = options.build(schema).map_err(|why| refusal(&why))?;
    Ok(Compiled { validator, refers, bytes })
}

/// Finds what a schema refers to, directly or not, and refuses a schema that costs too much.
///
/// # Errors
/// As [`compile`].
pub fn resolve(schema: &Value, lookup: Lookup<'_>) -> Result<Documents, Refusal> {
    cost::check_ids(schema)?;
    let documents = Documents::default();
    let draft = Draft::default().detect(schema);
    let resource = draft.create_resource_ref(schema);
    let id = resource.id().filter(|id| uri::from_str(id).is_ok()).unwrap_or(ANONYMOUS);
    loop {
        let known = documents.all();
        let named = || {
            let known = known.iter().map(|(uri, document)| (uri.as_str(), document));
            std::iter::once((id, schema)).chain(known)
        };
        let registry = Registry::new().retriever(documents.clone()).extend(named()).and_then(|r| r.prepare());
        let refused = match registry {
            Ok(registry) => {
                let bytes = cost::check(&registry, named())?;
                documents.found().bytes = bytes;
                return Ok(documents);
            }
            Err(refused) => refused,
        };
        let Some(uri) = documents.found().missing.take() else {
            return Err(Refusal { pointer: String::new(), message: refused.to_string(), hint: None });
        };
        if known.len() == limits::SCHEMA_DOCUMENTS {
            return Err(Refusal::whole(
                format!("the schema refers to more than {} others", limits::SCHEMA_DOCUMENTS),
                "Put what belongs together into one schema, under \"$defs\".",
            ));
        }
        let Some(document) = lookup(&uri) else {
            return Err(Refusal {
                pointer: pointer_to_reference(schema, &uri),
                message: format!("nothing is registered as \"{uri}\""),
                hint: Some("Register that schema first: references are never fetched from a network."),
            });
        };
        cost::check_ids(&document)?;
        documents.found().documents.insert(uri, document);
    }
}

/// The engine of `pattern`: time linear in the text, size bounded.
pub fn patterns() -> PatternOptions<jsonschema::Regex> {
    PatternOptions::regex().size_limit(limits::PATTERN_BYTES).dfa_size_limit(limits::PATTERN_BYTES)
}

/// The documents that a schema refers to, shared with what resolves references.
#[derive(Clone, Default)]
pub struct Documents(Arc<Mutex<Found>>);

#[derive(Default)]
struct Found {
    documents: HashMap<String, Value>,
    /// The first that was asked for and is not there.
    missing: Option<String>,
    /// Memory that the schema and these take when they are compiled, about.
    bytes: usize,
}

impl Documents {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The documents by their URIs.
    pub fn all(&self) -> HashMap<String, Value> {
        self.found().documents.clone()
    }
}

impl Retrieve for Documents {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let mut found = self.found();
        if let Some(document) = found.documents.get(uri.as_str()) {
            return Ok(document.clone());
        }
        found.missing.get_or_insert_with(|| uri.to_string());
        Err("not registered".into())
    }
}

fn refusal(error: &ValidationError<'_>) -> Refusal {
    let error = innermost(error);
    let mut message = error.to_string();
    let mut hint = None;
    match error.kind() {
        ValidationErrorKind::Format { format } if format == "regex" => {
            hint = Some(
                "Patterns are matched in linear time: look-around and backreferences are not supported, and their size is limited.",
            );
            if let Some(what) = error.instance().as_str().and_then(unsupported) {
                message = format!("the pattern {} has {what}", error.instance());
            }
        }
        // What the meta-schemas say of a type that is none: a choice between definitions that the author has never seen.
        ValidationErrorKind::AnyOf { .. } if error.schema_path().as_str().ends_with("/properties/type/anyOf") => {
            message = format!("{} is not a type", error.instance());
            hint = Some(
                "The types are array, boolean, integer, null, number, object and string; several stand in an array, each once.",
            );
        }
        _ => {}
    }
    Refusal { pointer: error.instance_path().as_str().to_owned(), message, hint }
}

/// Of an error that is a choice, such as `items` in draft 4 (a schema or an array of schemas), what is wrong deeper inside: who
/// wrote a schema there meant that branch.
fn innermost<'e, 'i>(mut error: &'e ValidationError<'i>) -> &'e ValidationError<'i> {
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    while let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        let deepest =
            context.iter().flatten().filter(|inner| depth(inner) > depth(error)).max_by_key(|inner| depth(inner));
        let Some(inner) = deepest else { break };
        error = inner;
    }
    error
}

/// What a pattern has that cannot be matched in linear time, if that is what is wrong with it.
fn unsupported(pattern: &str) -> Option<&'static str> {
    match regex_syntax::Parser::new().parse(pattern) {
        Err(regex_syntax::Error::Parse(why)) => match why.kind() {
            regex_syntax::ast::ErrorKind::UnsupportedLookAround => Some("look-around"),
            regex_syntax::ast::ErrorKind::UnsupportedBackreference => Some("a back reference"),
            _ => None,
        },
        _ => None,
    }
}

/// Where a schema refers to `uri`, if it does so literally.
fn pointer_to_reference(schema: &Value, uri: &str) -> String {
    let mut pending = vec![(String::new(), schema)];
    while let Some((pointer, value)) = pending.pop() {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let at = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                    let is_reference = matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef" | "$schema");
                    if is_reference && member.as_str().is_some_and(|r| r.split('#').next() == Some(uri)) {
                        return at;
                    }
                    pending.push((at, member));
                }
            }
            Value::Array(elements) => {
                pending.extend(elements.iter().enumerate().map(|(i, e)| (format!("{pointer}/{i}"), e)));
            }
            _ => {}
        }
    }
    String::new()
}
