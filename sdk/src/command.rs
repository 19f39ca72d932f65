//! Commands to the driver, and the handle they are sent through.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use homing_core::answer::Answered;
use homing_core::call_request::{CallRequest, InfoBody};
use homing_core::config::{AccountConfig, ConfigError, DoNotDisturb};
use homing_core::counter::Counters;
use homing_core::event::{Registered, UnregisterOutcome};
use homing_core::ids::{AccountId, CallId};
use homing_core::locate::Request;
use homing_core::server::ServerName;
use homing_core::state::AccountState;
use homing_net::{NetCounters, TlsClient};
use tokio::sync::{mpsc, oneshot};

use crate::call::{CallShared, Describer};
use crate::credentials::AnyCredentials;
use crate::dns::Located;
use crate::error::Error;
use crate::event::Channel;
use crate::redirect::RedirectPolicy;
use crate::sound::Audio;
use crate::state_watch::{StateSender, StateWatch, state_watch};

/// One thing the driver is to do.
pub(crate) enum Command {
    /// Add the accounts that wait in [`Additions`].
    Add,
    Register {
        account: AccountId,
        reply: Reply<Registered>,
    },
    Refresh {
        account: AccountId,
        reply: Reply<u32>,
    },
    Unregister {
        account: AccountId,
        /// How long the server's answer is waited for; none for the usual time.
        patience: Option<Duration>,
        reply: Reply<UnregisterOutcome>,
    },
    /// The password may be another one now.
    CredentialsChanged(AccountId),
    /// Ask the home server, or the owner of the URI through it; without registrar the owner directly.
    Options {
        account: AccountId,
        uri: Option<Box<str>>,
        reply: Reply<Asked>,
    },
    /// Place a call, or do something with one.
    Call(CallCommand),
    /// Where an account without registrar is heard.
    ListenAddress {
        account: AccountId,
        reply: Reply<SocketAddr>,
    },
    /// Let calls that come in ring, or refuse them.
    DoNotDisturb {
        account: AccountId,
        rule: DoNotDisturb,
        reply: Reply<()>,
    },
    /// Remove an account that is at rest.
    Remove {
        account: AccountId,
        reply: Reply<()>,
    },
    /// Ask this policy from now on.
    SetPolicy(Arc<dyn RedirectPolicy>),
    /// Dial with this from now on.
    SetTls(TlsClient),
    Locate {
        request: Request,
        reply: Reply<Located>,
    },
    /// Sign all accounts out and end.
    ShutDown {
        grace: Duration,
        reply: oneshot::Sender<ShutdownReport>,
    },
}

/// One thing to be done with a call.
pub(crate) enum CallCommand {
    Place {
        new: Box<NewCall>,
        reply: Reply<CallId>,
    },
    /// Tell the caller that it rings, or with `early` describe the session before the answer.
    Ring {
        call: CallId,
        early: bool,
        reply: Reply<()>,
    },
    Answer {
        call: CallId,
        reply: Reply<()>,
    },
    Reject {
        call: CallId,
        status: u16,
        reply: Reply<()>,
    },
    Redirect {
        call: CallId,
        to: String,
        reply: Reply<()>,
    },
    HangUp {
        call: CallId,
        reply: Reply<()>,
    },
    /// Hold it, or take it up again.
    Change {
        call: CallId,
        hold: bool,
        reply: Reply<()>,
    },
    Info {
        call: CallId,
        body: InfoBody,
        reply: Reply<u16>,
    },
    /// Make this sound of a call that came in.
    Audio {
        call: CallId,
        audio: Audio,
    },
    /// Ask this describer from now on.
    Describer {
        call: CallId,
        describer: Describer,
    },
    /// Nobody holds it any more.
    Abandon(Arc<CallShared>),
}

/// A call to be placed.
pub(crate) struct NewCall {
    pub(crate) call: Arc<CallShared>,
    pub(crate) request: CallRequest,
    pub(crate) describer: Option<Describer>,
    /// None leaves the session to a describer where there is one.
    pub(crate) audio: Option<Audio>,
}

/// Who was asked by OPTIONS, and what was answered.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) server: ServerName,
    pub(crate) answer: Answered,
}

/// Where the outcome of a command goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// How a user agent ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// What became of the bindings of the accounts that were signed in or trying to be.
    pub accounts: BTreeMap<AccountId, UnregisterOutcome>,
    /// Transactions that got no final answer.
    pub transactions: usize,
}

/// What the driver counted, at most ten milliseconds ago. Shared with its handles, so that reading does not wait.
#[derive(Clone, Default)]
pub(crate) struct CounterSnapshot(Arc<Mutex<(Counters, NetCounters)>>);

/// An account that waits to be added.
pub(crate) struct NewAccount {
    pub(crate) id: AccountId,
    pub(crate) config: AccountConfig,
    pub(crate) endpoint: Endpoint,
    pub(crate) state: StateSender,
    pub(crate) credentials: Arc<dyn AnyCredentials>,
}

/// Address and epid of an account: a user agent has each only once, for two would remove each other's binding.
pub(crate) type Endpoint = Arc<str>;

/// Accounts that wait to be added, in the order of their numbers. They lie in one list rather than in the commands:
/// thousands that are added at once leave no holes in memory.
#[derive(Clone, Default)]
pub(crate) struct Additions(Arc<Mutex<Numbered>>);

/// The driver's end of the additions. Dropping it ends the accounts that wait, and refuses others.
pub(crate) struct AdditionsReceiver(Additions);

#[derive(Default)]
struct Numbered {
    next: u32,
    waiting: Vec<NewAccount>,
    /// Of all accounts, also of those that were taken.
    endpoints: BTreeSet<Endpoint>,
    closed: bool,
}

/// A handle of the driver. The driver signs all accounts out and ends when its last handle is gone.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Shared>);

struct Shared {
    commands: mpsc::UnboundedSender<Command>,
    additions: Additions,
    events: Arc<Channel>,
    counters: CounterSnapshot,
}

impl Handle {
    pub(crate) fn new(
        commands: mpsc::UnboundedSender<Command>,
        additions: Additions,
        events: Arc<Channel>,
        counters: CounterSnapshot,
    ) -> Self {
        Self(Arc::new(Shared { commands, additions, events, counters }))
    }

    /// Sends a command without waiting for anything.
    pub(crate) fn tell(&self, command: Command) -> Result<(), Error> {
        self.0.commands.send(command).map_err(|_| Error::ShutDown)
    }

    /// Sends a command and waits for its outcome.
    pub(crate) async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, outcome) = oneshot::channel();
        self.tell(command(reply))?;
        outcome.await.unwrap_or(Err(Error::ShutDown))
    }

    /// Adds an account without waiting for the driver.
    pub(crate) fn add(
        &self,
        config: AccountConfig,
        credentials: Arc<dyn AnyCredentials>,
    ) -> Result<(AccountId, StateWatch), Error> {
        let (state, watch) = state_watch(AccountState::Offline);
        let endpoint: Endpoint =
            format!("{} {}", config.aor.to_string().to_ascii_lowercase(), config.epid).into();
        let mut additions = self.0.additions.lock();
        if additions.closed {
            return Err(Error::ShutDown);
        }
        if additions.endpoints.contains(&endpoint) {
            let aor = config.aor.to_string();
            return Err(ConfigError::Duplicate { aor, epid: config.epid }.into());
        }
        // Sent under the lock, so that no command for an account comes before the one that adds it; and once for all
        // that wait.
        if additions.waiting.is_empty() {
            self.tell(Command::Add)?;
        }
        let id = AccountId(additions.next);
        additions.next += 1;
        additions.endpoints.insert(Arc::clone(&endpoint));
        additions.waiting.push(NewAccount { id, config, endpoint, state, credentials });
        Ok((id, watch))
    }

    /// The channel of the events of all accounts.
    pub(crate) fn channel(&self) -> &Arc<Channel> {
        &self.0.events
    }

    pub(crate) fn counters(&self) -> &CounterSnapshot {
        &self.0.counters
    }
}

impl ShutdownReport {
    /// The accounts whose servers may still hold a binding: they refused to remove it, or did not answer in time.
    pub fn left_behind(&self) -> impl Iterator<Item = (AccountId, UnregisterOutcome)> {
        let accounts = self.accounts.iter().map(|(account, outcome)| (*account, *outcome));
        accounts.filter(|(_, outcome)| outcome.leaves_binding())
    }
}

impl Additions {
    pub(crate) fn receiver(&self) -> AdditionsReceiver {
        AdditionsReceiver(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Numbered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AdditionsReceiver {
    /// All that wait.
    pub(crate) fn take(&self) -> Vec<NewAccount> {
        std::mem::take(&mut self.0.lock().waiting)
    }

    /// The account with this endpoint was removed; another may have it.
    pub(crate) fn release(&self, endpoint: &Endpoint) {
        self.0.lock().endpoints.remove(endpoint);
    }
}

impl Drop for AdditionsReceiver {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        // Not under the lock: their handles and readers are told.
        drop(self.take());
    }
}

impl CounterSnapshot {
    /// Replaces what readers see.
    pub(crate) fn publish(&self, agent: Counters, net: NetCounters) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (agent, net);
    }

    pub(crate) fn agent(&self) -> Counters {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }

    pub(crate) fn net(&self) -> NetCounters {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}
