//! Who waits for what: events go to listeners, states to handles, outcomes to those who asked for them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use homing_core::config::Aor;
use homing_core::error::Misuse;
use homing_core::event::{AccountEvent, Event, LogoutReason, Registered};
use homing_core::ids::AccountId;
use homing_core::state::AccountState;
use tokio::sync::broadcast;
use tracing::Span;

use crate::command::AccountCommand;
use crate::error::Error;
use crate::state_watch::{StateSender, StateWatch, state_watch};

/// What is known of every account, and who waits.
pub(super) struct Registry {
    accounts: BTreeMap<AccountId, Account>,
    /// Accounts that are signed in or trying to be.
    busy: usize,
    events: broadcast::Sender<Event>,
    /// Told since outcomes were last settled.
    recent: Vec<Event>,
}

struct Account {
    state: StateSender,
    registered: Option<Registered>,
    waiting: Vec<AccountCommand>,
    span: Span,
}

impl Registry {
    pub(super) fn new(events: broadcast::Sender<Event>) -> Self {
        Self { accounts: BTreeMap::new(), busy: 0, events, recent: Vec::new() }
    }

    /// Takes an account in and gives a watch of its state.
    pub(super) fn add(&mut self, id: AccountId, aor: &Aor) -> StateWatch {
        let (state, watch) = state_watch(AccountState::Offline);
        let span = tracing::info_span!("sip.register", account = id.0, %aor);
        self.accounts.insert(id, Account { state, registered: None, waiting: Vec::new(), span });
        watch
    }

    pub(super) fn remove(&mut self, id: AccountId) {
        if self.accounts.remove(&id).is_some_and(|account| !account.is_at_rest()) {
            self.busy -= 1;
        }
    }

    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.accounts.keys().copied().collect()
    }

    pub(super) fn signed_in(&self) -> Vec<AccountId> {
        let reachable = |account: &Account| account.state.state().is_reachable();
        self.accounts.iter().filter(|(_, account)| reachable(account)).map(|(id, _)| *id).collect()
    }

    /// True when nobody is signed in or trying to be.
    pub(super) fn is_at_rest(&self) -> bool {
        self.busy == 0
    }

    /// Answers what needs no order to the agent: to register while registered.
    pub(super) fn settle_at_once(
        &mut self,
        id: AccountId,
        command: AccountCommand,
    ) -> ControlFlow<(), AccountCommand> {
        let Some(account) = self.accounts.get(&id) else { return ControlFlow::Continue(command) };
        match (command, &account.registered) {
            (AccountCommand::Register(answer), Some(registered)) if account.state.state().is_reachable() => {
                // Whoever asked may be gone.
                let _ = answer.send(Ok(registered.clone()));
                ControlFlow::Break(())
            }
            (command, _) => ControlFlow::Continue(command),
        }
    }

    /// Notes who waits, or tells at once that the agent did not take the order. Whoever asks for what is
    /// under way already waits for that.
    pub(super) fn await_outcome(
        &mut self,
        id: AccountId,
        command: AccountCommand,
        taken: Result<(), Misuse>,
    ) {
        let Some(account) = self.accounts.get_mut(&id) else {
            return command.fail(Misuse::UnknownAccount.into());
        };
        let under_way = matches!(command, AccountCommand::Register(_)) && !account.is_at_rest();
        match taken {
            Ok(()) => account.waiting.push(command),
            Err(Misuse::WrongState) if under_way => account.waiting.push(command),
            Err(misuse) => command.fail(misuse.into()),
        }
        account.waiting.retain(|command| !command.is_abandoned());
    }

    /// Tells an event to all who listen. Who waits for an outcome hears of it when it is settled.
    pub(super) fn post(&mut self, event: Event) {
        if let Some(account) = self.accounts.get_mut(&event.account) {
            account.span.in_scope(|| log(&event.what));
            let was_at_rest = account.is_at_rest();
            account.take_note(&event.what);
            match (was_at_rest, account.is_at_rest()) {
                (true, false) => self.busy += 1,
                (false, true) => self.busy -= 1,
                (true, true) | (false, false) => {}
            }
            if !account.waiting.is_empty() && may_settle(&event.what) {
                self.recent.push(event.clone());
            }
        }
        if self.events.receiver_count() > 0 {
            // The last listener may leave meanwhile.
            let _ = self.events.send(event);
        }
    }

    /// Gives those who wait their outcomes, once all that happened together is told: whoever hears
    /// of a registration finds the account in the state that goes with it.
    pub(super) fn settle(&mut self) {
        for event in self.recent.drain(..) {
            let Some(account) = self.accounts.get_mut(&event.account) else { continue };
            for command in std::mem::take(&mut account.waiting) {
                account.waiting.extend(command.settle(&event.what));
            }
        }
    }
}

impl Account {
    fn is_at_rest(&self) -> bool {
        matches!(
            self.state.state(),
            AccountState::Offline | AccountState::LoggedOff | AccountState::Refused | AccountState::NoNetwork
        )
    }

    fn take_note(&mut self, what: &AccountEvent) {
        match what {
            AccountEvent::StateChanged { to, .. } => self.state.show(*to),
            AccountEvent::Registered(registered) => self.registered = Some(registered.clone()),
            AccountEvent::Refreshed { expires } => {
                if let Some(registered) = &mut self.registered {
                    registered.expires = *expires;
                }
            }
            AccountEvent::LoggedOut { .. } => self.registered = None,
            _ => {}
        }
    }
}

impl AccountCommand {
    /// Answers whoever waits if this is what they wait for; else they go on waiting.
    fn settle(self, what: &AccountEvent) -> Option<AccountCommand> {
        // Whoever asked may be gone; that loses nothing.
        match (self, what) {
            (AccountCommand::Register(answer), AccountEvent::Registered(registered)) => {
                let _ = answer.send(Ok(registered.clone()));
            }
            (AccountCommand::Refresh(answer), AccountEvent::Refreshed { expires }) => {
                let _ = answer.send(Ok(*expires));
            }
            (AccountCommand::Refresh(answer), AccountEvent::Registered(registered)) => {
                let _ = answer.send(Ok(registered.expires));
            }
            (AccountCommand::Options(_, answer), AccountEvent::OptionsAnswered(answered)) => {
                let _ = answer.send(Ok(answered.clone()));
            }
            (AccountCommand::Unregister(answer), AccountEvent::LoggedOut { why }) => {
                let _ = answer.send(Ok(*why));
            }
            (command, AccountEvent::StateChanged { to: AccountState::LoggedOff, .. }) => command.end(),
            // A login ends what was asked before it; a sign-out for which one asked ends with it.
            (
                command @ (AccountCommand::Register(_) | AccountCommand::Refresh(_)),
                AccountEvent::LoginFailed { failure, .. },
            ) => {
                command.fail(failure.clone().into());
            }
            (
                command @ (AccountCommand::Register(_) | AccountCommand::Options(..)),
                AccountEvent::LoggedOut { why },
            ) => {
                command.fail(Error::LoggedOut(*why));
            }
            (AccountCommand::Refresh(answer), AccountEvent::LoggedOut { why }) if !signs_in_again(*why) => {
                let _ = answer.send(Err(Error::LoggedOut(*why)));
            }
            (command, _) => return Some(command),
        }
        None
    }

    /// The account rests, as somebody asked it to.
    fn end(self) {
        match self {
            AccountCommand::Unregister(answer) => {
                // Whoever asked may be gone.
                let _ = answer.send(Ok(LogoutReason::Asked));
            }
            command => command.fail(Error::LoggedOut(LogoutReason::Asked)),
        }
    }

    fn fail(self, error: Error) {
        // Whoever asked may be gone.
        let _ = match self {
            AccountCommand::Register(answer) => answer.send(Err(error)).is_ok(),
            AccountCommand::Refresh(answer) => answer.send(Err(error)).is_ok(),
            AccountCommand::Unregister(answer) => answer.send(Err(error)).is_ok(),
            AccountCommand::Options(_, answer) => answer.send(Err(error)).is_ok(),
        };
    }

    fn is_abandoned(&self) -> bool {
        match self {
            AccountCommand::Register(answer) => answer.is_closed(),
            AccountCommand::Refresh(answer) => answer.is_closed(),
            AccountCommand::Unregister(answer) => answer.is_closed(),
            AccountCommand::Options(_, answer) => answer.is_closed(),
        }
    }
}

/// False for what nobody waits for: it need not be kept until outcomes are settled.
fn may_settle(what: &AccountEvent) -> bool {
    !matches!(what, AccountEvent::JourneyChanged(_) | AccountEvent::HomeServerChanged { .. })
}

/// True for a sign-out after which the account signs in anew by itself.
fn signs_in_again(why: LogoutReason) -> bool {
    match why {
        LogoutReason::Moved
        | LogoutReason::Deactivated
        | LogoutReason::BindingLost
        | LogoutReason::ConnectionLost
        | LogoutReason::Lapsed => true,
        LogoutReason::Asked | LogoutReason::Displaced | LogoutReason::Disabled => false,
    }
}

/// Writes the event to the log: its name and stable words, nothing that a peer wrote.
fn log(what: &AccountEvent) {
    match what {
        AccountEvent::LoginFailed { failure, retry_in } => {
            tracing::warn!(code = failure.error.code(), ?retry_in, "login failed");
        }
        AccountEvent::Registered(registered) => {
            tracing::info!(home = %registered.home, expires = registered.expires, "registered");
        }
        AccountEvent::MessageRefused { server, why } => tracing::warn!(%server, %why, "message refused"),
        AccountEvent::ProofWrong { server } => tracing::warn!(%server, "proof of the server wrong"),
        other => tracing::debug!("{}", name(other)),
    }
}

/// The event's name, without what peers wrote.
fn name(what: &AccountEvent) -> &'static str {
    match what {
        AccountEvent::StateChanged { to, .. } => to.words().word,
        AccountEvent::JourneyChanged(_) => "journey changed",
        AccountEvent::Registered(_) => "registered",
        AccountEvent::Refreshed { .. } => "refreshed",
        AccountEvent::AssociationRenewed => "association renewed",
        AccountEvent::LoginFailed { .. } => "login failed",
        AccountEvent::LoggedOut { .. } => "logged out",
        AccountEvent::HomeServerChanged { .. } => "home server changed",
        AccountEvent::MessageRefused { .. } => "message refused",
        AccountEvent::ProofWrong { .. } => "proof wrong",
        AccountEvent::Learned(_) => "home server learned",
        AccountEvent::Forgotten => "home server forgotten",
        AccountEvent::OptionsAnswered(_) => "options answered",
    }
}
