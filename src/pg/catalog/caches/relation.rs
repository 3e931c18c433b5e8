//! Tables and views.

use super::{column, has_rows, identifier, index, resource, schema, view};
use crate::catalog::{QualifiedName, Relation, Versions};
use crate::pg::ffi::relcache;
use pgrx::pg_sys::{self, Oid};
use std::ffi::c_int;
use std::rc::Rc;

/// A relation, with the relations that it reads if it is a view and the table of its settings, since a change of any of these may
/// change it.
#[derive(Clone)]
pub struct Found {
    pub relation: Rc<Relation>,
    /// `pg_class.oid`. Includes the relation itself.
    pub relations: Rc<[u32]>,
}

/// The commands that a relation allows, as bits, the way `relation_is_updatable` returns them.
const INSERT: c_int = 1 << pg_sys::CmdType::CMD_INSERT;
const UPDATE: c_int = 1 << pg_sys::CmdType::CMD_UPDATE;
const DELETE: c_int = 1 << pg_sys::CmdType::CMD_DELETE;

/// The relation with this name whose rows requests can name.
pub fn relation(in_schema: &str, name: &str) -> Option<Found> {
    let key = identifier(name)?;
    // SAFETY: a look-up in a system cache; an unknown name or schema gives InvalidOid.
    let find = || unsafe { schema(in_schema).map(|schema| pg_sys::get_relname_relid(key.as_ptr(), schema)) };
    let open = loop {
        let oid = find().filter(|oid| *oid != pg_sys::InvalidOid)?;
        let open = relcache::Relation::open(oid);
        // The name may have changed its meaning while whoever altered the relation was awaited.
        if find() == Some(oid) {
            break open?;
        }
    };
    has_rows(open.class().relkind)
        .then(|| describe(&open, QualifiedName { schema: in_schema.to_owned(), name: name.to_owned() }))
}

/// Whether there is a relation with this name whose rows requests can name.
pub fn has_relation(in_schema: &str, name: &str) -> bool {
    let Some(key) = identifier(name) else { return false };
    // SAFETY: look-ups in the system caches; an unknown name or schema gives InvalidOid, which no relation has.
    unsafe {
        let found = schema(in_schema).map(|schema| pg_sys::get_relname_relid(key.as_ptr(), schema));
        found.is_some_and(|oid| oid != pg_sys::InvalidOid && has_rows(pg_sys::get_rel_relkind(oid)))
    }
}

fn describe(open: &relcache::Relation, name: QualifiedName) -> Found {
    let class = open.class();
    let (oid, kind) = (open.oid(), class.relkind as u8);
    // Tables take every command, and every column can be updated.
    let is_table = matches!(kind, pg_sys::RELKIND_RELATION | pg_sys::RELKIND_PARTITIONED_TABLE);
    let allowed = |with_triggers, column: Option<i16>| {
        if is_table { INSERT | UPDATE | DELETE } else { commands(oid, with_triggers, column) }
    };
    let commands = allowed(true, None);
    let indexes = if class.relhasindex { index::indexes(oid) } else { Vec::new() };
    let is_settable = |number| commands != 0 && allowed(true, Some(number)) & (UPDATE | DELETE) == UPDATE | DELETE;
    // Foreign servers need not keep what is declared here, and tables that inherit may allow nulls.
    let is_alone = has_no_heirs(class);
    let columns = open.columns().map(|column| column::column(column, is_settable(column.attnum), is_alone));
    let mut relation = Relation {
        oid: oid.to_u32(),
        name,
        columns: columns.collect(),
        primary_key: index::primary_key(oid, &indexes),
        sources: Vec::new(),
        is_partition: class.relispartition,
        is_view: matches!(kind, pg_sys::RELKIND_VIEW | pg_sys::RELKIND_MATVIEW),
        has_unique_keys: is_alone && indexes.iter().all(|index| index.is_immediate && index.is_valid),
        inherits: false,
        // by ON CONFLICT, which takes no deferrable key, no rules, and no triggers instead of what it does
        upsertable: allowed(false, None) & (INSERT | UPDATE) == INSERT | UPDATE
            && indexes.iter().all(|index| !index.is_primary || index.is_immediate)
            && !open
                .rules()
                .any(|rule| matches!(rule.event, pg_sys::CmdType::CMD_INSERT | pg_sys::CmdType::CMD_UPDATE))
            && !open.triggers().iter().any(|trigger| trigger.tgtype & pg_sys::TRIGGER_TYPE_INSTEAD as i16 != 0),
        insertable: commands & INSERT != 0,
        updatable: commands & UPDATE != 0,
        deletable: commands & DELETE != 0,
        settings: resource::settings(oid),
        versions: if kind == pg_sys::RELKIND_RELATION
            && class.relam == pg_sys::HEAP_TABLE_AM_OID
            && !class.relhassubclass
        {
            Versions::Stored
        } else {
            Versions::Contents
        },
        // A rule may not return what it writes, and a trigger instead of a write may return something else.
        returns_versions: is_table && !class.relhasrules,
    };
    let mut relations = vec![relation.oid, resource::table().to_u32()];
    if relation.is_view {
        relations.extend(view::describe(open, &mut relation));
    }
    Found { relation: Rc::new(relation), relations: relations.into() }
}

/// Whether it is a table whose rows are all its own, or those of its partitions, so that they keep its constraints.
pub fn has_no_heirs(class: &pg_sys::FormData_pg_class) -> bool {
    match class.relkind as u8 {
        pg_sys::RELKIND_PARTITIONED_TABLE => true,
        pg_sys::RELKIND_RELATION => !class.relhassubclass,
        _ => false,
    }
}

/// The commands that a relation allows, or those that can set a column.
fn commands(relation: Oid, with_triggers: bool, column: Option<i16>) -> c_int {
    // SAFETY: the relation is open. Columns are numbered in sets from the first system column on.
    unsafe {
        let columns = column.map_or(std::ptr::null_mut(), |number| {
            pg_sys::bms_make_singleton(c_int::from(number) - pg_sys::FirstLowInvalidHeapAttributeNumber)
        });
        pg_sys::relation_is_updatable(relation, std::ptr::null_mut(), with_triggers, columns)
    }
}
