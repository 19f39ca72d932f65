//! Nothing is under way: off-line, signed out, waiting for the network, or between two attempts.

use super::account::Account;
use super::desk::Desk;
use super::failing::{helps, least};
use super::prompt::{Prompt, Reply};
use super::sequel::{Sequel, Turn};
use super::trip::Trip;
use crate::dns::DnsError;
use crate::error::{AuthError, LoginError};
use crate::event::{AccountEvent, MoveCause};
use crate::journey::LoginFailure;
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Now, Why};

/// Nothing is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting {
    shown: AccountState,
    /// The next attempt, if it comes by itself.
    again: Option<Again>,
    /// Before this no attempt comes by itself, whatever the network does.
    not_before: Moment,
}

#[derive(Clone, Copy, Debug)]
struct Again {
    at: Moment,
    cause: MoveCause,
}

impl Resting {
    /// Until somebody says otherwise.
    pub(super) fn new(shown: AccountState) -> Self {
        Self { shown, again: None, not_before: Moment::default() }
    }

    /// Until `at`.
    pub(super) fn until(shown: AccountState, at: Moment, cause: MoveCause) -> Self {
        Self { again: Some(Again { at, cause }), ..Self::new(shown) }
    }

    /// After a login that failed: tells the reason with the journey, and plans the next attempt.
    pub(super) fn after_failure(
        error: LoginError,
        trip: Trip,
        account: &mut Account,
        desk: &mut Desk<'_>,
    ) -> Self {
        let floor = trip.floor().max(least(&error));
        let is_redirect = matches!(error, LoginError::Redirect(_));
        let shown = match &error {
            LoginError::Resolve { why: DnsError::NoNetwork, .. } => AccountState::NoNetwork,
            _ => AccountState::Refused,
        };
        let cause = if account.last_home.is_some() { MoveCause::Failover } else { trip.cause() };
        let retry_in = helps(&error).then(|| account.backoff.after_failure(floor, desk.draws));
        let failure = LoginFailure { error, journey: trip.into_journey() };
        desk.tell(AccountEvent::LoginFailed { failure, retry_in });
        match retry_in {
            Some(wait) => {
                // A wait the server asked for, and the growing one after a redirect (decision 1).
                let not_before = desk.now.after(if is_redirect { wait } else { floor });
                Resting { not_before, ..Resting::until(shown, desk.now.after(wait), cause) }
            }
            None => {
                account.drop_prompt(desk);
                Resting::new(shown)
            }
        }
    }

    /// How the state is shown.
    pub(super) fn shown(&self) -> AccountState {
        self.shown
    }

    /// When the next attempt begins.
    pub(super) fn deadline(&self) -> Option<Deadline> {
        self.again.map(|again| Deadline::new(again.at, Why::BackOff))
    }

    /// True if the account is to be signed in as soon as that is possible.
    pub(super) fn is_waiting(&self) -> bool {
        self.again.is_some() || self.shown == AccountState::NoNetwork
    }

    /// Begins the next attempt if its time has come.
    pub(super) fn handle_deadline(self, desk: &Desk<'_>) -> Turn<Self> {
        match self.again {
            Some(again) if desk.now.reached(again.at) => Sequel::Login(again.cause).into(),
            Some(_) | None => Turn::Stays(self),
        }
    }

    /// The question that outlived its connection is answered: the login goes on with it, or ends.
    pub(super) fn handle_credentials(self, account: &mut Account, desk: &mut Desk<'_>) -> Turn<Self> {
        let refused = account.prompt.take_if(|prompt| matches!(prompt.reply, Reply::Given(None)));
        if let Some(prompt) = refused {
            let Prompt { server, .. } = *prompt;
            let trip = Trip::new(account.config.redirect.limit, MoveCause::Failover, desk.now);
            return Sequel::Failed(AuthError::NoCredentials { server }.into(), trip).into();
        }
        match self.again {
            Some(again) => {
                let at = self.not_before.max(desk.now.since_start).min(again.at);
                Resting { again: Some(Again { at, ..again }), ..self }.handle_deadline(desk)
            }
            None => Turn::Stays(self),
        }
    }

    /// The network came or went.
    pub(super) fn handle_network(self, online: bool, now: Now) -> Turn<Self> {
        let Self { not_before, .. } = self;
        match (online, self.is_waiting()) {
            (_, false) => Turn::Stays(self),
            (true, true) => {
                let cause = self.again.map_or(MoveCause::Failover, |again| again.cause);
                if now.reached(not_before) {
                    return Sequel::Login(cause).into();
                }
                let shown = AccountState::Refused;
                Turn::Stays(Resting { not_before, ..Resting::until(shown, not_before, cause) })
            }
            (false, true) => Turn::Stays(Resting { not_before, ..Resting::new(AccountState::NoNetwork) }),
        }
    }
}
