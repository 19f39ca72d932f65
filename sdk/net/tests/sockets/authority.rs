//! A certificate authority for one test.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};

use homing_net::{Roots, TlsServer};

/// Issues certificates as they are needed.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// What one certificate is to say.
#[derive(Clone, Copy, Default)]
pub(crate) struct Wish<'w> {
    pub(crate) uris: &'w [&'w str],
    pub(crate) dns: &'w [&'w str],
    pub(crate) common_name: Option<&'w str>,
    pub(crate) life: Life,
    pub(crate) for_clients_only: bool,
}

/// When a certificate is valid.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Life {
    #[default]
    Now,
    Over,
    NotBegun,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::pem(&self.pem).unwrap()
    }

    /// Certificate and key in PEM form.
    pub(crate) fn issue(&self, wish: Wish<'_>) -> (String, String) {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        if let Some(name) = wish.common_name {
            params.distinguished_name.push(DnType::CommonName, name);
        }
        let uris = wish.uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        let dns = wish.dns.iter().map(|name| SanType::DnsName((*name).try_into().unwrap()));
        params.subject_alt_names = uris.chain(dns).collect();
        let years = match wish.life {
            Life::Now => (2000, 2900),
            Life::Over => (2000, 2001),
            Life::NotBegun => (2900, 2901),
        };
        (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
        if wish.for_clients_only {
            params.extended_key_usages.push(ExtendedKeyUsagePurpose::ClientAuth);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    pub(crate) fn server(&self, wish: Wish<'_>) -> TlsServer {
        let (chain, key) = self.issue(wish);
        TlsServer::from_pem(&chain, &key).unwrap()
    }

    /// A server with one DNS name.
    pub(crate) fn named(&self, name: &str) -> TlsServer {
        self.server(Wish { dns: &[name], ..Wish::default() })
    }
}
