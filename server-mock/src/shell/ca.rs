//! The estate's own certificate authority: made at start, never written to disk.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A certificate authority for one estate.
pub struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
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

    /// A leaf for a server of `domain` named `fqdn`, good as server and as client: it names the SIP
    /// domain (RFC 5922) and the host (strict naming).
    ///
    /// # Errors
    /// [`CaError`] if a name is not ASCII.
    pub fn server(&self, fqdn: &str, domain: &str) -> Result<Leaf, CaError> {
        self.leaf(fqdn, &[SanType::DnsName(fqdn.try_into()?), SanType::DnsName(domain.try_into()?)])
    }

    /// A leaf that names exactly `names`, for tests of wrong certificates.
    ///
    /// # Errors
    /// [`CaError`] if a name is not ASCII.
    pub fn named(&self, names: &[&str]) -> Result<Leaf, CaError> {
        let sans = names.iter().map(|name| Ok(SanType::DnsName((*name).try_into()?)));
        let sans = sans.collect::<Result<Vec<_>, rcgen::Error>>()?;
        self.leaf(names.first().copied().unwrap_or("nobody"), &sans)
    }

    fn leaf(&self, name: &str, sans: &[SanType]) -> Result<Leaf, CaError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.subject_alt_names = sans.to_vec();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Leaf {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            end_point_hash: Sha256::digest(certificate.der()).into(),
        })
    }
}
