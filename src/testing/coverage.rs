//! What the requests of tests have reached: routes, roles, and policies that have let something through and kept something away.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The expression of a policy that is evaluated: on rows that are there, or on rows that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clause {
    Using,
    Check,
}

impl Clause {
    /// As it stands in CREATE POLICY.
    pub fn as_str(self) -> &'static str {
        match self {
            Clause::Using => "USING",
            Clause::Check => "WITH CHECK",
        }
    }
}

/// What an expression of a policy has said.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The rows for which it was true.
    pub allowed: u64,
    /// The rows for which it was not.
    pub denied: u64,
    /// The roles of these requests.
    pub roles: BTreeSet<String>,
    /// Why not everything is known.
    pub unknown: Option<String>,
}

impl Seen {
    /// `covered`, what never happened, or `unknown`.
    pub fn verdict(&self) -> &'static str {
        match (self.allowed > 0, self.denied > 0) {
            (true, true) => "covered",
            _ if self.unknown.is_some() => "unknown",
            (true, false) => "never denied",
            (false, true) => "never allowed",
            (false, false) => "never allowed, never denied",
        }
    }

    /// What the verdict is based on.
    pub fn detail(&self) -> String {
        let rows = |count: u64| if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
        let mut detail = format!("true for {}, not true for {}", rows(self.allowed), rows(self.denied));
        if !self.roles.is_empty() {
            let roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
            detail.push_str(&format!(", as {}", roles.join(", ")));
        }
        if let Some(why) = self.unknown.as_ref().filter(|_| self.verdict() == "unknown") {
            detail.push_str(&format!("; unknown: {why}"));
        }
        detail
    }
}

/// Requests of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    /// With a status below 400.
    answered: u64,
    refused: u64,
}

/// What has been reached.
#[derive(Debug, Default)]
pub struct Coverage {
    /// By method, schema, path of the resource and role.
    requests: BTreeMap<(String, String, String, String), Requests>,
    /// By the table's OID, the policy's name and its clause.
    policies: BTreeMap<(u32, String, Clause), Seen>,
}

impl Coverage {
    /// Notes a request. `path`: `/table` or `/rpc/function`.
    pub fn request(&mut self, method: &str, schema: &str, path: &str, role: &str, status: u16) {
        let key = [method, schema, path, role].map(str::to_owned);
        let [method, schema, path, role] = key;
        let requests = self.requests.entry((method, schema, path, role)).or_default();
        if status < 400 {
            requests.answered += 1;
        } else {
            requests.refused += 1;
        }
    }

    /// What is known of an expression of a policy.
    pub fn policy(&mut self, relation: u32, policy: &str, clause: Clause) -> &mut Seen {
        self.policies.entry((relation, policy.to_owned(), clause)).or_default()
    }

    /// For `restful.test_coverage`, which compares it with the catalogue.
    pub fn to_json(&self) -> Value {
        let requests = self.requests.iter().map(|((method, schema, path, role), requests)| {
            json!({"method": method, "schema": schema, "path": path, "role": role,
                "answered": requests.answered, "refused": requests.refused})
        });
        let policies = self.policies.iter().map(|((relation, policy, clause), seen)| {
            json!({"relation": relation, "policy": policy, "clause": clause.as_str(),
                "verdict": seen.verdict(), "detail": seen.detail()})
        });
        json!({"requests": requests.collect::<Value>(), "policies": policies.collect::<Value>()})
    }
}
