//! The driver: carries inputs to the agent and its outputs to the world, and decides nothing.

mod network;
mod questions;
mod registry;
mod tap;

use std::io;
use std::ops::ControlFlow;
use std::thread;
use std::time::{Duration, Instant};

use homing_core::agent::Agent;
use homing_core::command;
use homing_core::config::AgentConfig;
use homing_core::connect::ConnectError;
use homing_core::ids::AskId;
use homing_core::outbox::{Answer, Input, Output};
use homing_core::time::Now;
use homing_net::{Dial, NetConfig, NetEvent, Sockets, TlsClient};
use tokio::runtime;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::sleep_until;

use crate::clock::{self, Clock};
use crate::command::{AccountCommand, Command, Handle, ShutdownReport};
use crate::error::StartError;
use crate::events::KEPT;
use crate::resolver::Resolver;
use crate::trace::Recorder;

use network::Network;
use questions::Questions;
use registry::Registry;
pub(crate) use tap::Tap;

/// What a driver is given for its life.
pub(crate) struct Equipment {
    pub(crate) agent: AgentConfig,
    pub(crate) resolver: Resolver,
    pub(crate) tls: TlsClient,
    pub(crate) recorder: Recorder,
}

/// Starts a driver on a thread of its own and gives the line to it.
pub(crate) fn start(equipment: Equipment) -> Result<Handle, StartError> {
    let seed = clock::seed().map_err(StartError::Entropy)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let (commands, received) = mpsc::unbounded_channel();
    let (events, _) = broadcast::channel(KEPT);
    let weak = events.downgrade();
    let work = move || {
        let mut clock = Clock::start();
        let (now, _) = clock.read();
        let sockets = NetConfig {
            message: equipment.agent.limits.message,
            connect: equipment.agent.limits.connect,
            // What waits here is what our own accounts sent at once.
            unwritten_bytes: UNWRITTEN,
            ..NetConfig::default()
        };
        let driver = Driver {
            agent: Agent::new(equipment.agent, seed, now),
            clock,
            sockets: Sockets::new(sockets),
            tls: equipment.tls,
            questions: Questions::new(equipment.resolver),
            tap: Tap::new(equipment.recorder),
            registry: Registry::new(events),
            network: Network::default(),
            leaving: None,
            woke: None,
        };
        runtime.block_on(driver.run(received));
    };
    let thread = thread::Builder::new().name("homing-agent".to_owned()).spawn(work);
    let thread = thread.map_err(|error: io::Error| StartError::Thread(error))?;
    Ok(Handle::new(commands, weak, thread.thread().id()))
}

/// Runs one agent: hands inputs in, carries outputs out.
struct Driver {
    agent: Agent,
    clock: Clock,
    sockets: Sockets,
    tls: TlsClient,
    questions: Questions,
    tap: Tap,
    registry: Registry,
    network: Network,
    leaving: Option<Leaving>,
    /// When deadlines were last looked at.
    woke: Option<Instant>,
}

/// A shutdown under way.
struct Leaving {
    until: Instant,
    answers: Vec<oneshot::Sender<ShutdownReport>>,
}

impl Driver {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut arrivals = Vec::with_capacity(BATCH);
        let mut asked = Vec::with_capacity(BATCH);
        let mut listening = true;
        while !self.has_left() {
            let wake = self.next_wake();
            // What is overdue comes first, so that a flood of messages cannot hold timers up.
            tokio::select! {
                biased;
                () = sleep_until(wake.into()) => self.wake(),
                taken = commands.recv_many(&mut asked, BATCH), if listening => {
                    asked.drain(..).for_each(|command| self.obey(command));
                    if taken == 0 {
                        listening = false;
                        self.leave(FAREWELL, None);
                    }
                }
                (id, answer) = self.questions.next() => self.answer(id, answer),
                () = self.sockets.take(&mut arrivals, BATCH) => {
                    arrivals.drain(..).for_each(|arrival| self.receive(arrival));
                }
            }
            self.tap.publish();
        }
        self.end().await;
    }

    /// Hands an event of the sockets to the agent.
    fn receive(&mut self, event: NetEvent) {
        let now = self.now();
        self.tap.arrival(&event, now);
        let input = match event {
            NetEvent::Connected { flow, local, peer, proof } => {
                self.network.opened(flow, local, peer);
                Input::Connected { flow, local, peer, proof }
            }
            NetEvent::ConnectFailed { flow, why } => Input::ConnectFailed { flow, why },
            NetEvent::Received { flow, frame } => Input::Received { flow, frame },
            NetEvent::Closed { flow, why } => {
                self.network.closed(flow);
                Input::Closed { flow, why }
            }
            // Nothing can be read from it any more, so that nobody waits for answers.
            NetEvent::Malformed { flow, .. } => {
                self.sockets.cut(flow);
                self.network.closed(flow);
                Input::Closed { flow, why: ConnectError::Closed }
            }
            // A user agent that does not listen accepts nobody.
            NetEvent::Accepted { .. } => return,
        };
        let suspicious = matches!(input, Input::ConnectFailed { .. } | Input::Closed { .. });
        self.agent.handle_input(input, now);
        self.drain(now);
        if suspicious {
            self.look_at_network();
        }
    }

    /// Hands the answer to a question to the agent.
    fn answer(&mut self, id: AskId, answer: Answer) {
        let now = self.now();
        self.agent.handle_answer(id, answer, now);
        self.drain(now);
    }

    /// Does what a handle asks for.
    fn obey(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Add { account, credentials, answer } => {
                let aor = account.aor.clone();
                let added = self.agent.add_account(*account, now).map(|id| {
                    self.questions.add(id, credentials);
                    (id, self.registry.add(id, &aor))
                });
                // Whoever asked may be gone; the account then rests until the end.
                let _ = answer.send(added.map_err(Into::into));
            }
            Command::Account { account, command } => {
                let to_agent = match &command {
                    AccountCommand::Register(_) => command::Command::Register(account),
                    AccountCommand::Refresh(_) => command::Command::Refresh(account),
                    AccountCommand::Unregister(_) => command::Command::Unregister(account),
                    AccountCommand::Options(None, _) => command::Command::Options(account),
                    AccountCommand::Options(Some(uri), _) => {
                        command::Command::OptionsOf(account, uri.clone())
                    }
                };
                if let ControlFlow::Continue(command) = self.registry.settle_at_once(account, command) {
                    let taken = self.agent.handle_command(to_agent, now);
                    self.registry.await_outcome(account, command, taken);
                }
            }
            Command::Remove { account, answer } => {
                let removed = self.agent.handle_command(command::Command::Remove(account), now);
                if removed.is_ok() {
                    self.questions.remove(account);
                    self.registry.remove(account);
                }
                // Whoever asked may be gone.
                let _ = answer.send(removed.map_err(Into::into));
            }
            Command::Policy(policy) => self.questions.policy(policy),
            Command::Locate { request, answer } => self.questions.locate(request, answer),
            Command::Count(answer) => {
                // Whoever asked may be gone.
                let _ = answer.send((self.agent.counters().clone(), self.sockets.counters()));
            }
            Command::ShutDown { grace, answer } => self.leave(grace, Some(answer)),
        }
        self.drain(now);
    }

    /// Tells the agent that time has passed, if it waits for that, and looks after the network.
    fn wake(&mut self) {
        self.woke = Some(Instant::now());
        let now = self.now();
        if self.agent.deadline().is_some_and(|deadline| now.reached(deadline.at)) {
            self.agent.handle_input(Input::DeadlineReached, now);
            self.drain(now);
        }
        if self.network.is_due() {
            self.look_at_network();
        }
    }

    /// Carries out whatever the agent wants, in its command.
    fn drain(&mut self, now: Now) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Send { flow, bytes } => {
                    self.tap.departure(flow, &bytes, now);
                    self.sockets.send(flow, bytes);
                }
                Output::Connect { flow, address, transport, identity } => {
                    self.tap.dialling(flow, address, transport, &identity);
                    self.sockets.connect(Dial { flow, address, transport, identity }, &self.tls);
                }
                Output::Close { flow } => {
                    self.tap.closing(flow, now);
                    self.network.closed(flow);
                    self.sockets.close(flow);
                }
                Output::Ask { id, question, until } => {
                    let until = until.map(|moment| self.clock.instant(moment));
                    self.questions.ask(id, question, until);
                }
                Output::Forget { id } => self.questions.forget(id),
                Output::Event(event) => self.registry.post(event),
            }
        }
        self.registry.settle();
    }

    /// The present instant; the agent is told first if the clocks parted meanwhile.
    fn now(&mut self) -> Now {
        let (now, jumped) = self.clock.read();
        if jumped {
            self.agent.handle_input(Input::ClockJumped, now);
            self.drain(now);
        }
        now
    }

    fn look_at_network(&mut self) {
        if let Some(online) = self.network.look() {
            let now = self.now();
            self.agent.handle_input(Input::NetworkChanged { online }, now);
            self.drain(now);
        }
    }

    fn next_wake(&self) -> Instant {
        let deadline = self.agent.deadline().map(|deadline| self.clock.instant(deadline.at));
        // Between two looks at deadlines there is room for everything else.
        let deadline = deadline.map(|at| self.woke.map_or(at, |woke| at.max(woke + PULSE)));
        let leaving = self.leaving.as_ref().map(|leaving| leaving.until);
        // Also without a deadline the clocks and the network are looked at now and then.
        let look = Some(self.network.next_look());
        [deadline, leaving, look].into_iter().flatten().min().unwrap_or_else(Instant::now)
    }

    fn leave(&mut self, grace: Duration, answer: Option<oneshot::Sender<ShutdownReport>>) {
        let now = self.now();
        for account in self.registry.accounts() {
            // Whoever is at rest refuses, and that is well.
            let _ = self.agent.handle_command(command::Command::Unregister(account), now);
            self.drain(now);
        }
        let until = Instant::now().checked_add(grace).unwrap_or_else(Instant::now);
        let leaving = self.leaving.get_or_insert(Leaving { until, answers: Vec::new() });
        leaving.until = leaving.until.min(until);
        leaving.answers.extend(answer);
    }

    fn has_left(&self) -> bool {
        let Some(leaving) = &self.leaving else { return false };
        self.registry.is_at_rest() || Instant::now() >= leaving.until
    }

    async fn end(self) {
        let report = self.report();
        self.tap.publish();
        self.sockets.leave(LAST_BYTES).await;
        for answer in self.leaving.into_iter().flat_map(|leaving| leaving.answers) {
            // Whoever asked may be gone.
            let _ = answer.send(report.clone());
        }
    }

    fn report(&self) -> ShutdownReport {
        ShutdownReport { accounts: self.registry.signed_in(), transactions: self.agent.transactions() }
    }
}

/// Bytes that may wait on one connection: ten thousand accounts that sign in over it together.
const UNWRITTEN: usize = 64 << 20;
/// Inputs handed in before what they cause is written.
const BATCH: usize = 64;
/// Deadlines are looked at once in this time at most.
const PULSE: Duration = Duration::from_millis(1);
/// How long accounts may take to sign out after the last handle was dropped.
const FAREWELL: Duration = Duration::from_secs(2);
/// How long the last bytes may take to leave.
const LAST_BYTES: Duration = Duration::from_millis(500);
