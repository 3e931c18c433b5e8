//! Limits as they are declared.

use super::rate::{self, Rate};
use crate::hooks::{Scope, read_scope};
use serde::{Deserialize, Deserializer};

/// What has a limit of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// All requests together.
    All,
    /// The client's address.
    Ip,
    /// The role of the request.
    Role,
    /// The subject of the token or key.
    Subject,
    /// The API key.
    ApiKey,
    /// The tenant (`restful.tenant_claim`).
    Tenant,
    /// The claim at a path.
    Claim(String),
}

impl By {
    /// Reads what `restful.limit` takes: a word, or the path to a claim.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "all" => By::All,
            "ip" => By::Ip,
            "role" => By::Role,
            "subject" => By::Subject,
            "api_key" => By::ApiKey,
            "tenant" => By::Tenant,
            path => By::Claim(path.strip_prefix("claim ").filter(|path| !path.is_empty())?.to_owned()),
        })
    }

    /// Whether the key is known before it is known who asks.
    pub fn needs_no_identity(&self) -> bool {
        matches!(self, By::All | By::Ip)
    }
}

/// What is counted.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    Requests,
    /// Rows of responses and of writes.
    Rows,
    /// Bytes of the bodies of requests and responses.
    Bytes,
    /// Time in which requests run.
    Milliseconds,
    /// Requests at the same time.
    Concurrent,
}

impl Unit {
    /// The quota unit of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11, section 4.1.3); `None` for the default.
    pub fn quota_unit(self) -> Option<&'static str> {
        match self {
            Unit::Requests => None,
            Unit::Bytes => Some("content-bytes"),
            Unit::Concurrent => Some("concurrent-requests"),
            Unit::Rows => Some("rows"),
            Unit::Milliseconds => Some("milliseconds"),
        }
    }

    /// What a request costs is known when it has ended.
    pub fn is_counted_after(self) -> bool {
        matches!(self, Unit::Rows | Unit::Bytes | Unit::Milliseconds)
    }
}

/// A limit.
#[derive(Clone, Debug, Deserialize)]
pub struct Rule {
    pub name: String,
    #[serde(rename = "key_by", deserialize_with = "read_by")]
    pub by: By,
    #[serde(rename = "requests", deserialize_with = "read_scope")]
    pub scope: Scope,
    pub unit: Unit,
    #[serde(rename = "rate")]
    pub rates: String,
    pub burst: Option<u64>,
    pub cost: u64,
}

/// A newer version of the extension may have written what this one cannot read; then all requests share the limit.
fn read_by<'de, D: Deserializer<'de>>(from: D) -> Result<By, D::Error> {
    Ok(By::parse(&String::deserialize(from)?).unwrap_or(By::All))
}

impl Rule {
    /// The limit on requests with wrong credentials.
    pub fn login(name: &str, rates: String) -> Self {
        let scope = Scope::default();
        Rule { name: name.to_owned(), by: By::Ip, scope, unit: Unit::Requests, rates, burst: None, cost: 1 }
    }

    /// The rates, each with the most that may be taken at once. They were checked when the rule was declared.
    pub fn rates(&self) -> Vec<(Rate, u64)> {
        let rates = rate::parse(&self.rates, self.unit == Unit::Concurrent).unwrap_or_default();
        rates.into_iter().map(|rate| (rate, self.burst.unwrap_or(rate.amount))).collect()
    }
}
