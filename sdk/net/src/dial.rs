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
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::connection::Side;
use crate::one_peer::OnePeer;
use crate::send_queue::Writes;
use crate::shared::Shared;
use crate::tls_client::TlsClient;
use crate::{connection, fault};
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
            OpenSocket::Udp(peer) => peer.run(flow, writes, &shared).await,
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
    Udp(OnePeer),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

async fn open(
    dial: &Dial,
    tls: &TlsClient,
    unacknowledged: Duration,
) -> Result<(OpenSocket, SocketAddr, Option<TlsProof>), ConnectError> {
    let refused = |error: io::Error| fault::of_io(&error);
    if !dial.transport.is_reliable() {
        let peer = OnePeer::dial(dial.address).await.map_err(refused)?;
        let local = peer.local_addr().map_err(refused)?;
        return Ok((OpenSocket::Udp(peer), local, None));
    }
    if !dial.transport.is_secure() {
        let (stream, local) = open_tcp(dial.address, unacknowledged).await?;
        return Ok((OpenSocket::Tcp(stream), local, None));
    }
    open_tls(dial, tls, unacknowledged).await
}

async fn open_tcp(
    address: SocketAddr,
    unacknowledged: Duration,
) -> Result<(TcpStream, SocketAddr), ConnectError> {
    let refused = |error: io::Error| fault::of_io(&error);
    let stream = TcpStream::connect(address).await.map_err(refused)?;
    prepare(&stream, unacknowledged).map_err(refused)?;
    let local = stream.local_addr().map_err(refused)?;
    Ok((stream, local))
}

/// Dials with the first server name of the expectation, and once more with the next where the server does not
/// know that one, or shows a certificate for somebody else. Both times the same is verified.
async fn open_tls(
    dial: &Dial,
    tls: &TlsClient,
    unacknowledged: Duration,
) -> Result<(OpenSocket, SocketAddr, Option<TlsProof>), ConnectError> {
    let names = tls.server_names(&dial.identity);
    let mut first_failure = None;
    let mut lost_round_trips = 0;
    for (place, server_name) in names.iter().enumerate() {
        let (stream, local) = match open_tcp(dial.address, unacknowledged).await {
            Ok(opened) => opened,
            Err(why) => return Err(first_failure.unwrap_or(why)),
        };
        match tls.secure(stream, &dial.identity, server_name).await {
            Ok((stream, mut proof)) => {
                tls.remember_name(&dial.identity, server_name);
                proof.round_trips += lost_round_trips;
                return Ok((OpenSocket::Tls(Box::new(stream)), local, Some(proof)));
            }
            Err(failed) => {
                let again = failed.may_be_the_name && place + 1 < names.len();
                let why = failed.why;
                // What a certificate says is more than an alert.
                let telling = matches!(why, ConnectError::Certificate(_));
                if first_failure.is_none() || telling {
                    first_failure = Some(why);
                }
                if !again {
                    break;
                }
                tracing::debug!(flow = %dial.flow, %server_name, "TLS is tried again with another server name");
                // TCP and the hello of the attempt that failed.
                lost_round_trips += 2;
            }
        }
    }
    Err(first_failure.unwrap_or(ConnectError::Local))
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
