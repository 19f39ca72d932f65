//! What this side is willing to agree on, and where it receives.

use std::net::IpAddr;
use std::time::Duration;

use crate::codec::Codec;

/// What an account allows in the sound of its calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// What may be spoken, best first. An answer takes the first of the *offer's* that is here (RFC 3264 section 6.1).
    pub codecs: Vec<Codec>,
    /// How much sound a packet of ours holds where the peer does not say: 10 to 60 ms, in steps of 10.
    pub packet_time: Duration,
    /// Whether sound is encrypted.
    pub security: Security,
    /// The signalling of this call is TLS to a server that proved its name; without, no key is sent or taken.
    pub secure_signalling: bool,
}

/// Whether sound is encrypted (SRTP with keys by SDES, RFC 4568). The servers on the way know such keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Security {
    /// Never; a peer that requires it is refused.
    Off,
    /// Where the peer can, by opportunistic SRTP (RFC 8643): keys beside `RTP/AVP`.
    Optional,
    /// Always; a peer that cannot is refused.
    Required,
}

/// Where this side receives, as the peer is told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LocalAddress {
    /// Perhaps another than the one that is bound.
    pub ip: IpAddr,
    /// Of RTP; even by custom.
    pub rtp_port: u16,
    /// The port of RTCP; none where there is only one socket, which then takes both (RFC 5761).
    pub rtcp_port: Option<u16>,
}

impl Default for Policy {
    /// Both codecs of G.711, 20 ms, encryption where it can be had, and signalling that proves nothing.
    fn default() -> Self {
        Self {
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            packet_time: Duration::from_millis(20),
            security: Security::Optional,
            secure_signalling: false,
        }
    }
}

impl Policy {
    /// Keys may be offered and taken.
    pub(super) fn takes_keys(&self) -> bool {
        self.secure_signalling && self.security != Security::Off
    }
}
