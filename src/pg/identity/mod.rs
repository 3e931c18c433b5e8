//! Who asks: what functions and policies read of it, and who tests of policies act as.

mod act_as;
mod readers;
