//! One node on real sockets: a task that carries input in, output out, and wakes it in time.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
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
use crate::directory::{Changed, DirectoryHandle, Key, Lookup};
use crate::journal::{Decision, Entry, Journal, Verdict, What};
use crate::node::config::NodeConfig;
use crate::node::registrar::Binding;
use crate::node::{LookupId, Node, NodeCommand, NodeInput, NodeOutput};

/// What all stations of an estate share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) clock: Clock,
    pub(crate) directory: DirectoryHandle,
    pub(crate) journal: Journal,
    /// Bounds of the sockets.
    pub(crate) sockets: NetConfig,
    /// Addresses of the estate's hosts.
    pub(crate) hosts: Arc<BTreeMap<String, IpAddr>>,
}

/// What one station is made of.
pub(crate) struct Plan {
    pub(crate) config: NodeConfig,
    pub(crate) seed: Seed,
    pub(crate) tls: (TlsServer, TlsClient),
    /// Where it listens; ports are the real ones once it has listened.
    pub(crate) listens: Vec<(Transport, SocketAddr)>,
}

/// An order from a handle. The answer tells that it was carried out.
pub(crate) enum Order {
    Command(NodeCommand, SyncSender<()>),
    Bindings(SyncSender<Vec<(Binding, Duration)>>),
    Counters(SyncSender<(Counters, NetCounters)>),
    Stop(SyncSender<()>),
    Restart(SyncSender<io::Result<()>>),
}

/// The answer to a look-up, with the life of the node that asked.
type Answer = (u64, LookupId, Lookup);

/// Open sockets of a station.
pub(crate) struct Doors {
    sockets: Sockets,
    _listeners: Vec<Listener>,
}

/// A node that runs.
struct Running {
    node: Node,
    doors: Doors,
}

/// A station between two events.
pub(crate) struct Station {
    plan: Plan,
    around: Surroundings,
    orders: mpsc::UnboundedReceiver<Order>,
    answers: (mpsc::UnboundedSender<Answer>, mpsc::UnboundedReceiver<Answer>),
    /// Counts lives, so that an answer for a former life is not taken for one of this.
    life: u64,
}

impl Doors {
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

impl Station {
    /// A station that is ready to run, and the way to give it orders.
    pub(crate) fn new(plan: Plan, around: Surroundings) -> (Self, mpsc::UnboundedSender<Order>) {
        let (sender, orders) = mpsc::unbounded_channel();
        (Self { plan, around, orders, answers: mpsc::unbounded_channel(), life: 0 }, sender)
    }

    /// Runs until nobody holds its orders any more.
    pub(crate) async fn run(mut self, doors: Doors) {
        let mut doors = Some(doors);
        loop {
            if let Some(open) = doors.take() {
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
            doors = match self.wait_for_restart().await {
                Some(open) => open,
                None => return,
            };
        }
    }

    fn begin(&mut self, doors: Doors) -> Running {
        self.life += 1;
        let node = Node::new(self.plan.config.clone(), &self.plan.seed.stream("life", &[self.life]));
        if self.life > 1 {
            self.tell("started again, with nothing remembered");
        }
        Running { node, doors }
    }

    /// Lives until it is stopped or nobody is left to stop it.
    async fn live(&mut self, mut running: Running) -> Option<SyncSender<()>> {
        let mut events = Vec::new();
        let mut assignments = self.around.directory.watch();
        loop {
            let wake = running.node.deadline().map(|deadline| self.around.clock.instant(deadline.at));
            let sleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = running.doors.sockets.take(&mut events, BATCH) => {}
                order = self.orders.recv() => match order? {
                    Order::Stop(done) => return Some(done),
                    order => self.obey(&mut running, order),
                },
                Some((life, id, found)) = self.answers.1.recv() => {
                    if life == self.life {
                        running.node.handle_answer(id, found, self.around.clock.now());
                    }
                }
                Some(changed) = assignments.next() => self.reconsider(&mut running.node, &changed),
                () = sleep => running.node.handle_input(NodeInput::DeadlineReached, self.around.clock.now()),
            }
            for event in events.drain(..) {
                running.node.handle_input(NodeInput::Flow(event), self.around.clock.now());
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
                let service = &self.plan.config.signpost.service;
                node.registrar().iter().map(|binding| Key::new(&binding.endpoint.user, service)).collect()
            }
        };
        for Key { user, service } in keys {
            node.handle_command(NodeCommand::AssignmentChanged { user, service }, self.around.clock.now());
        }
    }

    fn obey(&self, running: &mut Running, order: Order) {
        // Whoever gave up waiting needs no answer.
        match order {
            Order::Command(command, done) => {
                running.node.handle_command(command, self.around.clock.now());
                let _ = done.send(());
            }
            Order::Bindings(answer) => {
                let now = self.around.clock.now();
                let held = running.node.registrar().iter();
                let held = held.map(|binding| (binding.clone(), binding.expires.since(now.since_start)));
                let _ = answer.send(held.collect());
            }
            Order::Counters(answer) => {
                let counted = (running.node.counters().clone(), running.doors.sockets.counters());
                let _ = answer.send(counted);
            }
            Order::Stop(done) => drop(done.send(())),
            Order::Restart(done) => drop(done.send(Ok(()))),
        }
    }

    async fn wait_for_restart(&mut self) -> Option<Option<Doors>> {
        let nobody = Vec::new;
        match self.orders.recv().await? {
            Order::Command(_, done) | Order::Stop(done) => drop(done.send(())),
            Order::Bindings(answer) => drop(answer.send(nobody())),
            Order::Counters(answer) => drop(answer.send(Default::default())),
            Order::Restart(done) => match self.open_again().await {
                Ok(doors) => {
                    let _ = done.send(Ok(()));
                    return Some(Some(doors));
                }
                Err(error) => drop(done.send(Err(error))),
            },
        }
        Some(None)
    }

    /// Listens where it listened before; the system may need a moment to free the ports.
    async fn open_again(&mut self) -> io::Result<Doors> {
        let mut tries = 0;
        loop {
            match Doors::open(&mut self.plan.listens, &self.plan.tls.0, &self.around.sockets) {
                Ok(doors) => return Ok(doors),
                Err((_, error)) if tries == TRIES => return Err(error),
                Err(_) => {
                    tries += 1;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn drain(&self, running: &mut Running) {
        let Running { node, doors: Doors { sockets, .. } } = running;
        while let Some(output) = node.poll_output() {
            match output {
                NodeOutput::Send { flow, bytes } => sockets.send(flow, bytes),
                NodeOutput::Close { flow } => sockets.close(flow),
                NodeOutput::Cut { flow } => sockets.cut(flow),
                NodeOutput::Journal(entry) => self.around.journal.record(entry),
                NodeOutput::LookUp { id, user, service } => {
                    let now = self.around.clock.now();
                    let key = Key::new(&user, &service);
                    match self.around.directory.find_now(&key, now.wall) {
                        Some(found) => node.handle_answer(id, found, now),
                        None => self.look_up_later(id, key),
                    }
                }
                NodeOutput::Connect { flow, server, transport } => {
                    match self.around.hosts.get(&server.host) {
                        Some(ip) => {
                            let address = SocketAddr::new(*ip, server.port);
                            let identity = Expected::host(&server.host);
                            sockets.connect(Dial { flow, address, transport, identity }, &self.plan.tls.1);
                        }
                        None => {
                            let why = ConnectError::NoAddress(DnsError::NoRecord);
                            let failed = NodeInput::Flow(FlowEvent::ConnectFailed { flow, why });
                            node.handle_input(failed, self.around.clock.now());
                        }
                    }
                }
            }
        }
    }

    fn look_up_later(&self, id: LookupId, key: Key) {
        let (directory, answers, life) = (self.around.directory.clone(), self.answers.0.clone(), self.life);
        let wall = self.around.clock.now().wall;
        tokio::spawn(async move {
            let found = directory.find(key, wall).await;
            let _ = answers.send((life, id, found));
        });
    }

    fn tell(&self, what: &'static str) {
        self.around.journal.record(Entry {
            seq: 0,
            at: self.around.clock.now().since_start.0,
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
