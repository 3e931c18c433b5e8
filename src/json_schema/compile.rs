//! Compiles a schema into a validator.

use super::cost;
use super::pattern::{Boundary, Patterns, Unsupported, translate};
use super::references::{self, Named};
use super::refusal::Refusal;
use crate::http::target::encode;
use crate::json::pointer;
use crate::limits;
use jsonschema::error::ValidationErrorKind;
use jsonschema::json::Json;
use jsonschema::{
    Draft, PatternOptions, ReferencingError, Registry, Retrieve, Uri, ValidationError, ValidationOptions, Validator,
    uri,
};
use serde_json::{Value, json};
use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The name of a schema without `$id`. Other documents cannot refer to it.
const ANONYMOUS: &str = "json-schema:///";

/// The name of a schema that only consists of a reference to the schema in question.
const BY_REFERENCE: &str = "json-schema:///reference";

/// Whether `format` is an assertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Formats {
    /// As the draft says: it is an assertion in drafts 4, 6 and 7, and an annotation in 2019-09 and 2020-12.
    #[default]
    Draft,
    /// Always.
    On,
    /// Never.
    Off,
}

/// A compiled schema.
pub struct Compiled<F: Json> {
    /// What validates.
    pub validator: Validator<F>,
    /// The schema refers to others by their registered names or URIs, so a change of those changes this one.
    pub refers: bool,
    /// Memory that it takes, approximately.
    pub bytes: usize,
    /// The schema's source. It explains violations better than the validator does.
    pub(super) source: Source,
    formats: Formats,
    /// Parts of the schema that were compiled separately, by their address.
    parts: [OnceCell<(usize, Option<Validator<F>>)>; limits::PARTS_COMPILED],
}

impl<F: Json> Compiled<F> {
    /// A part of the schema, or of a document that it refers to, compiled separately. The evaluation path of its errors begins with
    /// `/$ref`. `None` after too many parts, and if the part cannot be referred to.
    pub(super) fn part(&self, registry: &Registry<'_>, part: &Value) -> Option<&Validator<F>> {
        let address = std::ptr::from_ref(part).addr();
        let slot = self.parts.iter().find(|slot| slot.get().is_none_or(|(known, _)| *known == address))?;
        let compile = || (address, self.source.validator_of_part(registry, part, self.formats));
        slot.get_or_init(compile).1.as_ref()
    }
}

/// Finds the document with an absolute URI (RFC 3986) without fragment.
pub type Lookup<'l> = &'l mut dyn FnMut(&str) -> Option<Value>;

/// Compiles a schema. Its `$schema` selects the draft; the default is 2020-12.
///
/// `lookup` is called for every document that the schema refers to, except meta-schemas. Nothing is ever fetched from a network or
/// a file.
///
/// # Errors
/// The schema does not conform to its meta-schema, refers to a document that `lookup` does not find, has a pattern that the linear
/// engine cannot match, or exceeds a limit.
pub fn compile<F: Json>(schema: &Value, formats: Formats, lookup: Lookup<'_>) -> Result<Compiled<F>, Refusal> {
    let source = Source::read(schema, lookup)?;
    let validator = source.validator(formats)?;
    Ok(Compiled {
        validator,
        refers: source.refers(),
        bytes: source.bytes,
        source,
        formats,
        parts: std::array::from_fn(|_| OnceCell::new()),
    })
}

/// A schema and everything that it refers to.
pub struct Source {
    /// The schema. Its patterns are in the syntax of the engine.
    schema: Value,
    /// The schema with patterns in the syntax of ECMA 262, which drafts 4 to 7 require, if that differs.
    portable: Option<Value>,
    patterns: Patterns,
    /// Its `$id`.
    id: String,
    draft: Draft,
    /// The documents that it refers to, directly or not, by URI.
    documents: HashMap<String, Value>,
    /// It may also refer to meta-schemas.
    meta_schemas: bool,
    /// Memory that all of it takes once compiled, approximately.
    bytes: usize,
}

/// The next part to read of a schema.
enum Next {
    Compile { bytes: usize },
    LookUp { uri: String, place: Place },
}

/// A place that refers to a document.
struct Place {
    /// The document that contains the reference; `None` for the schema itself.
    document: Option<String>,
    pointer: String,
}

impl Source {
    /// Finds everything that a schema refers to, directly or not, and refuses a schema that costs too much.
    ///
    /// # Errors
    /// The errors of [`compile`], except those that only the validator finds.
    pub fn read(schema: &Value, lookup: Lookup<'_>) -> Result<Self, Refusal> {
        cost::check_ids(schema)?;
        let draft = Draft::default().detect(schema);
        let resource = draft.create_resource_ref(schema);
        let id = resource.id().filter(|id| uri::from_str(id).is_ok()).unwrap_or(ANONYMOUS).to_owned();
        let meta_schemas = references::may_refer_to_meta_schema(schema);
        let mut patterns = Patterns::default();
        let mut exact = schema.clone();
        patterns.rewrite(&mut exact, Boundary::Exact);
        let portable = patterns.have_boundary().then(|| {
            let mut portable = schema.clone();
            patterns.rewrite(&mut portable, Boundary::Portable);
            portable
        });
        let documents = HashMap::new();
        let mut source = Source { schema: exact, portable, patterns, id, draft, documents, meta_schemas, bytes: 0 };
        loop {
            let (uri, place) = match source.next()? {
                Next::Compile { bytes } => {
                    source.bytes =
                        source.named().iter().map(|(_, document, _)| weight(document)).sum::<usize>() + bytes;
                    return Ok(source);
                }
                Next::LookUp { uri, place } => (uri, place),
            };
            if source.documents.len() == limits::SCHEMA_DOCUMENTS {
                return Err(Refusal::whole(
                    format!("the schema refers to more than {} others", limits::SCHEMA_DOCUMENTS),
                    "Put what belongs together into one schema, under \"$defs\".",
                ));
            }
            let known = source.documents.contains_key(&uri);
            let Some(mut document) = lookup(&uri).filter(|_| !known) else { return Err(missing(&uri, place)) };
            cost::check_ids(&document)?;
            source.meta_schemas |= references::may_refer_to_meta_schema(&document);
            source.patterns.rewrite(&mut document, Boundary::Exact);
            source.documents.insert(uri, document);
        }
    }

    /// Whether the schema refers to documents other than meta-schemas.
    pub fn refers(&self) -> bool {
        !self.documents.is_empty()
    }

    /// The schema, with patterns in the syntax of the engine.
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// The name of the schema, the schema, and its draft.
    pub(super) fn root(&self) -> Named<'_> {
        (&self.id, &self.schema, self.draft)
    }

    /// The patterns in their original syntax.
    pub fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// The schema and the documents that it refers to.
    pub(super) fn named(&self) -> Vec<Named<'_>> {
        // A document without `$schema` takes the draft of the schema that refers to it.
        let inherited = if self.draft == Draft::Unknown { Draft::default() } else { self.draft };
        let documents =
            self.documents.iter().map(|(uri, document)| (uri.as_str(), document, inherited.detect(document)));
        std::iter::once((self.id.as_str(), &self.schema, self.draft)).chain(documents).collect()
    }

    fn next(&self) -> Result<Next, Refusal> {
        let named = self.named();
        let missing = Missing::default();
        let registry = match references::registry(&named, self.meta_schemas, missing.clone()) {
            Ok(registry) => registry,
            Err(why) => {
                let uri = match (missing.take(), &why) {
                    (Some(uri), _) => uri,
                    (None, ReferencingError::UnknownSpecification { specification }) => {
                        specification.trim_end_matches('#').to_owned()
                    }
                    (None, _) => return Err(Refusal { pointer: String::new(), message: why.to_string(), hint: None }),
                };
                return Ok(Next::LookUp { place: self.place_of_reference(&uri), uri });
            }
        };
        if let Some(broken) = references::broken(&registry, &named, false) {
            let place = self.place_in(broken.document, broken.pointer);
            return Ok(Next::LookUp { uri: broken.uri, place });
        }
        Ok(Next::Compile { bytes: cost::check(&registry, &named)? })
    }

    /// A registry of the schema and the documents that it refers to.
    ///
    /// # Errors
    /// None, once the schema was read.
    pub fn registry(&self) -> Result<Registry<'_>, Refusal> {
        references::registry(&self.named(), self.meta_schemas, Missing::default()).map_err(|why| Refusal {
            pointer: String::new(),
            message: why.to_string(),
            hint: None,
        })
    }

    /// A registry of the other documents; `None` if there are none.
    pub(super) fn registry_of_others(&self) -> Result<Option<Registry<'_>>, Refusal> {
        let others = !self.documents.is_empty() || self.meta_schemas || self.portable.is_some();
        if others { self.registry().map(Some) } else { Ok(None) }
    }

    /// Compiles the schema.
    ///
    /// # Errors
    /// The errors of [`compile`].
    pub fn validator<F: Json>(&self, formats: Formats) -> Result<Validator<F>, Refusal> {
        let registry = self.registry_of_others()?;
        let options = options::<F>(registry.as_ref(), formats);
        let Some(portable) = &self.portable else {
            return options.build(&self.schema).map_err(|why| self.refusal(&why));
        };
        // The meta-schemas of drafts 4 to 7 check the syntax of patterns in the compiled schema only, and not in other documents.
        options.clone().build(portable).map_err(|why| self.refusal(&why))?;
        let mut reference = json!({"$ref": self.id});
        if let (Some(draft), Value::Object(members)) = (self.schema.get("$schema"), &mut reference) {
            members.insert("$schema".to_owned(), draft.clone());
        }
        options.with_base_uri(BY_REFERENCE).build(&reference).map_err(|why| self.refusal(&why))
    }

    /// Whether the validator was compiled from a reference to the schema.
    pub(super) fn is_compiled_by_reference(&self) -> bool {
        self.portable.is_some()
    }

    /// Compiles a reference to a part of the schema, or of a document that it refers to.
    fn validator_of_part<F: Json>(
        &self,
        registry: &Registry<'_>,
        part: &Value,
        formats: Formats,
    ) -> Option<Validator<F>> {
        let place = |(uri, document, _): Named<'_>| Some((uri.to_owned(), references::place(document, part)?));
        let (uri, pointer) = self.named().into_iter().find_map(place)?;
        let reference = format!("{}#{}", uri.trim_end_matches('#'), encode(&pointer, b"/"));
        options::<F>(Some(registry), formats).with_base_uri(BY_REFERENCE).build(&json!({"$ref": reference})).ok()
    }

    /// Compiles another schema that may refer to the same documents.
    ///
    /// # Errors
    /// The errors of [`compile`].
    pub fn validator_of<F: Json>(&self, schema: &Value, formats: Formats) -> Result<Validator<F>, Refusal> {
        let registry = self.registry_of_others()?;
        options::<F>(registry.as_ref(), formats).build(schema).map_err(|why| self.refusal(&why))
    }

    fn refusal(&self, why: &ValidationError<'_>) -> Refusal {
        let named = self.named();
        if matches!(why.kind(), ValidationErrorKind::Referencing(_))
            && let Ok(registry) = references::registry(&named, self.meta_schemas, Missing::default())
            && let Some(broken) = references::broken(&registry, &named, true)
        {
            let place = self.place_in(broken.document, broken.pointer);
            if !broken.is_fragment {
                return missing(&broken.uri, place);
            }
            return Refusal {
                message: match place.document {
                    Some(document) => {
                        format!("\"{document}\" refers to \"{}\", which does not exist", broken.reference)
                    }
                    None => format!("\"{}\" does not exist", broken.reference),
                },
                pointer: place.pointer,
                hint: Some("A fragment (#...) is a JSON Pointer into a document, or an anchor in it."),
            };
        }
        let refusal = refusal(why, &self.patterns);
        Refusal { pointer: self.patterns.original_pointer(&refusal.pointer).into_owned(), ..refusal }
    }

    fn place_in(&self, document: &str, pointer: String) -> Place {
        match self.documents.get_key_value(document) {
            Some((uri, _)) => Place { document: Some(uri.clone()), pointer: String::new() },
            None => Place { document: None, pointer: self.patterns.original_pointer(&pointer).into_owned() },
        }
    }

    /// Where the schema or another document refers to `uri`, if it contains it literally.
    fn place_of_reference(&self, uri: &str) -> Place {
        if let Some(pointer) = pointer_to_reference(&self.schema, uri) {
            return Place { document: None, pointer: self.patterns.original_pointer(&pointer).into_owned() };
        }
        let document = self.documents.iter().find(|(_, document)| pointer_to_reference(document, uri).is_some());
        Place { document: document.map(|(uri, _)| uri.clone()), pointer: String::new() }
    }
}

/// Memory that a value takes, approximately.
fn weight(value: &Value) -> usize {
    const EACH: usize = 80;
    match value {
        Value::String(text) => EACH + text.len(),
        Value::Array(elements) => EACH + elements.iter().map(weight).sum::<usize>(),
        Value::Object(members) => {
            EACH + members.iter().map(|(name, member)| name.len() + EACH + weight(member)).sum::<usize>()
        }
        _ => EACH,
    }
}

/// The error for a reference to a document that does not exist.
fn missing(uri: &str, place: Place) -> Refusal {
    if let Some(relative) = uri.strip_prefix(ANONYMOUS) {
        return Refusal {
            pointer: place.pointer,
            message: format!("\"{relative}\" is a relative reference, but the schema has no $id to resolve it against"),
            hint: Some("Refer to a registered schema by \"restful:name\", or by its URI."),
        };
    }
    Refusal {
        message: match place.document {
            Some(document) => format!("\"{document}\" refers to \"{uri}\", which is not registered"),
            None => format!("\"{uri}\" is not registered"),
        },
        pointer: place.pointer,
        hint: Some("Register that schema first: references are never fetched from a network."),
    }
}

/// The options of compiling a schema.
fn options<'r, F: Json>(
    registry: Option<&'r Registry<'r>>,
    formats: Formats,
) -> ValidationOptions<'r, Arc<dyn Retrieve>, F> {
    let mut options = jsonschema::options_for::<F>().offline().with_pattern_options(patterns());
    if let Some(registry) = registry {
        options = options.with_registry(registry);
    }
    if formats != Formats::Draft {
        options = options.should_validate_formats(formats == Formats::On);
    }
    options
}

/// The engine for `pattern`: its time is linear in the text, and its size bounded.
pub fn patterns() -> PatternOptions<jsonschema::Regex> {
    PatternOptions::regex().size_limit(limits::PATTERN_BYTES).dfa_size_limit(limits::PATTERN_BYTES)
}

/// Finds no document, and remembers the first one that was asked for.
#[derive(Clone, Default)]
struct Missing(Arc<Mutex<Option<String>>>);

impl Missing {
    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Retrieve for Missing {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| uri.to_string());
        Err("not registered".into())
    }
}

fn refusal(error: &ValidationError<'_>, patterns: &Patterns) -> Refusal {
    let error = innermost(error);
    let mut message = error.to_string();
    let mut hint = None;
    match (error.kind(), error.instance().as_ref()) {
        (ValidationErrorKind::Format { format }, Value::String(pattern)) if format == "regex" => {
            let pattern = patterns.original(pattern);
            let quoted = Value::from(pattern);
            (message, hint) = match translate(pattern, Boundary::Exact) {
                Err(Unsupported { what, position, hint }) => {
                    (format!("the pattern {quoted} has {what} at character {position}"), Some(hint))
                }
                Ok(_) => (
                    format!("the pattern {quoted} is too large when it is compiled"),
                    Some("Use lower counts in braces, and classes of ASCII in place of \\p{...}."),
                ),
            };
        }
        // For an unknown type, the meta-schema's error is a choice between definitions that the author of the schema has never
        // seen.
        (ValidationErrorKind::AnyOf { .. }, _) if error.schema_path().as_str().ends_with("/properties/type/anyOf") => {
            message = format!("{} is not a type", error.instance());
            hint = Some(
                "The types are array, boolean, integer, null, number, object and string; write several in an array, each once.",
            );
        }
        _ => {}
    }
    Refusal { pointer: error.instance_path().as_str().to_owned(), message, hint }
}

/// The error deeper inside an error about a choice, such as `items` in draft 4 (a schema or an array of schemas). An author who
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

/// Where a schema refers to `uri`, if it contains it literally.
fn pointer_to_reference(schema: &Value, uri: &str) -> Option<String> {
    let relative = uri.strip_prefix(ANONYMOUS);
    let mut pending = vec![(String::new(), schema)];
    while let Some((pointer, value)) = pending.pop() {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let at = format!("{pointer}/{}", pointer::escape(name));
                    let is_reference = matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef" | "$schema");
                    let named = member.as_str().and_then(|r| r.split('#').next());
                    if is_reference && named.is_some_and(|named| named == uri || Some(named) == relative) {
                        return Some(at);
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
    None
}
