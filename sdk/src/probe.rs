//! Asking the owner of a SIP URI without an account of one's own: found by DNS, dialled directly, asked once.

use std::sync::Arc;
use std::time::Duration;

use homing_core::answer::Answered;
use homing_core::config::{AccountConfig, AgentConfig, Aor, ServerChoice};
use homing_core::error::Misuse;
use homing_core::server::ServerName;
use homing_core::transport::Transport;
use homing_net::{Roots, TlsClient};
use homing_wire::Uri;
use tokio::sync::oneshot;

use crate::call::SoundOfCalls;
use crate::clock;
use crate::command::{Asked, Command};
use crate::credentials::NoCredentials;
use crate::dns::Resolver;
use crate::driver::{self, DriverConfig};
use crate::error::Error;
use crate::sound::SoundConfig;
use crate::trace::{Recorder, Trace};

/// Asks whether somebody is there (RFC 3261 section 11), without an account and without credentials.
///
/// It dials what DNS names for the URI, in order; the first server that takes the connection is asked. It runs a
/// user agent of its own for the time of the question, with an account without registrar.
#[derive(Clone, Debug)]
pub struct Probe {
    resolver: Resolver,
    tls: TlsClient,
    transports: Vec<Transport>,
    trace_bytes: usize,
}

/// What a probe brought.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Who was asked; none if nobody could be dialled.
    pub server: Option<ServerName>,
    /// What was answered.
    pub outcome: Result<Answered, Error>,
    /// What was sent and received.
    pub trace: Trace,
}

impl Probe {
    /// A probe by TLS, else TCP, else UDP, as DNS and the URI say; 1 MiB of trace.
    pub fn new(resolver: Resolver, roots: Roots) -> Self {
        Self::with_tls(resolver, TlsClient::new(roots))
    }

    /// The same with a TLS client that is at hand: one with a certificate, or one that logs keys.
    pub fn with_tls(resolver: Resolver, tls: TlsClient) -> Self {
        let transports = Transport::ALL.to_vec();
        Self { resolver, tls, transports, trace_bytes: 1 << 20 }
    }

    /// Allows these transports only, best first.
    #[must_use]
    pub fn transports(mut self, transports: Vec<Transport>) -> Self {
        self.transports = transports;
        self
    }

    /// True for a URI whose owner can be asked.
    pub fn accepts(uri: &str) -> bool {
        Uri::parse(uri).is_ok_and(|uri| uri.is_sip() || uri.is_sips())
    }

    /// Asks the owner of `uri`. Cancel-safe: a dropped future hangs up.
    pub async fn options(&self, uri: &str) -> Probed {
        let (recorder, trace) = crate::trace::trace(self.trace_bytes);
        match self.ask(uri, recorder).await {
            Ok(Asked { server, answer }) => Probed { server: Some(server), outcome: Ok(answer), trace },
            Err(error) => Probed { server: None, outcome: Err(error), trace },
        }
    }

    async fn ask(&self, uri: &str, recorder: Recorder) -> Result<Asked, Error> {
        let anonymous = Aor::parse(ANONYMOUS)?;
        let mut account = AccountConfig::new(anonymous, EPID);
        account.server = ServerChoice::NoRegistrar;
        account.transports.clone_from(&self.transports);
        account.check()?;
        // The system refuses a thread or randomness: without that nobody could tell our branch from another's.
        let sound = clock::seed().map_err(|_| Misuse::Limit)?;
        let sound = SoundOfCalls::new(SoundConfig::new(clock::present()), &sound);
        let config = DriverConfig {
            describer: None,
            sound,
            server_certificate: None,
            agent: AgentConfig::default(),
            resolver: self.resolver.clone(),
            tls: self.tls.clone(),
            recorder,
        };
        let handle = driver::start(config).map_err(|_| Misuse::Limit)?;
        let (account, _state) = handle.add(account, Arc::new(NoCredentials))?;
        let asked = handle.ask(|reply| Command::Options { account, uri: Some(uri.into()), reply }).await;
        let (reply, over) = oneshot::channel();
        if handle.tell(Command::ShutDown { grace: Duration::ZERO, reply }).is_ok() {
            // The trace is whole once the driver has ended.
            let _report = over.await;
        }
        asked
    }
}

/// Nobody in particular (RFC 3261 section 8.1.1.3).
const ANONYMOUS: &str = "anonymous@anonymous.invalid";
/// The endpoint of nobody in particular; nothing is registered for it.
const EPID: &str = "0";
