//! The file that describes an estate.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use homing_core::transport::Transport;
use homing_net::NetConfig;
use serde::Deserialize;
use thiserror::Error;
use toml::Table;

use super::calls_section::CallsSection;
use super::check::{check, key_file_beside};
use super::fault_section::FaultSection;
use super::party_section::PartySection;
use super::server_section::{ServerSection, TransportName};
use crate::estate::{
    BehindProxy, Dialect, EstateBuilder, ExtendedProtection, Mode, NoAssociation, OnMove, Schemes,
    UnknownUser, User,
};
use crate::node::config::{AuthenticationConfig, RegistrarConfig, RoutingConfig};
use crate::node::destinations::Destinations;
use crate::node::limits::Limits;

/// A configuration as the file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstateConfig {
    domain: String,
    ntlm_domain: Option<String>,
    #[serde(default = "loopback")]
    listen: IpAddr,
    #[serde(default = "tls_only")]
    transports: Vec<TransportName>,
    #[serde(default)]
    dns_port: u16,
    /// Where the certificate of the authority is written.
    pub ca_file: Option<PathBuf>,
    /// Where the authority's private key is kept; beside the certificate unless said.
    ca_key_file: Option<PathBuf>,
    /// Whether ports that the system chose are chosen again at the next start.
    #[serde(default = "yes")]
    pub(super) keep_ports: bool,
    /// The control socket.
    pub control: Option<PathBuf>,
    directory: Option<PathBuf>,
    #[serde(default)]
    authentication: AuthenticationSection,
    #[serde(default)]
    routing: RoutingSection,
    #[serde(default)]
    registrar: RegistrarSection,
    #[serde(default)]
    limits: LimitsSection,
    #[serde(default)]
    calls: CallsSection,
    #[serde(default, rename = "server")]
    servers: Vec<ServerSection>,
    #[serde(default, rename = "user")]
    users: Vec<UserSection>,
    #[serde(default, rename = "party")]
    parties: Vec<PartySection>,
    #[serde(default, rename = "fault")]
    faults: Vec<FaultSection>,
    /// What the file said beside its users, as it was written: nothing of it changes while the estate runs.
    #[serde(skip)]
    pub(super) lasting: Table,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AuthenticationSection {
    schemes: Schemes,
    realm: Option<String>,
    dialect: Dialect,
    extended_protection: ExtendedProtection,
    patent_literal_headers: bool,
    logins_per_second: Option<NonZeroU32>,
    association_life: Option<NonZeroU32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsSection {
    associations_per_connection: Option<NonZeroUsize>,
    challenges_per_connection: Option<NonZeroUsize>,
    challenges_per_source: Option<NonZeroUsize>,
    nonces: Option<NonZeroUsize>,
    wrong_answers: Option<NonZeroU32>,
    udp_clients: Option<NonZeroUsize>,
    udp_strangers: Option<NonZeroUsize>,
    unfinished_bytes: Option<NonZeroUsize>,
    journal_bytes: Option<NonZeroUsize>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RoutingSection {
    mode: Mode,
    no_association: NoAssociation,
    behind_proxy: BehindProxy,
    unknown_user: UnknownUser,
    service: Option<String>,
    backup: Option<String>,
    contact_binding: Option<bool>,
    rate_limit: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RegistrarSection {
    expires: Option<u32>,
    min_expires: Option<u32>,
    max_expires: Option<u32>,
    keep_alive: Option<u32>,
    flow_timer: Option<u32>,
    on_move: OnMove,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserSection {
    name: String,
    password: Option<String>,
    password_file: Option<PathBuf>,
    home: Option<String>,
    #[serde(default = "yes")]
    enabled: bool,
    may_call: Option<Vec<String>>,
}

/// Why a file describes no estate.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{path}: {why}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        why: std::io::Error,
    },
    /// It is not what it should be. The line is named and not shown: a password may stand in it.
    #[error("{path}, line {line}: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// The parser's reason.
        why: String,
    },
    /// Its settings can be read, and no estate can work with them.
    #[error("{path}, line {line}: {why}")]
    Unworkable {
        /// The file.
        path: PathBuf,
        /// Where, from 1.
        line: usize,
        /// What is wrong.
        why: String,
        /// What helps.
        cure: &'static str,
    },
    /// A user has no password, or two.
    #[error("user `{0}`: give either `password` or `password_file`")]
    Password(String),
}

impl EstateConfig {
    /// Reads a file. Relative paths in it are meant from its own folder.
    ///
    /// # Errors
    /// [`ConfigError`] with the place of the fault.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|why| ConfigError::Unreadable { path: path.to_owned(), why })?;
        let mut config: Self = toml::from_str(&text).map_err(|why| malformed(path, &text, &why))?;
        config.lasting = toml::from_str(&text).map_err(|why| malformed(path, &text, &why))?;
        config.lasting.remove("user");
        check(&text).map_err(|found| ConfigError::Unworkable {
            path: path.to_owned(),
            line: line_of(&text, found.at),
            why: found.why,
            cure: found.cure,
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let own = [&mut config.ca_file, &mut config.ca_key_file];
        let files = own.into_iter().chain([&mut config.control, &mut config.directory]);
        let secrets = config.users.iter_mut().map(|user| &mut user.password_file);
        for file in files.chain(secrets).flatten() {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// The SIP domain, as it is served.
    pub(super) fn domain(&self) -> String {
        self.domain.trim_end_matches('.').to_ascii_lowercase()
    }

    /// Where the private key of the authority is kept; none where its certificate is not.
    pub(super) fn ca_key_file(&self) -> Option<PathBuf> {
        let beside = || Some(key_file_beside(self.ca_file.as_ref()?));
        self.ca_key_file.clone().or_else(beside)
    }

    /// True if the file says how much the journal holds.
    pub(super) fn sizes_journal(&self) -> bool {
        self.limits.journal_bytes.is_some()
    }

    /// True if the file gives this server a port for this transport.
    pub(super) fn has_port(&self, server: &str, transport: Transport) -> bool {
        let of = |section: &&ServerSection| section.name == server;
        let ports = self.servers.iter().find(of).into_iter().flat_map(|section| &section.ports);
        ports.into_iter().any(|(name, port)| name.0 == transport && *port > 0)
    }

    /// The port of the name server; 0 where the system chooses it.
    pub(super) fn dns_port(&self) -> u16 {
        self.dns_port
    }

    /// What its servers play from the start.
    pub(super) fn faults(&self) -> &[FaultSection] {
        &self.faults
    }

    /// The users.
    ///
    /// # Errors
    /// [`ConfigError`] if a password is missing or its file cannot be read.
    pub(super) fn users(&self) -> Result<Vec<User>, ConfigError> {
        self.users.iter().map(|user| user.user(self.calls.may_call.as_ref())).collect()
    }

    /// How a phone signs in here: the command, and where its password is. None without users.
    pub(super) fn login(&self, file: &Path, name_server: SocketAddr) -> Option<String> {
        let user = self.users.iter().find(|user| user.enabled)?;
        let ca_file =
            self.ca_file.as_ref().map(|path| format!(" --ca-file {}", quoted(path))).unwrap_or_default();
        let (password, where_it_is) = match &user.password_file {
            Some(path) => (format!(" --password-file {}", quoted(path)), String::new()),
            None => (String::new(), format!("  its password stands in {}\n", file.display())),
        };
        let address = format!("{}@{}", user.name, self.domain);
        Some(format!(
            "sign in with\n  homing login {address} --name-server {name_server}{ca_file}{password}\n{where_it_is}"
        ))
    }

    /// The estate it describes.
    ///
    /// # Errors
    /// [`ConfigError`] if a password is missing or its file cannot be read.
    pub fn builder(&self) -> Result<EstateBuilder, ConfigError> {
        let mut builder = EstateBuilder::new()
            .domain(&self.domain)
            .listen(self.listen)
            .transports(self.transports.iter().map(|name| name.0))
            .unknown_user(self.routing.unknown_user)
            .dns_port(self.dns_port);
        if let Some(name) = &self.ntlm_domain {
            builder = builder.ntlm_domain(name);
        }
        if let Some(file) = &self.directory {
            builder = builder.directory_file(file);
        }
        for server in &self.servers {
            builder = builder.server(&server.name, server.role);
            for (transport, port) in &server.ports {
                builder = builder.port(&server.name, transport.0, *port);
            }
        }
        for user in self.users()? {
            builder = builder.user(user);
        }
        for section in &self.parties {
            builder = builder.party(&section.home, section.party());
        }
        if let Some(octets) = self.limits.journal_bytes {
            builder = builder.journal_bytes(octets.get());
        }
        if let Some(name) = &self.routing.backup {
            builder = builder.backup(name);
        }
        let (authentication, routing) = (self.authentication.clone(), self.routing.clone());
        let (times, limits, calls) = (self.registrar, self.limits, self.calls.clone());
        builder = builder.sockets(limits.sockets());
        Ok(builder.configure(move |config| {
            authentication.apply(&mut config.authentication);
            limits.apply(&mut config.authentication.limits);
            routing.apply(&mut config.routing);
            times.apply(&mut config.registrar);
            calls.apply(&mut config.calls);
        }))
    }
}

impl AuthenticationSection {
    fn apply(&self, authentication: &mut AuthenticationConfig) {
        authentication.schemes = self.schemes;
        authentication.dialect = self.dialect;
        authentication.extended_protection = self.extended_protection;
        authentication.patent_literal_headers = self.patent_literal_headers;
        if let Some(realm) = &self.realm {
            authentication.realm.clone_from(realm);
        }
        if let Some(capacity) = self.logins_per_second {
            authentication.limits.logins_per_second = capacity.get();
        }
        if let Some(seconds) = self.association_life {
            authentication.limits.association = Duration::from_secs(u64::from(seconds.get()));
        }
    }
}

impl LimitsSection {
    fn apply(self, limits: &mut Limits) {
        for (given, field) in [
            (self.associations_per_connection, &mut limits.associations),
            (self.challenges_per_connection, &mut limits.half_open_of_connection),
            (self.challenges_per_source, &mut limits.half_open_of_source),
            (self.nonces, &mut limits.nonces),
            (self.udp_clients, &mut limits.datagram_peers),
        ] {
            *field = given.map_or(*field, NonZeroUsize::get);
        }
        limits.wrong_answers = self.wrong_answers.map_or(limits.wrong_answers, NonZeroU32::get);
    }

    fn sockets(self) -> NetConfig {
        let fresh = NetConfig::default();
        NetConfig {
            datagram_peers: self.udp_strangers.map_or(fresh.datagram_peers, NonZeroUsize::get),
            unfinished_bytes: self.unfinished_bytes.map_or(fresh.unfinished_bytes, NonZeroUsize::get),
            ..fresh
        }
    }
}

impl RoutingSection {
    fn apply(&self, routing: &mut RoutingConfig) {
        routing.mode = self.mode;
        routing.no_association = self.no_association;
        routing.behind_proxy = self.behind_proxy;
        if let Some(service) = &self.service {
            routing.service.clone_from(service);
        }
        routing.contact_binding = self.contact_binding.unwrap_or(routing.contact_binding);
        routing.rate_limit = self.rate_limit.unwrap_or(routing.rate_limit);
    }
}

impl RegistrarSection {
    fn apply(self, registrar: &mut RegistrarConfig) {
        for (given, field) in [
            (self.expires, &mut registrar.default_expires),
            (self.min_expires, &mut registrar.min_expires),
            (self.max_expires, &mut registrar.max_expires),
            (self.keep_alive, &mut registrar.keep_alive),
            (self.flow_timer, &mut registrar.flow_timer),
        ] {
            *field = given.unwrap_or(*field);
        }
        registrar.on_move = self.on_move;
    }
}

impl UserSection {
    /// `others` are those whom users may call of whom nothing is said.
    fn user(&self, others: Option<&Vec<String>>) -> Result<User, ConfigError> {
        let user = match (&self.password, &self.password_file) {
            (Some(password), None) => User::new(&self.name, password),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|why| ConfigError::Unreadable { path: path.clone(), why })?;
                User::new(&self.name, text.lines().next().unwrap_or_default())
            }
            _ => return Err(ConfigError::Password(self.name.clone())),
        };
        let user = match &self.home {
            Some(home) => user.assigned(home),
            None => user,
        };
        let user = match self.may_call.as_ref().or(others) {
            Some(patterns) => user.may_call(Destinations::only(patterns)),
            None => user,
        };
        Ok(if self.enabled { user } else { user.disabled() })
    }
}

impl std::fmt::Debug for UserSection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserSection({})", self.name)
    }
}

fn malformed(path: &Path, text: &str, why: &toml::de::Error) -> ConfigError {
    let at = why.span().map_or(0, |span| span.start.min(text.len()));
    let line = line_of(text, at);
    let secret = text.lines().nth(line - 1).is_some_and(|line| line.contains("password"));
    let renamed =
        RENAMED.iter().find(|(old, _)| why.message().starts_with(&format!("unknown field `{old}`")));
    let why = match renamed {
        Some((old, new)) => format!("`{old}` is called `{new}` now"),
        None if secret => "a password is a text in quotes".to_owned(),
        None => why.message().to_owned(),
    };
    ConfigError::Malformed { path: path.to_owned(), line, why }
}

/// The line of an octet, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}

/// Settings of earlier versions and what they are called now.
const RENAMED: &[(&str, &str)] = &[("stranger_cap", "rate_limit")];

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn loopback() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

fn yes() -> bool {
    true
}

fn tls_only() -> Vec<TransportName> {
    vec![TransportName(Transport::SIPS)]
}

/// The configuration `--example-config` prints.
pub(super) const EXAMPLE: &str = include_str!("example.toml");
