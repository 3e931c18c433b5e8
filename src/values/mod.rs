//! Converts the texts of values to the form that PostgreSQL stores, without calling PostgreSQL.
//!
//! Only notations that mean the same under every setting are parsed. Any other notation is left to PostgreSQL's input functions.

mod datetime;
mod jsonb;
pub mod jsonb_layout;
mod numeric;
mod uuid;

pub use datetime::{Stamp, parse_date, parse_timestamp};
pub use jsonb::Builder as JsonbBuilder;
pub use numeric::{Decimal, parse_decimal};
pub use uuid::parse_uuid;
