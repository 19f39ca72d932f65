//! The tokio shell around the nodes: sockets, DNS, certificates, clocks.

pub mod ca;
mod clock;
pub mod dns;
pub(crate) mod station;
pub mod zone;

pub(crate) use clock::{Clock, Skew};
