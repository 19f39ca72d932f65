//! The file that describes an estate.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use homing_core::transport::Transport;
use serde::Deserialize;
use thiserror::Error;

use crate::estate::{
    BehindProxy, Dialect, Estate, EstateBuilder, ExtendedProtection, Mode, NoAssociation, OnMove, Role,
    Schemes, UnknownUser, User,
};
use crate::node::config::{GateConfig, RegistrarConfig, SignpostConfig};

/// A configuration as the file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstateConfig {
    domain: String,
    ntlm_domain: Option<String>,
    #[serde(default = "loopback")]
    listen: IpAddr,
    #[serde(default = "tls_only")]
    transports: Vec<FlowRef>,
    #[serde(default)]
    dns_port: u16,
    /// Where the certificate of the authority is written.
    pub ca_file: Option<PathBuf>,
    /// The control socket.
    pub control: Option<PathBuf>,
    directory: Option<PathBuf>,
    #[serde(default)]
    authentication: Authentication,
    #[serde(default)]
    routing: Routing,
    #[serde(default)]
    registrar: Times,
    #[serde(default, rename = "server")]
    servers: Vec<Server>,
    #[serde(default, rename = "user")]
    users: Vec<Person>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Authentication {
    schemes: Schemes,
    realm: Option<String>,
    dialect: Dialect,
    extended_protection: ExtendedProtection,
    patent_literal_headers: bool,
    logins_per_second: Option<NonZeroU32>,
    association_life: Option<NonZeroU32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Routing {
    mode: Mode,
    no_association: NoAssociation,
    behind_proxy: BehindProxy,
    unknown_user: UnknownUser,
    service: Option<String>,
    backup: Option<String>,
    contact_binding: Option<bool>,
    stranger_cap: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Times {
    expires: Option<u32>,
    min_expires: Option<u32>,
    max_expires: Option<u32>,
    keep_alive: Option<u32>,
    flow_timer: Option<u32>,
    on_move: OnMove,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    name: String,
    role: Role,
    tls: Option<u16>,
    tcp: Option<u16>,
    udp: Option<u16>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    name: String,
    password: Option<String>,
    password_file: Option<PathBuf>,
    home: Option<String>,
}

/// A transport as the file writes it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FlowRef {
    Tls,
    Tcp,
    Udp,
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
        let folder = path.parent().unwrap_or(Path::new(""));
        let files = [&mut config.ca_file, &mut config.control, &mut config.directory];
        let secrets = config.users.iter_mut().map(|user| &mut user.password_file);
        for file in files.into_iter().chain(secrets).flatten() {
            *file = folder.join(&*file);
        }
        Ok(config)
    }

    /// The estate it describes.
    ///
    /// # Errors
    /// [`ConfigError`] if a password is missing or its file cannot be read.
    pub fn builder(&self) -> Result<EstateBuilder, ConfigError> {
        let mut builder = Estate::builder()
            .domain(&self.domain)
            .listen(self.listen)
            .transports(self.transports.iter().map(|flow_ref| Transport::from(*flow_ref)))
            .unknown_user(self.routing.unknown_user)
            .port("dns", Transport::Udp, self.dns_port);
        if let Some(name) = &self.ntlm_domain {
            builder = builder.ntlm_domain(name);
        }
        if let Some(file) = &self.directory {
            builder = builder.directory_file(file);
        }
        for server in &self.servers {
            builder = match server.role {
                Role::Home => builder.home(&server.name),
                Role::Distributor => builder.distributor(&server.name),
            };
            let ports =
                [(Transport::Tls, server.tls), (Transport::Tcp, server.tcp), (Transport::Udp, server.udp)];
            for (transport, port) in ports {
                builder = builder.port(&server.name, transport, port.unwrap_or(0));
            }
        }
        for person in &self.users {
            builder = builder.user(person.user()?);
        }
        if let Some(name) = &self.routing.backup {
            builder = builder.backup(name);
        }
        let (authentication, routing) = (self.authentication.clone(), self.routing.clone());
        let times = self.registrar;
        Ok(builder.configure(move |config| {
            authentication.apply(&mut config.gate);
            routing.apply(&mut config.signpost);
            times.apply(&mut config.registrar);
        }))
    }
}

impl Authentication {
    fn apply(&self, gate: &mut GateConfig) {
        gate.schemes = self.schemes;
        gate.dialect = self.dialect;
        gate.extended_protection = self.extended_protection;
        gate.patent_literal_headers = self.patent_literal_headers;
        if let Some(realm) = &self.realm {
            gate.realm.clone_from(realm);
        }
        if let Some(capacity) = self.logins_per_second {
            gate.limits.logins_per_second = capacity.get();
        }
        if let Some(seconds) = self.association_life {
            gate.limits.association = Duration::from_secs(u64::from(seconds.get()));
        }
    }
}

impl Routing {
    fn apply(&self, signpost: &mut SignpostConfig) {
        signpost.mode = self.mode;
        signpost.no_association = self.no_association;
        signpost.behind_proxy = self.behind_proxy;
        if let Some(service) = &self.service {
            signpost.service.clone_from(service);
        }
        signpost.contact_binding = self.contact_binding.unwrap_or(signpost.contact_binding);
        signpost.stranger_cap = self.stranger_cap.unwrap_or(signpost.stranger_cap);
    }
}

impl Times {
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

impl Person {
    fn user(&self) -> Result<User, ConfigError> {
        let user = match (&self.password, &self.password_file) {
            (Some(password), None) => User::new(&self.name, password),
            (None, Some(path)) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|why| ConfigError::Unreadable { path: path.clone(), why })?;
                User::new(&self.name, text.lines().next().unwrap_or_default())
            }
            _ => return Err(ConfigError::Password(self.name.clone())),
        };
        Ok(match &self.home {
            Some(home) => user.assigned(home),
            None => user,
        })
    }
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Person({})", self.name)
    }
}

impl From<FlowRef> for Transport {
    fn from(flow_ref: FlowRef) -> Self {
        match flow_ref {
            FlowRef::Tls => Transport::Tls,
            FlowRef::Tcp => Transport::Tcp,
            FlowRef::Udp => Transport::Udp,
        }
    }
}

fn malformed(path: &Path, text: &str, why: &toml::de::Error) -> ConfigError {
    let at = why.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    let secret = text.lines().nth(line).is_some_and(|line| line.contains("password"));
    let why = if secret { "a password is a text in quotes" } else { why.message() };
    ConfigError::Malformed { path: path.to_owned(), line: line + 1, why: why.to_owned() }
}

fn loopback() -> IpAddr {
    IpAddr::V4(Ipv4Addr::LOCALHOST)
}

fn tls_only() -> Vec<FlowRef> {
    vec![FlowRef::Tls]
}

/// The configuration `--example-config` prints.
pub(super) const EXAMPLE: &str = include_str!("example.toml");
