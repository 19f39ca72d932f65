//! Signing out: the binding is removed with a signed REGISTER, then the connection is given up.

use std::time::Duration;

use homing_wire::Message;

use super::account::Account;
use super::context::Context;
use super::exchange::{Exchange, ExchangeContext, Outcome, Purpose};
use super::redirect::SignatureVerdict;
use super::server_link::ServerLink;
use super::transition::{Step, Transition};
use crate::event::{AccountEvent, LogoutReason};
use crate::ids::FlowId;
use crate::outbox::Credentials;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Why};

/// Signing out.
pub(super) struct Unregistering {
    pub(super) link: ServerLink,
    pub(super) exchange: Exchange,
    /// Whatever is answered, it is over then.
    until: Moment,
}

impl Unregistering {
    /// Removes the binding.
    pub(super) fn start(mut link: ServerLink, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let until = cx.now.after(PATIENCE);
        let exchange_cx = ExchangeContext { link: &mut link, account, attempt: None, cx };
        let outcome = Exchange::start(Purpose::SignOut, exchange_cx);
        Self::settle(link, until, outcome, cx)
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        mut self,
        message: Message,
        verdict: SignatureVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let exchange_cx = ExchangeContext { link: &mut self.link, account, attempt: None, cx };
        let outcome = self.exchange.handle_final(message, verdict, exchange_cx);
        Self::settle(self.link, self.until, outcome, cx)
    }

    /// The credentials that were asked for.
    pub(super) fn handle_credentials(
        mut self,
        credentials: Option<Credentials>,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let exchange_cx = ExchangeContext { link: &mut self.link, account, attempt: None, cx };
        let outcome = self.exchange.handle_credentials(credentials, exchange_cx);
        Self::settle(self.link, self.until, outcome, cx)
    }

    /// The connection is gone: so is what there was to sign out of.
    pub(super) fn handle_lost(self, flow: FlowId, cx: &mut Context<'_>) -> Step<Self> {
        if self.link.flow() != flow {
            return Step::Stays(self);
        }
        self.finish(cx).into()
    }

    /// Waits no longer.
    pub(super) fn handle_deadline(self, cx: &mut Context<'_>) -> Step<Self> {
        if cx.now.reached(self.until) { self.finish(cx).into() } else { Step::Stays(self) }
    }

    /// Ends it now.
    pub(super) fn finish(self, cx: &mut Context<'_>) -> Transition {
        self.exchange.abandon(cx);
        gone(&self.link, cx)
    }

    /// When it is over whatever is answered.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        Some(Deadline::new(self.until, Why::AnswerOverdue))
    }

    fn settle(link: ServerLink, until: Moment, outcome: Outcome, cx: &mut Context<'_>) -> Step<Self> {
        match outcome {
            Outcome::Pending(exchange) => Step::Stays(Unregistering { link, exchange: *exchange, until }),
            Outcome::Granted(_) | Outcome::Redirected(..) | Outcome::Refused(..) | Outcome::Failed(_) => {
                gone(&link, cx).into()
            }
        }
    }
}

fn gone(link: &ServerLink, cx: &mut Context<'_>) -> Transition {
    cx.release(link.flow());
    cx.tell(AccountEvent::LoggedOut { why: LogoutReason::Asked });
    Transition::Rest(AccountState::LoggedOff)
}

/// A server that does not answer keeps nobody longer than this from unregistering.
const PATIENCE: Duration = Duration::from_secs(5);
