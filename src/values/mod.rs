//! Reads texts of values into the form that PostgreSQL stores, without asking PostgreSQL.
//!
//! Only spellings that mean the same under every setting are read. Any other spelling is left to PostgreSQL's input functions.

mod datetime;
mod jsonb;
pub mod jsonb_layout;
mod numeric;
mod uuid;

pub use datetime::{Stamp, parse_date, parse_timestamp};
pub use jsonb::Builder as JsonbBuilder;
pub use numeric::{Decimal, parse_decimal};
pub use uuid::parse_uuid;
