//! The phone in a terminal of our own and at the command line: what it shows, says and leaves behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]

mod beside;
mod demo;
mod endings;
mod hands;
mod home;
mod picture;
mod place;
mod plain;
mod redirects;
mod sizes;
mod terminal;
mod wizard;
