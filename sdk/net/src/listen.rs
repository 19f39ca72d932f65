//! Listening: sockets that take what peers open, within bounds.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use homing_core::transport::Transport;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::connection::Side;
use crate::send_queue::{self, SendQueue};
use crate::shared::Shared;
use crate::tls_server::TlsServer;
use crate::{connection, datagram, dial, fault};
use homing_core::connect::FlowEvent;

/// A listening socket. Dropping it stops listening; connections it accepted live on, except those
/// of UDP, which have no other socket.
#[derive(Debug)]
pub struct Listener {
    local: SocketAddr,
    transport: Transport,
    task: AbortHandle,
}

impl Listener {
    /// Where it listens; the port the system chose if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it listens for.
    pub fn transport(&self) -> Transport {
        self.transport
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Binds a socket and starts taking what comes.
pub(crate) fn listen(
    address: SocketAddr,
    transport: Transport,
    tls: Option<TlsServer>,
    shared: &Arc<Shared>,
) -> io::Result<Listener> {
    let socket = bind(address, transport)?;
    let shared = Arc::clone(shared);
    let (local, task) = match (transport, tls) {
        (Transport::Udp, _) => {
            let socket = UdpSocket::from_std(socket.into())?;
            let local = socket.local_addr()?;
            let (queue, writes) = send_queue::queue(shared.config.unwritten_bytes);
            (local, tokio::spawn(datagram::serve(socket, local, queue, writes, shared)))
        }
        (Transport::Tls, None) => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "TLS listens with a certificate"));
        }
        (_, tls) => {
            socket.listen(BACKLOG)?;
            let listener = TcpListener::from_std(socket.into())?;
            let tls = tls.filter(|_| transport == Transport::Tls);
            (listener.local_addr()?, tokio::spawn(accept(listener, tls, shared)))
        }
    };
    Ok(Listener { local, transport, task: task.abort_handle() })
}

fn bind(address: SocketAddr, transport: Transport) -> io::Result<Socket> {
    let (kind, protocol) = match transport {
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        _ => (Type::STREAM, Protocol::TCP),
    };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if cfg!(unix) && transport != Transport::Udp {
        // A restarted server takes its port over from connections that linger in TIME-WAIT.
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

async fn accept(listener: TcpListener, tls: Option<TlsServer>, shared: Arc<Shared>) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                shared.counters.accept_refused.one();
                if fault::is_exhausted(&error) {
                    // The connection stays in the backlog; asking again at once would only spin.
                    sleep(OUT_OF_DESCRIPTORS).await;
                }
                continue;
            }
        };
        match Arc::clone(&shared.permits).try_acquire_owned() {
            Ok(place) => {
                shared.counters.accepted.one();
                tokio::spawn(welcome(stream, peer, tls.clone(), Arc::clone(&shared), place));
            }
            Err(_) => shared.counters.accept_refused.one(),
        }
    }
}

/// Does the TLS handshake of an accepted connection, reports it, and carries it to its end.
async fn welcome(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsServer>,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
) {
    let prepared = dial::prepare(&stream, shared.config.unacknowledged).and_then(|()| stream.local_addr());
    let Ok(local) = prepared else { return };
    let (flow, (queue, writes)) = (shared.next_flow(), send_queue::queue(shared.config.unwritten_bytes));
    let send_queue = Some(SendQueue::own(queue));
    let Some(tls) = tls else {
        let (transport, client_names) = (Transport::Tcp, None);
        let event = FlowEvent::Accepted { flow, local, peer, transport, client_names };
        if shared.send(event, send_queue).await {
            connection::run(stream, flow, Side::Accepted, writes, &shared).await;
        }
        return;
    };
    match timeout(shared.config.handshake, tls.secure(stream)).await {
        Ok(Ok((stream, client_names))) => {
            let transport = Transport::Tls;
            let event = FlowEvent::Accepted { flow, local, peer, transport, client_names };
            if shared.send(event, send_queue).await {
                connection::run(stream, flow, Side::Accepted, writes, &shared).await;
            }
        }
        Ok(Err(error)) => {
            shared.counters.handshake_failed.one();
            tracing::debug!(%peer, why = %fault::of_io(&error), "a client failed the TLS handshake");
        }
        Err(_) => {
            shared.counters.handshake_failed.one();
            tracing::debug!(%peer, "a client took too long over the TLS handshake");
        }
    }
}

/// Connections the system may hold before they are accepted.
const BACKLOG: i32 = 1_024;
/// The pause after the system refused a descriptor.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);
