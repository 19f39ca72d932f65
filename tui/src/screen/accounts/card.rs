//! One account as the phone shows it: built from events, holding screen text only.

use std::time::Duration;

use homing::event::{HopVerdict, Journey, LogoutReason};
use homing::{AccountEvent, AccountId, AccountState, Aor};

use crate::effect::Effect;
use crate::text::{ScreenText, screen_text};
use crate::words::{HopWords, News, Standing, Trouble, Weight, brief, countdown, hops, next_change};

/// An account.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) id: AccountId,
    pub(crate) aor: ScreenText,
    pub(crate) state: AccountState,
    pub(crate) home: Option<Home>,
    pub(crate) journey: Vec<HopWords>,
    pub(crate) tally: Tally,
    pub(crate) setback: Option<Setback>,
    /// Why it was signed out or moved, until the next success.
    pub(crate) notice: Option<ScreenText>,
}

/// The counts of a journey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
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

/// A login that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setback {
    pub(crate) trouble: Trouble,
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
            tally: Tally::default(),
            setback: None,
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
                self.setback = None;
            }
            AccountEvent::Refreshed { expires } => {
                if let Some(home) = &mut self.home {
                    home.expires_at = now + Duration::from_secs(u64::from(*expires));
                }
                self.setback = None;
            }
            AccountEvent::LoginFailed { failure, retry_in } => {
                self.take_journey(&failure.journey);
                self.home = None;
                self.setback = Some(Setback {
                    trouble: Trouble::from(&failure.error),
                    retry_at: retry_in.map(|pause| now + pause),
                });
            }
            AccountEvent::LoggedOut { why } => {
                self.home = None;
                self.notice = (*why != LogoutReason::Asked)
                    .then(|| crate::words::news(event).map(|news| news.text))
                    .flatten();
            }
            _ => {}
        }
    }

    /// The state with what a person needs beside it: `redirected (1/5)`, `refused (E0702)`.
    pub(crate) fn state_words(&self) -> ScreenText {
        let word = self.state.words().word;
        match (self.state, &self.setback) {
            (AccountState::Redirected, _) => {
                // The one that is being followed counts, though nobody has answered it yet.
                let sent_on = self.journey.iter().filter(|hop| hop.standing == Standing::SentOn).count();
                screen_text!("{word} ({sent_on}/{})", self.tally.limit)
            }
            (AccountState::Refused, Some(setback)) => screen_text!("{word} ({})", setback.trouble.code),
            _ => ScreenText::of(word),
        }
    }

    /// `1 hop, signed`; how the home server was reached.
    pub(crate) fn path_words(&self) -> ScreenText {
        let redirects = match self.tally.redirects {
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
        self.setback.as_ref().and_then(|setback| setback.retry_at).map(|at| at.saturating_sub(now))
    }

    /// One sentence: who, where, how.
    pub(crate) fn who_am_i(&self) -> News {
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
        News::plain(Weight::Notice, text)
    }

    /// One line of change for plain output.
    pub(crate) fn change_line(&self, now: Duration) -> ScreenText {
        let left = self.left(now).filter(|_| self.state.is_reachable());
        let left = left.map(|left| format!(", expires in {}", brief(left))).unwrap_or_default();
        screen_text!("{}{left}", self.standing())
    }

    /// Who stands how and where: what makes a change worth a line.
    pub(crate) fn standing(&self) -> ScreenText {
        let home = self.home.as_ref().filter(|_| self.state.is_reachable());
        let home = home.map(|home| format!(" at {}", home.server)).unwrap_or_default();
        screen_text!("{} {}{home}", self.aor, self.state_words())
    }

    /// Signing out makes sense unless the account rests already.
    pub(crate) fn sign_out(&self) -> Result<Vec<Effect>, News> {
        match self.state {
            AccountState::Offline | AccountState::LoggedOff => {
                Err(News::plain(Weight::Warning, screen_text!("{} is not signed in; R signs in", self.aor)))
            }
            _ => Ok(vec![Effect::SignOut(self.id)]),
        }
    }

    /// OPTIONS goes to the home server, so there must be one.
    pub(crate) fn options(&self) -> Result<Vec<Effect>, News> {
        if self.state.is_reachable() {
            Ok(vec![Effect::Options(self.id)])
        } else {
            let text = screen_text!("OPTIONS goes to the home server; {} has none now", self.aor);
            Err(News::plain(Weight::Warning, text))
        }
    }

    /// The countdown of the registration as it is written.
    pub(crate) fn expiry_words(&self, now: Duration) -> ScreenText {
        self.left(now).map_or_else(ScreenText::default, |left| ScreenText::of(&countdown(left)))
    }

    fn enter(&mut self, state: AccountState) {
        self.state = state;
        // A failure is told until something else is tried.
        if state != AccountState::Refused {
            self.setback = None;
        }
        match state {
            AccountState::Registered | AccountState::Fallback => self.notice = None,
            AccountState::LoggedOff | AccountState::Offline => {
                self.home = None;
                self.notice = None;
            }
            _ => {}
        }
    }

    fn take_journey(&mut self, journey: &Journey) {
        self.journey = hops(journey);
        self.tally = Tally {
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
        scheme: last.and_then(|hop| hop.scheme).map(crate::words::scheme_word),
        connection: last.map_or_else(ScreenText::default, |hop| {
            let address = hop.address.map(|address| format!(" {address}")).unwrap_or_default();
            screen_text!("{}{address}", hop.transport)
        }),
        expires_at: now + Duration::from_secs(u64::from(registered.expires)),
        gruu: registered.gruu.as_deref().map(ScreenText::of),
    }
}
