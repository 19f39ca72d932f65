//! The verdict on a server's certificate, given inside the handshake: first the chain, then the name.

use std::sync::Arc;

use homing_core::identity::{Expected, IdentityError, accepts};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use crate::certificate;

/// Accepts a server that chains to the roots and proves the one expectation it was made for.
///
/// The name rules are those of RFC 5922, not those of the web: rustls's own check is not asked.
#[derive(Debug)]
pub(crate) struct Verifier {
    expected: Expected,
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(crate) fn new(
        expected: Expected,
        roots: Arc<RootCertStore>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { expected, roots, algorithms }
    }

    /// The name by which this chain satisfies the expectation now, and all it carries.
    pub(crate) fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(String, Vec<String>), Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        let names =
            certificate::names(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let name = accepts(&self.expected, &names).map_err(as_tls_error)?;
        Ok((name, names.carried()))
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end_entity, intermediates, now).map(|_| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn as_tls_error(why: IdentityError) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(why))))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tokio_rustls::rustls::crypto::ring;

    use super::*;
    use crate::fault;
    use homing_core::connect::ConnectError;

    /// A resumed session brings its old certificate along; it counts only while it is valid.
    #[test]
    fn the_verdict_depends_on_the_day() {
        let mut params = CertificateParams::new(["hs1.network.com".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2025, 1, 1));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let algorithms = ring::default_provider().signature_verification_algorithms;
        let verifier = Verifier::new(Expected::host("hs1.network.com"), Arc::new(roots), algorithms);
        let on = |seconds| {
            let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            let verdict = verifier.judge(certificate.der(), &[], now);
            verdict.map(|(name, _)| name).map_err(|error| fault::of_tls(&error))
        };
        assert_eq!(on(1_718_000_000), Ok("hs1.network.com".to_owned()), "June 2024");
        assert_eq!(on(1_750_000_000), Err(ConnectError::CertificateDate), "June 2025");
        assert_eq!(on(1_690_000_000), Err(ConnectError::CertificateDate), "July 2023");
    }
}
