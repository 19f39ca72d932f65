//! The agent in virtual time: a scripted world, and everything a login may meet in it.

#![expect(clippy::unwrap_used, reason = "what a test expects and does not find ends the test")]

mod asking;
mod calls;
mod chaos;
mod closing;
mod counting;
mod crowds;
mod deadlines;
mod direct;
mod failing;
mod flapping;
mod golden;
mod homes;
mod keep_alive;
mod leaving;
mod limits;
mod links;
mod many;
mod mute;
mod names;
mod namesakes;
mod outbound;
mod price;
mod proofs;
mod proving;
mod redirects;
mod registrar;
mod staying;
mod telling;
mod unsigned;
mod world;

#[path = "../../../../tests/src/digest.rs"]
#[allow(dead_code, unreachable_pub, reason = "part of it is for the simulation only")]
mod digest;
#[path = "../../../../tests/src/numbers.rs"]
#[allow(unreachable_pub, reason = "the simulation reads it from outside")]
mod numbers;
