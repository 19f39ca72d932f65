//! Accounts: their configuration and credentials, signing in and out, and the registration that results.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

pub use homing_core::address::WrittenAddress;
pub use homing_core::answer::Answered;
pub use homing_core::config::{
    AccountConfig, Aor, AuthRules, ExtendedProtection, Fingerprint, FingerprintError, Outbound, QopRule,
    RegisterUri, Remembered, RememberedLogin, Rspauth, Scheme, ServerChoice, ServerNameRule, SignaturePlaces,
    TargetNameRule, TlsRules,
};
pub use homing_core::ids::AccountId;
pub use homing_core::outbox::Credentials;
pub use homing_core::secret::Password;
pub use homing_core::state::{AccountState, StateWords};

pub use crate::credentials::{CredentialsProvider, CredentialsRequest, StaticCredentials};

use homing_core::config::DoNotDisturb;
use homing_core::event::{Registered, UnregisterOutcome};
use homing_core::journey::Journey;
use homing_core::server::ServerName;

use crate::call::{CallBuilder, IncomingCalls};
use crate::command::{Command, Handle};
use crate::error::Error;
use crate::event::AccountEvents;
use crate::state_watch::StateWatch;

/// An account of a [`UserAgent`](crate::UserAgent). Cheap to clone.
///
/// Dropping the handle changes nothing: the account stays signed in. It ends with
/// [`unregister`](Account::unregister), [`UserAgent::shutdown`](crate::UserAgent::shutdown), or when the
/// last handle of the user agent and its accounts is gone.
///
/// Every future here is cancel-safe in this sense: what was asked for goes on when the future is
/// dropped, only its outcome is no longer waited for; the events still tell it.
#[derive(Clone)]
pub struct Account {
    id: AccountId,
    aor: Aor,
    state: StateWatch,
    handle: Handle,
}

/// A registration that was granted. It tells how things stood at that moment; dropping it changes nothing.
#[derive(Clone, Debug)]
pub struct Registration {
    account: AccountId,
    registered: Registered,
}

impl Account {
    pub(crate) fn new(id: AccountId, aor: Aor, state: StateWatch, handle: Handle) -> Self {
        Self { id, aor, state, handle }
    }

    /// The name under which events speak of it.
    pub fn id(&self) -> AccountId {
        self.id
    }

    /// Its address of record.
    pub fn aor(&self) -> &Aor {
        &self.aor
    }

    /// Its newest state.
    pub fn state(&self) -> AccountState {
        self.state.state()
    }

    /// Waits for the next change of its state; none once the user agent has ended. Changes that follow
    /// each other quickly are seen as one. Cancel-safe.
    pub async fn changed(&mut self) -> Option<AccountState> {
        self.state.changed().await
    }

    /// A reader of its events from now on, with a queue of its own.
    pub fn events(&self) -> AccountEvents {
        AccountEvents::new(self.state.clone())
    }

    /// Signs in, following redirects by the account's rules, and keeps it signed in from then on. Gives
    /// the standing registration if it is signed in already.
    ///
    /// # Errors
    /// [`Error::Login`] when this attempt failed; the account may try again by itself ([`Error::retry_in`] says
    /// when), until it is told to [`unregister`](Account::unregister).
    pub async fn register(&self) -> Result<Registration, Error> {
        let registered = self.handle.ask(|reply| Command::Register { account: self.id, reply }).await?;
        Ok(Registration { account: self.id, registered })
    }

    /// Refreshes the registration now and gives the lifetime granted. A move to another home server
    /// counts as done once the account is signed in there.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is not signed in; else as for [`register`](Account::register).
    pub async fn refresh(&self) -> Result<Duration, Error> {
        let seconds = self.handle.ask(|reply| Command::Refresh { account: self.id, reply }).await?;
        Ok(Duration::from_secs(u64::from(seconds)))
    }

    /// Asks the home server whether it is there (RFC 3261 section 11).
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is not signed in.
    pub async fn options(&self) -> Result<Answered, Error> {
        let asked = self.handle.ask(|reply| Command::Options { account: self.id, uri: None, reply }).await?;
        Ok(asked.answer)
    }

    /// Asks the owner of a SIP URI the same, through the home server; an account without registrar asks the server
    /// of the URI directly.
    ///
    /// # Errors
    /// As for [`options`](Account::options); [`Error::Misuse`] for what is no SIP URI.
    pub async fn options_of(&self, uri: &str) -> Result<Answered, Error> {
        let uri = Some(uri.into());
        let asked = self.handle.ask(|reply| Command::Options { account: self.id, uri, reply }).await?;
        Ok(asked.answer)
    }

    /// A call to a SIP URI, or to `user@host`; nothing is sent before [`place`](CallBuilder::place). It leaves over the
    /// home server; an account without registrar calls the server of the URI directly.
    pub fn call(&self, to: impl Into<String>) -> CallBuilder {
        CallBuilder::new(self.id, self.handle.clone(), to.into())
    }

    /// The calls that come in from now on, for one reader: a second takes over from the first. Made before the account
    /// signs in it misses none.
    pub fn incoming(&self) -> IncomingCalls {
        IncomingCalls::new(self.state.clone(), self.handle.clone())
    }

    /// Where an account without registrar is heard, with the port that the system chose where
    /// [`CallRules::listen`](crate::call::CallRules) has port 0.
    ///
    /// # Errors
    /// [`Error::Listen`] if it could not be opened; [`Error::Misuse`] if the account does not listen.
    pub async fn listen_address(&self) -> Result<SocketAddr, Error> {
        self.handle.ask(|reply| Command::ListenAddress { account: self.id, reply }).await
    }

    /// Lets calls that come in ring from now on, or refuses them without a word to the application. Calls that ring
    /// already go on.
    ///
    /// # Errors
    /// [`Error::Misuse`] if the account makes no calls.
    pub async fn do_not_disturb(&self, rule: DoNotDisturb) -> Result<(), Error> {
        let account = self.id;
        self.handle.ask(|reply| Command::DoNotDisturb { account, rule, reply }).await
    }

    /// Signs out: removes this device's binding from the home server, then rests. The server's answer is waited for
    /// five seconds; the outcome tells whether the server may still hold the binding.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is not signed in and not trying to be.
    pub async fn unregister(&self) -> Result<UnregisterOutcome, Error> {
        self.handle.ask(|reply| Command::Unregister { account: self.id, patience: None, reply }).await
    }

    /// The same; the answer is waited for so long.
    ///
    /// # Errors
    /// As for [`unregister`](Account::unregister).
    pub async fn unregister_within(&self, patience: Duration) -> Result<UnregisterOutcome, Error> {
        let patience = Some(patience);
        self.handle.ask(|reply| Command::Unregister { account: self.id, patience, reply }).await
    }

    /// Says that its [`CredentialsProvider`] has another password now. A login that rests because the password was
    /// refused is tried at once; an account that does not rest goes on as it is. Waits for nothing.
    pub fn credentials_changed(&self) {
        // A user agent that has ended asks for no password.
        let _ = self.handle.tell(Command::CredentialsChanged(self.id));
    }

    /// Takes the account out of the user agent; it must be at rest. Its calls are hung up.
    ///
    /// # Errors
    /// [`Error::Misuse`] if it is signed in or trying to be.
    pub async fn remove(self) -> Result<(), Error> {
        let account = self.id;
        self.handle.ask(|reply| Command::Remove { account, reply }).await
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Account({}, {}, {:?})", self.id.0, self.aor, self.state())
    }
}

impl Registration {
    /// The account that holds it.
    pub fn account(&self) -> AccountId {
        self.account
    }

    /// The home server: outbound proxy until the account signs out or is moved.
    pub fn home(&self) -> &ServerName {
        &self.registered.home
    }

    /// The lifetime that was granted; it is refreshed by itself.
    pub fn expires(&self) -> Duration {
        Duration::from_secs(u64::from(self.registered.expires))
    }

    /// The globally routable URI of this device, if the server gave one (RFC 5627).
    pub fn gruu(&self) -> Option<&str> {
        self.registered.gruu.as_deref()
    }

    /// How the login came there: each server, its price in round trips and what it said.
    pub fn journey(&self) -> &Journey {
        &self.registered.journey
    }
}
