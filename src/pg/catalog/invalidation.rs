//! Changes that PostgreSQL announces. Only this file registers callbacks for PostgreSQL's caches.
//!
//! The callbacks only note what changed, because they may run in the middle of anything. Caches compare generations, or take the
//! announced changes, when they are used again.

use crate::pg::ffi::{own_tables, unguarded};
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::{CStr, c_int};

/// How many changed relations are noted one by one. More count as a change of everything.
const NOTED: usize = 32;

/// Counts the changes of something.
pub struct Generation(Cell<u64>);

impl Generation {
    const fn new() -> Self {
        Generation(Cell::new(0))
    }

    /// The current number. It changes whenever what is counted may have changed.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        self.0.get()
    }

    fn advance(&self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Tables of the extension whose rows a session caches. Their triggers make PostgreSQL announce changes of rows, too.
pub struct TableGroup {
    names: &'static [&'static CStr],
    tables: Cell<[pg_sys::Oid; 3]>,
    generation: Generation,
}

impl TableGroup {
    const fn new(names: &'static [&'static CStr]) -> Self {
        TableGroup { names, tables: Cell::new([pg_sys::InvalidOid; 3]), generation: Generation::new() }
    }

    /// Counts changes of these tables from now on. Call this before you read them. Returns the first table, or `InvalidOid` if the
    /// extension is not installed.
    pub fn announce(&self) -> pg_sys::Oid {
        let mut tables = [pg_sys::InvalidOid; 3];
        tables.iter_mut().zip(self.names).for_each(|(table, name)| *table = own_tables::table(name));
        self.tables.set(tables);
        let [first, ..] = tables;
        first
    }

    /// The generation of their rows, as far as PostgreSQL has told this session.
    #[inline(always)]
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }
}

/// The changes of the catalogue since they were last taken.
#[derive(Clone, Copy)]
pub struct Changes {
    relations: [u32; NOTED],
    count: usize,
    /// Functions or aggregates.
    pub functions: bool,
    /// More has changed than is noted.
    pub everything: bool,
}

impl Changes {
    const NOTHING: Changes = Changes { relations: [0; NOTED], count: 0, functions: false, everything: false };

    /// Whether nothing was announced.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && !self.functions && !self.everything
    }

    /// `pg_class.oid` of the relations that changed.
    pub fn relations(&self) -> &[u32] {
        self.relations.get(..self.count).unwrap_or_default()
    }

    fn add(&mut self, relation: u32) {
        if relation == 0 || self.count == NOTED {
            self.everything = true;
        } else if !self.relations().contains(&relation) {
            if let Some(slot) = self.relations.get_mut(self.count) {
                *slot = relation;
            }
            self.count += 1;
        }
    }
}

thread_local! {
    static ANNOUNCED: Cell<Changes> = const { Cell::new(Changes::NOTHING) };
    /// Roles and memberships.
    pub static ROLES: Generation = const { Generation::new() };
    /// Constraints, and the schemas that they are in.
    pub static CONSTRAINTS: Generation = const { Generation::new() };
    pub static CASTS: Generation = const { Generation::new() };
    pub static FUNCTIONS: Generation = const { Generation::new() };
    /// Issuers of tokens and their keys.
    pub static KEYS: TableGroup = const { TableGroup::new(&[c"token_issuer", c"public_key", c"secret_key"]) };
    pub static API_KEYS: TableGroup = const { TableGroup::new(&[c"api_key"]) };
    pub static CURSOR_SECRET: TableGroup = const { TableGroup::new(&[c"cursor_secret"]) };
    /// The versions of the API.
    pub static VERSIONS: TableGroup = const { TableGroup::new(&[c"api_version"]) };
    /// The registered JSON Schemas.
    pub static JSON_SCHEMAS: TableGroup = const { TableGroup::new(&[c"json_schema"]) };
    pub static ROUTES: TableGroup = const { TableGroup::new(&[c"route_entry", c"route_group_entry"]) };
    pub static HOOKS: TableGroup = const { TableGroup::new(&[c"hook_entry"]) };
    pub static LIMITS: TableGroup = const { TableGroup::new(&[c"limit_entry"]) };
}

/// Asks PostgreSQL to announce changes. Called once, when the library is loaded.
pub fn register() {
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

/// Accepts the announcements of changes that other sessions have committed, and notes them.
pub fn accept() {
    unguarded::AcceptInvalidationMessages();
}

/// Whether changes were announced that are not taken yet.
pub fn has_announced() -> bool {
    !ANNOUNCED.get().is_empty()
}

/// Takes the changes that were announced since the last call.
pub fn take_announced() -> Changes {
    ANNOUNCED.replace(Changes::NOTHING)
}

unsafe extern "C-unwind" fn relation_changed(_: pg_sys::Datum, relation: pg_sys::Oid) {
    let mut announced = ANNOUNCED.get();
    announced.add(relation.to_u32());
    ANNOUNCED.set(announced);
    for group in [&KEYS, &API_KEYS, &CURSOR_SECRET, &JSON_SCHEMAS, &ROUTES, &HOOKS, &LIMITS, &VERSIONS] {
        group.with(|group| {
            if relation == pg_sys::InvalidOid || group.tables.get().contains(&relation) {
                group.generation.advance();
            }
        });
    }
}

unsafe extern "C-unwind" fn catalogue_changed(_: pg_sys::Datum, cache: c_int, _: u32) {
    use pg_sys::SysCacheIdentifier::{AUTHMEMROLEMEM, AUTHOID, CASTSOURCETARGET, CONSTROID, NAMESPACEOID, PROCOID};
    let is = |other: pg_sys::SysCacheIdentifier::Type| cache == other as c_int;
    if is(CONSTROID) || is(NAMESPACEOID) {
        CONSTRAINTS.with(Generation::advance);
    }
    if is(PROCOID) || is(NAMESPACEOID) {
        FUNCTIONS.with(Generation::advance);
    }
    if is(AUTHOID) || is(AUTHMEMROLEMEM) {
        ROLES.with(Generation::advance);
    }
    if is(CASTSOURCETARGET) {
        CASTS.with(Generation::advance);
    }
    if is(CONSTROID) || is(AUTHOID) {
        return;
    }
    // Memberships count as well, because what a plan replaces depends on rights that the role has through other roles.
    let mut announced = ANNOUNCED.get();
    if is(PROCOID) {
        announced.functions = true;
    } else {
        announced.everything = true;
    }
    ANNOUNCED.set(announced);
}

/// The body of a trigger function: makes PostgreSQL invalidate the relcache entry of the trigger's table, which every session is told of.
///
/// Raises XX000 if `name`, the function, was not called by a trigger.
///
/// # Safety
/// The call of a function.
pub unsafe fn announce_by_trigger(call: pg_sys::FunctionCallInfo, name: &str) -> pg_sys::Datum {
    // SAFETY: the context is checked before it is used as what it is.
    unsafe {
        let trigger = (*call).context.cast::<pg_sys::TriggerData>();
        if trigger.is_null() || (*trigger).type_ != pg_sys::NodeTag::T_TriggerData {
            pgrx::error!("{name} is a trigger function");
        }
        pg_sys::CacheInvalidateRelcacheByRelid((*(*trigger).tg_relation).rd_id);
    }
    pg_sys::Datum::null()
}
