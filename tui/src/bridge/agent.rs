//! A user agent as the configuration wants it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use homing::error::PemError;
use homing::tls::{KeyLogFile, TlsClient};
use homing::{Resolver, Roots, StartError, UserAgent};
use thiserror::Error;

use crate::config::{Config, StoreFault, read};
use crate::messages::Problem;

/// What an agent is equipped with.
pub(crate) struct AgentSetup {
    pub(crate) resolver: Resolver,
    pub(crate) tls: TlsClient,
    pub(crate) trace_bytes: usize,
}

/// Why there is no user agent.
#[derive(Debug, Error)]
pub(crate) enum StartFault {
    #[error("{0}")]
    Start(#[from] StartError),
    #[error("network.ca_file: there is no file {0}")]
    Missing(PathBuf),
    #[error("network.ca_file: {0}")]
    File(#[from] StoreFault),
    #[error("network.ca_file: {0}")]
    Pem(#[from] PemError),
    #[error("--key-log: {0}")]
    KeyLog(std::io::Error),
    #[error("network.name_server: `{0}` is not an address")]
    NameServer(String),
    #[error("network.system_roots is off and no network.ca_file is named: no server could be trusted")]
    NoRoots,
}

/// Resolver and TLS of a configuration.
///
/// # Errors
/// The setting that is not usable.
pub(crate) fn agent_setup(config: &Config) -> Result<AgentSetup, StartFault> {
    let name_server = config.text("network.name_server");
    let resolver = match name_server.as_str() {
        "" => Resolver::system(),
        text => Resolver::name_server(address(text).ok_or_else(|| StartFault::NameServer(text.to_owned()))?),
    };
    let system = config.flag("network.system_roots");
    let roots = match (config.path("network.ca_file"), system) {
        (None, true) => Roots::platform(),
        (None, false) => return Err(StartFault::NoRoots),
        (Some(path), true) => Roots::platform_and_pem(&pem(&path)?)?,
        (Some(path), false) => Roots::pem(&pem(&path)?)?,
    };
    let trace_bytes = usize::try_from(config.number("trace.bytes")).unwrap_or(0);
    let tls = TlsClient::new(roots);
    let tls = match config.key_log() {
        Some(path) => tls.with_key_log(KeyLogFile::open(path).map_err(StartFault::KeyLog)?),
        None => tls,
    };
    Ok(AgentSetup { resolver, tls, trace_bytes })
}

impl StartFault {
    /// The setting at fault, and what is wrong with it.
    pub(crate) fn setting(&self) -> (&'static str, String) {
        let text = self.to_string();
        let path = ["network.ca_file", "network.name_server", "network.system_roots"]
            .into_iter()
            .find(|path| text.starts_with(path));
        let rest = path.and_then(|path| text.strip_prefix(path)).unwrap_or(&text);
        (path.unwrap_or("network"), rest.trim_start_matches(": ").trim_start().to_owned())
    }
}

impl AgentSetup {
    /// Starts the agent.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn start(self) -> Result<UserAgent, StartFault> {
        let builder = UserAgent::builder().resolver(self.resolver).tls(self.tls);
        Ok(builder.trace_bytes(self.trace_bytes).build()?)
    }
}

impl From<&StartFault> for Problem {
    fn from(fault: &StartFault) -> Self {
        Problem::new(
            "E0102",
            fault,
            "Correct the setting; `homing config show` lists them with their source.",
        )
    }
}

/// The text of a CA file. One that is missing is not as good as an empty one.
fn pem(path: &Path) -> Result<String, StartFault> {
    if !path.exists() {
        return Err(StartFault::Missing(path.to_owned()));
    }
    Ok(read(path)?)
}

/// An address with the port of DNS where none is written.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    text.parse().ok().or_else(bare)
}
