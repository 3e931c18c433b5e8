//! Who a request speaks for. Pure: settings, keys and clock are arguments.

pub mod principal;

pub use principal::{Identity, Principal};
