//! Who a request speaks for. Pure: settings, keys and clock are arguments.

pub mod claims;
pub mod path;
pub mod principal;

pub use claims::Method;
pub use principal::{Identity, Principal};
