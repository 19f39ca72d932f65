//! Real sockets: a user agent and an estate meet on loopback over UDP, TCP and TLS.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]

mod abuse;
mod canary;
mod certificates;
mod ipv6;
mod moves;
mod place;
mod redirect;
