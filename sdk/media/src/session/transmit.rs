//! Packets as they leave a session.

use std::net::SocketAddr;

/// A packet on its way out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Transmit {
    /// From which socket it goes.
    pub kind: PacketKind,
    /// Its destination.
    pub to: SocketAddr,
    /// How many octets of the buffer it fills.
    pub length: usize,
}

/// Which of the two sockets a packet belongs to; with one socket for both, that one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PacketKind {
    /// The socket of `m=audio`'s port.
    Rtp,
    /// The socket of RTCP; with `a=rtcp-mux` reports leave as [`PacketKind::Rtp`].
    Rtcp,
}

/// No packet of a session is longer; a buffer of that length fits each.
pub const MAX_PACKET: usize = 544;
