//! One account's login: the states under one roof, and what is told when they change.

use super::account::Account;
use super::deciding::Deciding;
use super::desk::Desk;
use super::joining::Joining;
use super::leaving::Leaving;
use super::registered::Registered;
use super::resting::Resting;
use super::seeking::Seeking;
use super::sequel::{Sequel, Turn};
use super::trip::Trip;
use crate::config::AccountConfig;
use crate::event::AccountEvent;
use crate::ids::AccountId;
use crate::journey::HopVerdict;
use crate::state::AccountState;
use crate::time::Deadline;

/// The login of one account.
pub struct Login {
    pub(super) account: Account,
    pub(super) state: State,
    told: Told,
}

/// Where a login stands.
pub(super) enum State {
    /// Nothing is under way.
    Resting(Resting),
    /// A server is looked for.
    Seeking(Box<Seeking>),
    /// A server is talked to.
    Joining(Box<Joining>),
    /// A redirect waits for consent.
    Deciding(Box<Deciding>),
    /// Signed in.
    Registered(Box<Registered>),
    /// Signing out.
    Leaving(Box<Leaving>),
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

impl Login {
    /// A login that rests.
    pub fn new(id: AccountId, config: AccountConfig) -> Self {
        Self {
            account: Account::new(id, config),
            state: State::Resting(Resting::new(AccountState::Offline)),
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
            State::Resting(resting) => resting.shown(),
            State::Seeking(seeking) if seeking.search.is_dialling() => AccountState::Connecting,
            State::Seeking(seeking) => match seeking.trip.journey().last().map(|hop| &hop.verdict) {
                Some(HopVerdict::Redirected { .. }) => AccountState::Redirected,
                Some(_) | None => AccountState::Resolving,
            },
            State::Joining(joining) if joining.exchange.is_authenticating() => AccountState::Authenticating,
            State::Joining(_) => AccountState::Registering,
            State::Deciding(_) => AccountState::Redirected,
            State::Registered(registered) => registered.shown(),
            State::Leaving(_) => AccountState::Registered,
        }
    }

    /// The next thing due.
    pub fn deadline(&self) -> Option<Deadline> {
        match &self.state {
            State::Resting(resting) => resting.deadline(),
            State::Seeking(seeking) => seeking.deadline(),
            State::Joining(joining) => joining.exchange.deadline(),
            State::Deciding(_) => None,
            State::Registered(registered) => registered.deadline(),
            State::Leaving(leaving) => leaving.deadline(),
        }
    }

    /// What is waited for beside the deadline.
    pub fn expecting(&self) -> Expecting {
        match &self.state {
            State::Joining(joining) if joining.exchange.ask().is_some() => Expecting::Person,
            State::Joining(_) => Expecting::Answer,
            State::Deciding(_) => Expecting::App,
            State::Resting(_) | State::Seeking(_) | State::Registered(_) | State::Leaving(_) => {
                Expecting::Nothing
            }
        }
    }

    /// True if nothing is under way, so that the account may be removed.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.state, State::Resting(_))
    }

    /// One step of the machine: the state is consumed, what follows it is made, and what changed is told.
    pub(super) fn step(
        &mut self,
        desk: &mut Desk<'_>,
        handle: impl FnOnce(State, &mut Account, &mut Desk<'_>) -> Turn<State>,
    ) {
        let nothing = State::Resting(Resting::new(AccountState::Offline));
        let state = std::mem::replace(&mut self.state, nothing);
        let mut turn = handle(state, &mut self.account, desk);
        self.state = loop {
            match turn {
                Turn::Stays(state) => break state,
                Turn::Ends(sequel) => turn = follow(*sequel, &mut self.account, desk),
            }
        };
        self.tell(desk);
    }

    fn tell(&mut self, desk: &mut Desk<'_>) {
        let changes = self.trip().map_or(0, Trip::changes);
        if std::mem::replace(&mut self.told.journey_changes, changes) != changes
            && let Some(trip) = self.trip()
        {
            desk.tell(AccountEvent::JourneyChanged(trip.journey().clone()));
        }
        let to = self.shown();
        let from = std::mem::replace(&mut self.told.state, to);
        if from != to {
            desk.tell(AccountEvent::StateChanged { from, to });
        }
    }

    fn trip(&self) -> Option<&Trip> {
        match &self.state {
            State::Seeking(seeking) => Some(&seeking.trip),
            State::Joining(joining) => Some(&joining.trip),
            State::Deciding(deciding) => Some(&deciding.trip),
            State::Resting(_) | State::Registered(_) | State::Leaving(_) => None,
        }
    }
}

/// The state that follows; a state may be over as soon as it begins.
fn follow(sequel: Sequel, account: &mut Account, desk: &mut Desk<'_>) -> Turn<State> {
    match sequel {
        Sequel::Login(cause) => Seeking::start(cause, account, desk).map(State::from),
        Sequel::LoginAt(onward) => Seeking::start_at(&onward, account, desk).map(State::from),
        Sequel::Redirected(trip, targets) => {
            Seeking::redirected(trip, &targets, account, desk).map(State::from)
        }
        Sequel::Search(trip, search) => Seeking::resume(trip, search, account, desk).map(State::from),
        Sequel::Join(trip, search, connection) => {
            Joining::start(trip, search, *connection, account, desk).map(State::from)
        }
        Sequel::Consent(proposal) => Turn::Stays(Deciding::start(*proposal, desk).into()),
        Sequel::Granted(grant) => Registered::start(*grant, account, desk).map(State::from),
        Sequel::Leave(conversation) => Leaving::start(*conversation, account, desk).map(State::from),
        Sequel::Failed(error, trip) => Turn::Stays(Resting::after_failure(error, trip, account, desk).into()),
        Sequel::Pause { shown, at, cause } => Turn::Stays(Resting::until(shown, at, cause).into()),
        Sequel::Rest(shown) => Turn::Stays(Resting::new(shown).into()),
    }
}

impl From<Resting> for State {
    fn from(state: Resting) -> Self {
        State::Resting(state)
    }
}

impl From<Seeking> for State {
    fn from(state: Seeking) -> Self {
        State::Seeking(Box::new(state))
    }
}

impl From<Joining> for State {
    fn from(state: Joining) -> Self {
        State::Joining(Box::new(state))
    }
}

impl From<Deciding> for State {
    fn from(state: Deciding) -> Self {
        State::Deciding(Box::new(state))
    }
}

impl From<Registered> for State {
    fn from(state: Registered) -> Self {
        State::Registered(Box::new(state))
    }
}

impl From<Leaving> for State {
    fn from(state: Leaving) -> Self {
        State::Leaving(Box::new(state))
    }
}
