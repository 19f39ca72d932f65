//! What is due at one instant is done in a stated order: transactions, flows, accounts; each by time and id.

use homing_core::connect::FlowEvent;
use std::collections::BTreeMap;
use std::time::Duration;

use homing_core::agent::Agent;
use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, Aor, ServerChoice};
use homing_core::connect::ConnectError;
use homing_core::dns::DnsRecords;
use homing_core::ids::{AccountId, FlowId, Seed};
use homing_core::outbox::{Answer, Input, Output, Question};
use homing_core::time::Now;
use homing_core::transport::Transport;

use super::world::random::Scripted;
use super::world::{WALL, answer, credentials};

/// An agent whose accounts have one server each, `s0` for the first, at 192.0.2.0 and so on.
struct Many {
    agent: Agent,
    /// The server each flow leads to.
    flows: BTreeMap<FlowId, u8>,
}

fn at(millis: u64) -> Now {
    Now::new(Duration::from_millis(millis), WALL + Duration::from_millis(millis))
}

impl Many {
    fn new(transports: &[Transport]) -> Self {
        let random = Scripted { spread: Some(0), ..Scripted::default() };
        let mut agent =
            Agent::with_random(AgentConfig::default(), Seed::from_number(1), Box::new(random), at(0));
        for (place, transport) in transports.iter().enumerate() {
            let aor = Aor::parse(&format!("user{place}@network.com")).unwrap();
            let mut account = AccountConfig::new(aor, format!("334{place}"));
            account.transports = vec![*transport];
            account.auth.udp_register = true;
            let host = format!("s{place}.network.com");
            account.server = ServerChoice::Fixed { host, port: Some(5060), transport: *transport };
            agent.add_account(account, at(0)).unwrap();
        }
        Self { agent, flows: BTreeMap::new() }
    }

    fn register(&mut self, account: u32, now: Now) {
        self.agent.handle_command(Command::Register(AccountId(account)), now).unwrap();
        self.answer_all(now);
    }

    /// Takes all outputs, answers questions, opens UDP at once and TCP never, and says what came: a letter
    /// for the kind and the number of the server.
    fn answer_all(&mut self, now: Now) -> Vec<String> {
        let mut came = Vec::new();
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Ask { id, question: Question::Resolve(question), .. } => {
                    let server: u8 = question.name[1..2].parse().unwrap();
                    came.push(format!("asks for {server}"));
                    let found = Ok(answer(DnsRecords::Addresses(vec![[192, 0, 2, server].into()])));
                    self.agent.handle_answer(id, Answer::Resolved(found), now);
                }
                Output::Ask { id, .. } => {
                    self.agent.handle_answer(id, Answer::Credentials(Some(credentials())), now);
                }
                Output::Connect { flow, address, transport, .. } => {
                    let last = address.ip().to_string().rsplit('.').next().unwrap().parse().unwrap();
                    self.flows.insert(flow, last);
                    if transport == Transport::Udp {
                        let local = "198.51.100.7:5060".parse().unwrap();
                        let input =
                            Input::Flow(FlowEvent::Connected { flow, local, peer: address, proof: None });
                        self.agent.handle_input(input, now);
                    }
                }
                Output::Send { flow, .. } => came.push(format!("sends to {}", self.flows[&flow])),
                Output::Close { flow } => came.push(format!("closes {}", self.flows[&flow])),
                Output::Event(_) | Output::Call(_) | Output::Forget { .. } => {}
            }
        }
        came
    }

    fn refuse(&mut self, server: u8, now: Now) {
        let (flow, _) = self.flows.iter().find(|(_, there)| **there == server).unwrap();
        let input =
            Input::Flow(FlowEvent::ConnectFailed { flow: *flow, why: ConnectError::ConnectionRefused });
        self.agent.handle_input(input, now);
        self.answer_all(now);
    }
}

#[test]
fn transactions_come_before_flows_and_flows_before_accounts_each_by_time_and_id() {
    use Transport::{Tcp, Udp};
    let mut many = Many::new(&[Udp, Udp, Tcp, Tcp, Tcp, Tcp]);
    // The accounts' own deadlines are the earliest: 30 s after their failures, 5 before 4.
    for account in [4, 5] {
        many.register(account, at(0));
    }
    many.refuse(5, at(10));
    many.refuse(4, at(10));
    // Then the flows', 10 s after they were wanted.
    many.register(3, at(80_000));
    many.register(2, at(80_000));
    // The transactions' are the latest: half a second after the REGISTER.
    many.register(1, at(90_000));
    many.register(0, at(90_000));
    many.agent.handle_input(Input::DeadlineReached, at(90_500));
    let came = many.answer_all(at(90_500));
    // Transactions and flows go by their own ids, which is the order of their birth; accounts by theirs.
    assert_eq!(came, ["sends to 1", "sends to 0", "closes 3", "closes 2", "asks for 4", "asks for 5"]);
}
