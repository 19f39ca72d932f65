//! One node on real sockets: a task that carries input in, output out, and wakes it in time.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use homing_core::connect::ConnectError;
use homing_core::counter::Counters;
use homing_core::dns::DnsError;
use homing_core::identity::Expected;
use homing_core::ids::Seed;
use homing_core::transport::Transport;
use homing_net::{Dial, FlowEvent, Listener, NetConfig, NetCounters, Sockets, TlsClient, TlsServer};
use tokio::sync::mpsc;

use super::Clock;
use super::sounds::{Outcome, Sounds};
use crate::directory::{Changed, DirectoryHandle, Key, Lookup};
use crate::journal::{Decision, Entry, Journal, Verdict, What};
use crate::node::bindings::Binding;
use crate::node::config::NodeConfig;
use crate::node::{Calls, LookupId, Node, NodeCommand, NodeInput, NodeOutput};

/// What all stations of an estate share.
#[derive(Clone)]
pub(crate) struct Env {
    pub(crate) clock: Clock,
    pub(crate) directory: DirectoryHandle,
    pub(crate) journal: Journal,
    /// Bounds of the sockets.
    pub(crate) sockets: NetConfig,
    /// Addresses of the estate's hosts.
    pub(crate) hosts: Arc<BTreeMap<String, IpAddr>>,
}

/// What one node task is made of.
pub(crate) struct NodePlan {
    pub(crate) config: NodeConfig,
    pub(crate) seed: Seed,
    pub(crate) tls: (TlsServer, TlsClient),
    /// Where it listens; ports are the real ones once it has listened.
    pub(crate) listens: Vec<(Transport, SocketAddr)>,
}

/// A command of a handle. The answer tells that it was carried out.
pub(crate) enum TaskCommand {
    Command(NodeCommand, SyncSender<()>),
    Bindings(SyncSender<Vec<HeldRow>>),
    Counters(SyncSender<(Counters, NetCounters)>),
    Calls(SyncSender<Calls>),
    Stop(SyncSender<()>),
    Restart(SyncSender<io::Result<()>>),
}

/// A binding with what only its server knows of it.
pub(crate) struct HeldRow {
    pub(crate) binding: Binding,
    /// How long it lasts if it is not refreshed.
    pub(crate) expires_in: Duration,
    /// Whether its client is told at once where its user was moved to.
    pub(crate) recalled_at_once: bool,
}

/// The answer to a look-up, with the life of the node that asked.
type Answer = (u64, LookupId, Lookup);

/// Open sockets of a node.
pub(crate) struct Listeners {
    sockets: Sockets,
    _listeners: Vec<Listener>,
}

/// A node that runs.
struct Running {
    node: Node,
    listeners: Listeners,
    sounds: Sounds,
}

/// A node task between two events.
pub(crate) struct NodeTask {
    plan: NodePlan,
    env: Env,
    commands: mpsc::UnboundedReceiver<TaskCommand>,
    answers: (mpsc::UnboundedSender<Answer>, mpsc::UnboundedReceiver<Answer>),
    /// Counts lives, so that an answer for a former life is not taken for one of this.
    life: u64,
}

impl Listeners {
    /// Opens the listeners of a plan and writes their real addresses into it.
    pub(crate) fn open(
        listens: &mut [(Transport, SocketAddr)],
        tls: &TlsServer,
        config: &NetConfig,
    ) -> Result<Self, (Transport, io::Error)> {
        let mut sockets = Sockets::new(config.clone());
        let mut listeners = Vec::new();
        for (transport, address) in listens {
            let tls = transport.is_secure().then(|| tls.clone());
            let listener = sockets.listen(*address, *transport, tls).map_err(|error| (*transport, error))?;
            *address = listener.local_addr();
            listeners.push(listener);
        }
        Ok(Self { sockets, _listeners: listeners })
    }
}

impl NodeTask {
    /// A node task that is ready to run, and the way to give it commands.
    pub(crate) fn new(plan: NodePlan, env: Env) -> (Self, mpsc::UnboundedSender<TaskCommand>) {
        let (sender, commands) = mpsc::unbounded_channel();
        (Self { plan, env, commands, answers: mpsc::unbounded_channel(), life: 0 }, sender)
    }

    /// Runs until the last handle is gone.
    pub(crate) async fn run(mut self, listeners: Listeners) {
        let mut listeners = Some(listeners);
        loop {
            if let Some(open) = listeners.take() {
                let running = self.begin(open);
                match self.live(running).await {
                    Some(stopped) => {
                        self.tell("stopped: its registrations are lost");
                        // Aborted tasks give their sockets back when the runtime comes to them.
                        for _ in 0..SETTLING {
                            tokio::task::yield_now().await;
                        }
                        let _ = stopped.send(());
                    }
                    None => return,
                }
            }
            listeners = match self.wait_for_restart().await {
                Some(open) => open,
                None => return,
            };
        }
    }

    fn begin(&mut self, listeners: Listeners) -> Running {
        self.life += 1;
        let seed = self.plan.seed.stream("life", &[self.life]);
        let node = Node::new(self.plan.config.clone(), &seed);
        let identity = &self.plan.config.identity;
        // A server that no name leads to has no calls either.
        let ip = self.env.hosts.get(&identity.fqdn).copied().unwrap_or(Ipv4Addr::LOCALHOST.into());
        let sounds = Sounds::new(ip, &identity.name, &seed);
        if self.life > 1 {
            self.tell("started again, with nothing remembered");
        }
        Running { node, listeners, sounds }
    }

    /// Runs until it is stopped or the last handle is gone.
    async fn live(&mut self, mut running: Running) -> Option<SyncSender<()>> {
        let mut events = Vec::new();
        let mut assignments = self.env.directory.watch();
        let exhausted = running.listeners.sockets.out_of_descriptors();
        loop {
            let wake = running.node.deadline().map(|deadline| self.env.clock.instant(deadline.at));
            let sleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = running.listeners.sockets.take(&mut events, BATCH) => {}
                () = exhausted.next() => {
                    self.tell("no connection can be accepted: this process is out of file descriptors (`ulimit -n`)");
                }
                command = self.commands.recv() => match command? {
                    TaskCommand::Stop(done) => return Some(done),
                    command => {
                        self.remember(&command);
                        self.execute(&mut running, command);
                    }
                },
                Some((life, id, found)) = self.answers.1.recv() => {
                    if life == self.life {
                        running.node.handle_answer(id, found, self.env.clock.now());
                    }
                }
                Some(changed) = assignments.next() => self.reconsider(&mut running.node, &changed),
                () = sleep => running.node.handle_input(NodeInput::DeadlineReached, self.env.clock.now()),
            }
            for event in events.drain(..) {
                running.node.handle_input(NodeInput::Flow(event), self.env.clock.now());
                self.drain(&mut running);
            }
            self.drain(&mut running);
        }
    }

    /// Tells the node which of its users may have been assigned elsewhere.
    fn reconsider(&self, node: &mut Node, changed: &Changed) {
        let keys = match changed {
            Changed::One(key) => vec![key.clone()],
            Changed::Any => {
                let service = &self.plan.config.routing.service;
                node.registrar().iter().map(|binding| Key::new(&binding.endpoint.user, service)).collect()
            }
        };
        for Key { user, service } in keys {
            node.handle_command(NodeCommand::AssignmentChanged { user, service }, self.env.clock.now());
        }
    }

    /// Keeps what outlasts a stop.
    fn remember(&mut self, command: &TaskCommand) {
        if let TaskCommand::Command(NodeCommand::SetAccounts(accounts), _) = command {
            self.plan.config.accounts = Arc::clone(accounts);
        }
    }

    fn execute(&self, running: &mut Running, command: TaskCommand) {
        // A caller that gave up waiting needs no answer.
        match command {
            TaskCommand::Command(command, done) => {
                running.node.handle_command(command, self.env.clock.now());
                let _ = done.send(());
            }
            TaskCommand::Bindings(answer) => {
                let (now, node) = (self.env.clock.now(), &running.node);
                let held = node.registrar().iter().map(|binding| HeldRow {
                    binding: binding.clone(),
                    expires_in: binding.expires.since(now.since_start),
                    recalled_at_once: node.is_recalled_at_once(binding),
                });
                let _ = answer.send(held.collect());
            }
            TaskCommand::Calls(answer) => drop(answer.send(running.node.calls())),
            TaskCommand::Counters(answer) => {
                let counted = (running.node.counters().clone(), running.listeners.sockets.counters());
                let _ = answer.send(counted);
            }
            TaskCommand::Stop(done) => drop(done.send(())),
            TaskCommand::Restart(done) => drop(done.send(Ok(()))),
        }
    }

    async fn wait_for_restart(&mut self) -> Option<Option<Listeners>> {
        let none = Vec::new;
        let command = self.commands.recv().await?;
        self.remember(&command);
        match command {
            TaskCommand::Command(_, done) | TaskCommand::Stop(done) => drop(done.send(())),
            TaskCommand::Bindings(answer) => drop(answer.send(none())),
            TaskCommand::Counters(answer) => drop(answer.send(Default::default())),
            TaskCommand::Calls(answer) => drop(answer.send(Calls::default())),
            TaskCommand::Restart(done) => match self.open_again().await {
                Ok(listeners) => {
                    let _ = done.send(Ok(()));
                    return Some(Some(listeners));
                }
                Err(error) => drop(done.send(Err(error))),
            },
        }
        Some(None)
    }

    /// Listens where it listened before; the system may need a moment to free the ports.
    async fn open_again(&mut self) -> io::Result<Listeners> {
        let mut tries = 0;
        loop {
            match Listeners::open(&mut self.plan.listens, &self.plan.tls.0, &self.env.sockets) {
                Ok(listeners) => return Ok(listeners),
                Err((_, error)) if tries == TRIES => return Err(error),
                Err(_) => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn drain(&self, running: &mut Running) {
        let Running { node, listeners: Listeners { sockets, .. }, sounds } = running;
        while let Some(output) = node.poll_output() {
            match output {
                NodeOutput::Send { flow, bytes } => sockets.send(flow, bytes),
                NodeOutput::SendToPort { flow, port, bytes } => sockets.send_to_port(flow, bytes, port),
                NodeOutput::Hold { flow } => sockets.hold(flow),
                NodeOutput::Close { flow } => sockets.close(flow),
                NodeOutput::Cut { flow } => sockets.cut(flow),
                NodeOutput::Journal(entry) => self.env.journal.record(entry),
                NodeOutput::Sound(order) => {
                    let Outcome { input, failure } = sounds.handle(order);
                    if let Some(why) = failure {
                        self.tell(format!("a call has no sound: {why}"));
                    }
                    if let Some(input) = input {
                        node.handle_input(input, self.env.clock.now());
                    }
                }
                NodeOutput::LookUp { id, user, service } => {
                    let now = self.env.clock.now();
                    let key = Key::new(&user, &service);
                    match self.env.directory.find_now(&key, now.wall) {
                        Some(found) => node.handle_answer(id, found, now),
                        None => self.look_up_later(id, key),
                    }
                }
                NodeOutput::Connect { flow, server, transport } => match self.env.hosts.get(&server.host) {
                    Some(ip) => {
                        let address = SocketAddr::new(*ip, server.port);
                        let identity = Expected::host(&server.host);
                        sockets.connect(Dial { flow, address, transport, identity }, &self.plan.tls.1);
                    }
                    None => {
                        let why = ConnectError::NoAddress(DnsError::NoRecord.into());
                        let failed = NodeInput::Flow(FlowEvent::ConnectFailed { flow, why });
                        node.handle_input(failed, self.env.clock.now());
                    }
                },
            }
        }
    }

    fn look_up_later(&self, id: LookupId, key: Key) {
        let (directory, answers, life) = (self.env.directory.clone(), self.answers.0.clone(), self.life);
        let wall = self.env.clock.now().wall;
        tokio::spawn(async move {
            let found = directory.find(key, wall).await;
            let _ = answers.send((life, id, found));
        });
    }

    fn tell(&self, what: impl Into<Cow<'static, str>>) {
        self.env.journal.record(Entry {
            seq: 0,
            at: self.env.clock.now().since_start.0,
            node: self.plan.config.identity.name.as_str().into(),
            peer: None,
            what: What::Decided(Decision::new(Verdict::Estate, what)),
        });
    }
}

/// Turns of the runtime after which every aborted task is gone.
const SETTLING: u32 = 4;
/// Events taken at one wake.
const BATCH: usize = 64;
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(20);
