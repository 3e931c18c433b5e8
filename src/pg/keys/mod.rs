//! Keys: of tokens, by which they are verified and signed, and of clients (API keys).

pub mod api_key;
pub mod functions;
pub mod verify;
