//! What an offer and its answer come to: all that a session has to know.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use homing_wire::sdp::Direction;

use crate::codec::Codec;
use crate::srtp::MasterKey;

/// What both sides agreed on. Made by [`Negotiation`](crate::Negotiation), taken by
/// [`Session::agree`](crate::Session::agree).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Agreed {
    /// What we send, and by which payload type the peer knows it.
    pub send: Format,
    /// What the peer may send: the formats of our own description.
    pub receive: Vec<Format>,
    /// The payload type of `telephone-event` to the peer; none where it takes no digits (RFC 4733).
    pub send_digits: Option<u8>,
    /// The payload type of `telephone-event` from the peer.
    pub receive_digits: Option<u8>,
    /// Sound in a packet that we send; 10 to 60 ms.
    pub packet_time: Duration,
    /// As this side sees it. Sound that is received against it is not played.
    pub direction: Direction,
    /// Where the peer receives.
    pub remote: Remote,
    /// The keys of both directions; none in the clear.
    pub keys: Option<Keys>,
}

/// A codec and its payload type in one direction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Format {
    /// 0 to 127.
    pub payload: u8,
    /// The encoding.
    pub codec: Codec,
}

/// Where the peer receives, as it said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remote {
    /// The host of the `c=` line.
    pub host: RemoteHost,
    /// That of the `m=` line.
    pub rtp_port: u16,
    /// The host of RTCP where `a=rtcp` names one (RFC 3605).
    pub rtcp_ip: Option<IpAddr>,
    /// The port of RTCP: that of RTP with `a=rtcp-mux` on both sides, that of `a=rtcp`, or the next one.
    pub rtcp_port: u16,
    /// RTP and RTCP share the port (RFC 5761).
    pub rtcp_mux: bool,
}

/// The host of a `c=` line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RemoteHost {
    /// An address to send to.
    Ip(IpAddr),
    /// The unspecified address: the peer holds the call and takes nothing (RFC 3264 section 8.4).
    Nowhere,
    /// A name, which has to be resolved first; [`Agreed::resolved`] takes what came of it.
    Name(Box<str>),
}

/// The master keys of a session.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Keys {
    /// For what we send.
    pub send: MasterKey,
    /// For what the peer sends.
    pub receive: MasterKey,
}

impl Agreed {
    /// The same with the address of a peer that gave a name.
    pub fn resolved(mut self, ip: IpAddr) -> Agreed {
        self.remote.host = RemoteHost::Ip(ip);
        self
    }
}

impl Remote {
    /// Where RTP goes; none while the peer takes nothing or gave a name.
    pub fn rtp(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.ip()?, self.rtp_port)).filter(|at| at.port() != 0)
    }

    /// Where RTCP goes; none where the peer takes none.
    pub fn rtcp(&self) -> Option<SocketAddr> {
        let ip = self.rtcp_ip.or(self.ip())?;
        Some(SocketAddr::new(ip, self.rtcp_port)).filter(|at| at.port() != 0)
    }

    fn ip(&self) -> Option<IpAddr> {
        match self.host {
            RemoteHost::Ip(ip) => Some(ip),
            RemoteHost::Nowhere | RemoteHost::Name(_) => None,
        }
    }
}
