//! Signing out: the binding is removed with a signed REGISTER, then the connection is given up.

use std::time::Duration;

use super::exchange::{Exchange, Outcome, Purpose};
use super::session::Session;
use super::transition::{Step, Transition};
use crate::account::Account;
use crate::account::context::Context;
use crate::account::server_link::Verified;
use crate::event::{AccountEvent, LogoutReason};
use crate::ids::FlowId;
use crate::outbox::Credentials;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Why};

/// Signing out.
pub(super) struct Unregistering {
    pub(super) session: Session,
    pub(super) exchange: Exchange,
    /// Whatever is answered, it is over then.
    until: Moment,
}

impl Unregistering {
    /// Removes the binding.
    pub(super) fn start(mut session: Session, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let until = cx.now.after(PATIENCE);
        let outcome = Exchange::start(Purpose::SignOut, session.exchange_cx(account, None, cx));
        settle(session, until, outcome, cx)
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        mut self,
        response: Verified,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let exchange_cx = self.session.exchange_cx(account, None, cx);
        let outcome = self.exchange.handle_final(response, exchange_cx);
        settle(self.session, self.until, outcome, cx)
    }

    /// The credentials that were asked for.
    pub(super) fn handle_credentials(
        mut self,
        credentials: Option<Credentials>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let exchange_cx = self.session.exchange_cx(account, None, cx);
        let outcome = self.exchange.handle_credentials(credentials, exchange_cx);
        settle(self.session, self.until, outcome, cx)
    }

    /// The connection is gone: so is what there was to sign out of.
    pub(super) fn handle_lost(self, flow: FlowId, cx: &mut Context<'_>) -> Step<Self> {
        if self.session.link.flow() != flow {
            return Step::Stays(self);
        }
        self.finish(cx).into()
    }

    /// Waits no longer.
    pub(super) fn handle_deadline(self, cx: &mut Context<'_>) -> Step<Self> {
        if cx.now.reached(self.until) { self.finish(cx).into() } else { Step::Stays(self) }
    }

    /// Ends it now.
    pub(super) fn finish(mut self, cx: &mut Context<'_>) -> Transition {
        self.exchange.abandon(&mut self.session.link, cx);
        gone(self.session, cx)
    }

    /// When it is over whatever is answered.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        Some(Deadline::new(self.until, Why::AnswerOverdue))
    }
}

fn settle(session: Session, until: Moment, outcome: Outcome, cx: &mut Context<'_>) -> Step<Unregistering> {
    match outcome {
        Outcome::Pending(exchange) => Step::Stays(Unregistering { session, exchange: *exchange, until }),
        Outcome::Granted(_) | Outcome::Redirected(..) | Outcome::Refused(..) | Outcome::Failed(_) => {
            gone(session, cx).into()
        }
    }
}

fn gone(session: Session, cx: &mut Context<'_>) -> Transition {
    session.leave(cx);
    cx.tell(AccountEvent::LoggedOut { why: LogoutReason::Asked });
    Transition::Rest(AccountState::LoggedOff)
}

/// A server that does not answer keeps nobody longer than this from unregistering.
const PATIENCE: Duration = Duration::from_secs(5);
