//! A server that was asked, until another answered first: if it grants a binding after all, that is withdrawn.

use std::net::SocketAddr;
use std::time::Duration;

use super::asked_server::AskedServer;
use super::exchange::{Exchange, Outcome, Purpose};
use super::race::Contender;
use super::session::Session;
use crate::account::Account;
use crate::account::context::Context;
use crate::account::server_link::{ServerLink, Verified};
use crate::counter::Counter;
use crate::ids::{FlowId, TxId};
use crate::server::ServerName;
use crate::time::{Deadline, Moment, Now, Why};

/// A server that was asked and answered too late to be used.
pub(super) struct Superseded {
    asked: AskedServer,
    session: Session,
    exchange: Exchange,
    /// Whatever is answered, it is over then.
    until: Moment,
}

impl Superseded {
    /// One whose answer may still come.
    pub(super) fn new(contender: Contender, now: Now) -> Self {
        let Contender { asked, session, exchange } = contender;
        Self { asked, session, exchange, until: now.after(PATIENCE) }
    }

    /// The transaction that is waited for.
    pub(super) fn tx(&self) -> Option<TxId> {
        self.exchange.tx()
    }

    /// The From tag of its REGISTERs.
    pub(super) fn caller_tag(&self) -> &str {
        self.session.caller_tag()
    }

    /// What verifies its answer.
    pub(super) fn link(&mut self) -> &mut ServerLink {
        &mut self.session.link
    }

    /// The flow it keeps.
    pub(super) fn flow(&self) -> FlowId {
        self.session.link.flow()
    }

    /// True if it is that server, at that address: a name may stand for several.
    pub(super) fn is_at(&self, server: &ServerName, address: Option<SocketAddr>) -> bool {
        self.asked.server == *server && self.asked.address == address
    }

    /// When it is over whatever is answered.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::new(self.until, Why::AnswerOverdue)
    }

    /// True once it is asked to withdraw the binding that it granted late.
    pub(super) fn is_withdrawing(&self) -> bool {
        self.exchange.is_sign_out()
    }

    /// The final answer: a binding that was granted late is withdrawn; with any other answer it is over, and nothing
    /// is left of it.
    pub(super) fn handle_final(
        mut self,
        response: &Verified,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Option<Self> {
        let granted = matches!(response.message.status(), Some(200..=299));
        if granted && !self.is_withdrawing() {
            cx.counters.count(Counter::BindingWithdrawn);
            let outcome = Exchange::start(Purpose::SignOut, self.session.exchange_cx(account, None, cx));
            if let Outcome::Pending(exchange) = outcome {
                return Some(Self { exchange: *exchange, ..self });
            }
        }
        self.session.leave(cx);
        None
    }

    /// Waits no longer and closes the connection.
    pub(super) fn give_up(mut self, cx: &mut Context<'_>) {
        self.exchange.abandon(&mut self.session.link, cx);
        self.session.leave(cx);
    }

    /// Waits no longer; the connection is in use by a new login.
    pub(super) fn give_over(mut self, cx: &mut Context<'_>) {
        self.exchange.abandon(&mut self.session.link, cx);
    }
}

/// As long as a transaction lasts.
const PATIENCE: Duration = Duration::from_secs(32);
