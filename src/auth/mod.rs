//! Who a request speaks for. Pure: settings, keys and clock are arguments.

pub mod api_key;
pub mod claims;
pub mod credential;
pub mod jwk;
pub mod path;
pub mod principal;
pub mod strict;
pub mod token;

pub use claims::AuthMethod;
pub use principal::{Identity, Principal};
