//! Resolves the references in a schema.

use crate::json::pointer;
use jsonschema::{Draft, ReferencingError, Registry, Retrieve, uri};
use referencing::{SPECIFICATIONS, meta};
use serde_json::Value;
use std::collections::HashSet;
use std::sync::LazyLock;

/// A document, the URI that it is known by, and its draft.
pub type Named<'d> = (&'d str, &'d Value, Draft);

/// The meta-schemas of all drafts, which every schema may refer to, under their URIs and under the other URIs that `$schema`
/// accepts for them.
static META_SCHEMAS: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let others: [(&str, &'static Value); 7] = [
        ("https://json-schema.org/draft-04/schema", &meta::DRAFT4),
        ("https://json-schema.org/draft-06/schema", &meta::DRAFT6),
        ("https://json-schema.org/draft-07/schema", &meta::DRAFT7),
        ("http://json-schema.org/draft/2019-09/schema", &meta::DRAFT201909),
        ("http://json-schema.org/draft/2020-12/schema", &meta::DRAFT202012),
        ("http://json-schema.org/schema", &meta::DRAFT202012),
        ("https://json-schema.org/schema", &meta::DRAFT202012),
    ];
    SPECIFICATIONS.extend(others).and_then(|builder| builder.prepare()).unwrap_or_else(|_| SPECIFICATIONS.clone())
});

/// A reference that cannot be resolved.
pub struct BrokenReference<'d> {
    /// The document that contains it.
    pub document: &'d str,
    /// Its place in that document, as a JSON Pointer.
    pub pointer: String,
    /// The reference.
    pub reference: &'d str,
    /// The URI of the document that it refers to.
    pub uri: String,
    /// The document exists, but the fragment names nothing in it.
    pub is_fragment: bool,
}

/// The first reference in `documents` that cannot be resolved. Fragments are only checked if `fragments` is true: a schema may have
/// a broken one that is never used.
pub fn broken<'d>(registry: &'d Registry<'_>, documents: &[Named<'d>], fragments: bool) -> Option<BrokenReference<'d>> {
    for (name, document, draft) in documents {
        let Ok(base) = uri::from_str(name) else { continue };
        let mut seen: HashSet<*const Value> = HashSet::new();
        let resolver = registry.resolver(base);
        let resolver = resolver.in_subresource(draft.create_resource_ref(document)).unwrap_or(resolver);
        let mut pending = vec![(*document, resolver, *draft)];
        while let Some((schema, resolver, draft)) = pending.pop() {
            if !seen.insert(std::ptr::from_ref(schema)) {
                continue;
            }
            for keyword in keywords(draft) {
                let Some(reference) = schema.get(keyword).and_then(Value::as_str) else { continue };
                let found = resolver.lookup(reference);
                match found {
                    // A part of the same document that is not a subschema of it. Its references are only found here.
                    Ok(target) if reference.starts_with('#') => pending.push(target.into_inner()),
                    Ok(_) => {}
                    Err(_) => {
                        let (uri, _) = reference.split_once('#').unwrap_or((reference, ""));
                        let Ok(uri) = resolver.resolve_uri(&resolver.base_uri().borrow(), uri) else { continue };
                        let is_fragment = reference.starts_with('#') || registry.contains_resource(uri.as_str());
                        if is_fragment && !fragments {
                            continue;
                        }
                        let at = place(document, schema).unwrap_or_default();
                        let pointer = format!("{at}/{keyword}");
                        return Some(BrokenReference {
                            document: name,
                            pointer,
                            reference,
                            uri: uri.to_string(),
                            is_fragment,
                        });
                    }
                }
            }
            for part in draft.subresources_of(schema) {
                let draft = draft.detect(part);
                if let Ok(resolver) = resolver.in_subresource(draft.create_resource_ref(part)) {
                    pending.push((part, resolver, draft));
                }
            }
        }
    }
    None
}

/// The keywords that refer to a schema. `$recursiveRef` is `#` alone.
fn keywords(draft: Draft) -> &'static [&'static str] {
    match draft {
        Draft::Draft202012 | Draft::Unknown => &["$ref", "$dynamicRef"],
        _ => &["$ref"],
    }
}

/// The JSON Pointer to `part`, which is in `document`.
pub fn place(document: &Value, part: &Value) -> Option<String> {
    if std::ptr::eq(document, part) {
        return Some(String::new());
    }
    let within = |name: &dyn Fn() -> String, value: &Value| place(value, part).map(|rest| format!("/{}{rest}", name()));
    match document {
        Value::Object(members) => members.iter().find_map(|(name, member)| within(&|| pointer::escape(name), member)),
        Value::Array(elements) => elements.iter().enumerate().find_map(|(i, e)| within(&|| i.to_string(), e)),
        _ => None,
    }
}

/// Whether a schema may refer to a meta-schema. A registry with the meta-schemas takes longer to make than many a schema takes to
/// compile.
pub fn may_refer_to_meta_schema(schema: &Value) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(name, member)| match member {
            // A relative reference leads there if its base does.
            Value::String(uri) => {
                matches!(name.as_str(), "$ref" | "$dynamicRef" | "$id" | "id") && uri.contains("json-schema.org")
            }
            member => may_refer_to_meta_schema(member),
        }),
        Value::Array(elements) => elements.iter().any(may_refer_to_meta_schema),
        _ => false,
    }
}

/// A registry of the documents, and of the meta-schemas if `meta_schemas` is true.
///
/// # Errors
/// A document refers to a document that is not in the registry, has such a `$schema`, or its URI is malformed.
pub fn registry<'d>(
    documents: &[Named<'d>],
    meta_schemas: bool,
    retriever: impl Retrieve + 'static,
) -> Result<Registry<'d>, ReferencingError> {
    let resources = documents.iter().map(|(uri, document, draft)| (*uri, draft.create_resource_ref(document)));
    let builder = if meta_schemas { META_SCHEMAS.extend(resources)? } else { Registry::new().extend(resources)? };
    builder.retriever(retriever).prepare()
}
