//! The database's catalogue. An object is loaded when a request first names it, and forgotten when PostgreSQL announces a change.

mod caches;
mod constraints;
pub mod invalidation;
pub mod query;
mod suggestions;

pub use constraints::{CheckConstraint, check_constraint, deferrable};

use crate::catalog::{
    Catalog, Column, FeatureFunction, ForeignKey, Function, MediaHandler, QualifiedName, Relation, Rights, RowFunction,
    Signature,
};
use crate::error::Result;
use crate::pg::ffi::{embed_functions, privileges, user, version_functions};
use crate::pg::guc;
use pgrx::pg_sys;
use query::{load, names, oid};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// The most entries of each kind that a backend keeps.
const ENTRIES: usize = 4096;

type Name = (String, String);

#[derive(Default)]
struct Loaded {
    relations: HashMap<Name, caches::Found>,
    defaults: HashMap<u32, Rc<Defaults>>,
    foreign_keys: HashMap<u32, ForeignKeys>,
    functions: HashMap<Name, Rc<[Function]>>,
    data_types: HashMap<Name, Rc<str>>,
    media_handlers: HashMap<String, Rc<[MediaHandler]>>,
}

/// The expressions for missing values of a relation's columns, by the columns' names.
type Defaults = HashMap<String, String>;

/// The foreign keys of a relation and those that refer to it, with the tables at both ends, since a change of any of these may
/// change the keys.
struct ForeignKeys {
    keys: Rc<[ForeignKey]>,
    tables: Rc<[u32]>,
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

/// Whether the catalogue has changed since the last [`refresh`], as far as PostgreSQL has told this session.
pub fn is_stale() -> bool {
    invalidation::has_announced()
}

/// Whether a schema has a relation with this name whose rows requests can name.
pub fn has_relation(schema: &str, name: &str) -> bool {
    caches::has_relation(schema, name)
}

/// Whether a schema has a function with this name.
pub fn has_function(schema: &str, name: &str) -> bool {
    caches::has_function(schema, name)
}

/// Takes the announced changes, and forgets what they have changed. Calls `forget` with the plans that are stale.
pub fn refresh(forget: impl FnOnce(Stale)) {
    invalidation::accept();
    let announced = invalidation::take_announced();
    if announced.is_empty() {
        return;
    }
    suggestions::forget();
    LOADED.with_borrow_mut(|loaded| {
        if announced.everything {
            *loaded = Loaded::default();
            return;
        }
        let changed = announced.relations();
        loaded.relations.retain(|_, known| !known.relations.iter().any(|r| changed.contains(r)));
        loaded.defaults.retain(|oid, _| !changed.contains(oid));
        loaded
            .foreign_keys
            .retain(|oid, known| !changed.contains(oid) && !known.tables.iter().any(|table| changed.contains(table)));
        if announced.functions {
            // The functions of casts may have been renamed.
            loaded.relations.retain(|_, known| !known.relation.is_represented());
            // and those of defaults
            loaded.defaults.clear();
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
                let Some(known) = caches::relation(schema, name) else { return Ok(None) };
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
                let (keys, tables): (Vec<ForeignKey>, Vec<[u32; 2]>) =
                    caches::foreign_keys(relation.oid.into()).into_iter().unzip();
                let (keys, tables): (Rc<[ForeignKey]>, Rc<[u32]>) = (keys.into(), tables.into_flattened().into());
                let known = ForeignKeys { keys: keys.clone(), tables: tables.clone() };
                LOADED.with_borrow_mut(|l| insert(&mut l.foreign_keys, relation.oid, known));
                (keys, tables)
            }
        };
        self.used.borrow_mut().relations.extend(tables.iter());
        Ok(keys)
    }

    fn views(&self, schema: &str, tables: &[&QualifiedName]) -> Result<Vec<String>> {
        let mut found = Vec::with_capacity(tables.len());
        for table in tables {
            found.extend(self.relation(&table.schema, &table.name)?.map(|table| pg_sys::Oid::from(table.oid)));
        }
        Ok(caches::dependents(schema, found))
    }

    fn row_function(&self, schema: &str, row_type: u32, name: &str) -> Result<Option<RowFunction>> {
        self.used.borrow_mut().functions = true;
        let extra = guc::extra_search_path();
        let path = std::iter::once(schema).chain(extra.iter().map(String::as_str));
        Ok(caches::row_function(path, row_type.into(), name))
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

    fn similar_relation(&self, schema: &str, name: &str) -> Result<Option<Rc<str>>> {
        suggestions::relation(schema, name)
    }

    fn similar_functions(&self, schema: &str, name: &str) -> Result<Rc<[Signature]>> {
        suggestions::functions(schema, name)
    }

    fn media_handlers(&self, schema: &str) -> Result<Rc<[MediaHandler]>> {
        if let Some(handlers) = LOADED.with_borrow(|l| l.media_handlers.get(schema).cloned()) {
            return Ok(handlers);
        }
        let handlers: Rc<[MediaHandler]> = caches::media_handlers(schema).into();
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

    fn rights(&self, relation: &Relation) -> Result<Rights> {
        let (oid, role) = (relation.oid.into(), user::current());
        if !privileges::may_use_schema_of(oid, role) {
            return Ok(Rights::default());
        }
        let may = |mode| privileges::may_any_column(oid, role, mode);
        Ok(Rights {
            select: may(pg_sys::ACL_SELECT),
            insert: may(pg_sys::ACL_INSERT),
            update: may(pg_sys::ACL_UPDATE),
            delete: may(pg_sys::ACL_DELETE),
        })
    }

    fn may_put(&self, relation: &Relation) -> Result<bool> {
        let may = |column: &str, mode| privileges::may_column(relation.oid.into(), column, mode);
        let may_all = |mode| relation.primary_key.iter().all(|column| may(column, mode));
        let is_settable = |column: &Column| {
            column.writable && !relation.primary_key.contains(&column.name) && may(&column.name, pg_sys::ACL_UPDATE)
        };
        Ok(may_all(pg_sys::ACL_SELECT)
            && may_all(pg_sys::ACL_INSERT)
            && (relation.columns.iter().any(is_settable) || may_all(pg_sys::ACL_UPDATE)))
    }

    fn may_read_column(&self, relation: &Relation, column: &str) -> Result<bool> {
        Ok(privileges::may_column(relation.oid.into(), column, pg_sys::ACL_SELECT))
    }

    fn default_of(&self, relation: &Relation, column: &str) -> Result<Option<String>> {
        let own = defaults(relation.oid)?;
        if let Some(default) = own.get(column) {
            return Ok(Some(default.clone()));
        }
        let source = relation.sources.iter().find(|source| relation.inherits && source.column == column);
        let Some(source) = source else { return Ok(None) };
        let Some(table) = self.relation(&source.table.schema, &source.table.name)? else { return Ok(None) };
        Ok(defaults(table.oid)?.get(&source.source).cloned())
    }

    fn unique_key(&self, relation: &Relation) -> Result<Vec<String>> {
        Ok(if relation.has_unique_keys { caches::unique_key(relation.oid.into()) } else { Vec::new() })
    }

    fn may_update(&self, relation: &Relation) -> Result<Vec<String>> {
        let query = include_str!("../../../sql/query/catalog/may_update.sql");
        Ok(load("may_update", query, &[oid(relation.oid)])?.unwrap_or_default())
    }

    fn may_tell_versions(&self) -> Result<bool> {
        self.used.borrow_mut().functions = true;
        Ok(version_functions::may_call(user::current()))
    }

    fn may_write_embedded(&self) -> Result<bool> {
        self.used.borrow_mut().functions = true;
        Ok(embed_functions::may_call(user::current()))
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
        Ok(caches::named_data_type(schema, name).map(|data_type| {
            let data_type: Rc<str> = data_type.into();
            LOADED.with_borrow_mut(|l| insert(&mut l.data_types, key, data_type.clone()));
            data_type
        }))
    }
}

/// The expressions for missing values of a table's or view's columns.
fn defaults(relation: u32) -> Result<Rc<Defaults>> {
    if let Some(known) = LOADED.with_borrow(|l| l.defaults.get(&relation).cloned()) {
        return Ok(known);
    }
    let query = include_str!("../../../sql/query/catalog/defaults.sql");
    let loaded: Option<Defaults> = load("defaults", query, &[oid(relation)])?;
    let defaults = Rc::new(loaded.unwrap_or_default());
    LOADED.with_borrow_mut(|l| insert(&mut l.defaults, relation, defaults.clone()));
    Ok(defaults)
}

fn insert<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: V) {
    if map.len() >= ENTRIES {
        map.clear();
    }
    map.insert(key, value);
}
