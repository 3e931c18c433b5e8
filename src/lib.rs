//! pg_restful: REST requests as function calls.
#![deny(unsafe_code)]

pub mod json;
pub mod limits;

#[cfg(feature = "pg")]
#[allow(unsafe_code)]
mod pg;
