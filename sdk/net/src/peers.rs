//! Who talks to a listening UDP socket, and under which flow each is known.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use homing_core::ids::FlowId;

/// The peers of a listening socket, bounded: where the table is full, a peer that was silent for long is forgotten.
pub(crate) struct Peers {
    table: Mutex<Table>,
    bound: usize,
}

/// What a datagram's sender turned out to be.
pub(crate) enum Meeting {
    /// A peer with a flow.
    Known(FlowId),
    /// A new one; another may have been forgotten for it.
    New { flow: FlowId, forgotten: Option<FlowId> },
}

#[derive(Default)]
struct Table {
    flows: HashMap<SocketAddr, Peer>,
    oldest_first: VecDeque<SocketAddr>,
}

struct Peer {
    flow: FlowId,
    /// It was heard since the table was last searched for one to forget.
    heard: bool,
}

impl Peers {
    pub(crate) fn new(bound: usize) -> Self {
        Self { table: Mutex::default(), bound: bound.max(1) }
    }

    /// Forgets a peer whose flow was closed; its next datagram opens another.
    pub(crate) fn forget(&self, address: SocketAddr) {
        self.lock().flows.remove(&address);
    }

    pub(crate) fn meet(&self, address: SocketAddr, name: impl FnOnce() -> FlowId) -> Meeting {
        let mut table = self.lock();
        if let Some(peer) = table.flows.get_mut(&address) {
            peer.heard = true;
            return Meeting::Known(peer.flow);
        }
        let forgotten = (table.oldest_first.len() >= self.bound).then(|| table.make_room()).flatten();
        let flow = name();
        table.flows.insert(address, Peer { flow, heard: false });
        table.oldest_first.push_back(address);
        Meeting::New { flow, forgotten }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// Takes the oldest peer that was not heard since the last search; one that was heard goes to the end.
    fn make_room(&mut self) -> Option<FlowId> {
        for _ in 0..=self.oldest_first.len() {
            let address = self.oldest_first.pop_front()?;
            match self.flows.get_mut(&address) {
                Some(peer) if peer.heard => {
                    peer.heard = false;
                    self.oldest_first.push_back(address);
                }
                Some(_) => return self.flows.remove(&address).map(|peer| peer.flow),
                None => return None,
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_peers_is_bounded_and_spares_those_who_speak() {
        let peers = Peers::new(3);
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut next = 0;
        let mut meet = |port| {
            peers.meet(address(port), || {
                next += 1;
                FlowId(next)
            })
        };
        for port in 1..=3 {
            assert!(matches!(meet(port), Meeting::New { forgotten: None, .. }));
        }
        assert!(matches!(meet(1), Meeting::Known(FlowId(1))));
        assert!(matches!(meet(4), Meeting::New { forgotten: Some(FlowId(2)), .. }), "the silent one goes");
        assert!(matches!(meet(1), Meeting::Known(FlowId(1))));
        for port in 5..1_000 {
            meet(port);
        }
        assert!(peers.lock().flows.len() <= 3 && peers.lock().oldest_first.len() <= 3);
    }
}
