//! Sockets for RTP and RTCP, and the paced threads that drive whatever sends and receives by them.
//!
//! ```text
//!   RtpPorts ── bind ──► RtpSockets ──┐
//!                                     ├── PacedThreads::add ──► Driven { commands, reports, counters }
//!   a PacketMachine ──────────────────┘            │
//!                                                  ▼
//!            one of a few threads: packets as they come, a slot every 20 ms, packets out
//! ```
//!
//! A thread takes no decision and knows neither SDP nor media. It never waits for whoever owns a machine: commands and
//! reports cross by rings of fixed size, and nothing is allocated for a packet.

mod bind_error;
mod counters;
mod lateness;
mod machine;
mod paced;
mod paced_error;
mod port_range;
mod ports;
mod rings;
mod schedule;
mod seat;
mod sockets;
#[cfg(test)]
mod tests;
mod thread;

pub use bind_error::BindError;
pub use counters::{PacketCounters, PacketReader};
pub use lateness::{LATE, Lateness};
pub use machine::{Component, LARGEST_PACKET, PacketMachine, SLOT, Transmit};
pub use paced::{Driven, PacedConfig, PacedThreads};
pub use paced_error::PacedError;
pub use port_range::PortRange;
pub use ports::{RtpAddress, RtpPorts};
pub use rings::{CommandRefused, Commands, Reports};
pub use sockets::{RtpPair, RtpSockets};
