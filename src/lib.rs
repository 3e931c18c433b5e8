//! pg_restful: REST requests as function calls.
#![deny(unsafe_code)]

pub mod auth;
pub mod catalog;
pub mod error;
pub mod http;
pub mod json;
pub mod limits;
pub mod plan;
pub mod query;
pub mod respond;
pub mod route;
pub mod statement;

#[cfg(feature = "pg")]
#[allow(unsafe_code)]
mod pg;
