//! The catalogue of the database: loaded when a request first names an object, forgotten when PostgreSQL says that it
//! changed.

mod view;

use crate::catalog::{
    Catalog, ColumnSource, FeatureFunction, ForeignKey, Function, MediaHandler, QualifiedName, Relation, RowFunction,
    Signature,
};
use crate::error::{Code, Error, Result};
use crate::pg::ffi::unguarded;
use crate::pg::guc;
use crate::pg::role;
use crate::statement::array_literal;
use pgrx::pg_sys;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, c_int};
use std::rc::Rc;

/// The most entries of each kind that a backend keeps.
const ENTRIES: usize = 4096;
/// Invalidations noted one by one; more of them forget everything.
const NOTED: usize = 32;

type Name = (String, String);
/// Schema and name of constraints.
type Deferred = Rc<[[String; 2]]>;

#[derive(Default)]
struct Loaded {
    relations: HashMap<Name, KnownRelation>,
    foreign_keys: HashMap<u32, ForeignKeys>,
    functions: HashMap<Name, Rc<[Function]>>,
    data_types: HashMap<Name, Rc<str>>,
    media_handlers: HashMap<String, Rc<[MediaHandler]>>,
}

/// A relation, with those that it is made of if it is a view: a change of any of these may change it, too.
#[derive(Clone)]
struct KnownRelation {
    relation: Rc<Relation>,
    /// Itself among them.
    relations: Rc<[u32]>,
}

/// What the columns of a view are, by name.
#[derive(serde::Deserialize)]
struct ViewColumns {
    sources: Vec<ColumnSource>,
    primary_key: Vec<String>,
    has_deferrable_key: bool,
}

/// The foreign keys of a relation and those that refer to it, with the tables at both their ends: a change of any of these
/// may change the keys, too.
struct ForeignKeys {
    keys: Rc<[ForeignKey]>,
    tables: Rc<[u32]>,
}

/// A foreign key as the query tells it.
#[derive(serde::Deserialize)]
struct LoadedForeignKey {
    #[serde(flatten)]
    key: ForeignKey,
    tables: [u32; 2],
}

/// What PostgreSQL announced since the last look.
#[derive(Clone, Copy)]
struct Announced {
    relations: [u32; NOTED],
    count: usize,
    functions: bool,
    everything: bool,
}

const NOTHING: Announced = Announced { relations: [0; NOTED], count: 0, functions: false, everything: false };

thread_local! {
    static LOADED: RefCell<Loaded> = RefCell::new(Loaded::default());
    static ANNOUNCED: Cell<Announced> = const { Cell::new(NOTHING) };
    static QUERIES: RefCell<HashMap<&'static str, pg_sys::SPIPlanPtr>> = RefCell::new(HashMap::new());
    static DEFERRED: RefCell<Option<Deferred>> = const { RefCell::new(None) };
    /// Whether DEFERRED may be out of date.
    static CONSTRAINTS_CHANGED: Cell<bool> = const { Cell::new(false) };
    /// Counts the announced changes of functions.
    static FUNCTION_CHANGES: Cell<u64> = const { Cell::new(0) };
    static USED: RefCell<Used> = RefCell::default();
}

/// Asks PostgreSQL to announce changes; once, when the library is loaded.
pub fn watch() {
    use pg_sys::SysCacheIdentifier::{
        AUTHMEMROLEMEM, AUTHOID, CASTSOURCETARGET, CONSTROID, NAMESPACEOID, PROCOID, RULERELNAME, TYPEOID,
    };
    // SAFETY: the callbacks are functions of this library, which is never unloaded.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), 0usize.into());
        for cache in [PROCOID, TYPEOID, NAMESPACEOID, CASTSOURCETARGET, CONSTROID, AUTHOID, AUTHMEMROLEMEM, RULERELNAME]
        {
            pg_sys::CacheRegisterSyscacheCallback(cache as c_int, Some(catalogue_changed), 0usize.into());
        }
    }
}

unsafe extern "C-unwind" fn relation_changed(_: pg_sys::Datum, relation: pg_sys::Oid) {
    let mut announced = ANNOUNCED.get();
    let oid = relation.to_u32();
    if oid == 0 || announced.count == NOTED {
        announced.everything = true;
    } else if !announced.relations.iter().take(announced.count).any(|r| *r == oid) {
        if let Some(slot) = announced.relations.get_mut(announced.count) {
            *slot = oid;
        }
        announced.count += 1;
    }
    ANNOUNCED.set(announced);
}

unsafe extern "C-unwind" fn catalogue_changed(_: pg_sys::Datum, cache: c_int, _: u32) {
    use pg_sys::SysCacheIdentifier::{AUTHMEMROLEMEM, AUTHOID, CONSTROID, NAMESPACEOID, PROCOID};
    if cache == CONSTROID as c_int || cache == NAMESPACEOID as c_int {
        CONSTRAINTS_CHANGED.set(true);
    }
    if cache == CONSTROID as c_int {
        return;
    }
    if cache == AUTHOID as c_int || cache == AUTHMEMROLEMEM as c_int {
        role::invalidate();
        if cache == AUTHOID as c_int {
            return;
        }
    }
    // What a plan replaces depends on the rights that the role has by others.
    let mut announced = ANNOUNCED.get();
    if cache == PROCOID as c_int {
        announced.functions = true;
    } else {
        announced.everything = true;
    }
    ANNOUNCED.set(announced);
}

/// Which plans a change makes stale.
pub enum Stale<'a> {
    All,
    Of { relations: &'a [u32], functions: bool },
}

/// Takes in what changed, and forgets it; `forget` is told which plans are stale.
pub fn refresh(forget: impl FnOnce(Stale)) {
    // SAFETY: processes pending messages, which call the functions above.
    unsafe { unguarded::AcceptInvalidationMessages() };
    let announced = ANNOUNCED.get();
    if announced.count == 0 && !announced.functions && !announced.everything {
        return;
    }
    ANNOUNCED.set(NOTHING);
    LOADED.with_borrow_mut(|loaded| {
        if announced.everything {
            *loaded = Loaded::default();
            return;
        }
        let changed = announced.relations.get(..announced.count).unwrap_or_default();
        loaded.relations.retain(|_, known| !known.relations.iter().any(|r| changed.contains(r)));
        loaded
            .foreign_keys
            .retain(|oid, known| !changed.contains(oid) && !known.tables.iter().any(|table| changed.contains(table)));
        if announced.functions {
            // those of casts may have other names
            loaded.relations.retain(|_, known| !known.relation.is_represented());
            FUNCTION_CHANGES.set(FUNCTION_CHANGES.get() + 1);
            loaded.media_handlers.clear();
            loaded.functions.clear();
        }
    });
    if announced.everything {
        forget(Stale::All);
    } else {
        let relations = announced.relations.get(..announced.count).unwrap_or_default();
        forget(Stale::Of { relations, functions: announced.functions });
    }
}

/// Changes whenever functions or aggregates have changed since the last look.
pub fn function_changes() -> u64 {
    FUNCTION_CHANGES.get()
}

/// What a plan depends on.
#[derive(Default)]
pub struct Used {
    /// `pg_class.oid`
    pub relations: Vec<u32>,
    /// Functions were looked for, whether there are any or not.
    pub functions: bool,
}

/// What was looked up since the last call.
pub fn take_used() -> Used {
    USED.take()
}

/// The constraints that are initially deferred.
pub fn initially_deferred() -> Result<Deferred> {
    if CONSTRAINTS_CHANGED.replace(false) {
        DEFERRED.set(None);
    }
    if let Some(known) = DEFERRED.with_borrow(Clone::clone) {
        return Ok(known);
    }
    let query = include_str!("../../../sql/query/catalog/initially_deferred.sql");
    let loaded: Option<Vec<[String; 2]>> = load("initially_deferred", query, Arguments::None)?;
    let loaded: Deferred = loaded.unwrap_or_default().into();
    DEFERRED.set(Some(loaded.clone()));
    Ok(loaded)
}

/// A check constraint, as far as the current user may know it.
#[derive(serde::Deserialize)]
pub struct CheckConstraint {
    pub columns: Vec<String>,
    /// `CHECK (...)`
    pub rule: String,
    pub comment: Option<String>,
}

/// The check constraint of a table.
pub fn check_constraint(schema: &str, table: &str, name: &str) -> Result<Option<CheckConstraint>> {
    let query = include_str!("../../../sql/query/catalog/check_constraint.sql");
    load("check_constraint", query, Arguments::RelatedNames(schema, table, name))
}

/// The catalogue as the planner sees it.
pub struct Session;

impl Catalog for Session {
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
        USED.with_borrow_mut(|used| {
            used.relations.extend(known.relations.iter());
            used.functions |= known.relation.is_represented();
        });
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
                    Arguments::Oid(relation.oid),
                )?;
                let loaded = loaded.unwrap_or_default();
                let tables: Rc<[u32]> = loaded.iter().flat_map(|f| f.tables).collect();
                let keys: Rc<[ForeignKey]> = loaded.into_iter().map(|f| f.key).collect();
                let known = ForeignKeys { keys: keys.clone(), tables: tables.clone() };
                LOADED.with_borrow_mut(|l| insert(&mut l.foreign_keys, relation.oid, known));
                (keys, tables)
            }
        };
        USED.with_borrow_mut(|used| used.relations.extend(tables.iter()));
        Ok(keys)
    }

    fn views(&self, schema: &str, tables: &[&QualifiedName]) -> Result<Vec<String>> {
        let tables: Vec<[&str; 2]> = tables.iter().map(|t| [t.schema.as_str(), t.name.as_str()]).collect();
        let tables = serde_json::json!(tables).to_string();
        let query = include_str!("../../../sql/query/catalog/views.sql");
        let views: Option<Vec<String>> = load("views", query, Arguments::Texts(&[schema, &tables]))?;
        Ok(views.unwrap_or_default())
    }

    fn row_function(&self, schema: &str, row_type: u32, name: &str) -> Result<Option<RowFunction>> {
        USED.with_borrow_mut(|used| used.functions = true);
        if name.len() > crate::limits::IDENTIFIER_BYTES {
            return Ok(None);
        }
        let extra = guc::extra_search_path();
        let path = array_literal(std::iter::once(schema).chain(extra.iter().map(String::as_str)));
        let query = include_str!("../../../sql/query/catalog/row_function.sql");
        load("row_function", query, Arguments::OidAnd(row_type, &[name, &path]))
    }

    fn functions(&self, schema: &str, name: &str) -> Result<Rc<[Function]>> {
        let key = (schema.to_owned(), name.to_owned());
        if let Some(functions) = LOADED.with_borrow(|l| l.functions.get(&key).cloned()) {
            return Ok(functions);
        }
        let loaded: Option<Vec<Function>> = load(
            "functions",
            include_str!("../../../sql/query/catalog/functions.sql"),
            Arguments::Names(schema, name),
        )?;
        let functions: Rc<[Function]> = loaded.unwrap_or_default().into();
        // A name that does not exist yet is looked up again each time.
        if !functions.is_empty() {
            LOADED.with_borrow_mut(|l| insert(&mut l.functions, key, functions.clone()));
        }
        Ok(functions)
    }

    fn similar_relations(&self, schema: &str, name: &str) -> Result<Vec<String>> {
        let query = include_str!("../../../sql/query/catalog/similar_relations.sql");
        Ok(load("similar_relations", query, Arguments::Names(schema, name))?.unwrap_or_default())
    }

    fn similar_functions(&self, schema: &str, name: &str) -> Result<Vec<Signature>> {
        let query = include_str!("../../../sql/query/catalog/similar_functions.sql");
        Ok(load("similar_functions", query, Arguments::Names(schema, name))?.unwrap_or_default())
    }

    fn media_handlers(&self, schema: &str) -> Result<Rc<[MediaHandler]>> {
        if let Some(handlers) = LOADED.with_borrow(|l| l.media_handlers.get(schema).cloned()) {
            return Ok(handlers);
        }
        let loaded: Option<Vec<MediaHandler>> = load(
            "media_handlers",
            include_str!("../../../sql/query/catalog/media_handlers.sql"),
            Arguments::Name(schema),
        )?;
        let handlers: Rc<[MediaHandler]> = loaded.unwrap_or_default().into();
        LOADED.with_borrow_mut(|l| insert(&mut l.media_handlers, schema.to_owned(), handlers.clone()));
        Ok(handlers)
    }

    fn feature_function(&self) -> Result<Option<FeatureFunction>> {
        USED.with_borrow_mut(|used| used.functions = true);
        load("feature_function", include_str!("../../../sql/query/catalog/feature_function.sql"), Arguments::None)
    }

    fn may_read(&self, relation: &QualifiedName) -> Result<bool> {
        let Some(relation) = self.relation(&relation.schema, &relation.name)? else { return Ok(false) };
        // SAFETY: reads a global.
        let role = unsafe { unguarded::GetUserId() };
        Ok(role::may_any_column(relation.oid.into(), role, pg_sys::ACL_SELECT))
    }

    fn may_read_column(&self, relation: &Relation, column: &str) -> Result<bool> {
        Ok(role::may_read_column(relation.oid.into(), column))
    }

    fn may_update(&self, relation: &Relation) -> Result<Vec<String>> {
        let query = include_str!("../../../sql/query/catalog/may_update.sql");
        Ok(load("may_update", query, Arguments::Oid(relation.oid))?.unwrap_or_default())
    }

    fn may_call(&self, function: &Function) -> Result<bool> {
        let query = include_str!("../../../sql/query/catalog/may_call.sql");
        Ok(load("may_call", query, Arguments::Oid(function.oid))?.unwrap_or(false))
    }

    fn data_type(&self, schema: &str, name: &str) -> Result<Option<Rc<str>>> {
        let key = (schema.to_owned(), name.to_owned());
        if let Some(data_type) = LOADED.with_borrow(|l| l.data_types.get(&key).cloned()) {
            return Ok(Some(data_type));
        }
        let text = query(
            "data_type",
            include_str!("../../../sql/query/catalog/data_type.sql"),
            Arguments::Names(schema, name),
        )?;
        Ok(text.map(|text| {
            let data_type: Rc<str> = text.into();
            LOADED.with_borrow_mut(|l| insert(&mut l.data_types, key, data_type.clone()));
            data_type
        }))
    }
}

fn load_relation(schema: &str, name: &str) -> Result<Option<KnownRelation>> {
    let query = include_str!("../../../sql/query/catalog/relation.sql");
    let loaded: Option<Relation> = load("relation", query, Arguments::Names(schema, name))?;
    let Some(mut relation) = loaded else { return Ok(None) };
    let mut relations = vec![relation.oid];
    if relation.is_view {
        let origins = view::origins(relation.oid)?;
        let numbers = serde_json::json!(origins.columns).to_string();
        let query = include_str!("../../../sql/query/catalog/view_columns.sql");
        let columns: Option<ViewColumns> = load("view_columns", query, Arguments::OidAnd(relation.oid, &[&numbers]))?;
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

/// What a catalogue query is given.
pub enum Arguments<'a> {
    Name(&'a str),
    Names(&'a str, &'a str),
    /// Of an object of a relation.
    RelatedNames(&'a str, &'a str, &'a str),
    Oid(u32),
    /// An oid, and texts after it.
    OidAnd(u32, &'a [&'a str]),
    Texts(&'a [&'a str]),
    /// OIDs of relations and of types, and whether rights are left out of account.
    Described(&'a [pg_sys::Oid], &'a [pg_sys::Oid], bool),
    /// A schema, and whether rights are left out of account.
    Schema(&'a str, bool),
    None,
}

/// Runs a query of the catalogue, which is kept under its name, and reads the JSON that it returns.
///
/// Errors: REST506, when the query or its JSON fails.
pub fn load<T: DeserializeOwned>(name: &'static str, sql: &str, arguments: Arguments) -> Result<Option<T>> {
    let Some(text) = query(name, sql, arguments)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|why| {
        Error::new(Code::Setting, "The database's catalogue could not be read")
            .details(format!("{name}: {why}"))
            .hint("This is a defect of the extension; the details say where.")
    })
}

/// Runs a catalogue query of one text column and at most one row.
pub fn query(name: &'static str, sql: &str, arguments: Arguments) -> Result<Option<String>> {
    use pgrx::IntoDatum;
    let (mut types, mut values) = match arguments {
        Arguments::Name(name) => (vec![pg_sys::TEXTOID], vec![name.into_datum()]),
        Arguments::Names(a, b) => {
            // PostgreSQL would cut a longer name, and might find another object.
            if a.len() > crate::limits::IDENTIFIER_BYTES || b.len() > crate::limits::IDENTIFIER_BYTES {
                return Ok(None);
            }
            (vec![pg_sys::TEXTOID; 2], vec![a.into_datum(), b.into_datum()])
        }
        Arguments::RelatedNames(a, b, c) => {
            (vec![pg_sys::TEXTOID; 3], vec![a.into_datum(), b.into_datum(), c.into_datum()])
        }
        Arguments::Described(relations, of_types, all) => (
            vec![pg_sys::OIDARRAYOID, pg_sys::OIDARRAYOID, pg_sys::BOOLOID],
            vec![relations.into_datum(), of_types.into_datum(), all.into_datum()],
        ),
        Arguments::Schema(schema, all) => {
            (vec![pg_sys::TEXTOID, pg_sys::BOOLOID], vec![schema.into_datum(), all.into_datum()])
        }
        Arguments::None => (Vec::new(), Vec::new()),
        Arguments::Oid(oid) => (vec![pg_sys::OIDOID], vec![pg_sys::Oid::from(oid).into_datum()]),
        Arguments::OidAnd(oid, texts) => {
            let (mut types, mut values) = (vec![pg_sys::OIDOID], vec![pg_sys::Oid::from(oid).into_datum()]);
            types.resize(1 + texts.len(), pg_sys::TEXTOID);
            values.extend(texts.iter().map(|text| text.into_datum()));
            (types, values)
        }
        Arguments::Texts(texts) => {
            (vec![pg_sys::TEXTOID; texts.len()], texts.iter().map(|text| text.into_datum()).collect())
        }
    };
    let mut values: Vec<pg_sys::Datum> = values.drain(..).map(|v| v.unwrap_or(pg_sys::Datum::null())).collect();
    let known = QUERIES.with_borrow(|q| q.get(name).copied());
    // SAFETY: SPI is connected for this query alone; the search path is PostgreSQL's own for as long as the query is prepared and
    // run, so that every name in it means what it says; the result is copied before it is freed.
    unsafe {
        pg_sys::SPI_connect();
        let nest = unguarded::NewGUCNestLevel();
        guc::set_for_request(c"search_path", c"pg_catalog, pg_temp", pg_sys::GucContext::PGC_USERSET);
        // So that literals do too, those in the query, which is kept, and those that pg_get_expr writes.
        guc::set_for_request(c"standard_conforming_strings", c"on", pg_sys::GucContext::PGC_USERSET);
        let plan = match known {
            Some(plan) => plan,
            None => {
                let text = std::ffi::CString::new(sql).unwrap_or_default();
                let plan = pg_sys::SPI_prepare(text.as_ptr(), types.len() as c_int, types.as_mut_ptr());
                if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                    return Err(Error::new(Code::Setting, "The database's catalogue could not be queried"));
                }
                QUERIES.with_borrow_mut(|q| q.insert(name, plan));
                plan
            }
        };
        let code = pg_sys::SPI_execute_plan(plan, values.as_mut_ptr(), std::ptr::null(), true, 1);
        let mut text = None;
        if code == pg_sys::SPI_OK_SELECT as c_int && pg_sys::SPI_processed == 1 {
            let table = &*pg_sys::SPI_tuptable;
            let value = pg_sys::SPI_getvalue(*table.vals, table.tupdesc, 1);
            if !value.is_null() {
                text = Some(CStr::from_ptr(value).to_string_lossy().into_owned());
            }
        }
        pg_sys::SPI_freetuptable(pg_sys::SPI_tuptable);
        unguarded::AtEOXact_GUC(true, nest);
        pg_sys::SPI_finish();
        Ok(text)
    }
}
