//! The phone in a terminal of our own and at the command line: what it shows, says and leaves behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken test ends by a panic")]

mod demo;
mod first_hour;
mod input;
mod late_password;
mod picture;
mod plain;
mod redirects;
mod scripted;
mod second_phone;
mod setup;
mod shutdown;
mod sizes;
mod terminal;
mod wizard;
