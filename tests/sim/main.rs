//! Conversations in virtual time: login, redirect, refresh, renewal, faults, seeds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]
#![allow(clippy::print_stdout, reason = "one seed prints its ladder on request")]

mod call_seeds;
mod calls;
mod claims;
mod crowd;
mod digest;
mod entitlement;
mod faults;
mod hours;
mod lease;
mod login;
mod memory;
mod proxy;
mod redirect;
mod refresh;
mod replay;
mod rules;
mod seeds;
mod signed;
mod wire;
