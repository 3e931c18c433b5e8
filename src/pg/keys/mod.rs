//! The keys that tokens are verified and signed with, and API keys.

pub mod api_key;
pub mod cursor;
pub mod functions;
pub mod signing;
pub mod tables;
pub mod verify;
