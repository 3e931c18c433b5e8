//! REST requests as function calls.
//!
//! The path of a request:
//!
//! 1. [`http`] parses method, target, headers and preferences into a [`http::Request`]
//! 2. [`route`] finds the [`route::Route`]: an endpoint of our own, or an action on a resource
//! 3. [`auth`] finds out who it speaks for: the [`auth::Principal`]
//! 4. [`admit`] finds out whether a request with an Idempotency-Key has run before
//! 5. [`ask`] reads the query and the body: the [`ask::Ask`]
//! 6. the role frame opens
//! 7. [`plan`] resolves names against the [`catalog`]: the [`plan::ActionPlan`]
//! 8. [`statement`] renders it: SQL text and parameters
//! 9. it is executed; rows are written straight to JSON
//! 10. [`respond`] judges the outcome; a refusal rolls back
//! 11. the role frame closes
//! 12. [`respond`] makes the [`http::Response`]
//!
//! Steps 6, 9 and 11 are in `pg`, the only half that touches PostgreSQL. The others are pure.
#![deny(unsafe_code)]

#[cfg(all(feature = "pg", not(panic = "unwind")))]
compile_error!("errors of PostgreSQL unwind through Rust: build with panic = \"unwind\"");

pub mod access;
pub mod admit;
pub mod ask;
pub mod auth;
pub mod batch;
pub mod catalog;
pub mod error;
pub mod expression;
pub mod hooks;
pub mod http;
pub mod json;
pub mod json_schema;
pub mod keyset;
#[cfg(any(test, feature = "fuzzing"))]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
pub mod laws;
pub mod limits;
pub mod lint;
pub mod nested;
pub mod oauth;
pub mod openapi;
pub mod patch;
pub mod payload;
pub mod plan;
pub mod postgrest;
pub mod precondition;
pub mod query;
pub mod quota;
pub mod raised;
pub mod request_log;
pub mod respond;
pub mod route;
pub mod routing;
pub mod settings;
pub mod similar;
pub mod sqlstate;
pub mod statement;
pub mod statistics;
pub mod stumble;
pub mod testing;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tree_tests;
pub mod values;
pub mod violation;

#[cfg(feature = "pg")]
#[allow(unsafe_code)]
mod pg;
