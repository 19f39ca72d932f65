//! One server of a running estate, to be looked at, stopped and led astray.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use homing_core::counter::Counters;
use homing_core::server::ServerName;
use homing_core::transport::Transport;
use homing_net::NetCounters;
use tokio::sync::mpsc;

use super::EstateError;
use crate::journal::{Entry, Journal};
use crate::mischief::{Mischief, Rule};
use crate::node::{Deregistration, NodeCommand};
use crate::role::Role;
use crate::shell::station::Order;

/// A server. Clones speak to the same one. Calls return when the server has done what they ask;
/// those to a stopped server do nothing.
#[derive(Clone)]
pub struct NodeHandle(Arc<Inner>);

struct Inner {
    name: String,
    fqdn: String,
    role: Role,
    listens: Vec<(Transport, SocketAddr)>,
    orders: mpsc::UnboundedSender<Order>,
    journal: Journal,
    /// This server and those after it in the estate's order, around the ring.
    ring: std::sync::OnceLock<Vec<NodeHandle>>,
}

/// A binding as a server holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBinding {
    /// Short name of the server.
    pub node: String,
    /// Address of record without scheme.
    pub user: String,
    /// `epid` or instance; empty for a plain client.
    pub device: String,
    /// The Contact URI.
    pub contact: String,
    /// How long it lasts if it is not refreshed.
    pub expires_in: Duration,
    /// True if another server passed the REGISTER on.
    pub proxied: bool,
}

impl NodeHandle {
    pub(super) fn new(
        (name, fqdn): (&str, &str),
        role: Role,
        listens: Vec<(Transport, SocketAddr)>,
        orders: mpsc::UnboundedSender<Order>,
        journal: Journal,
    ) -> Self {
        let (name, fqdn) = (name.to_owned(), fqdn.to_owned());
        Self(Arc::new(Inner { name, fqdn, role, listens, orders, journal, ring: Default::default() }))
    }

    pub(super) fn set_ring(&self, ring: Vec<NodeHandle>) {
        // Set once, while the estate is being built.
        let _ = self.0.ring.set(ring);
    }

    /// Its short name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its fully qualified name.
    pub fn fqdn(&self) -> &str {
        &self.0.fqdn
    }

    /// Its part in the estate.
    pub fn role(&self) -> Role {
        self.0.role
    }

    /// Where it listens for `transport`.
    ///
    /// # Panics
    /// If it does not; see [`find_address`](Self::find_address).
    #[expect(clippy::panic, reason = "a test that asks for a transport it did not build is wrong itself")]
    #[track_caller]
    pub fn address(&self, transport: Transport) -> SocketAddr {
        match self.find_address(transport) {
            Some(address) => address,
            None => panic!("`{}` does not listen for {transport}", self.0.name),
        }
    }

    /// Where it listens for `transport`, if it does.
    pub fn find_address(&self, transport: Transport) -> Option<SocketAddr> {
        self.0.listens.iter().find(|(listens, _)| *listens == transport).map(|(_, address)| *address)
    }

    /// Its name and port for `transport`, as a client dials it.
    pub fn server_name(&self, transport: Transport) -> Option<ServerName> {
        self.find_address(transport).map(|address| ServerName::new(&self.0.fqdn, address.port()))
    }

    /// Stops it as a crash would: connections break, registrations are lost.
    pub fn stop(&self) {
        let (done, wait) = sync_channel(1);
        self.order(Order::Stop(done));
        let _ = wait.recv();
    }

    /// Starts it again where it was, with nothing remembered. Nothing happens if it runs.
    ///
    /// # Errors
    /// [`EstateError::Listen`] if its ports are taken, [`EstateError::Ended`] if the estate is gone.
    pub fn restart(&self) -> Result<(), EstateError> {
        let (done, wait) = sync_channel(1);
        self.order(Order::Restart(done));
        let told = wait.recv().map_err(|_| EstateError::Ended)?;
        told.map_err(|why| EstateError::Listen {
            node: self.0.name.clone(),
            transport: self.0.listens.first().map_or(Transport::Tls, |(transport, _)| *transport),
            why,
        })
    }

    /// Makes it play a fault, once unless the rule says otherwise. [`Mischief::Loop`] and
    /// [`Mischief::Chain`] involve the servers after it in the estate's order too.
    pub fn mischief(&self, rule: impl Into<Rule>) {
        let rule = rule.into();
        let nobody = Vec::new();
        let ring = self.0.ring.get().unwrap_or(&nobody);
        let lead = |from: &NodeHandle, to: &NodeHandle| {
            let transport = from.0.listens.first().map_or(Transport::Tls, |(transport, _)| *transport);
            if let Some(server) = to.server_name(transport) {
                let there = Mischief::RedirectTo { host: server.host, port: server.port };
                from.command(NodeCommand::Play(Rule { mischief: there, scope: rule.scope }));
            }
        };
        match rule.mischief {
            Mischief::Loop(count) => {
                let members = &ring[..usize::from(count).clamp(1, ring.len().max(1)).min(ring.len())];
                for (from, to) in members.iter().zip(members.iter().cycle().skip(1)) {
                    lead(from, to);
                }
            }
            Mischief::Chain(count) => {
                for (from, to) in ring.iter().zip(ring.iter().skip(1)).take(usize::from(count)) {
                    lead(from, to);
                }
            }
            _ => self.command(NodeCommand::Play(rule)),
        }
    }

    /// Makes it play no more faults.
    pub fn behave(&self) {
        self.command(NodeCommand::Behave);
    }

    /// Makes it end a user's registrations with a signed NOTIFY.
    pub fn deregister(&self, user: &str, event: Deregistration) {
        self.command(NodeCommand::Deregister { user: user.to_owned(), event });
    }

    /// Every binding it holds, ordered by user.
    pub fn bindings(&self) -> Vec<HeldBinding> {
        let (answer, wait) = sync_channel(1);
        self.order(Order::Bindings(answer));
        let held = wait.recv().unwrap_or_default();
        held.into_iter()
            .map(|(binding, expires_in)| HeldBinding {
                node: self.0.name.clone(),
                user: binding.endpoint.user.clone(),
                device: binding.endpoint.device.clone(),
                proxied: binding.place.behind_server(),
                contact: binding.contact,
                expires_in,
            })
            .collect()
    }

    /// What it counted: whatever it dropped or refused is here by name. All zero while it is stopped.
    pub fn counters(&self) -> Counters {
        self.counted().0
    }

    /// What its sockets refused, dropped or cut.
    pub fn road_counters(&self) -> NetCounters {
        self.counted().1
    }

    fn counted(&self) -> (Counters, NetCounters) {
        let (told, hear) = sync_channel(1);
        self.order(Order::Counters(told));
        hear.recv().unwrap_or_default()
    }

    /// What it wrote into the journal.
    pub fn journal(&self) -> Vec<Entry> {
        let mut entries = self.0.journal.entries();
        entries.retain(|entry| *entry.node == *self.0.name);
        entries
    }

    fn command(&self, command: NodeCommand) {
        let (done, wait) = sync_channel(1);
        self.order(Order::Command(command, done));
        let _ = wait.recv();
    }

    fn order(&self, order: Order) {
        // An estate that has ended takes no orders; its answers are missing then.
        let _ = self.0.orders.send(order);
    }
}
