//! Commands to the driver, and the handle they are sent through.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::thread::{self, ThreadId};
use std::time::Duration;

use homing_core::answer::Answered;
use homing_core::config::AccountConfig;
use homing_core::counter::Counters;
use homing_core::error::Misuse;
use homing_core::event::{Event, LogoutReason, Registered};
use homing_core::ids::AccountId;
use homing_core::locate::Request;
use homing_net::NetCounters;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::credentials::AnyCredentials;
use crate::error::Error;
use crate::locate::Located;
use crate::redirect::RedirectPolicy;
use crate::state_watch::StateWatch;

/// One thing the driver is to do.
pub(crate) enum Command {
    /// Take an account in.
    Add { account: Box<AccountConfig>, credentials: Arc<dyn AnyCredentials>, answer: SyncSender<Added> },
    /// Do something with an account and answer once it is done.
    Account { account: AccountId, command: AccountCommand },
    /// Take an account out that is at rest.
    Remove { account: AccountId, answer: oneshot::Sender<Result<(), Error>> },
    /// Ask this policy from now on.
    Policy(Arc<dyn RedirectPolicy>),
    /// Look for servers, and tell where.
    Locate { request: Request, answer: oneshot::Sender<Result<Located, Error>> },
    /// Tell the counters.
    Count(SyncSender<(Counters, NetCounters)>),
    /// Sign everybody out and end.
    ShutDown { grace: Duration, answer: oneshot::Sender<ShutdownReport> },
}

/// Something to be done with an account, and who waits for it.
pub(crate) enum AccountCommand {
    Register(oneshot::Sender<Result<Registered, Error>>),
    Refresh(oneshot::Sender<Result<u32, Error>>),
    Unregister(oneshot::Sender<Result<LogoutReason, Error>>),
    Options(Option<Box<str>>, oneshot::Sender<Result<Answered, Error>>),
}

/// The answer to [`Command::Add`].
pub(crate) type Added = Result<(AccountId, StateWatch), Error>;

/// What a shutdown could not bring to an end in its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShutdownReport {
    /// Accounts that are still signed in at their servers; those lapse by themselves.
    pub accounts: Vec<AccountId>,
    /// Transactions that got no final answer.
    pub transactions: usize,
}

/// A handle of the driver. The driver signs all accounts out and ends when its last handle is gone.
#[derive(Clone)]
pub(crate) struct Handle {
    commands: mpsc::UnboundedSender<Command>,
    events: broadcast::WeakSender<Event>,
    driver: ThreadId,
}

impl Handle {
    pub(crate) fn new(
        commands: mpsc::UnboundedSender<Command>,
        events: broadcast::WeakSender<Event>,
        driver: ThreadId,
    ) -> Self {
        Self { commands, events, driver }
    }

    /// Sends a command without waiting for anything.
    pub(crate) fn tell(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).map_err(|_| Error::ShutDown)
    }

    /// Sends a command and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Command,
    ) -> Result<T, Error> {
        let (sender, answer) = oneshot::channel();
        self.tell(command(sender))?;
        answer.await.unwrap_or(Err(Error::ShutDown))
    }

    /// Sends a command and blocks for its answer, which the driver gives at once.
    pub(crate) fn ask_now<T>(&self, command: impl FnOnce(SyncSender<T>) -> Command) -> Result<T, Error> {
        if thread::current().id() == self.driver {
            // The driver cannot wait for itself.
            return Err(Misuse::WrongState.into());
        }
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        self.tell(command(sender))?;
        answer.recv().map_err(|_| Error::ShutDown)
    }

    /// Listens to events from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Event> {
        match self.events.upgrade() {
            Some(events) => events.subscribe(),
            None => broadcast::channel(1).1,
        }
    }
}
