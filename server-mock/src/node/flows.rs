//! The flows of a node: who is at the other end, what was agreed there, and which lead to other servers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::{Deadline, Moment, Now, Why};
use homing_core::transport::Transport;

use super::calendar::Calendar;
use super::gate::Spoken;

/// An open flow.
#[derive(Debug)]
pub struct Flow {
    /// Its name.
    pub id: FlowId,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub peer: SocketAddr,
    /// The transport.
    pub transport: Transport,
    /// Fully qualified name of the server of the estate that proved to be at the other end.
    pub trusted: Option<String>,
    /// How the client at the other end likes to be spoken to.
    pub spoken: Option<Spoken>,
    /// Wrong credentials so far.
    pub attempts: u8,
    /// Whether keep-alives are answered, and how long silence is tolerated.
    pub keeping: Keeping,
    /// True once somebody proved who they are on it.
    pub authenticated: bool,
    heard: Moment,
}

/// What was agreed about keep-alives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeping {
    /// The client signalled `outbound` or `keep` and waits for pongs.
    pub pongs: bool,
    /// Silence after which the flow is closed; none where nothing was agreed.
    pub silence: Option<Duration>,
}

/// A flow this node asked for that is not open yet.
#[derive(Debug)]
pub struct Dialling {
    /// Whom it leads to.
    pub server: ServerName,
    /// By which transport.
    pub transport: Transport,
    /// What is to be sent once it is open.
    pub waiting: Vec<Bytes>,
}

/// All flows of a node.
#[derive(Debug, Default)]
pub struct Flows {
    open: BTreeMap<FlowId, Flow>,
    dialling: BTreeMap<FlowId, Dialling>,
    links: BTreeMap<ServerName, FlowId>,
    alarms: Calendar<FlowId>,
    named: u64,
}

impl Flows {
    /// Books a flow that a peer opened.
    pub fn accept(&mut self, flow: Flow, unauthenticated: Duration, now: Now) {
        if flow.transport.is_reliable() && flow.trusted.is_none() {
            self.alarms.set(flow.id, now.after(unauthenticated));
        }
        self.open.insert(flow.id, flow);
    }

    /// The flow to `server`, and whether it has to be opened first.
    pub fn link(&mut self, server: &ServerName, transport: Transport) -> (FlowId, bool) {
        if let Some(flow) = self.links.get(server) {
            return (*flow, false);
        }
        self.named += 1;
        let flow = FlowId(self.named);
        let dialling = Dialling { server: server.clone(), transport, waiting: Vec::new() };
        self.dialling.insert(flow, dialling);
        self.links.insert(server.clone(), flow);
        (flow, true)
    }

    /// Books that a dialled flow is open; gives what waited for it.
    pub fn connected(&mut self, id: FlowId, local: SocketAddr, peer: SocketAddr, now: Now) -> Vec<Bytes> {
        let Some(dialling) = self.dialling.remove(&id) else { return Vec::new() };
        let mut flow = Flow::new(id, local, peer, dialling.transport, now);
        flow.trusted = dialling.transport.is_secure().then_some(dialling.server.host);
        flow.authenticated = true;
        self.open.insert(id, flow);
        dialling.waiting
    }

    /// Keeps bytes for a flow that is being dialled; gives them back if it is not.
    pub fn wait(&mut self, id: FlowId, bytes: Bytes) -> Option<Bytes> {
        match self.dialling.get_mut(&id) {
            Some(dialling) => {
                dialling.waiting.push(bytes);
                None
            }
            None => Some(bytes),
        }
    }

    /// Forgets a flow. True if it was there.
    pub fn remove(&mut self, id: FlowId) -> bool {
        self.alarms.cancel(&id);
        self.links.retain(|_, flow| *flow != id);
        let dialled = self.dialling.remove(&id).is_some();
        self.open.remove(&id).is_some() || dialled
    }

    /// An open flow.
    pub fn find(&self, id: FlowId) -> Option<&Flow> {
        self.open.get(&id)
    }

    /// An open flow, to be changed.
    pub fn find_mut(&mut self, id: FlowId) -> Option<&mut Flow> {
        self.open.get_mut(&id)
    }

    /// The transport of a flow, open or being dialled.
    pub fn transport(&self, id: FlowId) -> Option<Transport> {
        let open = self.open.get(&id).map(|flow| flow.transport);
        open.or_else(|| self.dialling.get(&id).map(|dialling| dialling.transport))
    }

    /// Notes that something was heard.
    pub fn hear(&mut self, id: FlowId, now: Now) {
        if let Some(flow) = self.open.get_mut(&id) {
            flow.heard = now.since_start;
        }
    }

    /// Somebody authenticated on this flow: it may stay as long as it is kept alive.
    pub fn authenticated(&mut self, id: FlowId, now: Now) {
        if let Some(flow) = self.open.get_mut(&id) {
            flow.authenticated = true;
            match flow.keeping.silence {
                Some(silence) => self.alarms.set(id, now.after(silence)),
                None => self.alarms.cancel(&id),
            }
        }
    }

    /// Agrees on keep-alives.
    pub fn keep(&mut self, id: FlowId, keeping: Keeping, now: Now) {
        if let Some(flow) = self.open.get_mut(&id) {
            flow.keeping = keeping;
            if let Some(silence) = keeping.silence.filter(|_| flow.transport.is_reliable()) {
                self.alarms.set(id, now.after(silence));
            }
        }
    }

    /// One flow that has been silent, or unauthenticated, for too long, with the reason.
    pub fn overdue(&mut self, now: Now) -> Option<(FlowId, &'static str)> {
        while let Some(id) = self.alarms.due(now) {
            let Some(flow) = self.open.get(&id) else { continue };
            if !flow.authenticated {
                return Some((id, "nobody authenticated in time"));
            }
            let Some(silence) = flow.keeping.silence else { continue };
            let until = Moment(flow.heard.0.saturating_add(silence));
            if now.reached(until) {
                return Some((id, "silent for longer than the keep-alive allows"));
            }
            self.alarms.set(id, until);
        }
        None
    }

    /// When a flow is to be looked at next.
    pub fn deadline(&self) -> Option<Deadline> {
        self.alarms.next().map(|at| Deadline::new(at, Why::IdleFlow))
    }
}

impl Flow {
    /// A flow with nothing agreed yet.
    pub fn new(id: FlowId, local: SocketAddr, peer: SocketAddr, transport: Transport, now: Now) -> Self {
        Self {
            id,
            local,
            peer,
            transport,
            trusted: None,
            spoken: None,
            attempts: 0,
            keeping: Keeping::default(),
            authenticated: false,
            heard: now.since_start,
        }
    }
}
