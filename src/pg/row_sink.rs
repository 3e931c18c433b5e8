//! Rows to JSON text.
