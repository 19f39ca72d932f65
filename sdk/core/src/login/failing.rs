//! A login that failed: what is told, and whether and when it is tried again.

use std::time::Duration;

use super::account::Account;
use super::desk::Desk;
use super::machine::State;
use super::resting::Resting;
use super::trip::Trip;
use crate::dns::DnsError;
use crate::error::{AuthError, LoginError, RedirectError};
use crate::event::{AccountEvent, MoveCause};
use crate::journey::LoginFailure;
use crate::state::AccountState;

/// Ends a login: tells the reason with the journey, and plans the next attempt.
pub(super) fn fail(error: LoginError, trip: Trip, account: &mut Account, desk: &mut Desk<'_>) -> State {
    let floor = trip.floor().max(least(&error));
    let shown = match &error {
        LoginError::Resolve { why: DnsError::NoNetwork, .. } => AccountState::NoNetwork,
        _ => AccountState::Refused,
    };
    let cause = if account.last_home.is_some() { MoveCause::Failover } else { trip.cause() };
    let retry_in = helps(&error).then(|| account.backoff.after_failure(floor, desk.draws));
    let failure = LoginFailure { error, journey: trip.into_journey() };
    desk.tell(AccountEvent::LoginFailed { failure, retry_in });
    State::Resting(match retry_in {
        Some(wait) => Resting::until(shown, desk.now.after(wait), cause),
        None => Resting::new(shown),
    })
}

/// False where the same attempt would only fail again until a person does something.
pub(super) fn helps(error: &LoginError) -> bool {
    !matches!(
        error,
        LoginError::Auth(AuthError::Rejected { .. } | AuthError::NoCredentials { .. })
            | LoginError::Redirect(RedirectError::Declined { .. })
            | LoginError::Refused { status: 403, .. }
            | LoginError::Deregistered(_)
    )
}

/// Settled 1: after a redirect that was refused, no attempt by itself sooner than 30 s.
fn least(error: &LoginError) -> Duration {
    match error {
        LoginError::Redirect(_) => Duration::from_secs(30),
        _ => Duration::ZERO,
    }
}
