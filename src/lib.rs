//! pg_restful: REST requests as function calls.
#![deny(unsafe_code)]

pub mod error;
pub mod http;
pub mod limits;
pub mod query;

#[cfg(feature = "pg")]
#[allow(unsafe_code)]
mod pg;
