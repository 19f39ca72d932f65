//! UDP: a socket that listens and serves many peers, and how datagrams are read and written.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use homing_core::connect::ConnectError;
use homing_core::transport::Transport;
use homing_wire::Frame;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;
use tokio::time::sleep;

use crate::fault;
use crate::peers::{Meeting, Peers};
use crate::send_queue::{Queue, SendQueue, Write, Writes};
use crate::shared::Shared;
use homing_core::connect::FlowEvent;

/// Carries a listening socket until its listener is dropped.
pub(crate) async fn serve(
    socket: UdpSocket,
    local: SocketAddr,
    queue: Queue,
    mut writes: Writes,
    shared: Arc<Shared>,
) {
    let peers = Arc::new(Peers::new(shared.config.datagram_peers));
    tokio::select! {
        () = read_many_peers(&socket, local, &queue, &peers, &shared) => {}
        _ = write(&socket, &mut writes, &shared) => {}
    }
}

async fn read_many_peers(
    socket: &UdpSocket,
    local: SocketAddr,
    queue: &Queue,
    peers: &Arc<Peers>,
    shared: &Shared,
) {
    loop {
        let Ok((bytes, peer)) = receive(socket).await else {
            // It concerns one of many peers, and the error does not say which; a broken socket must not spin.
            sleep(AFTER_ERROR).await;
            continue;
        };
        let (flow, forgotten) = match peers.meet(peer, || shared.next_flow()) {
            Meeting::Known(flow) => (flow, None),
            Meeting::New { flow, forgotten } => {
                shared.counters.accepted.one();
                let send_queue = SendQueue::peer(queue.clone(), flow, peer, Arc::clone(peers));
                let (transport, client_names) = (Transport::Udp, None);
                let event = FlowEvent::Accepted { flow, local, peer, transport, client_names };
                if !shared.send(event, Some(send_queue)).await {
                    return;
                }
                (flow, forgotten)
            }
        };
        if let Some(flow) = forgotten {
            shared.counters.peers_forgotten.one();
            shared.send(FlowEvent::Closed { flow, why: ConnectError::Closed }, None).await;
        }
        if !shared.deliver(flow, Frame::from_datagram(bytes)).await {
            return;
        }
    }
}

/// Reads one datagram into a copy of exactly its size; the reading buffer is the stack's.
pub(crate) async fn receive(socket: &UdpSocket) -> io::Result<(Bytes, SocketAddr)> {
    poll_fn(|cx| {
        let mut scratch = [const { MaybeUninit::<u8>::uninit() }; DATAGRAM];
        let mut buffer = ReadBuf::uninit(&mut scratch);
        let peer = std::task::ready!(socket.poll_recv_from(cx, &mut buffer))?;
        Poll::Ready(Ok((Bytes::copy_from_slice(buffer.filled()), peer)))
    })
    .await
}

/// Sends what is queued until the queue ends (none) or the one peer is gone (why).
pub(crate) async fn write(socket: &UdpSocket, writes: &mut Writes, shared: &Shared) -> Option<ConnectError> {
    let mut batch = Vec::new();
    loop {
        if writes.take(&mut batch).await == 0 {
            return None;
        }
        for write in batch.drain(..) {
            let Write::Bytes(bytes, to) = write else { return None };
            let sent = match to {
                Some(peer) => socket.send_to(&bytes, peer).await,
                None => socket.send(&bytes).await,
            };
            writes.done(&[bytes]);
            let Err(error) = sent else { continue };
            // What UDP loses, transactions repeat; but a peer that is gone is reported.
            shared.counters.datagrams_dropped.one();
            let why = fault::of_io(&error);
            if to.is_none() && matches!(why, ConnectError::ConnectionRefused | ConnectError::Unreachable) {
                return Some(why);
            }
        }
    }
}

/// The pause after the system reports an error on a socket that serves many.
const AFTER_ERROR: Duration = Duration::from_millis(1);
/// The largest datagram there can be.
const DATAGRAM: usize = 65_535;
