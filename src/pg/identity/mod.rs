//! Who asks: found out for a request, read by functions and policies, and acted as by tests of policies.

mod act_as;
pub mod principal;
mod readers;
