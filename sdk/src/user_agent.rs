//! The user agent: built once, cheap to clone, running on a thread of its own.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use homing_core::config::{AccountConfig, AgentConfig};
use homing_core::counter::Counters;
use homing_net::rtp::Lateness;
use homing_net::{NetCounters, Roots, TlsClient, TlsServer};
use tokio::sync::oneshot;

use crate::account::Account;
use crate::call::{Describer, SessionDescriber, SoundOfCalls};
use crate::clock;
use crate::command::{Command, Handle, ShutdownReport};
use crate::credentials::CredentialsProvider;
use crate::dns::Resolver;
use crate::dns::{self, Located};
use crate::driver::{self, DriverConfig};
use crate::error::{Error, StartError};
use crate::event::Events;
use crate::redirect::RedirectPolicy;
use crate::sound::SoundConfig;
use crate::trace::Trace;

/// A SIP user agent. Cheap to clone; clones are one and the same.
///
/// It runs on a thread of its own, whatever runtime the caller has, and needs none at all for what is
/// not `async`. When the last handle (clones, [`Account`]s) is dropped it signs all accounts out in the
/// background, for two seconds at most, and ends; [`shutdown`](UserAgent::shutdown) does the same and
/// lets you wait for it.
#[derive(Clone)]
pub struct UserAgent {
    handle: Handle,
    trace: Trace,
    sound: SoundOfCalls,
}

/// Settings of a user agent that is to be built.
#[derive(Clone, Debug)]
pub struct UserAgentBuilder {
    resolver: Option<Resolver>,
    roots: Roots,
    client_certificate: Option<TlsClient>,
    agent: AgentConfig,
    describer: Option<Describer>,
    sound: Option<SoundConfig>,
    server_certificate: Option<TlsServer>,
    trace_bytes: usize,
}

impl UserAgent {
    /// Starts with the defaults: the system's resolver, the platform's roots, 4 MiB of trace.
    pub fn builder() -> UserAgentBuilder {
        UserAgentBuilder {
            resolver: None,
            roots: Roots::platform(),
            client_certificate: None,
            agent: AgentConfig::default(),
            describer: None,
            sound: None,
            server_certificate: None,
            trace_bytes: 4 << 20,
        }
    }

    /// Adds an account; it is at rest until it is told to register. Waits for nothing.
    ///
    /// # Errors
    /// [`Error::Config`] names the first setting that is not usable, or says that an account of this user agent has
    /// the same address and epid.
    pub fn account(
        &self,
        config: AccountConfig,
        credentials: impl CredentialsProvider,
    ) -> Result<Account, Error> {
        config.check()?;
        let aor = config.aor.clone();
        let (id, state) = self.handle.add(config, Arc::new(credentials))?;
        Ok(Account::new(id, aor, state, self.handle.clone()))
    }

    /// A reader of the events of all accounts from now on, with a queue of its own.
    pub fn events(&self) -> Events {
        Events::new(Arc::clone(self.handle.channel()))
    }

    /// The messages of the recent past, without their secrets.
    pub fn trace(&self) -> Trace {
        self.trace.clone()
    }

    /// Where it would dial for this domain, in order and with reasons, without dialling. The answers of
    /// DNS are shared with its accounts.
    ///
    /// # Errors
    /// [`Error::Config`] if this is no domain.
    pub async fn plan(&self, domain: &str) -> Result<Located, Error> {
        let request = dns::of_domain(domain)?;
        self.handle.ask(|reply| Command::Locate { request, reply }).await
    }

    /// Asks this policy from now on about redirects of accounts whose rules say so. Without one such
    /// redirects are not followed.
    pub fn redirect_policy(&self, policy: Arc<dyn RedirectPolicy>) {
        // A user agent that has ended meets no more redirects.
        let _ = self.handle.tell(Command::SetPolicy(policy));
    }

    /// Dials with this TLS client from now on: other roots, another certificate. Connections that stand are not
    /// verified again.
    pub fn set_tls(&self, client: TlsClient) {
        // A user agent that has ended dials no more.
        let _ = self.handle.tell(Command::SetTls(client));
    }

    /// What its accounts dropped, refused and did so far, at most ten milliseconds ago; the outcome of a call that
    /// returned is counted. What was counted stays readable after it has ended. Waits for nothing.
    pub fn counters(&self) -> Counters {
        self.handle.counters().agent()
    }

    /// What its connections refused, dropped and cut so far, at most ten milliseconds ago. What was counted stays
    /// readable after it has ended. Waits for nothing.
    pub fn net_counters(&self) -> NetCounters {
        self.handle.counters().net()
    }

    /// How late the packets of its calls left after their slots of 20 ms, of all calls since the first together. Waits
    /// for nothing.
    pub fn sound_lateness(&self) -> Lateness {
        self.sound.lateness()
    }

    /// Hangs up all calls, which takes a second at most, then signs all accounts out, waits for their servers' answers, at most `grace`, and ends. The report tells for
    /// each account whether its server removed the binding, refused to, or did not answer. What every
    /// other handle asks for from then on fails with [`Error::ShutDown`]. If the future is dropped the
    /// user agent ends all the same.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        let (reply, report) = oneshot::channel();
        if self.handle.tell(Command::ShutDown { grace, reply }).is_err() {
            return ShutdownReport::default();
        }
        report.await.unwrap_or_default()
    }
}

impl fmt::Debug for UserAgent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserAgent")
    }
}

impl UserAgentBuilder {
    /// Whom to ask for names.
    pub fn resolver(mut self, resolver: Resolver) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// Which certificates servers must chain to.
    pub fn roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    /// A TLS client with a certificate of its own; its roots replace those of [`roots`](Self::roots).
    pub fn tls(mut self, client: TlsClient) -> Self {
        self.client_certificate = Some(client);
        self
    }

    /// What all accounts share: names, timers, bounds.
    pub fn agent(mut self, agent: AgentConfig) -> Self {
        self.agent = agent;
        self
    }

    /// The sound of calls: ports, addresses, codecs, encryption.
    pub fn sound(mut self, config: SoundConfig) -> Self {
        self.sound = Some(config);
        self
    }

    /// Who describes the sessions of calls, for applications that carry media of their own. Without one this crate
    /// describes and carries sound, as it does for each call that is given its [`Audio`](crate::sound::Audio).
    pub fn session_describer(mut self, describer: impl SessionDescriber) -> Self {
        self.describer = Some(Describer::new(describer));
        self
    }

    /// The certificate by which accounts without registrar are called over TLS, where they listen.
    pub fn server_certificate(mut self, certificate: TlsServer) -> Self {
        self.server_certificate = Some(certificate);
        self
    }

    /// How many bytes the trace keeps; 0 turns it off.
    pub fn trace_bytes(mut self, bytes: usize) -> Self {
        self.trace_bytes = bytes;
        self
    }

    /// Starts the user agent on a thread of its own.
    ///
    /// # Errors
    /// [`StartError`] if the system gives no randomness or no thread.
    pub fn build(self) -> Result<UserAgent, StartError> {
        let resolver = self.resolver.unwrap_or_else(Resolver::system);
        let (recorder, trace) = crate::trace::trace(self.trace_bytes);
        let tls = self.client_certificate.unwrap_or_else(|| TlsClient::new(self.roots));
        let Self { agent, describer, sound, server_certificate, .. } = self;
        let sound = sound.unwrap_or_else(|| SoundConfig::new(clock::present()));
        let sound = SoundOfCalls::new(sound, &clock::seed().map_err(StartError::Entropy)?);
        let config = DriverConfig {
            agent,
            resolver,
            describer,
            sound: sound.clone(),
            tls,
            server_certificate,
            recorder,
        };
        Ok(UserAgent { handle: driver::start(config)?, trace, sound })
    }
}
