//! Who talks to a listening UDP socket, and under which flow each is known.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use homing_core::ids::FlowId;

/// The peers of a listening socket. Strangers are bounded: one more displaces the one that was silent for longest. Peers
/// that are held are bounded by who holds them, and no stranger displaces them.
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
    /// Strangers by their last datagram, the longest silent first.
    strangers: BTreeMap<u64, SocketAddr>,
    datagrams: u64,
}

struct Peer {
    flow: FlowId,
    /// The number of a stranger's last datagram; none where the peer is held.
    heard: Option<u64>,
}

impl Peers {
    pub(crate) fn new(bound: usize) -> Self {
        Self { table: Mutex::default(), bound: bound.max(1) }
    }

    /// Forgets a peer whose flow was closed; its next datagram opens another. Where it did so already, that stays.
    pub(crate) fn forget(&self, address: SocketAddr, flow: FlowId) {
        self.lock().forget(address, flow);
    }

    /// Keeps a peer until its flow is closed. One that was forgotten meanwhile may have another flow, which is a
    /// stranger's.
    pub(crate) fn hold(&self, address: SocketAddr, flow: FlowId) {
        let mut table = self.lock();
        let peer = table.flows.get_mut(&address).filter(|peer| peer.flow == flow);
        if let Some(heard) = peer.and_then(|peer| peer.heard.take()) {
            table.strangers.remove(&heard);
        }
    }

    pub(crate) fn meet(&self, address: SocketAddr, name: impl FnOnce() -> FlowId) -> Meeting {
        let mut table = self.lock();
        table.datagrams += 1;
        let number = table.datagrams;
        if let Some(peer) = table.flows.get_mut(&address) {
            let flow = peer.flow;
            let Some(heard) = peer.heard.as_mut() else { return Meeting::Known(flow) };
            let before = std::mem::replace(heard, number);
            table.strangers.remove(&before);
            table.strangers.insert(number, address);
            return Meeting::Known(flow);
        }
        let forgotten = if table.strangers.len() >= self.bound { table.make_room() } else { None };
        let flow = name();
        table.flows.insert(address, Peer { flow, heard: Some(number) });
        table.strangers.insert(number, address);
        Meeting::New { flow, forgotten }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn make_room(&mut self) -> Option<FlowId> {
        let (_, address) = self.strangers.pop_first()?;
        self.flows.remove(&address).map(|peer| peer.flow)
    }

    fn forget(&mut self, address: SocketAddr, flow: FlowId) {
        if self.flows.get(&address).is_none_or(|peer| peer.flow != flow) {
            return;
        }
        if let Some(Peer { heard: Some(heard), .. }) = self.flows.remove(&address) {
            self.strangers.remove(&heard);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    /// The flow of a peer, and the one that was forgotten for it.
    fn meet(peers: &Peers, port: u16) -> (u64, Option<u64>) {
        match peers.meet(address(port), || FlowId(port.into())) {
            Meeting::Known(flow) => (flow.0, None),
            Meeting::New { flow, forgotten } => (flow.0, forgotten.map(|flow| flow.0)),
        }
    }

    #[test]
    fn strangers_are_bounded_and_the_longest_silent_goes() {
        let peers = Peers::new(3);
        for port in 1..=3 {
            assert_eq!(meet(&peers, port), (port.into(), None));
        }
        assert_eq!(meet(&peers, 1), (1, None));
        assert_eq!(meet(&peers, 4), (4, Some(2)), "the silent one goes");
        peers.forget(address(3), FlowId(3));
        assert_eq!(meet(&peers, 5), (5, None));
        for port in 6..1_000 {
            meet(&peers, port);
        }
        let table = peers.lock();
        assert_eq!((table.flows.len(), table.strangers.len()), (3, 3));
    }

    #[test]
    fn no_stranger_displaces_a_peer_that_is_held() {
        let peers = Peers::new(2);
        meet(&peers, 1);
        peers.hold(address(1), FlowId(1));
        for port in 2..1_000 {
            assert_ne!(meet(&peers, port).1, Some(1));
        }
        assert_eq!(peers.lock().flows.len(), 3);
        assert!(matches!(peers.meet(address(1), || FlowId(9)), Meeting::Known(FlowId(1))));
        peers.forget(address(1), FlowId(9));
        assert_eq!(peers.lock().flows.len(), 3, "that flow is another's");
        peers.forget(address(1), FlowId(1));
        assert_eq!(peers.lock().flows.len(), 2);
        // Word of a flow that is gone meanwhile makes its successor no user.
        meet(&peers, 1);
        peers.hold(address(1), FlowId(77));
        assert!(meet(&peers, 2_000).1.is_some() && meet(&peers, 2_001).1.is_some());
        assert_eq!(peers.lock().flows.len(), 2);
    }
}
