//! What happens on a flow, in the words of sockets, agent and estate; what opening one yields: a proof of the
//! peer, or a closed list of reasons why not.

use std::net::SocketAddr;

use bytes::Bytes;
use homing_wire::{Frame, FrameFault};
use thiserror::Error;

use crate::certificate::CertificateError;
use crate::dns::ResolveError;
use crate::identity::CertNames;
use crate::ids::FlowId;
use crate::transport::Transport;

/// One thing that happened on a flow.
#[derive(Clone, Debug)]
pub enum FlowEvent {
    /// A peer opened a flow to one of our listeners; for TLS the handshake is done.
    Accepted {
        /// Its name from now on, at or above `homing_net::FIRST_ACCEPTED`.
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
        /// What broke the framing, and where.
        why: FrameFault,
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

impl FlowEvent {
    /// The flow it happened on.
    pub fn flow(&self) -> FlowId {
        match self {
            FlowEvent::Accepted { flow, .. }
            | FlowEvent::Connected { flow, .. }
            | FlowEvent::ConnectFailed { flow, .. }
            | FlowEvent::Received { flow, .. }
            | FlowEvent::Malformed { flow, .. }
            | FlowEvent::Closed { flow, .. } => *flow,
        }
    }
}

/// What TLS proved about the peer, and what binds the login to this connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsProof {
    /// The name that satisfied [`Expected`](crate::identity::Expected); of a pinned certificate the host dialled.
    pub name: String,
    /// True if a pin of the account vouches for the certificate, in place of chain, name and dates.
    pub pinned: bool,
    /// Every name the certificate carries (see [`CertNames::carried`](crate::identity::CertNames::carried)).
    pub names: Vec<String>,
    /// The hash of `tls-server-end-point` (RFC 5929), for channel binding.
    pub end_point_hash: Bytes,
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// Round trips the handshake cost: 1 for TLS 1.3, 2 for TLS 1.2; 2 more where a first server name was refused.
    pub round_trips: u8,
}

/// Why a connection could not be used. All of these come before any SIP answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host has no address, or a rule excludes all it has.
    #[error("its name has no address ({0})")]
    NoAddress(#[source] ResolveError),
    /// Refused by the other machine.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// No way there.
    #[error("there is no route to it")]
    Unreachable,
    /// No answer came in time.
    #[error("it did not answer the connection attempt in time")]
    Timeout,
    /// The connection closed while it was being opened or used.
    #[error("the connection was closed")]
    Closed,
    /// The TLS handshake failed for other reasons than the certificate.
    #[error("the TLS handshake failed: {0}")]
    Handshake(#[source] HandshakeFault),
    /// The server speaks only versions of TLS that RFC 8996 forbids.
    #[error("it speaks no TLS newer than 1.1, which protects nothing")]
    TlsVersion,
    /// The server's certificate breaks a rule; the text says which, and what the certificate says.
    #[error(transparent)]
    Certificate(Box<CertificateError>),
    /// What the peer sent cannot be cut into messages; we closed the connection.
    #[error("what it sent cannot be cut into messages ({0}), so this phone closed the connection")]
    Framing(#[source] FrameFault),
    /// The system refused a socket (descriptors, permissions).
    #[error("this machine refuses another connection")]
    Local,
}

/// What went wrong in a TLS handshake, the certificate apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HandshakeFault {
    /// What the peer sends is no TLS: another protocol on this port.
    #[error("what it sends is not TLS")]
    NotTls,
    /// The peer refused; the number is that of RFC 8446 section 6.
    #[error("it sent the alert {name} ({0})", name = alert_name(*.0))]
    Alert(u8),
    /// The peer hung up.
    #[error("it closed the connection")]
    Closed,
    /// No cipher, group or signature that both sides know.
    #[error("it offers no cipher or key exchange that is known here")]
    NothingInCommon,
    /// The peer broke the protocol.
    #[error("it does not keep to the TLS protocol")]
    Protocol,
}

/// The name of an alert in RFC 8446 section 6 and RFC 6066; the number says the rest.
fn alert_name(alert: u8) -> &'static str {
    match alert {
        10 => "unexpected_message",
        20 => "bad_record_mac",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "without a name here",
    }
}

impl ConnectError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ConnectError::NoAddress(why) => why.code(),
            ConnectError::ConnectionRefused => "E0501",
            ConnectError::Unreachable => "E0502",
            ConnectError::Timeout => "E0503",
            ConnectError::Closed => "E0504",
            ConnectError::Handshake(_) => "E0505",
            ConnectError::Certificate(error) => error.rule.code(),
            ConnectError::Local => "E0510",
            ConnectError::TlsVersion => "E0511",
            ConnectError::Framing(_) => "E0513",
        }
    }

    /// What the person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ConnectError::NoAddress(ResolveError::Dns(_)) => {
                "Check the server's name; `homing resolve` shows every step."
            }
            ConnectError::NoAddress(why) => why.hint(),
            ConnectError::ConnectionRefused | ConnectError::Closed => {
                "The server may be restarting; it is tried again by itself."
            }
            ConnectError::Unreachable | ConnectError::Timeout => "Check the network, VPN and firewall.",
            ConnectError::Handshake(HandshakeFault::Alert(_) | HandshakeFault::NothingInCommon) => {
                "Show the alert to the server's administrator; its log says what it did not like."
            }
            ConnectError::Handshake(_) => {
                "The server may speak no TLS on this port; check port and transport."
            }
            ConnectError::TlsVersion => "The server's administrator must offer TLS 1.2 or 1.3.",
            ConnectError::Certificate(error) => error.rule.hint(),
            ConnectError::Framing(_) => "The server has a fault; show its administrator the trace.",
            ConnectError::Local => "Close some programs, or raise the limit of open files.",
        }
    }

    /// True if TLS itself or the certificate was at fault.
    pub fn is_tls(&self) -> bool {
        match self {
            ConnectError::Handshake(_) | ConnectError::TlsVersion | ConnectError::Certificate(_) => true,
            ConnectError::NoAddress(_)
            | ConnectError::ConnectionRefused
            | ConnectError::Unreachable
            | ConnectError::Timeout
            | ConnectError::Closed
            | ConnectError::Framing(_)
            | ConnectError::Local => false,
        }
    }
}
