//! The scenario every conversation starts from: network.com with a distributor, home servers, and Alice at hs104.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use homing_core::command::Command;
use homing_core::config::{AccountConfig, Aor, ServerChoice};
use homing_core::outbox::Credentials;
use homing_core::secret::Password;
use homing_core::state::AccountState;
use homing_core::transport::Transport;
use homing_server_mock::fault::{Fault, Rule};
use homing_server_mock::node::accounts::Accounts;
use homing_server_mock::node::config::{Dialect, Mode, NoAssociation, NodeConfig, OnMove, Peer, Schemes};
use homing_server_mock::node::io::NodeCommand;
use homing_server_mock::role::Role;

use crate::world::World;

/// How the scenario is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// Which protocol generation its NTLM speaks.
    pub dialect: Dialect,
    /// How people prove who they are.
    pub schemes: Schemes,
    /// Redirect or proxy.
    pub mode: Mode,
    /// What becomes of a client at the wrong server that no association could tell so.
    pub no_association: NoAssociation,
    /// Home servers, from hs101 on.
    pub homes: u8,
    /// Seconds granted to a registration.
    pub expires: u32,
    /// What becomes of a binding whose user was assigned to another server.
    pub on_move: OnMove,
    /// How many more people there are, at home at all home servers.
    pub crowd: u16,
}

/// Alice's address of record.
pub const ALICE: &str = "alice@network.com";
/// Bob's address of record; he is at home on hs102.
pub const BOB: &str = "bob@network.com";
/// The domain.
pub const DOMAIN: &str = "network.com";
/// Alice's password: a word that must never be seen on a wire or in a ladder.
pub const CANARY: &str = "Canary-7f3a-Pass";
const CROWDS_PASSWORD: &str = "Crowd-Pass1";
const BOBS_PASSWORD: &str = "Bobs-Pass1";

impl Default for Scenario {
    fn default() -> Self {
        Self {
            dialect: Dialect::Auto,
            schemes: Schemes::Ntlm,
            mode: Mode::ByVia,
            no_association: NoAssociation::Proxy,
            homes: 7,
            expires: 7200,
            on_move: OnMove::AtRefresh,
            crowd: 0,
        }
    }
}

impl Scenario {
    /// Builds it: servers up, DNS filled, Alice assigned to hs104, her phone switched on and signed out.
    pub fn build(self, seed: u64) -> World {
        let mut world = self.without_phones(seed);
        world.add_phone("alice", alice(), credentials());
        world
    }

    /// The same with a change to every server.
    pub fn build_with(self, seed: u64, change: impl Fn(&mut NodeConfig)) -> World {
        let mut world = self.without_phones_but(seed, change);
        world.add_phone("alice", alice(), credentials());
        world
    }

    /// The same without a phone.
    pub fn without_phones(self, seed: u64) -> World {
        self.without_phones_but(seed, |_| ())
    }

    /// The same without a phone, with a change to every server.
    pub fn without_phones_but(self, seed: u64, change: impl Fn(&mut NodeConfig)) -> World {
        let mut world = World::new(seed);
        let accounts = people(self.crowd);
        let mut servers = vec![(self.node("lb", Role::Distributor), IpAddr::from([10, 0, 0, 1]))];
        for number in 1..=self.homes {
            let node = self.node(&format!("hs{}", 100 + u16::from(number)), Role::Home);
            servers.push((node, IpAddr::from([10, 0, 1, number])));
        }
        let peers: Vec<Peer> = servers.iter().map(|(node, _)| peer(node)).collect();
        for (mut node, ip) in servers {
            node.accounts = Arc::clone(&accounts);
            node.peers.clone_from(&peers);
            node.authentication.end_point_hash =
                Some([u8::try_from(world.servers.len()).unwrap_or(u8::MAX); 32]);
            change(&mut node);
            world.add_server(node, ip);
        }
        world.zone.set_srv("_sipinternaltls._tcp.network.com", &[("lb.network.com", 5061, 0, 0)]);
        world.assign(ALICE, "hs104.network.com", "hired");
        world.assign(BOB, "hs102.network.com", "hired");
        for number in 0..self.crowd {
            let home = 101 + number % u16::from(self.homes);
            world.assign(&format!("{}@{DOMAIN}", somebody(number)), &format!("hs{home}.{DOMAIN}"), "hired");
        }
        world
    }

    fn node(self, name: &str, role: Role) -> NodeConfig {
        let mut node = NodeConfig::new(name, DOMAIN, role);
        node.authentication.dialect = self.dialect;
        node.authentication.schemes = self.schemes;
        node.routing.mode = self.mode;
        node.routing.no_association = self.no_association;
        node.registrar.default_expires = self.expires;
        node.registrar.max_expires = self.expires;
        node.registrar.on_move = self.on_move;
        node
    }
}

/// Alice's account with the project's defaults.
pub fn alice() -> AccountConfig {
    AccountConfig::new(Aor::parse(ALICE).expect("a constant address"), "0123456789")
}

/// Alice's account as a plain SIP client: by UDP, with her server written down.
pub fn alice_by_udp() -> AccountConfig {
    let mut config = AccountConfig::new(Aor::parse(ALICE).expect("a constant address"), "a11ce");
    by_udp(&mut config, "hs104");
    config
}

fn by_udp(config: &mut AccountConfig, home: &str) {
    config.transports = vec![Transport::Udp];
    config.auth.udp_register = true;
    config.server =
        ServerChoice::Fixed { host: format!("{home}.{DOMAIN}"), port: None, transport: Transport::Udp };
}

/// Bob's account with the project's defaults.
pub fn bob() -> AccountConfig {
    AccountConfig::new(Aor::parse(BOB).expect("a constant address"), "b0b")
}

/// Bob's account: a plain SIP client, by Digest over UDP, with his server written down.
pub fn bob_by_udp() -> AccountConfig {
    let mut config = AccountConfig::new(Aor::parse(BOB).expect("a constant address"), "b0b");
    by_udp(&mut config, "hs102");
    config
}

/// The name of one of the crowd.
pub fn somebody(number: u16) -> String {
    format!("user{number}")
}

/// Switches on the phone of one of the crowd; returns its place.
pub fn add_somebody(world: &mut World, number: u16) -> usize {
    add_somebody_with(world, number, |_| ())
}

/// The same with a change to the account.
pub fn add_somebody_with(world: &mut World, number: u16, change: impl FnOnce(&mut AccountConfig)) -> usize {
    let name = somebody(number);
    let aor = Aor::parse(&format!("{name}@{DOMAIN}")).expect("a constant shape of address");
    let mut config = AccountConfig::new(aor, format!("e{number:06}"));
    change(&mut config);
    let password = Password::new(CROWDS_PASSWORD);
    let credentials = Credentials::new(&name, "NETWORK", password);
    world.add_phone(&name, config, credentials)
}

/// What Bob answers when asked for a password.
pub fn bobs_credentials() -> Credentials {
    Credentials::new("bob", "NETWORK", Password::new(BOBS_PASSWORD))
}

/// What Alice answers when asked for a password.
pub fn credentials() -> Credentials {
    Credentials::new("alice", "NETWORK", Password::new(CANARY))
}

/// Signs the first phone in and waits; true if it is registered within a minute.
pub fn sign_in(world: &mut World) -> bool {
    login(world);
    world.run_to(Duration::from_secs(60), is_in)
}

/// True while the first phone is signed in, at its first choice or another.
pub fn is_in(world: &World) -> bool {
    matches!(world.phones[0].state(), AccountState::Registered | AccountState::Fallback)
}

/// Signs the first phone in, or ends the test.
pub fn must_sign_in(world: &mut World, why: &str) {
    let registered = sign_in(world);
    world.require(registered, why);
}

/// Orders the first phone to sign in.
pub fn login(world: &mut World) {
    login_of(world, 0);
}

/// Orders a phone to sign in.
pub fn login_of(world: &mut World, phone: usize) {
    let account = world.phones[phone].account;
    world.order(phone, Command::Register(account));
}

/// Orders the first phone to refresh.
pub fn refresh(world: &mut World) {
    let account = world.phones[0].account;
    world.order(0, Command::Refresh(account));
}

/// Orders the first phone to sign out.
pub fn logout(world: &mut World) {
    let account = world.phones[0].account;
    world.order(0, Command::Unregister(account));
}

/// Has a server misbehave until told otherwise.
pub fn always(world: &mut World, short: &str, fault: Fault) {
    let server = world.server(short);
    world.command(server, NodeCommand::InjectFault(Rule::always(fault)));
}

/// Has a server misbehave for the next REGISTERs it applies to.
pub fn next(world: &mut World, times: u32, short: &str, fault: Fault) {
    let server = world.server(short);
    world.command(server, NodeCommand::InjectFault(Rule::next(times, fault)));
}

/// Every server leads to the next one, the last to the first.
pub fn ring(world: &mut World, fault: Fault) {
    let names: Vec<String> = world.servers.iter().map(|server| server.short.clone()).collect();
    for name in names {
        always(world, &name, fault.clone());
    }
}

/// The first `length` servers lead on to the next one; Alice is at home at the one after them.
pub fn row(world: &mut World, length: u8) {
    for place in 0..usize::from(length) {
        let name = world.servers[place].short.clone();
        always(world, &name, Fault::Chain(length));
    }
    let home = world.servers[usize::from(length)].config.identity.fqdn.clone();
    world.assign(ALICE, &home, "at the end of the row");
}

/// The short name of the server the first phone believes to be home.
pub fn home(world: &World) -> Option<String> {
    let registered = world.phones[0].registered()?;
    registered.home.host.split('.').next().map(str::to_owned)
}

fn people(crowd: u16) -> Arc<Accounts> {
    let mut accounts = Accounts::new();
    accounts.add_domain("NETWORK", DOMAIN);
    accounts.add("alice", DOMAIN, Password::new(CANARY));
    accounts.add("bob", DOMAIN, Password::new(BOBS_PASSWORD));
    for number in 0..crowd {
        accounts.add(&somebody(number), DOMAIN, Password::new(CROWDS_PASSWORD));
    }
    Arc::new(accounts)
}

fn peer(node: &NodeConfig) -> Peer {
    let ports = [Transport::Tls, Transport::Tcp, Transport::Udp];
    Peer {
        fqdn: node.identity.fqdn.clone(),
        ports: ports.into_iter().map(|transport| (transport, transport.default_port())).collect(),
    }
}
