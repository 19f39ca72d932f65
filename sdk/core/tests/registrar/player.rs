//! Plays one script against the agent in virtual time and keeps what happened.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use homing_core::agent::Agent;
use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, Aor, ServerChoice};
use homing_core::connect::{ConnectError, FlowEvent, TlsProof};
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, Naptr, RecordKind, Srv};
use homing_core::event::{AccountEvent, Event};
use homing_core::identity::{CertNames, accepts};
use homing_core::ids::{AccountId, AskId, FlowId, Seed};
use homing_core::outbox::{Answer, Credentials, Decision, Input, Output, Question};
use homing_core::secret::Password;
use homing_core::state::AccountState;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Excerpt, Frame, FrameFault, Framer, Limits, Message};
use serde_json::Value;

use super::script::{Case, texts};
use super::server::Registrar;

/// The port the script listens on.
pub(crate) const PORT: u16 = 5099;
const WALL: Duration = Duration::from_secs(1_764_000_000);

/// A script being played.
pub(crate) struct Player {
    pub(crate) agent: Agent,
    pub(crate) account: AccountId,
    pub(crate) server: Registrar,
    pub(crate) clock: Duration,
    flows: BTreeMap<FlowId, Connection>,
    pub(crate) events: Vec<(Duration, AccountEvent)>,
    /// What the server sent, as it stood on the wire.
    pub(crate) received: Vec<Bytes>,
    /// What the agent sent that is no REGISTER: answers to the server.
    pub(crate) answers: Vec<Message>,
    pub(crate) asked: Vec<DnsQuestion>,
    pub(crate) sni: Option<String>,
    /// The agent closed a connection before it was signed out.
    pub(crate) closed_by_client: bool,
    case: Case,
    password: Password,
    user: String,
    /// Questions for a password that a person is typing, with when it is typed.
    typing: Vec<(Duration, AskId)>,
    /// Nobody listens on the port.
    pub(crate) is_port_closed: bool,
}

struct Connection {
    framer: Framer,
    transport: Transport,
    sni: String,
}

impl Player {
    pub(crate) fn new(case: &Case) -> Result<Self, String> {
        let written = case.text("aor").unwrap_or_default();
        let aor = Aor::parse(&written).map_err(|why| why.to_string())?;
        let mut config = AccountConfig::new(aor.clone(), "3344");
        let transport = Transport::parse(&case.text("transport").unwrap_or_default()).expect("a transport");
        config.transports = vec![transport];
        config.auth.allow_md5 = case.flag("allow_md5");
        config.auth.udp_register = case.flag("udp_register");
        if let Some(server) = case.text("server") {
            let (host, _) = server.rsplit_once(':').expect("host and port");
            let host = host.trim_matches(['[', ']']).to_owned();
            config.server = ServerChoice::Fixed { host, port: Some(PORT), transport };
        }
        let now = Now::new(Duration::ZERO, WALL);
        let mut agent = Agent::new(AgentConfig::default(), Seed::from_number(7), now);
        let account = agent.add_account(config, now).map_err(|why| why.to_string())?;
        let user = case.text("user").unwrap_or_else(|| aor.login_user());
        Ok(Player {
            agent,
            account,
            server: Registrar::new(case, user.clone()),
            clock: Duration::ZERO,
            flows: BTreeMap::new(),
            events: Vec::new(),
            received: Vec::new(),
            answers: Vec::new(),
            asked: Vec::new(),
            sni: None,
            closed_by_client: false,
            case: case.clone(),
            password: Password::new(case.password()),
            user,
            typing: Vec::new(),
            is_port_closed: false,
        })
    }

    /// Plays the whole script.
    pub(crate) fn play(&mut self) {
        self.command(Command::Register(self.account));
        let watches = self.case.text("run").as_deref() == Some("watch");
        let patience = self.case.seconds("timeout_s").unwrap_or(8.0) + self.case.typed_after().unwrap_or(0.0);
        if !watches {
            return self.pass_until(patience, |player| player.is_settled());
        }
        let end = self.case.seconds("for_s").unwrap_or(3.0);
        self.pass_until(patience, |player| player.is_settled());
        for step in self.case.then.clone() {
            self.pass(step["after_s"].as_f64().unwrap_or(0.5));
            if let Some(lines) = step.get("send") {
                self.say(&texts(lines));
            }
        }
        let rest = end - self.clock.as_secs_f64();
        self.pass(rest.max(0.0));
    }

    pub(crate) fn state(&self) -> AccountState {
        self.agent.state(self.account).expect("the account is there")
    }

    /// True for a REGISTER within the seconds that a rule names.
    pub(crate) fn is_in_window(&self, seen: &super::server::Seen) -> bool {
        let at = seen.at.as_secs_f64();
        self.case.rules.iter().any(|rule| {
            let from = rule.number("from_s");
            from.is_some_and(|from| at >= from) && rule.number("to_s").is_none_or(|to| at <= to)
        })
    }

    fn is_settled(&self) -> bool {
        self.state().is_reachable() || self.state().is_failure()
    }

    /// The server sends a request of its own on the client's flow.
    fn say(&mut self, lines: &[String]) {
        let Some(flow) = self.flows.keys().next().copied() else { return };
        let contact = self.server.seen.last().and_then(|seen| seen.request.text(homing_wire::Name::Contact));
        let contact = contact.map(|contact| contact.into_owned()).unwrap_or_default();
        let uri = contact.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        let port = PORT.to_string();
        let text: String = lines
            .iter()
            .map(|line| line.replace("{U}", &uri).replace("{server_port}", &port) + "\r\n")
            .collect();
        self.hear(flow, text + "\r\n");
        self.settle();
    }

    fn now(&self) -> Now {
        Now::new(self.clock, WALL + self.clock)
    }

    fn command(&mut self, command: Command) {
        let now = self.now();
        // One that comes at the wrong time changes nothing.
        let _ = self.agent.handle_command(command, now);
        self.settle();
    }

    fn input(&mut self, input: Input) {
        let now = self.now();
        self.agent.handle_input(input, now);
    }

    pub(crate) fn pass(&mut self, seconds: f64) {
        self.pass_until(seconds, |_| false);
    }

    fn pass_until(&mut self, seconds: f64, is_over: impl Fn(&Self) -> bool) {
        let end = self.clock + Duration::from_secs_f64(seconds);
        let mut steps = 0;
        while !is_over(self) {
            let typed = self.typing.iter().map(|(at, _)| *at).min();
            let due = self.agent.deadline().map(|due| due.at.0);
            let Some(at) = typed.into_iter().chain(due).min().filter(|at| *at <= end) else { break };
            self.clock = self.clock.max(at);
            let typed: Vec<AskId> =
                self.typing.extract_if(.., |(at, _)| *at <= self.clock).map(|(_, id)| id).collect();
            for id in typed {
                self.give(id);
            }
            self.input(Input::DeadlineReached);
            self.settle();
            steps += 1;
            assert!(steps < 100_000, "a timer storm");
        }
        if !is_over(self) {
            self.clock = end;
        }
    }

    fn settle(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { flow, bytes } => self.sent(flow, bytes),
                Output::Connect { flow, address, transport, identity } => {
                    let sni = identity.server_names().into_iter().next().unwrap_or_default();
                    let outcome = self.dial(address, transport, &identity);
                    let now = self.now();
                    let event = match outcome {
                        Ok(proof) => {
                            self.sni = Some(sni.clone());
                            let framer = Framer::new(Limits::default());
                            self.flows.insert(flow, Connection { framer, transport, sni });
                            let local: IpAddr =
                                if address.is_ipv4() { [127, 0, 0, 1].into() } else { address.ip() };
                            FlowEvent::Connected { flow, local: (local, 40_000).into(), peer: address, proof }
                        }
                        Err(why) => FlowEvent::ConnectFailed { flow, why },
                    };
                    self.agent.handle_input(Input::Flow(event), now);
                }
                Output::Close { flow } => {
                    if self.flows.remove(&flow).is_some() {
                        self.closed_by_client = true;
                    }
                }
                Output::Ask { id, question, .. } => self.asked_for(id, question),
                Output::Forget { id } => self.typing.retain(|(_, held)| *held != id),
                Output::Event(Event { what, .. }) => self.events.push((self.clock, what)),
                Output::Call(call) => panic!("no calls are made: {call:?}"),
            }
        }
    }

    fn dial(
        &self,
        address: SocketAddr,
        transport: Transport,
        identity: &homing_core::identity::Expected,
    ) -> Result<Option<TlsProof>, ConnectError> {
        if self.is_port_closed && transport != Transport::Udp || address.port() != PORT {
            return Err(ConnectError::ConnectionRefused);
        }
        if transport != Transport::Tls {
            return Ok(None);
        }
        let names = CertNames { dns: self.case.certificate.clone(), ..CertNames::default() };
        let name = accepts(identity, &names).map_err(|_| ConnectError::Closed)?;
        Ok(Some(TlsProof {
            name,
            pinned: false,
            names: names.carried(),
            end_point_hash: Bytes::from_static(&[7; 32]),
            version: "TLSv1.3",
            round_trips: 1,
        }))
    }

    fn sent(&mut self, flow: FlowId, bytes: Bytes) {
        let Some(connection) = self.flows.get(&flow) else { return };
        if self.is_port_closed {
            // The system tells a closed UDP port at once.
            self.flows.remove(&flow);
            return self.input(Input::Flow(FlowEvent::Closed { flow, why: ConnectError::ConnectionRefused }));
        }
        // An answer copies every Via, however many there are.
        let whole = Message::parse(bytes.clone()).ok();
        let read = || Excerpt::read(&bytes, &Limits::default()).map(|excerpt| excerpt.message);
        let Some(message) = whole.or_else(read) else { return };
        if !message.is_request() {
            return self.answers.push(message);
        }
        let sni = connection.sni.clone();
        if let Some(text) = self.server.answer(&message, &sni, self.clock) {
            self.hear(flow, text);
        }
    }

    /// The octets arrive by the flow: a stream is cut, a datagram is one message.
    fn hear(&mut self, flow: FlowId, text: String) {
        let Some(connection) = self.flows.get_mut(&flow) else { return };
        let bytes = Bytes::from(text);
        self.received.push(bytes.clone());
        if connection.transport == Transport::Udp {
            let frame = Frame::from_datagram(bytes);
            return self.input(Input::Flow(FlowEvent::Received { flow, frame }));
        }
        connection.framer.push(&bytes);
        loop {
            let Some(connection) = self.flows.get_mut(&flow) else { return };
            match connection.framer.next() {
                Ok(None) => return,
                Ok(Some(frame)) => self.input(Input::Flow(FlowEvent::Received { flow, frame })),
                Err(why) => {
                    let head = connection.framer.refused();
                    let why = connection.framer.fault().unwrap_or(FrameFault { rule: why, octet: 0 });
                    self.input(Input::Flow(FlowEvent::Malformed { flow, why, head }));
                    return;
                }
            }
        }
    }

    fn asked_for(&mut self, id: AskId, question: Question) {
        match question {
            Question::Resolve(question) => {
                let found = self.look_up(&question);
                self.asked.push(question);
                let now = self.now();
                self.agent.handle_answer(id, Answer::Resolved(found), now);
            }
            Question::Credentials { refused_before, .. } => match self.case.typed_after() {
                Some(after) => self.typing.push((self.clock + Duration::from_secs_f64(after), id)),
                // An unattended source gives a refused password no second time.
                None if refused_before => {
                    let now = self.now();
                    self.agent.handle_answer(id, Answer::Credentials(None), now);
                }
                None => self.give(id),
            },
            Question::Describe(_) => panic!("no calls are made"),
            Question::Redirect(_) => {
                let now = self.now();
                self.agent.handle_answer(id, Answer::Redirect(Decision::Follow), now);
            }
        }
    }

    fn give(&mut self, id: AskId) {
        let now = self.now();
        let given = Credentials::new(self.user.clone(), "", self.password.clone());
        self.agent.handle_answer(id, Answer::Credentials(Some(given)), now);
    }

    fn look_up(&self, question: &DnsQuestion) -> Result<DnsAnswer, DnsError> {
        let kind = match question.kind {
            RecordKind::Naptr => "NAPTR",
            RecordKind::Srv => "SRV",
            _ => "A",
        };
        let rows = self.case.dns.get(&format!("{} {kind}", question.name)).ok_or(DnsError::NoRecord)?;
        let records = match question.kind {
            RecordKind::Naptr => DnsRecords::Naptr(texts(rows).iter().map(|row| naptr(row)).collect()),
            RecordKind::Srv => DnsRecords::Srv(texts(rows).iter().map(|row| srv(row)).collect()),
            _ => DnsRecords::Addresses(
                texts(rows).iter().map(|row| row.parse().expect("an address")).collect(),
            ),
        };
        Ok(DnsAnswer { records, glue: Vec::new(), ttl: Duration::from_secs(60), round_trips: 1 })
    }
}

fn naptr(row: &str) -> Naptr {
    let words: Vec<&str> = row.split_whitespace().map(|word| word.trim_matches('"')).collect();
    Naptr {
        order: words[0].parse().expect("an order"),
        preference: words[1].parse().expect("a preference"),
        flags: words[2].to_owned(),
        service: words[3].to_owned(),
        replacement: words[words.len() - 1].to_owned(),
    }
}

fn srv(row: &str) -> Srv {
    let words: Vec<&str> = row.split_whitespace().collect();
    Srv {
        priority: words[0].parse().expect("a priority"),
        weight: words[1].parse().expect("a weight"),
        port: if words[2] == "{server_port}" { PORT } else { words[2].parse().expect("a port") },
        target: words[3].to_owned(),
    }
}

/// A value of the script that may be one or a list.
pub(crate) fn wanted(value: &Value) -> Vec<String> {
    texts(value)
}
