//! How a registration ends: asked for, by the server's word, by its silence, or by the network's.

use std::time::Duration;

use super::account::Account;
use super::backoff::after_loss;
use super::desk::Desk;
use super::failing::fail;
use super::forced::Forced;
use super::leaving::Leaving;
use super::machine::State;
use super::redirect::{self, Onward, Redirect, Standing, Standpoint};
use super::registered::{Activity, Registered};
use super::resting::Resting;
use super::seeking::Seeking;
use super::trip::Trip;
use super::visited::Visited;
use crate::auth::contact_binding::Target;
use crate::connect::ConnectError;
use crate::counter::Counter;
use crate::error::{Deregistration, LoginError, RedirectError};
use crate::event::{AccountEvent, LogoutReason, MoveCause};
use crate::ids::FlowId;
use crate::state::AccountState;

impl Registered {
    /// The connection is gone.
    pub(super) fn handle_lost(
        self,
        flow: FlowId,
        _why: ConnectError,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> State {
        if self.conversation.flow() != flow {
            return State::Registered(Box::new(self));
        }
        self.lose(LogoutReason::ConnectionLost, account, desk)
    }

    /// Signs out.
    pub(super) fn leave(self, account: &mut Account, desk: &mut Desk<'_>) -> State {
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(desk);
        }
        if let Some(probe) = self.probe {
            desk.transactions.abandon(probe.tx);
        }
        Leaving::start(self.conversation, account, desk)
    }

    /// The server ended the registration by itself; `standing` is what its signature proved.
    pub(super) fn handle_forced(
        self,
        forced: &Forced,
        standing: Standing,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> State {
        match forced {
            Forced::Unregistered => self.end(
                LogoutReason::Displaced,
                LoginError::Deregistered(Deregistration::Unregistered),
                account,
                desk,
            ),
            Forced::Rejected => self.end(
                LogoutReason::Disabled,
                LoginError::Deregistered(Deregistration::Rejected),
                account,
                desk,
            ),
            Forced::Deactivated => {
                forget_home(account, desk);
                self.part(LogoutReason::Deactivated, desk);
                restart(AccountState::Moved, MoveCause::Moved, account, desk)
            }
            Forced::Preferred { uri } => match self.preferred(uri, standing, account, desk) {
                Ok(onward) if account.restarts.admit(MOST_RESTARTS, desk.now) => {
                    forget_home(account, desk);
                    desk.counters.count(Counter::RedirectFollowed);
                    self.part(LogoutReason::Moved, desk);
                    Seeking::start_at(&onward, account, desk)
                }
                Ok(_) | Err(_) => {
                    desk.counters.count(Counter::RedirectRefused);
                    State::Registered(Box::new(self))
                }
            },
        }
    }

    /// The home server sends the account away: logout, and a whole new login (patent paragraph 67).
    /// After several in a minute it is a redirect too many: the login waits as one that failed, so that
    /// servers that send an account to and fro do not keep it running in circles.
    pub(super) fn moved(self, account: &mut Account, desk: &mut Desk<'_>) -> State {
        forget_home(account, desk);
        self.part(LogoutReason::Moved, desk);
        if account.restarts.admit(MOST_RESTARTS, desk.now) {
            return Seeking::start(MoveCause::Moved, account, desk);
        }
        desk.counters.count(Counter::RedirectRefused);
        let trip = Trip::new(account.config.redirect.limit, MoveCause::Moved, desk.now);
        fail(RedirectError::TooMany { limit: MOST_RESTARTS }.into(), trip, account, desk)
    }

    /// The registration is lost; a new login begins soon.
    pub(super) fn lose(self, why: LogoutReason, account: &mut Account, desk: &mut Desk<'_>) -> State {
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
    ) -> State {
        self.part(why, desk);
        let trip = Trip::new(account.config.redirect.limit, MoveCause::Failover, desk.now);
        fail(error, trip, account, desk)
    }

    /// Gives everything back and tells the logout.
    pub(super) fn part(self, why: LogoutReason, desk: &mut Desk<'_>) {
        if let Activity::Busy(exchange) = self.activity {
            exchange.abandon(desk);
        }
        if let Some(probe) = self.probe {
            desk.transactions.abandon(probe.tx);
        }
        desk.release(self.conversation.flow());
        desk.tell(AccountEvent::LoggedOut { why });
    }

    /// A preferred registrar passes the same rules as a redirect (settled 4).
    fn preferred(
        &self,
        uri: &str,
        standing: Standing,
        account: &Account,
        desk: &Desk<'_>,
    ) -> Result<Onward, RedirectError> {
        let mut visited = Visited::default();
        visited.enter(self.conversation.server.clone());
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
fn restart(shown: AccountState, cause: MoveCause, account: &mut Account, desk: &mut Desk<'_>) -> State {
    let wait = if account.restarts.admit(MOST_RESTARTS, desk.now) {
        after_loss(desk.draws)
    } else {
        account.backoff.after_failure(Duration::ZERO, desk.draws)
    };
    State::Resting(Resting::until(shown, desk.now.after(wait), cause))
}

/// The home server sent the account away: it is not tried first any more.
pub(super) fn forget_home(account: &mut Account, desk: &mut Desk<'_>) {
    if account.memory.forget_home() {
        desk.tell(AccountEvent::Forgotten);
    }
}

/// Logins in a minute that follow a lost registration at once.
const MOST_RESTARTS: u8 = 5;
