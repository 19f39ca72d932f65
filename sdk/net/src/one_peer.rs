//! UDP with one peer: a connected socket, which the system tells of a closed port, and one beside it on the same port,
//! which hears the peer's other ports.
//!
//! A server may answer from another port than it was asked at (RFC 3261 section 18.2.2 sends a response to the source of
//! the request, and says nothing of its own source). Only responses are taken from there; that one belongs to a request
//! of ours is for its transaction to say.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use homing_core::connect::{ConnectError, FlowEvent};
use homing_core::ids::FlowId;
use homing_wire::Frame;
use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::datagram::{receive, write};
use crate::fault;
use crate::send_queue::Writes;
use crate::shared::Shared;

/// The sockets of one peer.
pub(crate) struct OnePeer {
    socket: UdpSocket,
    /// None where the system gives no second socket on one port.
    beside: Option<UdpSocket>,
    peer: SocketAddr,
}

impl OnePeer {
    /// Opens the sockets; nothing is sent.
    pub(crate) async fn dial(peer: SocketAddr) -> io::Result<Self> {
        let any: SocketAddr = if peer.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
        // The port is this socket's alone before another may share it.
        let socket = UdpSocket::bind(any).await?;
        let beside = beside(&socket).await.ok();
        socket.connect(peer).await?;
        Ok(Self { socket, beside, peer })
    }

    /// Our end.
    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Carries the flow until it breaks or its owner closes it.
    pub(crate) async fn run(self, flow: FlowId, mut writes: Writes, shared: &Shared) {
        let end = tokio::select! {
            end = self.read(&self.socket, flow, shared) => end,
            end = self.read_beside(flow, shared) => end,
            end = write(&self.socket, &mut writes, shared) => end,
            why = fail(&self.socket) => Some(why),
        };
        if let Some(why) = end {
            shared.send(FlowEvent::Closed { flow, why }, None).await;
        }
    }

    async fn read(&self, socket: &UdpSocket, flow: FlowId, shared: &Shared) -> Option<ConnectError> {
        loop {
            match receive(socket).await {
                Ok((bytes, from)) if self.takes(from, &bytes) => {
                    if !shared.deliver(flow, Frame::from_datagram(bytes)).await {
                        return None;
                    }
                }
                Ok(_) => shared.counters.strangers.one(),
                Err(error) => return Some(fault::of_io(&error)),
            }
        }
    }

    /// What breaks the second socket breaks no flow.
    async fn read_beside(&self, flow: FlowId, shared: &Shared) -> Option<ConnectError> {
        if let Some(beside) = &self.beside
            && self.read(beside, flow, shared).await.is_none()
        {
            return None;
        }
        pending().await
    }

    fn takes(&self, from: SocketAddr, bytes: &Bytes) -> bool {
        from == self.peer || from.ip() == self.peer.ip() && bytes.starts_with(b"SIP/")
    }
}

/// A second socket on the port of the first. Both are of one user: the system lets no other join.
#[cfg(unix)]
async fn beside(socket: &UdpSocket) -> io::Result<UdpSocket> {
    use socket2::{Domain, Protocol, Socket, Type};

    SockRef::from(socket).set_reuse_port(true)?;
    let local = socket.local_addr()?;
    let beside = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    beside.set_reuse_port(true)?;
    beside.set_nonblocking(true)?;
    beside.bind(&local.into())?;
    UdpSocket::from_std(beside.into())
}

#[cfg(not(unix))]
async fn beside(_: &UdpSocket) -> io::Result<UdpSocket> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Waits until the system passes on that the peer's port is closed or the peer unreachable.
async fn fail(socket: &UdpSocket) -> ConnectError {
    loop {
        // A socket whose readiness cannot be asked for is found out by reading it.
        if socket.ready(Interest::ERROR).await.is_err() {
            return pending().await;
        }
        let error = socket.try_io(Interest::ERROR, || match socket.take_error()? {
            Some(error) => Ok(fault::of_io(&error)),
            None => Err(io::ErrorKind::WouldBlock.into()),
        });
        if let Ok(why) = error {
            return why;
        }
    }
}
