//! Two sessions back to back in virtual time: what one says the other hears.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "a test prints its seed")]
#![allow(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]

mod addresses;
mod bad_packets;
mod changes;
mod digits;
mod reports;
mod sound;
mod sources;
mod tone;
mod world;
