//! The estate's own name server: authoritative for its domain, over UDP and TCP, on any port.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use hickory_proto::op::{Header, HeaderCounts, Metadata, ResponseCode};
use hickory_proto::rr::Record;
use hickory_server::Server;
use hickory_server::net::runtime::Time;
use hickory_server::server::{Request, RequestHandler, ResponseHandler, ResponseInfo};
use hickory_server::zone_handler::MessageResponseBuilder;
use tokio::net::{TcpListener, UdpSocket};

pub use super::dns_fault::DnsFault;
use super::zone::{Found, Zone};

/// A running name server; stops when dropped.
pub struct NameServer {
    address: SocketAddr,
    zone: SharedZone,
    _server: Server<Handler>,
}

/// The zone a name server answers from; may be changed while it runs.
#[derive(Clone)]
pub struct SharedZone(Arc<RwLock<Zone>>);

struct Handler(SharedZone);

impl NameServer {
    /// Starts answering from `zone` at `at`, the same port for UDP and TCP; for port 0 the system picks.
    ///
    /// # Errors
    /// The system's, if no port serves both.
    pub async fn start(zone: Zone, at: SocketAddr) -> std::io::Result<Self> {
        let (udp, tcp) = bind_both(at).await?;
        let address = udp.local_addr()?;
        let zone = SharedZone(Arc::new(RwLock::new(zone)));
        let mut server = Server::new(Handler(zone.clone()));
        server.register_socket(udp);
        server.register_listener(tcp, IDLE, 1 << 16);
        Ok(Self { address, zone, _server: server })
    }

    /// Where to ask.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The zone, to be changed.
    pub fn zone(&self) -> &SharedZone {
        &self.zone
    }
}

impl SharedZone {
    /// Changes the zone; the next question sees it.
    pub fn change(&self, change: impl FnOnce(&mut Zone)) {
        change(&mut self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    fn find(&self, request: &Request) -> Option<(ResponseCode, Found)> {
        let zone = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match zone.fault {
            DnsFault::Silence => return None,
            DnsFault::ServerFailure => return Some((ResponseCode::ServFail, Found::default())),
            DnsFault::NxDomain => return Some((ResponseCode::NXDomain, zone.nothing())),
            DnsFault::None => {}
        }
        match request.request_info() {
            Ok(info) => Some(zone.find(info.query.name(), info.query.query_type())),
            Err(_) => Some((ResponseCode::FormErr, Found::default())),
        }
    }
}

impl RequestHandler for Handler {
    fn handle_request<'life0, 'life1, 'async_trait, R, T>(
        &'life0 self,
        request: &'life1 Request,
        mut out: R,
    ) -> Pin<Box<dyn Future<Output = ResponseInfo> + Send + 'async_trait>>
    where
        R: 'async_trait + ResponseHandler,
        T: 'async_trait + Time,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let mut metadata = Metadata::response_from_request(&request.metadata);
            let Some((code, found)) = self.0.find(request) else { return unsent(metadata) };
            metadata.authoritative = code != ResponseCode::Refused;
            metadata.response_code = code;
            let none: [&Record; 0] = [];
            let mut builder = MessageResponseBuilder::from_message_request(request);
            if let Some(edns) = &request.edns {
                builder.edns(edns);
            }
            let response = builder.build(metadata, &found.answers, none, &found.authority, &found.glue);
            out.send_response(response).await.unwrap_or_else(|_| unsent(metadata))
        })
    }
}

fn unsent(metadata: Metadata) -> ResponseInfo {
    ResponseInfo::from(Header { metadata, counts: HeaderCounts::default() })
}

/// UDP and TCP on one port that the system picks; a few tries, since the two are bound apart.
async fn bind_both(at: SocketAddr) -> std::io::Result<(UdpSocket, TcpListener)> {
    let mut last = None;
    for _ in 0..TRIES {
        let udp = UdpSocket::bind(at).await?;
        match TcpListener::bind((at.ip(), udp.local_addr()?.port())).await {
            Ok(tcp) => return Ok((udp, tcp)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into()))
}

const TRIES: usize = 16;
const IDLE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
