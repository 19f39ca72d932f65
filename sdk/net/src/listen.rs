//! Listening: sockets that take what peers open, within bounds.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use homing_core::identity::CertNames;
use homing_core::transport::Transport;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::connection::{Side, Stream};
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
    let (local, task) = if transport.is_reliable() {
        let tls = tls.filter(|_| transport.is_secure());
        if transport.is_secure() && tls.is_none() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "TLS listens with a certificate"));
        }
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from_std(socket.into())?;
        let entrance = Entrance { transport, tls };
        (listener.local_addr()?, tokio::spawn(accept(listener, entrance, shared)))
    } else {
        let socket = UdpSocket::from_std(socket.into())?;
        let local = socket.local_addr()?;
        let (queue, writes) = send_queue::queue(shared.config.unwritten_bytes);
        (local, tokio::spawn(datagram::serve(socket, local, queue, writes, shared)))
    };
    Ok(Listener { local, transport, task: task.abort_handle() })
}

fn bind(address: SocketAddr, transport: Transport) -> io::Result<Socket> {
    let stream = transport.is_reliable();
    let (kind, protocol) = if stream { (Type::STREAM, Protocol::TCP) } else { (Type::DGRAM, Protocol::UDP) };
    let socket = Socket::new(Domain::for_address(address), kind, Some(protocol))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    if cfg!(unix) && stream {
        // A restarted server takes its port over from connections that linger in TIME-WAIT.
        socket.set_reuse_address(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// What connections of one listener are accepted for.
#[derive(Clone)]
struct Entrance {
    transport: Transport,
    tls: Option<TlsServer>,
}

async fn accept(listener: TcpListener, entrance: Entrance, shared: Arc<Shared>) {
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => {
                shared.descriptors.there_are();
                accepted
            }
            Err(error) => {
                shared.counters.accept_refused.one();
                if fault::is_exhausted(&error) {
                    // The connection stays in the backlog; asking again at once would only spin.
                    shared.descriptors.ran_out();
                    sleep(OUT_OF_DESCRIPTORS).await;
                }
                continue;
            }
        };
        match Arc::clone(&shared.permits).try_acquire_owned() {
            Ok(place) => {
                shared.counters.accepted.one();
                tokio::spawn(welcome(stream, peer, entrance.clone(), Arc::clone(&shared), place));
            }
            Err(_) => shared.counters.accept_refused.one(),
        }
    }
}

/// Does the TLS handshake of an accepted connection, where there is one.
async fn welcome(
    stream: TcpStream,
    peer: SocketAddr,
    entrance: Entrance,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
) {
    let prepared = dial::prepare(&stream, shared.config.unacknowledged).and_then(|()| stream.local_addr());
    let Ok(local) = prepared else { return };
    let accepted = Accepted { local, peer, transport: entrance.transport };
    let Some(tls) = entrance.tls else { return carry(stream, accepted, None, &shared).await };
    match timeout(shared.config.handshake, tls.secure(stream)).await {
        Ok(Ok((stream, client_names))) => carry(stream, accepted, client_names, &shared).await,
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

/// The ends of an accepted connection.
struct Accepted {
    local: SocketAddr,
    peer: SocketAddr,
    transport: Transport,
}

/// Reports an accepted connection and carries it to its end.
async fn carry<S: Stream>(
    stream: S,
    accepted: Accepted,
    client_names: Option<CertNames>,
    shared: &Arc<Shared>,
) {
    let Accepted { local, peer, transport } = accepted;
    let (flow, (queue, writes)) = (shared.next_flow(), send_queue::queue(shared.config.unwritten_bytes));
    let event = FlowEvent::Accepted { flow, local, peer, transport, client_names };
    if shared.send(event, Some(SendQueue::own(queue))).await {
        connection::run(stream, flow, Side::Accepted, writes, shared).await;
    }
}

/// Connections the system may hold before they are accepted.
const BACKLOG: i32 = 1_024;
/// The pause after the system refused a descriptor.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);
