//! The words of a stored `jsonb` (PostgreSQL's utils/jsonb.h), shared by the writer and the reader.

/// The header of a container: the number of its children, and its kind.
pub const COUNT: u32 = 0x0FFF_FFFF;
pub const SCALAR: u32 = 0x1000_0000;
pub const OBJECT: u32 = 0x2000_0000;
pub const ARRAY: u32 = 0x4000_0000;

/// An entry: the length of a child, or the offset of its end, and its type.
pub const LENGTH: u32 = 0x0FFF_FFFF;
pub const HAS_OFFSET: u32 = 0x8000_0000;
pub const TYPE: u32 = 0x7000_0000;
pub const STRING: u32 = 0x0000_0000;
pub const NUMERIC: u32 = 0x1000_0000;
pub const FALSE: u32 = 0x2000_0000;
pub const TRUE: u32 = 0x3000_0000;
pub const NULL: u32 = 0x4000_0000;
pub const CONTAINER: u32 = 0x5000_0000;
