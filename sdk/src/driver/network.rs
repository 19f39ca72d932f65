//! Whether this machine still has the address its connections were opened from.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use homing_core::ids::FlowId;

/// Watches the way to the peer that was reached last.
///
/// It asks the system which local address it would use; no packet is sent for that.
#[derive(Debug, Default)]
pub(super) struct Network {
    open: BTreeMap<FlowId, ()>,
    way: Option<Way>,
    looked: Option<Instant>,
}

/// How a peer was reached.
#[derive(Clone, Copy, Debug)]
struct Way {
    peer: SocketAddr,
    /// Our address; none while there is no way.
    local: Option<IpAddr>,
}

impl Network {
    /// Notes a flow that was opened.
    pub(super) fn opened(&mut self, flow: FlowId, local: SocketAddr, peer: SocketAddr) {
        self.open.insert(flow, ());
        self.way = Some(Way { peer, local: Some(local.ip()) });
    }

    /// Notes that a flow is gone.
    pub(super) fn closed(&mut self, flow: FlowId) {
        self.open.remove(&flow);
    }

    /// When to look again: soon while something depends on it, else seldom.
    pub(super) fn next_look(&self) -> Instant {
        let pause = match self.way {
            Some(Way { local: None, .. }) => OFFLINE,
            Some(_) if !self.open.is_empty() => IN_USE,
            Some(_) | None => AT_REST,
        };
        self.looked.map_or_else(|| Instant::now() + pause, |looked| looked + pause)
    }

    pub(super) fn is_due(&mut self) -> bool {
        let due = self.looked.is_none() || Instant::now() >= self.next_look();
        if due {
            self.looked = Some(Instant::now());
        }
        due
    }

    /// Looks at the way to the last peer; some if it changed: whether there is one at all.
    pub(super) fn look(&mut self) -> Option<bool> {
        let way = self.way.as_mut()?;
        let local = local_towards(way.peer);
        let changed = local != way.local;
        way.local = local;
        changed.then_some(local.is_some())
    }
}

/// The address this machine would send from; none without a route.
fn local_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).ok()?;
    socket.connect(peer).ok()?;
    socket.local_addr().ok().map(|local| local.ip())
}

/// Between looks while flows are open: a lost address is found within two seconds.
const IN_USE: Duration = Duration::from_secs(2);
/// Between looks while there is no network.
const OFFLINE: Duration = Duration::from_secs(1);
/// Between looks while nothing depends on it; the clocks are compared then, too.
const AT_REST: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_address_is_told_once() {
        let mut network = Network::default();
        assert_eq!(network.look(), None, "nothing was reached yet");
        let peer = ([127, 0, 0, 1], 5061).into();
        network.opened(FlowId(1), ([127, 0, 0, 1], 40_000).into(), peer);
        assert_eq!(network.look(), None, "loopback stays");
        network.opened(FlowId(2), ([192, 0, 2, 7], 40_000).into(), peer);
        assert_eq!(network.look(), Some(true), "another address than the flow was opened from");
        assert_eq!(network.look(), None);
    }
}
