//! Whom a chain of certificates may end in: the platform's roots, roots given as PEM, or both.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;
use tokio_rustls::rustls::RootCertStore;

/// Trusted roots. Those of the platform are read at the first use, not before.
#[derive(Clone)]
pub struct Roots(Arc<Inner>);

/// Why text is not usable as certificates or keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PemError {
    /// It contains no certificate.
    #[error("there is no certificate in PEM form in it")]
    NoCertificate,
    /// It contains no private key.
    #[error("there is no private key in PEM form in it")]
    NoKey,
    /// A certificate or key in it is broken.
    #[error("a certificate or key in it is broken")]
    Broken,
    /// The key does not belong to the certificate, or its kind is not supported.
    #[error("the key does not belong to the certificate")]
    KeyMismatch,
}

impl Roots {
    /// The roots this machine trusts.
    pub fn platform() -> Self {
        Self::build(true, Vec::new())
    }

    /// Only the certificates of this PEM text.
    ///
    /// # Errors
    /// [`PemError`] if there is none, or a broken one.
    pub fn pem(text: &str) -> Result<Self, PemError> {
        Ok(Self::build(false, certificates(text)?))
    }

    /// The roots this machine trusts and the certificates of this PEM text.
    ///
    /// # Errors
    /// [`PemError`] if there is none, or a broken one.
    pub fn platform_and_pem(text: &str) -> Result<Self, PemError> {
        Ok(Self::build(true, certificates(text)?))
    }

    /// The store, read now if it was not yet. This may block on files.
    pub(crate) fn store(&self) -> Arc<RootCertStore> {
        Arc::clone(self.0.store.get_or_init(|| Arc::new(self.0.load())))
    }

    /// True if the PEM text holds this very certificate.
    pub(crate) fn lists(&self, certificate: &CertificateDer<'_>) -> bool {
        self.0.extra.iter().any(|one| one.as_ref() == certificate.as_ref())
    }

    /// The store, if it was read already.
    pub(crate) fn loaded(&self) -> Option<Arc<RootCertStore>> {
        self.0.store.get().cloned()
    }

    fn build(platform: bool, extra: Vec<CertificateDer<'static>>) -> Self {
        Self(Arc::new(Inner { platform, extra, store: OnceLock::new() }))
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Roots")
            .field("platform", &self.0.platform)
            .field("extra", &self.0.extra.len())
            .finish()
    }
}

/// All certificates of a PEM text; at least one.
pub(crate) fn certificates(text: &str) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.map_err(|_| PemError::Broken)?;
    let sound = |der: &CertificateDer<'_>| RootCertStore::empty().add(der.clone().into_owned()).is_ok();
    match found.is_empty() {
        true => Err(PemError::NoCertificate),
        false if found.iter().all(sound) => Ok(found),
        false => Err(PemError::Broken),
    }
}

struct Inner {
    platform: bool,
    extra: Vec<CertificateDer<'static>>,
    store: OnceLock<Arc<RootCertStore>>,
}

impl Inner {
    fn load(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        if self.platform {
            let found = rustls_native_certs::load_native_certs();
            let (added, ignored) = store.add_parsable_certificates(found.certs);
            tracing::debug!(added, ignored, unreadable = found.errors.len(), "platform roots read");
        }
        store.add_parsable_certificates(self.extra.iter().cloned());
        store
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_certificates_is_refused() {
        assert_eq!(Roots::pem("").err(), Some(PemError::NoCertificate));
        assert_eq!(Roots::pem("hello").err(), Some(PemError::NoCertificate));
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(Roots::pem(broken).err(), Some(PemError::Broken));
    }
}
