//! The tokio shell around the nodes: sockets, DNS, certificates, clocks.

pub mod ca;
pub mod dns;
pub mod zone;
