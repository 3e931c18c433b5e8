//! What a request of a test has covered: its route, and the policies of the tables that its statements touched.
//!
//! The executor says which tables a request touched, as whom, and to do what. The policies that apply are then evaluated, as that user
//! and with the request's identity: on the rows that were there before the request, on the rows that it wrote, and, if PostgreSQL
//! refused to write, on the rows that it could have written. Nothing of that is kept but the counts.

use crate::access::{Command, Facts, Policy};
use crate::auth::{AuthMethod, Identity, Principal};
use crate::http::{Headers, Request};
use crate::limits::TESTED_ROWS;
use crate::pg::access::rows::{self, Count, Rows};
use crate::pg::ffi::snapshot::{Earlier, in_new_snapshot};
use crate::pg::ffi::touched::Touch;
use crate::pg::ffi::user;
use crate::pg::frame::{self, Context, Finished};
use crate::pg::observe::Tried;
use crate::sqlstate::SqlState;
use crate::testing::{Clause, Coverage, Received};
use pgrx::pg_sys;
use serde_json::{Map, Value};

/// A request that was answered.
pub struct Done<'a> {
    /// `None` if it is malformed.
    pub request: Option<&'a Request<'a>>,
    pub role: &'a str,
    pub claims: &'a Map<String, Value>,
    pub received: &'a Received<'a>,
    /// Where it went; for a batch, where its requests went after it.
    pub tried: &'a [Tried],
    /// What was there before.
    pub earlier: &'a Earlier,
    pub touches: &'a [Touch],
}

impl Done<'_> {
    /// PostgreSQL refused a row, and everything was undone.
    fn was_refused_by_policies(&self) -> bool {
        let member = |name: &str| self.received.body.get(name).and_then(Value::as_str);
        matches!(self.received.status, 401 | 403)
            && member("code") == Some(SqlState::INSUFFICIENT_PRIVILEGE.as_str())
            && member("message").is_some_and(|message| message.contains("row-level security policy"))
    }
}

/// Notes the route of a request. In a batch that failed, the last request that ran has failed.
pub fn request(done: &Done, coverage: &mut Coverage) {
    let status = done.received.status;
    for (i, tried) in done.tried.iter().enumerate() {
        let status = if i == 0 || i + 1 == done.tried.len() { status } else { 200 };
        coverage.request(tried.method.as_str(), &tried.schema, &tried.path, done.role, status);
    }
}

/// Notes what the policies of the touched tables say.
pub fn policies(done: &Done, coverage: &mut Coverage) {
    for touch in done.touches {
        if let Some(facts) = rows::protected(touch.table, &user::name(touch.user)) {
            Table { done, touch, facts: &facts }.measure(coverage);
        }
    }
}

/// A table that the request touched, with the policies that apply.
struct Table<'a> {
    done: &'a Done<'a>,
    touch: &'a Touch,
    facts: &'a Facts,
}

/// The rows on which policies are evaluated.
enum Subjects<'a> {
    /// Rows that were there before.
    Stored(&'a Rows),
    /// Rows that were written, and whether by an INSERT that may have updated some of them.
    Written(&'a Rows, bool),
    /// Rows that an INSERT would make of these objects.
    Inserts(&'a [&'a Map<String, Value>]),
    /// Rows that an UPDATE with these values would make of others.
    Updates(&'a Map<String, Value>, &'a Rows),
}

impl Table<'_> {
    fn does(&self, privilege: u32) -> bool {
        self.touch.privileges & u64::from(privilege) != 0
    }

    fn measure(&self, coverage: &mut Coverage) {
        let commands = [
            (pg_sys::ACL_SELECT, Command::Select),
            (pg_sys::ACL_UPDATE, Command::Update),
            (pg_sys::ACL_DELETE, Command::Delete),
        ];
        let reads: Vec<Command> = commands.into_iter().filter(|(bit, _)| self.does(*bit)).map(|(_, c)| c).collect();
        let writes: Vec<Command> = [(pg_sys::ACL_INSERT, Command::Insert), (pg_sys::ACL_UPDATE, Command::Update)]
            .into_iter()
            .filter(|(bit, _)| self.does(*bit))
            .map(|(_, command)| command)
            .collect();
        let using = self.policies(&reads, Clause::Using);
        let check = self.policies(&writes, Clause::Check);
        if self.facts.active_for_caller {
            let why =
                || "whoever runs the tests is subject to the table's policies, and does not see all rows".to_owned();
            for (policy, clause, _) in using.into_iter().chain(check) {
                self.note(coverage, policy, clause, Err(why()));
            }
            return;
        }
        let stored = self.done.earlier.see(|| rows::stored(self.facts));
        match &stored {
            Ok(stored) => self.evaluate(coverage, &using, &Subjects::Stored(stored)),
            Err(why) => self.fail(coverage, &using, why),
        }
        if check.is_empty() {
            return;
        }
        if self.done.was_refused_by_policies() {
            return self.measure_refused(coverage, &writes, &check, stored);
        }
        match in_new_snapshot(|| rows::written_since(self.facts, self.done.earlier.command)) {
            Ok(written) => self.evaluate(coverage, &check, &Subjects::Written(&written, writes.len() > 1)),
            Err(why) => self.fail(coverage, &check, &why),
        }
    }

    /// A write was refused by a policy. The row is not known, but the ones that the request could have written are.
    fn measure_refused(
        &self,
        coverage: &mut Coverage,
        writes: &[Command],
        check: &[(&Policy, Clause, &str)],
        stored: Result<Rows, String>,
    ) {
        let sent = self.done.request.and_then(|request| serde_json::from_slice::<Value>(request.body?).ok());
        let is_named = matches!(self.done.tried, [only] if only.schema == self.facts.schema && only.path.strip_prefix('/') == Some(&self.facts.name));
        let objects: Option<Vec<&Map<String, Value>>> = match &sent {
            Some(Value::Object(object)) => Some(vec![object]),
            Some(Value::Array(items)) => items.iter().map(Value::as_object).collect(),
            _ => None,
        };
        match (writes, objects, stored) {
            ([Command::Insert], Some(objects), _) if is_named => {
                self.evaluate(coverage, check, &Subjects::Inserts(&objects));
            }
            ([Command::Update], Some(objects), Ok(stored)) if is_named && objects.len() == 1 => {
                for values in objects {
                    self.evaluate(coverage, check, &Subjects::Updates(values, &stored));
                }
            }
            _ => self.fail(coverage, check, "a write was refused, and the row that was refused is not known"),
        }
    }

    /// The policies for these commands, with the expression that counts.
    fn policies(&self, commands: &[Command], clause: Clause) -> Vec<(&Policy, Clause, &str)> {
        let policies = self.facts.policies.iter().filter(|policy| commands.iter().any(|c| policy.concerns(*c)));
        policies
            .filter_map(|policy| {
                let expression = match clause {
                    Clause::Using => policy.using.as_deref(),
                    Clause::Check => policy.new_rows(),
                };
                Some((policy, clause, expression?))
            })
            .collect()
    }

    fn fail(&self, coverage: &mut Coverage, policies: &[(&Policy, Clause, &str)], why: &str) {
        for (policy, clause, _) in policies {
            self.note(coverage, policy, *clause, Err(why.to_owned()));
        }
    }

    /// Evaluates expressions as the user whose policies count, with the request's identity, in a frame that is rolled back.
    fn evaluate(&self, coverage: &mut Coverage, policies: &[(&Policy, Clause, &str)], subjects: &Subjects) {
        let (headers, role) = (Headers::default(), self.touch.user);
        let Ok(plain) = Request::parse("POST", "/", &headers, None) else { return };
        let request = self.done.request.unwrap_or(&plain);
        let mut claims = self.done.claims.clone();
        let identity = if claims.is_empty() {
            Identity::Anonymous
        } else {
            claims.insert("role".to_owned(), Value::from(self.done.role));
            Identity::Claims(claims.into(), AuthMethod::Jwt)
        };
        let is_authenticated = identity != Identity::Anonymous;
        let principal = Principal { identity, switch_to: None, is_authenticated };
        let context = Context { request, principal: &principal, schema: &self.facts.schema };
        let evaluated = frame::enter_as(&context, Some(role), |frame| {
            frame.publish();
            frame.take_role();
            let counts = policies.iter().map(|(policy, _, expression)| self.count(policy, expression, subjects));
            Ok(Finished { value: counts.collect::<Vec<_>>(), commit: false })
        });
        match evaluated {
            Ok(counts) => {
                for ((policy, clause, _), count) in policies.iter().zip(counts) {
                    self.note(coverage, policy, *clause, count);
                }
            }
            Err(error) => self.fail(coverage, policies, &error.message),
        }
    }

    fn count(&self, policy: &Policy, expression: &str, subjects: &Subjects) -> Result<Count, String> {
        let facts = self.facts;
        match subjects {
            Subjects::Stored(rows) => self.done.earlier.see(|| rows::count(facts, policy, expression, rows)),
            Subjects::Written(rows, is_upsert) => {
                let count = in_new_snapshot(|| rows::count(facts, policy, expression, rows))?;
                // A policy for INSERT need not hold for a row that was updated, nor the other way round.
                Ok(if *is_upsert { Count { denied: 0, ..count } } else { count })
            }
            Subjects::Inserts(objects) => rows::count_inserts(facts, policy, expression, objects),
            Subjects::Updates(values, stored) => self.done.earlier.see(|| {
                let updated = rows::updated(facts, values, stored)?;
                let count = rows::count(facts, policy, expression, &updated)?;
                // The refused row is one of these. Which one is not known.
                if count.allowed > 0 && count.denied > 0 {
                    return Err("an update was refused, and the row that was refused is not known".to_owned());
                }
                Ok(Count { allowed: 0, ..count })
            }),
        }
    }

    fn note(&self, coverage: &mut Coverage, policy: &Policy, clause: Clause, count: Result<Count, String>) {
        let seen = coverage.policy(self.touch.table.to_u32(), &policy.name, clause);
        seen.roles.insert(self.facts.role.clone());
        match count {
            Ok(count) => {
                seen.allowed += count.allowed;
                seen.denied += count.denied;
                if count.is_partial {
                    seen.unknown =
                        Some(format!("there are more than {TESTED_ROWS} rows, and the others were not looked at"));
                }
            }
            Err(why) => seen.unknown = Some(why),
        }
    }
}
