//! A whole agent: the octets are a script of everything the world can do to it, in any order.
//!
//! One octet names a deed, what it needs follows it; a length stands before text. After every deed the
//! agent must be drained, must name what it waits for, and must not have let the password out.

use homing_core::connect::FlowEvent;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing_core::account::random::{Random, SeededRandom, Wait};
use homing_core::agent::{Agent, Awaits};
use homing_core::call_event::CallEvent;
use homing_core::call_request::{CallRequest, FirstOffer, InfoBody};
use homing_core::command::Command;
use homing_core::config::{AccountConfig, AgentConfig, Aor};
use homing_core::connect::{ConnectError, TlsProof};
use homing_core::description::{Description, DescriptionRefusal};
use homing_core::dns::{DnsAnswer, DnsError, DnsRecords, RecordKind, Srv};
use homing_core::ids::{AccountId, AskId, CallId, FlowId, Seed};
use homing_core::outbox::{Answer, Credentials, Decision, Input, Output, Question};
use homing_core::secret::Password;
use homing_core::state::AccountState;
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Frame, Method};

use super::server::{FQDN, SDP, SESSION_KEY, Server};

/// Runs the script.
pub fn check(octets: &[u8]) {
    let mut script = Script(octets);
    let mut world = World::new();
    while let Some(deed) = script.octet() {
        world.deed(deed, &mut script);
        world.drain();
        world.check();
    }
    world.rest();
}

struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn some(&mut self) -> u8 {
        self.octet().unwrap_or_default()
    }

    fn text(&mut self) -> &'a [u8] {
        let length = usize::from(self.some()).min(self.0.len());
        let (text, rest) = self.0.split_at(length);
        self.0 = rest;
        text
    }
}

struct World {
    agent: Agent,
    account: AccountId,
    clock: Duration,
    asked: VecDeque<(AskId, Question)>,
    dialled: VecDeque<(FlowId, Transport, String)>,
    open: Vec<FlowId>,
    server: Server,
    invites: usize,
    /// All there were, and those that are over.
    calls: Vec<CallId>,
    over: Vec<CallId>,
}

impl World {
    fn new() -> Self {
        let now = Now::new(Duration::ZERO, WALL);
        let draws = Known(SeededRandom::new(&Seed::from_number(2)));
        let mut agent =
            Agent::with_random(AgentConfig::default(), Seed::from_number(1), Box::new(draws), now);
        let aor = Aor::parse("alice@network.com").expect("a constant");
        let mut account = AccountConfig::new(aor, "0123456789");
        account.calls = Some(Box::default());
        let account = agent.add_account(account, now).expect("a sound account");
        Self {
            agent,
            account,
            clock: Duration::ZERO,
            asked: VecDeque::new(),
            dialled: VecDeque::new(),
            open: Vec::new(),
            server: Server::new(),
            invites: 0,
            calls: Vec::new(),
            over: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now::new(self.clock, WALL + self.clock)
    }

    fn deed(&mut self, deed: u8, script: &mut Script<'_>) {
        let now = self.now();
        match deed % 26 {
            0 => self.order(Command::Register(self.account)),
            1 => self.order(Command::Unregister(self.account)),
            2 => self.order(Command::Refresh(self.account)),
            3 => {
                // Refused while no account can ask.
                let _refused = self.agent.options(self.account, None, now);
            }
            4 => self.sleep_to_the_deadline(),
            5 => {
                self.clock += Duration::from_secs(u64::from(script.some()));
                self.wake();
            }
            6 => self.agent.handle_input(Input::ClockJumped, now),
            7 => self
                .agent
                .handle_input(Input::NetworkChanged { online: script.some().is_multiple_of(2) }, now),
            8 | 9 => self.answer(script),
            10 => self.connect(),
            11 => {
                if let Some((flow, ..)) = self.dialled.pop_front() {
                    self.agent.handle_input(
                        Input::Flow(FlowEvent::ConnectFailed { flow, why: fault(script.some()) }),
                        now,
                    );
                }
            }
            12 => {
                if let Some(flow) = self.pick(script.some()) {
                    self.open.retain(|open| *open != flow);
                    self.agent.handle_input(
                        Input::Flow(FlowEvent::Closed { flow, why: fault(script.some()) }),
                        now,
                    );
                }
            }
            13 => {
                let bytes = Bytes::copy_from_slice(script.text());
                let frame = if deed < 128 { Frame::Message(bytes) } else { Frame::from_datagram(bytes) };
                self.receive(script.some(), frame);
            }
            14 => {
                let challenge = self.server.challenge(script.some() % 2 == 1);
                self.tell(script, challenge);
            }
            15..=17 => {
                let status = STATUSES[usize::from(script.some()) % STATUSES.len()];
                let answer = self.server.answer(status, script.text(), deed < 192);
                self.tell(script, answer);
            }
            18 | 19 => {
                let method = [Method::Notify, Method::Options, Method::Invite, Method::Ack, Method::Cancel];
                let method = method[usize::from(script.some()) % method.len()];
                self.invites += 1;
                let request = self.server.request(method, script.text(), deed < 128);
                self.tell(script, Some(request));
            }
            _ => self.call_deed(deed, script),
        }
    }

    /// What is done in calls, by the application and by the server.
    fn call_deed(&mut self, deed: u8, script: &mut Script<'_>) {
        let now = self.now();
        match deed % 26 {
            20 => {
                let mut request = CallRequest::new("sip:bob@network.com");
                request.first_offer = if deed < 128 { FirstOffer::Caller } else { FirstOffer::Called };
                if let Ok(call) = self.agent.place_call(self.account, request, now) {
                    self.calls.push(call);
                }
            }
            21 => self.command_call(script),
            22 => {
                self.invites += 1;
                let invite = self.server.call(script.some(), deed < 128);
                self.tell(script, Some(invite));
            }
            23 | 24 => {
                let statuses = [180, 183, 200, 200, 200, 401, 408, 422, 481, 486, 491, 503];
                let status = statuses[usize::from(script.some()) % statuses.len()];
                let answer = self.server.answer_call(status, script.some(), deed < 128);
                self.tell(script, answer);
            }
            _ => {
                let methods = [
                    Method::Ack,
                    Method::Bye,
                    Method::Cancel,
                    Method::Info,
                    Method::Invite,
                    Method::Prack,
                    Method::Update,
                ];
                let method = methods[usize::from(script.some()) % methods.len()];
                self.invites += 1;
                let request = self.server.inside(method, script.some(), deed < 128);
                self.tell(script, request);
            }
        }
    }

    /// Whether it is possible just now is the agent's to say.
    fn command_call(&mut self, script: &mut Script<'_>) {
        let (now, agent) = (self.now(), &mut self.agent);
        let Some(call) = self.calls.get(usize::from(script.some()) % self.calls.len().max(1)).copied() else {
            return;
        };
        let _misuse = match script.some() % 9 {
            0 => agent.ring(call, false, now),
            1 => agent.ring(call, true, now),
            2 | 3 => agent.answer(call, now),
            4 => agent.hold(call, now),
            5 => agent.resume(call, now),
            6 => {
                let body = InfoBody { content_type: "application/dtmf".into(), body: b"5".to_vec() };
                agent.info(call, body, now)
            }
            7 => agent.reject(call, 486, now),
            _ => agent.hang_up(call, now),
        };
    }

    fn order(&mut self, command: Command) {
        // Whether it is possible just now is the agent's to say.
        let _misuse = self.agent.handle_command(command, self.now());
    }

    fn tell(&mut self, script: &mut Script<'_>, bytes: Option<Bytes>) {
        if let Some(bytes) = bytes {
            self.receive(script.some(), Frame::Message(bytes));
        }
    }

    fn receive(&mut self, flow: u8, frame: Frame) {
        if let Some(flow) = self.pick(flow) {
            self.agent.handle_input(Input::Flow(FlowEvent::Received { flow, frame }), self.now());
        }
    }

    fn pick(&self, which: u8) -> Option<FlowId> {
        self.open.get(usize::from(which) % self.open.len().max(1)).copied()
    }

    fn answer(&mut self, script: &mut Script<'_>) {
        let Some((id, question)) = self.asked.pop_front() else { return };
        let how = script.some();
        let answer = match question {
            Question::Resolve(_) if how.is_multiple_of(8) => Answer::Resolved(Err(DnsError::ServerFailure)),
            Question::Resolve(question) => Answer::Resolved(records(question.kind, script)),
            Question::Credentials { .. } if how == 0 => Answer::Credentials(None),
            Question::Credentials { .. } => {
                Answer::Credentials(Some(Credentials::new("alice", "NETWORK", Password::new(CANARY))))
            }
            Question::Describe(_) if how == 0 => {
                Answer::Described(Err(DescriptionRefusal::new(399, "no sound")))
            }
            Question::Describe(_) => Answer::Described(Ok(Description::sdp(SDP))),
            Question::Redirect(_) => {
                Answer::Redirect(if how.is_multiple_of(2) { Decision::Follow } else { Decision::Stop })
            }
        };
        self.agent.handle_answer(id, answer, self.now());
    }

    fn connect(&mut self) {
        let Some((flow, transport, name)) = self.dialled.pop_front() else { return };
        let proof = (transport == Transport::Tls).then(|| TlsProof {
            names: vec![name.clone()],
            name,
            pinned: false,
            end_point_hash: Bytes::from_static(&[7; 32]),
            version: "TLSv1.3",
            round_trips: 1,
        });
        let (local, peer) =
            (SocketAddr::from(([198, 51, 100, 7], 40_000)), SocketAddr::from(([192, 0, 2, 1], 5061)));
        self.open.push(flow);
        self.agent.handle_input(Input::Flow(FlowEvent::Connected { flow, local, peer, proof }), self.now());
    }

    fn sleep_to_the_deadline(&mut self) {
        if let Some(due) = self.agent.deadline() {
            self.clock = self.clock.max(due.at.0);
            self.wake();
        }
    }

    fn wake(&mut self) {
        self.agent.handle_input(Input::DeadlineReached, self.now());
    }

    fn drain(&mut self) {
        let mut most = 0;
        while let Some(output) = self.agent.poll_output() {
            most += 1;
            assert!(most < 10_000, "no end of outputs");
            assert!(!format!("{output:?}").contains(CANARY), "the password is shown");
            match output {
                Output::Send { bytes, .. } => {
                    assert!(!contains(&bytes, CANARY.as_bytes()), "the password left in the clear");
                    self.server.hear(&bytes);
                }
                Output::Connect { flow, transport, identity, .. } => {
                    self.dialled.push_back((flow, transport, identity.server_name().to_owned()));
                }
                Output::Close { flow } => {
                    self.open.retain(|open| *open != flow);
                    self.dialled.retain(|(dialled, ..)| *dialled != flow);
                }
                Output::Ask { id, question, .. } => self.asked.push_back((id, question)),
                Output::Forget { id } => self.asked.retain(|(asked, _)| *asked != id),
                Output::Call(notice) => {
                    assert!(!self.over.contains(&notice.call), "something is told after the end");
                    match notice.what {
                        CallEvent::Incoming(_) => self.calls.push(notice.call),
                        CallEvent::Ended(_) => self.over.push(notice.call),
                        _ => {}
                    }
                }
                Output::Event(_) => {}
            }
        }
    }

    fn check(&self) {
        use AccountState::{LoggedOff, NoNetwork, Offline};
        for (account, awaits) in self.agent.awaits() {
            let state = self.agent.state(account).expect("it waits, so it is there");
            let rests = state.is_failure() || matches!(state, LoggedOff | NoNetwork | Offline);
            assert!(awaits != Awaits::Idle || rests, "{state:?} waits for nothing that has a name");
        }
        // Two requests of its own, every INVITE it refused waits for its ACK, and a dialog has eight at once.
        let most = 2 + self.invites + 12 * (self.calls.len() + 1);
        assert!(self.agent.transactions() <= most, "more and more is under way");
        assert!(self.agent.dialogs() == 0 || self.agent.calls() > 0, "a dialog without a call");
        assert!(self.agent.flows() <= 64 && self.agent.questions() <= 64, "more and more is under way");
    }

    /// Signed out, nothing is left within the longest wait there is.
    fn rest(&mut self) {
        self.order(Command::Unregister(self.account));
        for call in self.calls.clone() {
            let _is_over = self.agent.hang_up(call, self.now());
        }
        self.drain();
        let end = self.clock + Duration::from_secs(4_800);
        for _ in 0..MOST_STEPS {
            // Nobody knows a password any more.
            for (id, _) in std::mem::take(&mut self.asked) {
                self.agent.handle_answer(id, Answer::Credentials(None), self.now());
            }
            self.sleep_to_the_deadline();
            self.drain();
        }
        assert!(self.clock <= end, "it takes longer than the longest wait");
        let agent = &self.agent;
        let left = (agent.transactions(), agent.flows(), agent.questions(), agent.calls(), agent.dialogs());
        assert_eq!(left, (0, 0, 0, 0, 0), "something is left in {:?}", self.agent.state(self.account));
        assert_eq!(self.calls.len(), self.over.len(), "a call has no end");
    }
}

fn records(kind: RecordKind, script: &mut Script<'_>) -> Result<DnsAnswer, DnsError> {
    let records = match kind {
        RecordKind::Address => {
            let address = [192, 0, 2, script.some()];
            DnsRecords::Addresses(vec![address.into(), [10, 0, 0, 1].into()])
        }
        RecordKind::Srv => DnsRecords::Srv(vec![
            Srv { priority: 0, weight: 1, port: 5061, target: FQDN.to_owned() },
            Srv { priority: u16::from(script.some() % 2), weight: 1, port: 5061, target: text(script) },
        ]),
        _ => return Err(DnsError::NoRecord),
    };
    Ok(DnsAnswer { records, glue: Vec::new(), ttl: Duration::from_secs(60), round_trips: 1 })
}

fn text(script: &mut Script<'_>) -> String {
    String::from_utf8_lossy(script.text()).into_owned()
}

fn fault(which: u8) -> ConnectError {
    let all = [ConnectError::ConnectionRefused, ConnectError::Timeout, ConnectError::Closed];
    all[usize::from(which) % all.len()].clone()
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// Seeded, but the session key is one the server knows.
struct Known(SeededRandom);

impl Random for Known {
    fn call_id(&mut self) -> String {
        self.0.call_id()
    }

    fn caller_tag(&mut self) -> String {
        self.0.caller_tag()
    }

    fn branch(&mut self) -> String {
        self.0.branch()
    }

    fn signature_salt(&mut self) -> u32 {
        self.0.signature_salt()
    }

    fn client_challenge(&mut self) -> [u8; 8] {
        self.0.client_challenge()
    }

    fn session_key(&mut self) -> [u8; 16] {
        SESSION_KEY
    }

    fn cnonce(&mut self) -> String {
        self.0.cnonce()
    }

    fn answer_tag(&mut self) -> String {
        self.0.answer_tag()
    }

    fn rseq(&mut self) -> u32 {
        self.0.rseq()
    }

    fn spread(&mut self, wait: Wait, bound: u64) -> u64 {
        self.0.spread(wait, bound)
    }
}

/// Deadlines until everything is over: copies of a 2xx and of its BYE, for every call.
const MOST_STEPS: usize = 600;
const STATUSES: [u16; 16] = [100, 180, 200, 200, 300, 301, 301, 302, 401, 403, 404, 407, 408, 423, 500, 503];
const CANARY: &str = "Canary-7f3a-Pass";
const WALL: Duration = Duration::from_secs(1_705_564_800);
