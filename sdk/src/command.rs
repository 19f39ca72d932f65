//! Commands to the driver, and the handle they are sent through.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use homing_core::answer::Answered;
use homing_core::config::AccountConfig;
use homing_core::counter::Counters;
use homing_core::event::{LogoutReason, Registered};
use homing_core::ids::AccountId;
use homing_core::locate::Request;
use homing_core::state::AccountState;
use homing_net::NetCounters;
use tokio::sync::{mpsc, oneshot};

use crate::credentials::AnyCredentials;
use crate::dns::Located;
use crate::error::Error;
use crate::event::Channel;
use crate::redirect::RedirectPolicy;
use crate::state_watch::{StateSender, StateWatch, state_watch};

/// One thing the driver is to do.
pub(crate) enum Command {
    /// Add an account, which gets the next number.
    Add {
        id: AccountId,
        account: Box<AccountConfig>,
        state: StateSender,
        credentials: Arc<dyn AnyCredentials>,
    },
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
        reply: Reply<LogoutReason>,
    },
    /// Ask the home server, or the owner of the URI through it.
    Options {
        account: AccountId,
        uri: Option<Box<str>>,
        reply: Reply<Answered>,
    },
    /// Remove an account that is at rest.
    Remove {
        account: AccountId,
        reply: Reply<()>,
    },
    /// Ask this policy from now on.
    SetPolicy(Arc<dyn RedirectPolicy>),
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

/// Where the outcome of a command goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// What a shutdown could not bring to an end in its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Accounts that are still signed in at their servers; those bindings lapse by themselves.
    pub accounts: Vec<AccountId>,
    /// Transactions that got no final answer.
    pub transactions: usize,
}

/// What the driver counted, as of its last step. Shared with its handles, so that reading does not wait.
#[derive(Clone, Default)]
pub(crate) struct CounterSnapshot(Arc<Mutex<(Counters, NetCounters)>>);

/// A handle of the driver. The driver signs all accounts out and ends when its last handle is gone.
#[derive(Clone)]
pub(crate) struct Handle(Arc<Shared>);

struct Shared {
    commands: mpsc::UnboundedSender<Command>,
    /// How many accounts were added. Held while one is, so that they are added in the order of their numbers.
    added: Mutex<u32>,
    events: Arc<Channel>,
    counters: CounterSnapshot,
}

impl Handle {
    pub(crate) fn new(
        commands: mpsc::UnboundedSender<Command>,
        events: Arc<Channel>,
        counters: CounterSnapshot,
    ) -> Self {
        Self(Arc::new(Shared { commands, added: Mutex::new(0), events, counters }))
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
        account: AccountConfig,
        credentials: Arc<dyn AnyCredentials>,
    ) -> Result<(AccountId, StateWatch), Error> {
        let (state, watch) = state_watch(AccountState::Offline);
        let mut added = self.0.added.lock().unwrap_or_else(PoisonError::into_inner);
        let id = AccountId(*added);
        self.tell(Command::Add { id, account: Box::new(account), state, credentials })?;
        *added += 1;
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
