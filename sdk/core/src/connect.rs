//! What opening a connection yields: a proof of the peer, or a closed list of reasons why not.

use bytes::Bytes;
use thiserror::Error;

use crate::dns::DnsError;
use crate::identity::IdentityError;

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
