//! The verbs of a SIP user agent: values and time in, values out.
//!
//! **Give one input with the time; drain every output; ask for the deadline; sleep.** Nothing here
//! reads a clock, draws from the system's randomness, opens a socket or starts a task. The caller
//! (the driver of the `homing` crate, or a simulator) is the courier.

pub mod ids;
pub mod secret;
pub mod time;
