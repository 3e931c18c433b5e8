//! Statistics of requests: what sessions count together, in shared memory. Pure.
//!
//! Nothing here takes a lock. A value may be read while others are being added to it, so the columns of a row may be apart by the requests
//! that end at the moment.

mod histogram;
mod label;
mod requests;
mod slots;
mod uses;

pub use histogram::BOUNDS;
pub use label::Label;
pub use requests::{
    Class, Query, Requests, Sample, Snapshot, Template, count, count_query, databases, forget, read, read_queries,
};
pub use slots::{Slot, claim, key_of};
pub use uses::{Use, User, Uses, count_use, read_uses};
