//! A scripted registrar on a socket, and what it saw.

use std::net::UdpSocket;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use homing_net::{FlowEvent, NetConfig, Sockets, TlsServer, Transport};
use homing_wire::{Frame, Message};

use super::server::{Registrar, asks_for_nothing};

/// A registrar that answers until this is dropped.
pub(super) struct Listening {
    pub(super) port: u16,
    played: Arc<Mutex<Registrar>>,
    _runtime: tokio::runtime::Runtime,
}

/// How it listens.
pub(super) struct Manner {
    pub(super) transport: Transport,
    pub(super) tls: Option<TlsServer>,
    /// A datagram is answered from another port of the same address.
    pub(super) from_another_port: bool,
}

impl Listening {
    pub(super) fn start(registrar: Registrar, manner: Manner) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime starts");
        let Manner { transport, tls, from_another_port } = manner;
        let mut sockets = runtime.block_on(async { Sockets::new(NetConfig::default()) });
        let listener = runtime.block_on(async { sockets.listen(([127, 0, 0, 1], 0).into(), transport, tls) });
        let listener = listener.expect("a port of loopback");
        let port = listener.local_addr().port();
        let played = Arc::new(Mutex::new(registrar));
        let registrar = Arc::clone(&played);
        let other = from_another_port.then(|| UdpSocket::bind("127.0.0.1:0").expect("another port"));
        runtime.spawn(async move {
            let _listener = listener;
            let (begun, mut peers) = (Instant::now(), std::collections::BTreeMap::new());
            loop {
                match sockets.next().await {
                    FlowEvent::Accepted { flow, peer, .. } => {
                        peers.insert(flow, peer);
                    }
                    FlowEvent::Received { flow, frame: Frame::Ping } => sockets.send(flow, "\r\n".into()),
                    FlowEvent::Received { flow, frame: Frame::Message(bytes) } => {
                        let Ok(request) = Message::parse(bytes) else { continue };
                        let mut registrar = registrar.lock().unwrap_or_else(PoisonError::into_inner);
                        let answer = registrar.answer(&request, "", begun.elapsed());
                        match (answer, &other, peers.get(&flow)) {
                            (Some(text), Some(other), Some(peer)) => {
                                other.send_to(text.as_bytes(), peer).expect("it is loopback");
                            }
                            (Some(text), ..) => sockets.send(flow, text.into()),
                            (None, ..) => {}
                        }
                    }
                    _ => {}
                }
            }
        });
        Self { port, played, _runtime: runtime }
    }

    /// What `look` finds in all that it saw.
    pub(super) fn saw<T>(&self, look: impl FnOnce(&Registrar) -> T) -> T {
        look(&self.played.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// True once the last REGISTER it saw ended the binding, and it took that.
    pub(super) fn is_signed_out(&self) -> bool {
        self.saw(|registrar| {
            let last = registrar.seen.last();
            last.is_some_and(|seen| asks_for_nothing(&seen.request) && seen.status == Some(200))
        })
    }

    /// How many REGISTERs it granted.
    pub(super) fn granted(&self) -> usize {
        self.saw(|registrar| registrar.seen.iter().filter(|seen| seen.status == Some(200)).count())
    }
}
