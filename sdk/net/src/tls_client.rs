//! TLS as it is dialled: one configuration, one verifier and one session cache per expectation.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use homing_core::connect::{ConnectError, TlsProof};
use homing_core::identity::Expected;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore};

use crate::roots::{PemError, Roots, certificates};
use crate::verifier::Verifier;
use crate::{certificate, fault};

/// Dials TLS. Cheap to clone; clones share roots and session caches.
///
/// A session is resumed only for the very expectation it was verified for, and the certificate of a
/// resumed session is judged again, so that neither a name nor an expiry is carried over.
#[derive(Clone)]
pub struct TlsClient(Arc<Inner>);

impl TlsClient {
    /// A client that trusts `roots` and shows no certificate of its own.
    pub fn new(roots: Roots) -> Self {
        Self::build(roots, None)
    }

    /// A client that shows a certificate of its own when it is asked to (mutual TLS).
    ///
    /// # Errors
    /// [`PemError`] if there is no certificate or key, or they do not fit together.
    pub fn with_certificate(roots: Roots, chain_pem: &str, key_pem: &str) -> Result<Self, PemError> {
        let own = OwnCertificate {
            chain: certificates(chain_pem)?,
            key: PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| PemError::NoKey)?,
        };
        let client = Self::build(roots, Some(own));
        let probe = Verifier::new(
            Expected::host("probe.invalid"),
            Arc::new(RootCertStore::empty()),
            client.0.provider.signature_verification_algorithms,
        );
        client.0.configure(Arc::new(probe)).map_err(|_| PemError::KeyMismatch)?;
        Ok(client)
    }

    /// Runs the handshake over an open connection. No byte of SIP can be sent before it returns.
    pub(crate) async fn secure(
        &self,
        stream: TcpStream,
        expected: &Expected,
    ) -> Result<(TlsStream<TcpStream>, TlsProof), ConnectError> {
        let trust = self.trust(expected).await?;
        let name =
            ServerName::try_from(expected.server_name().to_owned()).map_err(|_| ConnectError::Handshake)?;
        let connector = TlsConnector::from(Arc::clone(&trust.config));
        let stream = connector.connect(name, stream).await.map_err(|error| handshake_fault(&error))?;
        match prove(&stream, &trust.verifier) {
            Ok(proof) => Ok((stream, proof)),
            Err(why) => {
                self.0.forget(expected);
                Err(why)
            }
        }
    }

    fn build(roots: Roots, own: Option<OwnCertificate>) -> Self {
        let provider = Arc::new(ring::default_provider());
        Self(Arc::new(Inner { roots, own, provider, trusts: Mutex::default() }))
    }

    async fn trust(&self, expected: &Expected) -> Result<Trust, ConnectError> {
        let store = match self.0.roots.loaded() {
            Some(store) => store,
            None => {
                let roots = self.0.roots.clone();
                let reading = tokio::task::spawn_blocking(move || roots.store());
                reading.await.map_err(|_| ConnectError::Local)?
            }
        };
        self.0.trust(expected, store)
    }
}

impl fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsClient").field("roots", &self.0.roots).field("own", &self.0.own.is_some()).finish()
    }
}

struct Inner {
    roots: Roots,
    own: Option<OwnCertificate>,
    provider: Arc<CryptoProvider>,
    trusts: Mutex<Trusts>,
}

struct OwnCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// What serves one expectation: its verifier and the configuration that holds its session cache.
#[derive(Clone)]
struct Trust {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
}

#[derive(Default)]
struct Trusts {
    by_expectation: BTreeMap<Expected, Trust>,
    oldest_first: VecDeque<Expected>,
}

impl Inner {
    fn trust(&self, expected: &Expected, store: Arc<RootCertStore>) -> Result<Trust, ConnectError> {
        let mut trusts = self.trusts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trust) = trusts.by_expectation.get(expected) {
            return Ok(trust.clone());
        }
        let algorithms = self.provider.signature_verification_algorithms;
        let verifier = Arc::new(Verifier::new(expected.clone(), store, algorithms));
        let config = self.configure(Arc::clone(&verifier)).map_err(|_| ConnectError::Local)?;
        let trust = Trust { config: Arc::new(config), verifier };
        if trusts.by_expectation.len() >= EXPECTATIONS
            && let Some(oldest) = trusts.oldest_first.pop_front()
        {
            trusts.by_expectation.remove(&oldest);
        }
        trusts.by_expectation.insert(expected.clone(), trust.clone());
        trusts.oldest_first.push_back(expected.clone());
        Ok(trust)
    }

    fn forget(&self, expected: &Expected) {
        let mut trusts = self.trusts.lock().unwrap_or_else(PoisonError::into_inner);
        trusts.by_expectation.remove(expected);
        trusts.oldest_first.retain(|other| other != expected);
    }

    fn configure(&self, verifier: Arc<Verifier>) -> Result<ClientConfig, tokio_rustls::rustls::Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.own {
            None => builder.with_no_client_auth(),
            Some(own) => builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key())?,
        };
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(config)
    }
}

/// Reads from a finished handshake what it proved; a resumed session is verified again.
fn prove(stream: &TlsStream<TcpStream>, verifier: &Verifier) -> Result<TlsProof, ConnectError> {
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().ok_or(ConnectError::BadCertificate)?;
    let (end_entity, intermediates) = chain.split_first().ok_or(ConnectError::BadCertificate)?;
    let verdict = verifier.judge(end_entity, intermediates, UnixTime::now());
    let (name, names) = verdict.map_err(|error| fault::of_tls(&error))?;
    let old = session.protocol_version() == Some(ProtocolVersion::TLSv1_2);
    let version = if old { "TLSv1.2" } else { "TLSv1.3" };
    let round_trips = match (session.handshake_kind(), old) {
        (Some(HandshakeKind::Resumed), _) | (Some(HandshakeKind::Full), false) => 1,
        _ => 2,
    };
    let end_point_hash = certificate::end_point_hash(end_entity);
    Ok(TlsProof { name, names, end_point_hash, version, round_trips })
}

/// A peer that hangs up during the handshake, or speaks something else, failed the handshake.
fn handshake_fault(error: &std::io::Error) -> ConnectError {
    match fault::of_io(error) {
        ConnectError::Closed => ConnectError::Handshake,
        why => why,
    }
}

/// Expectations kept at once; the oldest goes first.
const EXPECTATIONS: usize = 256;
/// Sessions kept for one expectation.
const SESSIONS: usize = 8;
