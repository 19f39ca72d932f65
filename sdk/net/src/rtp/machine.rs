//! What a paced thread drives: a machine for packets, with time handed in.

use std::net::SocketAddr;
use std::time::Duration;

use homing_core::time::Moment;

/// How often a machine gets a slot: the packet time of G.711 as everyone sends it (RFC 3551 4.2).
pub const SLOT: Duration = Duration::from_millis(20);

/// Octets of the largest packet that is sent or received; a larger one is counted and dropped.
pub const LARGEST_PACKET: usize = 2_048;

/// Which of the two ports of a session a packet came by or goes by (ICE's word, RFC 8445 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component {
    /// The even port. Where RTCP is multiplexed (RFC 5761) all packets come here, and the machine tells them apart.
    Rtp,
    /// The port above it; where there is none, its packets leave by that of RTP.
    Rtcp,
}

/// A packet that stands in the buffer that was handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// By which port it leaves.
    pub component: Component,
    /// The peer's address for that component.
    pub to: SocketAddr,
    /// How many octets of the buffer it has.
    pub length: usize,
}

/// Sends and receives packets, without a socket, a clock or a thread of its own.
///
/// It gives one packet after the other from [`poll_transmit`](Self::poll_transmit) after each input. It runs on a
/// thread that it shares with hundreds of its like: no method may block, wait for a lock that others hold long, or
/// allocate for a packet. Whatever waits for a time is looked at in the next slot; there is no finer deadline.
pub trait PacketMachine: Send + 'static {
    /// What its owner tells it, by a ring of fixed size.
    type Command: Send + 'static;
    /// What it tells its owner, by another.
    type Report: Send + 'static;

    /// A datagram came. It may be changed in place, as deciphering does.
    fn handle_packet(&mut self, component: Component, packet: &mut [u8], from: SocketAddr, now: Moment);

    /// Its owner says something; just before the next slot.
    fn handle_command(&mut self, command: Self::Command, now: Moment);

    /// 20 ms have passed since the last slot. `missed` counts further ones that passed before it and are not made up
    /// for, as after a suspended machine: the media clock goes on over them.
    fn handle_slot(&mut self, missed: u64, now: Moment);

    /// Its owner let go of it: the last input. What is polled afterwards, such as a BYE of RTCP, still leaves.
    fn handle_stop(&mut self, now: Moment);

    /// Writes the next packet into `buffer`, which holds [`LARGEST_PACKET`] octets.
    fn poll_transmit(&mut self, buffer: &mut [u8], now: Moment) -> Option<Transmit>;

    /// The next report. It is asked only while the ring has room, so that what a slow owner has not read waits here;
    /// how much of it, and what is given up beyond, is the machine's to bound.
    fn poll_report(&mut self) -> Option<Self::Report>;
}
