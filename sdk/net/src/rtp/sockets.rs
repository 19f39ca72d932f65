//! The bound sockets of one session, from its description until its machine has them.

use std::net::{SocketAddr, UdpSocket};

/// How many ports a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RtpPair {
    /// One for RTP and the one above it for RTCP: what is offered, for a peer may refuse to multiplex (RFC 5761 5.1.1).
    Two,
    /// One for both, where a peer's offer allows it.
    Multiplexed,
}

/// The sockets of one session; dropped, they are closed and their ports free.
///
/// What arrives before a machine has them waits in the system's buffers, which are bounded.
#[derive(Debug)]
pub struct RtpSockets {
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: Option<UdpSocket>,
    advertised: SocketAddr,
}

impl RtpSockets {
    pub(super) fn new(rtp: UdpSocket, rtcp: Option<UdpSocket>, advertised: SocketAddr) -> Self {
        Self { rtp, rtcp, advertised }
    }

    /// The address of RTP as a description names it.
    pub fn advertised(&self) -> SocketAddr {
        self.advertised
    }

    /// The address of RTP as it is bound.
    pub fn local(&self) -> SocketAddr {
        // The port is the one advertised; a socket that no longer knows its own address is no reason to fail.
        self.rtp.local_addr().unwrap_or(self.advertised)
    }

    /// The address of RTCP as it is bound; none where it is multiplexed.
    pub fn local_rtcp(&self) -> Option<SocketAddr> {
        self.rtcp.as_ref()?.local_addr().ok()
    }

    /// Closes the port of RTCP: the peer agreed to multiplex.
    pub fn multiplex(&mut self) {
        self.rtcp = None;
    }
}
