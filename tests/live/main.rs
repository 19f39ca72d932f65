//! Real sockets: a user agent and an estate meet on loopback over UDP, TCP and TLS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]
#![allow(clippy::print_stdout, reason = "a test that cannot run here says so")]

mod abuse;
mod at_home;
mod broken_auth;
mod broken_challenges;
mod calls;
mod canary;
mod certificates;
mod client;
mod ipv6;
mod moves;
#[cfg(unix)]
mod program;
mod redirect;
mod stranger;
