//! The vocabulary of HTTP: one type, one file. Pure.

pub mod accepts;
pub mod condition;
pub mod field;
pub mod headers;
pub mod media_type;
pub mod method;
pub mod prefer;
pub mod query_body;
pub mod range;
pub mod request;
pub mod response;
pub mod target;
pub mod traceparent;
pub mod vary;

pub use headers::Headers;
pub use media_type::MediaType;
pub use method::Method;
pub use prefer::Preferences;
pub use request::Request;
pub use response::Response;
pub use target::Target;
