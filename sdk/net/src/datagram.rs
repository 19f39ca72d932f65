//! UDP: one socket per dialled peer, or one socket that listens and serves many.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use crate::event::RoadEvent;
use crate::fault;
use crate::hub::Hub;
use crate::lane::{Lane, Parcel, Parcels, Queue};

/// A socket that talks to one peer only; the system drops what others send.
pub(crate) async fn dial(peer: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(peer).await?;
    Ok(socket)
}

/// Carries a socket with one peer until it breaks or its owner closes it.
pub(crate) async fn run(socket: UdpSocket, flow: FlowId, mut parcels: Parcels, hub: &Hub) {
    let end = tokio::select! {
        end = read_one_peer(&socket, flow, hub) => end,
        () = write(&socket, &mut parcels, hub) => None,
    };
    if let Some(why) = end {
        hub.tell(RoadEvent::Closed { flow, why }, None).await;
    }
}

/// Carries a listening socket until its listener is dropped.
pub(crate) async fn serve(
    socket: UdpSocket,
    local: SocketAddr,
    queue: Queue,
    mut parcels: Parcels,
    hub: Arc<Hub>,
) {
    let peers = Arc::new(Peers::new(hub.config.datagram_peers));
    tokio::select! {
        () = read_many_peers(&socket, local, &queue, &peers, &hub) => {}
        () = write(&socket, &mut parcels, &hub) => {}
    }
}

async fn read_one_peer(socket: &UdpSocket, flow: FlowId, hub: &Hub) -> Option<ConnectError> {
    loop {
        match receive(socket).await {
            Ok((bytes, _)) => {
                if !hub.deliver(flow, crate::framing::datagram(bytes)).await {
                    return None;
                }
            }
            // The system passes on that the peer's port is closed or the peer unreachable.
            Err(error) => return Some(fault::of_io(&error)),
        }
    }
}

async fn read_many_peers(
    socket: &UdpSocket,
    local: SocketAddr,
    queue: &Queue,
    peers: &Arc<Peers>,
    hub: &Hub,
) {
    loop {
        // An error here concerns one of many peers; which one is not told.
        let Ok((bytes, peer)) = receive(socket).await else { continue };
        let (flow, forgotten) = match peers.meet(peer, || hub.next_flow()) {
            Meeting::Known(flow) => (flow, None),
            Meeting::New { flow, forgotten } => {
                hub.tally.accepted.one();
                let lane = Lane::peer(queue.clone(), peer, Arc::clone(peers));
                let (transport, client_names) = (Transport::Udp, None);
                let event = RoadEvent::Accepted { flow, local, peer, transport, client_names };
                if !hub.tell(event, Some(lane)).await {
                    return;
                }
                (flow, forgotten)
            }
        };
        if let Some(flow) = forgotten {
            hub.tally.peers_forgotten.one();
            hub.tell(RoadEvent::Closed { flow, why: ConnectError::Closed }, None).await;
        }
        if !hub.deliver(flow, crate::framing::datagram(bytes)).await {
            return;
        }
    }
}

/// Reads one datagram into a copy of exactly its size; the reading buffer is the stack's.
async fn receive(socket: &UdpSocket) -> io::Result<(Bytes, SocketAddr)> {
    poll_fn(|cx| {
        let mut scratch = [const { MaybeUninit::<u8>::uninit() }; DATAGRAM];
        let mut buffer = ReadBuf::uninit(&mut scratch);
        let peer = std::task::ready!(socket.poll_recv_from(cx, &mut buffer))?;
        Poll::Ready(Ok((Bytes::copy_from_slice(buffer.filled()), peer)))
    })
    .await
}

async fn write(socket: &UdpSocket, parcels: &mut Parcels, hub: &Hub) {
    let mut batch = Vec::new();
    loop {
        if parcels.take(&mut batch).await == 0 {
            return;
        }
        for parcel in batch.drain(..) {
            let Parcel::Bytes(bytes, to) = parcel else { return };
            let sent = match to {
                Some(peer) => socket.send_to(&bytes, peer).await,
                None => socket.send(&bytes).await,
            };
            parcels.done(bytes.len());
            // What UDP loses, transactions repeat.
            if sent.is_err() {
                hub.tally.datagrams_dropped.one();
            }
        }
    }
}

/// The peers of a listening socket, bounded: to make room, one that was silent for long is forgotten.
pub(crate) struct Peers {
    table: Mutex<Table>,
    bound: usize,
}

enum Meeting {
    Known(FlowId),
    New { flow: FlowId, forgotten: Option<FlowId> },
}

#[derive(Default)]
struct Table {
    flows: HashMap<SocketAddr, Peer>,
    oldest_first: VecDeque<SocketAddr>,
}

struct Peer {
    flow: FlowId,
    /// It was heard since room was last looked for.
    heard: bool,
}

impl Peers {
    fn new(bound: usize) -> Self {
        Self { table: Mutex::default(), bound: bound.max(1) }
    }

    /// Forgets a peer whose flow was closed; its next datagram opens another.
    pub(crate) fn forget(&self, address: SocketAddr) {
        self.lock().flows.remove(&address);
    }

    fn meet(&self, address: SocketAddr, name: impl FnOnce() -> FlowId) -> Meeting {
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
    /// Takes the oldest peer that was not heard since the last look; whoever was heard goes to the end.
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

/// The largest datagram there can be.
const DATAGRAM: usize = 65_535;

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
