//! The estate's own certificate authority: made at start, or kept by who runs the estate.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio_rustls::rustls::RootCertStore;

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
    /// In PEM, with the names a client checks.
    pub certificate_pem: String,
    /// The private key, PEM.
    pub key_pem: String,
    /// SHA-256 of the certificate: `tls-server-end-point` of RFC 5929.
    pub end_point_hash: [u8; 32],
}

/// A certificate could not be made, or an authority not be used again.
#[derive(Debug, Error)]
pub enum CaError {
    /// The library refused.
    #[error("a certificate could not be made: {0}")]
    Make(#[from] rcgen::Error),
    /// The certificate is none of this key and domain.
    #[error("the certificate is not the one of this key for `{0}`")]
    Mismatch(String),
}

impl Authority {
    /// A new authority for `domain`, for as long as the estate runs. It may sign for any name, as tests of wrong names need.
    ///
    /// # Errors
    /// [`CaError`] if the machine yields no randomness or `domain` is no text for a certificate.
    pub fn new(domain: &str) -> Result<Self, CaError> {
        Self::of(params(domain)?, KeyPair::generate()?)
    }

    /// An authority with the private key `key` (PEM), or a new one: to be kept. It signs for `domain`, what is below it
    /// and no address (RFC 5280 section 4.2.1.10): whoever trusts it trusts it with nothing else.
    ///
    /// # Errors
    /// [`CaError`] if `key` cannot be read or `domain` is no text for a certificate.
    pub fn constrained(domain: &str, key: Option<&str>) -> Result<Self, CaError> {
        let key = key.map_or_else(KeyPair::generate, KeyPair::from_pem)?;
        let mut params = params(domain)?;
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(domain.to_owned())],
            excluded_subtrees: vec![
                GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
                GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
            ],
        });
        Self::of(params, key)
    }

    /// The same authority under the certificate `pem`, which clients may hold already.
    ///
    /// # Errors
    /// [`CaError::Mismatch`] if that is the certificate of another key or domain.
    pub fn known_by(mut self, pem: &str, domain: &str) -> Result<Self, CaError> {
        let own = params(domain)?.self_signed(self.issuer.key())?.pem();
        let known = subject_and_key(pem);
        if known.is_none() || known != subject_and_key(&own) {
            return Err(CaError::Mismatch(domain.to_owned()));
        }
        self.pem = pem.to_owned();
        Ok(self)
    }

    fn of(params: CertificateParams, key: KeyPair) -> Result<Self, CaError> {
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// The private key, PEM.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
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

/// The subject's name and public key, as they are encoded; none where that is no certificate.
fn subject_and_key(pem: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let mut roots = RootCertStore::empty();
    roots.add(der).ok()?;
    let anchor = roots.roots.pop()?;
    Some((anchor.subject.to_vec(), anchor.subject_public_key_info.to_vec()))
}

fn params(domain: &str) -> Result<CertificateParams, CaError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name.push(DnType::CommonName, common_name(domain));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn common_name(domain: &str) -> String {
    format!("Homing estate CA for {domain}")
}

/// Whole seconds: certificates know no fractions.
fn since_epoch(moment: SystemTime) -> Duration {
    let since = moment.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    Duration::from_secs(since.as_secs())
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls_pki_types::{ServerName, UnixTime};
    use tokio_rustls::rustls::client::WebPkiServerVerifier;
    use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
    use tokio_rustls::rustls::crypto::ring;

    use super::*;

    /// Whether a client that trusts the authority takes a certificate it gave to `name`.
    fn is_taken(authority: &Authority, name: &'static str) -> bool {
        let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        let leaf = authority.server(name, name, &Certificate::default()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(der(authority.pem())).unwrap();
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let name = ServerName::try_from(name).unwrap();
        verifier.verify_server_cert(&der(&leaf.certificate_pem), &[], &name, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn a_certificate_that_is_kept_is_of_this_key_and_this_domain_alone() {
        let own = Authority::constrained("network.com", None).unwrap();
        let key = own.key_pem();
        let again = |domain: &str| Authority::constrained(domain, Some(&key)).unwrap();
        for domain in ["network.community", "a.network.com", "network.co"] {
            let other = again(domain);
            assert!(again("network.com").known_by(other.pem(), "network.com").is_err(), "{domain}");
            assert!(again(domain).known_by(own.pem(), domain).is_err(), "{domain}");
        }
        let stranger = Authority::constrained("network.com", None).unwrap();
        assert!(again("network.com").known_by(stranger.pem(), "network.com").is_err(), "another key");
        assert!(again("network.com").known_by("no certificate", "network.com").is_err());
        assert_eq!(again("network.com").known_by(own.pem(), "network.com").unwrap().pem(), own.pem());
    }

    #[test]
    fn an_authority_that_is_kept_is_worth_nothing_outside_its_domain() {
        let kept = Authority::constrained("network.com", None).unwrap();
        let free = Authority::new("network.com").unwrap();
        for (name, inside) in [
            ("network.com", true),
            ("hs102.network.com", true),
            ("hs102.other.com", false),
            ("evilnetwork.com", false),
            ("192.0.2.1", false),
        ] {
            assert!(is_taken(&free, name), "{name}");
            assert_eq!(is_taken(&kept, name), inside, "{name}");
        }
    }
}
