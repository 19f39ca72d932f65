//! The face and its driver over real sockets, against a registrar that does what a test says.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod consent;
mod downgrade;
mod ends;
mod listening;
mod registrar;
mod secrets;
mod signing_in;
