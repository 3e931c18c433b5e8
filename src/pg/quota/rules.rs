//! The limits that are declared (`restful.limit_entry`).

use crate::pg::catalog::invalidation;
use crate::pg::table_cache::{Rows, TableCache};
use crate::quota::{Rate, Rule};
use crate::statistics::key_of;
use pgrx::pg_sys;
use pgrx::prelude::*;
use serde::Deserialize;
use std::rc::Rc;

const ALL: &str = include_str!("../../../sql/query/limits/all.sql");

thread_local! {
    static DECLARED: TableCache<[Limit]> = const {
        TableCache::new(Rows { tables: &invalidation::LIMITS, query: ALL, others: || 0, what: "limits" })
    };
}

/// A limit, and what is made of it once.
#[derive(Debug)]
pub struct Limit {
    pub rule: Rule,
    /// The rates, each with the most that may be taken at once.
    pub rates: Vec<(Rate, u64)>,
    /// The names of the policies, one for each rate.
    pub names: Vec<String>,
    pub id: u64,
    /// The same for each rate. A changed rate begins anew.
    pub rate_ids: Vec<u64>,
}

impl Limit {
    pub fn of(rule: Rule) -> Self {
        let rates = rule.rates();
        let name = |i| if i == 0 { rule.name.clone() } else { format!("{}-{}", rule.name, i + 1) };
        let names = (0..rates.len()).map(name).collect();
        let id = id(&rule.name);
        let rate_ids = (0_u64..).map(|i| key_of(id ^ i, [&*rule.rates])).take(rates.len()).collect();
        Limit { rule, rates, names, id, rate_ids }
    }
}

/// What tells limits apart in shared memory: a hash of the database and the name.
pub fn id(name: &str) -> u64 {
    // SAFETY: reads a global.
    let database = unsafe { pg_sys::MyDatabaseId }.to_u32();
    key_of(database.into(), [name])
}

/// The limits. A change counts from the next statement after its transaction committed.
///
/// Raises XX000 if they cannot be read: without them, nothing would be limited.
pub fn declared() -> Rc<[Limit]> {
    let read = |rows| match Vec::<Rule>::deserialize(rows) {
        Ok(rules) => rules.into_iter().map(Limit::of).collect(),
        Err(why) => error!("the limits cannot be read: {why}"),
    };
    DECLARED.with(|declared| declared.get(read)).unwrap_or_default()
}
