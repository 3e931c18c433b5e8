//! JSON text to rows.
