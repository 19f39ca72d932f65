//! What a node is told at birth: who it is, who may pass, and how it decides.

use std::sync::Arc;

use homing_core::config::Timers;
use homing_core::transport::Transport;

use super::accounts::Accounts;
use super::authenticator::acceptor::ServerNames;
use super::limits::Limits;
use super::party::Party;
use crate::directory::RTC;
use crate::role::Role;

/// One server.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Its names.
    pub identity: Identity,
    /// Its part in the estate.
    pub role: Role,
    /// Who may pass.
    pub authentication: AuthenticationConfig,
    /// Accept, redirect or proxy.
    pub routing: RoutingConfig,
    /// Bindings.
    pub registrar: RegistrarConfig,
    /// Requests that are passed on, and the calls that come of them.
    pub calls: CallsConfig,
    /// Users whose calls this server takes by itself; their home is this server.
    pub parties: Vec<Party>,
    /// RFC 3261 T1, T2, T4.
    pub timers: Timers,
    /// Who may sign in.
    pub accounts: Arc<Accounts>,
    /// Every server of the estate, this one too, in the estate's order.
    pub peers: Vec<Peer>,
}

/// Names of a server.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Short name, for journals.
    pub name: String,
    /// Fully qualified name, lower case.
    pub fqdn: String,
    /// The SIP domain it serves, lower case.
    pub domain: String,
}

/// A server of the estate as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Fully qualified name, lower case.
    pub fqdn: String,
    /// Where it listens for clients, and always for other servers ([`BETWEEN_SERVERS`]).
    pub ports: Vec<(Transport, u16)>,
}

/// How users prove who they are.
#[derive(Clone, Debug)]
pub struct AuthenticationConfig {
    /// Which schemes are offered.
    pub schemes: Schemes,
    /// Which protocol generation NTLM speaks.
    pub dialect: Dialect,
    /// Realm of NTLM; real servers say `SIP Communications Service`.
    pub realm: String,
    /// What the server calls itself in NTLM challenges.
    pub names: ServerNames,
    /// Whether NTLM challenges carry the time (pair 7).
    pub timestamp: bool,
    /// Whether clients must, may or cannot bind their login to this server (decision 14).
    pub extended_protection: ExtendedProtection,
    /// SHA-256 of the TLS certificate, for channel bindings.
    pub end_point_hash: Option<[u8; 32]>,
    /// Whether signatures of 301 and 200 stand also where the patent prints them.
    pub patent_literal_headers: bool,
    /// Bounds.
    pub limits: Limits,
}

/// Which schemes are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schemes {
    /// NTLM to clients that look like Microsoft's, Digest to all others.
    #[default]
    NtlmAndDigest,
    /// As above, with MD5 among the Digest algorithms.
    NtlmAndDigestMd5,
    /// NTLM only.
    Ntlm,
    /// Digest only.
    Digest,
    /// Digest only, MD5 too.
    DigestMd5,
    /// Digest with MD5 and nothing else: for clients that stop at the first algorithm they do not know.
    Md5,
    /// No credentials are asked for: a closed test network (patent paragraph 31).
    None,
}

/// Which protocol generation NTLM speaks (settled by the client's first request in `auto`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// As the client's headers suggest.
    #[default]
    Auto,
    /// The patent and MS-SIP: 407, no version.
    Sip2,
    /// The same by 401, as pidgin-sipe's version 2 expects it in order to sign and verify.
    #[serde(rename = "sip2_401")]
    Sip2By401,
    /// MS-SIPAE: 401, `version=3`.
    Sipae3,
    /// MS-SIPAE: 401, `version=4`.
    Sipae4,
}

/// NTLM's protection against relaying, as the server sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExtendedProtection {
    /// Bindings are ignored.
    Off,
    /// Bindings that are sent must be right.
    #[default]
    Accept,
    /// Bindings must be sent and right.
    Require,
}

/// How a server decides what becomes of an authenticated REGISTER.
#[derive(Clone, Debug)]
pub struct RoutingConfig {
    /// Redirect or proxy.
    pub mode: Mode,
    /// What happens to users at the wrong server who have no association to sign a 301 with (decision 6).
    pub no_association: NoAssociation,
    /// Who authenticates a client whose requests are proxied.
    pub behind_proxy: BehindProxy,
    /// Whether the To tag of a 301 binds its Contacts.
    pub contact_binding: bool,
    /// The service that is looked up.
    pub service: String,
    /// Fully qualified name of a second home server that redirects name beside the first, for clients that
    /// announce `ms-cluster-failover`.
    pub backup: Option<String>,
    /// Requests per minute that come through servers that are not configured, for each source address.
    pub rate_limit: u32,
}

/// Redirect or proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One Via redirects, more proxy (patent claim 11).
    #[default]
    ByVia,
    /// Always redirect (claims 1, 10, 33).
    AlwaysRedirect,
    /// Always proxy (claims 21, 30, 35).
    AlwaysProxy,
}

/// Who authenticates a client whose requests are proxied (decision 15).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BehindProxy {
    /// The server that proxies; the home server takes its word.
    #[default]
    Trust,
    /// The home server; the one that proxies relays challenges and credentials untouched (patent
    /// paragraphs 32, 41).
    Rechallenge,
}

/// What happens to a client that belongs elsewhere and has no association.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoAssociation {
    /// Its requests are proxied.
    #[default]
    Proxy,
    /// It gets an unsigned 301, over TLS only.
    #[serde(rename = "unsigned_301")]
    Unsigned301,
    /// It gets a 403.
    #[serde(rename = "403")]
    Forbid,
}

/// How bindings live.
#[derive(Clone, Copy, Debug)]
pub struct RegistrarConfig {
    /// Expires granted where none is asked for, in seconds.
    pub default_expires: u32,
    /// The shortest that is granted.
    pub min_expires: u32,
    /// The longest that is granted.
    pub max_expires: u32,
    /// `timeout` of ms-keep-alive, in seconds.
    pub keep_alive: u32,
    /// `Flow-Timer` for RFC 5626 clients and the value of `keep` (RFC 6223), in seconds.
    pub flow_timer: u32,
    /// Endpoints one user may have; one more pushes out the oldest.
    pub endpoints: usize,
    /// What becomes of bindings here whose user was assigned to another server.
    pub on_move: OnMove,
}

/// How many requests are passed on, how widely, and how many calls are remembered.
#[derive(Clone, Copy, Debug)]
pub struct CallsConfig {
    /// Requests that are passed on at the same time; one more gets 503 with Retry-After.
    pub contexts: usize,
    /// Of them, those of one user, and those that come unproved by one connection; one more gets 503 with Retry-After.
    pub requests_of_user: usize,
    /// Devices that ring at the same time for one request, where it does not say less (RFC 5393 Max-Breadth).
    pub breadth: u32,
    /// Unanswered INVITEs one user may have under way; one more gets 503 with Retry-After.
    pub from_user: usize,
    /// Unanswered INVITEs that may ring for one user; one more gets 486.
    pub to_user: usize,
    /// Calls remembered of one device.
    pub dialogs_of_endpoint: usize,
    /// Calls remembered in all.
    pub dialogs: usize,
}

/// What becomes of bindings whose user was assigned to another server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMove {
    /// Within one lease they are void and the client is told to sign in again, if it understands that; one
    /// that does not is moved by its next refresh. A refresh that comes sooner meets the 301 in any case.
    #[default]
    Recall,
    /// The next refresh meets a 301 (patent paragraph 67); until then the bindings are good.
    AtRefresh,
}

/// What servers of an estate reach each other by: both ends prove their names, and the messages are encrypted. Every server
/// listens for it.
pub const BETWEEN_SERVERS: Transport = Transport::SIPS;

impl NodeConfig {
    /// A node with the estate's defaults.
    pub fn new(name: &str, domain: &str, role: Role) -> Self {
        let domain = domain.to_ascii_lowercase();
        let fqdn = format!("{}.{domain}", name.to_ascii_lowercase());
        Self {
            authentication: AuthenticationConfig::new(&fqdn, &domain),
            identity: Identity { name: name.to_owned(), fqdn, domain },
            role,
            routing: RoutingConfig::default(),
            registrar: RegistrarConfig::default(),
            calls: CallsConfig::default(),
            parties: Vec::new(),
            timers: Timers::default(),
            accounts: Arc::default(),
            peers: Vec::new(),
        }
    }

    /// The server of the estate with this name, this one included.
    pub fn peer(&self, fqdn: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.fqdn.eq_ignore_ascii_case(fqdn))
    }
}

impl Peer {
    /// The port it listens on for `transport`.
    pub fn port(&self, transport: Transport) -> Option<u16> {
        self.ports.iter().find(|(listens, _)| *listens == transport).map(|(_, port)| *port)
    }
}

impl AuthenticationConfig {
    /// The defaults for the server `fqdn` of `domain`.
    pub fn new(fqdn: &str, domain: &str) -> Self {
        Self {
            schemes: Schemes::default(),
            dialect: Dialect::default(),
            realm: "SIP Communications Service".to_owned(),
            names: ServerNames::of(fqdn, domain),
            timestamp: true,
            extended_protection: ExtendedProtection::default(),
            end_point_hash: None,
            patent_literal_headers: false,
            limits: Limits::default(),
        }
    }
}

impl Schemes {
    /// True if NTLM is offered.
    pub fn ntlm(self) -> bool {
        matches!(self, Schemes::NtlmAndDigest | Schemes::NtlmAndDigestMd5 | Schemes::Ntlm)
    }

    /// True if Digest is offered.
    pub fn digest(self) -> bool {
        !matches!(self, Schemes::Ntlm | Schemes::None)
    }

    /// True if the algorithms of RFC 8760 are among those of Digest.
    pub fn sha2(self) -> bool {
        self.digest() && self != Schemes::Md5
    }

    /// True if MD5 is among the Digest algorithms.
    pub fn md5(self) -> bool {
        matches!(self, Schemes::NtlmAndDigestMd5 | Schemes::DigestMd5 | Schemes::Md5)
    }
}

impl Default for RoutingConfig {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            no_association: NoAssociation::default(),
            behind_proxy: BehindProxy::default(),
            contact_binding: true,
            service: RTC.to_owned(),
            backup: None,
            rate_limit: 120,
        }
    }
}

impl Default for CallsConfig {
    fn default() -> Self {
        Self {
            contexts: 8_000,
            requests_of_user: 500,
            breadth: 16,
            from_user: 16,
            to_user: 16,
            dialogs_of_endpoint: 64,
            dialogs: 50_000,
        }
    }
}

impl Default for RegistrarConfig {
    fn default() -> Self {
        Self {
            default_expires: 7200,
            min_expires: 60,
            max_expires: 86_400,
            keep_alive: 300,
            flow_timer: 120,
            endpoints: 16,
            on_move: OnMove::default(),
        }
    }
}
