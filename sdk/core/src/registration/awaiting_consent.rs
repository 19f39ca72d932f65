//! A redirect passed every rule and waits for the world's consent.

use super::attempt::Attempt;
use super::redirect::RedirectTarget;
use super::transition::{Proposal, Transition};
use crate::account::context::Context;
use crate::error::RedirectError;
use crate::ids::AskId;
use crate::outbox::{Decision, Question, RedirectAttempt};

/// A redirect waits for consent.
pub(super) struct AwaitingConsent {
    /// The login's way so far.
    pub attempt: Attempt,
    ask: AskId,
    targets: Vec<RedirectTarget>,
}

impl AwaitingConsent {
    /// Asks.
    pub(super) fn start(proposal: Proposal, cx: &mut Context<'_>) -> Self {
        let Proposal { attempt, from, targets, signed } = proposal;
        let question = RedirectAttempt {
            account: cx.account,
            from,
            targets: targets.iter().map(RedirectTarget::server).collect(),
            signed,
            journey: attempt.journey().clone(),
        };
        let ask = cx.ask(Question::Redirect(question), None);
        AwaitingConsent { attempt, ask, targets }
    }

    /// The question that is waited for.
    pub(super) fn ask(&self) -> AskId {
        self.ask
    }

    /// The world decided.
    pub(super) fn handle_decision(self, decision: Decision) -> Transition {
        match decision {
            Decision::Follow => Transition::Redirected(self.attempt, self.targets),
            Decision::Stop => {
                let target =
                    self.targets.first().map(|target| target.server().to_string()).unwrap_or_default();
                Transition::Failed(RedirectError::Declined { target }.into(), self.attempt)
            }
        }
    }

    /// Takes the question back.
    pub(super) fn stop(self, cx: &mut Context<'_>) {
        cx.forget(self.ask);
    }
}
