//! The verbs of a SIP user agent: values and time in, values out.
//!
//! **Give one input with the time; drain every output; ask for the deadline; sleep.** Nothing here
//! reads a clock, draws from the system's randomness, opens a socket or starts a task. The caller
//! (the driver of the `homing` crate, or a simulator) is the courier.
//!
//! Floors, lowest first; imports go down only:
//!
//! ```text
//! ground      time ids secret transport limits dns identity connect server state
//! vocabulary  config error, journey, event command counter outbox
//! machines    auth  transaction  locate  flow
//! login       the machine of one account
//! agent       routes input to machines
//! ```

pub mod agent;
pub mod auth;
pub mod command;
pub mod config;
pub mod connect;
pub mod counter;
pub mod dns;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod flow;
pub mod identity;
pub mod ids;
pub mod journey;
pub mod limits;
pub mod locate;
pub mod login;
pub mod outbox;
pub mod secret;
pub mod server;
pub mod state;
pub mod time;
pub mod transaction;
pub mod transport;
