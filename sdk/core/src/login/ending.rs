//! How a registration ends: asked for, by the server's word, by its silence, or by the network's.

use std::time::Duration;

use super::account::Account;
use super::backoff::after_loss;
use super::desk::Desk;
use super::forced::Forced;
use super::probe::Probe;
use super::redirect::{self, Onward, Redirect, Standing, Standpoint};
use super::registered::{Activity, Quiet, Registered};
use super::sequel::{Sequel, Turn};
use super::trip::Trip;
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
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        if self.conversation.flow() != flow {
            return Turn::Stays(self);
        }
        let quiet = Activity::Quiet(Quiet::fresh(self.lease, desk.now));
        if let Activity::Busy(exchange) = std::mem::replace(&mut self.activity, quiet) {
            exchange.interrupt(&self.conversation.server, account, desk);
        }
        self.lose(LogoutReason::ConnectionLost, account, desk).into()
    }

    /// Signs out.
    pub(super) fn leave(self, desk: &mut Desk<'_>) -> Sequel {
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(desk);
        }
        if let Some(tx) = self.probe.as_deref().and_then(Probe::tx) {
            desk.transactions.abandon(tx);
        }
        Sequel::Leave(Box::new(self.conversation))
    }

    /// The server ended the registration by itself; `standing` is what its signature proved.
    pub(super) fn handle_forced(
        self,
        forced: &Forced,
        standing: Standing,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Turn<Self> {
        match forced {
            Forced::Unregistered => {
                let error = LoginError::Deregistered(Deregistration::Unregistered);
                self.end(LogoutReason::Displaced, error, account, desk).into()
            }
            Forced::Rejected => {
                let error = LoginError::Deregistered(Deregistration::Rejected);
                self.end(LogoutReason::Disabled, error, account, desk).into()
            }
            Forced::Deactivated => {
                account.forget_home(desk);
                self.part(LogoutReason::Deactivated, desk);
                restart(AccountState::Moved, MoveCause::Moved, account, desk).into()
            }
            Forced::Preferred { uri } => match self.preferred(uri, standing, account, desk) {
                Ok(onward) if account.restarts.admit(MOST_RESTARTS, desk.now) => {
                    account.forget_home(desk);
                    desk.counters.count(Counter::RedirectFollowed);
                    self.part(LogoutReason::Moved, desk);
                    Sequel::LoginAt(onward).into()
                }
                Ok(_) | Err(_) => {
                    desk.counters.count(Counter::RedirectRefused);
                    Turn::Stays(self)
                }
            },
        }
    }

    /// The home server sends the account away: logout, and a whole new login (patent paragraph 67).
    /// After several in a minute it is a redirect too many: the login waits as one that failed, so that
    /// servers that send an account to and fro do not keep it running in circles.
    pub(super) fn moved(self, account: &mut Account, desk: &mut Desk<'_>) -> Sequel {
        account.forget_home(desk);
        self.part(LogoutReason::Moved, desk);
        if account.restarts.admit(MOST_RESTARTS, desk.now) {
            return Sequel::Login(MoveCause::Moved);
        }
        desk.counters.count(Counter::RedirectRefused);
        let trip = Trip::new(account.config.redirect.limit, MoveCause::Moved, desk.now);
        Sequel::Failed(RedirectError::TooMany { limit: MOST_RESTARTS }.into(), trip)
    }

    /// The registration is lost; a new login begins soon.
    pub(super) fn lose(self, why: LogoutReason, account: &mut Account, desk: &mut Desk<'_>) -> Sequel {
        self.part(why, desk);
        restart(AccountState::Connecting, MoveCause::Failover, account, desk)
    }

    /// The registration is over, and the reason is one for the user.
    pub(super) fn end(
        self,
        why: LogoutReason,
        error: LoginError,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Sequel {
        self.part(why, desk);
        let trip = Trip::new(account.config.redirect.limit, MoveCause::Failover, desk.now);
        Sequel::Failed(error, trip)
    }

    /// Gives everything back and tells the logout.
    pub(super) fn part(self, why: LogoutReason, desk: &mut Desk<'_>) {
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(desk);
        }
        if let Some(tx) = self.probe.as_deref().and_then(Probe::tx) {
            desk.transactions.abandon(tx);
        }
        desk.release(self.conversation.flow());
        desk.tell(AccountEvent::LoggedOut { why });
    }

    /// A preferred registrar passes the same rules as a redirect (decision 4).
    fn preferred(
        &self,
        uri: &str,
        standing: Standing,
        account: &Account,
        desk: &Desk<'_>,
    ) -> Result<Onward, RedirectError> {
        let mut visited = Visited::default();
        visited.enter(self.conversation.server.clone(), self.conversation.named());
        let redirect = Redirect {
            from: &self.conversation.server,
            transport: self.conversation.road.transport,
            status: 301,
            standing,
            to_tag: "",
            contacts: vec![Target { uri, q: None }],
        };
        let at = Standpoint { visited: &visited, followed: 0, was_redirected: false };
        let targets = redirect::follow(&redirect, &account.config, at, desk.agent.limits.contacts)?;
        let nobody = RedirectError::NoUsableContact { server: self.conversation.server.clone() };
        targets.into_iter().next().ok_or(nobody)
    }
}

/// A new login, soon; after several in a minute only after the pause of a failed one, so that servers
/// that take an account and drop it again do not keep it running in circles.
fn restart(shown: AccountState, cause: MoveCause, account: &mut Account, desk: &mut Desk<'_>) -> Sequel {
    let wait = if account.restarts.admit(MOST_RESTARTS, desk.now) {
        after_loss(desk.draws)
    } else {
        account.backoff.after_failure(Duration::ZERO, desk.draws)
    };
    Sequel::Pause { shown, at: desk.now.after(wait), cause }
}

/// Logins in a minute that follow a lost registration at once.
const MOST_RESTARTS: u8 = 5;
