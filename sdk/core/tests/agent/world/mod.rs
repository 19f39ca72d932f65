//! A world for one agent: virtual time, a name server, servers that follow a script. No sockets.

pub(crate) mod random;
pub(crate) mod server;

use homing_core::connect::FlowEvent;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use homing_core::agent::{Agent, Awaits};
use homing_core::call_event::CallEvent;
use homing_core::certificate::{CertificateError, CertificateRule};
use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, Aor, ExtendedProtection};
use homing_core::connect::{ConnectError, TlsProof};
use homing_core::description::Description;
use homing_core::dns::{DnsAnswer, DnsError, DnsQuestion, DnsRecords, RecordKind, Srv};
use homing_core::event::{AccountEvent, Event};
use homing_core::identity::{CertNames, accepts};
use homing_core::ids::{AccountId, AskId, FlowId, RequestId, Seed};
use homing_core::journey::LoginFailure;
use homing_core::outbox::{Answer, Credentials, Decision, Input, Output, Question};
use homing_core::secret::Password;
use homing_core::state::AccountState;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Frame, Message};

use random::Scripted;
use server::Server;

/// Everything around one agent.
pub(crate) struct World {
    pub(crate) agent: Agent,
    pub(crate) account: AccountId,
    pub(crate) clock: Duration,
    pub(crate) wall: Duration,
    pub(crate) dns: BTreeMap<DnsQuestion, DnsAnswer>,
    pub(crate) servers: BTreeMap<SocketAddr, Server>,
    pub(crate) flows: BTreeMap<FlowId, SocketAddr>,
    pub(crate) events: Vec<AccountEvent>,
    /// What was told of calls.
    pub(crate) calls: Vec<CallEvent>,
    /// What the agent sent, with the server it went to.
    pub(crate) sent: Vec<(String, Message)>,
    pub(crate) asked: Vec<Question>,
    pub(crate) rules: Rules,
    pub(crate) held: Vec<(AskId, Question)>,
    /// From which IPv4 address and port servers see the agent, if they answer STUN.
    pub(crate) mapped: Option<([u8; 4], u16)>,
    names: usize,
    session_key: Arc<Mutex<[u8; 16]>>,
}

/// How the world behaves where the servers have no say.
pub(crate) struct Rules {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) decision: Decision,
    /// Credentials are not answered at once.
    pub(crate) hold_credentials: bool,
    /// What the network makes of a server's message; nothing without it.
    pub(crate) mangle: Option<Box<dyn FnMut(Bytes) -> Vec<Bytes>>>,
    /// DNS does not answer.
    pub(crate) dns_silent: bool,
}

pub(crate) const WALL: Duration = Duration::from_secs(1_705_564_800);
/// What this side says whenever it is asked to describe a session.
pub(crate) const SDP: &str =
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub(crate) const PASSWORD: &str = "Secret-Pass1";

impl World {
    /// A world with one account `user@network.com`, changed by `config`.
    pub(crate) fn new(config: impl FnOnce(&mut AccountConfig)) -> Self {
        Self::with_agent(|_| {}, config)
    }

    pub(crate) fn with_agent(
        agent: impl FnOnce(&mut AgentConfig),
        config: impl FnOnce(&mut AccountConfig),
    ) -> Self {
        let mut shared = AgentConfig::default();
        shared.workstation = "CLIENT".into();
        agent(&mut shared);
        let mut account = AccountConfig::new(Aor::parse("user@network.com").unwrap(), "3344");
        account.display = "User".into();
        account.auth.extended_protection = ExtendedProtection::Off;
        config(&mut account);
        let now = Now::new(Duration::ZERO, WALL);
        let random = Scripted::default();
        let session_key = Arc::clone(&random.latest);
        let mut agent = Agent::with_random(shared, Seed::from_number(1), Box::new(random), now);
        let account = agent.add_account(account, now).unwrap();
        World {
            agent,
            account,
            clock: Duration::ZERO,
            wall: WALL,
            dns: BTreeMap::new(),
            servers: BTreeMap::new(),
            flows: BTreeMap::new(),
            events: Vec::new(),
            calls: Vec::new(),
            sent: Vec::new(),
            asked: Vec::new(),
            rules: Rules {
                credentials: Some(credentials()),
                decision: Decision::Follow,
                hold_credentials: false,
                dns_silent: false,
                mangle: None,
            },
            held: Vec::new(),
            mapped: None,
            names: 0,
            session_key,
        }
    }

    /// A server under this name, with an address of its own on port 5061.
    pub(crate) fn server(&mut self, name: &str) -> &mut Server {
        self.names += 1;
        let address = SocketAddr::from(([192, 0, 2, u8::try_from(self.names).unwrap()], 5061));
        self.address(name, address);
        let key = Arc::clone(&self.session_key);
        self.servers.entry(address).or_insert_with(|| Server::new(name, key))
    }

    pub(crate) fn address(&mut self, name: &str, address: SocketAddr) {
        let question = DnsQuestion { name: name.into(), kind: RecordKind::Address };
        self.dns.insert(question, answer(DnsRecords::Addresses(vec![address.ip()])));
    }

    pub(crate) fn at(&mut self, name: &str) -> &mut Server {
        self.servers.values_mut().find(|server| server.name == name).expect("a server of that name")
    }

    /// An SRV record that leads TLS logins of network.com to `host`.
    pub(crate) fn srv(&mut self, hosts: &[(u16, &str)]) {
        let question = DnsQuestion { name: "_sipinternaltls._tcp.network.com".into(), kind: RecordKind::Srv };
        let record = |(priority, host): &(u16, &str)| Srv {
            priority: *priority,
            weight: 10,
            port: 5061,
            target: (*host).into(),
        };
        self.dns.insert(question, answer(DnsRecords::Srv(hosts.iter().map(record).collect())));
    }

    pub(crate) fn now(&self) -> Now {
        Now::new(self.clock, self.wall)
    }

    pub(crate) fn login(&mut self) {
        let now = self.now();
        self.agent.handle_command(Command::Register(self.account), now).unwrap();
        self.settle();
    }

    pub(crate) fn command(&mut self, command: impl FnOnce(AccountId) -> Command) {
        let now = self.now();
        self.agent.handle_command(command(self.account), now).unwrap();
        self.settle();
    }

    /// Asks the home server whether it is there.
    pub(crate) fn options(&mut self) -> RequestId {
        let now = self.now();
        let request = self.agent.options(self.account, None, now).unwrap();
        self.settle();
        request
    }

    pub(crate) fn input(&mut self, input: Input) {
        let now = self.now();
        self.agent.handle_input(input, now);
        self.settle();
    }

    pub(crate) fn answer(&mut self, id: AskId, answer: Answer) {
        let now = self.now();
        self.agent.handle_answer(id, answer, now);
        self.settle();
    }

    /// A server says something of its own accord.
    pub(crate) fn say(&mut self, name: &str, bytes: Bytes) {
        let address = *self.servers.iter().find(|(_, server)| server.name == name).unwrap().0;
        let flow = *self.flows.iter().find(|(_, at)| **at == address).expect("a connection to it").0;
        self.input(Input::Flow(FlowEvent::Received { flow, frame: Frame::Message(bytes) }));
    }

    /// The connection to a server breaks.
    pub(crate) fn cut(&mut self, name: &str) {
        let address = *self.servers.iter().find(|(_, server)| server.name == name).unwrap().0;
        let flow = *self.flows.iter().find(|(_, at)| **at == address).expect("a connection to it").0;
        self.flows.remove(&flow);
        self.input(Input::Flow(FlowEvent::Closed { flow, why: ConnectError::Closed }));
    }

    /// Lets time pass, stopping at every deadline on the way.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.clock + span;
        let mut steps = 0;
        while let Some(due) = self.agent.deadline().filter(|due| due.at.0 <= end) {
            let step = due.at.0.saturating_sub(self.clock);
            self.clock += step;
            self.wall += step;
            self.input(Input::DeadlineReached);
            steps += 1;
            assert!(steps < 100_000, "a timer storm: {due:?}");
        }
        self.wall += end.saturating_sub(self.clock);
        self.clock = end;
    }

    /// Lets time pass until the state is `wanted`.
    pub(crate) fn pass_until(&mut self, wanted: AccountState, most: Duration) {
        let end = self.clock + most;
        while self.state() != wanted {
            let due = self.agent.deadline().expect("something is due");
            assert!(due.at.0 <= end, "{wanted:?} was not reached, but {:?}", self.state());
            let step = due.at.0.saturating_sub(self.clock);
            self.pass(step);
        }
    }

    pub(crate) fn state(&self) -> AccountState {
        self.agent.state(self.account).unwrap()
    }

    pub(crate) fn failures(&self) -> Vec<&LoginFailure> {
        let failure = |event: &'_ AccountEvent| matches!(event, AccountEvent::LoginFailed { .. });
        self.events
            .iter()
            .filter(|event| failure(event))
            .filter_map(|event| match event {
                AccountEvent::LoginFailed { failure, .. } => Some(failure),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn last_failure(&self) -> &LoginFailure {
        self.failures().last().copied().expect("a failure")
    }

    pub(crate) fn registered(&self) -> &homing_core::event::Registered {
        let last = self.events.iter().rev().find_map(|event| match event {
            AccountEvent::Registered(registered) => Some(registered),
            _ => None,
        });
        last.expect("a registration")
    }

    /// The REGISTERs that went to a server.
    pub(crate) fn registers(&self, name: &str) -> Vec<&Message> {
        self.sent.iter().filter(|(to, m)| to == name && is_register(m)).map(|(_, m)| m).collect()
    }

    /// Drains everything until nothing moves.
    pub(crate) fn settle(&mut self) {
        let mut steps = 0;
        while let Some(output) = self.agent.poll_output() {
            self.carry(output);
            steps += 1;
            assert!(steps < 100_000, "no end of outputs");
        }
        for (account, awaits) in self.agent.awaits() {
            let resting = self.agent.state(account).is_some_and(rests);
            assert!(awaits != Awaits::Idle || resting, "waits unnamed in {:?}", self.agent.state(account));
        }
    }

    pub(crate) fn carry(&mut self, output: Output) {
        let now = self.now();
        match output {
            Output::Send { flow, bytes } => self.deliver(flow, bytes),
            Output::Connect { flow, address, transport, identity } => {
                let Some(server) = self.servers.get_mut(&address) else {
                    let why = ConnectError::ConnectionRefused;
                    return self.agent.handle_input(Input::Flow(FlowEvent::ConnectFailed { flow, why }), now);
                };
                server.dials += 1;
                if let Some(why) = server.unreachable.clone() {
                    if why != ConnectError::Timeout {
                        self.agent.handle_input(Input::Flow(FlowEvent::ConnectFailed { flow, why }), now);
                    }
                    return;
                }
                let names = CertNames { dns: server.certificate.clone(), ..CertNames::default() };
                let name = match accepts(&identity, &names) {
                    Err(why) if transport == Transport::Tls => {
                        let rule = CertificateRule::Identity { expected: identity.to_string(), why };
                        let why = ConnectError::Certificate(Box::new(CertificateError::unread(rule)));
                        return self
                            .agent
                            .handle_input(Input::Flow(FlowEvent::ConnectFailed { flow, why }), now);
                    }
                    verdict => verdict.unwrap_or_default(),
                };
                let proof = (transport == Transport::Tls).then(|| TlsProof {
                    name,
                    names: names.carried(),
                    pinned: false,
                    end_point_hash: Bytes::from_static(&[7; 32]),
                    version: "TLSv1.3",
                    round_trips: 1,
                });
                server.forget();
                self.flows.insert(flow, address);
                let local = SocketAddr::from(([198, 51, 100, 7], 40_000));
                self.agent.handle_input(
                    Input::Flow(FlowEvent::Connected { flow, local, peer: address, proof }),
                    now,
                );
            }
            Output::Close { flow } => {
                self.flows.remove(&flow);
            }
            Output::Ask { id, question, .. } => self.asked_for(id, question),
            Output::Forget { id } => self.held.retain(|(held, _)| *held != id),
            Output::Event(Event { what, .. }) => self.events.push(what),
            Output::Call(notice) => self.calls.push(notice.what),
        }
    }

    fn deliver(&mut self, flow: FlowId, bytes: Bytes) {
        let Some(address) = self.flows.get(&flow).copied() else { return };
        let server = self.servers.get_mut(&address).expect("a server");
        if bytes == b"\r\n\r\n"[..] {
            server.pings += 1;
            if server.pongs {
                let now = self.now();
                self.agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame: Frame::Pong }), now);
            }
            return;
        }
        if bytes.len() == 20 && bytes.starts_with(&[0, 1]) {
            return self.answer_stun(flow, &bytes);
        }
        let message = Message::parse(bytes).expect("the agent sends well-formed messages");
        self.sent.push((server.name.clone(), message.clone()));
        let mut answers = server.receive(&message, self.wall);
        if let Some(mangle) = &mut self.rules.mangle {
            answers = answers.into_iter().flat_map(mangle).collect();
        }
        let (now, why) = (self.now(), ConnectError::Closed);
        for answer in answers {
            let is_challenge = answer.starts_with(b"SIP/2.0 401");
            self.agent
                .handle_input(Input::Flow(FlowEvent::Received { flow, frame: Frame::Message(answer) }), now);
            let server = self.servers.get_mut(&address).expect("a server");
            if is_challenge && server.closes > 0 {
                server.closes -= 1;
                self.flows.remove(&flow);
                return self.agent.handle_input(Input::Flow(FlowEvent::Closed { flow, why }), now);
            }
        }
    }

    /// With MAPPED-ADDRESS (RFC 8489 section 14.1).
    fn answer_stun(&mut self, flow: FlowId, request: &[u8]) {
        let Some((address, port)) = self.mapped else { return };
        let (head, value) = ([1, 1, 0, 12], [0, 1, 0, 8, 0, 1]);
        let answer = [&head, &request[4..20], &value, &port.to_be_bytes(), &address].concat();
        let (frame, now) = (Frame::Stun(Bytes::from(answer)), self.now());
        self.agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame }), now);
    }

    fn asked_for(&mut self, id: AskId, question: Question) {
        let now = self.now();
        self.asked.push(question.clone());
        match &question {
            Question::Resolve(_) if self.rules.dns_silent => {}
            Question::Resolve(question) => {
                let found = self.dns.get(question).cloned().ok_or(DnsError::NoRecord);
                self.agent.handle_answer(id, Answer::Resolved(found), now);
            }
            Question::Credentials { .. } if self.rules.hold_credentials => self.held.push((id, question)),
            Question::Credentials { .. } => {
                let given = self.rules.credentials.clone();
                self.agent.handle_answer(id, Answer::Credentials(given), now);
            }
            Question::Describe(_) => {
                let described = Ok(Description::sdp(SDP.as_bytes().to_vec()));
                self.agent.handle_answer(id, Answer::Described(described), now);
            }
            Question::Redirect(_) => {
                self.agent.handle_answer(id, Answer::Redirect(self.rules.decision), now);
            }
        }
    }
}

pub(crate) fn credentials() -> Credentials {
    Credentials::new("user", "NETWORKCO", Password::new(PASSWORD))
}

pub(crate) fn answer(records: DnsRecords) -> DnsAnswer {
    DnsAnswer { records, glue: Vec::new(), ttl: Duration::from_secs(300), round_trips: 1 }
}

pub(crate) fn is_register(message: &Message) -> bool {
    message.method() == Some(homing_wire::Method::Register)
}

fn rests(state: AccountState) -> bool {
    state.is_failure()
        || matches!(state, AccountState::Offline | AccountState::LoggedOff | AccountState::NoNetwork)
}

/// A distributor that redirects to a home server, both over TLS: the main job.
pub(crate) fn main_job(config: impl FnOnce(&mut AccountConfig)) -> World {
    let mut world = World::new(config);
    world.srv(&[(10, "hs102.network.com")]);
    world.server("hs102.network.com").redirect_to("<sip:hs104.network.com:5061;transport=tls>");
    world.server("hs104.network.com");
    world
}
