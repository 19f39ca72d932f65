//! The transactions themselves and every index by which one is found.

use std::collections::BTreeSet;

use super::key::Key;
use super::machine::{Machine, Role};
use super::outcome::FlowRef;
use super::slab::Slab;
use crate::ids::{FlowId, KeyedMap, Rng, TxId};
use crate::time::Moment;
use crate::timer_queue::TimerQueue;

/// One transaction.
#[derive(Debug)]
pub(super) struct Entry<U> {
    pub(super) user: U,
    pub(super) flow_ref: FlowRef,
    pub(super) machine: Machine,
    key: Key,
    due: Option<Moment>,
}

/// Transactions by id, key, origin, deadline and flow. Nothing here is linear in their number.
pub(super) struct Store<U> {
    entries: Slab<Entry<U>>,
    by_key: KeyedMap<Key, TxId>,
    /// Server transactions by what a request keeps on every path.
    by_origin: KeyedMap<u64, TxId>,
    /// Unfinished ones by deadline.
    due: TimerQueue<TxId>,
    /// Unfinished ones by flow.
    flows: BTreeSet<(FlowId, TxId)>,
    open: [usize; 2],
}

impl<U> Entry<U> {
    pub(super) fn new(user: U, flow_ref: FlowRef, machine: Machine, key: Key) -> Self {
        Self { user, flow_ref, machine, key, due: None }
    }
}

impl<U> Store<U> {
    pub(super) fn new(rng: &mut Rng) -> Self {
        Self {
            entries: Slab::new(),
            by_key: KeyedMap::new(rng),
            by_origin: KeyedMap::new(rng),
            due: TimerQueue::default(),
            flows: BTreeSet::new(),
            open: [0; 2],
        }
    }

    pub(super) fn insert(&mut self, entry: Entry<U>) -> TxId {
        let (key, role, flow) = (entry.key, entry.machine.role(), entry.flow_ref.flow);
        let id = self.entries.insert(entry);
        self.by_key.insert(key, id);
        if role == Role::Server && self.by_origin.find(&key.origin).is_none() {
            self.by_origin.insert(key.origin, id);
        }
        self.open[role as usize] += 1;
        self.flows.insert((flow, id));
        id
    }

    pub(super) fn find(&self, id: TxId) -> Option<&Entry<U>> {
        self.entries.find(id)
    }

    pub(super) fn find_mut(&mut self, id: TxId) -> Option<&mut Entry<U>> {
        self.entries.find_mut(id)
    }

    pub(super) fn by_key(&self, key: Key) -> Option<TxId> {
        self.by_key.find(&key).copied()
    }

    pub(super) fn by_origin(&self, key: Key) -> Option<TxId> {
        self.by_origin.find(&key.origin).copied()
    }

    /// The unfinished transactions of a flow, oldest first.
    pub(super) fn of_flow(&self, flow: FlowId) -> Vec<TxId> {
        self.flows.range((flow, TxId(0))..=(flow, TxId(u64::MAX))).map(|(_, id)| *id).collect()
    }

    /// The earliest deadline of an unfinished transaction.
    pub(super) fn first_due(&self) -> Option<(Moment, TxId)> {
        self.due.first()
    }

    pub(super) fn wake(&mut self, id: TxId, at: Option<Moment>) {
        let Some(entry) = self.entries.find_mut(id) else { return };
        self.due.set(id, &mut entry.due, at);
    }

    /// Takes a finished transaction out of the deadlines and flows; it is found by key and id only.
    pub(super) fn finish(&mut self, id: TxId) {
        self.wake(id, None);
        if let Some(entry) = self.entries.find(id)
            && self.flows.remove(&(entry.flow_ref.flow, id))
        {
            self.open[entry.machine.role() as usize] -= 1;
        }
    }

    /// A request of the same origin is a new one from now on.
    pub(super) fn forget_origin(&mut self, id: TxId) {
        if let Some(entry) = self.entries.find(id)
            && self.by_origin.find(&entry.key.origin) == Some(&id)
        {
            self.by_origin.remove(&entry.key.origin);
        }
    }

    pub(super) fn remove(&mut self, id: TxId) {
        self.finish(id);
        self.forget_origin(id);
        if let Some(entry) = self.entries.remove(id)
            && self.by_key.find(&entry.key) == Some(&id)
        {
            self.by_key.remove(&entry.key);
        }
    }

    /// Unfinished transactions of a role.
    pub(super) fn open(&self, role: Role) -> usize {
        self.open[role as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
