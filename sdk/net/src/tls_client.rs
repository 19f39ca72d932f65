//! TLS as it is dialled: one configuration, one verifier and one session cache per expectation.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use homing_core::certificate::{CertificateError, CertificateRule};
use homing_core::connect::{ConnectError, HandshakeFault, TlsProof};
use homing_core::identity::Expected;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, KeyLog, NoKeyLog, ProtocolVersion, RootCertStore};

use crate::key_log::KeyLogFile;
use crate::roots::{PemError, Roots, certificates};
use crate::verifier::{Refusal, Verifier, with_refusal};
use crate::{certificate, fault};

/// Dials TLS. Cheap to clone; clones share roots and session caches.
///
/// A session is resumed only for the very expectation it was verified for, and the certificate of a
/// resumed session is judged again, so that neither a name nor an expiry is carried over.
#[derive(Clone)]
pub struct TlsClient(Arc<Inner>);

/// A handshake that failed, and whether another server name in the hello may help.
pub(crate) struct Failed {
    pub(crate) why: ConnectError,
    pub(crate) may_be_the_name: bool,
}

impl TlsClient {
    /// A client that trusts `roots` and shows no certificate of its own.
    pub fn new(roots: Roots) -> Self {
        Self::build(roots, None, Arc::new(NoKeyLog {}))
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
        let client = Self::build(roots, Some(own), Arc::new(NoKeyLog {}));
        let probe = Verifier::new(
            Expected::host("probe.invalid"),
            client.0.roots.clone(),
            Arc::new(RootCertStore::empty()),
            client.0.provider.signature_verification_algorithms,
        );
        client.0.configure(Arc::new(probe)).map_err(|_| PemError::KeyMismatch)?;
        Ok(client)
    }

    /// The same client, which also writes the keys of its connections to a file: a reader of that file can read
    /// what was sent.
    #[must_use]
    pub fn with_key_log(self, file: KeyLogFile) -> Self {
        let own = self
            .0
            .own
            .as_ref()
            .map(|own| OwnCertificate { chain: own.chain.clone(), key: own.key.clone_key() });
        Self::build(self.0.roots.clone(), own, Arc::new(file))
    }

    /// The names to put into the hello, in order: the one that worked before, else those of the expectation.
    pub(crate) fn server_names(&self, expected: &Expected) -> Vec<String> {
        let trusts = self.0.lock();
        let worked = trusts.by_expectation.get(expected).and_then(|trust| trust.server_name.clone());
        let mut names = expected.server_names();
        if let Some(place) = worked.and_then(|worked| names.iter().position(|name| *name == worked)) {
            names[..=place].rotate_right(1);
        }
        names
    }

    /// This server name got an answer that could be verified: it comes first from now on.
    pub(crate) fn remember_name(&self, expected: &Expected, server_name: &str) {
        if let Some(trust) = self.0.lock().by_expectation.get_mut(expected) {
            trust.server_name = Some(server_name.to_owned());
        }
    }

    /// Runs the handshake over an open connection. No byte of SIP can be sent before it returns.
    pub(crate) async fn secure(
        &self,
        stream: TcpStream,
        expected: &Expected,
        server_name: &str,
    ) -> Result<(TlsStream<TcpStream>, TlsProof), Failed> {
        let final_failure = |why| Failed { why, may_be_the_name: false };
        let trust = self.trust(expected).await.map_err(final_failure)?;
        let no_name = |_| final_failure(ConnectError::Handshake(HandshakeFault::Protocol));
        let name = ServerName::try_from(server_name.to_owned()).map_err(no_name)?;
        let connector = TlsConnector::from(Arc::clone(&trust.config));
        let stream = match with_refusal(connector.connect(name, stream)).await {
            (Ok(stream), _) => stream,
            (Err(_), Some(refusal)) => return Err(refused(refusal)),
            (Err(error), None) => {
                let why = handshake_fault(&error);
                let may_be_the_name = matches!(why, ConnectError::Handshake(HandshakeFault::Alert(_)));
                return Err(Failed { why, may_be_the_name });
            }
        };
        prove(&stream, &trust.verifier).map(|proof| (stream, proof)).inspect_err(|_| self.0.forget(expected))
    }

    fn build(roots: Roots, own: Option<OwnCertificate>, key_log: Arc<dyn KeyLog>) -> Self {
        let provider = Arc::new(ring::default_provider());
        Self(Arc::new(Inner { roots, own, key_log, provider, trusts: Mutex::default() }))
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
    key_log: Arc<dyn KeyLog>,
    provider: Arc<CryptoProvider>,
    trusts: Mutex<Trusts>,
}

struct OwnCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// What serves one expectation: its verifier, the configuration that holds its session cache, and the server
/// name that worked.
#[derive(Clone)]
struct Trust {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
    server_name: Option<String>,
}

#[derive(Default)]
struct Trusts {
    by_expectation: BTreeMap<Expected, Trust>,
    oldest_first: VecDeque<Expected>,
}

impl Inner {
    fn lock(&self) -> std::sync::MutexGuard<'_, Trusts> {
        self.trusts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trust(&self, expected: &Expected, store: Arc<RootCertStore>) -> Result<Trust, ConnectError> {
        let mut trusts = self.lock();
        if let Some(trust) = trusts.by_expectation.get(expected) {
            return Ok(trust.clone());
        }
        let algorithms = self.provider.signature_verification_algorithms;
        let verifier = Arc::new(Verifier::new(expected.clone(), self.roots.clone(), store, algorithms));
        let config = self.configure(Arc::clone(&verifier)).map_err(|_| ConnectError::Local)?;
        let trust = Trust { config: Arc::new(config), verifier, server_name: None };
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
        let mut trusts = self.lock();
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
        config.key_log = Arc::clone(&self.key_log);
        Ok(config)
    }
}

/// Reads from a finished handshake what it proved; a resumed session is verified again.
fn prove(stream: &TlsStream<TcpStream>, verifier: &Verifier) -> Result<TlsProof, Failed> {
    let (_, session) = stream.get_ref();
    let missing = || {
        let error = CertificateError::unread(CertificateRule::Missing);
        Failed { why: ConnectError::Certificate(Box::new(error)), may_be_the_name: false }
    };
    let chain = session.peer_certificates().ok_or_else(missing)?;
    let (end_entity, intermediates) = chain.split_first().ok_or_else(missing)?;
    let verdict = verifier.judge(end_entity, intermediates, UnixTime::now());
    let verified = verdict.map_err(|refusal| refused(*refusal))?;
    let old = session.protocol_version() == Some(ProtocolVersion::TLSv1_2);
    let version = if old { "TLSv1.2" } else { "TLSv1.3" };
    let round_trips = match (session.handshake_kind(), old) {
        (Some(HandshakeKind::Resumed), _) | (Some(HandshakeKind::Full), false) => 1,
        _ => 2,
    };
    Ok(TlsProof {
        name: verified.name,
        names: verified.names,
        pinned: verified.pinned,
        end_point_hash: certificate::end_point_hash(end_entity),
        version,
        round_trips,
    })
}

fn refused(refusal: Refusal) -> Failed {
    let may_be_the_name = !refusal.is_named && refusal.error.rule != CertificateRule::NoKey;
    Failed { why: ConnectError::Certificate(Box::new(refusal.error)), may_be_the_name }
}

/// A peer that hangs up during the handshake, or speaks something else, failed the handshake.
fn handshake_fault(error: &std::io::Error) -> ConnectError {
    match fault::of_io(error) {
        ConnectError::Closed => ConnectError::Handshake(HandshakeFault::Closed),
        why => why,
    }
}

/// Expectations kept at once; the oldest goes first.
const EXPECTATIONS: usize = 256;
/// Sessions kept for one expectation.
const SESSIONS: usize = 8;
