//! Two ends that know each other: one listens, one dials.

use std::net::SocketAddr;
use std::time::Duration;

use homing_net::{
    Dial, Expected, FlowEvent, FlowId, Listener, NetConfig, Roots, Sockets, TlsClient, TlsServer, Transport,
};
use homing_wire::Frame;
use tokio::time::timeout;

/// One end: its sockets, and patience for what they tell.
pub(crate) struct End(pub(crate) Sockets);

impl End {
    pub(crate) fn new() -> Self {
        Self(Sockets::new(NetConfig::default()))
    }

    pub(crate) fn with(change: impl FnOnce(&mut NetConfig)) -> Self {
        let mut config = NetConfig::default();
        change(&mut config);
        Self(Sockets::new(config))
    }

    /// The next event; a test that waits longer than this has failed.
    pub(crate) async fn event(&mut self) -> FlowEvent {
        timeout(PATIENCE, self.0.next()).await.expect("an event within the test's patience")
    }

    pub(crate) fn listen(&mut self, transport: Transport, tls: Option<TlsServer>) -> Listener {
        self.0.listen(([127, 0, 0, 1], 0).into(), transport, tls).unwrap()
    }

    pub(crate) fn dial(&mut self, flow: u64, address: SocketAddr, transport: Transport) {
        let identity = Expected::host("unused.invalid");
        let dial = Dial { flow: FlowId(flow), address, transport, identity };
        self.0.connect(dial, &TlsClient::new(Roots::platform()));
    }

    pub(crate) async fn connected(&mut self) -> FlowId {
        match self.event().await {
            FlowEvent::Connected { flow, .. } => flow,
            other => panic!("not connected but {other:?}"),
        }
    }

    pub(crate) async fn accepted(&mut self) -> FlowId {
        match self.event().await {
            FlowEvent::Accepted { flow, .. } => flow,
            other => panic!("not accepted but {other:?}"),
        }
    }

    pub(crate) async fn message(&mut self) -> Vec<u8> {
        match self.event().await {
            FlowEvent::Received { frame: Frame::Message(bytes), .. } => bytes.to_vec(),
            other => panic!("no message but {other:?}"),
        }
    }
}

/// A request of a given body length.
pub(crate) fn request(body: usize) -> Vec<u8> {
    let mut bytes = format!(
        "OPTIONS sip:hs1.network.com SIP/2.0\r\nVia: SIP/2.0/TLS c.network.com;branch=z9hG4bK1\r\n\
         From: <sip:alice@network.com>;tag=1\r\nTo: <sip:hs1.network.com>\r\nCall-ID: 1\r\n\
         CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: {body}\r\n\r\n"
    )
    .into_bytes();
    bytes.extend(std::iter::repeat_n(b'x', body));
    bytes
}

const PATIENCE: Duration = Duration::from_secs(20);
