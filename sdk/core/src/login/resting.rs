//! Nothing is under way: off-line, signed out, waiting for the network, or between two attempts.

use super::account::Account;
use super::desk::Desk;
use super::machine::State;
use super::seeking::Seeking;
use crate::event::MoveCause;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Why};

/// Nothing is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting {
    shown: AccountState,
    /// The next attempt, if it comes by itself.
    again: Option<Again>,
}

#[derive(Clone, Copy, Debug)]
struct Again {
    at: Moment,
    cause: MoveCause,
}

impl Resting {
    /// Until somebody says otherwise.
    pub(super) fn new(shown: AccountState) -> Self {
        Self { shown, again: None }
    }

    /// Until `at`.
    pub(super) fn until(shown: AccountState, at: Moment, cause: MoveCause) -> Self {
        Self { shown, again: Some(Again { at, cause }) }
    }

    /// How the state is shown.
    pub(super) fn shown(&self) -> AccountState {
        self.shown
    }

    /// When the next attempt begins.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.again.map(|again| Deadline::new(again.at, Why::BackOff))
    }

    /// True if the account is to be signed in as soon as that is possible.
    pub(super) fn is_waiting(&self) -> bool {
        self.again.is_some() || self.shown == AccountState::NoNetwork
    }

    /// Begins the next attempt if its time has come.
    pub(super) fn handle_deadline(self, account: &mut Account, desk: &mut Desk<'_>) -> State {
        match self.again {
            Some(again) if desk.now.reached(again.at) => Seeking::start(again.cause, account, desk),
            Some(_) | None => State::Resting(self),
        }
    }

    /// The network came or went.
    pub(super) fn handle_network(self, online: bool, account: &mut Account, desk: &mut Desk<'_>) -> State {
        match (online, self.is_waiting()) {
            (_, false) => State::Resting(self),
            (true, true) => {
                let cause = self.again.map_or(MoveCause::Failover, |again| again.cause);
                Seeking::start(cause, account, desk)
            }
            (false, true) => State::Resting(Resting::new(AccountState::NoNetwork)),
        }
    }
}
