//! TLS as it is listened for: a certificate, and optionally the roots clients must chain to.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use homing_core::identity::CertNames;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::server::TlsStream;

use crate::certificate;
use crate::roots::{PemError, Roots, certificates};

/// The TLS side of a listener. Cheap to clone; clones share the certificate, also when it is replaced.
#[derive(Clone)]
pub struct TlsServer(Arc<Inner>);

/// Whether clients must show certificates of their own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientCertificates {
    /// The handshake requests none.
    NotAsked,
    /// The handshake requests one; one that is shown must chain to these roots.
    Asked(Roots),
    /// The handshake fails without one that chains to these roots (mutual TLS).
    Required(Roots),
}

impl TlsServer {
    /// A server with this certificate chain and key, which asks clients for nothing.
    ///
    /// # Errors
    /// [`PemError`] if there is no certificate or key, or they do not fit together.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, PemError> {
        Self::with_clients(chain_pem, key_pem, ClientCertificates::NotAsked)
    }

    /// A server with this certificate chain and key with this rule for client certificates.
    ///
    /// # Errors
    /// [`PemError`] if there is no certificate or key, or they do not fit together.
    pub fn with_clients(
        chain_pem: &str,
        key_pem: &str,
        clients: ClientCertificates,
    ) -> Result<Self, PemError> {
        let config = RwLock::new(configure(chain_pem, key_pem, &clients)?);
        Ok(Self(Arc::new(Inner { clients, config })))
    }

    /// Takes another certificate for all handshakes from now on; open connections stay as they are.
    ///
    /// # Errors
    /// [`PemError`] if there is no certificate or key, or they do not fit together; the old ones stay.
    pub fn replace(&self, chain_pem: &str, key_pem: &str) -> Result<(), PemError> {
        let config = configure(chain_pem, key_pem, &self.0.clients)?;
        *self.0.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    /// Runs the handshake with a client.
    pub(crate) async fn secure(
        &self,
        stream: TcpStream,
    ) -> std::io::Result<(TlsStream<TcpStream>, Option<CertNames>)> {
        let config = Arc::clone(&self.0.config.read().unwrap_or_else(PoisonError::into_inner));
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let (_, session) = stream.get_ref();
        let names = session.peer_certificates().and_then(|chain| certificate::names(chain.first()?));
        Ok((stream, names))
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer").field("clients", &self.0.clients).finish_non_exhaustive()
    }
}

struct Inner {
    clients: ClientCertificates,
    config: RwLock<Arc<ServerConfig>>,
}

fn configure(
    chain_pem: &str,
    key_pem: &str,
    clients: &ClientCertificates,
) -> Result<Arc<ServerConfig>, PemError> {
    let chain = certificates(chain_pem)?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| PemError::NoKey)?;
    let provider = Arc::new(ring::default_provider());
    let verifier =
        |roots: &Roots| WebPkiClientVerifier::builder_with_provider(roots.store(), Arc::clone(&provider));
    let clients = match clients {
        ClientCertificates::NotAsked => WebPkiClientVerifier::no_client_auth(),
        ClientCertificates::Asked(roots) => {
            verifier(roots).allow_unauthenticated().build().map_err(|_| PemError::NoCertificate)?
        }
        ClientCertificates::Required(roots) => {
            verifier(roots).build().map_err(|_| PemError::NoCertificate)?
        }
    };
    let config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|_| PemError::KeyMismatch)?
        .with_client_cert_verifier(clients)
        .with_single_cert(chain, key)
        .map_err(|_| PemError::KeyMismatch)?;
    Ok(Arc::new(config))
}
