//! The tokio shell around the nodes: sockets, DNS, certificates, clocks.

pub mod ca;
mod clock;
pub mod dns;
mod dns_fault;
pub(crate) mod node_task;
mod sounds;
pub mod zone;

pub(crate) use clock::{Clock, Skew};
