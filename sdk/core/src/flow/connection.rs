//! One flow: where it leads, how it stands, who uses it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use super::keeper::Keeper;
use super::pong_debt::PongDebt;
use crate::connect::TlsProof;
use crate::identity::Expected;
use crate::locate::Target;
use crate::time::{Deadline, Moment, Now, Why};
use crate::transport::Transport;

/// A connection or UDP association to one destination, open or being opened, and its users.
#[derive(Debug)]
pub struct Flow<U> {
    pub(super) destination: Destination,
    pub(super) state: FlowState,
    pub(super) users: BTreeSet<U>,
    pub(super) keeper: Keeper,
    pub(super) debt: PongDebt,
    /// When the peer last said anything.
    pub(super) heard: Option<Moment>,
    pub(super) due: Option<Moment>,
}

/// Where a flow leads and whom it must prove to reach: what two users must agree on to share one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Destination {
    /// The peer's IP address and port.
    pub address: SocketAddr,
    /// Only over TLS is `expected` verified.
    pub transport: Transport,
    /// Whom the certificate must name.
    pub expected: Expected,
}

/// Where a flow stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowState {
    /// Being opened.
    Connecting {
        /// When that has taken too long.
        until: Moment,
    },
    /// Open to everyone who wants its destination.
    Open(Opened),
    /// Opened by its peer. While nobody uses it, it closes at that moment.
    Accepted(Opened, Moment),
}

/// What is true of an open flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Our end, as it stands in Via and Contact.
    pub local: SocketAddr,
    /// The other end.
    pub peer: SocketAddr,
    /// What TLS proved; none without TLS.
    pub proof: Option<Arc<TlsProof>>,
    /// When the connection, and over TLS its handshake, was complete.
    pub since: Moment,
}

impl Opened {
    /// A flow that opened at `now`.
    pub fn new(local: SocketAddr, peer: SocketAddr, proof: Option<TlsProof>, now: Now) -> Self {
        Self { local, peer, proof: proof.map(Arc::new), since: now.since_start }
    }
}

impl Destination {
    /// The destination of a search's target.
    pub fn of(target: &Target) -> Self {
        Self { address: target.addr, transport: target.transport, expected: target.expected.clone() }
    }
}

impl<U: Copy + Ord> Flow<U> {
    /// Where it leads.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Where it stands.
    pub fn state(&self) -> &FlowState {
        &self.state
    }

    /// What is true of it while it is open.
    pub fn opened(&self) -> Option<&Opened> {
        match &self.state {
            FlowState::Open(opened) | FlowState::Accepted(opened, _) => Some(opened),
            FlowState::Connecting { .. } => None,
        }
    }

    /// True if its peer opened it and nobody used it for too long.
    pub(super) fn is_idle(&self, now: Now) -> bool {
        matches!(self.state, FlowState::Accepted(_, until) if self.users.is_empty() && now.reached(until))
    }

    /// True if its peer opened it.
    pub fn is_accepted(&self) -> bool {
        matches!(self.state, FlowState::Accepted(..))
    }

    /// Who uses it.
    pub fn users(&self) -> impl Iterator<Item = U> + '_ {
        self.users.iter().copied()
    }

    /// True if `user` uses it.
    pub fn is_used_by(&self, user: U) -> bool {
        self.users.contains(&user)
    }

    fn kept(&self) -> Option<Deadline> {
        Deadline::earlier(self.keeper.deadline(), self.debt.deadline())
    }

    pub(super) fn deadline(&self) -> Option<Deadline> {
        match &self.state {
            FlowState::Connecting { until } => Some(Deadline::new(*until, Why::ConnectOverdue)),
            FlowState::Open(_) => self.kept(),
            FlowState::Accepted(_, until) if self.users.is_empty() => {
                Deadline::earlier(Some(Deadline::new(*until, Why::IdleFlow)), self.kept())
            }
            FlowState::Accepted(..) => self.kept(),
        }
    }
}
