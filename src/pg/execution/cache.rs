//! The backend's cache of plans and prepared statements, keyed by value: requests of the same shape share an entry.

use super::work::Work;
use crate::ask::{Ask, Shape};
use crate::catalog::Catalog;
use crate::error::Result;
use crate::limits;
use crate::openapi::Version;
use crate::pg::catalog::{self, Reader};
use crate::pg::frame::Frame;
use crate::pg::guc;
use crate::plan::action::{self, ActionPlan};
use crate::plan::allow::Description;
use lru::LruCache;
use std::cell::RefCell;
use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::rc::Rc;

thread_local! {
    /// Never dropped: when the process ends, what would free the plans is already gone.
    static WORKS: ManuallyDrop<RefCell<LruCache<Key, Rc<Work>>>> = ManuallyDrop::new(RefCell::new(LruCache::new(
        NonZeroUsize::new(limits::PLANS).unwrap_or(NonZeroUsize::MIN),
    )));
}

/// Everything that a plan depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub shape: Rc<Shape>,
    /// Part of the key because PostgreSQL makes plans under row-level security for one role.
    role: u32,
    /// The path on which operators and functions are looked up.
    search_path: Rc<CStr>,
}

impl Key {
    /// The key of a request under the role of the frame.
    pub fn of(ask: &Ask, frame: &Frame) -> Self {
        let search_path = guc::search_path(&ask.action().schema);
        Key { shape: ask.shape.clone(), role: frame.role().to_u32(), search_path }
    }

    /// The path on which operators and functions of the request are looked up.
    pub fn search_path(&self) -> &CStr {
        &self.search_path
    }
}

/// A planned action, ready to run.
pub enum Ready {
    /// What can be done with the resource.
    Describe(Description),
    /// The description of the API.
    Document(Version),
    Statement(Rc<Work>),
}

/// The cached entry of a key, if no function has changed since the entry was last checked.
pub fn current(key: &Key) -> Option<Rc<Work>> {
    known(key).filter(|work| work.handlers.1.get() == catalog::function_changes())
}

fn known(key: &Key) -> Option<Rc<Work>> {
    WORKS.with(|works| works.borrow_mut().get(key).cloned())
}

/// Plans and prepares the request, unless its entry is cached. SPI must be connected, and the role taken.
///
/// # Errors
/// The errors of planning and of preparing the statement.
pub fn prepare(key: &Key) -> Result<Ready> {
    let changes = catalog::function_changes();
    let schema = &key.shape.action.schema;
    if let Some(work) = known(key) {
        let (chosen_among, seen) = &work.handlers;
        if seen.get() == changes || *chosen_among == Reader::default().media_handlers(schema)? {
            seen.set(changes);
            return Ok(Ready::Statement(work));
        }
    }
    let reader = Reader::default();
    let (plan, representation) = match action::plan(&key.shape, &reader)? {
        ActionPlan::Describe(description) => return Ok(Ready::Describe(description)),
        ActionPlan::Document(version) => return Ok(Ready::Document(version)),
        ActionPlan::Statement(plan, representation) => (*plan, representation),
    };
    let handlers = (reader.media_handlers(schema)?, changes);
    let work = Rc::new(Work::new(plan, representation, &key.shape.body, reader.into_used(), handlers)?);
    WORKS.with(|works| works.borrow_mut().put(key.clone(), work.clone()));
    Ok(Ready::Statement(work))
}

/// Drops the entries that changes of the catalogue have made stale. Called once per request, before anything is looked up.
pub fn forget_stale() {
    catalog::refresh(|stale| {
        WORKS.with(|works| {
            let mut works = works.borrow_mut();
            let (relations, functions) = match stale {
                catalog::Stale::All => return works.clear(),
                catalog::Stale::Of { relations, functions } => (relations, functions),
            };
            let is_stale = |work: &Work| work.depends_on(relations, functions);
            let gone: Vec<Key> = works.iter().filter(|(_, work)| is_stale(work)).map(|(key, _)| key.clone()).collect();
            for key in gone {
                works.pop(&key);
            }
        });
    });
}
