//! pg_restful: REST requests as function calls.
#![deny(unsafe_code)]

#[cfg(feature = "pg")]
#[allow(unsafe_code)]
mod pg;
