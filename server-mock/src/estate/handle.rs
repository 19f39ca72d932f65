//! One server of a running estate, to be looked at, stopped and led astray.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use homing_core::counter::Counters;
use homing_core::server::ServerName;
use homing_core::transport::Transport;
use homing_net::NetCounters;
use tokio::sync::mpsc;

use super::error::EstateError;
use crate::fault::{Fault, Rule};
use crate::journal::{Entry, Journal};
use crate::node::accounts::Accounts;
use crate::node::config::BETWEEN_SERVERS;
use crate::node::party::Manners;
use crate::node::{Calls, Deregistration, NodeCommand};
use crate::role::Role;
use crate::shell::node_task::{HeldRow, TaskCommand};

/// A server. Clones speak to the same one. Calls return when the server has done what they ask;
/// those to a stopped server do nothing.
#[derive(Clone)]
pub struct NodeHandle(Arc<Inner>);

/// What a server was started as.
pub(super) struct Origin {
    /// Short.
    pub(super) name: String,
    /// Fully qualified.
    pub(super) fqdn: String,
    pub(super) role: Role,
    pub(super) listens: Vec<(Transport, SocketAddr)>,
    /// By address of record without scheme.
    pub(super) parties: Vec<String>,
}

struct Inner {
    origin: Origin,
    commands: mpsc::UnboundedSender<TaskCommand>,
    journal: Journal,
    /// False between a stop and the next start.
    running: AtomicBool,
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
    /// True if its client is told at once that its user was moved; all others learn it by their next refresh.
    pub recalled_at_once: bool,
}

impl NodeHandle {
    pub(super) fn new(
        origin: Origin,
        commands: mpsc::UnboundedSender<TaskCommand>,
        journal: Journal,
    ) -> Self {
        let running = AtomicBool::new(true);
        Self(Arc::new(Inner { origin, commands, journal, running, ring: Default::default() }))
    }

    pub(super) fn set_ring(&self, ring: Vec<NodeHandle>) {
        // Set once, while the estate is being built.
        let _ = self.0.ring.set(ring);
    }

    /// Its short name.
    pub fn name(&self) -> &str {
        &self.0.origin.name
    }

    /// Its fully qualified name.
    pub fn fqdn(&self) -> &str {
        &self.0.origin.fqdn
    }

    /// Its part in the estate.
    pub fn role(&self) -> Role {
        self.0.origin.role
    }

    /// True if it takes and makes the calls of the party with this address of record, without scheme and in lower case.
    pub(crate) fn has_party(&self, address: &str) -> bool {
        self.0.origin.parties.iter().any(|party| party == address)
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
            None => panic!("`{}` does not listen for {transport}", self.0.origin.name),
        }
    }

    /// Where it listens for `transport`, if it does.
    pub fn find_address(&self, transport: Transport) -> Option<SocketAddr> {
        self.0.origin.listens.iter().find(|(listens, _)| *listens == transport).map(|(_, address)| *address)
    }

    /// Its name and port for `transport`, as a client dials it.
    pub fn server_name(&self, transport: Transport) -> Option<ServerName> {
        self.find_address(transport).map(|address| ServerName::new(&self.0.origin.fqdn, address.port()))
    }

    fn first_transport(&self) -> Transport {
        self.0.origin.listens.first().map_or(BETWEEN_SERVERS, |(transport, _)| *transport)
    }

    /// Stops it as a crash would: connections break, registrations are lost.
    pub fn stop(&self) {
        let (done, wait) = sync_channel(1);
        self.send(TaskCommand::Stop(done));
        let _ = wait.recv();
        self.0.running.store(false, Ordering::Release);
    }

    /// True unless it was stopped.
    pub fn is_running(&self) -> bool {
        self.0.running.load(Ordering::Acquire)
    }

    /// Starts it again where it was, with nothing remembered. Nothing happens if it runs.
    ///
    /// # Errors
    /// [`EstateError::Listen`] if its ports are taken, [`EstateError::Ended`] if the estate is gone.
    pub fn restart(&self) -> Result<(), EstateError> {
        let (done, wait) = sync_channel(1);
        self.send(TaskCommand::Restart(done));
        let told = wait.recv().map_err(|_| EstateError::Ended)?;
        told.map_err(|why| EstateError::Listen {
            node: self.0.origin.name.clone(),
            transport: self.first_transport(),
            why,
        })?;
        self.0.running.store(true, Ordering::Release);
        Ok(())
    }

    /// Makes it play a fault, once unless the rule says otherwise. [`Fault::Loop`] and
    /// [`Fault::Chain`] involve the servers after it in the estate's order too.
    pub fn inject_fault(&self, rule: impl Into<Rule>) {
        let rule = rule.into();
        let same = rule.clone();
        let none = Vec::new();
        let ring = self.0.ring.get().unwrap_or(&none);
        let lead = |from: &NodeHandle, to: &NodeHandle| {
            if let Some(server) = to.server_name(from.first_transport()) {
                let there = Fault::RedirectTo { host: server.host, port: server.port };
                from.command(NodeCommand::InjectFault(Rule { fault: there, ..same.clone() }));
            }
        };
        match rule.fault {
            Fault::Loop(count) => {
                let members = &ring[..usize::from(count).clamp(1, ring.len().max(1)).min(ring.len())];
                for (from, to) in members.iter().zip(members.iter().cycle().skip(1)) {
                    lead(from, to);
                }
            }
            Fault::Chain(count) => {
                for (from, to) in ring.iter().zip(ring.iter().skip(1)).take(usize::from(count)) {
                    lead(from, to);
                }
            }
            _ => self.command(NodeCommand::InjectFault(rule)),
        }
    }

    /// Makes it play no more faults.
    pub fn clear_faults(&self) {
        self.command(NodeCommand::ClearFaults);
    }

    /// Makes it end a user's registrations with a signed NOTIFY.
    pub fn deregister(&self, user: &str, event: Deregistration) {
        self.command(NodeCommand::Deregister { user: user.to_owned(), event });
    }

    /// Every binding it holds, ordered by user.
    pub fn bindings(&self) -> Vec<HeldBinding> {
        let (answer, wait) = sync_channel(1);
        self.send(TaskCommand::Bindings(answer));
        let held = wait.recv().unwrap_or_default();
        held.into_iter()
            .map(|HeldRow { binding, expires_in, recalled_at_once }| HeldBinding {
                recalled_at_once,
                node: self.0.origin.name.clone(),
                user: binding.endpoint.user.clone(),
                device: binding.endpoint.device.clone(),
                proxied: binding.route.behind_server(),
                contact: binding.contact,
                expires_in,
            })
            .collect()
    }

    /// Makes a party of this server call a user; both by address of record without scheme. What comes of it stands in the
    /// journal.
    pub fn party_calls(&self, party: &str, callee: &str, manners: Manners) {
        let (party, callee) = (party.to_ascii_lowercase(), callee.to_ascii_lowercase());
        self.command(NodeCommand::PartyCalls { party, callee, manners });
    }

    /// From now on these may sign in.
    pub(super) fn set_accounts(&self, accounts: &Arc<Accounts>) {
        self.command(NodeCommand::SetAccounts(Arc::clone(accounts)));
    }

    /// What it counted: whatever it dropped or refused is here by name. All zero while it is stopped.
    pub fn counters(&self) -> Counters {
        self.counted().0
    }

    /// The calls that pass through it; none while it is stopped.
    pub fn calls(&self) -> Calls {
        let (told, hear) = sync_channel(1);
        self.send(TaskCommand::Calls(told));
        hear.recv().unwrap_or_default()
    }

    /// What its sockets refused, dropped or cut.
    pub fn net_counters(&self) -> NetCounters {
        self.counted().1
    }

    fn counted(&self) -> (Counters, NetCounters) {
        let (told, hear) = sync_channel(1);
        self.send(TaskCommand::Counters(told));
        hear.recv().unwrap_or_default()
    }

    /// What it wrote into the journal.
    pub fn journal(&self) -> Vec<Entry> {
        let mut entries = self.0.journal.entries();
        entries.retain(|entry| *entry.node == *self.0.origin.name);
        entries
    }

    fn command(&self, command: NodeCommand) {
        let (done, wait) = sync_channel(1);
        self.send(TaskCommand::Command(command, done));
        let _ = wait.recv();
    }

    fn send(&self, command: TaskCommand) {
        // An estate that has ended takes no commands; its answers are missing then.
        let _ = self.0.commands.send(command);
    }
}
