//! Signing out: the binding is removed with a signed REGISTER, then the connection is given up.

use std::time::Duration;

use super::exchange::{Exchange, Outcome, Purpose};
use super::session::Session;
use super::transition::{Ending, Step, Transition};
use crate::account::Account;
use crate::account::context::Context;
use crate::account::server_link::Verified;
use crate::error::LoginError;
use crate::event::{AccountEvent, LogoutReason, UnregisterOutcome};
use crate::flow::LostFlow;
use crate::ids::FlowId;
use crate::outbox::Credentials;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Why};

/// Signing out.
pub(super) struct Unregistering {
    pub(super) session: Session,
    pub(super) exchange: Exchange,
    leaving: Leaving,
}

/// Until when, and what follows.
struct Leaving {
    /// Whatever is answered, it is over then.
    until: Moment,
    ending: Ending,
}

impl Unregistering {
    /// Removes the binding.
    pub(super) fn start(
        mut session: Session,
        ending: Ending,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let patience = match &ending {
            Ending::Asked { patience } => *patience,
            Ending::Failed(..) => PATIENCE,
        };
        let leaving = Leaving { until: cx.now.after(patience), ending };
        let outcome = Exchange::start(Purpose::SignOut, session.exchange_cx(account, None, cx));
        settle(session, leaving, outcome, account, cx)
    }

    /// Waits for the answer to the REGISTER of a login: a binding that it grants is removed.
    pub(super) fn of_login(
        session: Session,
        exchange: Exchange,
        patience: Duration,
        cx: &Context<'_>,
    ) -> Self {
        let leaving = Leaving { until: cx.now.after(patience), ending: Ending::Asked { patience } };
        Self { session, exchange, leaving }
    }

    /// How the state is shown.
    pub(super) fn shown(&self) -> AccountState {
        match &self.leaving.ending {
            Ending::Asked { .. } if self.exchange.is_sign_out() => AccountState::Registered,
            Ending::Asked { .. } | Ending::Failed(..) => AccountState::Authenticating,
        }
    }

    /// The account is told to sign out while it does: the answer is waited for that long from now on.
    pub(super) fn sign_out_within(&mut self, patience: Duration, cx: &Context<'_>) {
        self.leaving.until = self.leaving.until.max(cx.now.after(patience));
        self.leaving.ending = Ending::Asked { patience };
    }

    /// The final answer, judged and fed.
    pub(super) fn handle_final(
        mut self,
        response: Verified,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        let is_granted = matches!(response.message.status(), Some(200..=299));
        if !self.exchange.is_sign_out() && !is_granted {
            self.exchange.abandon(&mut self.session.link, cx);
            return gone(self.session, self.leaving.ending, UnregisterOutcome::NotRegistered, cx).into();
        }
        let is_sign_out = self.exchange.is_sign_out();
        let exchange_cx = self.session.exchange_cx(account, None, cx);
        let mut outcome = self.exchange.handle_final(response, exchange_cx);
        if !is_sign_out {
            // The login that was given up has its binding, and perhaps the association that signs for its removal.
            outcome = Exchange::start(Purpose::SignOut, self.session.exchange_cx(account, None, cx));
        }
        settle(self.session, self.leaving, outcome, account, cx)
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
        settle(self.session, self.leaving, outcome, account, cx)
    }

    /// A connection stands.
    pub(super) fn handle_connected(
        mut self,
        flow: FlowId,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        if !self.session.handle_connected(flow, cx) {
            return Step::Stays(self);
        }
        let outcome = self.exchange.resume(self.session.exchange_cx(account, None, cx));
        settle(self.session, self.leaving, outcome, account, cx)
    }

    /// The connection is gone. If the server closed it after its challenge, that is answered over a new one; else it
    /// is not known whether the binding was removed.
    pub(super) fn handle_lost(
        mut self,
        lost: &LostFlow,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        if !self.session.hangs_on(lost.flow) {
            return Step::Stays(self);
        }
        let may_move = self.exchange.is_sign_out() && self.exchange.may_move(&self.session.link, cx.now);
        if let Some(destination) = lost.closed_by().filter(|_| may_move) {
            self.session.close(destination.clone());
            let outcome = Outcome::Pending(Box::new(self.exchange.interrupted(cx)));
            return settle(self.session, self.leaving, outcome, account, cx);
        }
        self.finish(cx).into()
    }

    /// Waits no longer.
    pub(super) fn handle_deadline(self, cx: &mut Context<'_>) -> Step<Self> {
        if cx.now.reached(self.leaving.until) { self.finish(cx).into() } else { Step::Stays(self) }
    }

    /// Ends it now, without an answer.
    pub(super) fn finish(mut self, cx: &mut Context<'_>) -> Transition {
        self.exchange.abandon(&mut self.session.link, cx);
        gone(self.session, self.leaving.ending, UnregisterOutcome::Unanswered, cx)
    }

    /// When it is over whatever is answered.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        Some(Deadline::new(self.leaving.until, Why::AnswerOverdue))
    }
}

fn settle(
    mut session: Session,
    leaving: Leaving,
    mut outcome: Outcome,
    account: &mut Account,
    cx: &mut Context<'_>,
) -> Step<Unregistering> {
    // The binding may be one of a connection that the server closed: it is removed over another.
    if let Outcome::Pending(exchange) = outcome {
        outcome = if exchange.is_unsent() && session.reconnect(cx) {
            exchange.resume(session.exchange_cx(account, None, cx))
        } else {
            Outcome::Pending(exchange)
        };
    }
    let outcome = match outcome {
        Outcome::Pending(exchange) => {
            return Step::Stays(Unregistering { session, exchange: *exchange, leaving });
        }
        Outcome::Granted(_) | Outcome::Unproved => UnregisterOutcome::Removed,
        Outcome::Redirected(message, _) | Outcome::Refused(message, _) => {
            UnregisterOutcome::Refused { status: message.status().unwrap_or_default() }
        }
        // Nothing could be sent.
        Outcome::Failed(LoginError::NoAnswer { .. }) => UnregisterOutcome::Unanswered,
        Outcome::Failed(_) => UnregisterOutcome::Refused { status: 401 },
    };
    gone(session, leaving.ending, outcome, cx).into()
}

fn gone(session: Session, ending: Ending, outcome: UnregisterOutcome, cx: &mut Context<'_>) -> Transition {
    session.leave(cx);
    cx.tell(AccountEvent::Unregistered { outcome });
    match ending {
        Ending::Asked { .. } => {
            cx.tell(AccountEvent::LoggedOut { why: LogoutReason::Asked });
            Transition::Rest(AccountState::LoggedOff)
        }
        Ending::Failed(error, attempt) => Transition::Failed(error, attempt),
    }
}

/// How long a login that fails waits for its binding to be removed.
const PATIENCE: Duration = Duration::from_secs(5);
