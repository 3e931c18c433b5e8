//! What the columns of a view are: PostgreSQL notes in a query's target list which column of which relation an entry is, if it
//! is just that. Those of set operations are none.

use super::query::{oid, query};
use crate::error::Result;
use crate::pg::ffi::nodes;
use pgrx::pg_sys;
use std::collections::HashMap;
use std::ffi::CString;
use std::rc::Rc;

/// A column of a view, and the relation and its column that it is.
type Origin = (i16, u32, i16);

/// The columns of a view that are columns of tables, and the views that were looked through.
#[derive(Default)]
pub struct Origins {
    /// Number of the view's column, `pg_class.oid` of the table, number of its column.
    pub columns: Vec<Origin>,
    /// `pg_class.oid` of views that the view reads, and of the tables.
    pub relations: Vec<u32>,
}

/// The origins of a view's columns, through the views that it is made of.
///
/// # Errors
/// The catalogue cannot be read.
pub fn origins(view: u32) -> Result<Origins> {
    let mut rules = HashMap::new();
    let mut found = Origins::default();
    for (column, relation, source) in target_list(view, &mut rules)?.iter() {
        let (mut relation, mut source) = (*relation, *source);
        let mut path = vec![view];
        // A view may have been replaced by one that reads itself.
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

/// The columns of a view that are columns of a relation that it reads.
fn target_list(view: u32, known: &mut HashMap<u32, Rc<[Origin]>>) -> Result<Rc<[Origin]>> {
    if let Some(list) = known.get(&view) {
        return Ok(list.clone());
    }
    let rule = query("view_rule", include_str!("../../../sql/query/catalog/view_rule.sql"), &[oid(view)])?;
    let list: Rc<[Origin]> = match rule.and_then(|rule| CString::new(rule).ok()) {
        None => Rc::default(),
        // SAFETY: the catalogue holds node trees of this server; this one is built in memory of its own, which goes with the
        // current one if an error is raised.
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

/// The columns of a rule's action, which is a list of one query.
unsafe fn of_rule(action: *mut pg_sys::List) -> Vec<Origin> {
    // SAFETY: each node is looked at as what its tag says.
    unsafe {
        let Some(query) = nodes::iter::<pg_sys::Query>(action).next() else { return Vec::new() };
        nodes::iter::<pg_sys::TargetEntry>((*query).targetList)
            .filter(|entry| !(**entry).resjunk && (**entry).resorigcol > 0)
            .map(|entry| ((*entry).resno, (*entry).resorigtbl.to_u32(), (*entry).resorigcol))
            .collect()
    }
}
