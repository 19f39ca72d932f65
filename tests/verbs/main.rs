//! The verbs as a person or a script runs them: the real program, an estate on real sockets.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a broken test ends by a panic")]

mod ends;
mod every;
mod failures;
mod login;
mod phones;
mod recordings;
mod redirects;
mod registrar;
mod secrets;
mod settings;
mod setup;
mod sign_out;
