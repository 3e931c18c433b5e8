//! Names that hints suggest in place of those that do not exist. Finding them reads the whole schema, so what was found is kept until
//! anything in the catalogue changes: objects, rights or roles.

use super::invalidation;
use super::query::{load, names, text};
use crate::catalog::Signature;
use crate::error::Result;
use crate::limits;
use crate::pg::ffi::user;
use crate::similar;
use lru::LruCache;
use std::cell::RefCell;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::rc::Rc;

/// The role that asked, the schema, and the name that does not exist.
type Asked = (u32, String, String);

struct Suggestions {
    /// The generation of the roles in which they were found.
    roles: u64,
    /// The relations that a role may use in a schema.
    usable: LruCache<(u32, String), Rc<[String]>>,
    relations: LruCache<Asked, Option<Rc<str>>>,
    functions: LruCache<Asked, Rc<[Signature]>>,
}

impl Suggestions {
    fn none(roles: u64) -> Self {
        Suggestions {
            roles,
            usable: cache(limits::SUGGESTION_LISTS),
            relations: cache(limits::SUGGESTIONS),
            functions: cache(limits::SUGGESTIONS),
        }
    }
}

fn cache<K: Hash + Eq, V>(entries: usize) -> LruCache<K, V> {
    LruCache::new(NonZeroUsize::new(entries).unwrap_or(NonZeroUsize::MIN))
}

thread_local! {
    static FOUND: RefCell<Option<Box<Suggestions>>> = const { RefCell::new(None) };
}

/// Forgets what was found.
pub fn forget() {
    FOUND.set(None);
}

fn found<T>(work: impl FnOnce(&mut Suggestions) -> T) -> T {
    let roles = invalidation::ROLES.with(|roles| roles.get());
    FOUND.with_borrow_mut(|found| {
        let current = found.take().filter(|found| found.roles == roles);
        work(found.insert(current.unwrap_or_else(|| Box::new(Suggestions::none(roles)))))
    })
}

fn asked(schema: &str, name: &str) -> Asked {
    (user::current().to_u32(), schema.to_owned(), name.to_owned())
}

/// The relation with the most similar name that the role in force may use.
///
/// # Errors
/// The catalogue cannot be read.
pub fn relation(schema: &str, name: &str) -> Result<Option<Rc<str>>> {
    if name.len() > limits::IDENTIFIER_BYTES {
        return Ok(None);
    }
    let asked = asked(schema, name);
    if let Some(known) = found(|found| found.relations.get(&asked).cloned()) {
        return Ok(known);
    }
    let usable = usable(schema)?;
    let meant = similar::closest(name, usable.iter().map(String::as_str)).map(Rc::from);
    found(|found| found.relations.put(asked, meant.clone()));
    Ok(meant)
}

/// The relations that the role in force may use.
fn usable(schema: &str) -> Result<Rc<[String]>> {
    let asked = (user::current().to_u32(), schema.to_owned());
    if let Some(known) = found(|found| found.usable.get(&asked).cloned()) {
        return Ok(known);
    }
    let query = include_str!("../../../sql/query/catalog/usable_relations.sql");
    let loaded: Option<Vec<String>> = load("usable_relations", query, &[text(schema)])?;
    let usable: Rc<[String]> = loaded.unwrap_or_default().into();
    found(|found| found.usable.put(asked, usable.clone()));
    Ok(usable)
}

/// The functions with possibly similar names that the role in force may call.
///
/// # Errors
/// The catalogue cannot be read.
pub fn functions(schema: &str, name: &str) -> Result<Rc<[Signature]>> {
    let Some(arguments) = names(schema, name) else { return Ok(Rc::default()) };
    let asked = asked(schema, name);
    if let Some(known) = found(|found| found.functions.get(&asked).cloned()) {
        return Ok(known);
    }
    let query = include_str!("../../../sql/query/catalog/similar_functions.sql");
    let loaded: Option<Vec<Signature>> = load("similar_functions", query, &arguments)?;
    let functions: Rc<[Signature]> = loaded.unwrap_or_default().into();
    found(|found| found.functions.put(asked, functions.clone()));
    Ok(functions)
}
