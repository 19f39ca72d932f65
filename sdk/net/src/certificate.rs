//! Reading a certificate: the names it carries, what it says to people, and the hash that binds a login to it.

use std::net::{Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use homing_core::certificate::{CertificateRule, CertificateSummary};
use homing_core::fingerprint::Fingerprint;
use homing_core::identity::CertNames;
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Version;

/// The names of a certificate in DER; none if it cannot be read.
pub(crate) fn names(der: &[u8]) -> Option<CertNames> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut names = CertNames::default();
    if let Some(alternatives) = certificate.subject_alternative_name().ok()? {
        for name in &alternatives.value.general_names {
            match name {
                GeneralName::URI(uri) => names.uris.push((*uri).to_owned()),
                GeneralName::DNSName(dns) => names.dns.push((*dns).to_owned()),
                GeneralName::IPAddress(octets) => names.ips.extend(address(octets)),
                _ => {}
            }
        }
    }
    let common_names = certificate.subject().iter_common_name();
    names.common_names.extend(common_names.filter_map(|name| Some(name.as_str().ok()?.to_owned())));
    Some(names)
}

/// The hash that `pin_sha256` lists.
pub(crate) fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint(Sha256::digest(der).into())
}

/// What a certificate in DER says; none if it cannot be read.
pub(crate) fn summary(der: &[u8]) -> Option<CertificateSummary> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = names(der).unwrap_or_default();
    let mut shown: Vec<String> = [names.uris, names.dns, names.ips].concat();
    if shown.is_empty() {
        shown = names.common_names;
    }
    let (subject, issuer) = (certificate.subject().to_string(), certificate.issuer().to_string());
    let validity = certificate.validity();
    let summary = CertificateSummary::new(&subject, &issuer, &shown, fingerprint(der));
    Some(summary.valid(&moment(&validity.not_before), &moment(&validity.not_after)))
}

/// True if holder and issuer are the same.
pub(crate) fn is_self_issued(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| certificate.subject() == certificate.issuer())
}

/// The rule about dates that a certificate breaks at this moment, in seconds of Unix time.
pub(crate) fn out_of_date(der: &[u8], now: u64) -> Option<CertificateRule> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Some(CertificateRule::Unacceptable);
    };
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let validity = certificate.validity();
    if now < validity.not_before.timestamp() {
        Some(CertificateRule::NotYetValid)
    } else if now > validity.not_after.timestamp() {
        Some(CertificateRule::Expired)
    } else {
        None
    }
}

/// The rule behind a refusal for which TLS has no name of its own.
pub(crate) fn broken_rule(der: &[u8]) -> CertificateRule {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return CertificateRule::Unacceptable };
    if certificate.version() != X509Version::V3 {
        CertificateRule::Version
    } else if certificate.is_ca() {
        CertificateRule::CaForServer
    } else {
        CertificateRule::Unacceptable
    }
}

/// `2025-01-31 23:59 UTC`.
fn moment(time: &ASN1Time) -> String {
    let time = time.to_datetime();
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02} UTC",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute()
    )
}

/// The `tls-server-end-point` hash (RFC 5929 section 4.1): the hash of the certificate's own signature
/// algorithm, SHA-256 where that is weaker or names none.
pub(crate) fn end_point_hash(der: &[u8]) -> Bytes {
    match signature_hash(der) {
        SignatureHash::Sha384 => Bytes::copy_from_slice(&Sha384::digest(der)),
        SignatureHash::Sha512 => Bytes::copy_from_slice(&Sha512::digest(der)),
        SignatureHash::Sha256 => Bytes::copy_from_slice(&Sha256::digest(der)),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignatureHash {
    Sha256,
    Sha384,
    Sha512,
}

fn signature_hash(der: &[u8]) -> SignatureHash {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return SignatureHash::Sha256 };
    let algorithm = &certificate.signature_algorithm;
    let pss_hash = match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(pss)) => Some(pss.hash_algorithm_oid().to_id_string()),
        _ => None,
    };
    match pss_hash.unwrap_or_else(|| algorithm.algorithm.to_id_string()).as_str() {
        SHA384 | RSA_SHA384 | ECDSA_SHA384 => SignatureHash::Sha384,
        SHA512 | RSA_SHA512 | ECDSA_SHA512 => SignatureHash::Sha512,
        _ => SignatureHash::Sha256,
    }
}

fn address(octets: &[u8]) -> Option<String> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(Ipv4Addr::from(four).to_string());
    }
    <[u8; 16]>::try_from(octets).ok().map(|sixteen| Ipv6Addr::from(sixteen).to_string())
}

const SHA384: &str = "2.16.840.1.101.3.4.2.2";
const SHA512: &str = "2.16.840.1.101.3.4.2.3";
const RSA_SHA384: &str = "1.2.840.113549.1.1.12";
const RSA_SHA512: &str = "1.2.840.113549.1.1.13";
const ECDSA_SHA384: &str = "1.2.840.10045.4.3.3";
const ECDSA_SHA512: &str = "1.2.840.10045.4.3.4";

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519,
        SanType,
    };

    use super::*;

    #[test]
    fn the_hash_is_that_of_the_signature_and_never_weaker_than_sha_256() {
        for (algorithm, length) in
            [(&PKCS_ECDSA_P256_SHA256, 32), (&PKCS_ECDSA_P384_SHA384, 48), (&PKCS_ED25519, 32)]
        {
            let key = KeyPair::generate_for(algorithm).unwrap();
            let der = CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
            let hash = end_point_hash(&der);
            assert_eq!(hash.len(), length);
            if length == 48 {
                assert_eq!(hash[..], Sha384::digest(&der)[..]);
            } else {
                assert_eq!(hash[..], Sha256::digest(&der)[..]);
            }
        }
        assert_eq!(end_point_hash(b"no certificate").len(), 32);
    }

    #[test]
    fn every_kind_of_name_is_read() {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "hs1");
        params.subject_alt_names = vec![
            SanType::URI("sip:network.com".try_into().unwrap()),
            SanType::DnsName("hs1.network.com".try_into().unwrap()),
            SanType::IpAddress([192, 0, 2, 1].into()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
            SanType::Rfc822Name("alice@network.com".try_into().unwrap()),
        ];
        let der = params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec();
        let found = names(&der).unwrap();
        assert_eq!(found.uris, ["sip:network.com"]);
        assert_eq!(found.dns, ["hs1.network.com"]);
        assert_eq!(found.ips, ["192.0.2.1", "2001:db8::1"]);
        assert!(found.common_names.contains(&"hs1".to_owned()));
        assert!(names(b"no certificate").is_none());
    }
}
