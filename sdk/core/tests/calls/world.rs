//! A network of agents and scripted peers without registrars: virtual time, delay, loss, and a ladder of what was said.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing_core::agent::{Agent, Awaits};
use homing_core::call_event::{CallEnd, CallEvent};
use homing_core::call_request::CallRequest;
use homing_core::config::{AccountConfig, AgentConfig, Aor, CallRules, ServerChoice};
use homing_core::connect::{ConnectError, FlowEvent};
use homing_core::description::{Description, DescriptionQuestion, DescriptionRefusal, Turn};
use homing_core::dns::DnsError;
use homing_core::ids::{AccountId, AskId, CallId, FlowId, Rng, Seed};
use homing_core::outbox::{Answer, Input, Output, Question};
use homing_core::time::Now;
use homing_core::transport::Transport;
use homing_wire::{Builder, Frame, Message, Method, Name};

/// Everything around some agents and scripted peers.
pub(crate) struct Net {
    pub(crate) transport: Transport,
    pub(crate) clock: Duration,
    agents: Vec<Side>,
    scripts: Vec<Script>,
    pipes: Vec<Pipe>,
    queue: BTreeMap<(Duration, u64), Happening>,
    serial: u64,
    /// Of a hundred datagrams so many are lost.
    pub(crate) loss: u64,
    /// Datagrams overtake each other, and some come twice.
    pub(crate) jumbles: bool,
    rng: Rng,
    ladder: Vec<String>,
}

/// One agent with one account.
pub(crate) struct Side {
    pub(crate) agent: Agent,
    pub(crate) account: AccountId,
    name: String,
    listen: SocketAddr,
    flows: BTreeMap<FlowId, usize>,
    next_accepted: u64,
    pub(crate) told: Vec<(CallId, CallEvent)>,
    pub(crate) asked: Vec<DescriptionQuestion>,
    held: Vec<(AskId, DescriptionQuestion)>,
    described: u32,
    /// What the application answers when it is asked to describe a session.
    pub(crate) describes: Describes,
}

/// How an application answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Describes {
    AtOnce,
    WhenTold,
    Refuses,
}

/// A peer whose words the test writes.
struct Script {
    name: String,
    listen: SocketAddr,
    inbox: VecDeque<(usize, Message)>,
}

/// A connection between two ends.
#[derive(Clone, Copy)]
struct Pipe {
    ends: [End; 2],
    open: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Agent(usize, FlowId),
    Script(usize),
}

enum Happening {
    Arrives { pipe: usize, end: usize, bytes: Bytes },
    Connected { pipe: usize },
    Refused { agent: usize, flow: FlowId },
}

const DELAY: Duration = Duration::from_millis(10);
pub(crate) const T1: Duration = Duration::from_millis(500);

impl Net {
    pub(crate) fn new(transport: Transport) -> Self {
        Self {
            transport,
            clock: Duration::ZERO,
            agents: Vec::new(),
            scripts: Vec::new(),
            pipes: Vec::new(),
            queue: BTreeMap::new(),
            serial: 0,
            loss: 0,
            jumbles: false,
            rng: Rng::new(&Seed::from_number(1)),
            ladder: Vec::new(),
        }
    }

    pub(crate) fn seeded(transport: Transport, seed: u64, loss: u64) -> Self {
        Self { loss, rng: Rng::new(&Seed::from_number(seed)), ..Self::new(transport) }
    }

    /// An agent that calls and is called directly.
    pub(crate) fn agent(&mut self, name: &str, change: impl FnOnce(&mut CallRules)) -> usize {
        self.account(name, |config| change(config.calls.get_or_insert_default()))
    }

    /// The same with a change to its account.
    pub(crate) fn account(&mut self, name: &str, change: impl FnOnce(&mut AccountConfig)) -> usize {
        let place = self.agents.len() + self.scripts.len();
        let listen = SocketAddr::from(([192, 0, 2, u8::try_from(place + 1).unwrap()], 5060));
        let mut config = AccountConfig::new(Aor::parse(&format!("{name}@example.com")).unwrap(), "3344");
        config.server = ServerChoice::NoRegistrar;
        config.transports = vec![self.transport];
        config.calls.get_or_insert_default().listen = Some(listen);
        change(&mut config);
        let now = self.now();
        let seed = Seed::from_number(self.rng.next_u64() ^ u64::try_from(place).unwrap());
        let mut agent = Agent::new(AgentConfig::default(), seed, now);
        let account = agent.add_account(config, now).unwrap();
        self.agents.push(Side {
            agent,
            account,
            name: name.to_owned(),
            listen,
            flows: BTreeMap::new(),
            next_accepted: 1 << 40,
            told: Vec::new(),
            asked: Vec::new(),
            held: Vec::new(),
            described: 0,
            describes: Describes::AtOnce,
        });
        self.agents.len() - 1
    }

    /// A peer whose words the test writes.
    pub(crate) fn script(&mut self, name: &str) -> usize {
        let place = self.agents.len() + self.scripts.len();
        let listen = SocketAddr::from(([192, 0, 2, u8::try_from(place + 1).unwrap()], 5060));
        self.scripts.push(Script { name: name.to_owned(), listen, inbox: VecDeque::new() });
        self.scripts.len() - 1
    }

    pub(crate) fn side(&mut self, agent: usize) -> &mut Side {
        &mut self.agents[agent]
    }

    pub(crate) fn now(&self) -> Now {
        Now::new(self.clock, self.clock + Duration::from_secs(1_705_564_800))
    }

    fn token(&self) -> &'static str {
        match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            _ => "tls",
        }
    }

    /// How an agent, or a script by its name, is called.
    pub(crate) fn uri(&self, name: &str) -> String {
        let agents = self.agents.iter().map(|side| (&side.name, side.listen));
        let scripts = self.scripts.iter().map(|script| (&script.name, script.listen));
        let (_, listen) = agents.chain(scripts).find(|(known, _)| *known == name).unwrap();
        format!("sip:{name}@{listen};transport={}", self.token())
    }

    // What applications do.

    pub(crate) fn place(&mut self, agent: usize, to: &str) -> CallId {
        let request = CallRequest::new(self.uri(to));
        self.place_with(agent, request)
    }

    pub(crate) fn place_with(&mut self, agent: usize, request: CallRequest) -> CallId {
        let (now, account) = (self.now(), self.agents[agent].account);
        let call = self.agents[agent].agent.place_call(account, request, now).unwrap();
        self.run(Duration::from_millis(100));
        call
    }

    /// A number below `bound` from the seed.
    pub(crate) fn draw(&mut self, bound: u64) -> u64 {
        self.rng.below(bound)
    }

    /// Something an application does with its agent; then the network settles.
    pub(crate) fn act<T>(&mut self, agent: usize, act: impl FnOnce(&mut Agent, Now) -> T) -> T {
        let now = self.now();
        let done = act(&mut self.agents[agent].agent, now);
        self.run(Duration::from_millis(100));
        done
    }

    /// The application describes what it was asked for.
    pub(crate) fn describe(&mut self, agent: usize, given: Result<Description, DescriptionRefusal>) {
        let now = self.now();
        let (id, _) = self.agents[agent].held.remove(0);
        self.agents[agent].agent.handle_answer(id, Answer::Described(given), now);
        self.run(Duration::from_millis(100));
    }

    pub(crate) fn held(&self, agent: usize) -> usize {
        self.agents[agent].held.len()
    }

    // What scripts do.

    /// The next message that a script got.
    pub(crate) fn take(&mut self, script: usize) -> Message {
        match self.scripts[script].inbox.pop_front() {
            Some((_, message)) => message,
            None => self.fail(&format!("{} got nothing more", self.scripts[script].name)),
        }
    }

    /// The next message that a script got, which is a request with that method.
    pub(crate) fn take_request(&mut self, script: usize, method: Method<'_>) -> Message {
        let message = self.take(script);
        if message.method() != Some(method) {
            self.fail(&format!("{method} was expected, not {message:?}"));
        }
        message
    }

    /// The next message that a script got, which is a response with that status.
    pub(crate) fn take_response(&mut self, script: usize, status: u16) -> Message {
        let message = self.take(script);
        if message.status() != Some(status) {
            self.fail(&format!("{status} was expected, not {message:?}"));
        }
        message
    }

    /// The next final response that a script got.
    pub(crate) fn take_final(&mut self, script: usize, status: u16) -> Message {
        let is_provisional = |(_, message): &(usize, Message)| message.status().is_some_and(|one| one < 200);
        while self.scripts[script].inbox.front().is_some_and(is_provisional) {
            self.scripts[script].inbox.pop_front();
        }
        self.take_response(script, status)
    }

    /// How many messages a script got and nobody took.
    pub(crate) fn waiting(&self, script: usize) -> usize {
        self.scripts[script].inbox.len()
    }

    pub(crate) fn forget(&mut self, script: usize) {
        self.scripts[script].inbox.clear();
    }

    /// A script says something over its last connection to an agent; it opens one if there is none.
    pub(crate) fn say(&mut self, script: usize, message: impl Into<Bytes>) {
        let mine = |pipe: &Pipe| pipe.open && pipe.ends.contains(&End::Script(script));
        let pipe = match self.pipes.iter().rposition(mine) {
            Some(pipe) => pipe,
            None => self.open_to(script, 0),
        };
        self.carry(pipe, End::Script(script), message.into());
        self.run(Duration::from_millis(100));
    }

    /// A script opens a connection to an agent.
    pub(crate) fn open_to(&mut self, script: usize, agent: usize) -> usize {
        let peer = SocketAddr::new(
            self.scripts[script].listen.ip(),
            40_000 + u16::try_from(self.pipes.len()).unwrap(),
        );
        self.accepted(agent, peer, End::Script(script))
    }

    /// The reply of a script to a request, with tag and Contact.
    pub(crate) fn reply(&self, script: usize, request: &Message, status: u16, tag: &str) -> Builder {
        let contact = self.uri(&self.scripts[script].name);
        Builder::reply_to(request, status, "Whatever")
            .to_tag(tag)
            .header(Name::Contact, format_args!("<{contact}>"))
            .header(Name::Allow, "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, INFO, OPTIONS")
    }

    /// A request of a script to the first agent, outside any dialog.
    pub(crate) fn request(&mut self, script: usize, method: Method<'_>) -> Builder {
        self.serial += 1;
        let serial = self.serial;
        let name = self.scripts[script].name.clone();
        let (own, to) = (self.uri(&name), self.uri(&self.agents[0].name.clone()));
        Builder::request(method, &to)
            .header(
                Name::Via,
                format_args!(
                    "SIP/2.0/{} {};branch=z9hG4bKs{serial}",
                    self.token().to_uppercase(),
                    self.scripts[script].listen
                ),
            )
            .header(Name::MaxForwards, 70)
            .header(Name::From, format_args!("<sip:{name}@example.com>;tag=s{serial}"))
            .header(Name::To, format_args!("<{to}>"))
            .header(Name::CallId, format_args!("s{serial}"))
            .header(Name::CSeq, format_args!("{serial} {}", method.as_str()))
            .header(Name::Contact, format_args!("<{own}>"))
    }

    /// A request of a script in a dialog that it knows by a message of its peer in it: a request, or a response.
    pub(crate) fn inside(&mut self, script: usize, known: &Message, method: Method<'_>, seq: u32) -> Builder {
        self.serial += 1;
        let serial = self.serial;
        let (mine, theirs) = if known.is_request() { (Name::To, Name::From) } else { (Name::From, Name::To) };
        let name = self.scripts[script].name.clone();
        let (own, to) = (self.uri(&name), self.uri(&self.agents[0].name.clone()));
        Builder::request(method, &to)
            .header(
                Name::Via,
                format_args!(
                    "SIP/2.0/{} {};branch=z9hG4bKs{serial}",
                    self.token().to_uppercase(),
                    self.scripts[script].listen
                ),
            )
            .header(Name::MaxForwards, 70)
            .header(Name::From, known.text(mine).unwrap())
            .header(Name::To, known.text(theirs).unwrap())
            .header(Name::CallId, known.call_id().unwrap())
            .header(Name::CSeq, format_args!("{seq} {}", method.as_str()))
            .header(Name::Contact, format_args!("<{own}>"))
    }

    // Time.

    /// Lets time pass, stopping at everything that happens on the way.
    pub(crate) fn run(&mut self, span: Duration) {
        let end = self.clock + span;
        let mut steps = 0;
        self.drain();
        loop {
            let arrives = self.queue.first_key_value().map(|((at, _), _)| *at);
            let due = self.agents.iter().filter_map(|side| side.agent.deadline()).map(|due| due.at.0).min();
            let next = [arrives, due].into_iter().flatten().min().filter(|next| *next <= end);
            let Some(next) = next else { break };
            self.clock = self.clock.max(next);
            steps += 1;
            if steps > 20_000 {
                self.fail("no end of steps");
            }
            if arrives.is_some_and(|at| at <= self.clock) {
                let (_, happening) = self.queue.pop_first().unwrap();
                self.happen(happening);
            } else {
                for at in 0..self.agents.len() {
                    let now = self.now();
                    if self.agents[at].agent.deadline().is_some_and(|due| due.at.0 <= self.clock) {
                        self.agents[at].agent.handle_input(Input::DeadlineReached, now);
                    }
                }
            }
            self.drain();
        }
        self.clock = end;
    }

    /// The connection between an agent and a script breaks, or all of an agent's.
    pub(crate) fn cut(&mut self, agent: usize) {
        for pipe in 0..self.pipes.len() {
            let Pipe { ends, open } = self.pipes[pipe];
            let is_its = ends.iter().any(|end| matches!(end, End::Agent(one, _) if *one == agent));
            if !open || !is_its {
                continue;
            }
            self.pipes[pipe].open = false;
            self.note(format!("{:>8} ---- cut ----", self.agents[agent].name));
            for end in ends {
                if let End::Agent(at, flow) = end
                    && self.agents[at].flows.remove(&flow).is_some()
                {
                    let event = FlowEvent::Closed { flow, why: ConnectError::Closed };
                    let now = self.now();
                    self.agents[at].agent.handle_input(Input::Flow(event), now);
                }
            }
        }
        self.run(Duration::from_millis(100));
    }

    // What is looked at.

    pub(crate) fn told(&self, agent: usize) -> Vec<CallEvent> {
        self.agents[agent].told.iter().map(|(_, what)| what.clone()).collect()
    }

    /// The end of a call, which is told once and last.
    pub(crate) fn end(&self, agent: usize) -> CallEnd {
        let ends: Vec<&CallEnd> = self.agents[agent]
            .told
            .iter()
            .filter_map(|(_, what)| if let CallEvent::Ended(end) = what { Some(&**end) } else { None })
            .collect();
        match ends[..] {
            [end] => end.clone(),
            _ => self.fail(&format!("{} ends, not one", ends.len())),
        }
    }

    pub(crate) fn is_told(&self, agent: usize, wanted: &CallEvent) -> bool {
        self.agents[agent].told.iter().any(|(_, what)| what == wanted)
    }

    pub(crate) fn is_answered(&self, agent: usize) -> bool {
        self.agents[agent].told.iter().any(|(_, what)| matches!(what, CallEvent::Answered { .. }))
    }

    /// The call that came in to an agent.
    pub(crate) fn incoming(&self, agent: usize) -> CallId {
        let found = self.agents[agent].told.iter().find(|(_, what)| matches!(what, CallEvent::Incoming(_)));
        match found {
            Some((call, _)) => *call,
            None => self.fail("nobody called"),
        }
    }

    /// All calls that came in to an agent, in order.
    pub(crate) fn came_in(&self, agent: usize) -> Vec<CallId> {
        let told = self.agents[agent].told.iter();
        told.filter(|(_, what)| matches!(what, CallEvent::Incoming(_))).map(|(call, _)| *call).collect()
    }

    /// After everything that may still come: nothing is left in any table, and every call that was told has ended.
    pub(crate) fn rests(&mut self) {
        self.run(Duration::from_secs(260));
        for side in &self.agents {
            let agent = &side.agent;
            let left =
                (agent.calls(), agent.dialogs(), agent.transactions(), agent.questions(), agent.flows());
            if left != (0, 0, 0, 0, 0) || agent.deadline().is_some() {
                self.fail(&format!(
                    "{}: left of calls, dialogs, transactions, questions, flows: {left:?}; {:?}",
                    side.name,
                    agent.deadline()
                ));
            }
            let calls: std::collections::BTreeSet<CallId> = side.told.iter().map(|(call, _)| *call).collect();
            for call in calls {
                let mut own = side.told.iter().filter(|(one, _)| *one == call);
                let ends = own.clone().filter(|(_, what)| matches!(what, CallEvent::Ended(_))).count();
                let is_last = own.next_back().is_some_and(|(_, what)| matches!(what, CallEvent::Ended(_)));
                if ends != 1 || !is_last {
                    self.fail(&format!("{}: {call:?} ended {ends} times", side.name));
                }
            }
        }
    }

    #[expect(clippy::panic, reason = "a test ends here, with the ladder")]
    pub(crate) fn fail(&self, why: &str) -> ! {
        panic!(
            "{why}\n{}\n{:#?}",
            self.ladder.join("\n"),
            self.agents.iter().map(|side| &side.told).collect::<Vec<_>>()
        )
    }

    // The machinery.

    fn drain(&mut self) {
        for at in 0..self.agents.len() {
            while let Some(output) = self.agents[at].agent.poll_output() {
                self.output(at, output);
            }
            let side = &self.agents[at];
            if side.agent.dialogs() > 0 && side.agent.calls() == 0 {
                self.fail("a dialog without a call");
            }
            if side.agent.calls() > 0
                && side.agent.awaits().iter().skip(1).any(|(_, one)| *one == Awaits::Idle)
            {
                self.fail("a call waits for nothing that is named");
            }
        }
    }

    fn output(&mut self, at: usize, output: Output) {
        match output {
            Output::Send { flow, bytes } => {
                let Some(pipe) = self.agents[at].flows.get(&flow).copied() else { return };
                self.carry(pipe, End::Agent(at, flow), bytes);
            }
            Output::Connect { flow, address, .. } => self.dial(at, flow, address),
            Output::Close { flow } => {
                if let Some(pipe) = self.agents[at].flows.remove(&flow) {
                    self.pipes[pipe].open &= self.transport == Transport::Udp;
                    self.close_far(pipe, End::Agent(at, flow));
                }
            }
            Output::Ask { id, question: Question::Describe(question), .. } => self.asked(at, id, question),
            Output::Ask { id, question: Question::Resolve(_), .. } => {
                let now = self.now();
                self.agents[at].agent.handle_answer(id, Answer::Resolved(Err(DnsError::NoRecord)), now);
            }
            Output::Ask { question, .. } => self.fail(&format!("{question:?}")),
            Output::Forget { id } => self.agents[at].held.retain(|(held, _)| *held != id),
            Output::Event(event) => self.note(format!("{:>8} {:?}", self.agents[at].name, event.what)),
            Output::Call(notice) => {
                self.note(format!("{:>8} {:?}", self.agents[at].name, brief(&notice.what)));
                self.agents[at].told.push((notice.call, notice.what));
            }
        }
    }

    fn asked(&mut self, at: usize, id: AskId, question: DescriptionQuestion) {
        self.agents[at].asked.push(question.clone());
        match self.agents[at].describes {
            Describes::WhenTold => self.agents[at].held.push((id, question)),
            Describes::Refuses => {
                let now = self.now();
                let refusal = DescriptionRefusal::new(305, "no codec in common");
                self.agents[at].agent.handle_answer(id, Answer::Described(Err(refusal)), now);
            }
            Describes::AtOnce => {
                let now = self.now();
                self.agents[at].described += 1;
                let number = self.agents[at].described;
                let described = description_for(&question, number);
                self.agents[at].agent.handle_answer(id, Answer::Described(Ok(described)), now);
            }
        }
    }

    fn dial(&mut self, at: usize, flow: FlowId, address: SocketAddr) {
        let agent = self.agents.iter().position(|side| side.listen == address);
        let script = self.scripts.iter().position(|script| script.listen == address);
        let local =
            SocketAddr::new(self.agents[at].listen.ip(), 50_000 + u16::try_from(self.pipes.len()).unwrap());
        let pipe = match (agent, script) {
            (Some(other), _) => self.accepted(other, local, End::Agent(at, flow)),
            (None, Some(script)) => {
                self.pipes.push(Pipe { ends: [End::Agent(at, flow), End::Script(script)], open: true });
                self.pipes.len() - 1
            }
            (None, None) => {
                return self.later(Happening::Refused { agent: at, flow });
            }
        };
        self.agents[at].flows.insert(flow, pipe);
        self.later(Happening::Connected { pipe });
    }

    fn accepted(&mut self, other: usize, peer: SocketAddr, from: End) -> usize {
        let side = &mut self.agents[other];
        side.next_accepted += 1;
        let accepted = FlowId(side.next_accepted);
        self.pipes.push(Pipe { ends: [from, End::Agent(other, accepted)], open: true });
        let pipe = self.pipes.len() - 1;
        side.flows.insert(accepted, pipe);
        let (flow, local, transport) = (accepted, side.listen, self.transport);
        let event = FlowEvent::Accepted { flow, local, peer, transport, client_names: None };
        let now = self.now();
        self.agents[other].agent.handle_input(Input::Flow(event), now);
        pipe
    }

    fn carry(&mut self, pipe: usize, from: End, bytes: Bytes) {
        let Pipe { ends, open } = self.pipes[pipe];
        let end = usize::from(ends[0] == from);
        let is_lost = self.transport == Transport::Udp && self.rng.below(100) < self.loss;
        if let Ok(message) = Message::parse(bytes.clone()) {
            let arrow = if is_lost || !open { "--x" } else { "-->" };
            self.note(format!(
                "{:>8} {arrow} {:8} {}",
                self.named(from),
                self.named(ends[end]),
                summary(&message)
            ));
        }
        if is_lost || !open {
            return;
        }
        if self.jumbles && self.transport == Transport::Udp {
            for _ in 0..1 + u64::from(self.rng.below(20) == 0) {
                let delay = Duration::from_millis(1 + self.rng.below(80));
                self.serial += 1;
                let happening = Happening::Arrives { pipe, end, bytes: bytes.clone() };
                self.queue.insert((self.clock + delay, self.serial), happening);
            }
            return;
        }
        self.later(Happening::Arrives { pipe, end, bytes });
    }

    fn later(&mut self, happening: Happening) {
        self.serial += 1;
        self.queue.insert((self.clock + DELAY, self.serial), happening);
    }

    fn happen(&mut self, happening: Happening) {
        let now = self.now();
        match happening {
            Happening::Arrives { pipe, end, bytes } => match self.pipes[pipe].ends[end] {
                End::Script(script) => {
                    if let Ok(message) = Message::parse(bytes) {
                        self.scripts[script].inbox.push_back((pipe, message));
                    }
                }
                End::Agent(at, flow) if self.agents[at].flows.contains_key(&flow) => {
                    let event = FlowEvent::Received { flow, frame: Frame::Message(bytes) };
                    self.agents[at].agent.handle_input(Input::Flow(event), now);
                }
                // Whoever listens by UDP hears a datagram of a flow that it forgot as one of a new flow.
                End::Agent(at, _) if self.transport == Transport::Udp => {
                    let from = self.pipes[pipe].ends[1 - end];
                    let peer = SocketAddr::from(([192, 0, 2, 200], 40_000));
                    let again = self.accepted(at, peer, from);
                    if let End::Agent(other, flow) = from {
                        self.agents[other].flows.entry(flow).and_modify(|known| *known = again);
                    }
                    let End::Agent(_, flow) = self.pipes[again].ends[1] else { return };
                    let event = FlowEvent::Received { flow, frame: Frame::Message(bytes) };
                    self.agents[at].agent.handle_input(Input::Flow(event), now);
                }
                End::Agent(..) => {}
            },
            Happening::Connected { pipe } => {
                let End::Agent(at, flow) = self.pipes[pipe].ends[0] else { return };
                let local =
                    SocketAddr::new(self.agents[at].listen.ip(), 50_000 + u16::try_from(pipe).unwrap());
                let peer = match self.pipes[pipe].ends[1] {
                    End::Agent(other, _) => self.agents[other].listen,
                    End::Script(script) => self.scripts[script].listen,
                };
                let event = FlowEvent::Connected { flow, local, peer, proof: None };
                self.agents[at].agent.handle_input(Input::Flow(event), now);
            }
            Happening::Refused { agent, flow } => {
                let event = FlowEvent::ConnectFailed { flow, why: ConnectError::ConnectionRefused };
                self.agents[agent].agent.handle_input(Input::Flow(event), now);
            }
        }
    }

    fn close_far(&mut self, pipe: usize, near: End) {
        let far = self.pipes[pipe].ends.into_iter().find(|end| *end != near);
        if let Some(End::Agent(other, flow)) = far
            && self.transport != Transport::Udp
            && self.agents[other].flows.remove(&flow).is_some()
        {
            let event = FlowEvent::Closed { flow, why: ConnectError::Closed };
            let now = self.now();
            self.agents[other].agent.handle_input(Input::Flow(event), now);
        }
    }

    fn named(&self, end: End) -> &str {
        match end {
            End::Agent(at, _) => &self.agents[at].name,
            End::Script(script) => &self.scripts[script].name,
        }
    }

    fn note(&mut self, line: String) {
        self.ladder.push(format!("{:>9.3} {line}", self.clock.as_secs_f64()));
    }
}

fn brief(what: &CallEvent) -> String {
    let text = format!("{what:?}");
    text.chars().take(100).collect()
}

fn summary(message: &Message) -> String {
    let cseq = message.cseq().map(|cseq| cseq.to_string()).unwrap_or_default();
    let body = if message.body().is_empty() { "" } else { " +body" };
    match message.method() {
        Some(method) => format!("{method} ({cseq}){body}"),
        None => format!("{} ({cseq}){body}", message.status().unwrap_or_default()),
    }
}

/// A description that says who made it, in which version, and which way media go.
pub(crate) fn sdp(number: u32, direction: &str) -> Description {
    Description::sdp(
        format!(
            "v=0\r\no=- 1 {number} IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na={direction}\r\n"
        )
        .into_bytes(),
    )
}

fn description_for(question: &DescriptionQuestion, number: u32) -> Description {
    let peer_holds = match &question.turn {
        Turn::Answer(offer) => {
            let text = String::from_utf8_lossy(&offer.body).into_owned();
            text.contains("a=sendonly") || text.contains("a=inactive")
        }
        _ => false,
    };
    let direction = match (question.hold, peer_holds) {
        (false, false) => "sendrecv",
        (true, false) => "sendonly",
        (false, true) => "recvonly",
        (true, true) => "inactive",
    };
    sdp(number, direction)
}
