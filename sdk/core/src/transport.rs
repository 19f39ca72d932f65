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

/// What a transport is. This table is the only place that says so.
struct Properties {
    /// In Via, and in lower case in the URI parameter `transport`.
    tokens: (&'static str, &'static str),
    /// SRV names below a domain: that of RFC 3263, then those of Microsoft clients.
    srv: &'static [&'static str],
    /// The NAPTR service of RFC 3263.
    naptr: &'static str,
    port: u16,
    reliable: bool,
    secure: bool,
}

const UDP: Properties = Properties {
    tokens: ("UDP", "udp"),
    srv: &["_sip._udp"],
    naptr: "SIP+D2U",
    port: 5060,
    reliable: false,
    secure: false,
};

const TCP: Properties = Properties {
    tokens: ("TCP", "tcp"),
    srv: &["_sip._tcp", "_sipinternal._tcp"],
    naptr: "SIP+D2T",
    port: 5060,
    reliable: true,
    secure: false,
};

const TLS: Properties = Properties {
    tokens: ("TLS", "tls"),
    srv: &["_sips._tcp", "_sipinternaltls._tcp", "_sip._tls"],
    naptr: "SIPS+D2T",
    port: 5061,
    reliable: true,
    secure: true,
};

impl Transport {
    /// Every transport, the most wanted first.
    pub const ALL: [Transport; 3] = [Transport::Tls, Transport::Tcp, Transport::Udp];

    /// What `sips:` means (RFC 3261 section 26.2.2), and what is meant where nothing else is said.
    pub const SIPS: Transport = Transport::Tls;

    const fn properties(self) -> &'static Properties {
        match self {
            Transport::Udp => &UDP,
            Transport::Tcp => &TCP,
            Transport::Tls => &TLS,
        }
    }

    /// True where the transport itself repeats what is lost (RFC 3261 section 17).
    pub fn is_reliable(self) -> bool {
        self.properties().reliable
    }

    /// True where the peer is verified and the wire is not readable.
    pub fn is_secure(self) -> bool {
        self.properties().secure
    }

    /// The port that is meant when none is written (RFC 3261 section 19.1.2).
    pub fn default_port(self) -> u16 {
        self.properties().port
    }

    /// The token of Via: `UDP`, `TCP`, `TLS`.
    pub fn via_token(self) -> &'static str {
        self.properties().tokens.0
    }

    /// The value of the URI parameter `transport`: `udp`, `tcp`, `tls`.
    pub fn uri_token(self) -> &'static str {
        self.properties().tokens.1
    }

    /// The SRV names below a domain: that of RFC 3263 section 4.1 first, then those of Microsoft clients.
    pub fn srv_prefixes(self) -> &'static [&'static str] {
        self.properties().srv
    }

    /// The service of NAPTR records (RFC 3263 section 4.1).
    pub fn naptr_service(self) -> &'static str {
        self.properties().naptr
    }

    /// Reads a Via token or a URI parameter value, in any letter case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transport| transport.uri_token().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.via_token())
    }
}
