//! One account as the phone shows it: built from events, holding screen text only.

use std::time::Duration;

use homing::event::{HopVerdict, Journey, LogoutReason};
use homing::{AccountEvent, AccountId, AccountState, Aor};

use crate::effect::Effect;
use crate::messages::{
    HopStatus, HopText, Notification, Problem, Severity, brief, countdown, hops, next_change,
};
use crate::screen::Outcome;
use crate::text::{ScreenText, screen_text};

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) id: AccountId,
    pub(crate) aor: ScreenText,
    pub(crate) state: AccountState,
    pub(crate) home: Option<Home>,
    pub(crate) journey: Vec<HopText>,
    pub(crate) totals: Totals,
    pub(crate) failed_login: Option<FailedLogin>,
    /// Why it was signed out or moved, until the next success.
    pub(crate) notice: Option<ScreenText>,
}

/// The counts of a journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) redirects: usize,
    pub(crate) limit: u8,
    pub(crate) round_trips: u32,
}

/// The home server while the account is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub(crate) server: ScreenText,
    /// A security association signs every message.
    pub(crate) signed: bool,
    /// The name its certificate proved; empty without TLS.
    pub(crate) proof: ScreenText,
    pub(crate) scheme: Option<&'static str>,
    pub(crate) connection: ScreenText,
    pub(crate) expires_at: Duration,
    pub(crate) gruu: Option<ScreenText>,
}

/// Why the last login failed, and when it is tried again by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedLogin {
    pub(crate) problem: Problem,
    pub(crate) retry_at: Option<Duration>,
}

impl Card {
    /// An account at rest.
    pub(crate) fn new(id: AccountId, aor: &Aor) -> Self {
        Self {
            id,
            aor: screen_text!("{}@{}", aor.user, aor.domain),
            state: AccountState::Offline,
            home: None,
            journey: Vec::new(),
            totals: Totals::default(),
            failed_login: None,
            notice: None,
        }
    }

    /// Takes one event.
    pub(crate) fn handle(&mut self, event: &AccountEvent, now: Duration) {
        match event {
            AccountEvent::StateChanged { to, .. } => self.enter(*to),
            AccountEvent::JourneyChanged(journey) => self.take_journey(journey),
            AccountEvent::Registered(registered) => {
                self.take_journey(&registered.journey);
                self.home = Some(home(registered, now));
                self.failed_login = None;
            }
            AccountEvent::Refreshed { expires } => {
                if let Some(home) = &mut self.home {
                    home.expires_at = now + Duration::from_secs(u64::from(*expires));
                }
                self.failed_login = None;
            }
            AccountEvent::LoginFailed { failure, retry_in } => {
                self.take_journey(&failure.journey);
                self.home = None;
                self.failed_login = Some(FailedLogin {
                    problem: Problem::from(&failure.error),
                    retry_at: retry_in.map(|pause| now + pause),
                });
            }
            AccountEvent::LoggedOut { why } => {
                self.home = None;
                self.notice = (*why != LogoutReason::Asked)
                    .then(|| crate::messages::notification(event).map(|notification| notification.text))
                    .flatten();
            }
            _ => {}
        }
    }

    /// The state with what a person needs beside it: `redirected (1/5)`, `rejected (E0702)`.
    pub(crate) fn state_words(&self) -> ScreenText {
        let word = self.state.words().word;
        match (self.state, &self.failed_login) {
            (AccountState::Redirected, _) => {
                // The one that is being followed counts, though its target has not answered yet.
                let redirected =
                    self.journey.iter().filter(|hop| hop.status == HopStatus::Redirected).count();
                screen_text!("{word} ({redirected}/{})", self.totals.limit)
            }
            (state, Some(failed_login)) if state.is_failure() => {
                screen_text!("{word} ({})", failed_login.problem.code)
            }
            _ => ScreenText::of(word),
        }
    }

    /// `1 hop, signed`; how the home server was reached.
    pub(crate) fn path_words(&self) -> ScreenText {
        let redirects = match self.totals.redirects {
            0 => "direct".to_owned(),
            1 => "1 hop".to_owned(),
            n => format!("{n} hops"),
        };
        let signed = if self.home.as_ref().is_some_and(|home| home.signed) { ", signed" } else { "" };
        screen_text!("{redirects}{signed}")
    }

    /// Time left until the registration lapses.
    pub(crate) fn left(&self, now: Duration) -> Option<Duration> {
        self.home.as_ref().map(|home| home.expires_at.saturating_sub(now))
    }

    /// When a shown countdown reads differently.
    pub(crate) fn next_change(&self, now: Duration) -> Option<Duration> {
        let expiry = self.left(now).filter(|left| !left.is_zero());
        let retry = self.retry_in(now).filter(|left| !left.is_zero());
        expiry.into_iter().chain(retry).map(|left| now + next_change(left)).min()
    }

    /// Time left until the next attempt.
    pub(crate) fn retry_in(&self, now: Duration) -> Option<Duration> {
        self.failed_login
            .as_ref()
            .and_then(|failed_login| failed_login.retry_at)
            .map(|at| at.saturating_sub(now))
    }

    /// One sentence: who, where, how.
    pub(crate) fn who_am_i(&self) -> Notification {
        let text = match &self.home {
            Some(home) => screen_text!(
                "{} is {} at {} ({}{})",
                self.aor,
                self.state_words(),
                home.server,
                self.path_words(),
                home.scheme.map(|scheme| format!(", {scheme}")).unwrap_or_default()
            ),
            None => screen_text!("{} is {}", self.aor, self.state_words()),
        };
        Notification::plain(Severity::Info, text)
    }

    /// One line of change for plain output.
    pub(crate) fn change_line(&self, now: Duration) -> ScreenText {
        let left = self.left(now).filter(|_| self.state.is_reachable());
        let left = left.map(|left| format!(", expires in {}", brief(left))).unwrap_or_default();
        screen_text!("{}{left}", self.summary())
    }

    /// Who stands how and where: what makes a change worth a line.
    pub(crate) fn summary(&self) -> ScreenText {
        let home = self.home.as_ref().filter(|_| self.state.is_reachable());
        let home = home.map(|home| format!(" at {}", home.server)).unwrap_or_default();
        screen_text!("{} {}{home}", self.aor, self.state_words())
    }

    /// Signing out makes sense unless the account rests already.
    pub(crate) fn sign_out(&self) -> Outcome {
        match self.state {
            AccountState::Offline | AccountState::LoggedOff => {
                Outcome::refused(screen_text!("{} is not signed in; R signs in", self.aor))
            }
            _ => Effect::SignOut(self.id).into(),
        }
    }

    /// OPTIONS goes to the home server, so there must be one.
    pub(crate) fn options(&self) -> Outcome {
        if self.state.is_reachable() {
            Effect::Options(self.id).into()
        } else {
            let text = screen_text!("OPTIONS goes to the home server; {} has none now", self.aor);
            Outcome::refused(text)
        }
    }

    /// The countdown of the registration as it is written.
    pub(crate) fn expiry_words(&self, now: Duration) -> ScreenText {
        self.left(now).map_or_else(ScreenText::default, |left| ScreenText::of(&countdown(left)))
    }

    /// The account is in this state now.
    pub(crate) fn enter(&mut self, state: AccountState) {
        self.state = state;
        // A failure is told until something else is tried.
        if !state.is_failure() {
            self.failed_login = None;
        }
        match state {
            AccountState::Registered | AccountState::Fallback => self.notice = None,
            AccountState::LoggedOff | AccountState::Offline => {
                self.home = None;
                self.notice = None;
                // No answer is waited for any more.
                self.journey.iter_mut().for_each(HopText::give_up);
            }
            AccountState::NoNetwork => self.journey.iter_mut().for_each(HopText::give_up),
            _ => {}
        }
    }

    fn take_journey(&mut self, journey: &Journey) {
        self.journey = hops(journey);
        self.totals = Totals {
            redirects: journey.redirects(),
            limit: journey.limit,
            round_trips: journey.round_trips(),
        };
    }
}

fn home(registered: &homing::event::Registered, now: Duration) -> Home {
    let last = registered.journey.last();
    Home {
        server: ScreenText::from_display(&registered.home),
        signed: last.is_some_and(|hop| matches!(hop.verdict, HopVerdict::Accepted { signed: true, .. })),
        proof: last.and_then(|hop| hop.verified_as.as_deref()).map(ScreenText::of).unwrap_or_default(),
        scheme: last.and_then(|hop| hop.scheme).map(crate::messages::scheme_word),
        connection: last.map_or_else(ScreenText::default, |hop| {
            let address = hop.address.map(|address| format!(" {address}")).unwrap_or_default();
            screen_text!("{}{address}", hop.transport)
        }),
        expires_at: now + Duration::from_secs(u64::from(registered.expires)),
        gruu: registered.gruu.as_deref().map(ScreenText::of),
    }
}
