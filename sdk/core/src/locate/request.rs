//! What is looked for: the servers of a domain, or the one a URI names.

use homing_wire::Uri;

use crate::address::literal;
use crate::identity::{Expected, lies_within};
use crate::limits::Limits;
use crate::transport::Transport;

/// One search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is looked for.
    pub wanted: Wanted,
    /// Transports allowed, in order of preference.
    pub transports: Vec<Transport>,
    /// Targets handed out at most.
    pub targets: usize,
}

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wanted {
    /// The servers of a SIP domain: the Microsoft names first, then RFC 3263. A domain that is an address is
    /// dialled, and its certificate must name that address.
    Domain(String),
    /// The host of a URI or of a configured server, by RFC 3263 alone. Its certificate must name
    /// exactly this host (decision 24).
    Host {
        /// Host name or address literal, without brackets.
        host: String,
        /// The port, if one is written: then nothing but addresses is looked up.
        port: Option<u16>,
        /// The transport, if one is written.
        transport: Option<Transport>,
        /// A `sips:` URI: TLS and nothing else.
        secure: bool,
    },
}

impl Request {
    /// A search with the default bound on targets.
    pub fn new(wanted: Wanted, transports: &[Transport]) -> Self {
        Self { wanted, transports: transports.to_vec(), targets: Limits::default().targets }
    }

    /// The host of a SIP URI: a redirect's Contact, a Route, a Request-URI. `maddr` does not count; none
    /// for other schemes and for a transport this user agent does not speak.
    pub fn for_uri(uri: &Uri<'_>, transports: &[Transport]) -> Option<Self> {
        if !uri.is_sip() && !uri.is_sips() {
            return None;
        }
        let transport = match uri.transport() {
            Some(token) => Some(Transport::parse(token)?),
            None => None,
        };
        let host = uri.host();
        let host = host.ip().map_or_else(|| host.to_string(), |ip| ip.to_string());
        let wanted = Wanted::Host { host, port: uri.port(), transport, secure: uri.is_sips() };
        Some(Self::new(wanted, transports))
    }

    /// Bounds the number of targets.
    #[must_use]
    pub fn at_most(mut self, targets: usize) -> Self {
        self.targets = targets;
        self
    }

    /// The transports that may be used, best first. A written transport stands alone; `sips` and the
    /// URI parameter `transport=tcp` of a `sips` URI both mean TLS (RFC 3261 section 26.2.2).
    pub(super) fn transports(&self) -> Vec<Transport> {
        let allowed = self.transports.iter().copied();
        match self.wanted {
            Wanted::Domain(_) => allowed.collect(),
            Wanted::Host { secure: true, transport, .. } => {
                let speakable = transport.is_none_or(Transport::is_reliable);
                allowed.filter(|transport| speakable && transport.is_secure()).collect()
            }
            Wanted::Host { transport: Some(written), .. } => allowed.filter(|one| *one == written).collect(),
            Wanted::Host { transport: None, .. } => allowed.collect(),
        }
    }

    /// Strict naming: true if the domain's servers may not bear this name. Over TLS
    /// the certificate decides that; in the clear there is nothing but the name.
    pub(super) fn strays(&self, host: &str, transport: Transport) -> bool {
        match &self.wanted {
            Wanted::Domain(domain) => !transport.is_secure() && !lies_within(host, domain),
            Wanted::Host { .. } => false,
        }
    }

    /// Whom the server found under the name `dialled` must prove to be.
    pub(super) fn expected(&self, dialled: &str) -> Expected {
        match &self.wanted {
            Wanted::Domain(domain) => match literal(domain) {
                Some(ip) => Expected::host(&ip.to_string()),
                None => Expected::discovered(domain, dialled),
            },
            Wanted::Host { host, .. } => match literal(host) {
                Some(ip) => Expected::host(&ip.to_string()),
                None => Expected::host(host),
            },
        }
    }
}
