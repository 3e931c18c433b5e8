//! Tests of the tree itself: that the map of the code is true, that the ground floor uses nothing above it, and that each SQL file
//! keeps the rules of its kind.

mod layers;
mod map;
mod sql;
