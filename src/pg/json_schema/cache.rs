//! The backend's cache of compiled schemas. It drops the least recently used ones.

use super::registry;
use super::{Binary, Stored, Text, refuse};
use crate::json_schema::{Compiled, Formats, Refusal, compile};
use crate::limits;
use jsonschema::json::Json;
use lru::LruCache;
use std::cell::RefCell;
use std::rc::Rc;
use std::thread::LocalKey;

/// A compiled schema and the state of the registry that it was compiled in.
pub struct Entry<F: Json> {
    pub compiled: Compiled<F>,
    generation: u64,
}

impl<F: Json> Entry<F> {
    /// Whether the schemas that it refers to are unchanged.
    #[inline(always)]
    pub fn is_fresh(&self) -> bool {
        !self.compiled.refers || self.generation == registry::generation()
    }
}

/// Compiled schemas, keyed by stored form, `formats` and bytes.
pub struct SchemaCache<F: Json> {
    entries: LruCache<Vec<u8>, Rc<Entry<F>>>,
    bytes: usize,
}

thread_local! {
    static BINARY: RefCell<SchemaCache<<Binary as Stored>::Json>> = RefCell::new(SchemaCache::new());
    static TEXT: RefCell<SchemaCache<<Text as Stored>::Json>> = RefCell::new(SchemaCache::new());
}

/// A stored form of instances. Each form has its own compiled schemas.
pub trait Instance: Stored {
    fn kept() -> &'static LocalKey<RefCell<SchemaCache<Self::Json>>>;
}

impl Instance for Binary {
    fn kept() -> &'static LocalKey<RefCell<SchemaCache<Self::Json>>> {
        &BINARY
    }
}

impl Instance for Text {
    fn kept() -> &'static LocalKey<RefCell<SchemaCache<Self::Json>>> {
        &TEXT
    }
}

impl<F: Json> SchemaCache<F> {
    fn new() -> Self {
        SchemaCache { entries: LruCache::unbounded(), bytes: 0 }
    }

    fn add(&mut self, key: Vec<u8>, entry: Rc<Entry<F>>) {
        self.bytes += size(&key, &entry);
        if let Some((key, old)) = self.entries.push(key, entry) {
            self.bytes -= size(&key, &old);
        }
        while self.entries.len() > limits::COMPILED_SCHEMAS || self.bytes > limits::COMPILED_SCHEMA_BYTES {
            let Some((key, old)) = self.entries.pop_lru() else { break };
            self.bytes -= size(&key, &old);
        }
    }
}

/// The approximate size of a cached schema in bytes.
fn size<F: Json>(key: &[u8], entry: &Entry<F>) -> usize {
    key.len() + entry.compiled.bytes
}

/// The compiled form of a stored schema for instances of the form `I`. Raises an error if the schema is invalid.
pub fn compiled<S: Stored, I: Instance>(schema: &[u8], formats: Formats) -> Rc<Entry<I::Json>> {
    find::<S, I>(schema, formats).unwrap_or_else(|refusal| refuse(&refusal))
}

/// The compiled form of a stored schema for instances of the form `I`.
pub fn find<S: Stored, I: Instance>(schema: &[u8], formats: Formats) -> Result<Rc<Entry<I::Json>>, Refusal> {
    let mut key = Vec::with_capacity(schema.len() + 2);
    key.extend([S::TAG, formats as u8]);
    key.extend_from_slice(schema);
    let kept = I::kept().with_borrow_mut(|kept| kept.entries.get(&key).cloned());
    if let Some(entry) = kept.filter(|entry| entry.is_fresh()) {
        return Ok(entry);
    }
    if schema.len() > limits::SCHEMA_BYTES {
        return Err(Refusal::whole(
            format!("the schema has {} bytes, but at most {} are allowed", schema.len(), limits::SCHEMA_BYTES),
            "Split it, and refer to the parts as registered schemas.",
        ));
    }
    // Read the generation before the documents, so that a change in between makes the entry stale instead of wrong.
    let generation = registry::generation();
    let tree = S::schema(schema)?;
    let compiled = compile(&tree, formats, &mut registry::document)?;
    let entry = Rc::new(Entry { compiled, generation });
    I::kept().with_borrow_mut(|kept| kept.add(key, entry.clone()));
    Ok(entry)
}
