//! The verdict on a server's certificate, given inside the handshake: the pin, or the chain and then the name.

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;

use homing_core::certificate::{CertificateError, CertificateRule};
use homing_core::identity::{Expected, accepts};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::verify_server_cert_signed_by_trust_anchor;
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError as TlsCertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use crate::roots::Roots;
use crate::{certificate, fault};

/// Accepts a server that proves the one expectation this was made for: by a pinned certificate; by a
/// self-signed one that the CA file holds; else by a chain to the roots. The last two must carry the name and
/// be in date.
///
/// The name rules are those of RFC 5922, not those of the web: rustls's own check is not asked.
#[derive(Debug)]
pub(crate) struct Verifier {
    expected: Expected,
    roots: Roots,
    store: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// What a certificate proved.
#[derive(Debug)]
pub(crate) struct Verified {
    /// The name that satisfied the expectation; for a pinned certificate the name dialled.
    pub(crate) name: String,
    /// Every name it carries.
    pub(crate) names: Vec<String>,
    /// True if a pin vouches for it, in place of chain, name and dates.
    pub(crate) pinned: bool,
}

/// Why a certificate was refused, with what TLS says to the peer about it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: CertificateError,
    /// True if the certificate carries an accepted name, whatever else is wrong with it.
    pub(crate) is_named: bool,
    told: Error,
}

tokio::task_local! {
    /// The refusal of the handshake that is running: rustls keeps only the kind of it.
    static REFUSED: RefCell<Option<Refusal>>;
}

/// Runs a handshake and gives its outcome together with the verifier's refusal, if it refused.
pub(crate) async fn with_refusal<T>(handshake: impl Future<Output = T>) -> (T, Option<Refusal>) {
    REFUSED
        .scope(RefCell::new(None), async {
            let outcome = handshake.await;
            (outcome, REFUSED.with(RefCell::take))
        })
        .await
}

impl Verifier {
    pub(crate) fn new(
        expected: Expected,
        roots: Roots,
        store: Arc<RootCertStore>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self { expected, roots, store, algorithms }
    }

    /// What this chain proves now.
    pub(crate) fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Verified, Box<Refusal>> {
        let names = certificate::names(end_entity);
        if let Some(pins) = self.expected.pins() {
            if !pins.contains(&certificate::fingerprint(end_entity)) {
                let told = TlsCertificateError::ApplicationVerificationFailure.into();
                return Err(self.refusal(end_entity, CertificateRule::NotPinned, told));
            }
            let names = names.map(|names| names.carried()).unwrap_or_default();
            return Ok(Verified { name: self.expected.server_name().to_owned(), names, pinned: true });
        }
        self.check_chain(end_entity, intermediates, now).map_err(|error| {
            let rule = match &error {
                Error::InvalidCertificate(why) => fault::rule_of(why, Some(end_entity.as_ref())),
                _ => certificate::broken_rule(end_entity),
            };
            self.refusal(end_entity, rule, error)
        })?;
        let unreadable = || {
            let told = TlsCertificateError::BadEncoding.into();
            self.refusal(end_entity, CertificateRule::Unacceptable, told)
        };
        let names = names.ok_or_else(unreadable)?;
        match accepts(&self.expected, &names) {
            Ok(name) => Ok(Verified { name, names: names.carried(), pinned: false }),
            Err(why) => {
                let rule = CertificateRule::Identity { expected: self.expected.to_string(), why };
                let told = Error::InvalidCertificate(TlsCertificateError::Other(OtherError(Arc::new(why))));
                Err(self.refusal(end_entity, rule, told))
            }
        }
    }

    /// The chain to a root; a self-signed certificate may stand in the CA file itself, also as `openssl req
    /// -x509` makes it, with CA:TRUE.
    fn check_chain(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        if self.roots.lists(end_entity) && certificate::is_self_issued(end_entity) {
            return match certificate::out_of_date(end_entity, now.as_secs()) {
                None => Ok(()),
                Some(CertificateRule::NotYetValid) => Err(TlsCertificateError::NotValidYet.into()),
                Some(_) => Err(TlsCertificateError::Expired.into()),
            };
        }
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.store,
            intermediates,
            now,
            self.algorithms.all,
        )
    }

    fn refusal(&self, end_entity: &CertificateDer<'_>, rule: CertificateRule, told: Error) -> Box<Refusal> {
        let is_named =
            certificate::names(end_entity).is_some_and(|names| accepts(&self.expected, &names).is_ok());
        let error = CertificateError { rule, certificate: certificate::summary(end_entity) };
        Box::new(Refusal { error, is_named, told })
    }

    /// A signature inside the handshake proves that the peer holds the key; pins do not replace it.
    fn holds_key<T>(&self, end_entity: &CertificateDer<'_>, proof: Result<T, Error>) -> Result<T, Error> {
        proof.map_err(|told| keep(self.refusal(end_entity, CertificateRule::NoKey, told)))
    }
}

/// Keeps the refusal for who dials, and gives what rustls is to tell the peer.
fn keep(refusal: Box<Refusal>) -> Error {
    let told = refusal.told.clone();
    // It is read during a dial only.
    let _ = REFUSED.try_with(|kept| kept.replace(Some(*refusal)));
    told
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
        self.judge(end_entity, intermediates, now).map(|_| ServerCertVerified::assertion()).map_err(keep)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.holds_key(cert, verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.holds_key(cert, verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
    use tokio_rustls::rustls::crypto::ring;

    use super::*;

    /// A resumed session brings its old certificate along; it counts only while it is valid. A certificate in
    /// the CA file is held to its dates too.
    #[test]
    fn the_verdict_depends_on_the_day() {
        for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
            let mut params = CertificateParams::new(["hs1.network.com".to_owned()]).unwrap();
            (params.not_before, params.not_after) = (date_time_ymd(2024, 1, 1), date_time_ymd(2025, 1, 1));
            params.is_ca = is_ca;
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let roots = Roots::pem(&certificate.pem()).unwrap();
            let algorithms = ring::default_provider().signature_verification_algorithms;
            let (expected, store) = (Expected::host("hs1.network.com"), roots.store());
            let verifier = Verifier::new(expected, roots, store, algorithms);
            let on = |seconds| {
                let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
                let verdict = verifier.judge(certificate.der(), &[], now);
                verdict.map(|verified| verified.name).map_err(|refusal| refusal.error.rule)
            };
            assert_eq!(on(1_718_000_000), Ok("hs1.network.com".to_owned()), "June 2024");
            assert_eq!(on(1_750_000_000), Err(CertificateRule::Expired), "June 2025");
            assert_eq!(on(1_690_000_000), Err(CertificateRule::NotYetValid), "July 2023");
        }
    }
}
