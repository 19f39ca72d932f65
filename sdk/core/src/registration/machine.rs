//! One account's login: the states under one roof, and what is told when they change.

use super::account::Account;
use super::attempt::Attempt;
use super::awaiting_consent::AwaitingConsent;
use super::context::Context;
use super::idle::Idle;
use super::locating::Locating;
use super::registered::Registered;
use super::registering::Registering;
use super::transition::{Step, Transition};
use super::unregistering::Unregistering;
use crate::config::AccountConfig;
use crate::event::AccountEvent;
use crate::ids::AccountId;
use crate::journey::HopVerdict;
use crate::state::AccountState;
use crate::time::Deadline;

/// The login of one account.
pub struct Registration {
    pub(super) account: Account,
    pub(super) state: State,
    told: Told,
}

/// Where a login stands.
pub(super) enum State {
    /// Nothing is under way.
    Idle(Idle),
    /// A server is looked for.
    Locating(Box<Locating>),
    /// A server is talked to.
    Registering(Box<Registering>),
    /// A redirect waits for consent.
    AwaitingConsent(Box<AwaitingConsent>),
    /// Signed in.
    Registered(Box<Registered>),
    /// Signing out.
    Unregistering(Box<Unregistering>),
}

/// What a login waits for that is no deadline of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expecting {
    /// The answer to a request: the transaction has the deadline.
    Answer,
    /// Credentials.
    Person,
    /// Consent.
    App,
    /// A command.
    Nothing,
}

/// What the user knows.
struct Told {
    state: AccountState,
    journey_changes: u32,
}

impl Registration {
    /// A login that rests.
    pub fn new(id: AccountId, config: AccountConfig) -> Self {
        Self {
            account: Account::new(id, config),
            state: State::Idle(Idle::new(AccountState::Offline)),
            told: Told { state: AccountState::Offline, journey_changes: 0 },
        }
    }

    /// The account's configuration.
    pub fn config(&self) -> &AccountConfig {
        &self.account.config
    }

    /// The state as it is shown.
    pub fn shown(&self) -> AccountState {
        match &self.state {
            State::Idle(idle) => idle.shown(),
            State::Locating(locating) if locating.search.is_dialling() => AccountState::Connecting,
            State::Locating(locating) => match locating.attempt.journey().last().map(|hop| &hop.verdict) {
                Some(HopVerdict::Redirected { .. }) => AccountState::Redirected,
                Some(_) | None => AccountState::Resolving,
            },
            State::Registering(registering) if registering.exchange.is_authenticating() => {
                AccountState::Authenticating
            }
            State::Registering(_) => AccountState::Registering,
            State::AwaitingConsent(_) => AccountState::Redirected,
            State::Registered(registered) => registered.shown(),
            State::Unregistering(_) => AccountState::Registered,
        }
    }

    /// The next thing due.
    pub fn deadline(&self) -> Option<Deadline> {
        match &self.state {
            State::Idle(idle) => idle.deadline(),
            State::Locating(locating) => locating.deadline(),
            State::Registering(registering) => registering.exchange.deadline(),
            State::AwaitingConsent(_) => None,
            State::Registered(registered) => registered.deadline(),
            State::Unregistering(unregistering) => unregistering.deadline(),
        }
    }

    /// What is waited for beside the deadline.
    pub fn expecting(&self) -> Expecting {
        match &self.state {
            State::Registering(registering) if registering.exchange.ask().is_some() => Expecting::Person,
            State::Registering(_) => Expecting::Answer,
            State::AwaitingConsent(_) => Expecting::App,
            State::Idle(_) | State::Locating(_) | State::Registered(_) | State::Unregistering(_) => {
                Expecting::Nothing
            }
        }
    }

    /// True if nothing is under way, so that the account may be removed.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Idle(_))
    }

    /// One step of the machine: the state is consumed, what follows it is made, and what changed is told.
    pub(super) fn step(
        &mut self,
        cx: &mut Context<'_>,
        handle: impl FnOnce(State, &mut Account, &mut Context<'_>) -> Step<State>,
    ) {
        let nothing = State::Idle(Idle::new(AccountState::Offline));
        let state = std::mem::replace(&mut self.state, nothing);
        let mut turn = handle(state, &mut self.account, cx);
        self.state = loop {
            match turn {
                Step::Stays(state) => break state,
                Step::Ends(transition) => turn = follow(*transition, &mut self.account, cx),
            }
        };
        self.tell(cx);
    }

    fn tell(&mut self, cx: &mut Context<'_>) {
        let changes = self.attempt().map_or(0, Attempt::changes);
        if std::mem::replace(&mut self.told.journey_changes, changes) != changes
            && let Some(attempt) = self.attempt()
        {
            cx.tell(AccountEvent::JourneyChanged(attempt.journey().clone()));
        }
        let to = self.shown();
        let from = std::mem::replace(&mut self.told.state, to);
        if from != to {
            cx.tell(AccountEvent::StateChanged { from, to });
        }
    }

    fn attempt(&self) -> Option<&Attempt> {
        match &self.state {
            State::Locating(locating) => Some(&locating.attempt),
            State::Registering(registering) => Some(&registering.attempt),
            State::AwaitingConsent(awaiting_consent) => Some(&awaiting_consent.attempt),
            State::Idle(_) | State::Registered(_) | State::Unregistering(_) => None,
        }
    }
}

/// The state that follows; a state may be over as soon as it begins.
fn follow(transition: Transition, account: &mut Account, cx: &mut Context<'_>) -> Step<State> {
    match transition {
        Transition::Login(cause) => Locating::start(cause, account, cx).map(State::from),
        Transition::LoginAt(target) => Locating::start_at(&target, account, cx).map(State::from),
        Transition::Redirected(attempt, targets) => {
            Locating::redirected(attempt, &targets, account, cx).map(State::from)
        }
        Transition::ServerSearch(attempt, search) => {
            Locating::resume(attempt, search, account, cx).map(State::from)
        }
        Transition::Join(attempt, search, connection) => {
            Registering::start(attempt, search, *connection, account, cx).map(State::from)
        }
        Transition::Consent(proposal) => Step::Stays(AwaitingConsent::start(*proposal, cx).into()),
        Transition::Granted(grant) => Registered::start(*grant, account, cx).map(State::from),
        Transition::Leave(link) => Unregistering::start(*link, account, cx).map(State::from),
        Transition::Failed(error, attempt) => {
            Step::Stays(Idle::after_failure(error, attempt, account, cx).into())
        }
        Transition::Pause { shown, at, cause } => Step::Stays(Idle::until(shown, at, cause).into()),
        Transition::Rest(shown) => Step::Stays(Idle::new(shown).into()),
    }
}

impl From<Idle> for State {
    fn from(state: Idle) -> Self {
        State::Idle(state)
    }
}

impl From<Locating> for State {
    fn from(state: Locating) -> Self {
        State::Locating(Box::new(state))
    }
}

impl From<Registering> for State {
    fn from(state: Registering) -> Self {
        State::Registering(Box::new(state))
    }
}

impl From<AwaitingConsent> for State {
    fn from(state: AwaitingConsent) -> Self {
        State::AwaitingConsent(Box::new(state))
    }
}

impl From<Registered> for State {
    fn from(state: Registered) -> Self {
        State::Registered(Box::new(state))
    }
}

impl From<Unregistering> for State {
    fn from(state: Unregistering) -> Self {
        State::Unregistering(Box::new(state))
    }
}
