//! From what the system and TLS report to the closed list of reasons that core knows.

use std::io;

use homing_core::certificate::{CertificateError, CertificateRule};
use homing_core::connect::{ConnectError, HandshakeFault};
use tokio_rustls::rustls::{
    AlertDescription, CertificateError as TlsCertificateError, Error as TlsError, PeerIncompatible,
};

/// Why a socket could not be opened, or broke.
pub(crate) fn of_io(error: &io::Error) -> ConnectError {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        return of_tls(tls);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ConnectError::ConnectionRefused,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => {
            ConnectError::Unreachable
        }
        io::ErrorKind::TimedOut => ConnectError::Timeout,
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::AddrInUse
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::OutOfMemory => ConnectError::Local,
        _ if is_exhausted(error) => ConnectError::Local,
        _ => ConnectError::Closed,
    }
}

/// Why TLS failed.
pub(crate) fn of_tls(error: &TlsError) -> ConnectError {
    match error {
        TlsError::InvalidCertificate(why) => unread(rule_of(why, None)),
        TlsError::NoCertificatesPresented => unread(CertificateRule::Missing),
        TlsError::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | TlsError::AlertReceived(AlertDescription::ProtocolVersion) => ConnectError::TlsVersion,
        TlsError::AlertReceived(alert) => ConnectError::Handshake(HandshakeFault::Alert(u8::from(*alert))),
        TlsError::PeerIncompatible(_) => ConnectError::Handshake(HandshakeFault::NothingInCommon),
        TlsError::InvalidMessage(_) => ConnectError::Handshake(HandshakeFault::NotTls),
        _ => ConnectError::Handshake(HandshakeFault::Protocol),
    }
}

/// The rule a certificate breaks, in the words of core; the certificate helps where TLS has no word.
pub(crate) fn rule_of(why: &TlsCertificateError, certificate: Option<&[u8]>) -> CertificateRule {
    let self_issued = certificate.is_some_and(crate::certificate::is_self_issued);
    match why {
        TlsCertificateError::UnknownIssuer if self_issued => CertificateRule::SelfSigned,
        TlsCertificateError::UnknownIssuer => CertificateRule::UntrustedIssuer,
        TlsCertificateError::BadSignature => CertificateRule::BadSignature,
        TlsCertificateError::Expired | TlsCertificateError::ExpiredContext { .. } => CertificateRule::Expired,
        TlsCertificateError::NotValidYet | TlsCertificateError::NotValidYetContext { .. } => {
            CertificateRule::NotYetValid
        }
        TlsCertificateError::InvalidPurpose | TlsCertificateError::InvalidPurposeContext { .. } => {
            CertificateRule::Purpose
        }
        TlsCertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | TlsCertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            CertificateRule::Algorithm
        }
        _ => certificate.map_or(CertificateRule::Unacceptable, crate::certificate::broken_rule),
    }
}

fn unread(rule: CertificateRule) -> ConnectError {
    ConnectError::Certificate(Box::new(CertificateError::unread(rule)))
}

/// True if the process or the machine ran out of descriptors.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const WSAEMFILE: i32 = 10024;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE | WSAEMFILE))
}
