//! Describing an estate, and starting it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use homing_core::ids::Seed;
use homing_core::transport::Transport;
use homing_net::NetConfig;
use tokio::sync::oneshot;

use super::{Dialect, Estate, EstateError, Mode, NoAssociation, OnMove, Schemes, UnknownUser, User, thread};
use crate::journal::Journal;
use crate::node::config::NodeConfig;
use crate::role::Role;
use crate::shell::Skew;
use crate::shell::ca::Certificate;

/// Changes the configuration of every server before it starts.
type Change = Arc<dyn Fn(&mut NodeConfig) + Send + Sync>;

/// An estate to be.
#[derive(Clone)]
pub struct EstateBuilder {
    pub(super) domain: String,
    pub(super) ntlm_domain: Option<String>,
    pub(super) nodes: Vec<(String, Role)>,
    pub(super) published: Vec<String>,
    pub(super) users: Vec<User>,
    pub(super) transports: Vec<Transport>,
    pub(super) at: IpAddr,
    pub(super) ports: Vec<(String, Transport, u16)>,
    pub(super) world: World,
    pub(super) directory: DirectoryPlan,
    pub(super) changes: Vec<Change>,
    pub(super) journal: Journal,
}

/// What surrounds the servers: chance, the wall clock, certificates that are not as they should be, and the
/// bounds of their sockets.
#[derive(Clone)]
pub(super) struct World {
    pub(super) seed: Seed,
    pub(super) certificates: Vec<(String, Certificate)>,
    pub(super) skew: Skew,
    pub(super) sockets: NetConfig,
}

/// Where assignments are kept, and what becomes of users without one.
#[derive(Clone, Debug, Default)]
pub(super) struct DirectoryPlan {
    pub(super) file: Option<PathBuf>,
    pub(super) unknown: UnknownUser,
}

impl Default for EstateBuilder {
    fn default() -> Self {
        Self {
            domain: "network.com".to_owned(),
            ntlm_domain: None,
            nodes: Vec::new(),
            published: Vec::new(),
            users: Vec::new(),
            transports: vec![Transport::Tls],
            at: IpAddr::V4(Ipv4Addr::LOCALHOST),
            ports: Vec::new(),
            world: World {
                seed: Seed::from_number(0),
                certificates: Vec::new(),
                skew: Skew::None,
                sockets: NetConfig::default(),
            },
            directory: DirectoryPlan::default(),
            changes: Vec::new(),
            journal: Journal::new(),
        }
    }
}

#[expect(clippy::return_self_not_must_use, reason = "an estate that is not started shows at once")]
impl EstateBuilder {
    /// The SIP domain; `network.com` unless said.
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = domain.trim_end_matches('.').to_ascii_lowercase();
        self
    }

    /// The NTLM domain; the first label of the SIP domain in upper case unless said.
    pub fn ntlm_domain(mut self, name: &str) -> Self {
        self.ntlm_domain = Some(name.to_owned());
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

    fn server(mut self, name: &str, role: Role) -> Self {
        self.nodes.push((name.to_owned(), role));
        self
    }

    /// Makes DNS lead to this server instead, or to this one too if called again.
    pub fn published(mut self, name: &str) -> Self {
        self.published.push(name.to_owned());
        self
    }

    /// Adds a user.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Which protocol generation NTLM speaks; as the client does unless said.
    pub fn dialect(self, dialect: Dialect) -> Self {
        self.configure(move |config| config.gate.dialect = dialect)
    }

    /// Which authentication schemes are offered.
    pub fn schemes(self, schemes: Schemes) -> Self {
        self.configure(move |config| config.gate.schemes = schemes)
    }

    /// Redirect or proxy.
    pub fn mode(self, mode: Mode) -> Self {
        self.configure(move |config| config.signpost.mode = mode)
    }

    /// What happens to clients at the wrong server that have no association.
    pub fn no_association(self, rule: NoAssociation) -> Self {
        self.configure(move |config| config.signpost.no_association = rule)
    }

    /// What becomes of a registration whose user was assigned to another server.
    pub fn on_move(self, rule: OnMove) -> Self {
        self.configure(move |config| config.registrar.on_move = rule)
    }

    /// The home server that redirects name as the second one, for clients that can try one after the other.
    pub fn backup(self, name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.configure(move |config| {
            config.signpost.backup = Some(format!("{name}.{}", config.identity.domain));
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
        self.changes.push(Arc::new(change));
        self
    }

    /// What becomes of users without an assignment.
    pub fn unknown_user(mut self, rule: UnknownUser) -> Self {
        self.directory.unknown = rule;
        self
    }

    /// Keeps assignments in this SQLite file, which other processes may share.
    pub fn directory_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory.file = Some(path.into());
        self
    }

    /// Transports for clients; TLS unless said. Servers reach each other over TLS in any case.
    pub fn transports(mut self, transports: impl IntoIterator<Item = Transport>) -> Self {
        self.transports = transports.into_iter().collect();
        self
    }

    /// The address everything listens on; 127.0.0.1 unless said.
    pub fn listen(mut self, address: IpAddr) -> Self {
        self.at = address;
        self
    }

    /// Gives a server a fixed port for a transport instead of one the system picks; the name `dns` is
    /// the name server's.
    pub fn port(mut self, node: &str, transport: Transport, port: u16) -> Self {
        self.ports.push((node.to_owned(), transport, port));
        self
    }

    /// Gives a server this certificate instead of a good one. Its root is the estate's in any case.
    pub fn certificate(mut self, node: &str, certificate: Certificate) -> Self {
        self.world.certificates.push((node.to_owned(), certificate));
        self
    }

    /// Sets the estate's wall clock ahead of the machine's: `Date`, NTLM timestamps and what the directory
    /// writes down are off by this much. Certificates keep the machine's time.
    pub fn clock_ahead(mut self, by: Duration) -> Self {
        self.world.skew = Skew::Ahead(by);
        self
    }

    /// Sets the estate's wall clock behind the machine's; see [`clock_ahead`](Self::clock_ahead).
    pub fn clock_behind(mut self, by: Duration) -> Self {
        self.world.skew = Skew::Behind(by);
        self
    }

    /// Bounds and waiting times of every server's sockets: how long a message may take, how many connections
    /// are held, how much is buffered.
    pub fn sockets(mut self, sockets: NetConfig) -> Self {
        self.world.sockets = sockets;
        self
    }

    /// Makes every random value follow from this number.
    pub fn seed(mut self, number: u64) -> Self {
        self.world.seed = Seed::from_number(number);
        self
    }

    /// Makes every random value unpredictable to others, from these secret bytes.
    pub fn secret_seed(mut self, bytes: [u8; 32]) -> Self {
        self.world.seed = Seed(bytes);
        self
    }

    /// Starts everything on a thread of its own and returns when every socket listens.
    ///
    /// # Errors
    /// [`EstateError`] says what is in the way.
    pub async fn start(self) -> Result<Estate, EstateError> {
        let (told, hear) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("estate".to_owned())
            .spawn(move || thread::run(self, told, stopped))
            .map_err(EstateError::Thread)?;
        let mut estate = hear.await.map_err(|_| EstateError::Ended)??;
        estate.stop = Some(stop);
        estate.thread = Some(thread);
        Ok(estate)
    }

    /// The configuration of a server after everything that was asked for.
    pub(crate) fn changed(&self, mut config: NodeConfig) -> NodeConfig {
        for change in &self.changes {
            change(&mut config);
        }
        config
    }

    pub(super) fn port_of(&self, node: &str, transport: Transport) -> u16 {
        let found = self.ports.iter().find(|(name, kind, _)| name == node && *kind == transport);
        found.map_or(0, |(_, _, port)| *port)
    }

    pub(super) fn certificate_of(&self, node: &str) -> Certificate {
        let found = self.world.certificates.iter().rfind(|(name, _)| name == node);
        found.map(|(_, certificate)| certificate.clone()).unwrap_or_default()
    }

    /// A seed for each server, by its place.
    pub(super) fn seeds(&self) -> impl Iterator<Item = Seed> {
        let seed = self.world.seed.clone();
        (0..).map(move |place| seed.stream("server", &[place]))
    }
}
