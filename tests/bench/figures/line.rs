//! One flow to a server, with a window of requests in flight on it.

use bytes::Bytes;
use homing_net::{Dial, Expected, FlowEvent, FlowId, NetConfig, Roots, Sockets, TlsClient};
use homing_wire::{Frame, Message};

use homing::Transport;

use crate::{Fallible, Peer};

/// The flow.
pub(crate) struct Line {
    sockets: Sockets,
}

impl Line {
    pub(crate) async fn open(peer: &dyn Peer, transport: Transport) -> Fallible<Self> {
        let mut sockets = Sockets::new(NetConfig::default());
        let tls = TlsClient::new(Roots::pem(peer.ca_pem())?);
        dial(&mut sockets, &tls, peer, transport, FLOW);
        match sockets.next().await {
            FlowEvent::Connected { .. } => Ok(Self { sockets }),
            other => Err(format!("no connection: {other:?}").into()),
        }
    }

    /// Sends requests at once and gives as many final answers, in the order they came.
    pub(crate) async fn exchange(&mut self, requests: Vec<Bytes>) -> Fallible<Vec<Message>> {
        let mut answers = Vec::with_capacity(requests.len());
        let awaited = requests.len();
        requests.into_iter().for_each(|request| self.sockets.send(FLOW, request));
        while answers.len() < awaited {
            match self.sockets.next().await {
                FlowEvent::Received { frame: Frame::Message(bytes), .. } => {
                    let message = Message::parse(bytes)?;
                    if message.status().is_some_and(|status| status >= 200) {
                        answers.push(message);
                    }
                }
                FlowEvent::Received { .. } => {}
                other => return Err(format!("the connection broke: {other:?}").into()),
            }
        }
        Ok(answers)
    }
}

/// Begins a flow to a server that, over TLS, has to prove the name of our home server.
pub(crate) fn dial(
    sockets: &mut Sockets,
    tls: &TlsClient,
    peer: &dyn Peer,
    transport: Transport,
    flow: FlowId,
) {
    let identity = Expected::host(HOST);
    let address = peer.address(transport);
    sockets.connect(Dial { flow, address, transport, identity }, tls);
}

/// The name every measured server shows.
pub(crate) const HOST: &str = "hs1.network.com";
const FLOW: FlowId = FlowId(1);
