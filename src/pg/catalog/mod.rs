//! The database's catalogue. An object is loaded when a request first names it, and forgotten when PostgreSQL announces a change.

mod constraints;
pub mod invalidation;
pub mod query;
mod view;

pub use constraints::{CheckConstraint, check_constraint, initially_deferred};

use crate::catalog::{
    Catalog, ColumnSource, FeatureFunction, ForeignKey, Function, MediaHandler, QualifiedName, Relation, RowFunction,
    Signature,
};
use crate::error::Result;
use crate::pg::ffi::{privileges, user};
use crate::pg::guc;
use crate::statement::array_literal;
use pgrx::pg_sys;
use query::{load, names, oid, query, text};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The most entries of each kind that a backend keeps.
const ENTRIES: usize = 4096;

type Name = (String, String);

#[derive(Default)]
struct Loaded {
    relations: HashMap<Name, KnownRelation>,
    foreign_keys: HashMap<u32, ForeignKeys>,
    functions: HashMap<Name, Rc<[Function]>>,
    data_types: HashMap<Name, Rc<str>>,
    media_handlers: HashMap<String, Rc<[MediaHandler]>>,
}

/// A relation, with the relations that it reads if it is a view, since a change of any of these may change it.
#[derive(Clone)]
struct KnownRelation {
    relation: Rc<Relation>,
    /// Includes the relation itself.
    relations: Rc<[u32]>,
}

/// The origins of a view's columns, by name.
#[derive(serde::Deserialize)]
struct ViewColumns {
    sources: Vec<ColumnSource>,
    primary_key: Vec<String>,
    has_deferrable_key: bool,
}

/// The foreign keys of a relation and those that refer to it, with the tables at both ends, since a change of any of these may
/// change the keys.
struct ForeignKeys {
    keys: Rc<[ForeignKey]>,
    tables: Rc<[u32]>,
}

/// A foreign key, as the query returns it.
#[derive(serde::Deserialize)]
struct LoadedForeignKey {
    #[serde(flatten)]
    key: ForeignKey,
    tables: [u32; 2],
}

thread_local! {
    static LOADED: RefCell<Loaded> = RefCell::new(Loaded::default());
    /// The count of announced changes of functions.
    static FUNCTION_CHANGES: Cell<u64> = const { Cell::new(0) };
}

/// Which plans a change makes stale.
pub enum Stale<'a> {
    All,
    Of { relations: &'a [u32], functions: bool },
}

/// Takes the announced changes, and forgets what they have changed. Calls `forget` with the plans that are stale.
pub fn refresh(forget: impl FnOnce(Stale)) {
    invalidation::accept();
    let announced = invalidation::take_announced();
    if announced.is_empty() {
        return;
    }
    LOADED.with_borrow_mut(|loaded| {
        if announced.everything {
            *loaded = Loaded::default();
            return;
        }
        let changed = announced.relations();
        loaded.relations.retain(|_, known| !known.relations.iter().any(|r| changed.contains(r)));
        loaded
            .foreign_keys
            .retain(|oid, known| !changed.contains(oid) && !known.tables.iter().any(|table| changed.contains(table)));
        if announced.functions {
            // The functions of casts may have been renamed.
            loaded.relations.retain(|_, known| !known.relation.is_represented());
            FUNCTION_CHANGES.set(FUNCTION_CHANGES.get() + 1);
            loaded.media_handlers.clear();
            loaded.functions.clear();
        }
    });
    if announced.everything {
        forget(Stale::All);
    } else {
        forget(Stale::Of { relations: announced.relations(), functions: announced.functions });
    }
}

/// A number that changes whenever functions or aggregates have changed.
pub fn function_changes() -> u64 {
    FUNCTION_CHANGES.get()
}

/// What a plan depends on.
#[derive(Default)]
pub struct Used {
    /// `pg_class.oid`
    pub relations: Vec<u32>,
    /// Whether functions were looked up, found or not.
    pub functions: bool,
}

/// The catalogue as the planner sees it. It notes what is looked up.
#[derive(Default)]
pub struct Reader {
    used: RefCell<Used>,
}

impl Reader {
    /// Everything that was looked up.
    pub fn into_used(self) -> Used {
        self.used.into_inner()
    }
}

impl Catalog for Reader {
    fn relation(&self, schema: &str, name: &str) -> Result<Option<Rc<Relation>>> {
        let key = (schema.to_owned(), name.to_owned());
        let known = LOADED.with_borrow(|l| l.relations.get(&key).cloned());
        let known = match known {
            Some(known) => known,
            None => {
                let Some(known) = load_relation(schema, name)? else { return Ok(None) };
                LOADED.with_borrow_mut(|l| insert(&mut l.relations, key, known.clone()));
                known
            }
        };
        let mut used = self.used.borrow_mut();
        used.relations.extend(known.relations.iter());
        used.functions |= known.relation.is_represented();
        Ok(Some(known.relation))
    }

    fn foreign_keys(&self, relation: &Relation) -> Result<Rc<[ForeignKey]>> {
        let known = |l: &Loaded| l.foreign_keys.get(&relation.oid).map(|f| (f.keys.clone(), f.tables.clone()));
        let (keys, tables) = match LOADED.with_borrow(known) {
            Some(known) => known,
            None => {
                let loaded: Option<Vec<LoadedForeignKey>> = load(
                    "foreign_keys",
                    include_str!("../../../sql/query/catalog/foreign_keys.sql"),
                    &[oid(relation.oid)],
                )?;
                let loaded = loaded.unwrap_or_default();
                let tables: Rc<[u32]> = loaded.iter().flat_map(|f| f.tables).collect();
                let keys: Rc<[ForeignKey]> = loaded.into_iter().map(|f| f.key).collect();
                let known = ForeignKeys { keys: keys.clone(), tables: tables.clone() };
                LOADED.with_borrow_mut(|l| insert(&mut l.foreign_keys, relation.oid, known));
                (keys, tables)
            }
        };
        self.used.borrow_mut().relations.extend(tables.iter());
        Ok(keys)
    }

    fn views(&self, schema: &str, tables: &[&QualifiedName]) -> Result<Vec<String>> {
        let tables: Vec<[&str; 2]> = tables.iter().map(|t| [t.schema.as_str(), t.name.as_str()]).collect();
        let tables = serde_json::json!(tables).to_string();
        let query = include_str!("../../../sql/query/catalog/views.sql");
        let views: Option<Vec<String>> = load("views", query, &[text(schema), text(&tables)])?;
        Ok(views.unwrap_or_default())
    }

    fn row_function(&self, schema: &str, row_type: u32, name: &str) -> Result<Option<RowFunction>> {
        self.used.borrow_mut().functions = true;
        if name.len() > crate::limits::IDENTIFIER_BYTES {
            return Ok(None);
        }
        let extra = guc::extra_search_path();
        let path = array_literal(std::iter::once(schema).chain(extra.iter().map(String::as_str)));
        let query = include_str!("../../../sql/query/catalog/row_function.sql");
        load("row_function", query, &[oid(row_type), text(name), text(&path)])
    }

    fn functions(&self, schema: &str, name: &str) -> Result<Rc<[Function]>> {
        let key = (schema.to_owned(), name.to_owned());
        if let Some(functions) = LOADED.with_borrow(|l| l.functions.get(&key).cloned()) {
            return Ok(functions);
        }
        let Some(arguments) = names(schema, name) else { return Ok(Rc::default()) };
        let loaded: Option<Vec<Function>> =
            load("functions", include_str!("../../../sql/query/catalog/functions.sql"), &arguments)?;
        let functions: Rc<[Function]> = loaded.unwrap_or_default().into();
        // A name that does not exist is looked up again each time.
        if !functions.is_empty() {
            LOADED.with_borrow_mut(|l| insert(&mut l.functions, key, functions.clone()));
        }
        Ok(functions)
    }

    fn similar_relations(&self, schema: &str, name: &str) -> Result<Vec<String>> {
        let Some(arguments) = names(schema, name) else { return Ok(Vec::new()) };
        let query = include_str!("../../../sql/query/catalog/similar_relations.sql");
        Ok(load("similar_relations", query, &arguments)?.unwrap_or_default())
    }

    fn similar_functions(&self, schema: &str, name: &str) -> Result<Vec<Signature>> {
        let Some(arguments) = names(schema, name) else { return Ok(Vec::new()) };
        let query = include_str!("../../../sql/query/catalog/similar_functions.sql");
        Ok(load("similar_functions", query, &arguments)?.unwrap_or_default())
    }

    fn media_handlers(&self, schema: &str) -> Result<Rc<[MediaHandler]>> {
        if let Some(handlers) = LOADED.with_borrow(|l| l.media_handlers.get(schema).cloned()) {
            return Ok(handlers);
        }
        let loaded: Option<Vec<MediaHandler>> =
            load("media_handlers", include_str!("../../../sql/query/catalog/media_handlers.sql"), &[text(schema)])?;
        let handlers: Rc<[MediaHandler]> = loaded.unwrap_or_default().into();
        LOADED.with_borrow_mut(|l| insert(&mut l.media_handlers, schema.to_owned(), handlers.clone()));
        Ok(handlers)
    }

    fn feature_function(&self) -> Result<Option<FeatureFunction>> {
        self.used.borrow_mut().functions = true;
        load("feature_function", include_str!("../../../sql/query/catalog/feature_function.sql"), &[])
    }

    fn may_read(&self, relation: &QualifiedName) -> Result<bool> {
        let Some(relation) = self.relation(&relation.schema, &relation.name)? else { return Ok(false) };
        Ok(privileges::may_any_column(relation.oid.into(), user::current(), pg_sys::ACL_SELECT))
    }

    fn may_read_column(&self, relation: &Relation, column: &str) -> Result<bool> {
        Ok(privileges::may_read_column(relation.oid.into(), column))
    }

    fn may_update(&self, relation: &Relation) -> Result<Vec<String>> {
        let query = include_str!("../../../sql/query/catalog/may_update.sql");
        Ok(load("may_update", query, &[oid(relation.oid)])?.unwrap_or_default())
    }

    fn may_call(&self, function: &Function) -> Result<bool> {
        let query = include_str!("../../../sql/query/catalog/may_call.sql");
        Ok(load("may_call", query, &[oid(function.oid)])?.unwrap_or(false))
    }

    fn data_type(&self, schema: &str, name: &str) -> Result<Option<Rc<str>>> {
        let key = (schema.to_owned(), name.to_owned());
        if let Some(data_type) = LOADED.with_borrow(|l| l.data_types.get(&key).cloned()) {
            return Ok(Some(data_type));
        }
        let Some(arguments) = names(schema, name) else { return Ok(None) };
        let text = query("data_type", include_str!("../../../sql/query/catalog/data_type.sql"), &arguments)?;
        Ok(text.map(|text| {
            let data_type: Rc<str> = text.into();
            LOADED.with_borrow_mut(|l| insert(&mut l.data_types, key, data_type.clone()));
            data_type
        }))
    }
}

fn load_relation(schema: &str, name: &str) -> Result<Option<KnownRelation>> {
    let Some(arguments) = names(schema, name) else { return Ok(None) };
    let query = include_str!("../../../sql/query/catalog/relation.sql");
    let loaded: Option<Relation> = load("relation", query, &arguments)?;
    let Some(mut relation) = loaded else { return Ok(None) };
    let mut relations = vec![relation.oid];
    if relation.is_view {
        let origins = view::origins(relation.oid)?;
        let numbers = serde_json::json!(origins.columns).to_string();
        let query = include_str!("../../../sql/query/catalog/view_columns.sql");
        let columns: Option<ViewColumns> = load("view_columns", query, &[oid(relation.oid), text(&numbers)])?;
        if let Some(columns) = columns {
            relation.sources = columns.sources;
            relation.primary_key = columns.primary_key;
            if relation.upsertable {
                relation.inherit_from_sources();
            }
            relation.upsertable &= !columns.has_deferrable_key;
        }
        relations.extend(origins.relations);
    }
    Ok(Some(KnownRelation { relation: Rc::new(relation), relations: relations.into() }))
}

fn insert<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= ENTRIES {
        map.clear();
    }
    map.insert(key, value);
}
