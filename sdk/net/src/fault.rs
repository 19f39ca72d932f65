//! From what the system and TLS report to the closed list of reasons that core knows.

use std::io;

use homing_core::connect::ConnectError;
use homing_core::identity::IdentityError;
use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as TlsError, PeerIncompatible};

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

/// Why a TLS handshake failed.
pub(crate) fn of_tls(error: &TlsError) -> ConnectError {
    match error {
        TlsError::InvalidCertificate(why) => of_certificate(why),
        TlsError::NoCertificatesPresented => ConnectError::BadCertificate,
        TlsError::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | TlsError::AlertReceived(AlertDescription::ProtocolVersion) => ConnectError::TlsVersion,
        _ => ConnectError::Handshake,
    }
}

/// True if the process or the machine ran out of descriptors.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    const WSAEMFILE: i32 = 10024;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE | WSAEMFILE))
}

fn of_certificate(why: &CertificateError) -> ConnectError {
    match why {
        // A signature that does not fit is an issuer of a trusted one's name with another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => ConnectError::UntrustedIssuer,
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => ConnectError::CertificateDate,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            ConnectError::Identity(IdentityError::OtherNames)
        }
        CertificateError::Other(other) => {
            let identity = other.0.downcast_ref::<IdentityError>();
            identity.map_or(ConnectError::BadCertificate, |why| ConnectError::Identity(*why))
        }
        _ => ConnectError::BadCertificate,
    }
}
