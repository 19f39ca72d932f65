//! Calls in virtual time: agents that call each other directly, and peers that follow a script.

#![expect(clippy::unwrap_used, reason = "what a test expects and does not find ends the test")]

mod accounts;
mod answering;
mod bad_input;
mod between;
mod changes;
mod chaos;
mod deaths;
mod early;
mod forks;
mod lossy;
mod next_hop;
mod octets;
mod placing;
mod reasons;
mod world;
