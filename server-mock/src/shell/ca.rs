//! The estate's own certificate authority: made at start, never written to disk.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A certificate authority for one estate.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// What the certificate of a server says: the right names for all of time, unless told otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    names: Option<Vec<String>>,
    valid: Option<(SystemTime, SystemTime)>,
}

/// A leaf with its private key.
pub struct Leaf {
    /// The certificate, PEM.
    pub certificate_pem: String,
    /// The private key, PEM.
    pub key_pem: String,
    /// SHA-256 of the certificate: `tls-server-end-point` of RFC 5929.
    pub end_point_hash: [u8; 32],
}

/// A certificate could not be made.
#[derive(Debug, Error)]
#[error("a certificate could not be made: {0}")]
pub struct CaError(#[from] rcgen::Error);

impl Authority {
    /// A new authority for `domain`.
    ///
    /// # Errors
    /// [`CaError`] if the machine yields no randomness or `domain` is no text for a certificate.
    pub fn new(domain: &str) -> Result<Self, CaError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, format!("Homing estate CA for {domain}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// The authority's certificate, which a client must trust.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A leaf for a server of `domain` named `fqdn`, good as server and as client: where `certificate` does
    /// not say otherwise it names the SIP domain (RFC 5922) and the host (strict naming).
    ///
    /// # Errors
    /// [`CaError`] if a name is not ASCII.
    pub fn server(&self, fqdn: &str, domain: &str, certificate: &Certificate) -> Result<Leaf, CaError> {
        let right = [fqdn.to_owned(), domain.to_owned()];
        let names = certificate.names.as_deref().unwrap_or(&right);
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, names.first().map_or("nobody", String::as_str));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if let Some((from, until)) = certificate.valid {
            let epoch = date_time_ymd(1970, 1, 1);
            (params.not_before, params.not_after) = (epoch + since_epoch(from), epoch + since_epoch(until));
        }
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Leaf {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            end_point_hash: Sha256::digest(certificate.der()).into(),
        })
    }
}

impl Certificate {
    /// Names exactly these hosts or domains.
    #[must_use]
    pub fn naming<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Is valid from then until then, to the second.
    #[must_use]
    pub fn valid_between(mut self, from: SystemTime, until: SystemTime) -> Self {
        self.valid = Some((from, until));
        self
    }

    /// Ended an hour ago, by the clock of this machine.
    pub fn expired() -> Self {
        let now = SystemTime::now();
        Self::default().valid_between(now - DAY, now - HOUR)
    }

    /// Begins in an hour, by the clock of this machine.
    pub fn not_yet_valid() -> Self {
        let now = SystemTime::now();
        Self::default().valid_between(now + HOUR, now + DAY)
    }
}

/// Whole seconds: certificates know no fractions.
fn since_epoch(moment: SystemTime) -> Duration {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Duration::from_secs(since.as_secs())
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
