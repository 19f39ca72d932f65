//! Security associations of a server: half-open ones, established ones, and how they are found.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homing_core::auth::ntlm::session::SessionKeys;
use homing_core::auth::security_association::{Association, OVERLAP, SignError};
use homing_core::ids::{Chance, FlowId, KeyedMap};
use homing_core::time::{Moment, Now};
use homing_wire::{AuthValue, Message};

use super::acceptor::Challenge as Token;
use super::offer::Spoken;
use crate::node::calendar::Calendar;
use crate::node::draws::Draws;
use crate::node::endpoint::Endpoint;

/// The name of an association inside a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

/// All associations of a node. Each belongs to one endpoint on one flow and ends with the flow.
pub struct Sessions {
    half_open: BTreeMap<SessionId, HalfOpen>,
    established: BTreeMap<SessionId, Session>,
    by_opaque: KeyedMap<String, SessionId>,
    by_endpoint: BTreeMap<Endpoint, SessionId>,
    by_flow: BTreeMap<FlowId, BTreeSet<SessionId>>,
    lapses: Calendar<SessionId>,
    named: u64,
}

/// A challenge that waits for its answer.
pub(super) struct HalfOpen {
    pub(super) opaque: String,
    pub(super) token: Token,
    pub(super) endpoint: Endpoint,
    pub(super) flow: FlowId,
    pub(super) spoken: Spoken,
}

/// An established association.
pub struct Session {
    /// Signs and verifies.
    pub association: Association,
    /// Its keys, for faults that need a second hand on them.
    pub keys: SessionKeys,
    /// Whose it is.
    pub endpoint: Endpoint,
    /// The flow it is bound to.
    pub flow: FlowId,
    opaque: String,
    ends: Moment,
}

impl Sessions {
    /// None yet.
    pub fn new(chance: &mut Chance) -> Self {
        Self {
            half_open: BTreeMap::new(),
            established: BTreeMap::new(),
            by_opaque: KeyedMap::new(chance),
            by_endpoint: BTreeMap::new(),
            by_flow: BTreeMap::new(),
            lapses: Calendar::new(),
            named: 0,
        }
    }

    /// An established association.
    pub fn find(&self, id: SessionId) -> Option<&Session> {
        self.established.get(&id)
    }

    /// An established association, to be changed.
    pub fn find_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.established.get_mut(&id)
    }

    /// The association that signs for an endpoint.
    pub fn of_endpoint(&self, endpoint: &Endpoint) -> Option<SessionId> {
        self.by_endpoint.get(endpoint).copied()
    }

    /// The newest association on a flow.
    pub fn on_flow(&self, flow: FlowId) -> Option<SessionId> {
        self.ids_of(flow).filter(|id| self.established.contains_key(id)).last()
    }

    /// How many are half open.
    pub fn half_open(&self) -> usize {
        self.half_open.len()
    }

    /// How many are established.
    pub fn len(&self) -> usize {
        self.established.len()
    }

    /// True without established ones.
    pub fn is_empty(&self) -> bool {
        self.established.is_empty()
    }

    /// The server's signature of `message`, for the headers of the caller's choice.
    ///
    /// # Errors
    /// [`SignError`]; none is found where the association has ended.
    pub fn sign(
        &mut self,
        id: SessionId,
        message: &Message,
        draws: &mut dyn Draws,
    ) -> Option<Result<AuthValue, SignError>> {
        let session = self.established.get_mut(&id)?;
        Some(session.association.server_signature(message, draws.salt()))
    }

    /// Keeps an association until `end` at least, but not beyond its own life.
    pub fn hold(&mut self, id: SessionId, end: Moment) {
        if let Some(session) = self.established.get(&id) {
            self.lapses.set(id, end.min(session.ends));
        }
    }

    /// Opens half an association; one that the same endpoint left half open on this flow is dropped.
    pub(super) fn open_half(
        &mut self,
        make: impl FnOnce(String) -> HalfOpen,
        life: Duration,
        draws: &mut dyn Draws,
        now: Now,
    ) -> &HalfOpen {
        let opaque = self.free_opaque(draws);
        let half = make(opaque.clone());
        let own = |(id, other): (&SessionId, &HalfOpen)| {
            (other.flow == half.flow && other.endpoint == half.endpoint).then_some(*id)
        };
        let earlier: Vec<SessionId> =
            self.ids_of(half.flow).filter_map(|id| self.half_open.get_key_value(&id).and_then(own)).collect();
        earlier.into_iter().for_each(|id| self.remove(id));
        self.named += 1;
        let id = SessionId(self.named);
        self.by_opaque.insert(opaque, id);
        self.by_flow.entry(half.flow).or_default().insert(id);
        self.lapses.set(id, now.after(life));
        self.half_open.entry(id).or_insert(half)
    }

    /// Takes out what is half open under `opaque`: a challenge is answered once.
    pub(super) fn take_half(&mut self, opaque: &str) -> Option<HalfOpen> {
        let id = *self.by_opaque.find(opaque)?;
        let half = self.half_open.remove(&id)?;
        self.remove(id);
        Some(half)
    }

    /// Books an association. The endpoint's former one verifies for another 64·T1 (settled 13).
    pub(super) fn establish(
        &mut self,
        half: HalfOpen,
        (association, keys): (Association, SessionKeys),
        life: Duration,
        now: Now,
    ) -> SessionId {
        self.named += 1;
        let (id, ends) = (SessionId(self.named), now.after(life));
        if let Some(former) = self.by_endpoint.insert(half.endpoint.clone(), id) {
            self.hold(former, now.after(OVERLAP));
        }
        self.by_opaque.insert(half.opaque.clone(), id);
        self.by_flow.entry(half.flow).or_default().insert(id);
        self.lapses.set(id, ends.min(now.after(IDLE)));
        let HalfOpen { opaque, endpoint, flow, .. } = half;
        self.established.insert(id, Session { association, keys, endpoint, flow, opaque, ends });
        id
    }

    /// The established association under `opaque`, if it is that endpoint's on that flow.
    pub(super) fn find_established(
        &mut self,
        opaque: &str,
        endpoint: &Endpoint,
        flow: FlowId,
    ) -> Option<(SessionId, &mut Session)> {
        let id = *self.by_opaque.find(opaque)?;
        let session = self.established.get_mut(&id)?;
        (session.endpoint == *endpoint && session.flow == flow).then_some((id, session))
    }

    /// Drops everything bound to a flow.
    pub(super) fn flow_gone(&mut self, flow: FlowId) {
        for id in self.by_flow.remove(&flow).into_iter().flatten() {
            self.remove(id);
        }
    }

    /// Drops what has lapsed.
    pub(super) fn handle_deadline(&mut self, now: Now) {
        while let Some(id) = self.lapses.due(now) {
            self.remove(id);
        }
    }

    /// When the next one lapses.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.lapses.next()
    }

    fn remove(&mut self, id: SessionId) {
        self.lapses.cancel(&id);
        let half = self.half_open.remove(&id).map(|half| (half.opaque, half.flow, half.endpoint));
        let whole = self.established.remove(&id).map(|held| (held.opaque, held.flow, held.endpoint));
        let Some((opaque, flow, endpoint)) = half.or(whole) else { return };
        if self.by_opaque.find(&opaque) == Some(&id) {
            self.by_opaque.remove(&opaque);
        }
        if self.by_endpoint.get(&endpoint) == Some(&id) {
            self.by_endpoint.remove(&endpoint);
        }
        if let Some(ids) = self.by_flow.get_mut(&flow) {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_flow.remove(&flow);
            }
        }
    }

    fn ids_of(&self, flow: FlowId) -> impl Iterator<Item = SessionId> + '_ {
        self.by_flow.get(&flow).into_iter().flatten().copied()
    }

    /// A name that no association has; the drawn one unless it is taken.
    fn free_opaque(&self, draws: &mut dyn Draws) -> String {
        let mut number = draws.opaque();
        loop {
            let opaque = format!("{number:08X}");
            if self.by_opaque.find(&opaque).is_none() {
                return opaque;
            }
            number = number.wrapping_add(1);
        }
    }
}

/// An association that nobody uses and no registration needs lives this long.
const IDLE: Duration = Duration::from_secs(15 * 60);
