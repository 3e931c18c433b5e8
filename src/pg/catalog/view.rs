//! Finds the origins of a view's columns. In a query's target list, PostgreSQL notes the relation and column of each entry that is
//! a plain column. Columns of set operations have no origin.

use super::query::{oid, query};
use crate::error::Result;
use crate::pg::ffi::nodes;
use pgrx::pg_sys;
use std::collections::HashMap;
use std::ffi::CString;
use std::rc::Rc;

/// A column of a view, and the relation and column that it comes from.
type Origin = (i16, u32, i16);

/// The columns of a view that are columns of tables, and the relations that were read to find out.
#[derive(Default)]
pub struct Origins {
    /// Number of the view's column, `pg_class.oid` of the table, and number of the table's column.
    pub columns: Vec<Origin>,
    /// `pg_class.oid` of the views that the view reads, and of the tables.
    pub relations: Vec<u32>,
}

/// The origins of a view's columns, followed through the views that it reads.
///
/// # Errors
/// The catalogue cannot be read.
pub fn origins(view: u32) -> Result<Origins> {
    let mut rules = HashMap::new();
    let mut found = Origins::default();
    for (column, relation, source) in target_list(view, &mut rules)?.iter() {
        let (mut relation, mut source) = (*relation, *source);
        let mut path = vec![view];
        // CREATE OR REPLACE can make a view read itself.
        while !path.contains(&relation) {
            if !found.relations.contains(&relation) {
                found.relations.push(relation);
            }
            if !is_view(relation) {
                found.columns.push((*column, relation, source));
                break;
            }
            path.push(relation);
            let inner = target_list(relation, &mut rules)?;
            let Some((_, next, next_source)) = inner.iter().find(|(inner, ..)| *inner == source) else { break };
            (relation, source) = (*next, *next_source);
        }
    }
    Ok(found)
}

fn is_view(relation: u32) -> bool {
    // SAFETY: a lookup in the system cache.
    let kind = unsafe { pg_sys::get_rel_relkind(relation.into()) } as u8;
    matches!(kind, pg_sys::RELKIND_VIEW | pg_sys::RELKIND_MATVIEW)
}

/// The columns of a view that are plain columns of a relation that it reads.
fn target_list(view: u32, known: &mut HashMap<u32, Rc<[Origin]>>) -> Result<Rc<[Origin]>> {
    if let Some(list) = known.get(&view) {
        return Ok(list.clone());
    }
    let rule = query("view_rule", include_str!("../../../sql/query/catalog/view_rule.sql"), &[oid(view)])?;
    let list: Rc<[Origin]> = match rule.and_then(|rule| CString::new(rule).ok()) {
        None => Rc::default(),
        // SAFETY: the catalogue holds node trees of this server. This one is built in its own memory context, which is a child of the
        // current one, so an error frees it too.
        Some(rule) => unsafe {
            let memory = pg_sys::AllocSetContextCreateExtended(
                pg_sys::CurrentMemoryContext,
                c"pg_restful view".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            let before = pg_sys::MemoryContextSwitchTo(memory);
            let list = of_rule(pg_sys::stringToNode(rule.as_ptr()).cast());
            pg_sys::MemoryContextSwitchTo(before);
            pg_sys::MemoryContextDelete(memory);
            list.into()
        },
    };
    known.insert(view, list.clone());
    Ok(list)
}

/// The columns of a rule's action. The action is a list of one query.
unsafe fn of_rule(action: *mut pg_sys::List) -> Vec<Origin> {
    // SAFETY: each node is read as the type that its tag says.
    unsafe {
        let Some(query) = nodes::iter::<pg_sys::Query>(action).next() else { return Vec::new() };
        nodes::iter::<pg_sys::TargetEntry>((*query).targetList)
            .filter(|entry| !(**entry).resjunk && (**entry).resorigcol > 0)
            .map(|entry| ((*entry).resno, (*entry).resorigtbl.to_u32(), (*entry).resorigcol))
            .collect()
    }
}
