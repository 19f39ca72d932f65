//! Security associations of a server: half-open ones, established ones, and how they are found.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use homing_core::auth::ntlm::session::SessionKeys;
use homing_core::auth::security_association::{Association, OVERLAP, SignError};
use homing_core::ids::{FlowId, KeyedMap, Rng};
use homing_core::time::{Deadline, Moment, Now, Why};
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
    /// A registration needs it until then.
    needed: Moment,
    /// Nobody uses it after that.
    idle: Moment,
    standing: Standing,
}

/// What an established association stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing: From claims an endpoint of somebody else. It signs the refusal.
    Foreign,
    /// Its first signed final answer is still to come; until then its predecessor speaks for the endpoint.
    Fresh,
    /// The endpoint: whatever the server sends there is signed with it.
    Current,
    /// Requests that were signed before its successor was there.
    Former,
}

/// Who proved to be themselves, and what that is worth.
#[derive(Clone, Copy)]
pub(super) struct Proven<'a> {
    /// The address of the account whose password was known.
    pub(super) user: &'a str,
    /// Life of the association.
    pub(super) life: Duration,
    /// Associations that may be held on the flow.
    pub(super) most: usize,
}

impl Sessions {
    /// None yet.
    pub fn new(rng: &mut Rng) -> Self {
        Self {
            half_open: BTreeMap::new(),
            established: BTreeMap::new(),
            by_opaque: KeyedMap::new(rng),
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

    /// The newest association on a flow that signs for its endpoint.
    pub fn on_flow(&self, flow: FlowId) -> Option<SessionId> {
        let current =
            |id: &SessionId| self.established.get(id).is_some_and(|held| held.standing == Standing::Current);
        self.ids_of(flow).filter(current).last()
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
        if let Some(session) = self.established.get_mut(&id) {
            session.needed = end;
            session.lapses_at().into_iter().for_each(|at| self.lapses.set(id, at));
        }
    }

    /// A request under an association was good: it is not idle.
    pub(super) fn used(&mut self, id: SessionId, now: Now) {
        if let Some(session) = self.established.get_mut(&id) {
            session.idle = now.after(IDLE);
            session.lapses_at().into_iter().for_each(|at| self.lapses.set(id, at));
        }
    }

    /// A final answer was signed with an association: from now on it signs for its endpoint, and the former
    /// one verifies for another 64·T1 (decision 13).
    pub fn turn(&mut self, id: SessionId, now: Now) {
        let Some(session) = self.established.get_mut(&id) else { return };
        if session.standing != Standing::Fresh {
            return;
        }
        session.standing = Standing::Current;
        let endpoint = session.endpoint.clone();
        let (older, newer) = match self.by_endpoint.get(&endpoint) {
            Some(current) if *current > id => (Some(id), *current),
            current => (current.copied(), id),
        };
        self.by_endpoint.insert(endpoint, newer);
        if let Some((older, session)) = older.and_then(|id| Some((id, self.established.get_mut(&id)?))) {
            session.standing = Standing::Former;
            self.lapses.set(older, session.ends.min(now.after(OVERLAP)));
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

    /// Takes out what that endpoint left half open on that flow under `opaque`: a challenge is answered
    /// once, and only by whom it was given to. Nobody else who knows the opaque ends it.
    pub(super) fn take_half(&mut self, opaque: &str, endpoint: &Endpoint, flow: FlowId) -> Option<HalfOpen> {
        let id = *self.by_opaque.find(opaque)?;
        let half = self.half_open.get(&id)?;
        if half.endpoint != *endpoint || half.flow != flow {
            return None;
        }
        self.remove_half(id)
    }

    /// Books an association of who proved to be `user`. The endpoint's former one signs until the new one has
    /// signed a final answer; see [`turn`](Self::turn).
    ///
    /// From may claim an endpoint of somebody else. Such an association signs the refusal and nothing
    /// more: no request finds it, it stands for no endpoint and ends nobody's association.
    pub(super) fn establish(
        &mut self,
        half: HalfOpen,
        (association, keys): (Association, SessionKeys),
        proven: Proven<'_>,
        now: Now,
    ) -> SessionId {
        self.named += 1;
        let (id, ends) = (SessionId(self.named), now.after(proven.life));
        let own = half.endpoint.user == proven.user;
        if own {
            self.by_opaque.insert(half.opaque.clone(), id);
        }
        self.by_flow.entry(half.flow).or_default().insert(id);
        let (standing, idle) =
            if own { (Standing::Fresh, now.after(IDLE)) } else { (Standing::Foreign, now.after(OVERLAP)) };
        self.lapses.set(id, ends.min(idle));
        let HalfOpen { opaque, endpoint, flow, .. } = half;
        let needed = now.since_start;
        let session = Session { association, keys, endpoint, flow, opaque, ends, needed, idle, standing };
        self.established.insert(id, session);
        self.drop_oldest(flow, proven.most);
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

    /// Entries in every table: half open, established, by opaque, by endpoint, by flow, lapses.
    #[cfg(test)]
    pub(in crate::node) fn entries(&self) -> [usize; 6] {
        let flows = self.by_flow.values().map(BTreeSet::len).sum();
        let (half_open, whole) = (self.half_open.len(), self.established.len());
        [half_open, whole, self.by_opaque.len(), self.by_endpoint.len(), flows, self.lapses.len()]
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

    /// When the next one lapses, half open or established.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        let (at, id) = self.lapses.first()?;
        let half = self.half_open.contains_key(id);
        Some(Deadline::new(at, if half { Why::ChallengeLapse } else { Why::AssociationLapse }))
    }

    /// A client chooses its devices as it likes; what it may hold on one flow is bounded.
    fn drop_oldest(&mut self, flow: FlowId, most: usize) {
        if self.by_flow.get(&flow).is_none_or(|ids| ids.len() <= most) {
            return;
        }
        let held: Vec<SessionId> = self.ids_of(flow).filter(|id| self.established.contains_key(id)).collect();
        let over = held.len().saturating_sub(most.max(1));
        held.into_iter().take(over).for_each(|id| self.remove(id));
    }

    fn remove(&mut self, id: SessionId) {
        self.remove_half(id);
        self.lapses.cancel(&id);
        let Some(held) = self.established.remove(&id) else { return };
        if self.by_endpoint.get(&held.endpoint) == Some(&id) {
            self.by_endpoint.remove(&held.endpoint);
        }
        self.unlist(id, &held.opaque, held.flow);
    }

    fn remove_half(&mut self, id: SessionId) -> Option<HalfOpen> {
        let half = self.half_open.remove(&id)?;
        self.lapses.cancel(&id);
        self.unlist(id, &half.opaque, half.flow);
        Some(half)
    }

    fn unlist(&mut self, id: SessionId, opaque: &String, flow: FlowId) {
        if self.by_opaque.find(opaque) == Some(&id) {
            self.by_opaque.remove(opaque);
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

impl Session {
    /// When it ends; none where that is settled and nothing moves it any more.
    fn lapses_at(&self) -> Option<Moment> {
        let lasting = matches!(self.standing, Standing::Fresh | Standing::Current);
        lasting.then(|| self.needed.max(self.idle).min(self.ends))
    }
}

/// An association that nobody uses and no registration needs lives this long.
const IDLE: Duration = Duration::from_secs(15 * 60);
