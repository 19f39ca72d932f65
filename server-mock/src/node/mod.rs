//! One server of the estate, without sockets: input and time in, output out.
//!
//! **Give one input with the time; drain every output; ask for the deadline; sleep.** A look-up in the
//! directory is an output like any other, so that a simulator may delay it.
//!
//! ```text
//!                  ┌ faults ┐                                            ┌ faults ┐
//! flow ─ transaction ─ validation ─ authentication ─ proxy ─ options │ router ─┬─ redirect server ─┬─ response, signed
//!                  │                                            directory     ├─ proxy            │
//!                  └ home authentication                                      └─ registrar        └ registration notifier
//! ```
//!
//! What the services (`service`) share is the context (`context`); which services a role has stands in its
//! composition (`composition`).

pub mod accounts;
pub mod authenticator;
pub mod bindings;
mod composition;
pub mod config;
mod context;
mod date;
pub mod destinations;
mod dialogs;
pub mod endpoint;
mod fault_filter;
pub mod flows;
pub mod io;
pub mod limits;
mod notices;
pub mod party;
mod path_token;
pub mod random;
mod rate_limit;
mod reply;
mod retry_after;
mod route_token;
pub mod routing;
mod service;
mod signing;
pub mod sound;
mod stun;
mod timer_map;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use homing_core::connect::FlowEvent;
use homing_core::counter::{Counter, Counters};
use homing_core::ids::{FlowId, Seed, TxId};
use homing_core::time::{Deadline, Now};
use homing_core::transaction::{Incoming, Response, TxOutput};
use homing_wire::{Frame, Message, Method, Name};

use crate::directory::Lookup;
use crate::journal::{Decision, Verdict, What};
use bindings::{Binding, Bindings};
use config::{NodeConfig, OnMove};
use context::{BranchId, Context, Objection, Owner};
use flows::Flow;
pub use io::{Deregistration, LookupId, NodeCommand, NodeInput, NodeOutput};
use random::{Random, SeededRandom};
use reply::Reply;
use service::registration_notifier::understands_recall;
use service::{Ack, AckWay, BranchEvent, FollowUp, Judged, LookUp, Received, Service, Step};

/// One server: what its services share, and the services in the order a request meets them.
pub struct Node {
    cx: Context,
    services: Vec<Box<dyn Service>>,
    /// Questions to the directory without an answer, each with the place of the service that asked.
    lookups: BTreeMap<LookupId, (usize, LookUp)>,
}

/// How many calls pass through a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// INVITEs that began one and have no final answer.
    pub unanswered: usize,
    /// Answered ones that are not known to be over.
    pub answered: usize,
}

impl Node {
    /// A server that has heard nothing yet. The same seed and inputs give the same outputs.
    pub fn new(config: NodeConfig, seed: &Seed) -> Self {
        // The stream's name is part of what a seed means, so it stays.
        let random = Box::new(SeededRandom::new(&seed.stream("draws", &[])));
        Self::with_random(config, seed, random)
    }

    /// A server whose random values on the wire are dictated, for golden conversations.
    pub fn with_random(config: NodeConfig, seed: &Seed, random: Box<dyn Random>) -> Self {
        let services = composition::services(&config, seed);
        Self { cx: Context::new(config, seed, random), services, lookups: BTreeMap::new() }
    }

    /// Takes one input.
    pub fn handle_input(&mut self, input: NodeInput, now: Now) {
        self.count_in_hand();
        match input {
            NodeInput::Flow(event) => self.handle_flow(event, now),
            NodeInput::DeadlineReached => self.handle_deadline(now),
            NodeInput::SoundOpened { call, ports } => {
                for service in &mut self.services {
                    service.handle_sound(&mut self.cx, call, ports.as_ref(), now);
                }
            }
        }
        self.settle(now);
    }

    /// Takes the answer to a look-up.
    pub fn handle_answer(&mut self, id: LookupId, found: Lookup, now: Now) {
        self.count_in_hand();
        match self.lookups.remove(&id) {
            Some((at, asked)) => {
                let step = self.services[at].handle_lookup(&mut self.cx, asked, &found, now);
                self.run(at + 1, step, now);
            }
            None => self.cx.counters.count(Counter::LateAnswer),
        }
        self.settle(now);
    }

    /// Takes a command of an operator or a test.
    pub fn handle_command(&mut self, command: NodeCommand, now: Now) {
        self.count_in_hand();
        match command {
            NodeCommand::InjectFault(rule) => self.cx.faults.inject(rule),
            NodeCommand::ClearFaults => self.cx.faults.clear(),
            command => {
                if let NodeCommand::SetAccounts(accounts) = &command {
                    self.cx.config.accounts = Arc::clone(accounts);
                }
                for at in 0..self.services.len() {
                    let step = self.services[at].handle_command(&mut self.cx, &command, now);
                    self.run(at + 1, step, now);
                }
            }
        }
        self.settle(now);
    }

    /// Takes the oldest output.
    pub fn poll_output(&mut self) -> Option<NodeOutput> {
        self.cx.poll_output()
    }

    /// When something is due, and why; of equal moments the first of: delayed requests, transactions, associations,
    /// bindings, dialogs, services, flows.
    pub fn deadline(&self) -> Option<Deadline> {
        let cx = &self.cx;
        let shared = [
            cx.faults.deadline(),
            cx.transactions.deadline(),
            cx.sessions.deadline(),
            cx.bindings.deadline(),
            cx.dialogs.deadline(),
        ];
        let services = self.services.iter().map(|service| service.deadline());
        let all = shared.into_iter().chain(services).chain([cx.flows.deadline()]);
        all.fold(None, Deadline::earlier)
    }

    /// The bindings of a user, by address of record without scheme.
    pub fn bindings(&self, user: &str) -> &[Binding] {
        self.cx.bindings.of(&user.to_ascii_lowercase())
    }

    /// True if this server would answer for `user` itself: it holds a binding.
    pub fn serves(&self, user: &str) -> bool {
        !self.bindings(user).is_empty()
    }

    /// Who is registered here.
    pub fn registrar(&self) -> &Bindings {
        &self.cx.bindings
    }

    /// True if the client of a binding is told at once that its user was moved; all others learn it by their next
    /// refresh.
    pub fn is_recalled_at_once(&self, binding: &Binding) -> bool {
        self.cx.config.registrar.on_move == OnMove::Recall && understands_recall(&self.cx, binding)
    }

    /// How it was set up.
    pub fn config(&self) -> &NodeConfig {
        &self.cx.config
    }

    /// What it dropped or refused, by name.
    pub fn counters(&self) -> &Counters {
        &self.cx.counters
    }

    /// The calls that pass through here.
    pub fn calls(&self) -> Calls {
        let unanswered = self.services.iter().map(|service| service.unanswered_calls()).sum();
        Calls { unanswered, answered: self.cx.dialogs.answered() }
    }

    /// Transactions that are not finished.
    pub fn transactions(&self) -> usize {
        self.cx.transactions.unfinished()
    }

    /// Requests that wait inside services.
    #[cfg(test)]
    pub(crate) fn in_hand_inside(&self) -> usize {
        self.services.iter().map(|service| service.in_hand()).sum()
    }

    /// Leads a request through the services, from the one at `from` on; `step` is what the one before made of it.
    fn run(&mut self, from: usize, mut step: Step, now: Now) {
        for at in from..=self.services.len() {
            match step {
                Step::Done => return,
                Step::LookUp(asked) => {
                    let id = self.cx.look_up(asked.user.clone());
                    self.lookups.insert(id, (at - 1, asked));
                    return;
                }
                passed_on => match self.services.get_mut(at) {
                    Some(service) => step = service.handle_request(&mut self.cx, passed_on, now),
                    None => return,
                },
            }
        }
    }

    fn handle_flow(&mut self, event: FlowEvent, now: Now) {
        match event {
            FlowEvent::Accepted { flow, local, peer, transport, client_names } => {
                let mut accepted = Flow::new(flow, local, peer, transport, now);
                accepted.trusted = client_names.and_then(|names| self.peer_named(&names.dns));
                if let Some(server) = &accepted.trusted {
                    let said =
                        Decision::new(Verdict::Flow, "a server of the estate, proved by its certificate");
                    self.cx.note(Some(flow), said.towards(server), now);
                }
                let unauthenticated = self.cx.config.authentication.limits.unauthenticated;
                self.cx.flows.accept(accepted, unauthenticated, now);
            }
            FlowEvent::Connected { flow, local, peer, .. } => {
                for bytes in self.cx.flows.connected(flow, local, peer, now) {
                    self.cx.send(flow, bytes, now);
                }
            }
            FlowEvent::ConnectFailed { flow, why } | FlowEvent::Closed { flow, why } => {
                self.cx.flow_gone(flow, why, now);
            }
            FlowEvent::Received { flow, frame } => self.receive_frame(flow, frame, now),
            FlowEvent::Malformed { flow, head, .. } => self.receive_malformed(flow, head, now),
        }
    }

    fn peer_named(&self, names: &[String]) -> Option<String> {
        let mut names = names.iter().map(|name| name.to_ascii_lowercase());
        names.find(|name| self.cx.config.peer(name).is_some())
    }

    fn receive_frame(&mut self, flow: FlowId, frame: Frame, now: Now) {
        let cx = &mut self.cx;
        if cx.flows.find(flow).is_none() {
            return cx.counters.count(Counter::StrayFlow);
        }
        cx.flows.hear(flow, now);
        cx.flows.received(flow, octets(&frame));
        match frame {
            Frame::Ping => {
                cx.log(flow, What::Received(PING), now);
                if cx.flows.find(flow).is_some_and(|flow| flow.keep_alive.pongs) {
                    cx.send(flow, PONG, now);
                }
            }
            Frame::Pong => cx.log(flow, What::Received(PONG), now),
            Frame::Stun(bytes) => {
                let from = cx.flows.find(flow).map(|flow| flow.peer);
                if let Some(answer) = from.and_then(|from| stun::answer(&bytes, from)) {
                    cx.send(flow, answer, now);
                }
            }
            Frame::Message(bytes) => self.receive_message(flow, bytes, now),
        }
    }

    fn receive_message(&mut self, flow: FlowId, bytes: Bytes, now: Now) {
        self.cx.log(flow, What::Received(bytes.clone()), now);
        match Message::parse(bytes) {
            Ok(request) if request.is_request() => self.receive_request(flow, request, now),
            Ok(response) => self.receive_response(flow, &response, now),
            Err(error) => {
                self.cx.counters.count(Counter::Malformed);
                self.cx.note_malformed(flow, &error, now);
            }
        }
    }

    /// A stream that cannot be framed: 400 to what could be read of it, and the end.
    fn receive_malformed(&mut self, flow: FlowId, head: Option<Bytes>, now: Now) {
        let cx = &mut self.cx;
        cx.counters.count(Counter::Malformed);
        cx.note(Some(flow), Decision::new(Verdict::Discarded, "the stream cannot be framed"), now);
        let request = head.and_then(|head| Message::parse(head).ok()).filter(|message| message.is_request());
        if let Some(request) = request.filter(|request| request.via().is_ok()) {
            cx.log(flow, What::Received(request.bytes().clone()), now);
            let reply = Reply::new(400).reason("Content-Length is missing or wrong");
            cx.respond_without_state(&request, flow, reply, now);
        }
        cx.close(flow, now);
    }

    fn receive_request(&mut self, flow: FlowId, request: Message, now: Now) {
        let is_ack = request.method() == Some(Method::Ack);
        if is_ack && self.cx.transactions.peek_server(&request).is_some() {
            return self.receive_ack(flow, request, now);
        }
        let cx = &mut self.cx;
        match cx.transactions.feed_request(&request, flow, now) {
            Incoming::New | Incoming::Merged | Incoming::Ack { .. } => {
                self.run(0, received(flow, request), now);
            }
            Incoming::Cancel { of } => {
                let received = Received { flow, request, cancels: Some(of) };
                self.run(BEHIND_ARRIVAL_FAULTS, Step::Received(Box::new(received)), now);
            }
            Incoming::Retransmission => {
                cx.note(Some(flow), Decision::new(Verdict::Repeated, "a copy of a request in hand"), now);
            }
            Incoming::Acknowledged { .. } => {}
            Incoming::Overload => {
                cx.counters.count(Counter::Overload);
                let reply = Reply::new(503).header(Name::RetryAfter, cx.retry_after(OVERLOAD_PAUSE, now));
                let objection = Objection { reply, why: "too many requests in hand" };
                cx.refuse_without_state(flow, &request, objection, now);
            }
            Incoming::Unusable => {
                let reply = Reply::new(400).reason("Missing or malformed identifying header");
                let objection = Objection { reply, why: "it lacks what identifies it" };
                cx.refuse_without_state(flow, &request, objection, now);
            }
        }
    }

    /// An ACK that has the name of an INVITE in hand. Where its sender has an association it must be signed, for a refusal
    /// too; it is judged once.
    fn receive_ack(&mut self, flow: FlowId, request: Message, now: Now) {
        let cx = &mut self.cx;
        let principal = match cx.judge_ack(flow, &request, now) {
            Ok(principal) => principal,
            Err(why) => return cx.discard(flow, why, now),
        };
        let incoming = cx.transactions.feed_request(&request, flow, now);
        match (incoming, principal) {
            (Incoming::Acknowledged { .. }, _) => {}
            (_, Some(principal)) => {
                let ack = Ack { flow, request, way: AckWay::ByRoute(principal) };
                self.run(0, Step::Ack(Box::new(ack)), now);
            }
            (_, None) => self.run(0, received(flow, request), now),
        }
    }

    fn receive_response(&mut self, flow: FlowId, response: &Message, now: Now) {
        let found = self.cx.transactions.peek_client(response);
        let Some((id, owner)) =
            found.filter(|(.., expected)| *expected == flow).map(|(id, owner, _)| (id, *owner))
        else {
            return self.receive_unmatched(flow, response, now);
        };
        let Owner::Branch(branch) = owner else {
            self.feed_response(id, response, &FollowUp::default(), now);
            return self.settle(now);
        };
        // A copy, octet for octet, was judged before, and its signature would count as replayed.
        let is_copy = self.cx.transactions.is_copy(id, response);
        let judged = if is_copy { Some(FollowUp::default()) } else { self.judge(branch, response, now) };
        let Some(follow_up) = judged else { return };
        let what = self.feed_response(id, response, &follow_up, now);
        self.settle(now);
        if what != Response::Absorbed {
            self.tell(branch, || BranchEvent::Response(response, what), now);
        }
    }

    fn judge(&mut self, branch: BranchId, response: &Message, now: Now) -> Option<FollowUp> {
        for service in &mut self.services {
            match service.judge_response(&mut self.cx, branch, response, now) {
                Judged::NotMine => {}
                Judged::Dropped => return None,
                Judged::Believed(follow_up) => return Some(follow_up),
            }
        }
        self.cx.counters.count(Counter::StrayResponse);
        None
    }

    /// Feeds a response; the ACK or CANCEL that follows from it goes where the request went, signed where a client is
    /// there that expects it.
    fn feed_response(&mut self, id: TxId, response: &Message, follow_up: &FollowUp, now: Now) -> Response {
        let (transactions, mut signer) = self.cx.transactions_and_signer();
        let mut finish = |request| signer.follow_up(follow_up.complete(request), follow_up.session);
        transactions.feed_response(id, response, &mut finish, now)
    }

    fn receive_unmatched(&mut self, flow: FlowId, response: &Message, now: Now) {
        let cx = &mut self.cx;
        if self.services.iter_mut().any(|service| service.handle_unmatched(cx, flow, response, now)) {
            return;
        }
        self.cx.counters.count(Counter::StrayResponse);
        let said = Decision::new(Verdict::Discarded, "a response to nothing this server asked");
        self.cx.note(Some(flow), said, now);
    }

    fn tell<'m>(&mut self, branch: BranchId, event: impl Fn() -> BranchEvent<'m>, now: Now) {
        let cx = &mut self.cx;
        self.services.iter_mut().for_each(|service| service.handle_branch(cx, branch, event(), now));
    }

    /// Does everything that is due at or before `now`, in this order: transactions, half-open and lapsed
    /// associations, bindings, services, flows, delayed requests; each by deadline, and those of equal
    /// deadlines by id or name. What transactions want sent goes out last.
    fn handle_deadline(&mut self, now: Now) {
        let cx = &mut self.cx;
        cx.transactions.handle_deadline(now);
        cx.sessions.handle_deadline(now);
        for gone in cx.bindings.handle_deadline(now) {
            let said = Decision::new(Verdict::Unregistered, "its registration lapsed").about(&gone);
            cx.note(None, said, now);
        }
        self.services.iter_mut().for_each(|service| service.handle_deadline(cx, now));
        while let Some((flow, why)) = cx.flows.overdue(now) {
            cx.counters.count(Counter::FlowTimedOut);
            cx.note(Some(flow), Decision::new(Verdict::Flow, why), now);
            cx.close(flow, now);
        }
        while let Some(delayed) = self.cx.faults.due(now) {
            let (flow, request) = (delayed.flow, delayed.request);
            self.run(BEHIND_ARRIVAL_FAULTS, received(flow, request), now);
        }
    }

    /// Passes on what the transactions want, until they want nothing more.
    fn settle(&mut self, now: Now) {
        while let Some(output) = self.cx.transactions.poll_output() {
            match output {
                TxOutput::Send { flow, bytes } => self.cx.send(flow, bytes, now),
                TxOutput::TimedOut { user: Owner::Branch(branch), .. } => {
                    self.tell(branch, || BranchEvent::TimedOut, now);
                }
                TxOutput::FlowFailed { user: Owner::Branch(branch), .. } => {
                    self.tell(branch, || BranchEvent::FlowFailed, now);
                }
                TxOutput::CancelDue { user: Owner::Branch(branch), .. } => {
                    self.tell(branch, || BranchEvent::CancelDue, now);
                }
                TxOutput::FlowFailed { user: Owner::Server, tx } => {
                    let cx = &mut self.cx;
                    self.services.iter_mut().for_each(|service| service.handle_sender_gone(cx, tx, now));
                }
                TxOutput::TimedOut { .. }
                | TxOutput::AckTimedOut { .. }
                | TxOutput::CancelDue { .. }
                | TxOutput::Unanswered { .. }
                | TxOutput::FlowFailed { .. } => {}
            }
        }
    }

    fn count_in_hand(&mut self) {
        let inside: usize = self.services.iter().map(|service| service.in_hand()).sum();
        self.cx.in_hand = self.lookups.len() + inside;
    }
}

fn received(flow: FlowId, request: Message) -> Step {
    Step::Received(Box::new(Received { flow, request, cancels: None }))
}

fn octets(frame: &Frame) -> usize {
    match frame {
        Frame::Message(bytes) | Frame::Stun(bytes) => bytes.len(),
        Frame::Ping => PING.len(),
        Frame::Pong => PONG.len(),
    }
}

const PING: Bytes = Bytes::from_static(b"\r\n\r\n");
const PONG: Bytes = Bytes::from_static(b"\r\n");
/// The place of the first service that is no fault; see [`composition`].
const BEHIND_ARRIVAL_FAULTS: usize = 1;
/// Seconds.
const OVERLOAD_PAUSE: u32 = 5;

#[cfg(test)]
mod tests;
