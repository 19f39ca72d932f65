//! How a registration ends: asked for, by the server's word, by its silence, or by the network's.

use std::time::Duration;

use super::account::Account;
use super::attempt::Attempt;
use super::backoff::after_loss;
use super::context::Context;
use super::probe::Probe;
use super::redirect::{self, Redirect, RedirectContext, RedirectTarget, SignatureVerdict};
use super::registered::{Activity, Quiet, Registered};
use super::registration_notify::RegistrationNotify;
use super::transition::{Step, Transition};
use super::visited::Visited;
use crate::auth::contact_binding::Target;
use crate::counter::Counter;
use crate::error::{Deregistration, LoginError, RedirectError};
use crate::event::{AccountEvent, LogoutReason, MoveCause};
use crate::ids::FlowId;
use crate::state::AccountState;

impl Registered {
    /// The connection is gone.
    pub(super) fn handle_lost(
        mut self,
        flow: FlowId,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        if self.link.flow() != flow {
            return Step::Stays(self);
        }
        let quiet = Activity::Quiet(Quiet::fresh(self.lifetime, cx.now));
        if let Activity::Busy(exchange) = std::mem::replace(&mut self.activity, quiet) {
            exchange.interrupt(&self.link.server, account, cx);
        }
        self.lose(LogoutReason::ConnectionLost, account, cx).into()
    }

    /// Signs out.
    pub(super) fn leave(self, cx: &mut Context<'_>) -> Transition {
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(cx);
        }
        if let Some(tx) = self.probe.as_deref().and_then(Probe::tx) {
            cx.transactions.abandon(tx);
        }
        Transition::Leave(Box::new(self.link))
    }

    /// The server ended the registration by itself; `verdict` is what its signature proved.
    pub(super) fn handle_forced(
        self,
        registration_notify: &RegistrationNotify,
        verdict: SignatureVerdict,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Step<Self> {
        match registration_notify {
            RegistrationNotify::Unregistered => {
                let error = LoginError::Deregistered(Deregistration::Unregistered);
                self.end(LogoutReason::Displaced, error, account, cx).into()
            }
            RegistrationNotify::Rejected => {
                let error = LoginError::Deregistered(Deregistration::Rejected);
                self.end(LogoutReason::Disabled, error, account, cx).into()
            }
            RegistrationNotify::Deactivated => {
                account.forget_home(cx);
                self.part(LogoutReason::Deactivated, cx);
                restart(AccountState::Moved, MoveCause::Moved, account, cx).into()
            }
            RegistrationNotify::Preferred { uri } => match self.preferred(uri, verdict, account, cx) {
                Ok(target) if account.restarts.admit(MOST_RESTARTS, cx.now) => {
                    account.forget_home(cx);
                    cx.counters.count(Counter::RedirectFollowed);
                    self.part(LogoutReason::Moved, cx);
                    Transition::LoginAt(target).into()
                }
                Ok(_) | Err(_) => {
                    cx.counters.count(Counter::RedirectRefused);
                    Step::Stays(self)
                }
            },
        }
    }

    /// The home server sends the account away: logout, and a whole new login (patent paragraph 67).
    /// After several in a minute it is a redirect too many: the login waits as one that failed, so that
    /// servers that send an account to and fro do not keep it running in circles.
    pub(super) fn moved(self, account: &mut Account, cx: &mut Context<'_>) -> Transition {
        account.forget_home(cx);
        self.part(LogoutReason::Moved, cx);
        if account.restarts.admit(MOST_RESTARTS, cx.now) {
            return Transition::Login(MoveCause::Moved);
        }
        cx.counters.count(Counter::RedirectRefused);
        let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Moved, cx.now);
        Transition::Failed(RedirectError::TooMany { limit: MOST_RESTARTS }.into(), attempt)
    }

    /// The registration is lost; a new login begins soon.
    pub(super) fn lose(self, why: LogoutReason, account: &mut Account, cx: &mut Context<'_>) -> Transition {
        self.part(why, cx);
        restart(AccountState::Connecting, MoveCause::Failover, account, cx)
    }

    /// The registration is over, and the reason is one for the user.
    pub(super) fn end(
        self,
        why: LogoutReason,
        error: LoginError,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Transition {
        self.part(why, cx);
        let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Failover, cx.now);
        Transition::Failed(error, attempt)
    }

    /// Gives everything back and tells the logout.
    pub(super) fn part(self, why: LogoutReason, cx: &mut Context<'_>) {
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(cx);
        }
        if let Some(tx) = self.probe.as_deref().and_then(Probe::tx) {
            cx.transactions.abandon(tx);
        }
        cx.release(self.link.flow());
        cx.tell(AccountEvent::LoggedOut { why });
    }

    /// A preferred registrar passes the same rules as a redirect (decision 4).
    fn preferred(
        &self,
        uri: &str,
        verdict: SignatureVerdict,
        account: &Account,
        cx: &Context<'_>,
    ) -> Result<RedirectTarget, RedirectError> {
        let mut visited = Visited::default();
        visited.enter(self.link.server.clone(), self.link.named());
        let redirect = Redirect {
            from: &self.link.server,
            transport: self.link.flow_ref.transport,
            status: 301,
            verdict,
            to_tag: "",
            contacts: vec![Target { uri, q: None }],
        };
        let at = RedirectContext { visited: &visited, followed: 0, was_redirected: false };
        let targets = redirect::follow(&redirect, &account.config, at, cx.agent.limits.contacts)?;
        let nobody = RedirectError::NoUsableContact { server: self.link.server.clone() };
        targets.into_iter().next().ok_or(nobody)
    }
}

/// A new login, soon; after several in a minute only after the pause of a failed one, so that servers
/// that take an account and drop it again do not keep it running in circles.
fn restart(shown: AccountState, cause: MoveCause, account: &mut Account, cx: &mut Context<'_>) -> Transition {
    let wait = if account.restarts.admit(MOST_RESTARTS, cx.now) {
        after_loss(cx.random)
    } else {
        account.backoff.after_failure(Duration::ZERO, cx.random)
    };
    Transition::Pause { shown, at: cx.now.after(wait), cause }
}

/// Logins in a minute that follow a lost registration at once.
const MOST_RESTARTS: u8 = 5;
