//! The verbs as a person or a script runs them: the real program, an estate on real sockets.
#![cfg(feature = "demo")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a broken test ends by a panic")]

mod every;
mod login;
mod phones;
mod place;
mod recordings;
mod redirects;
mod secrets;
mod trouble;
