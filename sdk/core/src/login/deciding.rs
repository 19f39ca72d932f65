//! A redirect passed every rule and waits for the world's consent.

use super::account::Account;
use super::desk::Desk;
use super::failing::fail;
use super::machine::State;
use super::redirect::Onward;
use super::seeking::Seeking;
use super::trip::Trip;
use crate::error::RedirectError;
use crate::ids::AskId;
use crate::outbox::{Decision, Question, RedirectAttempt};
use crate::server::ServerName;

/// A redirect waits for consent.
pub(super) struct Deciding {
    /// The login's way so far.
    pub trip: Trip,
    ask: AskId,
    targets: Vec<Onward>,
}

impl Deciding {
    /// Asks.
    pub(super) fn start(
        trip: Trip,
        from: ServerName,
        targets: Vec<Onward>,
        signed: bool,
        desk: &mut Desk<'_>,
    ) -> State {
        let attempt = RedirectAttempt {
            account: desk.account,
            from,
            targets: targets.iter().map(Onward::server).collect(),
            signed,
            journey: trip.journey().clone(),
        };
        let ask = desk.ask(Question::Redirect(attempt), None);
        State::Deciding(Box::new(Deciding { trip, ask, targets }))
    }

    /// The question that is waited for.
    pub(super) fn ask(&self) -> AskId {
        self.ask
    }

    /// The world decided.
    pub(super) fn handle_decision(
        self,
        decision: Decision,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> State {
        match decision {
            Decision::Follow => Seeking::redirected(self.trip, &self.targets, account, desk),
            Decision::Stop => {
                let target =
                    self.targets.first().map(|target| target.server().to_string()).unwrap_or_default();
                fail(RedirectError::Declined { target }.into(), self.trip, account, desk)
            }
        }
    }

    /// Takes the question back.
    pub(super) fn stop(self, desk: &mut Desk<'_>) {
        desk.forget(self.ask);
    }
}
