//! Who waits for the outcome of what was asked of an account.

use std::collections::BTreeMap;

use homing_core::event::{
    AccountEvent, Event, EventKind, LogoutReason, Registered, RequestOutcome, UnregisterOutcome,
};
use homing_core::ids::{AccountId, RequestId};
use homing_core::journey::{Journey, LoginFailure};
use homing_core::state::AccountState;

use crate::command::{Asked, Reply};
use crate::error::Error;

/// Those who wait, by account, and the events that may be what they wait for.
#[derive(Default)]
pub(super) struct Waiters {
    waiting: BTreeMap<AccountId, Vec<Waiter>>,
    /// Events since outcomes were settled last, of accounts that are waited for.
    unsettled: Vec<Event>,
}

/// Where an outcome goes, by the command that was given.
pub(super) enum Waiter {
    Register(Reply<Registered>),
    Refresh(Reply<u32>),
    Unregister(Reply<UnregisterOutcome>),
    Options(RequestId, Reply<Asked>),
}

impl Waiters {
    /// Adds one who waits; those who gave up leave.
    pub(super) fn add(&mut self, account: AccountId, waiter: Waiter) {
        let waiting = self.waiting.entry(account).or_default();
        waiting.retain(|waiter| !waiter.is_abandoned());
        waiting.push(waiter);
    }

    /// Ends every wait for an account that was removed.
    pub(super) fn remove(&mut self, account: AccountId) {
        self.waiting.remove(&account);
    }

    /// Keeps an event of an account for which an outcome is awaited, until outcomes are settled.
    pub(super) fn note(&mut self, event: &Event) {
        if !is_detail(event.what.kind()) && self.waiting.contains_key(&event.account) {
            self.unsettled.push(event.clone());
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    /// Gives outcomes, once all that happened in the same step is recorded: after the outcome of a registration the
    /// account is in the state that goes with it.
    pub(super) fn settle(&mut self) {
        for event in self.unsettled.drain(..) {
            let Some(waiting) = self.waiting.remove(&event.account) else { continue };
            let still: Vec<Waiter> =
                waiting.into_iter().filter_map(|waiter| waiter.settle(&event.what)).collect();
            if !still.is_empty() {
                self.waiting.insert(event.account, still);
            }
        }
    }
}

impl Waiter {
    /// Gives the outcome if the event is what is waited for; else the wait goes on. An outcome is lost where the future
    /// that waits was dropped.
    fn settle(self, what: &AccountEvent) -> Option<Waiter> {
        match (self, what) {
            (Waiter::Register(reply), AccountEvent::Registered(registered)) => {
                let _ = reply.send(Ok(registered.clone()));
            }
            (Waiter::Refresh(reply), AccountEvent::Refreshed { expires }) => {
                let _ = reply.send(Ok(*expires));
            }
            (Waiter::Refresh(reply), AccountEvent::Registered(registered)) => {
                let _ = reply.send(Ok(registered.expires));
            }
            (Waiter::Options(id, reply), AccountEvent::RequestEnded { request, outcome })
                if id == *request =>
            {
                let _ = reply.send(asked(outcome));
            }
            // A request is told its own end, whatever becomes of the registration meanwhile.
            (waiter @ Waiter::Options(..), _) => return Some(waiter),
            (Waiter::Unregister(reply), AccountEvent::Unregistered { outcome }) => {
                let _ = reply.send(Ok(*outcome));
            }
            // It is told before the state changes.
            (waiter @ Waiter::Unregister(_), _) => return Some(waiter),
            (waiter, AccountEvent::StateChanged { to: AccountState::LoggedOff, .. }) => {
                waiter.fail(Error::LoggedOut(LogoutReason::Asked));
            }
            // A failed login is the outcome of what was asked before it, also of a refresh that led to it.
            (
                waiter @ (Waiter::Register(_) | Waiter::Refresh(_)),
                AccountEvent::LoginFailed { failure, retry_in },
            ) => {
                let failure = Box::new(failure.clone());
                waiter.fail(Error::Login { failure, retry_in: *retry_in });
            }
            (waiter @ Waiter::Register(_), AccountEvent::LoggedOut { why }) => {
                waiter.fail(Error::LoggedOut(*why));
            }
            (waiter @ Waiter::Refresh(_), AccountEvent::LoggedOut { why }) if !why.signs_in_again() => {
                waiter.fail(Error::LoggedOut(*why));
            }
            (waiter, _) => return Some(waiter),
        }
        None
    }

    pub(super) fn fail(self, error: Error) {
        // The future that waits may have been dropped.
        let _ = match self {
            Waiter::Register(reply) => reply.send(Err(error)).is_ok(),
            Waiter::Refresh(reply) => reply.send(Err(error)).is_ok(),
            Waiter::Unregister(reply) => reply.send(Err(error)).is_ok(),
            Waiter::Options(_, reply) => reply.send(Err(error)).is_ok(),
        };
    }

    fn is_abandoned(&self) -> bool {
        match self {
            Waiter::Register(reply) => reply.is_closed(),
            Waiter::Refresh(reply) => reply.is_closed(),
            Waiter::Unregister(reply) => reply.is_closed(),
            Waiter::Options(_, reply) => reply.is_closed(),
        }
    }
}

fn asked(outcome: &RequestOutcome) -> Result<Asked, Error> {
    let error = match outcome {
        RequestOutcome::Answered { server, answer } => {
            return Ok(Asked { server: server.clone(), answer: answer.clone() });
        }
        RequestOutcome::Unreachable(error) => error.clone(),
        // An outcome that this driver does not know yet is one without an answer.
        _ => return Err(Error::ShutDown),
    };
    let failure = LoginFailure { error, journey: Journey::default() };
    Err(Error::Login { failure: Box::new(failure), retry_in: None })
}

/// True for events that come often and are no outcome of a command.
fn is_detail(kind: EventKind) -> bool {
    matches!(kind, EventKind::JourneyChanged | EventKind::HomeServerChanged)
}
