//! Signing out: the binding is removed with a signed REGISTER, then the connection is given up.

use std::time::Duration;

use homing_wire::Message;

use super::account::Account;
use super::conversation::Conversation;
use super::desk::Desk;
use super::exchange::{Aim, Exchange, Outcome, Talk};
use super::redirect::Standing;
use super::sequel::{Sequel, Turn};
use crate::event::{AccountEvent, LogoutReason};
use crate::ids::FlowId;
use crate::outbox::Credentials;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Why};

/// Signing out.
pub(super) struct Leaving {
    pub(super) conversation: Conversation,
    pub(super) exchange: Exchange,
    /// Whatever is answered, it is over then.
    until: Moment,
}

impl Leaving {
    /// Removes the binding.
    pub(super) fn start(
        mut conversation: Conversation,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        let until = desk.now.after(PATIENCE);
        let talk = Talk { conversation: &mut conversation, account, trip: None, desk };
        let outcome = Exchange::start(Aim::SignOut, talk);
        Self::settle(conversation, until, outcome, desk)
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        mut self,
        message: Message,
        standing: Standing,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        let talk = Talk { conversation: &mut self.conversation, account, trip: None, desk };
        let outcome = self.exchange.handle_final(message, standing, talk);
        Self::settle(self.conversation, self.until, outcome, desk)
    }

    /// The credentials that were asked for.
    pub(super) fn handle_credentials(
        mut self,
        credentials: Option<Credentials>,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        let talk = Talk { conversation: &mut self.conversation, account, trip: None, desk };
        let outcome = self.exchange.handle_credentials(credentials, talk);
        Self::settle(self.conversation, self.until, outcome, desk)
    }

    /// The connection is gone: so is what there was to sign out of.
    pub(super) fn handle_lost(self, flow: FlowId, desk: &mut Desk<'_>) -> Turn<Self> {
        if self.conversation.flow() != flow {
            return Turn::Stays(self);
        }
        self.finish(desk).into()
    }

    /// Waits no longer.
    pub(super) fn handle_deadline(self, desk: &mut Desk<'_>) -> Turn<Self> {
        if desk.now.reached(self.until) { self.finish(desk).into() } else { Turn::Stays(self) }
    }

    /// Ends it now.
    pub(super) fn finish(self, desk: &mut Desk<'_>) -> Sequel {
        self.exchange.abandon(desk);
        gone(&self.conversation, desk)
    }

    /// When it is over whatever is answered.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        Some(Deadline::new(self.until, Why::AnswerOverdue))
    }

    fn settle(
        conversation: Conversation,
        until: Moment,
        outcome: Outcome,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        match outcome {
            Outcome::Pending(exchange) => Turn::Stays(Leaving { conversation, exchange: *exchange, until }),
            Outcome::Granted(_) | Outcome::Redirected(..) | Outcome::Refused(..) | Outcome::Failed(_) => {
                gone(&conversation, desk).into()
            }
        }
    }
}

fn gone(conversation: &Conversation, desk: &mut Desk<'_>) -> Sequel {
    desk.release(conversation.flow());
    desk.tell(AccountEvent::LoggedOut { why: LogoutReason::Asked });
    Sequel::Rest(AccountState::LoggedOff)
}

/// A server that does not answer keeps nobody longer than this from leaving.
const PATIENCE: Duration = Duration::from_secs(5);
