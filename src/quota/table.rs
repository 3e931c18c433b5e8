//! What keys have taken, in memory that sessions share.
//!
//! Taking is a compare-and-exchange of one number. Only a key that is new to the table needs its bucket for itself, for a few instructions in which
//! nothing can fail, so that it is in the table once. A key is forgotten only when all of what it took has come back, so nobody can make the table
//! forget an abuser. Where a bucket has no room, a new key shares what its rule keeps for all such keys.

use super::fields::Policy;
use super::rate::Rate;
use super::rule::Unit;
use crate::statistics::Label;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keys of a bucket.
const WAYS: usize = 8;

/// `paid_until` of a key that is being replaced.
const LOCKED: u64 = u64::MAX;

/// What one key has taken. All zeroes is a free place.
#[derive(Debug, Default)]
#[repr(C)]
pub struct KeyState {
    key: AtomicU64,
    /// Nanoseconds: the time until which what was taken comes back. Taking makes it later, giving back makes it earlier, and a new key begins
    /// later than anything that was here before.
    paid_until: AtomicU64,
    /// Requests that are running.
    held: AtomicU64,
    rule: AtomicU64,
    database: AtomicU64,
    who: Label<5>,
    taken: AtomicU64,
    refused: AtomicU64,
}

/// Some keys.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Bucket {
    /// A session is adding a key.
    adding: AtomicU64,
    ways: [KeyState; WAYS],
}

/// What the keys of rules share that found no room.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Overflow(KeyState);

/// The keys of all limits.
#[derive(Clone, Copy, Debug)]
pub struct Table<'t> {
    pub buckets: &'t [Bucket],
    pub overflow: &'t [Overflow],
}

/// What a request asks of one rate of a limit.
#[derive(Clone, Debug)]
pub struct Demand<'d> {
    /// The name of the policy in fields.
    pub name: &'d str,
    /// Who asks, as text.
    pub who: &'d str,
    /// A hash of the database, the limit, the rate and who asks; not 0.
    pub key: u64,
    /// A hash of the database and the limit.
    pub rule: u64,
    pub database: u32,
    pub unit: Unit,
    pub rate: Rate,
    pub burst: u64,
    /// Units, where they are known before the request runs.
    pub cost: u64,
}

/// What was taken for a request, to be given back if it is refused after all.
#[derive(Debug)]
pub struct Taken<'t> {
    state: &'t KeyState,
    key: u64,
    time: u64,
    cost: u64,
    is_shared: bool,
}

/// A request that is running, for as long as this is kept.
#[derive(Debug)]
pub struct Held<'t>(&'t KeyState);

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The indices of the demands that are not met.
    pub violated: Vec<usize>,
    /// Nanoseconds until they would be. 0 if that depends on other requests.
    pub wait: u64,
}

impl Demand<'_> {
    /// The time that units take to come back. For requests, a multiple of that of one, so that a burst is exactly as many as it says.
    fn time_of(&self, units: u64) -> u64 {
        match self.unit {
            Unit::Requests => self.rate.time_of(1).saturating_mul(units),
            _ => self.rate.time_of(units),
        }
        .min(u64::MAX / 8)
    }

    /// How long the client has to wait if it has taken all until `paid_until`.
    fn wait(&self, paid_until: u64, now: u64) -> u64 {
        let level = paid_until.saturating_sub(now);
        let most = self.time_of(self.burst);
        if self.unit.is_counted_after() {
            // Something has to be left.
            (level + 1).saturating_sub(most)
        } else {
            (level + self.time_of(self.cost)).saturating_sub(most)
        }
    }
}

impl<'t> Table<'t> {
    fn bucket(&self, key: u64) -> Option<&'t Bucket> {
        let place = key % (self.buckets.len() as u64).max(1);
        self.buckets.get(place as usize)
    }

    fn find(&self, key: u64) -> Option<&'t KeyState> {
        self.bucket(key)?.ways.iter().find(|state| state.key.load(Ordering::SeqCst) == key)
    }

    /// The place of a key, and whether it shares it with others. `None` if there is no table.
    fn place(&self, demand: &Demand, now: u64) -> Option<(&'t KeyState, bool)> {
        if let Some(known) = self.find(demand.key) {
            return Some((known, false));
        }
        let added = self.bucket(demand.key)?.add(demand, now);
        match added {
            Some(state) => Some((state, false)),
            None => {
                let place = demand.rule % (self.overflow.len() as u64).max(1);
                let Overflow(state) = self.overflow.get(place as usize)?;
                Some((state, true))
            }
        }
    }

    /// Takes what all demands ask for, or nothing. `None` if there is no table.
    ///
    /// # Errors
    /// Why not.
    pub fn take(&self, demands: &[Demand], now: u64) -> Option<Result<Vec<Held<'t>>, Refused>> {
        // Nothing is taken from one limit while another one refuses, so a refused request costs its client nothing.
        let mut refused = Refused { violated: Vec::new(), wait: 0 };
        for (i, demand) in demands.iter().enumerate() {
            if let Err(wait) = self.look(demand, now) {
                refused.violated.push(i);
                refused.wait = refused.wait.max(wait);
            }
        }
        let mut taken: Vec<Taken> = Vec::new();
        let mut held: Vec<Held> = Vec::new();
        if refused.violated.is_empty() {
            for (i, demand) in demands.iter().enumerate() {
                let done = match demand.unit {
                    Unit::Concurrent => self.hold(demand, now)?.map(|hold| held.push(hold)),
                    Unit::Requests => self.take_one(demand, now)?.map(|one| taken.push(one)),
                    Unit::Rows | Unit::Bytes | Unit::Milliseconds => Ok(()),
                };
                if let Err(wait) = done {
                    refused = Refused { violated: vec![i], wait };
                    break;
                }
            }
        }
        if refused.violated.is_empty() {
            return Some(Ok(held));
        }
        taken.into_iter().for_each(Taken::give_back);
        for demand in refused.violated.iter().filter_map(|i| demands.get(*i)) {
            if let Some((state, _)) = self.place(demand, now) {
                state.refused.fetch_add(1, Ordering::Relaxed);
            }
        }
        Some(Err(refused))
    }

    fn look(&self, demand: &Demand, now: u64) -> Result<(), u64> {
        let Some(state) = self.find(demand.key) else { return Ok(()) };
        if demand.unit == Unit::Concurrent {
            let is_free = state.held.load(Ordering::SeqCst).saturating_add(demand.cost) <= demand.burst;
            return if is_free { Ok(()) } else { Err(0) };
        }
        match demand.wait(state.paid_until(), now) {
            0 => Ok(()),
            wait => Err(wait),
        }
    }

    fn take_one(&self, demand: &Demand, now: u64) -> Option<Result<Taken<'t>, u64>> {
        let time = demand.time_of(demand.cost);
        loop {
            let (state, is_shared) = self.place(demand, now)?;
            let paid = state.paid_until();
            // Read after the time: if the place has got another key since, the time is another one too.
            if !is_shared && state.key.load(Ordering::SeqCst) != demand.key {
                continue;
            }
            let wait = demand.wait(paid, now);
            if wait > 0 {
                return Some(Err(wait));
            }
            if state.replace(paid, paid.max(now) + time) {
                state.taken.fetch_add(demand.cost, Ordering::Relaxed);
                return Some(Ok(Taken { state, key: demand.key, time, cost: demand.cost, is_shared }));
            }
        }
    }

    fn hold(&self, demand: &Demand, now: u64) -> Option<Result<Held<'t>, u64>> {
        loop {
            let (state, is_shared) = self.place(demand, now)?;
            let held = state.held.load(Ordering::SeqCst);
            if held.saturating_add(demand.cost) > demand.burst {
                return Some(Err(0));
            }
            if state.held.compare_exchange(held, held + 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                continue;
            }
            // The place may have got another key meanwhile; from here on it cannot.
            state.paid_until();
            if is_shared || state.key.load(Ordering::SeqCst) == demand.key {
                state.taken.fetch_add(1, Ordering::Relaxed);
                return Some(Ok(Held(state)));
            }
            state.held.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Takes what a request has cost, whether that is there or not: later requests wait for it.
    pub fn charge(&self, demand: &Demand, units: u64, now: u64) {
        let time = demand.time_of(units);
        while let Some((state, is_shared)) = self.place(demand, now) {
            let paid = state.paid_until();
            if !is_shared && state.key.load(Ordering::SeqCst) != demand.key {
                continue;
            }
            if state.replace(paid, (paid.max(now) + time).min(LOCKED / 2)) {
                state.taken.fetch_add(units, Ordering::Relaxed);
                return;
            }
        }
    }

    /// What is left for a demand.
    pub fn policy(&self, demand: &Demand, now: u64) -> Policy {
        let state = self.find(demand.key);
        let level = state.map_or(0, |state| state.paid_until().saturating_sub(now));
        let free = demand.time_of(demand.burst).saturating_sub(level);
        let remaining = match demand.unit {
            Unit::Concurrent => {
                let held = state.map_or(0, |state| state.held.load(Ordering::SeqCst));
                demand.burst.saturating_sub(held)
            }
            Unit::Requests => free / demand.time_of(1).max(1),
            _ => demand.rate.units_in(free),
        };
        Policy {
            name: demand.name.to_owned(),
            quota: demand.rate.amount,
            window: demand.rate.seconds,
            unit: demand.unit,
            remaining: remaining.min(demand.burst),
            reset: level.div_ceil(1_000_000_000),
        }
    }

    /// Forgets what the keys of a limit have taken. Those that are running stay.
    pub fn forget(&self, rule: u64) {
        for state in self.buckets.iter().flat_map(|bucket| &bucket.ways) {
            let paid = state.paid_until();
            if state.rule.load(Ordering::SeqCst) == rule && state.key.load(Ordering::SeqCst) != 0 {
                state.replace(paid, 0);
            }
        }
    }

    /// The keys in a database that have not got everything back: the limit, who it is, nanoseconds until it is, running requests, units taken, and
    /// requests refused.
    pub fn busy(&self, database: u32, now: u64) -> Vec<Busy> {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let states = self.buckets.iter().flat_map(|bucket| &bucket.ways);
        states
            .filter(|state| get(&state.key) != 0 && get(&state.database) == u64::from(database))
            .map(|state| Busy {
                rule: get(&state.rule),
                who: state.who.get(),
                level: state.paid_until().saturating_sub(now),
                held: get(&state.held),
                taken: get(&state.taken),
                refused: get(&state.refused),
            })
            .filter(|busy| busy.level > 0 || busy.held > 0 || busy.refused > 0)
            .collect()
    }
}

/// A key that has taken something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    pub rule: u64,
    pub who: String,
    /// Nanoseconds until all of it has come back.
    pub level: u64,
    pub held: u64,
    pub taken: u64,
    pub refused: u64,
}

impl Bucket {
    /// Adds a key, in the place of one that has got everything back. `None` if there is none.
    fn add(&self, demand: &Demand, now: u64) -> Option<&KeyState> {
        let mut tries = 0_u32;
        while self.adding.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            pause(&mut tries);
        }
        let place = self.ways.iter().find(|state| state.key.load(Ordering::SeqCst) == demand.key).or_else(|| {
            let state = self.ways.iter().find(|state| state.lock(now))?;
            state.rule.store(demand.rule, Ordering::SeqCst);
            state.database.store(demand.database.into(), Ordering::SeqCst);
            state.who.set(demand.who);
            state.taken.store(0, Ordering::SeqCst);
            state.refused.store(0, Ordering::SeqCst);
            state.key.store(demand.key, Ordering::SeqCst);
            // Now is as good as any earlier time, and no session has seen it here before.
            state.paid_until.store(now.max(1), Ordering::SeqCst);
            Some(state)
        });
        self.adding.store(0, Ordering::SeqCst);
        place
    }
}

impl KeyState {
    /// The time until which what was taken comes back.
    fn paid_until(&self) -> u64 {
        let mut tries = 0;
        loop {
            match self.paid_until.load(Ordering::SeqCst) {
                LOCKED => pause(&mut tries),
                paid => return paid,
            }
        }
    }

    fn replace(&self, paid: u64, by: u64) -> bool {
        self.paid_until.compare_exchange(paid, by, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Keeps everybody away from a place that is free or whose key has got everything back. Whether it is such a place.
    fn lock(&self, now: u64) -> bool {
        let paid = self.paid_until.load(Ordering::SeqCst);
        let is_taken = self.key.load(Ordering::SeqCst) != 0 && paid >= now;
        if is_taken || paid == LOCKED || !self.replace(paid, LOCKED) {
            return false;
        }
        if self.held.load(Ordering::SeqCst) == 0 {
            return true;
        }
        self.paid_until.store(paid, Ordering::SeqCst);
        false
    }
}

/// Waits for a session that needs a few instructions. It may not be running at the moment.
fn pause(tries: &mut u32) {
    *tries += 1;
    if *tries < 100 {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

impl Taken<'_> {
    fn give_back(self) {
        loop {
            let paid = self.state.paid_until();
            if !self.is_shared && self.state.key.load(Ordering::SeqCst) != self.key {
                return;
            }
            if self.state.replace(paid, paid.saturating_sub(self.time)) {
                self.state.taken.fetch_sub(self.cost, Ordering::Relaxed);
                return;
            }
        }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // A place does not get another key while something is held.
        self.0.held.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    const SECOND: u64 = 1_000_000_000;

    fn table(buckets: usize) -> (Vec<Bucket>, Vec<Overflow>) {
        let buckets = (0..buckets).map(|_| Bucket::default()).collect();
        (buckets, (0..4).map(|_| Overflow::default()).collect())
    }

    fn demand(key: u64, amount: u64, seconds: u64, burst: u64) -> Demand<'static> {
        let (unit, rate) = (Unit::Requests, Rate { amount, seconds });
        Demand { name: "n", who: "w", key, rule: 1, database: 5, unit, rate, burst, cost: 1 }
    }

    fn passes(table: &Table, demands: &[Demand], now: u64) -> bool {
        table.take(demands, now).unwrap().is_ok()
    }

    #[test]
    fn a_burst_is_exactly_as_many_as_it_says() {
        let (buckets, overflow) = table(4);
        let table = Table { buckets: &buckets, overflow: &overflow };
        for (key, amount, seconds, burst) in [(1, 3, 1, 3), (2, 7, 60, 2), (3, 100, 3600, 100), (4, 1, 1, 10)] {
            let demand = demand(key, amount, seconds, burst);
            let passed = (0..burst + 5).filter(|_| passes(&table, std::slice::from_ref(&demand), 50)).count() as u64;
            assert_eq!(passed, burst, "{amount} per {seconds}");
            assert_eq!(table.policy(&demand, 50).remaining, 0);
            let Err(refused) = table.take(std::slice::from_ref(&demand), 50).unwrap() else { panic!() };
            assert!(!passes(&table, std::slice::from_ref(&demand), 50 + refused.wait - 1));
            assert!(passes(&table, std::slice::from_ref(&demand), 50 + refused.wait));
        }
    }

    #[test]
    fn a_refused_request_takes_nothing_from_other_limits() {
        let (buckets, overflow) = table(4);
        let table = Table { buckets: &buckets, overflow: &overflow };
        let demands = [demand(1, 60, 30, 60), demand(2, 20, 1, 3)];
        let mut passed = 0;
        for tick in 0..30_000 {
            passed += u64::from(passes(&table, &demands, 1 + tick * SECOND / 1000));
        }
        // 60 at once and 60 in 30 seconds, at most 20 a second.
        assert!((118..=120).contains(&passed), "{passed}");
    }

    #[test]
    fn threads_never_get_more_than_there_is() {
        let (buckets, overflow) = table(2);
        let table = Table { buckets: &buckets, overflow: &overflow };
        let began = Instant::now();
        let passed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                let passed = &passed;
                scope.spawn(move || {
                    // Other keys come and go in the same buckets.
                    for i in 0..40_000_u64 {
                        let now = SECOND + began.elapsed().as_nanos() as u64;
                        if passes(&table, &[demand(9, 1000, 1, 50)], now) {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                        passes(&table, &[demand(100 + (i * 7 + thread) % 4000, 1_000_000, 1, 1)], now);
                    }
                });
            }
        });
        let most = 50.0 + 1000.0 * began.elapsed().as_secs_f64();
        let passed = passed.load(Ordering::Relaxed) as f64;
        assert!(passed <= most + 1.0 && passed >= most * 0.5, "{passed} of {most}");
    }

    #[test]
    fn a_flood_of_keys_does_not_free_an_abuser() {
        let (buckets, overflow) = table(8);
        let table = Table { buckets: &buckets, overflow: &overflow };
        let abuser = [demand(7, 1, 3600, 1)];
        assert!(passes(&table, &abuser, 1));
        for key in 1000..101_000 {
            passes(&table, &[demand(key, 1, 60, 1)], 1 + key);
            assert!(key % 1000 != 0 || !passes(&table, &abuser, 1 + key));
        }
        assert!(!passes(&table, &abuser, 3599 * SECOND));
        assert!(passes(&table, &abuser, 3601 * SECOND));
        // Those that found no room have shared one quota.
        assert!(table.busy(5, 101_000).len() <= 64);
    }

    #[test]
    fn what_is_held_is_let_go() {
        let (buckets, overflow) = table(1);
        let table = Table { buckets: &buckets, overflow: &overflow };
        let two = [Demand { unit: Unit::Concurrent, ..demand(3, 2, 0, 2) }];
        let first = table.take(&two, 5).unwrap().unwrap();
        let second = table.take(&two, 5).unwrap().unwrap();
        assert_eq!(table.take(&two, 5).unwrap().unwrap_err(), Refused { violated: vec![0], wait: 0 });
        drop(first);
        assert_eq!(table.policy(&two[0], 5).remaining, 1);
        drop((table.take(&two, 5).unwrap().unwrap(), second));
        assert_eq!(table.policy(&two[0], 5).remaining, 2);
        assert_eq!(table.busy(5, 5)[0].refused, 1);
    }

    #[test]
    fn what_is_counted_afterwards_is_waited_for() {
        let (buckets, overflow) = table(1);
        let table = Table { buckets: &buckets, overflow: &overflow };
        let rows = [Demand { unit: Unit::Rows, ..demand(3, 100, 60, 100) }];
        assert!(passes(&table, &rows, 1));
        table.charge(&rows[0], 250, 1);
        let refused = table.take(&rows, 1).unwrap().unwrap_err();
        assert_eq!(refused.wait.div_ceil(SECOND), 91, "150 too many, and one has to be there");
        assert!(passes(&table, &rows, 1 + refused.wait));
    }
}
