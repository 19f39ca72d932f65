//! What happens on a flow, in the words of sockets, agent and estate; what opening one yields: a proof of the
//! peer, or a closed list of reasons why not.

use std::net::SocketAddr;

use bytes::Bytes;
use homing_wire::{Frame, FrameError};
use thiserror::Error;

use crate::dns::DnsError;
use crate::identity::{CertNames, IdentityError};
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
    /// The name that satisfied [`Expected`](crate::identity::Expected).
    pub name: String,
    /// Every name the certificate carries (see [`CertNames::carried`](crate::identity::CertNames::carried)).
    pub names: Vec<String>,
    /// The hash of `tls-server-end-point` (RFC 5929), for channel binding.
    pub end_point_hash: Bytes,
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// Round trips the handshake cost: 1 for TLS 1.3, 2 for TLS 1.2.
    pub round_trips: u8,
}

/// Why a connection could not be used. All of these come before any SIP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The host has no address.
    #[error("its name has no address ({0})")]
    NoAddress(#[source] DnsError),
    /// Refused by the other machine.
    #[error("the connection was refused")]
    ConnectionRefused,
    /// No way there.
    #[error("there is no route to it")]
    Unreachable,
    /// Nobody answered in time.
    #[error("it did not answer the connection attempt in time")]
    Timeout,
    /// The connection closed while it was being opened or used.
    #[error("the connection was closed")]
    Closed,
    /// The TLS handshake failed for other reasons than the certificate.
    #[error("the TLS handshake failed")]
    Handshake,
    /// The server speaks only versions of TLS that RFC 8996 forbids.
    #[error("it speaks no TLS newer than 1.1, which protects nothing")]
    TlsVersion,
    /// The certificate's chain ends in no trusted root.
    #[error("its certificate is signed by nobody this machine trusts")]
    UntrustedIssuer,
    /// The certificate is out of date, or this machine's clock is wrong.
    #[error("its certificate has expired or is not valid yet")]
    CertificateDate,
    /// The certificate is revoked, malformed or not for servers.
    #[error("its certificate is not acceptable")]
    BadCertificate,
    /// The certificate names somebody else.
    #[error("its certificate does not prove its name: {0}")]
    Identity(#[from] IdentityError),
    /// The system refused a socket (descriptors, permissions).
    #[error("this machine refuses another connection")]
    Local,
}

impl ConnectError {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            ConnectError::NoAddress(why) => why.code(),
            ConnectError::ConnectionRefused => "E0501",
            ConnectError::Unreachable => "E0502",
            ConnectError::Timeout => "E0503",
            ConnectError::Closed => "E0504",
            ConnectError::Handshake => "E0505",
            ConnectError::UntrustedIssuer => "E0506",
            ConnectError::CertificateDate => "E0507",
            ConnectError::BadCertificate => "E0508",
            ConnectError::Identity(_) => "E0509",
            ConnectError::Local => "E0510",
            ConnectError::TlsVersion => "E0511",
        }
    }

    /// What the person can do next.
    pub fn hint(self) -> &'static str {
        match self {
            ConnectError::NoAddress(_) => "Check the server's name; `homing resolve` shows every step.",
            ConnectError::ConnectionRefused | ConnectError::Closed => {
                "The server may be restarting; it is tried again by itself."
            }
            ConnectError::Unreachable | ConnectError::Timeout => "Check the network, VPN and firewall.",
            ConnectError::Handshake => "The server may speak no TLS on this port; check port and transport.",
            ConnectError::TlsVersion => "The server's administrator must offer TLS 1.2 or 1.3.",
            ConnectError::UntrustedIssuer => {
                "Install the organisation's certificate authority, or name its file (`network.ca_file`, `--ca-file`)."
            }
            ConnectError::CertificateDate => {
                "Check this machine's clock; else the server's certificate must be renewed."
            }
            ConnectError::BadCertificate => "The server's administrator must replace its certificate.",
            ConnectError::Identity(_) => {
                "The server at this address is another one; check the account's domain and server name."
            }
            ConnectError::Local => "Close some programs, or raise the limit of open files.",
        }
    }

    /// True if TLS itself or the certificate was at fault.
    pub fn is_tls(self) -> bool {
        match self {
            ConnectError::Handshake
            | ConnectError::TlsVersion
            | ConnectError::UntrustedIssuer
            | ConnectError::CertificateDate
            | ConnectError::BadCertificate
            | ConnectError::Identity(_) => true,
            ConnectError::NoAddress(_)
            | ConnectError::ConnectionRefused
            | ConnectError::Unreachable
            | ConnectError::Timeout
            | ConnectError::Closed
            | ConnectError::Local => false,
        }
    }
}
