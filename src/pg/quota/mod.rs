//! Limits around a request: it arrives, and it ends.

mod functions;
mod rules;

use crate::auth::{Identity, Principal, claims};
use crate::error::{Code, Error, Result};
use crate::http::{Headers, Request};
use crate::pg::answer::Answer;
use crate::pg::ffi::{at_exit, clock, connection, user};
use crate::pg::{guc, observe, shared};
use crate::quota::{By, Demand, Held, Policy, Refused, Table, Unit, client, network, policies, states};
use crate::statistics::key_of;
use pgrx::pg_sys;
use rules::{Limit, declared};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

thread_local! {
    /// What requests of this session hold, to be let go when it ends.
    static HELD: RefCell<Vec<(u64, Held<'static>)>> = const { RefCell::new(Vec::new()) };
    /// The number of the last request that held something.
    static LAST: Cell<u64> = const { Cell::new(0) };
}

/// Who a request comes from.
#[derive(Clone, Copy)]
pub enum Asker<'a> {
    Known(&'a Principal),
    /// Nobody knows yet, or will: only limits that need no identity count.
    Unknown,
}

/// A request that has arrived. It ends when this is dropped.
#[must_use]
pub struct Admitted {
    /// What it was measured by; empty if no limit takes it.
    counted: Vec<Counted>,
    /// Its number in [`HELD`]; 0 if it holds nothing.
    holds: u64,
    /// The session's rows when it arrived.
    rows: u64,
    since: u64,
    bytes: u64,
}

/// One rate of a limit that a request is measured by.
struct Counted {
    limits: Rc<[Limit]>,
    limit: usize,
    rate: usize,
    key: u64,
    who: Rc<str>,
}

impl Counted {
    fn demand(&self) -> Option<Demand<'_>> {
        let limit = self.limits.get(self.limit)?;
        let (rate, burst) = limit.rates.get(self.rate).copied()?;
        Some(Demand {
            name: limit.names.get(self.rate)?,
            who: &self.who,
            key: self.key,
            rule: limit.id,
            // SAFETY: reads a global.
            database: unsafe { pg_sys::MyDatabaseId }.to_u32(),
            unit: limit.rule.unit,
            rate,
            burst,
            cost: limit.rule.cost,
        })
    }
}

/// Lets a request in if its limits have room, and counts it.
///
/// # Errors
/// REST429 (429) beyond a limit, REST503 (503) beyond one of concurrent requests; REST529 (503) if a limit takes the request and there is no shared
/// memory; REST506 for malformed settings.
pub fn arrive(request: &Request, asker: Asker) -> Result<Admitted> {
    let limits = declared();
    let mut counted = Vec::new();
    if !limits.is_empty() {
        // Keys are hashed with its seed.
        shared::segment();
        let who = Who::new(asker, request.headers);
        for (i, limit) in limits.iter().enumerate() {
            let is_known = matches!(asker, Asker::Known(_)) || limit.rule.by.needs_no_identity();
            if !is_known || !limit.rule.scope.takes(request.sent(), request.group()) {
                continue;
            }
            let (kind, key) = who.key(&limit.rule.by)?;
            for (rate, id) in limit.rate_ids.iter().enumerate() {
                counted.push(Counted {
                    limits: limits.clone(),
                    limit: i,
                    rate,
                    key: hash(*id, kind, &key),
                    who: key.clone(),
                });
            }
        }
    }
    let mut admitted =
        Admitted { counted, holds: 0, rows: 0, since: 0, bytes: request.body.map_or(0, <[u8]>::len) as u64 };
    if admitted.counted.is_empty() {
        return Ok(admitted);
    }
    admitted.rows = observe::rows_of_session();
    admitted.since = clock::now();
    let demands: Vec<Demand> = admitted.counted.iter().filter_map(Counted::demand).collect();
    let table = table().ok_or_else(no_memory)?;
    let taken = table.take(&demands, admitted.since).ok_or_else(no_memory)?;
    let held = taken.map_err(|why| refused(&table, &demands, &why, admitted.since))?;
    if !held.is_empty() {
        let number = LAST.get() + 1;
        LAST.set(number);
        if number == 1 {
            at_exit::register(|| drop(HELD.take()));
        }
        admitted.holds = number;
        HELD.with_borrow_mut(|all| all.extend(held.into_iter().map(|held| (number, held))));
    }
    Ok(admitted)
}

impl Admitted {
    /// A request that no limit takes.
    pub fn free() -> Self {
        Admitted { counted: Vec::new(), holds: 0, rows: 0, since: 0, bytes: 0 }
    }

    /// Tells in the answer what is left of the limits.
    pub fn answered(mut self, answer: &mut Answer) {
        if self.counted.is_empty() {
            return;
        }
        self.bytes += answer.body().map_or(0, <[u8]>::len) as u64;
        self.end();
        let Some(table) = table() else { return };
        let now = clock::now();
        let left: Vec<Policy> =
            self.counted.iter().filter_map(Counted::demand).map(|demand| table.policy(&demand, now)).collect();
        answer.response.set_if_absent("ratelimit-policy", policies(&left));
        answer.response.set_if_absent("ratelimit", states(&left));
    }

    /// Charges what the request has cost, and lets go of what it holds. Once.
    fn end(&mut self) {
        let holds = std::mem::take(&mut self.holds);
        if holds > 0 {
            HELD.with_borrow_mut(|all| all.retain(|(number, _)| *number != holds));
        }
        let since = std::mem::take(&mut self.since);
        if since == 0 {
            return;
        }
        let Some(table) = attached_table() else { return };
        let now = clock::now();
        for demand in self.counted.iter().filter_map(Counted::demand) {
            let units = match demand.unit {
                Unit::Rows => observe::rows_of_session().saturating_sub(self.rows),
                Unit::Bytes => self.bytes,
                Unit::Milliseconds => now.saturating_sub(since).div_ceil(1_000_000),
                Unit::Requests | Unit::Concurrent => continue,
            };
            if units > 0 {
                table.charge(&demand, units, now);
            }
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.end();
    }
}

/// The error of a request whose credentials are wrong: the error itself, or REST429 if too many such requests have come from the address
/// (`restful.login_limit`). Credentials that are right are never refused, so nobody can lock others out.
pub fn failed_login(headers: &Headers, error: Error) -> Error {
    match count_login(headers) {
        Ok(()) => error,
        Err(refused) => refused,
    }
}

/// Counts a request whose credentials are wrong, or a grant that an endpoint of OAuth has refused.
///
/// # Errors
/// REST429 if too many such requests have come from the address; REST506 for malformed settings.
pub fn count_login(headers: &Headers) -> Result<()> {
    let rates = guc::login_limit()?;
    if rates.is_empty() {
        return Ok(());
    }
    let address = network(address(headers)?);
    // Without shared memory these requests are refused as they are.
    let Some(table) = table() else { return Ok(()) };
    let id = rules::id(LOGIN);
    let demand = |(i, rate): (usize, &crate::quota::Rate)| Demand {
        name: LOGIN,
        who: &address,
        key: hash(id ^ i as u64, "ip", &address),
        rule: id,
        // SAFETY: reads a global.
        database: unsafe { pg_sys::MyDatabaseId }.to_u32(),
        unit: Unit::Requests,
        rate: *rate,
        burst: rate.amount,
        cost: 1,
    };
    let demands: Vec<Demand> = rates.iter().enumerate().map(demand).collect();
    let now = clock::now();
    match table.take(&demands, now) {
        Some(Err(why)) => Err(refused(&table, &demands, &why, now)),
        Some(Ok(_)) | None => Ok(()),
    }
}

/// The name of the limit on wrong credentials.
const LOGIN: &str = "failed logins by ip";

/// The keys of a request, each found when it is needed first.
struct Who<'a> {
    asker: Asker<'a>,
    headers: &'a Headers,
    address: OnceCell<Rc<str>>,
}

impl<'a> Who<'a> {
    fn new(asker: Asker<'a>, headers: &'a Headers) -> Self {
        Who { asker, headers, address: OnceCell::new() }
    }

    fn address(&self) -> Result<Rc<str>> {
        if let Some(known) = self.address.get() {
            return Ok(known.clone());
        }
        let found: Rc<str> = network(address(self.headers)?).into();
        Ok(self.address.get_or_init(|| found).clone())
    }

    /// The kind of a key, and the key. A request without the claim counts for its address, so that leaving a token out gains nothing.
    fn key(&self, by: &By) -> Result<(&'static str, Rc<str>)> {
        let Asker::Known(principal) = self.asker else {
            return if *by == By::All { Ok(("all", "".into())) } else { Ok(("ip", self.address()?)) };
        };
        let claims: Option<&Map<String, Value>> = match &principal.identity {
            Identity::Claims(claims, _) => Some(claims),
            Identity::Anonymous | Identity::SessionUser => None,
        };
        let at = |path: &str| claims.and_then(|claims| claims::text_at(claims, path));
        let (kind, found): (_, Option<Cow<str>>) = match by {
            By::All => return Ok(("all", "".into())),
            By::Ip => ("ip", None),
            By::Role => {
                let name = || user::name(user::current());
                ("role", Some(principal.switch_to.as_deref().map_or_else(|| name().into(), Cow::Borrowed)))
            }
            By::Subject => ("subject", claims.and_then(claims::user_id).map(Cow::Borrowed)),
            By::ApiKey => ("api_key", at("key_id")),
            By::Tenant => (
                "tenant",
                guc::tenant_claim().and_then(|path| {
                    claims.and_then(|claims| claims::text_at(claims, &path)).map(|text| Cow::Owned(text.into_owned()))
                }),
            ),
            By::Claim(path) => ("claim", at(path)),
        };
        match found {
            Some(found) => Ok((kind, (&*found).into())),
            None => Ok(("ip", self.address()?)),
        }
    }
}

/// The address of the client, as far as trusted proxies tell (`restful.trusted_proxies`).
///
/// # Errors
/// REST506 if the setting is malformed.
pub fn address(headers: &Headers) -> Result<Option<std::net::IpAddr>> {
    let proxies = guc::trusted_proxies()?;
    Ok(client(connection::address(), &proxies, headers.get("forwarded"), headers.get("x-forwarded-for")))
}

fn hash(seed: u64, kind: &str, key: &str) -> u64 {
    let [random, _] = shared::attached().map_or([0; 2], crate::pg::ffi::shared_memory::Segment::seed);
    key_of(seed ^ random, [kind, key])
}

/// What keys have taken; `None` without shared memory. Within a transaction.
fn table() -> Option<Table<'static>> {
    shared::segment()?;
    attached_table()
}

/// The same, if the session has attached it. It may be called while an error is on its way.
fn attached_table() -> Option<Table<'static>> {
    let segment = shared::attached()?;
    Some(Table { buckets: shared::keys_of_limits(segment), overflow: shared::shared_keys_of_limits(segment) })
}

fn no_memory() -> Error {
    Error::new(Code::LimitMemory, "The limits of requests cannot be kept")
        .hint("restful.health() says why there is no shared memory. Give it room, or drop the limits with restful.drop_limit.")
        .header("retry-after", "60")
}

fn refused(table: &Table, demands: &[Demand], why: &Refused, now: u64) -> Error {
    let violated: Vec<&Demand> = why.violated.iter().filter_map(|i| demands.get(*i)).collect();
    let names: Vec<String> = violated.iter().map(|demand| demand.name.to_owned()).collect();
    let left: Vec<Policy> = demands.iter().map(|demand| table.policy(demand, now)).collect();
    let is_concurrent = violated.iter().all(|demand| demand.unit == Unit::Concurrent);
    // Rounded up to whole seconds (RFC 9110, section 10.2.3), so that a client that waits so long gets in.
    let seconds = why.wait.div_ceil(1_000_000_000).max(1);
    let (code, message) = if is_concurrent {
        (Code::Concurrency, "Too many requests run at the same time")
    } else {
        (Code::Quota, "Too many requests")
    };
    Error::new(code, message)
        .hint(format!("Try again in {seconds} s."))
        .violated_policies(names)
        .header("retry-after", seconds.to_string())
        .header("ratelimit-policy", policies(&left))
        .header("ratelimit", states(&left))
}
