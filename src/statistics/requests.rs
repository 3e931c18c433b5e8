//! How often what was asked for, and what came of it.

use super::histogram::{BOUNDS, Counts, Histogram};
use super::label::Label;
use super::slots::{Slot, claim, key_of};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a request asks for, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The database (`pg_database.oid`).
    pub database: u32,
    pub schema: String,
    /// The path with parameters in place of values, such as `/orders/{id}`; empty if there is nothing at the path.
    pub route: String,
    pub method: String,
}

impl Template {
    /// What tells it from others.
    pub fn key(&self) -> u64 {
        key_of(self.database.into(), [self.schema.as_str(), &self.route, &self.method])
    }
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The class of a status (RFC 9110, section 15).
    Status(u8),
    /// There was no answer: the request was cancelled, or its transaction could not go on.
    Unanswered,
}

impl Class {
    /// The class of a status.
    pub fn of(status: u16) -> Self {
        Class::Status(u8::try_from(status / 100).unwrap_or(5))
    }

    fn number(self) -> u64 {
        match self {
            Class::Status(first) => first.into(),
            Class::Unanswered => 0,
        }
    }
}

/// One request. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    pub rows: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    pub total: u64,
    pub planning: u64,
    pub execution: u64,
    /// Its statement had to be planned.
    pub is_planned: bool,
    pub is_limited: bool,
}

/// The requests of one template and class. All zeroes is a free one.
#[derive(Debug)]
#[repr(C)]
pub struct Requests {
    key: AtomicU64,
    /// Its labels are written.
    ready: AtomicU64,
    database: AtomicU64,
    class: AtomicU64,
    schema: Label<8>,
    route: Label<20>,
    method: Label<2>,
    calls: AtomicU64,
    rows: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    total: AtomicU64,
    longest: AtomicU64,
    planning: AtomicU64,
    execution: AtomicU64,
    planned: AtomicU64,
    limited: AtomicU64,
    histogram: Histogram,
}

impl Slot for Requests {
    fn key(&self) -> &AtomicU64 {
        &self.key
    }
}

impl Requests {
    fn add(&self, sample: &Sample) {
        let add = |counter: &AtomicU64, value: u64| {
            if value > 0 {
                counter.fetch_add(value, Ordering::Relaxed);
            }
        };
        add(&self.calls, 1);
        add(&self.rows, sample.rows);
        add(&self.bytes_in, sample.bytes_in);
        add(&self.bytes_out, sample.bytes_out);
        add(&self.total, sample.total);
        add(&self.planning, sample.planning);
        add(&self.execution, sample.execution);
        add(&self.planned, sample.is_planned.into());
        add(&self.limited, sample.is_limited.into());
        if self.longest.load(Ordering::Relaxed) < sample.total {
            self.longest.fetch_max(sample.total, Ordering::Relaxed);
        }
        self.histogram.add(sample.total);
    }

    fn clear(&self) {
        let counters = [
            &self.calls,
            &self.rows,
            &self.bytes_in,
            &self.bytes_out,
            &self.total,
            &self.longest,
            &self.planning,
            &self.execution,
            &self.planned,
            &self.limited,
        ];
        counters.iter().for_each(|counter| counter.store(0, Ordering::Relaxed));
        self.histogram.clear();
        self.ready.store(0, Ordering::Relaxed);
        // Free from here on.
        self.key.store(0, Ordering::Release);
    }
}

/// Counts a request. Without room for its template, it is counted among those of the template whose route is `*`.
///
/// `key`: that of the template. `make_room`: frees what is not needed any more; whether it has freed anything.
pub fn count(
    table: &[Requests],
    template: &Template,
    key: u64,
    class: Class,
    sample: &Sample,
    make_room: impl FnOnce() -> bool,
) {
    let try_count = || try_count(table, template, key, class, sample).is_some();
    if !(try_count() || make_room() && try_count()) {
        let others = Template { schema: String::new(), route: "*".to_owned(), ..template.clone() };
        self::try_count(table, &others, others.key(), class, sample);
    }
}

/// The databases that have requests.
pub fn databases(table: &[Requests]) -> BTreeSet<u32> {
    let taken = table.iter().filter(|entry| entry.ready.load(Ordering::Acquire) == 1);
    taken.filter_map(|entry| u32::try_from(entry.database.load(Ordering::Relaxed)).ok()).collect()
}

fn try_count(table: &[Requests], template: &Template, key: u64, class: Class, sample: &Sample) -> Option<()> {
    // Odd factors of small numbers keep the keys of the classes apart.
    let key = key.wrapping_add(class.number().wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1);
    let (entry, is_new) = claim(table, key)?;
    if is_new {
        entry.database.store(template.database.into(), Ordering::Relaxed);
        entry.class.store(class.number(), Ordering::Relaxed);
        entry.schema.set(&template.schema);
        entry.route.set(&template.route);
        entry.method.set(&template.method);
        entry.ready.store(1, Ordering::Release);
    }
    entry.add(sample);
    Some(())
}

/// The requests of a template and class, as they were counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub template: Template,
    pub class: Class,
    pub calls: u64,
    pub rows: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// Nanoseconds.
    pub total: u64,
    pub longest: u64,
    pub planning: u64,
    pub execution: u64,
    /// Requests whose statement had to be planned.
    pub planned: u64,
    pub limited: u64,
    times: Counts,
}

impl Snapshot {
    /// The time in nanoseconds that a share of the requests did not exceed.
    pub fn quantile(&self, share: f64) -> u64 {
        self.times.quantile(share).unwrap_or(0).min(self.longest)
    }

    /// How many requests took at most as long as each of [`BOUNDS`].
    pub fn cumulative(&self) -> [u64; BOUNDS.len()] {
        self.times.cumulative()
    }
}

/// The requests of a database, in no order.
pub fn read(table: &[Requests], database: u32) -> Vec<Snapshot> {
    let of_database = table.iter().filter(|entry| {
        entry.ready.load(Ordering::Acquire) == 1 && entry.database.load(Ordering::Relaxed) == u64::from(database)
    });
    let snapshot = |entry: &Requests| {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let class = u8::try_from(get(&entry.class)).unwrap_or(0);
        Snapshot {
            template: Template {
                database,
                schema: entry.schema.get(),
                route: entry.route.get(),
                method: entry.method.get(),
            },
            class: if class == 0 { Class::Unanswered } else { Class::Status(class) },
            calls: get(&entry.calls),
            rows: get(&entry.rows),
            bytes_in: get(&entry.bytes_in),
            bytes_out: get(&entry.bytes_out),
            total: get(&entry.total),
            longest: get(&entry.longest),
            planning: get(&entry.planning),
            execution: get(&entry.execution),
            planned: get(&entry.planned),
            limited: get(&entry.limited),
            times: entry.histogram.read(),
        }
    };
    of_database.map(snapshot).filter(|snapshot| snapshot.calls > 0).collect()
}

/// Forgets the requests of a database, and the statements that they ran.
pub fn forget(table: &[Requests], queries: &[Query], database: u32) {
    for entry in table.iter().filter(|entry| entry.database.load(Ordering::Relaxed) == u64::from(database)) {
        entry.clear();
    }
    for query in queries.iter().filter(|query| query.database.load(Ordering::Relaxed) == u64::from(database)) {
        query.calls.store(0, Ordering::Relaxed);
        query.key.store(0, Ordering::Release);
    }
}

/// A statement that the requests of a template run. All zeroes is a free one.
#[derive(Debug)]
#[repr(C)]
pub struct Query {
    key: AtomicU64,
    database: AtomicU64,
    /// The key of the template.
    template: AtomicU64,
    /// `pg_stat_statements.queryid`
    id: AtomicU64,
    calls: AtomicU64,
}

impl Slot for Query {
    fn key(&self) -> &AtomicU64 {
        &self.key
    }
}

/// Counts that a request of a template has run a statement. Without room for another one, it is not counted.
pub fn count_query(table: &[Query], database: u32, template: u64, id: i64) {
    let id = id.cast_unsigned();
    let key = (template ^ id.rotate_left(17)).max(1);
    let Some((query, is_new)) = claim(table, key) else { return };
    if is_new {
        query.database.store(database.into(), Ordering::Relaxed);
        query.template.store(template, Ordering::Relaxed);
        query.id.store(id, Ordering::Relaxed);
    }
    query.calls.fetch_add(1, Ordering::Release);
}

/// The statements that requests of a database have run: the key of the template, the identifier of the statement, and how often.
pub fn read_queries(table: &[Query], database: u32) -> Vec<(u64, i64, u64)> {
    let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let counted = |query: &Query| {
        let calls = query.calls.load(Ordering::Acquire);
        (calls > 0 && get(&query.database) == u64::from(database))
            .then(|| (get(&query.template), get(&query.id).cast_signed(), calls))
    };
    table.iter().filter_map(counted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of free entries.
    fn table(size: usize) -> Vec<Requests> {
        let zero = || AtomicU64::new(0);
        let entry = || Requests {
            key: zero(),
            ready: zero(),
            database: zero(),
            class: zero(),
            schema: Label::default(),
            route: Label::default(),
            method: Label::default(),
            calls: zero(),
            rows: zero(),
            bytes_in: zero(),
            bytes_out: zero(),
            total: zero(),
            longest: zero(),
            planning: zero(),
            execution: zero(),
            planned: zero(),
            limited: zero(),
            histogram: Histogram::default(),
        };
        (0..size).map(|_| entry()).collect()
    }

    fn template(database: u32, route: &str) -> Template {
        Template { database, schema: "shop".to_owned(), route: route.to_owned(), method: "GET".to_owned() }
    }

    fn count_one(table: &[Requests], template: &Template, status: u16, sample: Sample) {
        count(table, template, template.key(), Class::of(status), &sample, || false);
    }

    #[test]
    fn requests_are_counted_by_template_class_and_database() {
        let table = table(64);
        let sample = Sample {
            rows: 2,
            bytes_in: 0,
            bytes_out: 30,
            total: 2000,
            planning: 500,
            execution: 900,
            is_planned: true,
            is_limited: false,
        };
        count_one(&table, &template(1, "/orders"), 200, sample);
        count_one(&table, &template(1, "/orders"), 206, Sample { total: 4000, is_planned: false, ..sample });
        count_one(&table, &template(1, "/orders"), 429, Sample { is_limited: true, ..Sample::default() });
        count_one(&table, &template(2, "/orders"), 200, sample);
        let orders = template(1, "/orders");
        count(&table, &orders, orders.key(), Class::Unanswered, &sample, || false);
        let mut read = read(&table, 1);
        read.sort_unstable_by_key(|snapshot| snapshot.class.number());
        let shown: Vec<_> = read
            .iter()
            .map(|s| (s.class.number(), s.calls, s.rows, s.total, s.longest, s.planned, s.limited))
            .collect();
        assert_eq!(shown, [(0, 1, 2, 2000, 2000, 1, 0), (2, 2, 4, 6000, 4000, 1, 0), (4, 1, 0, 0, 0, 0, 1)]);
        assert_eq!(read[1].template, template(1, "/orders"));
        forget(&table, &[], 1);
        assert_eq!(super::read(&table, 1), []);
        assert_eq!(super::read(&table, 2).len(), 1);
    }

    #[test]
    fn what_has_no_room_is_counted_together() {
        let table = table(32);
        count_one(&table, &template(1, "*"), 200, Sample::default());
        for i in 0..100 {
            count_one(&table, &template(1, &format!("/table{i}")), 200, Sample::default());
        }
        let read = read(&table, 1);
        let late = template(2, "/late");
        count(&table, &late, late.key(), Class::of(200), &Sample::default(), || {
            assert_eq!(databases(&table), [1].into());
            forget(&table, &[], 1);
            true
        });
        assert_eq!(super::read(&table, 2).len(), 1);
        assert!(read.len() <= 32 && read.iter().any(|snapshot| snapshot.template.route == "*"), "{}", read.len());
    }

    #[test]
    fn threads_lose_no_request() {
        let table = table(256);
        std::thread::scope(|scope| {
            for thread in 0..4u64 {
                let table = &table;
                scope.spawn(move || {
                    for i in 0..5000 {
                        count_one(
                            table,
                            &template(1, &format!("/table{}", i % 20)),
                            200,
                            Sample { total: i * thread, ..Sample::default() },
                        );
                    }
                });
            }
        });
        let read = read(&table, 1);
        assert_eq!(read.len(), 20);
        assert!(read.iter().all(|snapshot| snapshot.calls == 1000));
        let timed: u64 = read.iter().map(|snapshot| snapshot.cumulative()[BOUNDS.len() - 1]).sum();
        assert_eq!(timed, 20_000);
    }

    #[test]
    fn statements_are_counted_by_template() {
        let zero = || AtomicU64::new(0);
        let query = || Query { key: zero(), database: zero(), template: zero(), id: zero(), calls: zero() };
        let table: Vec<Query> = (0..16).map(|_| query()).collect();
        count_query(&table, 1, 7, -5);
        count_query(&table, 1, 7, -5);
        count_query(&table, 1, 8, -5);
        let mut read = read_queries(&table, 1);
        read.sort_unstable();
        assert_eq!(read, [(7, -5, 2), (8, -5, 1)]);
        assert_eq!(read_queries(&table, 2), []);
    }
}
