//! Views: the tables that their columns come from, and the views that read a table. In a query's target list, PostgreSQL notes the
//! relation and column of each entry that is a plain column. Columns of set operations have no origin.

use super::column::writable_and_identity;
use super::index::{self, Index};
use super::relation::has_no_heirs;
use super::{class, class_form, column_name, relation_name, schema};
use crate::catalog::{ColumnSource, Relation};
use crate::pg::ffi::catalog_scan;
use crate::pg::ffi::syscache::{Tuple, name};
use crate::pg::ffi::{nodes, relcache};
use pgrx::pg_sys::{self, Oid, SysCacheIdentifier};
use std::collections::HashMap;
use std::rc::Rc;

/// The number of a column of a view, and the relation and the number of the column that it comes from.
type Origin = (i16, Oid, i16);

/// Adds to a view what its tables say: the sources of its columns, and its primary key. Returns the views that it reads, and the
/// tables.
pub fn describe(open: &relcache::Relation, relation: &mut Relation) -> Vec<u32> {
    let (origins, relations) = origins(open);
    let sources = origins.iter().filter_map(|origin| source(open.oid(), origin));
    relation.sources = sources.collect();
    let mut keys: HashMap<Oid, Vec<Index>> = HashMap::new();
    for (_, table, _) in &origins {
        keys.entry(*table).or_insert_with(|| index::indexes(*table).into_iter().filter(|i| i.is_primary).collect());
    }
    relation.primary_key = primary_key(open.oid(), &origins, &keys);
    if relation.upsertable {
        relation.inherit_from_sources();
    }
    relation.upsertable &= keys.values().flatten().all(|key| key.is_immediate);
    relations.into_iter().map(Oid::to_u32).collect()
}

fn source(view: Oid, (number, table, source): &Origin) -> Option<ColumnSource> {
    // SAFETY: pg_attribute by relation and number.
    unsafe {
        let tuple = Tuple::find(SysCacheIdentifier::ATTNUM, [(*table).into(), (*source).into()])?;
        let form = tuple.form::<pg_sys::FormData_pg_attribute>();
        let (writable, identity) = writable_and_identity(form);
        let is_alone = class(*table).is_some_and(|tuple| has_no_heirs(class_form(&tuple)));
        Some(ColumnSource {
            column: column_name(view, *number)?,
            table: relation_name(*table)?,
            source: name(&form.attname),
            writable,
            identity,
            not_null: is_alone && form.attnotnull,
        })
    }
}

/// The primary keys of tables that are whole among the columns of a view, one after the other, in the order of their first columns. Of a
/// column that is shown several times, the first counts.
fn primary_key(view: Oid, origins: &[Origin], keys: &HashMap<Oid, Vec<Index>>) -> Vec<String> {
    let shown = |table: Oid, column: i16| {
        origins.iter().filter(|(_, t, c)| (*t, *c) == (table, column)).map(|(number, ..)| *number).min()
    };
    let mut whole: Vec<Vec<i16>> = keys
        .iter()
        .flat_map(|(table, keys)| keys.iter().map(move |key| (*table, key)))
        .filter_map(|(table, key)| key.key.iter().map(|column| shown(table, *column)).collect())
        .collect();
    whole.sort_by_key(|key| key.iter().min().copied());
    whole.into_iter().flatten().filter_map(|number| column_name(view, number)).collect()
}

/// The origins of a view's columns, followed through the views that it reads, and the relations that were read to find out.
fn origins(view: &relcache::Relation) -> (Vec<Origin>, Vec<Oid>) {
    let mut lists = HashMap::new();
    let (mut columns, mut relations) = (Vec::new(), Vec::new());
    for (column, relation, source) in target_list(view) {
        let (mut relation, mut source) = (relation, source);
        let mut path = vec![view.oid()];
        // CREATE OR REPLACE can make a view read itself.
        while !path.contains(&relation) {
            if !relations.contains(&relation) {
                relations.push(relation);
            }
            if !is_view(relation) {
                columns.push((column, relation, source));
                break;
            }
            path.push(relation);
            let inner: &Rc<[Origin]> = lists.entry(relation).or_insert_with(|| {
                relcache::Relation::open(relation).map(|view| target_list(&view).into()).unwrap_or_default()
            });
            let Some((_, next, next_source)) = inner.iter().find(|(inner, ..)| *inner == source) else { break };
            (relation, source) = (*next, *next_source);
        }
    }
    (columns, relations)
}

fn is_view(relation: Oid) -> bool {
    let is_view = |tuple| matches!(class_form(tuple).relkind as u8, pg_sys::RELKIND_VIEW | pg_sys::RELKIND_MATVIEW);
    class(relation).as_ref().is_some_and(is_view)
}

/// The columns of a view that are plain columns of a relation that it reads.
fn target_list(view: &relcache::Relation) -> Vec<Origin> {
    let Some(rule) = view.rules().find(|rule| rule.event == pg_sys::CmdType::CMD_SELECT) else { return Vec::new() };
    // SAFETY: a rule's actions are a list of queries; each node is read as the type that its tag says.
    unsafe {
        let Some(query) = nodes::iter::<pg_sys::Query>(rule.actions).next() else { return Vec::new() };
        nodes::iter::<pg_sys::TargetEntry>((*query).targetList)
            .filter(|entry| !(**entry).resjunk && (**entry).resorigcol > 0)
            .map(|entry| ((*entry).resno, (*entry).resorigtbl, (*entry).resorigcol))
            .collect()
    }
}

/// pg_depend and its index on what is depended on (pg_depend.h), with numbers of its columns.
const PG_DEPEND: u32 = 2608;
const PG_DEPEND_REFERENCE_INDEX: u32 = 2674;
const CLASSID: i16 = 1;
const OBJID: i16 = 2;
const REFCLASSID: i16 = 4;
const REFOBJID: i16 = 5;

/// pg_rewrite and its index on the OID (pg_rewrite.h), with numbers of its columns.
const PG_REWRITE: u32 = 2618;
const PG_REWRITE_OID_INDEX: u32 = 2692;
const OID: i16 = 1;
const EV_CLASS: i16 = 3;
const EV_TYPE: i16 = 4;

/// The views of a schema whose rows are made of those of any of the tables, by way of others too, in the order of their names. A view's
/// rule depends on each relation that it reads.
pub fn dependents(in_schema: &str, tables: Vec<Oid>) -> Vec<String> {
    let Some(schema) = schema(in_schema) else { return Vec::new() };
    let mut found = tables;
    let mut next = 0;
    while let Some(relation) = found.get(next).copied() {
        next += 1;
        for view in readers(relation) {
            if !found.contains(&view) {
                found.push(view);
            }
        }
    }
    let named = found.into_iter().filter(|relation| is_view(*relation)).filter_map(|relation| {
        let tuple = class(relation)?;
        let form = class_form(&tuple);
        (form.relnamespace == schema).then(|| name(&form.relname))
    });
    let mut names: Vec<String> = named.collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The views whose rules name a relation.
fn readers(relation: Oid) -> Vec<Oid> {
    let mut rules: Vec<Oid> = Vec::new();
    let mut views = Vec::new();
    // SAFETY: pg_depend and pg_rewrite by their indexes.
    unsafe {
        let referred = [(REFCLASSID, pg_sys::RelationRelationId), (REFOBJID, relation)];
        catalog_scan::rows(PG_DEPEND, PG_DEPEND_REFERENCE_INDEX, referred, |row| {
            if row.oid(CLASSID).to_u32() == PG_REWRITE {
                rules.push(row.oid(OBJID));
            }
        });
        rules.sort_unstable_by_key(|rule| rule.to_u32());
        rules.dedup();
        for rule in rules {
            catalog_scan::rows(PG_REWRITE, PG_REWRITE_OID_INDEX, [(OID, rule)], |row| {
                // the rule by which a view is read
                if row.value(EV_TYPE).is_some_and(|event| event.value() as u8 == b'1') {
                    views.push(row.oid(EV_CLASS));
                }
            });
        }
    }
    views
}
