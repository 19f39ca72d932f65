//! Nothing is under way: off-line, signed out, waiting for the network, or between two attempts.

use super::attempt::Attempt;
use super::retry::{helps, least};
use super::transition::{Step, Transition};
use crate::account::Account;
use crate::account::context::Context;
use crate::account::prompt::{Prompt, Reply};
use crate::account::random::WaitPurpose;
use crate::dns::{DnsError, ResolveError};
use crate::error::{AuthError, LoginError};
use crate::event::{AccountEvent, MoveCause};
use crate::journey::{Hop, LoginFailure};
use crate::state::AccountState;
use crate::time::{Deadline, Moment, Now, Why};

/// Nothing is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
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

impl Idle {
    /// Until a command says otherwise.
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
        attempt: Attempt,
        account: &mut Account,
        cx: &mut Context<'_>,
    ) -> Self {
        let floor = attempt.floor().max(least(&error));
        let is_redirect = matches!(error, LoginError::Redirect(_));
        let shown = state_after(&error);
        let cause = if account.last_home.is_some() { MoveCause::Failover } else { attempt.cause() };
        let is_rejected = matches!(error, LoginError::Auth(AuthError::Rejected { .. }));
        let retry_in = if is_rejected {
            account.rest_rejected(cx)
        } else {
            helps(&error)
                .then(|| account.backoff.after_failure(floor, |bound| cx.spread(WaitPurpose::Retry, bound)))
        };
        if retry_in.is_some() && !is_redirect && !is_rejected {
            for place in attempt.journey().hops.iter().filter_map(Hop::place_of_failure) {
                cx.waiting.join(place, cx.account);
            }
        }
        let failure = LoginFailure { error, journey: attempt.into_journey() };
        cx.tell(AccountEvent::LoginFailed { failure, retry_in });
        match retry_in {
            Some(wait) => {
                // A wait the server asked for, and the growing one after a redirect (decision 1).
                let not_before = cx.now.after(if is_redirect || is_rejected { wait } else { floor });
                Idle { not_before, ..Idle::until(shown, cx.now.after(wait), cause) }
            }
            None => {
                account.drop_prompt(cx);
                Idle::new(shown)
            }
        }
    }

    /// After a registration that lapsed because the password was refused: the next attempt is planned.
    pub(super) fn resting(error: LoginError, attempt: Attempt, at: Moment, cx: &mut Context<'_>) -> Self {
        let retry_in = Some(at.since(cx.now.since_start));
        let failure = LoginFailure { error, journey: attempt.into_journey() };
        cx.tell(AccountEvent::LoginFailed { failure, retry_in });
        Idle { not_before: at, ..Idle::until(AccountState::NeedsPassword, at, MoveCause::Failover) }
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

    /// The next attempt need not wait longer than until `at`, unless a server asked for more.
    pub(super) fn wake(&mut self, at: Moment) {
        if let Some(again) = &mut self.again {
            again.at = again.at.min(at.max(self.not_before));
        }
    }

    /// Begins the next attempt if its time has come.
    pub(super) fn handle_deadline(self, cx: &Context<'_>) -> Step<Self> {
        match self.again {
            Some(again) if cx.now.reached(again.at) => Transition::Login(again.cause).into(),
            Some(_) | None => Step::Stays(self),
        }
    }

    /// The question that outlived its connection is answered: the login goes on with it, or ends.
    pub(super) fn handle_credentials(self, account: &mut Account, cx: &mut Context<'_>) -> Step<Self> {
        let refused = account.prompt.take_if(|prompt| matches!(prompt.reply, Reply::Given(None)));
        if let Some(prompt) = refused {
            let Prompt { server, .. } = *prompt;
            let attempt = Attempt::new(account.config.redirect.limit, MoveCause::Failover, cx.now);
            return Transition::Failed(AuthError::NoCredentials { server }.into(), attempt).into();
        }
        match self.again {
            Some(again) => {
                let at = self.not_before.max(cx.now.since_start).min(again.at);
                Idle { again: Some(Again { at, ..again }), ..self }.handle_deadline(cx)
            }
            None => Step::Stays(self),
        }
    }

    /// The network came or went.
    pub(super) fn handle_network(self, online: bool, now: Now) -> Step<Self> {
        let Self { not_before, .. } = self;
        match (online, self.is_waiting()) {
            (_, false) => Step::Stays(self),
            (true, true) => {
                let cause = self.again.map_or(MoveCause::Failover, |again| again.cause);
                if now.reached(not_before) {
                    return Transition::Login(cause).into();
                }
                let shown = AccountState::Rejected;
                Step::Stays(Idle { not_before, ..Idle::until(shown, not_before, cause) })
            }
            (false, true) => Step::Stays(Idle { not_before, ..Idle::new(AccountState::NoNetwork) }),
        }
    }
}

/// The state in which an account rests after a login that ended with this: by what would help.
fn state_after(error: &LoginError) -> AccountState {
    match error {
        LoginError::Resolve { why: ResolveError::Dns(DnsError::NoNetwork), .. } => AccountState::NoNetwork,
        LoginError::Resolve { .. }
        | LoginError::Connect { .. }
        | LoginError::NoAnswer { .. }
        | LoginError::Unusable { .. } => AccountState::Unreachable,
        LoginError::Auth(AuthError::NoCredentials { .. } | AuthError::Rejected { .. }) => {
            AccountState::NeedsPassword
        }
        _ => AccountState::Rejected,
    }
}
