//! One registrar that behaves as told, and an agent with any number of accounts at it, in virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing_core::agent::Agent;
use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, Aor, ServerChoice};
use homing_core::connect::{ConnectError, FlowEvent};
use homing_core::event::{AccountEvent, Event, Registered, UnregisterOutcome};
use homing_core::ids::{AccountId, FlowId, Seed};
use homing_core::outbox::{Answer, Input, Output, Question};
use homing_core::state::AccountState;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Builder, Frame, FrameFault, Message, Name};

use super::world::credentials;

/// An agent and its registrar.
pub(crate) struct Registrar<B> {
    pub(crate) agent: Agent,
    pub(crate) accounts: Vec<AccountId>,
    pub(crate) behaviour: B,
    pub(crate) seen: Seen,
    /// What was last granted.
    pub(crate) registered: Option<Registered>,
    /// What became of the binding of the last sign-out.
    pub(crate) unregistered: Option<UnregisterOutcome>,
    now: Now,
    flows: Vec<FlowId>,
}

/// What reached the registrar, each with its moment.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) dials: Vec<Duration>,
    pub(crate) registers: Vec<Duration>,
    pub(crate) pings: usize,
}

/// How a registrar behaves.
pub(crate) trait Behaviour {
    /// Whether it takes a connection now.
    fn listens(&mut self, _now: Duration) -> bool {
        true
    }

    /// What it does about a REGISTER.
    fn register(&mut self, request: &Message, now: Duration) -> Vec<Act>;

    /// Whether it answers a CRLFCRLF.
    fn pongs(&self) -> bool {
        true
    }
}

/// One thing a registrar does.
pub(crate) enum Act {
    Say(Bytes),
    /// The connection is reset.
    Cut,
    /// What it says is no SIP.
    Garbage,
}

impl<B: Behaviour> Registrar<B> {
    /// As many accounts over TCP, none signed in.
    pub(crate) fn new(behaviour: B, accounts: usize, seed: u64) -> Self {
        let now = Now::new(Duration::ZERO, WALL);
        let mut agent = Agent::new(AgentConfig::default(), Seed::from_number(seed), now);
        let add = |n| {
            let aor = Aor::parse(&format!("user{n}@network.com")).unwrap();
            let mut account = AccountConfig::new(aor, "3344");
            account.transports = vec![Transport::Tcp];
            let host = "192.0.2.9".into();
            account.server = ServerChoice::Fixed { host, port: Some(5060), transport: Transport::Tcp };
            agent.add_account(account, now).unwrap()
        };
        let accounts = (0..accounts).map(add).collect();
        let (seen, registered, unregistered, flows) = (Seen::default(), None, None, Vec::new());
        Self { agent, accounts, behaviour, seen, registered, unregistered, now, flows }
    }

    pub(crate) fn clock(&self) -> Duration {
        self.now.since_start.0
    }

    /// All accounts begin to sign in.
    pub(crate) fn login(&mut self) {
        self.command(Command::Register);
    }

    /// All accounts are told this.
    pub(crate) fn command(&mut self, command: fn(AccountId) -> Command) {
        for account in self.accounts.clone() {
            self.agent.handle_command(command(account), self.now).unwrap();
            self.settle();
        }
    }

    /// The registrar says this on its newest connection.
    pub(crate) fn say(&mut self, bytes: Bytes) {
        let flow = *self.flows.last().expect("a connection");
        self.hear(FlowEvent::Received { flow, frame: Frame::Message(bytes) });
        self.settle();
    }

    /// The first account asks its home server by OPTIONS.
    pub(crate) fn options(&mut self) {
        self.agent.options(self.accounts[0], None, self.now).unwrap();
        self.settle();
    }

    /// The one connection that all share breaks.
    pub(crate) fn cut(&mut self) {
        let flow = self.flows.pop().expect("a connection");
        assert!(self.flows.is_empty(), "all share one");
        self.input(Input::Flow(FlowEvent::Closed { flow, why: ConnectError::Closed }));
    }

    /// Lets time pass, stopping at every deadline on the way.
    pub(crate) fn pass(&mut self, span: Duration) {
        let (end, mut steps) = (self.clock() + span, 0);
        while let Some(due) = self.agent.deadline().filter(|due| due.at.0 <= end) {
            self.now = Now::new(due.at.0, WALL + due.at.0);
            self.input(Input::DeadlineReached);
            steps += 1;
            assert!(steps < 1_000_000, "a timer storm: {due:?}");
        }
        self.now = Now::new(end, WALL + end);
    }

    /// How many accounts are not signed in.
    pub(crate) fn away(&self) -> usize {
        let registered = |account: &&AccountId| self.agent.state(**account) == Some(AccountState::Registered);
        self.accounts.len() - self.accounts.iter().filter(registered).count()
    }

    /// How long it takes until everybody is signed in.
    pub(crate) fn pass_until_all_are_back(&mut self, most: Duration) -> Duration {
        let began = self.clock();
        while self.away() > 0 {
            assert!(self.clock() - began < most, "{} are away after {most:?}", self.away());
            self.pass(Duration::from_millis(100));
        }
        self.clock() - began
    }

    fn input(&mut self, input: Input) {
        self.agent.handle_input(input, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Connect { flow, address, .. } => self.dial(flow, address),
                Output::Close { flow } => self.flows.retain(|one| *one != flow),
                Output::Send { flow, bytes } if self.flows.contains(&flow) => self.receive(flow, bytes),
                Output::Ask { id, question: Question::Credentials { .. }, .. } => {
                    self.agent.handle_answer(id, Answer::Credentials(Some(credentials())), self.now);
                }
                Output::Event(Event { what: AccountEvent::Registered(registered), .. }) => {
                    self.registered = Some(registered);
                }
                Output::Event(Event { what: AccountEvent::Unregistered { outcome }, .. }) => {
                    self.unregistered = Some(outcome);
                }
                _ => {}
            }
        }
    }

    fn dial(&mut self, flow: FlowId, peer: SocketAddr) {
        self.seen.dials.push(self.clock());
        let event = if self.behaviour.listens(self.clock()) {
            self.flows.push(flow);
            let local = SocketAddr::from(([198, 51, 100, 7], 40_000));
            FlowEvent::Connected { flow, local, peer, proof: None }
        } else {
            FlowEvent::ConnectFailed { flow, why: ConnectError::ConnectionRefused }
        };
        self.agent.handle_input(Input::Flow(event), self.now);
    }

    fn receive(&mut self, flow: FlowId, bytes: Bytes) {
        if bytes == b"\r\n\r\n"[..] {
            self.seen.pings += 1;
            if self.behaviour.pongs() {
                self.hear(FlowEvent::Received { flow, frame: Frame::Pong });
            }
            return;
        }
        let Ok(request) = Message::parse(bytes) else { return };
        self.seen.registers.push(self.clock());
        for act in self.behaviour.register(&request, self.clock()) {
            match act {
                Act::Say(bytes) => self.hear(FlowEvent::Received { flow, frame: Frame::Message(bytes) }),
                Act::Cut => {
                    self.flows.retain(|one| *one != flow);
                    self.hear(FlowEvent::Closed { flow, why: ConnectError::Closed });
                }
                Act::Garbage => {
                    let fault = homing_wire::FrameError::NoContentLength;
                    self.hear(FlowEvent::Malformed {
                        flow,
                        head: None,
                        why: FrameFault { rule: fault, octet: 0 },
                    });
                }
            }
        }
    }

    fn hear(&mut self, event: FlowEvent) {
        self.agent.handle_input(Input::Flow(event), self.now);
    }
}

/// A response to a request, with a tag.
pub(crate) fn reply(request: &Message, status: u16) -> Builder {
    Builder::reply_to(request, status, "Whatever").to_tag("x")
}

/// A 200 that lists the Contact of the REGISTER.
pub(crate) fn accept(request: &Message) -> Builder {
    let contact = std::str::from_utf8(request.lines(Name::Contact).next().unwrap()).unwrap();
    reply(request, 200).header(Name::Contact, contact)
}

const WALL: Duration = Duration::from_secs(1_705_564_800);
