//! The control socket: how the verbs of the command line ask the phone that is running.
//!
//! Each phone listens on a socket of its own, mode 0600, named by its process in a folder of mode 0700. One
//! connection carries one request: a line of JSON of at most 4 KiB,
//!
//! ```text
//! {"v":2,"ask":"options","aor":"alice@network.com","uri":null,"trace":false}
//! ```
//!
//! and gets lines of JSON back: what `homing --json` prints, with the sentences for people in `say`. The last
//! one is `end`, `declined` (the phone cannot tell it: ask as a new endpoint) or `error`. Version 1 knows the
//! requests of [`Ask`]. No password, key or token is in any of them, nor in an answer: traces are masked.

mod answer;
mod attach;
mod client;
mod connection;
mod folder;
mod request;
mod server;
mod snapshot;

pub(crate) use attach::reached;
pub(crate) use client::{End, Found, Phone, find, sentences};
pub(crate) use folder::{Claim, Published};
pub(crate) use request::Ask;
pub(crate) use server::{Server, asked};
pub(crate) use snapshot::snapshot;
