//! The identity of a request: how it is found, how functions and policies read it, and how tests of policies take one.

pub mod act_as;
pub mod principal;
mod readers;

pub use readers::READERS;
