//! A server of the world: one node, its certificate, its lives.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use homing_core::certificate::{CertificateError, CertificateRule};
use homing_core::connect::{ConnectError, TlsProof};
use homing_core::identity::{CertNames, Expected, IdentityError, accepts};
use homing_core::ids::{FlowId, Seed};
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_server_mock::node::Node;
use homing_server_mock::node::config::NodeConfig;

/// One node and what the network knows of it.
pub struct Server {
    /// Short name, as the ladder calls it.
    pub short: String,
    /// Its address.
    pub ip: IpAddr,
    /// What it was born with.
    pub config: NodeConfig,
    /// The names in its certificate.
    pub certificate: CertNames,
    /// False for a server that must never see a credential.
    pub honest: bool,
    /// True while connection attempts to it vanish.
    pub deaf: bool,
    /// How long the directory takes to answer it.
    pub directory_delay: Duration,
    pub(super) node: Option<Node>,
    pub(super) born: Duration,
    pub(super) life: u32,
    pub(super) flows: BTreeMap<FlowId, usize>,
}

impl Server {
    /// A server that is up, with the certificate its name deserves.
    pub fn new(config: NodeConfig, ip: IpAddr, seed: Seed, now: Now) -> Self {
        let names = vec![config.identity.fqdn.clone(), config.identity.domain.clone()];
        Self {
            short: config.identity.name.clone(),
            ip,
            certificate: CertNames { dns: names, ..CertNames::default() },
            honest: true,
            deaf: false,
            directory_delay: Duration::from_millis(1),
            born: now.since_start.0,
            node: Some(Node::new(config.clone(), &seed)),
            config,
            life: 0,
            flows: BTreeMap::new(),
        }
    }

    /// True while it runs.
    pub fn is_up(&self) -> bool {
        self.node.is_some()
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Duration> {
        Some(self.born + self.node.as_ref()?.deadline()?.at.0)
    }

    /// Bindings it holds for `user`, by device.
    pub fn bindings(&self, user: &str) -> usize {
        self.node.as_ref().map_or(0, |node| node.registrar().of(user).len())
    }

    /// True if it holds a binding of that device of `user`.
    pub fn holds(&self, user: &str, epid: &str) -> bool {
        let of =
            |node: &Node| node.registrar().of(user).iter().any(|binding| binding.endpoint.device == epid);
        self.node.as_ref().is_some_and(of)
    }

    /// The address it listens on for `transport`.
    pub fn listens_on(&self, transport: Transport) -> SocketAddr {
        let own = self.config.peer(&self.config.identity.fqdn);
        let port = own.and_then(|peer| peer.port(transport)).unwrap_or(transport.default_port());
        SocketAddr::new(self.ip, port)
    }

    /// Whether its certificate proves what a client expects.
    ///
    /// # Errors
    /// What TLS would say.
    pub fn proves(&self, expected: &Expected) -> Result<String, ConnectError> {
        accepts(expected, &self.certificate).map_err(|why| misnamed(expected, why))
    }

    /// What TLS tells a client whose expectation was met.
    pub fn proof(&self) -> TlsProof {
        let hash = self.config.authentication.end_point_hash.unwrap_or_default();
        TlsProof {
            name: self.config.identity.fqdn.clone(),
            names: self.certificate.carried(),
            pinned: false,
            end_point_hash: Bytes::copy_from_slice(&hash),
            version: "TLSv1.3",
            round_trips: 1,
        }
    }

    /// The link a flow of this server stands for.
    pub fn link_of(&self, flow: FlowId) -> Option<usize> {
        self.flows.get(&flow).copied()
    }
}

/// What TLS tells who dialled somebody else.
fn misnamed(expected: &Expected, why: IdentityError) -> ConnectError {
    let rule = CertificateRule::Identity { expected: expected.to_string(), why };
    ConnectError::Certificate(Box::new(CertificateError::unread(rule)))
}
