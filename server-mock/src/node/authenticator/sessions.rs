//! Security associations of a server: half-open ones, established ones, and how they are found.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use homing_core::auth::ntlm::session::SessionKeys;
use homing_core::auth::security_association::{Association, OVERLAP, SignError};
use homing_core::ids::{FlowId, KeyedMap, Rng};
use homing_core::time::{Deadline, Moment, Now, Why};
use homing_wire::{AuthValue, Message};

use super::acceptor::Challenge as Token;
use super::dialect::DialectInUse;
use crate::node::endpoint::Endpoint;
use crate::node::limits::Limits;
use crate::node::random::Random;
use crate::node::timer_map::TimerMap;

/// The name of an association inside a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(u64);

/// All associations of a node. Each belongs to one endpoint on one flow and ends with the flow.
pub struct Sessions {
    half_open: BTreeMap<SessionId, HalfOpen>,
    established: BTreeMap<SessionId, Session>,
    by_opaque: KeyedMap<String, SessionId>,
    by_endpoint: BTreeMap<Endpoint, SessionId>,
    /// Established ones, by the flow they are bound to.
    by_flow: BTreeMap<FlowId, BTreeSet<SessionId>>,
    /// Half-open ones, by what each is counted against; ids grow, so that the oldest of each comes first.
    half_by_flow: BTreeMap<FlowId, BTreeSet<SessionId>>,
    half_by_source: BTreeMap<IpAddr, BTreeSet<SessionId>>,
    half_by_endpoint: BTreeMap<(FlowId, Endpoint), SessionId>,
    lapses: TimerMap<SessionId>,
    evicted: Evicted,
    named: u64,
}

/// What had to go for others of its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evicted {
    /// Unanswered challenges.
    pub half_open: u64,
    /// Associations.
    pub established: u64,
}

/// A challenge that waits for its answer.
pub(super) struct HalfOpen {
    pub(super) opaque: String,
    pub(super) token: Token,
    pub(super) endpoint: Endpoint,
    pub(super) flow: FlowId,
    /// The network it is counted against; none behind a configured server, where each endpoint has one.
    pub(super) source: Option<IpAddr>,
    pub(super) dialect_in_use: DialectInUse,
}

/// An established association.
pub struct Session {
    /// Signs and verifies.
    pub association: Association,
    /// Its keys, for faults that need a second hand on them.
    pub keys: SessionKeys,
    /// For whom it speaks.
    pub endpoint: Endpoint,
    /// The flow it is bound to.
    pub flow: FlowId,
    opaque: String,
    ends: Moment,
    /// A registration needs it until then.
    needed: Moment,
    /// A dialog needs it until then.
    in_dialog: Moment,
    /// Without use it ends then.
    idle: Moment,
    standing: Standing,
}

/// What an established association stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nothing: From claims another user's endpoint. It signs the refusal.
    Foreign,
    /// Its first signed final answer is still to come; until then its predecessor speaks for the endpoint.
    Fresh,
    /// The endpoint: whatever the server sends there is signed with it.
    Current,
    /// Requests that were signed before its successor was there.
    Former,
}

/// An association that was just proved, and what it is worth.
pub(super) struct NewAssociation<'a> {
    pub(super) association: Association,
    pub(super) keys: SessionKeys,
    /// The address of the account whose password was known.
    pub(super) user: &'a str,
    /// How long it may be used.
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
            half_by_flow: BTreeMap::new(),
            half_by_source: BTreeMap::new(),
            half_by_endpoint: BTreeMap::new(),
            lapses: TimerMap::new(),
            evicted: Evicted::default(),
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
        self.by_flow.get(&flow).into_iter().flatten().copied().rfind(current)
    }

    /// How many are half open.
    pub fn half_open(&self) -> usize {
        self.half_open.len()
    }

    /// What had to go for others since the last call.
    pub fn take_evicted(&mut self) -> Evicted {
        std::mem::take(&mut self.evicted)
    }

    /// True if an association is bound to `flow`.
    pub fn holds(&self, flow: FlowId) -> bool {
        self.by_flow.contains_key(&flow)
    }

    /// Whose associations are established.
    pub(crate) fn users(&self) -> impl Iterator<Item = &String> {
        self.established.values().map(|session| &session.endpoint.user)
    }

    /// Ends every association of a user.
    pub(crate) fn end_user(&mut self, user: &str) {
        let of_user = self.established.iter().filter(|(_, session)| session.endpoint.user == user);
        let ids: Vec<SessionId> = of_user.map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| self.remove(id));
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
        random: &mut dyn Random,
    ) -> Option<Result<AuthValue, SignError>> {
        let session = self.established.get_mut(&id)?;
        Some(session.association.server_signature(message, random.salt()))
    }

    /// Keeps an association until `end` at least, but not beyond its own life.
    pub fn hold(&mut self, id: SessionId, end: Moment) {
        if let Some(session) = self.established.get_mut(&id) {
            session.needed = end;
            session.lapses_at().into_iter().for_each(|at| self.lapses.set(id, at));
        }
    }

    /// Keeps the association of an endpoint as long as its last dialog may last, but not beyond its own life; without a
    /// dialog as long as it would last anyway.
    pub fn keep_for_dialogs(&mut self, endpoint: &Endpoint, until: Option<Moment>, now: Now) {
        let Some(id) = self.of_endpoint(endpoint) else { return };
        if let Some(session) = self.established.get_mut(&id) {
            session.in_dialog = until.unwrap_or(now.since_start);
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
        let in_dialog =
            self.by_endpoint.get(&endpoint).and_then(|id| Some(self.established.get(id)?.in_dialog));
        let (older, newer) = match self.by_endpoint.get(&endpoint) {
            Some(current) if *current > id => (Some(id), *current),
            current => (current.copied(), id),
        };
        self.by_endpoint.insert(endpoint, newer);
        if let Some((in_dialog, session)) = in_dialog.zip(self.established.get_mut(&newer)) {
            session.in_dialog = session.in_dialog.max(in_dialog);
            session.lapses_at().into_iter().for_each(|at| self.lapses.set(newer, at));
        }
        if let Some((older, session)) = older.and_then(|id| Some((id, self.established.get_mut(&id)?))) {
            session.standing = Standing::Former;
            self.lapses.set(older, session.ends.min(now.after(OVERLAP)));
        }
    }

    /// Opens half an association; one that the same endpoint left half open on this flow is dropped. Over a limit the
    /// oldest goes of those that are counted against the same.
    pub(super) fn open_half(
        &mut self,
        make: impl FnOnce(String) -> HalfOpen,
        limits: &Limits,
        random: &mut dyn Random,
        now: Now,
    ) -> &HalfOpen {
        let opaque = self.free_opaque(random);
        let half = make(opaque.clone());
        self.named += 1;
        let id = SessionId(self.named);
        let place = (half.flow, half.endpoint.clone());
        if let Some(earlier) = self.half_by_endpoint.get(&place).copied() {
            self.remove_half(earlier);
        }
        self.make_room(&half, limits);
        self.half_by_endpoint.insert(place, id);
        self.half_by_flow.entry(half.flow).or_default().insert(id);
        if let Some(source) = half.source {
            self.half_by_source.entry(source).or_default().insert(id);
        }
        self.by_opaque.insert(opaque, id);
        self.lapses.set(id, now.after(limits.half_open));
        self.half_open.entry(id).or_insert(half)
    }

    fn make_room(&mut self, half: &HalfOpen, limits: &Limits) {
        let oldest = |ids: Option<&BTreeSet<SessionId>>, most: usize| {
            ids.filter(|ids| ids.len() >= most.max(1)).and_then(|ids| ids.first().copied())
        };
        let on_flow = oldest(self.half_by_flow.get(&half.flow), limits.half_open_of_connection);
        let of_source = half
            .source
            .and_then(|source| oldest(self.half_by_source.get(&source), limits.half_open_of_source));
        let full = self.half_open.len() >= limits.half_open_count.max(1);
        let of_all = self.half_open.first_key_value().map(|(id, _)| *id).filter(|_| full);
        let on_flow = on_flow.filter(|_| half.source.is_some());
        if let Some(gone) = on_flow.or(of_source).or(of_all) {
            self.remove_half(gone);
            self.evicted.half_open += 1;
        }
    }

    /// Takes out what that endpoint left half open on that flow under `opaque`: a challenge is answered
    /// once, and only by the endpoint it was given to; knowing the opaque does not suffice to end it.
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
    /// From may claim another user's endpoint. Such an association signs the refusal and nothing
    /// more: no request finds it, it stands for no endpoint and ends no other association.
    pub(super) fn establish(&mut self, half: HalfOpen, fresh: NewAssociation<'_>, now: Now) -> SessionId {
        self.named += 1;
        let (id, ends) = (SessionId(self.named), now.after(fresh.life));
        let own = half.endpoint.user == fresh.user;
        if own {
            self.by_opaque.insert(half.opaque.clone(), id);
        }
        self.by_flow.entry(half.flow).or_default().insert(id);
        let (standing, idle) =
            if own { (Standing::Fresh, now.after(IDLE)) } else { (Standing::Foreign, now.after(OVERLAP)) };
        self.lapses.set(id, ends.min(idle));
        let HalfOpen { opaque, endpoint, flow, .. } = half;
        let needed = now.since_start;
        let NewAssociation { association, keys, most, .. } = fresh;
        let in_dialog = needed;
        let session =
            Session { association, keys, endpoint, flow, opaque, ends, needed, in_dialog, idle, standing };
        self.established.insert(id, session);
        self.drop_oldest(flow, most);
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
    pub(crate) fn entries(&self) -> [usize; 6] {
        let listed = [&self.by_flow, &self.half_by_flow].into_iter().flat_map(BTreeMap::values);
        let flows = listed.map(BTreeSet::len).sum();
        let (half_open, whole) = (self.half_open.len(), self.established.len());
        let sources: usize = self.half_by_source.values().map(BTreeSet::len).sum();
        assert!(sources <= half_open && self.half_by_endpoint.len() == half_open);
        [half_open, whole, self.by_opaque.len(), self.by_endpoint.len(), flows, self.lapses.len()]
    }

    /// Drops everything bound to a flow.
    pub(crate) fn flow_gone(&mut self, flow: FlowId) {
        let half_open = self.half_by_flow.remove(&flow).into_iter().flatten();
        for id in half_open.chain(self.by_flow.remove(&flow).into_iter().flatten()).collect::<Vec<_>>() {
            self.remove(id);
        }
    }

    /// Drops what has lapsed.
    pub(crate) fn handle_deadline(&mut self, now: Now) {
        while let Some(id) = self.lapses.due(now) {
            self.remove(id);
        }
    }

    /// When the next one lapses, half open or established.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        let (at, id) = self.lapses.first()?;
        let half = self.half_open.contains_key(id);
        Some(Deadline::new(at, if half { Why::ChallengeLapse } else { Why::AssociationLapse }))
    }

    /// A client chooses its devices as it likes; what it may hold on one flow is bounded.
    fn drop_oldest(&mut self, flow: FlowId, most: usize) {
        while let Some(ids) = self.by_flow.get(&flow).filter(|ids| ids.len() > most.max(1)) {
            let Some(oldest) = ids.first().copied() else { return };
            self.remove(oldest);
            self.evicted.established += 1;
        }
    }

    /// Ends an association, half open or established.
    pub fn remove(&mut self, id: SessionId) {
        self.remove_half(id);
        self.lapses.cancel(&id);
        let Some(held) = self.established.remove(&id) else { return };
        if self.by_endpoint.get(&held.endpoint) == Some(&id) {
            self.by_endpoint.remove(&held.endpoint);
        }
        self.forget_opaque(id, &held.opaque);
        unlist(&mut self.by_flow, &held.flow, id);
    }

    fn remove_half(&mut self, id: SessionId) -> Option<HalfOpen> {
        let half = self.half_open.remove(&id)?;
        self.lapses.cancel(&id);
        self.forget_opaque(id, &half.opaque);
        unlist(&mut self.half_by_flow, &half.flow, id);
        if let Some(source) = &half.source {
            unlist(&mut self.half_by_source, source, id);
        }
        self.half_by_endpoint.remove(&(half.flow, half.endpoint.clone()));
        Some(half)
    }

    fn forget_opaque(&mut self, id: SessionId, opaque: &String) {
        if self.by_opaque.find(opaque) == Some(&id) {
            self.by_opaque.remove(opaque);
        }
    }

    /// A name that no association has; the drawn one unless it is taken.
    fn free_opaque(&self, random: &mut dyn Random) -> String {
        let mut number = random.opaque();
        loop {
            let opaque = format!("{number:08X}");
            if self.by_opaque.find(&opaque).is_none() {
                return opaque;
            }
            number = number.wrapping_add(1);
        }
    }
}

/// Takes an id out of an index.
fn unlist<K: Ord>(index: &mut BTreeMap<K, BTreeSet<SessionId>>, key: &K, id: SessionId) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(&id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}

impl Session {
    /// When it ends; none where that is settled and nothing moves it any more.
    fn lapses_at(&self) -> Option<Moment> {
        let lasting = matches!(self.standing, Standing::Fresh | Standing::Current);
        lasting.then(|| self.needed.max(self.in_dialog).max(self.idle).min(self.ends))
    }
}

/// An association without use and registration lives this long.
const IDLE: Duration = Duration::from_secs(15 * 60);
