//! Limits of requests: how much a client may ask for in a time. Pure.
//!
//! A limit is kept by the generic cell rate algorithm: a key has one number, the time until which what it has taken is paid for. Sessions share these
//! numbers without locks.

mod address;
mod fields;
mod rate;
mod rule;
mod table;

pub use address::{Proxies, client, network, parse_proxies};
pub use fields::{Policy, policies, states};
pub use rate::{Rate, parse as parse_rates};
pub use rule::{By, Rule, Unit};
pub use table::{Bucket, Busy, Demand, Held, Overflow, Refused, Table};
