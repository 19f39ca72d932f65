//! The transports SIP travels by, and what each implies.

use std::fmt;

/// A transport protocol of RFC 3261 section 18.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Datagrams; retransmission is ours.
    Udp,
    /// A byte stream in the clear.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl Transport {
    /// True where the transport itself repeats what is lost (RFC 3261 section 17).
    pub fn is_reliable(self) -> bool {
        self != Transport::Udp
    }

    /// True where the peer is verified and the wire is not readable.
    pub fn is_secure(self) -> bool {
        self == Transport::Tls
    }

    /// The port that is meant when none is written (RFC 3261 section 19.1.2).
    pub fn default_port(self) -> u16 {
        if self.is_secure() { 5061 } else { 5060 }
    }

    /// The token of Via: `UDP`, `TCP`, `TLS`.
    pub fn via_token(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
        }
    }

    /// The value of the URI parameter `transport`: `udp`, `tcp`, `tls`.
    pub fn uri_token(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
        }
    }

    /// Reads a Via token or a URI parameter value, in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        [Transport::Udp, Transport::Tcp, Transport::Tls]
            .into_iter()
            .find(|transport| transport.uri_token().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.via_token())
    }
}
