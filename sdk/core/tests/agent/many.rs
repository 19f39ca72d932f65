//! Many accounts in one agent, and other transports: cheap at rest, apart from each other.

use homing_core::connect::FlowEvent;
use std::net::SocketAddr;
use std::time::Duration;

use homing_core::agent::Agent;
use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, Aor, ServerChoice};
use homing_core::ids::{AccountId, FlowId, Seed};
use homing_core::outbox::{Answer, Input, Output, Question};
use homing_core::state::AccountState;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Builder, Frame, Message, Name};

use super::world::credentials;

/// A registrar that takes everybody, over one transport.
struct Crowd {
    agent: Agent,
    accounts: Vec<AccountId>,
    now: Now,
    registers: usize,
    flows: Vec<FlowId>,
    last: Option<Message>,
    /// Answers are lost.
    deaf: bool,
}

impl Crowd {
    fn new(size: usize, transport: Transport, local: &str) -> (Self, SocketAddr) {
        let now = Now::new(Duration::ZERO, Duration::from_secs(1_705_564_800));
        let mut agent = Agent::new(AgentConfig::default(), Seed::from_number(3), now);
        let add = |n| {
            let mut account =
                AccountConfig::new(Aor::parse(&format!("user{n}@network.com")).unwrap(), "3344");
            account.transports = vec![transport];
            account.auth.udp_register = true;
            let host = "192.0.2.9".into();
            account.server = ServerChoice::Fixed { host, port: Some(5060), transport };
            agent.add_account(account, now).unwrap()
        };
        let accounts = (0..size).map(add).collect();
        let crowd = Self { agent, accounts, now, registers: 0, flows: Vec::new(), last: None, deaf: false };
        (crowd, local.parse().unwrap())
    }

    fn settle(&mut self, local: SocketAddr) {
        while let Some(output) = self.agent.poll_output() {
            let now = self.now;
            match output {
                Output::Connect { flow, address, .. } => {
                    self.flows.push(flow);
                    let input = Input::Flow(FlowEvent::Connected { flow, local, peer: address, proof: None });
                    self.agent.handle_input(input, now);
                }
                Output::Send { flow, bytes } => {
                    let Ok(request) = Message::parse(bytes) else { continue };
                    self.registers += 1;
                    if !self.deaf {
                        let ok =
                            Builder::reply_to(&request, 200, "OK").to_tag("t").header(Name::Expires, 3_600);
                        let frame = Frame::Message(ok.finish());
                        self.agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame }), now);
                    }
                    self.last = Some(request);
                }
                Output::Ask { id, question: Question::Credentials { .. }, .. } => {
                    self.agent.handle_answer(id, Answer::Credentials(Some(credentials())), now);
                }
                Output::Ask { .. }
                | Output::Close { .. }
                | Output::Forget { .. }
                | Output::Event(_)
                | Output::Call(_) => {}
            }
        }
    }

    fn pass(&mut self, span: Duration, local: SocketAddr) -> usize {
        let end = self.now.since_start.0 + span;
        let mut wakes = 0;
        while let Some(due) = self.agent.deadline().filter(|due| due.at.0 <= end) {
            let wall = self.now.wall.0 + due.at.since(self.now.since_start);
            self.now = Now::new(due.at.0.max(self.now.since_start.0), wall);
            self.agent.handle_input(Input::DeadlineReached, self.now);
            self.settle(local);
            wakes += 1;
        }
        wakes
    }

    fn all(&self, state: AccountState) -> bool {
        self.accounts.iter().all(|account| self.agent.state(*account) == Some(state))
    }
}

#[test]
fn two_thousand_accounts_share_one_connection_and_are_woken_one_by_one() {
    let (mut crowd, local) = Crowd::new(2_000, Transport::Tcp, "198.51.100.7:40000");
    crowd.agent.handle_input(Input::DeadlineReached, crowd.now);
    for account in crowd.accounts.clone() {
        crowd.agent.handle_command(Command::Register(account), crowd.now).unwrap();
    }
    crowd.settle(local);
    assert!(crowd.all(AccountState::Registered));
    assert_eq!((crowd.flows.len(), crowd.agent.flows()), (1, 1));
    assert_eq!(crowd.registers, 2_000);
    let wakes = crowd.pass(Duration::from_secs(3_600), local);
    assert_eq!(crowd.registers, 4_000, "each refreshed once");
    assert!(wakes <= 2_200, "{wakes}");
    assert!(crowd.all(AccountState::Registered));
    // One connection dies: all come back, spread over time, each with one REGISTER.
    let why = homing_core::connect::ConnectError::Closed;
    crowd.agent.handle_input(Input::Flow(FlowEvent::Closed { flow: crowd.flows[0], why }), crowd.now);
    crowd.settle(local);
    crowd.pass(Duration::from_secs(3), local);
    assert!(crowd.all(AccountState::Registered));
    assert_eq!(crowd.registers, 6_000);
    assert_eq!(crowd.agent.flows(), 1);
}

#[test]
fn a_clock_jump_wakes_each_account_once_and_not_at_one_instant() {
    let (mut crowd, local) = Crowd::new(500, Transport::Tcp, "198.51.100.7:40000");
    for account in crowd.accounts.clone() {
        crowd.agent.handle_command(Command::Register(account), crowd.now).unwrap();
    }
    crowd.settle(local);
    crowd.now = Now::new(crowd.now.since_start.0, crowd.now.wall.0 + Duration::from_secs(40_000));
    crowd.agent.handle_input(Input::ClockJumped, crowd.now);
    crowd.settle(local);
    assert_eq!(crowd.registers, 500, "none at once");
    let wakes = crowd.pass(Duration::from_secs(3), local);
    assert_eq!(crowd.registers, 1_000);
    assert!(wakes > 100, "spread: {wakes}");
}

#[test]
fn over_udp_requests_are_repeated_and_copies_of_answers_absorbed() {
    let (mut crowd, local) = Crowd::new(1, Transport::Udp, "198.51.100.7:40000");
    crowd.deaf = true;
    crowd.agent.handle_command(Command::Register(crowd.accounts[0]), crowd.now).unwrap();
    crowd.settle(local);
    crowd.pass(Duration::from_secs(4), local);
    assert_eq!(crowd.registers, 4, "at 0, 0.5, 1.5 and 3.5 s");
    let request = crowd.last.clone().unwrap();
    assert!(request.text(Name::Via).unwrap().starts_with("SIP/2.0/UDP 198.51.100.7:40000;branch="));
    let ok = Builder::reply_to(&request, 200, "OK").to_tag("t").header(Name::Expires, 3_600).finish();
    for _ in 0..3 {
        let frame = Frame::Message(ok.clone());
        crowd.agent.handle_input(Input::Flow(FlowEvent::Received { flow: crowd.flows[0], frame }), crowd.now);
        crowd.settle(local);
    }
    assert!(crowd.all(AccountState::Registered));
    crowd.deaf = false;
    crowd.pass(Duration::from_secs(3_500), local);
    assert!(crowd.all(AccountState::Registered));
}

#[test]
fn addresses_of_six_stand_in_brackets() {
    let (mut crowd, local) = Crowd::new(1, Transport::Tcp, "[2001:db8::7]:40000");
    crowd.agent.handle_command(Command::Register(crowd.accounts[0]), crowd.now).unwrap();
    crowd.settle(local);
    let request = crowd.last.clone().unwrap();
    assert!(request.text(Name::Via).unwrap().starts_with("SIP/2.0/TCP [2001:db8::7]:40000;"));
    let contact = request.text(Name::Contact).unwrap();
    assert!(contact.starts_with("<sip:user0@[2001:db8::7]:40000;transport=tcp>"), "{contact}");
}
