//! Every limit, with its reason.

/// Levels of arrays and objects in a JSON text. PostgreSQL and serde_json stop at thousands and at 128; a document that
/// a person or a program writes on purpose stays far below 64, and recursive consumers keep a bounded stack.
pub const JSON_DEPTH: usize = 64;

/// Digits of one JSON number before its exponent. 400 holds every double written out in full (308 digits before the
/// point) and any amount of money, and keeps the conversion to `numeric` short.
pub const JSON_NUMBER_DIGITS: usize = 400;

/// Absolute value of a JSON number's exponent: the range of a double. Without it `1e131071`, eight bytes, becomes
/// 131072 digits when PostgreSQL prints the `numeric` it was stored as.
pub const JSON_NUMBER_EXPONENT: u32 = 308;

/// Body bytes up to which `jsonb` is built directly. A `jsonb` entry has 28 bits for a length and a built value is at
/// most 6 times its text, so below this no length can overflow; above it PostgreSQL's own parser, which checks, is used.
pub const JSONB_BUILD_BYTES: usize = 16 << 20;

/// Keys outside the column list that one object may hold before looking for a duplicate among them moves from
/// comparing each pair to hashing: comparing a few short keys is cheaper than hashing one.
pub const UNKNOWN_KEYS_COMPARED: usize = 16;
