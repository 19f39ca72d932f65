//! The sockets on loopback: real sockets, real TLS, certificates made on the spot.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod authority;
mod closing;
mod datagrams;
mod flood;
mod framing;
mod identity;
mod mutual;
mod pair;
mod trust;
