//! The flows of a node: who is at the other end, what was agreed there, and which lead to other servers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use homing_core::ids::FlowId;
use homing_core::server::ServerName;
use homing_core::time::{Deadline, Moment, Now, Why};
use homing_core::transport::Transport;

use super::authenticator::DialectInUse;
use super::timer_map::TimerMap;

/// An open flow.
#[derive(Debug)]
pub struct Flow {
    /// Its name.
    pub id: FlowId,
    /// Our end.
    pub local: SocketAddr,
    /// The other end.
    pub peer: SocketAddr,
    /// Of both directions.
    pub transport: Transport,
    /// Fully qualified name of the server of the estate that proved to be at the other end.
    pub trusted: Option<String>,
    /// How the client at the other end likes to be spoken to.
    pub dialect_in_use: Option<DialectInUse>,
    /// Wrong credentials so far.
    pub attempts: u8,
    /// Whether keep-alives are answered, and how long silence is tolerated.
    pub keep_alive: KeepAliveTerms,
    /// True once a client authenticated on it.
    pub authenticated: bool,
    heard: Moment,
    /// Octets received and sent, until a client authenticated.
    octets: (usize, usize),
}

/// What was agreed about keep-alives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeepAliveTerms {
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

/// What becomes of bytes for a flow that may not be open yet.
#[derive(Debug, PartialEq, Eq)]
pub enum Wait {
    /// It is, or there is none: they are to be sent.
    Open(Bytes),
    /// They are sent once it is open.
    Kept,
    /// Too much waits already; they are lost, as on a link that is too slow.
    Full,
}

/// What became of a peer by datagrams that proved who it is.
pub struct Hold {
    /// Of the peer.
    pub state: HoldState,
    /// Peers that nothing needs any more.
    pub let_go: Vec<FlowId>,
}

/// Whether a peer is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldState {
    /// It was before.
    Known,
    /// From now on.
    New,
    /// There are too many.
    Full,
}

/// All flows of a node.
#[derive(Debug, Default)]
pub struct Flows {
    open: BTreeMap<FlowId, Flow>,
    dialling: BTreeMap<FlowId, Dialling>,
    links: BTreeMap<ServerName, FlowId>,
    alarms: TimerMap<FlowId>,
    /// Peers by datagrams that proved who they are: strangers do not displace them.
    held: BTreeSet<FlowId>,
    /// When it was last found out who of them is still needed.
    reviewed: Option<Moment>,
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

    /// Keeps bytes for a flow that is being dialled, as long as there is room.
    pub fn wait(&mut self, id: FlowId, bytes: Bytes) -> Wait {
        let Some(dialling) = self.dialling.get_mut(&id) else { return Wait::Open(bytes) };
        let held: usize = dialling.waiting.iter().map(Bytes::len).sum();
        if dialling.waiting.len() >= MOST_WAITING || held.saturating_add(bytes.len()) > MOST_WAITING_OCTETS {
            return Wait::Full;
        }
        dialling.waiting.push(bytes);
        Wait::Kept
    }

    /// Forgets a flow. True if it was there.
    pub fn remove(&mut self, id: FlowId) -> bool {
        self.alarms.cancel(&id);
        self.held.remove(&id);
        self.links.retain(|_, flow| *flow != id);
        let dialled = self.dialling.remove(&id).is_some();
        self.open.remove(&id).is_some() || dialled
    }

    /// Holds the entry of a peer by datagrams. Where there are `most`, `needed` says, at most once a second, who must
    /// stay: the others are let go, and are to be closed.
    pub fn hold(&mut self, id: FlowId, most: usize, needed: impl Fn(FlowId) -> bool, now: Now) -> Hold {
        if self.held.contains(&id) {
            return Hold { state: HoldState::Known, let_go: Vec::new() };
        }
        let mut let_go = Vec::new();
        let due = self.reviewed.is_none_or(|last| now.since_start.since(last) >= REVIEW);
        if self.held.len() >= most && due {
            self.reviewed = Some(now.since_start);
            let_go = self.held.extract_if(.., |held| !needed(*held)).collect();
        }
        let has_room = self.held.len() < most;
        let state = if has_room && self.held.insert(id) { HoldState::New } else { HoldState::Full };
        Hold { state, let_go }
    }

    /// Books octets that came.
    pub fn received(&mut self, id: FlowId, octets: usize) {
        if let Some(flow) = self.open.get_mut(&id) {
            flow.octets.0 = flow.octets.0.saturating_add(octets);
        }
    }

    /// How much may be sent to a stranger whose address nobody proved, at `times` what came; none where nothing bounds
    /// it.
    pub fn allowance(&self, id: FlowId, times: usize) -> Option<usize> {
        let flow = self.open.get(&id).filter(|flow| !flow.transport.is_reliable() && !flow.authenticated)?;
        let (received, sent) = flow.octets;
        Some(received.saturating_mul(times).saturating_sub(sent))
    }

    /// Books octets that are sent; false where a stranger would get more than it may.
    pub fn admit(&mut self, id: FlowId, octets: usize, times: usize) -> bool {
        if self.allowance(id, times).is_some_and(|allowance| octets > allowance) {
            return false;
        }
        if let Some(flow) = self.open.get_mut(&id) {
            flow.octets.1 = flow.octets.1.saturating_add(octets);
        }
        true
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

    /// A client authenticated on this flow: it may stay as long as it is kept alive.
    pub fn authenticated(&mut self, id: FlowId, now: Now) {
        if let Some(flow) = self.open.get_mut(&id) {
            flow.authenticated = true;
            match flow.keep_alive.silence {
                Some(silence) => self.alarms.set(id, now.after(silence)),
                None => self.alarms.cancel(&id),
            }
        }
    }

    /// Agrees on keep-alives.
    pub fn keep(&mut self, id: FlowId, keep_alive: KeepAliveTerms, now: Now) {
        if let Some(flow) = self.open.get_mut(&id) {
            flow.keep_alive = keep_alive;
            if let Some(silence) = keep_alive.silence.filter(|_| flow.transport.is_reliable()) {
                self.alarms.set(id, now.after(silence));
            }
        }
    }

    /// One flow that has been silent, or unauthenticated, for too long, with the reason.
    pub fn overdue(&mut self, now: Now) -> Option<(FlowId, &'static str)> {
        while let Some(id) = self.alarms.due(now) {
            let Some(flow) = self.open.get(&id) else { continue };
            if !flow.authenticated {
                return Some((id, "no client authenticated in time"));
            }
            let Some(silence) = flow.keep_alive.silence else { continue };
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
            dialect_in_use: None,
            attempts: 0,
            keep_alive: KeepAliveTerms::default(),
            authenticated: false,
            heard: now.since_start,
            octets: (0, 0),
        }
    }
}

/// Messages that wait for one connection.
const MOST_WAITING: usize = 1_000;
/// A link this slow loses what comes after.
const MOST_WAITING_OCTETS: usize = 4 * 1024 * 1024;
/// How often it is found out which peers by datagrams are still needed.
const REVIEW: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_a_server_that_is_dialled_is_bounded() {
        let mut flows = Flows::default();
        let server = ServerName::new("hs104.network.com", 5061);
        let (id, fresh) = flows.link(&server, Transport::Tls);
        assert!(fresh);
        for _ in 0..MOST_WAITING {
            assert_eq!(flows.wait(id, Bytes::from_static(b"ACK")), Wait::Kept);
        }
        assert_eq!(flows.wait(id, Bytes::from_static(b"ACK")), Wait::Full);
        let addr = SocketAddr::from(([127, 0, 0, 1], 5061));
        let now = Now::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(flows.connected(id, addr, addr, now).len(), MOST_WAITING);
        let sent = Bytes::from_static(b"ACK");
        assert_eq!(flows.wait(id, sent.clone()), Wait::Open(sent), "it is open");
        let (large, _) = flows.link(&ServerName::new("hs104.network.com", 5062), Transport::Tls);
        let half = Bytes::from(vec![0; MOST_WAITING_OCTETS / 2 + 1]);
        assert_eq!(flows.wait(large, half.clone()), Wait::Kept);
        assert_eq!(flows.wait(large, half), Wait::Full);
    }
}
