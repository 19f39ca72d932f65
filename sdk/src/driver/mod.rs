//! The driver: carries inputs to the agent and its outputs to the world, and decides nothing.

mod calls;
mod listeners;
mod log;
mod network;
mod questions;
mod registry;
mod shutdown;
mod tap;
mod waiters;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use homing_core::agent::Agent;
use homing_core::call_event::EndReason;
use homing_core::command;
use homing_core::config::AgentConfig;
use homing_core::counter::Counters;
use homing_core::error::Misuse;
use homing_core::event::{AccountEvent, Event};
use homing_core::ids::{AccountId, AskId, FlowId};
use homing_core::outbox::{Answer, Input, Output, Question};
use homing_core::time::Now;
use homing_net::{Dial, FlowEvent, NetConfig, Sockets, TlsClient, TlsServer};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep_until;

use crate::call::{Describer, SoundOfCalls};
use crate::clock::{self, Clock};
use crate::command::{
    Additions, AdditionsReceiver, Command, CounterSnapshot, Handle, NewAccount, Reply, ShutdownReport,
};
use crate::dns::Resolver;
use crate::error::StartError;
use crate::trace::Recorder;

use calls::{CallContext, Calls};
use listeners::Listeners;
use log::Log;
use network::Network;
use questions::Questions;
use registry::Registry;
use shutdown::Shutdown;
pub(crate) use tap::Tap;
use waiters::{Waiter, Waiters};

/// What a driver is given for its life.
pub(crate) struct DriverConfig {
    pub(crate) agent: AgentConfig,
    pub(crate) resolver: Resolver,
    pub(crate) describer: Option<Describer>,
    pub(crate) sound: SoundOfCalls,
    pub(crate) tls: TlsClient,
    pub(crate) server_certificate: Option<TlsServer>,
    pub(crate) recorder: Recorder,
}

/// Starts a driver on a thread of its own and gives the first handle of it.
pub(crate) fn start(config: DriverConfig) -> Result<Handle, StartError> {
    let seed = clock::seed().map_err(StartError::Entropy)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Thread)?;
    let (commands, received) = mpsc::unbounded_channel();
    let (log, counters, additions) = (Log::default(), CounterSnapshot::default(), Additions::default());
    let receiver = additions.receiver();
    let handle = Handle::new(commands, additions, log.channel().clone(), counters.clone());
    let work = move || {
        let mut clock = Clock::start();
        let (now, _) = clock.read();
        let sockets = NetConfig {
            message: config.agent.limits.message,
            connect: config.agent.limits.connect,
            // What waits here is what our own accounts sent at once.
            unwritten_bytes: UNWRITTEN,
            ..NetConfig::default()
        };
        let driver = Driver {
            agent: Agent::new(config.agent, seed, now),
            clock,
            sockets: Sockets::new(sockets),
            tls: config.tls,
            listeners: Listeners::new(config.server_certificate),
            questions: Questions::new(config.resolver, config.describer),
            tap: Tap::new(config.recorder),
            additions: receiver,
            registry: Registry::default(),
            waiters: Waiters::default(),
            calls: Calls::default(),
            sound: config.sound,
            log,
            counters,
            network: Network::default(),
            shutdown: None,
            arriving: None,
            woke: None,
            published: None,
            has_news: false,
        };
        runtime.block_on(driver.run(received));
    };
    let thread = thread::Builder::new().name("homing-agent".to_owned()).spawn(work);
    thread.map_err(|error: io::Error| StartError::Thread(error))?;
    Ok(handle)
}

/// Runs one agent: hands inputs in, carries outputs out.
struct Driver {
    agent: Agent,
    clock: Clock,
    sockets: Sockets,
    tls: TlsClient,
    listeners: Listeners,
    questions: Questions,
    tap: Tap,
    additions: AdditionsReceiver,
    registry: Registry,
    waiters: Waiters,
    calls: Calls,
    sound: SoundOfCalls,
    log: Log,
    counters: CounterSnapshot,
    network: Network,
    shutdown: Option<Shutdown>,
    /// The flow whose event the agent is handling.
    arriving: Option<FlowId>,
    /// When deadlines were last looked at.
    woke: Option<Instant>,
    /// When handles and readers were last shown what happened.
    published: Option<Instant>,
    /// Something may have happened since.
    has_news: bool,
}

impl Driver {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        let mut arrivals = Vec::with_capacity(BATCH);
        let mut asked = Vec::with_capacity(BATCH);
        let mut has_handles = true;
        while !self.is_over() {
            let wake = self.next_wake();
            // What is overdue comes first, so that a flood of messages cannot hold timers up.
            tokio::select! {
                biased;
                () = sleep_until(wake.into()) => self.wake(),
                taken = commands.recv_many(&mut asked, BATCH), if has_handles => {
                    asked.drain(..).for_each(|command| self.execute(command));
                    if taken == 0 {
                        has_handles = false;
                        self.shut_down(DROP_GRACE, None);
                    }
                }
                (id, answer) = self.questions.next() => self.answer(id, answer),
                () = self.sockets.take(&mut arrivals, BATCH) => {
                    arrivals.drain(..).for_each(|arrival| self.receive(arrival));
                }
            }
            self.sign_out_after_calls();
            self.publish();
        }
        self.end().await;
    }

    /// Hands an event of the sockets to the agent.
    fn receive(&mut self, event: FlowEvent) {
        let now = self.now();
        self.tap.arrival(&event, now);
        match &event {
            FlowEvent::Connected { flow, local, peer, .. } => self.network.opened(*flow, *local, *peer),
            FlowEvent::Closed { flow, .. } => self.network.closed(*flow),
            FlowEvent::Malformed { .. }
            | FlowEvent::ConnectFailed { .. }
            | FlowEvent::Received { .. }
            | FlowEvent::Accepted { .. } => {}
        }
        let suspicious = matches!(
            event,
            FlowEvent::ConnectFailed { .. } | FlowEvent::Closed { .. } | FlowEvent::Malformed { .. }
        );
        self.arriving = Some(event.flow());
        self.agent.handle_input(Input::Flow(event), now);
        self.drain(now);
        self.arriving = None;
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

    /// Carries out a command of a handle.
    fn execute(&mut self, command: Command) {
        let now = self.now();
        match command {
            Command::Add => self.additions.take().into_iter().for_each(|account| self.add(account, now)),
            Command::Register { account, reply } => match self.registry.registration(account) {
                Some(registered) => {
                    // The future that waits may have been dropped.
                    let _ = reply.send(Ok(registered.clone()));
                }
                None => {
                    self.order(command::Command::Register(account), account, Waiter::Register(reply), now)
                }
            },
            Command::Refresh { account, reply } => {
                self.order(command::Command::Refresh(account), account, Waiter::Refresh(reply), now);
            }
            Command::Unregister { account, patience, reply } => {
                let order = match patience {
                    Some(patience) => command::Command::UnregisterWithin(account, patience),
                    None => command::Command::Unregister(account),
                };
                self.order(order, account, Waiter::Unregister(reply), now);
            }
            Command::CredentialsChanged(account) => {
                // One that does not rest for its password refuses, and has nothing to do.
                let _ = self.agent.handle_command(command::Command::CredentialsChanged(account), now);
            }
            Command::Options { account, uri, reply } => {
                match self.agent.options(account, uri.as_deref(), now) {
                    Ok(request) => self.waiters.add(account, Waiter::Options(request, reply)),
                    // The future that waits may have been dropped.
                    Err(misuse) => drop(reply.send(Err(misuse.into()))),
                }
            }
            Command::Call(command) => self.with_calls(now, |calls, cx| calls.execute(command, cx)),
            Command::ListenAddress { account, reply } => {
                // The future that waits may have been dropped.
                let _ = reply.send(self.listeners.address(account));
            }
            Command::DoNotDisturb { account, rule, reply } => {
                let order = command::Command::DoNotDisturb(account, rule);
                // The future that waits may have been dropped.
                let _ = reply.send(self.agent.handle_command(order, now).map_err(Into::into));
            }
            Command::Remove { account, reply } => self.remove(account, reply, now),
            Command::SetPolicy(policy) => self.questions.policy(policy),
            Command::SetTls(tls) => self.tls = tls,
            Command::Locate { request, reply } => self.questions.locate(request, reply),
            Command::ShutDown { grace, reply } => self.shut_down(grace, Some(reply)),
        }
        self.drain(now);
    }

    fn add(&mut self, account: NewAccount, now: Now) {
        let NewAccount { id, mut config, endpoint, state, credentials } = account;
        self.listeners.add(id, &mut config, &mut self.sockets);
        self.registry.add(id, &config.aor, endpoint, state);
        self.questions.add(id, credentials);
        let added = self.agent.add_account(config, now);
        let numbered = "a checked configuration is taken, and handle and agent number in the same order";
        assert_eq!(added, Ok(id), "{numbered}");
    }

    /// Gives the agent a command and keeps who waits for its outcome. A second `register` while one is under way
    /// waits for that one.
    fn order(&mut self, command: command::Command, account: AccountId, waiter: Waiter, now: Now) {
        let under_way = matches!(waiter, Waiter::Register(_)) && self.registry.is_busy(account);
        match self.agent.handle_command(command, now) {
            Ok(()) => self.waiters.add(account, waiter),
            Err(Misuse::WrongState) if under_way => self.waiters.add(account, waiter),
            Err(misuse) => waiter.fail(misuse.into()),
        }
    }

    fn remove(&mut self, account: AccountId, reply: Reply<()>, now: Now) {
        let removed = self.agent.handle_command(command::Command::Remove(account), now);
        if removed.is_ok() {
            self.questions.remove(account);
            self.listeners.remove(account);
            self.waiters.remove(account);
            if let Some(endpoint) = self.registry.remove(account) {
                self.additions.release(&endpoint);
            }
        }
        // The future that waits may have been dropped.
        let _ = reply.send(removed.map_err(Into::into));
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

    /// Carries out all that the agent wants, in its order.
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
                    if let Question::Describe(described) = &question {
                        self.with_calls(now, |calls, cx| calls.prepare(described.call, cx));
                    }
                    let until = until.map(|moment| self.clock.instant(moment));
                    self.questions.ask(id, question, until);
                }
                Output::Forget { id } => self.questions.forget(id),
                Output::Event(event) => self.tell(event, now),
                Output::Call(notice) => self.with_calls(now, |calls, cx| calls.handle(notice, cx)),
            }
        }
        // A call waits for no batch of news.
        self.calls.wake();
        if !self.waiters.is_settled() {
            // Counters that are read after an outcome include it.
            self.counters.publish(self.counters(), self.sockets.counters());
            self.waiters.settle();
        }
    }

    fn with_calls(&mut self, now: Now, act: impl FnOnce(&mut Calls, &mut CallContext<'_>)) {
        let Self { agent, registry, questions, calls, sound, .. } = self;
        act(calls, &mut CallContext { agent, registry, questions, sound, now });
    }

    fn counters(&self) -> Counters {
        let mut counters = self.agent.counters();
        counters.add(self.calls.counters());
        counters
    }

    /// Records an event and tells it; of an account that was removed nothing is told.
    fn tell(&mut self, event: Event, now: Now) {
        if let Some(flow) = self.arriving {
            self.tap.dropped(flow, &event.what, now);
        }
        if let Some(account) = self.registry.record(&event) {
            self.waiters.note(&event);
            if let (Some(shutdown), AccountEvent::Unregistered { outcome }) =
                (&mut self.shutdown, &event.what)
            {
                shutdown.record(event.account, *outcome);
            }
            self.log.tell(event, account);
        }
    }

    /// Shows handles and readers what happened, once for all that happens within [`NEWS`]: a reader is woken for
    /// a login, not for each of its events.
    fn publish(&mut self) {
        self.tap.publish();
        let now = Instant::now();
        self.has_news = self.published.is_some_and(|at| now < at + NEWS);
        if !self.has_news {
            self.published = Some(now);
            self.counters.publish(self.counters(), self.sockets.counters());
            self.log.wake();
        }
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
        let shutdown = self.shutdown.as_ref().map(Shutdown::until);
        let publish = self.published.filter(|_| self.has_news).map(|at| at + NEWS);
        // Also without a deadline the clocks and the network are looked at now and then.
        let look = Some(self.network.next_look());
        [deadline, shutdown, publish, look].into_iter().flatten().min().unwrap_or_else(Instant::now)
    }

    fn shut_down(&mut self, grace: Duration, reply: Option<oneshot::Sender<ShutdownReport>>) {
        let now = self.now();
        // Calls that are over may still wait for the answer to their BYE.
        let has_calls = self.shutdown.is_none() && self.agent.calls() > 0;
        self.shutdown.get_or_insert_with(|| Shutdown::begin(grace, has_calls)).join(grace, reply);
        if has_calls {
            self.with_calls(now, |calls, cx| calls.end_all(&EndReason::ShutDown, cx));
            self.drain(now);
        }
        if self.shutdown.as_ref().is_some_and(Shutdown::signs_out) {
            self.sign_out();
        }
    }

    /// Signs the accounts out once what their calls had to say is answered: a server that has removed a binding may not
    /// answer for it.
    fn sign_out_after_calls(&mut self) {
        let is_at_rest = self.agent.transactions() == 0;
        if self.shutdown.as_mut().is_some_and(|shutdown| shutdown.ends_calls(is_at_rest)) {
            self.sign_out();
        }
    }

    fn sign_out(&mut self) {
        let Some(grace) = self.shutdown.as_ref().map(Shutdown::grace) else { return };
        let now = self.now();
        // The grace ends here, not in the agent: what has no answer then is still counted.
        let patience = grace.saturating_add(LAST_BYTES);
        for account in self.registry.ids() {
            // An account at rest refuses, which is as good.
            let _ = self.agent.handle_command(command::Command::UnregisterWithin(account, patience), now);
            self.drain(now);
        }
    }

    fn is_over(&self) -> bool {
        let is_done = |shutdown: &Shutdown| shutdown.signs_out() && self.registry.is_at_rest();
        self.shutdown.as_ref().is_some_and(|shutdown| is_done(shutdown) || shutdown.is_due())
    }

    async fn end(mut self) {
        let transactions = self.agent.transactions();
        // Nothing is received from here on: whoever waits for an answer to a sign-out is told that none came.
        let now = self.now();
        self.agent.handle_input(Input::NetworkChanged { online: false }, now);
        self.drain(now);
        self.published = None;
        self.publish();
        drop(self.listeners);
        self.sockets.leave(LAST_BYTES).await;
        if let Some(shutdown) = self.shutdown {
            shutdown.report(transactions);
        }
    }
}

/// Bytes that may wait on one connection: ten thousand accounts that sign in over it together.
const UNWRITTEN: usize = 64 << 20;
/// Inputs handed in before what they cause is written.
const BATCH: usize = 64;
/// Deadlines are looked at once in this time at most.
const PULSE: Duration = Duration::from_millis(1);
/// Readers of events are woken, and counters shown, once in this time at most. The first news after a pause are told at
/// once, outcomes and states always are.
const NEWS: Duration = Duration::from_millis(10);
/// How long accounts may take to sign out after the last handle was dropped.
const DROP_GRACE: Duration = Duration::from_secs(2);
/// How long the last bytes may take to leave.
const LAST_BYTES: Duration = Duration::from_millis(500);
