//! One server of the estate, without sockets: input and time in, output out.
//!
//! **Give one input with the time; drain every output; ask for the deadline; sleep.** A look-up in the
//! directory is an output like any other, so that a simulator may delay it.
//!
//! A request's way: transaction → [`gate`] (who is it?) → directory → [`signpost`] (accept, redirect
//! or proxy?) → [`registrar`] or relay.

pub mod accounts;
mod calendar;
pub mod config;
pub mod draws;
pub mod endpoint;
pub mod flows;
pub mod gate;
pub mod io;
mod moved;
mod notify;
mod options;
mod receive;
mod rechallenge;
mod redirect;
mod register;
pub mod registrar;
mod relay;
mod reply;
mod request;
mod respond;
pub mod signpost;
mod strangers;
mod stun;
mod surge;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use homing_core::connect::{ConnectError, FlowEvent};
use homing_core::counter::{Counter, Counters};
use homing_core::ids::{FlowId, Seed, TxId};
use homing_core::time::{Deadline, Moment, Now, Why};
use homing_core::transaction::{Caps, Transactions, TxOutput};
use homing_wire::Message;

use crate::directory::Lookup;
use crate::journal::{Decision, Entry, Verdict, What};
use crate::mischief::Rules;
use calendar::Calendar;
use config::NodeConfig;
use draws::{Draws, SeededDraws};
use flows::{Flow, Flows};
use gate::Gate;
pub use io::{Deregistration, LookupId, NodeCommand, NodeInput, NodeOutput};
use registrar::{Binding, Registrar};
use relay::Relaying;
use strangers::Strangers;
use surge::Surge;

/// One server.
pub struct Node {
    config: NodeConfig,
    name: Arc<str>,
    machines: Machines,
    flows: Flows,
    draws: Box<dyn Draws>,
    pending: BTreeMap<LookupId, Pending>,
    relaying: BTreeMap<u64, Relaying>,
    delayed: BTreeMap<(Moment, u64), (FlowId, Message)>,
    rules: Rules,
    /// Names look-ups, relays and delays.
    named: u64,
    outputs: VecDeque<NodeOutput>,
    counters: Counters,
}

/// The parts that keep state of their own.
struct Machines {
    transactions: Transactions<Owner>,
    gate: Gate,
    registrar: Registrar,
    strangers: Strangers,
    surge: Surge,
    /// Users who belong to another server now, and until when their bindings here are good.
    moved: Calendar<String>,
    /// Keys the tokens of Path.
    path_key: [u8; 32],
}

/// Whose a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// A request this server answers itself.
    Server,
    /// The outgoing half of a relayed request.
    Relay(u64),
    /// A NOTIFY of this server's own.
    Notify,
}

/// A request with its transaction and the flow it came by.
struct Case {
    tx: TxId,
    flow: FlowId,
    request: Message,
}

/// What waits for the directory.
enum Pending {
    /// Its user proved who they are.
    Admitted { case: Case, passport: gate::Passport },
    /// Nobody was asked yet: perhaps the home server shall ask.
    Unasked { flow: FlowId, request: Message },
    /// An assignment changed while its user has bindings here.
    Moved { user: String },
}

impl Node {
    /// A server that has heard nothing yet. The same seed and inputs give the same outputs.
    pub fn new(config: NodeConfig, seed: &Seed) -> Self {
        let draws = Box::new(SeededDraws::new(&seed.stream("draws", &[])));
        Self::with_draws(config, seed, draws)
    }

    /// A server whose random values on the wire are dictated, for golden conversations.
    pub fn with_draws(config: NodeConfig, seed: &Seed, draws: Box<dyn Draws>) -> Self {
        let caps =
            Caps { clients: 10_000, servers: 50_000, lingering_bytes: 16 << 20, lingering_invites: 10_000 };
        let machines = Machines {
            transactions: Transactions::new(config.timers, caps, &seed.stream("transactions", &[])),
            gate: Gate::new(config.gate.clone(), config.identity.clone(), &seed.stream("gate", &[])),
            registrar: Registrar::new(config.registrar),
            strangers: Strangers::default(),
            surge: Surge::new(config.gate.limits.logins_per_second),
            moved: Calendar::new(),
            path_key: seed.rng("Path").bytes(),
        };
        Self {
            name: config.identity.name.as_str().into(),
            config,
            machines,
            flows: Flows::default(),
            draws,
            pending: BTreeMap::new(),
            relaying: BTreeMap::new(),
            delayed: BTreeMap::new(),
            rules: Rules::default(),
            named: 0,
            outputs: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Takes one input.
    pub fn handle_input(&mut self, input: NodeInput, now: Now) {
        match input {
            NodeInput::Flow(event) => self.handle_flow(event, now),
            NodeInput::DeadlineReached => self.handle_deadline(now),
        }
        self.settle(now);
    }

    fn handle_flow(&mut self, event: FlowEvent, now: Now) {
        match event {
            FlowEvent::Accepted { flow, local, peer, transport, client_names } => {
                let mut accepted = Flow::new(flow, local, peer, transport, now);
                accepted.trusted = client_names.and_then(|names| self.peer_named(&names.dns));
                if let Some(server) = &accepted.trusted {
                    let said =
                        Decision::new(Verdict::Flow, "a server of the estate, proved by its certificate");
                    self.note(Some(flow), said.towards(server), now);
                }
                self.flows.accept(accepted, self.config.gate.limits.unauthenticated, now);
            }
            FlowEvent::Connected { flow, local, peer, .. } => {
                for bytes in self.flows.connected(flow, local, peer, now) {
                    self.send(flow, bytes, now);
                }
            }
            FlowEvent::ConnectFailed { flow, why } | FlowEvent::Closed { flow, why } => {
                self.flow_gone(flow, why, now);
            }
            FlowEvent::Received { flow, frame } => self.receive(flow, frame, now),
            FlowEvent::Malformed { flow, head, .. } => self.receive_malformed(flow, head, now),
        }
    }

    /// Takes the answer to a look-up.
    pub fn handle_answer(&mut self, id: LookupId, found: Lookup, now: Now) {
        match self.pending.remove(&id) {
            Some(Pending::Admitted { case, passport }) => self.decide(case, passport, &found, now),
            Some(Pending::Unasked { flow, request }) => self.pass_on_or_ask(flow, request, &found, now),
            Some(Pending::Moved { user }) => self.learn_home(user, &found, now),
            None => self.counters.count(Counter::LateAnswer),
        }
        self.settle(now);
    }

    /// Takes an order of an operator or a test.
    pub fn handle_command(&mut self, command: NodeCommand, now: Now) {
        match command {
            NodeCommand::Play(rule) => self.rules.add(rule),
            NodeCommand::Behave => self.rules.clear(),
            NodeCommand::Deregister { user, event } => self.deregister(&user, &event, now),
            NodeCommand::AssignmentChanged { user, service } => self.assignment_changed(&user, service),
        }
        self.settle(now);
    }

    /// Takes the oldest output.
    pub fn poll_output(&mut self) -> Option<NodeOutput> {
        self.outputs.pop_front()
    }

    /// When something is due.
    pub fn deadline(&self) -> Option<Deadline> {
        let delayed = self.delayed.keys().next().map(|(at, _)| Deadline::new(*at, Why::RequestDelay));
        let machines = [
            self.machines.transactions.deadline(),
            self.machines.gate.deadline(),
            self.machines.registrar.deadline(),
            self.machines.moved.next().map(|at| Deadline::new(at, Why::Expiry)),
            self.flows.deadline(),
        ];
        machines.into_iter().fold(delayed, Deadline::earlier)
    }

    /// The bindings of a user, by address of record without scheme.
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.machines.registrar.bindings(&user.to_ascii_lowercase())
    }

    /// True if this server would answer for `user` itself: it holds a binding.
    pub fn serves(&self, user: &str) -> bool {
        !self.bindings(user).is_empty()
    }

    /// Who is registered here.
    pub fn registrar(&self) -> &Registrar {
        &self.machines.registrar
    }

    /// How it was set up.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The counters.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Transactions that are not finished.
    pub fn transactions(&self) -> usize {
        self.machines.transactions.unfinished()
    }

    /// Does everything that is due at or before `now`, in this order: transactions, half-open and lapsed
    /// associations, bindings, moved users, flows, delayed requests; each by deadline, and those of equal
    /// deadlines by id or name. What transactions want sent goes out last.
    fn handle_deadline(&mut self, now: Now) {
        self.machines.transactions.handle_deadline(now);
        self.machines.gate.handle_deadline(now);
        for gone in self.machines.registrar.handle_deadline(now) {
            let said = Decision::new(Verdict::Unregistered, "its registration lapsed").about(&gone);
            self.note(None, said, now);
        }
        while let Some(user) = self.machines.moved.due(now) {
            self.void(&user, now);
        }
        while let Some((flow, why)) = self.flows.overdue(now) {
            self.counters.count(Counter::FlowTimedOut);
            self.note(Some(flow), Decision::new(Verdict::Flow, why), now);
            self.forget_flow(flow, now);
            self.outputs.push_back(NodeOutput::Close { flow });
        }
        while let Some(entry) = self.delayed.first_entry().filter(|entry| now.reached(entry.key().0)) {
            let (flow, request) = entry.remove();
            self.consider(flow, request, now);
        }
    }

    /// Passes on what the transactions want, until they want nothing more.
    fn settle(&mut self, now: Now) {
        while let Some(output) = self.machines.transactions.poll_output() {
            match output {
                TxOutput::Send { flow, bytes } => self.send(flow, bytes, now),
                TxOutput::TimedOut { user: Owner::Relay(id), .. } => self.relay_failed(id, 408, now),
                TxOutput::FlowFailed { user: Owner::Relay(id), .. } => self.relay_failed(id, 503, now),
                TxOutput::TimedOut { .. }
                | TxOutput::AckTimedOut { .. }
                | TxOutput::CancelDue { .. }
                | TxOutput::Unanswered { .. }
                | TxOutput::FlowFailed { .. } => {}
            }
        }
    }

    fn flow_gone(&mut self, flow: FlowId, why: ConnectError, now: Now) {
        if self.forget_flow(flow, now) {
            self.note(Some(flow), Decision::new(Verdict::Flow, format!("gone: {why}")), now);
        }
    }

    fn forget_flow(&mut self, flow: FlowId, now: Now) -> bool {
        self.machines.gate.flow_gone(flow);
        self.machines.transactions.flow_failed(flow);
        let reliable = self.flows.transport(flow).is_some_and(|transport| transport.is_reliable());
        for gone in self.machines.registrar.flow_gone(flow).into_iter().filter(|_| reliable) {
            let said = Decision::new(Verdict::Unregistered, "its connection is gone").about(&gone);
            self.note(Some(flow), said, now);
        }
        self.flows.remove(flow)
    }

    /// Sends now, or as soon as the flow is open.
    fn send(&mut self, flow: FlowId, bytes: Bytes, now: Now) {
        if let Some(bytes) = self.flows.wait(flow, bytes) {
            self.log(flow, What::Sent(bytes.clone()), now);
            self.outputs.push_back(NodeOutput::Send { flow, bytes });
        }
    }

    fn note(&mut self, flow: Option<FlowId>, decision: Decision, now: Now) {
        let peer = flow.and_then(|flow| self.flows.find(flow)).map(|flow| flow.peer);
        self.write(peer, What::Decided(decision), now);
    }

    fn log(&mut self, flow: FlowId, what: What, now: Now) {
        let peer = self.flows.find(flow).map(|flow| flow.peer);
        self.write(peer, what, now);
    }

    fn write(&mut self, peer: Option<std::net::SocketAddr>, what: What, now: Now) {
        let entry = Entry { seq: 0, at: now.since_start.0, node: Arc::clone(&self.name), peer, what };
        self.outputs.push_back(NodeOutput::Journal(entry));
    }

    fn peer_named(&self, names: &[String]) -> Option<String> {
        let names = names.iter().map(|name| name.to_ascii_lowercase());
        let mut servers = names.filter(|name| self.config.peer(name).is_some());
        servers.next()
    }

    /// Seconds after which one who is sent away may come again.
    fn pause(&mut self, least: u32, now: Now) -> u32 {
        let in_hand = self.machines.gate.sessions().half_open() + self.pending.len() + self.relaying.len();
        self.machines.surge.pause(least, in_hand, self.draws.as_mut(), now)
    }

    fn next_name(&mut self) -> u64 {
        self.named += 1;
        self.named
    }
}

#[cfg(test)]
mod tests;
