//! An estate to be: everything that may be asked for before it starts.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use homing_core::ids::Seed;
use homing_core::transport::Transport;
use homing_net::NetConfig;

use super::error::EstateError;
use super::plan::EstatePlan;
use super::running::Estate;
use super::user::User;
use crate::directory::UnknownUser;
use crate::journal::Journal;
use crate::node::config::{Dialect, Mode, NoAssociation, NodeConfig, OnMove, Schemes};
use crate::node::party::Party;
use crate::role::Role;
use crate::shell::Skew;
use crate::shell::ca::{Authority, Certificate};

/// An estate to be.
#[derive(Clone, Default)]
pub struct EstateBuilder {
    plan: EstatePlan,
}

#[expect(clippy::return_self_not_must_use, reason = "an estate that is not started shows at once")]
impl EstateBuilder {
    /// Without servers and users.
    pub fn new() -> Self {
        Self::default()
    }

    /// The SIP domain; `network.com` unless said.
    pub fn domain(mut self, domain: &str) -> Self {
        self.plan.domain = domain.trim_end_matches('.').to_ascii_lowercase();
        self
    }

    /// The NTLM domain; the first label of the SIP domain in upper case unless said.
    pub fn ntlm_domain(mut self, name: &str) -> Self {
        self.plan.ntlm_domain = Some(name.to_owned());
        self
    }

    /// Adds a load distributor. DNS leads to the distributors if there are any.
    pub fn distributor(self, name: &str) -> Self {
        self.server(name, Role::Distributor)
    }

    /// Adds a home server.
    pub fn home(self, name: &str) -> Self {
        self.server(name, Role::Home)
    }

    /// Adds a server with this role.
    pub fn server(mut self, name: &str, role: Role) -> Self {
        self.plan.nodes.push((name.to_owned(), role));
        self
    }

    /// Makes DNS lead to this server instead, or to this one too if called again.
    pub fn published(mut self, name: &str) -> Self {
        self.plan.published.push(name.to_owned());
        self
    }

    /// Adds a user.
    pub fn user(mut self, user: User) -> Self {
        self.plan.users.push(user);
        self
    }

    /// Adds a user of that home server who is no person: the server takes and makes its calls, and nobody signs in as it.
    /// The party is named as a user is, by the part before the @; a person of the same name cannot sign in.
    pub fn party(mut self, home: &str, party: Party) -> Self {
        self.plan.parties.push((home.to_owned(), party));
        self
    }

    /// Which protocol generation NTLM speaks; as the client does unless said.
    pub fn dialect(self, dialect: Dialect) -> Self {
        self.configure(move |config| config.authentication.dialect = dialect)
    }

    /// Which authentication schemes are offered.
    pub fn schemes(self, schemes: Schemes) -> Self {
        self.configure(move |config| config.authentication.schemes = schemes)
    }

    /// Redirect or proxy.
    pub fn mode(self, mode: Mode) -> Self {
        self.configure(move |config| config.routing.mode = mode)
    }

    /// What happens to clients at the wrong server that have no association.
    pub fn no_association(self, rule: NoAssociation) -> Self {
        self.configure(move |config| config.routing.no_association = rule)
    }

    /// What becomes of a registration whose user was assigned to another server.
    pub fn on_move(self, rule: OnMove) -> Self {
        self.configure(move |config| config.registrar.on_move = rule)
    }

    /// The home server that redirects name as the second one, for clients that can try one after the other.
    pub fn backup(self, name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.configure(move |config| {
            config.routing.backup = Some(format!("{name}.{}", config.identity.domain));
        })
    }

    /// The expiry every registration gets, in seconds.
    pub fn expires(self, seconds: u32) -> Self {
        self.configure(move |config| {
            config.registrar.default_expires = seconds;
            config.registrar.max_expires = seconds;
            config.registrar.min_expires = config.registrar.min_expires.min(seconds);
        })
    }

    /// Changes the configuration of every server; later changes see the earlier ones. What cannot be
    /// known before the servers listen (ports, certificates) is filled in afterwards.
    pub fn configure(mut self, change: impl Fn(&mut NodeConfig) + Send + Sync + 'static) -> Self {
        self.plan.changes.push(Arc::new(change));
        self
    }

    /// What becomes of users without an assignment.
    pub fn unknown_user(mut self, rule: UnknownUser) -> Self {
        self.plan.directory.unknown = rule;
        self
    }

    /// Keeps assignments in this SQLite file, which other processes may share.
    pub fn directory_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.plan.directory.file = Some(path.into());
        self
    }

    /// Transports for clients; TLS unless said. Servers reach each other over TLS in any case.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.plan.transports = transports.into_iter().collect();
        self
    }

    /// The address everything listens on; 127.0.0.1 unless said.
    pub fn listen(mut self, address: IpAddr) -> Self {
        self.plan.at = address;
        self
    }

    /// Gives a server a fixed port for a transport instead of one the system picks.
    pub fn port(mut self, node: &str, transport: Transport, port: u16) -> Self {
        self.plan.ports.push((node.to_owned(), transport, port));
        self
    }

    /// Gives the name server a fixed port instead of one the system picks.
    pub fn dns_port(mut self, port: u16) -> Self {
        self.plan.dns_port = port;
        self
    }

    /// Gives a server this certificate instead of a good one. Its root is the estate's in any case.
    pub fn certificate(mut self, node: &str, certificate: Certificate) -> Self {
        self.plan.conditions.certificates.push((node.to_owned(), certificate));
        self
    }

    /// Sets the estate's wall clock ahead of the machine's: `Date`, NTLM timestamps and what the directory
    /// writes down are off by this much. Certificates keep the machine's time.
    pub fn clock_ahead(mut self, by: Duration) -> Self {
        self.plan.conditions.skew = Skew::Ahead(by);
        self
    }

    /// Sets the estate's wall clock behind the machine's; see [`clock_ahead`](Self::clock_ahead).
    pub fn clock_behind(mut self, by: Duration) -> Self {
        self.plan.conditions.skew = Skew::Behind(by);
        self
    }

    /// Bounds and waiting times of every server's sockets: how long a message may take, how many connections
    /// are held, how much is buffered.
    pub fn sockets(mut self, sockets: NetConfig) -> Self {
        self.plan.conditions.sockets = sockets;
        self
    }

    /// How many octets of entries the journal holds; 64 MiB unless said, and 64 KiB at least.
    pub fn journal_bytes(mut self, octets: usize) -> Self {
        self.plan.journal = Journal::holding(octets);
        self
    }

    /// Signs the servers' certificates with this authority instead of a new one.
    pub fn authority(mut self, authority: Authority) -> Self {
        self.plan.conditions.authority = Some(Arc::new(authority));
        self
    }

    /// Makes every random value follow from this number.
    pub fn seed(mut self, number: u64) -> Self {
        self.plan.conditions.seed = Seed::from_number(number);
        self
    }

    /// Makes every random value unpredictable to others, from these secret bytes.
    pub fn secret_seed(mut self, bytes: [u8; 32]) -> Self {
        self.plan.conditions.seed = Seed(bytes);
        self
    }

    /// Starts everything on a thread of its own and returns when every socket listens.
    ///
    /// # Errors
    /// [`EstateError`] says what is in the way.
    pub async fn start(self) -> Result<Estate, EstateError> {
        Estate::run(self.plan).await
    }

    /// The configuration a server gets by everything that was asked for.
    #[cfg(test)]
    pub(crate) fn changed(&self, config: NodeConfig) -> NodeConfig {
        self.plan.changed(config)
    }
}
