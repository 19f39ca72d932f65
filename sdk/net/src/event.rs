//! What happens on the sockets, in the order in which it happened on each connection.

use std::net::SocketAddr;

use bytes::Bytes;
use homing_core::connect::{ConnectError, TlsProof};
use homing_core::identity::CertNames;
use homing_core::ids::FlowId;
use homing_core::transport::Transport;
use homing_wire::{Frame, FrameError};

/// One thing that happened on a flow.
#[derive(Clone, Debug)]
pub enum NetEvent {
    /// A peer opened a flow to one of our listeners; for TLS the handshake is done.
    Accepted {
        /// Its name from now on, at or above [`FIRST_ACCEPTED`](crate::FIRST_ACCEPTED).
        flow: FlowId,
        /// Our end.
        local: SocketAddr,
        /// The other end.
        peer: SocketAddr,
        /// By which transport.
        transport: Transport,
        /// The names of the client's certificate, if it showed one and its chain was verified.
        client_names: Option<CertNames>,
    },
    /// A dialled flow is open; for TLS the peer is verified.
    Connected {
        /// As named in the `Dial`.
        flow: FlowId,
        /// Our end.
        local: SocketAddr,
        /// The other end.
        peer: SocketAddr,
        /// What TLS proved; none without TLS.
        proof: Option<TlsProof>,
    },
    /// A dialled flow could not be opened.
    ConnectFailed {
        /// As named in the `Dial`.
        flow: FlowId,
        /// The first failure: of the connection, of TLS, or of the time limit.
        why: ConnectError,
    },
    /// Something whole arrived.
    Received {
        /// On which flow.
        flow: FlowId,
        /// A message, a keep-alive or a STUN datagram; a message is not parsed yet.
        frame: Frame,
    },
    /// A stream can no longer be cut into messages. Nothing more is read; what is sent at once still
    /// goes out (a 400, RFC 3261 section 18.3), then `Closed` follows.
    Malformed {
        /// On which flow.
        flow: FlowId,
        /// What broke the framing.
        why: FrameError,
        /// The head of the message that broke it, if it came whole: what a 400 answers.
        head: Option<Bytes>,
    },
    /// A flow that was open is gone. It does not follow a `close` or `cut` of our own.
    Closed {
        /// A flow that was told as `Accepted` or `Connected`.
        flow: FlowId,
        /// What ended it; `Closed` where the peer did.
        why: ConnectError,
    },
}

impl NetEvent {
    /// The flow it happened on.
    pub fn flow(&self) -> FlowId {
        match self {
            NetEvent::Accepted { flow, .. }
            | NetEvent::Connected { flow, .. }
            | NetEvent::ConnectFailed { flow, .. }
            | NetEvent::Received { flow, .. }
            | NetEvent::Malformed { flow, .. }
            | NetEvent::Closed { flow, .. } => *flow,
        }
    }
}
