//! A redirect passed every rule and waits for the world's consent.

use super::desk::Desk;
use super::redirect::Onward;
use super::sequel::{Proposal, Sequel};
use super::trip::Trip;
use crate::error::RedirectError;
use crate::ids::AskId;
use crate::outbox::{Decision, Question, RedirectAttempt};

/// A redirect waits for consent.
pub(super) struct Deciding {
    /// The login's way so far.
    pub trip: Trip,
    ask: AskId,
    targets: Vec<Onward>,
}

impl Deciding {
    /// Asks.
    pub(super) fn start(proposal: Proposal, desk: &mut Desk<'_>) -> Self {
        let Proposal { trip, from, targets, signed } = proposal;
        let attempt = RedirectAttempt {
            account: desk.account,
            from,
            targets: targets.iter().map(Onward::server).collect(),
            signed,
            journey: trip.journey().clone(),
        };
        let ask = desk.ask(Question::Redirect(attempt), None);
        Deciding { trip, ask, targets }
    }

    /// The question that is waited for.
    pub(super) fn ask(&self) -> AskId {
        self.ask
    }

    /// The world decided.
    pub(super) fn handle_decision(self, decision: Decision) -> Sequel {
        match decision {
            Decision::Follow => Sequel::Redirected(self.trip, self.targets),
            Decision::Stop => {
                let target =
                    self.targets.first().map(|target| target.server().to_string()).unwrap_or_default();
                Sequel::Failed(RedirectError::Declined { target }.into(), self.trip)
            }
        }
    }

    /// Takes the question back.
    pub(super) fn stop(self, desk: &mut Desk<'_>) {
        desk.forget(self.ask);
    }
}
