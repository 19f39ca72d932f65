//! Opening a connection: the socket, its options, the TLS handshake, all within one time limit.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use homing_core::connect::{ConnectError, TlsProof};
use homing_core::identity::Expected;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use socket2::SockRef;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::connection::Side;
use crate::send_queue::Writes;
use crate::shared::Shared;
use crate::tls_client::TlsClient;
use crate::{connection, datagram, fault};
use homing_core::connect::FlowEvent;

/// A connection to be opened.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Its name from now on; below [`FIRST_ACCEPTED`](crate::FIRST_ACCEPTED) and not in use.
    pub flow: FlowId,
    /// Address and port of the peer.
    pub address: SocketAddr,
    /// What is opened: a connection, or for UDP a socket bound to this peer.
    pub transport: Transport,
    /// Whom the certificate must name; without effect unless the transport is TLS.
    pub identity: Expected,
}

/// Opens the connection, sends the verdict as an event, and carries the connection to its end.
pub(crate) async fn run(dial: Dial, tls: TlsClient, writes: Writes, shared: Arc<Shared>) {
    let (flow, peer) = (dial.flow, dial.address);
    let opened = timeout(shared.config.connect, open(&dial, &tls, shared.config.unacknowledged)).await;
    let (stream, local, proof) = match opened.unwrap_or(Err(ConnectError::Timeout)) {
        Ok(opened) => opened,
        Err(why) => {
            tracing::debug!(%flow, %peer, transport = %dial.transport, %why, "dialling failed");
            shared.send(FlowEvent::ConnectFailed { flow, why }, None).await;
            return;
        }
    };
    tracing::debug!(%flow, %local, %peer, transport = %dial.transport, "connected");
    if shared.send(FlowEvent::Connected { flow, local, peer, proof }, None).await {
        match stream {
            OpenSocket::Udp(socket) => datagram::run(socket, flow, writes, &shared).await,
            OpenSocket::Tcp(stream) => connection::run(stream, flow, Side::Dialled, writes, &shared).await,
            OpenSocket::Tls(stream) => connection::run(*stream, flow, Side::Dialled, writes, &shared).await,
        }
    }
}

/// Sets what every TCP connection of ours has: no delay, and an end to waiting for acknowledgements.
pub(crate) fn prepare(stream: &TcpStream, unacknowledged: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "fuchsia"))]
    SockRef::from(stream).set_tcp_user_timeout(Some(unacknowledged))?;
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "fuchsia")))]
    let _ = (SockRef::from(stream), unacknowledged);
    Ok(())
}

enum OpenSocket {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

async fn open(
    dial: &Dial,
    tls: &TlsClient,
    unacknowledged: Duration,
) -> Result<(OpenSocket, SocketAddr, Option<TlsProof>), ConnectError> {
    let refused = |error: io::Error| fault::of_io(&error);
    if dial.transport == Transport::Udp {
        let socket = datagram::dial(dial.address).await.map_err(refused)?;
        let local = socket.local_addr().map_err(refused)?;
        return Ok((OpenSocket::Udp(socket), local, None));
    }
    let stream = TcpStream::connect(dial.address).await.map_err(refused)?;
    prepare(&stream, unacknowledged).map_err(refused)?;
    let local = stream.local_addr().map_err(refused)?;
    if dial.transport == Transport::Tcp {
        return Ok((OpenSocket::Tcp(stream), local, None));
    }
    let (stream, proof) = tls.secure(stream, &dial.identity).await?;
    Ok((OpenSocket::Tls(Box::new(stream)), local, Some(proof)))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::config::NetConfig;

    #[tokio::test]
    async fn a_connection_whose_bytes_nobody_acknowledges_ends_after_20_seconds() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        prepare(&stream, NetConfig::default().unacknowledged).unwrap();
        let socket = SockRef::from(&stream);
        assert_eq!(socket.tcp_user_timeout().unwrap(), Some(Duration::from_secs(20)));
        assert!(stream.nodelay().unwrap());
    }
}
