//! A user agent as the configuration wants it.

use std::net::{IpAddr, SocketAddr};

use homing::error::PemError;
use homing::{Resolver, Roots, StartError, UserAgent};
use thiserror::Error;

use crate::config::{Config, StoreFault, read};
use crate::words::Trouble;

/// What an agent is equipped with.
pub(crate) struct Equipped {
    pub(crate) resolver: Resolver,
    pub(crate) roots: Roots,
    pub(crate) trace_bytes: usize,
}

/// Why there is no user agent.
#[derive(Debug, Error)]
pub(crate) enum StartFault {
    #[error("{0}")]
    Start(#[from] StartError),
    #[error("network.ca_file: {0}")]
    File(#[from] StoreFault),
    #[error("network.ca_file: {0}")]
    Pem(#[from] PemError),
    #[error("network.name_server: `{0}` is no address")]
    NameServer(String),
    #[error("network.system_roots is off and no network.ca_file is named: nobody would be trusted")]
    NoRoots,
}

/// Resolver and roots of a configuration.
///
/// # Errors
/// The setting that is not usable.
pub(crate) fn equip(config: &Config) -> Result<Equipped, StartFault> {
    let name_server = config.text("network.name_server");
    let resolver = match name_server.as_str() {
        "" => Resolver::system(),
        text => Resolver::name_server(address(text).ok_or_else(|| StartFault::NameServer(text.to_owned()))?),
    };
    let ca_file = config.text("network.ca_file");
    let system = config.flag("network.system_roots");
    let roots = match (ca_file.as_str(), system) {
        ("", true) => Roots::platform(),
        ("", false) => return Err(StartFault::NoRoots),
        (path, true) => Roots::platform_and_pem(&read(path.as_ref())?)?,
        (path, false) => Roots::pem(&read(path.as_ref())?)?,
    };
    let trace_bytes = usize::try_from(config.number("trace.bytes")).unwrap_or(0);
    Ok(Equipped { resolver, roots, trace_bytes })
}

impl Equipped {
    /// Starts the agent.
    ///
    /// # Errors
    /// What the system refuses.
    pub(crate) fn start(self) -> Result<UserAgent, StartFault> {
        let builder = UserAgent::builder().resolver(self.resolver).roots(self.roots);
        Ok(builder.trace_bytes(self.trace_bytes).build()?)
    }
}

impl From<&StartFault> for Trouble {
    fn from(fault: &StartFault) -> Self {
        Trouble::new(
            "E0102",
            fault,
            "Correct the setting; `homing config show` lists them with their source.",
        )
    }
}

/// An address with the port of DNS where none is written.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = || text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    text.parse().ok().or_else(bare)
}
